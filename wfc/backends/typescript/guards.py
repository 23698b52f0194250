"""Guards: what is armed around something, and what happens after one has fired."""

from collections.abc import Callable

from wfc.backends.typescript import layout
from wfc.backends.typescript.flow import Place, assigned, interrupting, side_by_side
from wfc.backends.typescript.layout import Code
from wfc.ir.expressions import Ref, walk
from wfc.ir.machine import Guard, Sla, Step
from wfc.ir.types import Named
from wfc.ir.walk import all_steps

Block = Callable[[tuple[Step, ...], Place], Code]


def keys_of(guards: tuple[Guard, ...]) -> dict[str, str]:
    """The member that stands for a guard, by its id: its trigger as written, with a number if needed."""
    found: dict[str, str] = {}
    for guard in guards:
        name = guard.label
        number = 2
        while name in found.values():
            name = f"{guard.label} #{number}"
            number += 1
        found[guard.id] = name
    return found


def armed(
    place: Place, guards: tuple[Guard, ...], block: Block, ignore: tuple[str, ...] = (), slas: tuple[Sla, ...] = ()
) -> Code:
    """The object of guards."""
    names = keys_of(guards)
    items = [layout.prefixed(f"{layout.quoted(names[guard.id])}: ", _guard(place, guard, block)) for guard in guards]
    for index, event in enumerate(ignore):
        items.append([f"ignore{index + 1}: {place.show.uses.value('runtime', 'ignore')}({layout.quoted(event)})"])
    for index, sla in enumerate(slas):
        amounts = [place.show.show(each) for each in (sla.within, sla.warn) if each is not None]
        shown = ", ".join([layout.quoted(sla.name), *amounts])
        items.append([f"sla{index + 1}: {place.show.uses.value('runtime', 'sla')}({shown})"])
    return layout.record(items)


def _guard(place: Place, guard: Guard, block: Block) -> Code:
    if guard.also or guard.kind == "every":
        return _beside(place, guard, block)
    maker = place.show.uses.value("runtime", "caught" if guard.kind == "catch" else guard.kind)
    keep = ["true"] if guard.keep else []
    carried = assigned(place, guard.bind) != ""
    if guard.kind == "catch":
        codes = '"any"' if guard.any else f"[{', '.join(map(layout.quoted, guard.names))}]"
        kind = f"<{place.show.types.show(guard.bind_type)}>" if carried and guard.bind_type is not None else ""
        return layout.group(f"{maker}{kind}(", [[codes], *([k] for k in keep)], ")")
    if guard.kind == "on":
        kind = f"<{event_type(place, guard)}>" if carried or guard.when is not None else ""
        args = [[layout.quoted(guard.names[0])]]
        if guard.when is not None or keep:
            args.append([_when(place, guard) if guard.when is not None else "undefined"])
        return layout.group(f"{maker}{kind}(", [*args, *([k] for k in keep)], ")")
    assert guard.amount is not None
    return layout.group(f"{maker}(", [[place.show.show(guard.amount)], *([k] for k in keep)], ")")


def event_type(place: Place, guard: Guard) -> str:
    """The type of what an event brings."""
    return place.show.types.show(Named("event", guard.names[0]))


def _when(place: Place, guard: Guard) -> str:
    assert guard.when is not None
    read = any(isinstance(part, Ref) and part.name == guard.bind for part in walk(guard.when))
    renames = {("local", guard.bind): "heard"} if guard.bind is not None else {}
    shown = place.show.renamed(renames).show(guard.when)
    return f"({'heard' if read else ''}) => {shown}"


def _beside(place: Place, guard: Guard, block: Block) -> Code:
    """A guard that does not interrupt, with its block. It may fire again before the block has ended."""
    inside = side_by_side(place.inner(), all_steps(guard.steps))
    target = assigned(inside, guard.bind)
    body = [f"{target}given;"] if target else []
    body += block(guard.steps, inside)
    frame = inside.show.types.uses.type("runtime", "Frame")
    kind = "number" if guard.kind == "every" else event_type(place, guard) if guard.kind == "on" else "undefined"
    params = [f"{'wf' if inside.used.frame else '_wf'}: {frame}"]
    if target:
        params.append(f"given: {kind}")
    maker = "every" if guard.kind == "every" else f"also{guard.kind.capitalize()}"
    if guard.kind == "on":
        generics = f"<{frame}, {kind}>"
        first = layout.quoted(guard.names[0])
    else:
        assert guard.amount is not None
        generics, first = f"<{frame}>", place.show.show(guard.amount)
    shown = ", ".join(params) if inside.used.frame or target else ""
    waits = any(word in line for line in body for word in ("await", "throw", "return"))
    head, end = ("async ", []) if waits else ("", ["return Promise.resolve();"])
    function = [f"{head}({shown}) => {{", *layout.indented([*body, *end]), "}"]
    items = [[first], function]
    if guard.kind == "on" and guard.when is not None:
        items.append([_when(place, guard)])
    return layout.group(f"{place.show.uses.value('runtime', maker)}{generics}(", items, ")")


def left_of(place: Place, guards: tuple[Guard, ...], left: str, block: Block, done: Code | None) -> Code:
    """What follows a guarded thing: an arm per guard, and one for its own end unless it has none."""
    ending = interrupting(guards)
    if not ending:
        return done or []
    names = keys_of(guards)
    if done is None and len(ending) == 1:
        return _tail(place, ending[0], left, block)
    lines = [f"switch ({left}.by) {{"]
    for guard in ending:
        lines += layout.indented(_arm(layout.quoted(names[guard.id]), _tail(place, guard, left, block)))
    if done is not None:
        lines += layout.indented(_arm('"done"', done))
    return [*lines, "}"]


def _arm(label: str, body: Code) -> Code:
    leaves = bool(body) and body[-1].lstrip().startswith(("return", "continue", "throw", "break"))
    lines = body if leaves else [*body, "break;"]
    if any(line.startswith(("const ", "let ")) for line in lines):
        return [f"case {label}: {{", *layout.indented(lines), "}"]
    return [f"case {label}:", *layout.indented(lines)]


def _tail(place: Place, guard: Guard, left: str, block: Block) -> Code:
    target = assigned(place, guard.bind)
    return [*([f"{target}{left}.value;"] if target else []), *block(guard.steps, place)]
