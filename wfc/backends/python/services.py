"""What the user implements: a protocol for each service, and one for all of them."""

from collections.abc import Iterator

from wfc.backends.python import layout
from wfc.backends.python.layout import Code, Item
from wfc.backends.python.types import Program, Types
from wfc.ir.machine import OperationDef
from wfc.ir.python_names import attributes


def protocols(program: Program, types: Types) -> Iterator[Code]:
    """The protocols of the services, then that of the whole."""
    services = {each.name: each for each in program.machine.services if each.name in program.called.services}
    for name, service in services.items():
        members = [layout.docstring(service.doc, layout.place(service.at))]
        members += [_declared(program, types, each) for each in program.called.called[name]]
        yield _protocol(types, program.names.services[name], members)
    workflow = program.machine.workflow.name
    members = [
        layout.docstring(f"What `{workflow}` calls: {'an attribute for each service' if services else 'nothing'}.")
    ]
    for name, attribute in program.called.services.items():
        head = layout.call(
            f"    def {attribute}", [("self", None, "")], (f" -> {program.names.services[name]}:", None, "")
        )
        body = layout.docstring(services[name].doc)
        members.append(_member([types.use("property"), types.use("abstractmethod")], head, body))
    yield _protocol(types, program.names.whole, members)


def _protocol(types: Types, name: str, members: list[Code]) -> Code:
    lines = [line for code in members if code for line in ("", *code)]
    return [f"class {name}({types.use('Protocol')}):", *layout.indented(lines[1:])]


def _declared(program: Program, types: Types, operation: OperationDef) -> Code:
    head = method(program, types, operation, (" -> ", types.result(operation.result), ":"), only_by_place=True)
    body = layout.docstring(operation.doc, layout.place(operation.at))
    return _member([types.use("abstractmethod")], head, body)


def _member(decorators: list[str], head: Code, body: Code) -> Code:
    """A member of a class, whose head is indented already."""
    lines = [line[layout.STEP :] for line in head]
    if not body:
        lines[-1] += " ..."
    return [*(f"@{each}" for each in decorators), *lines, *layout.indented(body)]


def method(program: Program, types: Types, operation: OperationDef, end: Item, *, only_by_place: bool) -> Code:
    """The head of a method, indented as in a class. `only_by_place`: users may choose other names of parameters."""
    given: list[Item] = [("self", None, "")]
    for own, param in zip(parameters(operation), operation.params, strict=True):
        given.append((f"{own}: ", types.show(param.type), ""))
    given.append(("context: ", types.context(), ""))
    if only_by_place:
        given.append(("/", None, ""))
    return layout.call(f"    def {program.called.operations[operation.name]}", given, end)


def parameters(operation: OperationDef) -> tuple[str, ...]:
    """What a method calls the values that it is given."""
    found = attributes((".self", ".context", *(param.name for param in operation.params)))
    return tuple(found[param.name] for param in operation.params)
