"""The attributes by which instances are found: what they hold, and how they are registered where they are missing."""

from typing import Any

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError

from wfc.engine import wire
from wfc.engine.wire import ATTRIBUTES, Begin
from wfc.machine.program import Program

KEY = SearchAttributeKey.for_keyword(wire.KEY)
PROCESS = SearchAttributeKey.for_keyword(wire.PROCESS)
WAITS = SearchAttributeKey.for_keyword_list(wire.WAITS)
KINDS = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "KeywordList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}


async def register(client: Client) -> str:
    """Adds what is missing; the names of those that could not be added."""
    service = client.operator_service
    try:
        known = await service.list_search_attributes(ListSearchAttributesRequest(namespace=client.namespace))
        missing = {name: kind for name, kind in ATTRIBUTES.items() if name not in known.custom_attributes}
        if missing:
            wanted = {name: KINDS[kind] for name, kind in missing.items()}
            await service.add_search_attributes(
                AddSearchAttributesRequest(namespace=client.namespace, search_attributes=wanted)
            )
    except RPCError:
        return ", ".join(f"{name} ({kind})" for name, kind in ATTRIBUTES.items())
    return ""


class Named:
    """Fields or parameters, read by an expression of a declaration."""

    def __init__(self, program: Program, names: dict[str, Any]) -> None:
        self.program = program
        self.names = names
        self.now = None

    def read(self, kind: str, name: str) -> Any:  # noqa: ANN401 - values of the language
        """A field, or a constant."""
        return self.names[name] if kind in ("param", "operand") else self.program.constants[name]


def begin_key(program: Program, name: str, data: dict[str, Any], identity: str) -> Any:  # noqa: ANN401 - a text or a number
    """The key by which events find an instance."""
    definition = program.workflows[name]
    if definition.key is None:
        return identity.rpartition("/")[2]
    names = program.boundary.fields(definition.params, data, "")
    return program.compile(definition.key)(Named(program, names))


def attributes_of(program: Program, begin: Begin) -> TypedSearchAttributes | None:
    """The attributes that an instance begins with."""
    if not begin.get("attributes"):
        return None
    return TypedSearchAttributes(
        [SearchAttributePair(KEY, str(begin.get("key"))), SearchAttributePair(PROCESS, program.machine.process)]
    )
