"""The search attributes of instances: registered where they are missing."""

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from wfc.engine.wire import ATTRIBUTES

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
