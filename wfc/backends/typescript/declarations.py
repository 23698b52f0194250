"""The file of types: records, enums, errors, events, inputs, constants, functions, and the interface of activities."""

from wfc.backends.typescript import layout
from wfc.backends.typescript.expressions import Expressions
from wfc.backends.typescript.layout import Code
from wfc.backends.typescript.types import Program, Types, Uses, plain
from wfc.ir.expressions import Apply, Expr, Ref, walk
from wfc.ir.machine import (
    CaseDef,
    ConstDef,
    EnumDef,
    FieldDef,
    FunctionDef,
    OperationDef,
    ServiceDef,
    Workflow,
)
from wfc.ir.types import Secret
from wfc.text.source import Span


def declarations(program: Program, uses: Uses) -> list[Code]:
    """The declarations of the types file, one after another."""
    machine = program.machine
    types = Types(program, uses)
    names = program.names
    found: list[Code] = []
    for record in machine.records:
        generics = f"<{', '.join(record.params)}>" if record.params else ""
        found.append(_interface(types, names.types[record.name] + generics, "", record.fields, (record.doc, record.at)))
    found += [_enum(types, names.types[enum.name], enum) for enum in machine.enums]
    for error in machine.errors:
        shown = names.faults[error.name]
        found.append(_interface(types, shown, error.name, error.fields, (error.doc, error.at)))
    for event in machine.events:
        found.append(_interface(types, names.faults[event.name], "", event.fields, (event.doc, event.at)))
    for workflow in machine.workflows:
        doc = (f"What `{workflow.name}` starts with.", workflow.at)
        found.append(_interface(types, names.inputs[workflow.name], "", workflow.params, doc))
    found += [_constant(program, uses, constant) for constant in _in_order(program)]
    found += [_function(program, uses, function) for function in machine.functions]
    found.append(_activities(program, types))
    return [code for code in found if code]


def _fields(types: Types, fields: tuple[FieldDef, ...]) -> Code:
    lines: Code = []
    for each in fields:
        lines += layout.comment(_field_doc(each))
        name = f'"{each.name}"' if each.name == "__proto__" else each.name
        lines.append(f"{types.field(name, each.type)};")
    return lines


def _field_doc(each: FieldDef) -> str:
    notes = [each.doc]
    if each.pii:
        notes.append("Personal: not shown in audit records and dead letters.")
    if each.blob:
        notes.append("Stored beside the state; travels as a reference.")
    return "\n".join(note for note in notes if note)


def _interface(types: Types, name: str, tag: str, fields: tuple[FieldDef, ...], doc: tuple[str, Span | None]) -> Code:
    body = ([f"readonly is: {layout.quoted(tag)};"] if tag else []) + _fields(types, fields)
    head = f"export interface {name} {{"
    return [*layout.comment(*doc), *([head, *layout.indented(body), "}"] if body else [f"{head}}}"])]


def _enum(types: Types, name: str, enum: EnumDef) -> Code:
    generics = f"<{', '.join(enum.params)}>" if enum.params else ""
    head = f"export type {name}{generics} ="
    doc = layout.comment(enum.doc, enum.at)
    shown = [_case(types, case, is_text=plain(enum)) for case in enum.cases]
    if not any(case.doc for case in enum.cases):
        return [*doc, f"{head} {' | '.join(shown)};"]
    lines = [*doc, head]
    for case, text in zip(enum.cases, shown, strict=True):
        lines += layout.indented([*layout.comment(case.doc), f"| {text}"])
    return layout.suffixed(lines, ";")


def _case(types: Types, case: CaseDef, *, is_text: bool) -> str:
    if is_text:
        return layout.quoted(case.name)
    fields = [f"readonly is: {layout.quoted(case.name)}", *(types.field(f.name, f.type) for f in case.fields)]
    return f"{{ {'; '.join(fields)} }}"


def _reads(program: Program, expr: Expr, seen: set[str]) -> list[str]:
    """The constants that an expression needs, through functions too."""
    functions = {function.name: function for function in program.machine.functions}
    found: list[str] = []
    for part in walk(expr):
        if isinstance(part, Ref) and part.kind == "const":
            found.append(part.name)
        elif isinstance(part, Apply) and part.name not in seen and part.name in functions:
            seen.add(part.name)
            found += _reads(program, functions[part.name].body, seen)
    return found


def _in_order(program: Program) -> list[ConstDef]:
    """Constants, each after those it needs."""
    known = {constant.name: constant for constant in program.machine.constants}
    placed: dict[str, ConstDef] = {}

    def place(constant: ConstDef) -> None:
        if constant.name in placed:
            return
        for needed in _reads(program, constant.value, set()):
            if needed in known and needed != constant.name:
                place(known[needed])
        placed[constant.name] = constant

    for constant in program.machine.constants:
        place(constant)
    return list(placed.values())


def _constant(program: Program, uses: Uses, constant: ConstDef) -> Code:
    show = Expressions(program, uses)
    name = program.names.values[constant.name]
    kind = show.types.show(constant.type)
    value = show.typed(constant.value, constant.type)
    if layout.is_literal(kind, value):  # its type is that of all such values, not of this one
        made = f"{name} = {show.helper('of')}<{kind}>({value})"
    else:
        made = f"{name}: {kind} = {value}"
    return [*layout.comment(constant.doc), f"export const {made};"]


def _function(program: Program, uses: Uses, function: FunctionDef) -> Code:
    show = Expressions(program, uses)
    read = {part.name for part in walk(function.body) if isinstance(part, Ref) and part.kind == "param"}
    params = [
        [f"{'' if name in read else '_'}{program.names.local(name)}: {show.types.show(kind)}"]
        for name, kind in function.params
    ]
    generics = f"<{', '.join(function.type_params)}>" if function.type_params else ""
    head = f"export function {program.names.values[function.name]}{generics}("
    result = show.types.show(function.result)
    return [
        *layout.comment(function.doc),
        *layout.group(head, params, f"): {result} {{"),
        f"  return {show.show(function.body)};",
        "}",
    ]


def _activities(program: Program, types: Types) -> Code:
    """What the user implements: one member per service, one method per activity or query."""
    lines: Code = []
    for service in program.machine.services:
        called = [program.operations[name] for name in service.operations if program.operations[name].kind != "task"]
        if called:
            lines += _service(types, service, called)
    name = program.names.activities
    doc = layout.comment(f"What `{program.machine.workflow.name}` calls. Implement this.")
    if not lines:
        return [*doc, f"export type {name} = Readonly<Record<string, never>>;"]
    return [*doc, f"export interface {name} {{", *layout.indented(lines), "}"]


def _service(types: Types, service: ServiceDef, called: list[OperationDef]) -> Code:
    lines = [*layout.comment(service.doc, service.at), f"readonly {layout.key(service.name)}: {{"]
    for operation in called:
        lines += layout.indented([*layout.comment(operation.doc, operation.at), *_method(types, operation)])
    return [*lines, "};"]


def _method(types: Types, operation: OperationDef) -> Code:
    local = types.program.names.local
    params = [
        [f"{local(p.name)}: {types.show(p.type.inner if isinstance(p.type, Secret) else p.type)}"]
        for p in operation.params
    ]
    params.append([f"context: {types.uses.type('runtime', 'ActivityContext')}"])
    name = layout.key(operation.name.rpartition(".")[2])
    return layout.group(f"{name}(", params, f"): {types.promise(operation.result)};")


def workflow_doc(workflow: Workflow) -> Code:
    """The comment of a workflow."""
    return layout.comment(workflow.doc, workflow.at)
