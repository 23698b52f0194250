"""The definitions of the module: dicts for records and cases, unions of them, and an exception for each error.

A dict is written as a class where its keys can be names in one. `is` cannot, nor can words of Python; such keys are
written as texts, in a class of their own below the other where the dict has type parameters.
"""

from collections.abc import Iterable, Iterator

from wfc.backends.python import layout
from wfc.backends.python.layout import Code, Either, Item, Shown, Sub
from wfc.backends.python.types import Form, Program, Types
from wfc.ir.machine import ErrorDef, FieldDef
from wfc.ir.python_names import attributes, is_plain
from wfc.ir.types import SETTLED, Errors, Named, Optional, Type
from wfc.text.source import Span

PERSONAL = "Personal: not shown in audit records and dead letters."
STORED = "Stored beside the state; travels as a reference."


def refusals(program: Program) -> Iterator[tuple[str, Span | None]]:
    """Dicts that Python has no type for."""
    for kind, form in program.dicts():
        for field in form.fields:
            if not is_plain(field.name) and any(program.variables(field.type)):
                yield f"a field `{field.name}` of a generic type", _about(program, kind)[1]


def variables(program: Program, types: Types) -> Code:
    """The type parameters."""
    found = dict.fromkeys(name for kind, form in program.dicts() for name in program.held(kind, form))
    names = [types.variable(name) for name in found]
    return [f"{name} = {types.use('TypeVar')}({layout.quoted(name)})" for name in names]


def dicts(program: Program, types: Types) -> Iterator[Code]:
    """Every type with a name, what it is made of in front of it."""
    unions = []
    for kind in program.seen:
        forms = program.forms(kind)
        doc, at = _about(program, kind)
        name = types.name(kind)
        if len(forms) == 1:
            (form,) = forms
            yield from _dict(program, types, kind, form, name, (doc, _notes(program, kind, form), layout.place(at)))
        elif forms:
            cases = []
            for form in forms:
                assert isinstance(kind, Named)
                own = program.names.of("case", f"{kind.name}.{form.name}", _case_name)
                yield from _dict(program, types, kind, form, own, (form.doc, _notes(program, kind, form)))
                cases.append(Sub(own, _arguments(program, types, kind, form)))
            yield _union(types, name, cases, (doc, layout.place(at)))
        else:
            unions.append((name, [Sub(types.name(Errors((each,)))) for each in program.errors_of(kind)]))
    for name, parts in unions:
        yield _union(types, name, parts, ())


def _case_name(path: str) -> str:
    """`Outcome.delivered` is `OutcomeDelivered`."""
    enum, _, case = path.rpartition(".")
    return f"{enum}{case[0].upper()}{case[1:]}"


def _about(program: Program, kind: Type) -> tuple[str, Span | None]:
    """What the author says about a definition, and where it stands."""
    match kind:
        case Named("record", name, _):
            return program.records[name].doc, program.records[name].at
        case Named("event", name, _):
            return program.events[name].doc, program.events[name].at
        case Named(_, name, _) if name != SETTLED:
            return program.enums[name].doc, program.enums[name].at
        case Errors((name,)) if name in program.errors:
            return f"The error `{name}` as a value.", program.errors[name].at
        case _:
            return "", None


def _notes(program: Program, kind: Type, form: Form) -> str:
    """What there is to say about the parts of a dict, a line each."""
    told = [(each.name, _field_doc(each)) for each in form.fields]
    if isinstance(kind, Named) and kind.kind == "enum" and kind.name != SETTLED and not form.name:
        told += [(case.name, case.doc) for case in program.enums[kind.name].cases]
    return "\n".join(f"`{name}`: {doc}" for name, doc in told if doc)


def _field_doc(field: FieldDef) -> str:
    notes = [" ".join(field.doc.split())]
    if field.pii:
        notes.append(PERSONAL)
    if field.blob:
        notes.append(STORED)
    return " ".join(note for note in notes if note)


def _union(types: Types, name: str, parts: Iterable[Shown], notes: Iterable[str]) -> Code:
    kind = types.use("TypeAlias")
    return [*layout.broken(f"{name}: {kind} = ", Either(tuple(parts)), "", alone=True), *layout.docstring("", *notes)]


