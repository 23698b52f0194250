"""Undos of calls, starts and regions: what they read is stored when the thing completes."""

from collections.abc import Callable
from dataclasses import replace

from wfc.backends.typescript import layout
from wfc.backends.typescript.calls import Calls
from wfc.backends.typescript.expressions import Expressions, Renames
from wfc.backends.typescript.flow import Place, bound_here, undo_reads
from wfc.backends.typescript.layout import Code
from wfc.ir.expressions import Expr, Ref, walk
from wfc.ir.machine import Do, Start, Step, Undo
from wfc.ir.types import Type
from wfc.ir.undos import numbers, stored_names

Block = Callable[[tuple[Step, ...], Place], Code]


class Undos:
    """Writes undos; `block` writes their steps."""

    def __init__(self, calls: Calls, block: Block) -> None:
        self.calls = calls
        self.block = block

    def text(self, text: Expr, place: Place) -> str:
        """The text of an audit record, without what is personal."""
        return place.show.show(self.calls.program.personal.shown(text, place.personal))

    def of_call(self, step: Do, place: Place) -> Code | None:
        """How a call is undone, where that is not as its operation says."""
        if place.undoing:
            return None
        undo = step.undo
        usual = "child" if step.kind == "workflow" else self.calls.usual.undo.get(step.target)
        if undo is None:
            return ["undefined"] if usual is not None and usual != "child" else None
        if undo == usual:
            return None
        if undo.kind == "none":
            return ["undefined"] if usual is not None else None
        return self.undo(undo, place, step.bind, step.result)

    def of_start(self, step: Start, place: Place) -> Code | None:
        """How a detached start is undone."""
        if step.undo is None or step.undo.kind == "none":
            return None
        return self.undo(step.undo, place, None, None)

    def of_region(self, undo: Undo, place: Place) -> Code:
        """How a region is undone once it has completed, in place of its log."""
        if undo.kind == "none":
            return [f'{place.wf}.compensate("none");']
        return layout.suffixed(layout.prefixed(f"{place.wf}.compensate(", self.undo(undo, place, None, None)), ");")

    def undo(self, undo: Undo, place: Place, bind: str | None, result: Type | None) -> Code:
        """An undo with the values it reads, stored at completion."""
        show = place.show
        renames: Renames = {("local", bind): "reply"} if bind is not None else {}
        kind = show.types.show(result) if result is not None else "undefined"
        given = f"reply: {kind}"
        items: list[Code] = []
        if undo.when is not None:
            needs = _reads(undo.when, bind)
            shown = show.renamed(renames).show(undo.when)
            items.append([f"{'holds' if needs else 'when'}: ({given if needs else ''}) => {shown}"])
        stored = [
            each
            for each in stored_names(undo, bind, self.calls.program.policies)
            if each[0] in ("param", "local", "var")
        ]
        own = {name: "reply" if name == bind else f"stored.{name}" for _, name in stored}
        inside = replace(
            place.inner(),
            undoing=True,
            ending=False,
            numbers=numbers(undo),
            read=undo_reads(self.calls.program, undo) | place.read | frozenset(own),
        )
        inside = replace(inside, show=inside.show.renamed({(k, n): own[n] for k, n in stored}))
        body = self._locals(undo, inside) + self.block(undo.steps, inside)
        function = [f"async ({'wf' if inside.used.frame else ''}) => {{", *layout.indented(body), "}"]
        values = [[self._value(show, k, n)] for k, n in stored if n != bind]
        lines = layout.record(values, "const stored = {", "};") if values else []
        if undo.blind:
            lines += layout.suffixed(layout.prefixed("return ", function), ";")
        else:
            needs = any(n == bind for _, n in stored)
            head = f"return ({given if needs else ''}) => "
            lines += layout.suffixed(layout.prefixed(head, function), ";")
        items.append([f"{'blind' if undo.blind else 'stored'}: () => {{", *layout.indented(lines), "}"])
        return layout.record(items)

    def _value(self, show: Expressions, kind: str, name: str) -> str:
        renamed = show.renames.get((kind, name), show.program.names.local(name))
        return name if renamed == name else f"{name}: {renamed}"

    def _locals(self, undo: Undo, place: Place) -> Code:
        """The names that the steps of an undo bind themselves."""
        lines: Code = []
        read = undo_reads(self.calls.program, undo)
        for name, kind in bound_here(undo.steps).items():
            if name in read and ("local", name) not in place.show.renames:
                lines.append(f"let {place.show.program.names.local(name)}!: {place.show.types.show(kind)};")
        return lines


def _reads(expr: Expr, name: str | None) -> bool:
    return any(isinstance(part, Ref) and part.kind == "local" and part.name == name for part in walk(expr))