def _arguments(program: Program, types: Types, kind: Type, form: Form) -> tuple[Shown, ...]:
    held = program.held(kind, form) if isinstance(kind, Named) else ()
    return tuple(Sub(types.variable(each)) for each in held)


def _dict(program: Program, types: Types, kind: Type, form: Form, name: str, notes: tuple[str, ...]) -> Iterator[Code]:
    """One dict: as a class, as a call, or as a class above a call."""
    generic = _arguments(program, types, kind, form)
    doc = layout.docstring(*notes)
    beside = [field for field in form.fields if not is_plain(field.name)]
    if not generic and (form.tags or beside):
        yield [*_called(types, name, form, form.fields), *doc]
        return
    bases = [types.use("TypedDict")]
    if form.tags or beside:
        below = program.names.of("below", name, lambda each: f"_{each}")
        yield _called(types, below, form, beside)
        bases = [below]
    if generic:
        bases.append(str(Sub(types.use("Generic"), generic)))
    inside = [line for each in form.fields if is_plain(each.name) for line in _field(types, each)]
    body = [*doc, *([""] if doc and inside else []), *inside]
    head = layout.call(f"class {name}", [(base, None, "") for base in bases], (":", None, ""))
    yield [*head, *layout.indented(body or ["pass"])]


def _field(types: Types, field: FieldDef) -> Code:
    deep = layout.broken(f"    {field.name}: ", types.show(field.type), "", alone=True)
    return [line[layout.STEP :] for line in deep]


def _called(types: Types, name: str, form: Form, fields: Iterable[FieldDef]) -> Code:
    """A dict with its keys as texts. Its types are looked at when the module is loaded, so its own are texts too."""
    start = f"{name} = {types.use('TypedDict')}("
    lines = [start, f"    {layout.quoted(name)},", "    {"]
    short = []
    if form.tags:
        tag = Sub(types.use("Literal"), tuple(Sub(layout.quoted(each)) for each in form.tags))
        lines += layout.broken('        "is": ', tag, ",")
        short.append(f'"is": {tag}')
    for field in fields:
        shown = types.show(field.type)
        if types.is_own(field.type):
            shown = Sub(layout.quoted(str(shown)))
        if form.may_lack:
            shown = Sub(types.use("NotRequired"), (shown,))
        lines += layout.broken(f"        {layout.quoted(field.name)}: ", shown, ",")
        short.append(f"{layout.quoted(field.name)}: {shown}")
    whole = f"{start}{layout.quoted(name)}, {{{', '.join(short)}}})"
    return [whole] if len(whole) <= layout.WIDTH else [*lines, "    },", ")"]


# -------------------------------------------------------------------------------------------------------------- errors


def exceptions(program: Program, types: Types) -> Iterator[Code]:
    """An exception for each error that an activity declares."""
    for error in program.machine.errors:
        if error.name in program.raised:
            yield _exception(program, types, error)


def _exception(program: Program, types: Types, error: ErrorDef) -> Code:
    name = program.names.of("error", error.name)
    notes = "\n".join(f"`{each.name}`: {told}" for each in error.fields if (told := _field_doc(each)))
    doc = layout.docstring(error.doc, notes, layout.place(error.at))
    params = attributes((".self", ".super", *(field.name for field in error.fields)))
    required = len(error.fields)
    while required and isinstance(error.fields[required - 1].type, Optional):
        required -= 1
    given: list[Item] = [("self", None, "")]
    passed: list[Item] = [(layout.quoted(error.name), None, "")]
    for place, field in enumerate(error.fields):
        own = params[field.name]
        given.append((f"{own}: ", types.show(field.type), "" if place < required else " = None"))
        plain = is_plain(field.name)
        passed.append((f"{field.name}={own}" if plain else f"**{{{layout.quoted(field.name)}: {own}}}", None, ""))
    head = f"class {name}({types.use('Failure')}):"
    return [
        head,
        *layout.indented(doc),
        *([""] if doc else []),
        *layout.call("    def __init__", given, (" -> None:", None, "")),
        *layout.call("        super().__init__", passed, ("", None, "")),
    ]
