"""Steps as statements: each waits on `wf`, the frame of the function around it."""

from collections.abc import Callable
from dataclasses import replace

from wfc.backends.typescript import layout
from wfc.backends.typescript.calls import Calls
from wfc.backends.typescript.flow import (
    END,
    NODE,
    ON,
    Place,
    assigned,
    end,
    exits,
    goto,
    inner_reads,
    position,
    reads_of,
    side_by_side,
    unreachable,
)
from wfc.backends.typescript.guards import armed, left_of
from wfc.backends.typescript.layout import Code
from wfc.backends.typescript.undos import Undos
from wfc.ir.expressions import Expr, Lit, New
from wfc.ir.machine import (
    Arm,
    Audit,
    Await,
    Choose,
    Do,
    Done,
    Emit,
    Fail,
    ForEach,
    Goto,
    Let,
    Lock,
    Measure,
    Parallel,
    Region,
    Repeat,
    Settle,
    SetVar,
    Start,
    Step,
    UndoRegion,
    Wait,
)
from wfc.ir.types import Type
from wfc.ir.walk import WAITING_STEPS, region_steps
from wfc.ir.walk import guards as guards_of

RegionBody = Callable[[Region, Place], Code]


class Steps:
    """Writes blocks of steps. `region_body` writes the inner regions."""

    def __init__(self, calls: Calls, region_body: RegionBody) -> None:
        self.calls = calls
        self.region_body = region_body
        self.undos = Undos(calls, self.block)

    def block(self, steps: tuple[Step, ...], place: Place) -> Code:
        """A block; what follows an exit is left out."""
        lines: Code = []
        for step in steps:
            if isinstance(step, WAITING_STEPS):
                lines += position(place)
            lines += self._step(step, place)
            if ON not in exits((step,)):
                break
        return lines

    def closed(self, steps: tuple[Step, ...], place: Place) -> Code:
        """A block that never goes on behind its end, as the compiler has proved."""
        lines = self.block(steps, place)
        return [*lines, *unreachable(place)] if ON in exits(steps) else lines

    def _step(self, step: Step, place: Place) -> Code:
        show = place.show
        match step:
            case Do() | Parallel():
                return self._guarded(step, place)
            case Start(id=own):
                number = place.numbers.get(id(step), own)
                call = self.calls.start(step, show, self.undos.of_start(step, place))
                return _awaited(place, "", f"start({layout.quoted(number)}, ", call)
            case Let(name=name, type=kind, value=value):
                target = assigned(place, name)
                return [f"{target}{show.typed(value, kind)};"] if target else []
            case SetVar(name=name, value=value):
                target = assigned(place, name)
                return [f"{target}{show.typed(value, value.type)};"] if target else []
            case Emit(event=event, value=value):
                return [f"{place.wf}.emit({layout.quoted(event)}, {show.show(value)});"]
            case Wait(amount=amount, until=until):
                return [f"await {place.wf}.{'until' if until else 'wait'}({show.show(amount)});"]
            case ForEach():
                return self._for_each(step, place)
            case Repeat():
                return self._repeat(step, place)
            case Lock():
                return self._lock(step, place)
            case Choose():
                return self._choose(step, place)
            case Await():
                return self._await(step, place)
            case UndoRegion():
                return [f"await {place.wf}.undo();"]
            case Settle():
                return [f"{place.wf}.settle();"]
            case Audit(text=text):
                return [f"{place.wf}.audit({self.undos.text(text, place)});"]
            case Measure(metric=metric, value=measured):
                shown = f", {show.show(measured)}" if measured is not None else ""
                return [f"{place.wf}.measure({layout.quoted(metric)}{shown});"]
            case Goto(target=target):
                return goto(place, target)
            case Done(value=given):
                return end(place, [show.show(given)] if given is not None else None)
            case Fail(error=error):
                of = f"<{show.types.show(error.type)}>" if isinstance(error, New) else ""
                thrown = f"throw {show.uses.value('runtime', 'fail')}{of}("
                return layout.group(thrown, [[show.show(error)]], ");")

    # -- calls and branches, with their guards

    def _guarded(self, step: Do | Parallel, place: Place) -> Code:
        """A call or branches, and the guards on it."""
        guards = guards_of(step)
        bind = step.bind if not (isinstance(step, Do) and step.optional) else None
        target = assigned(place, bind)
        if not guards:
            return self._waits(step, place, f"{target}await ", ";")
        inside = place.inner()
        body = self._waits(step, inside, "", "")
        wf = "wf" if inside.used.frame else ""
        left = place.used.fresh("left")
        items = [armed(place, guards, self.block), layout.prefixed(f"({wf}) => ", body)]
        code = layout.group(f"await {place.wf}.guard(", items, ");")
        after = left_of(place, guards, left, self.block, [f"{target}{left}.value;"] if target else [])
        return [*_kept(code, left, after), *after]

    def _waits(self, step: Do | Parallel, place: Place, start: str, tail: str) -> Code:
        if isinstance(step, Do):
            undo = self.undos.of_call(step, place)
            call = self.calls.call(step, place.show, undo, forward=not place.undoing)
            code = layout.group(f"{place.wf}.do(", [[layout.quoted(place.numbers.get(id(step), step.id))], call], ")")
        else:
            code = self._parallel(step, place)
        return layout.suffixed(layout.prefixed(start, code), tail)

    def _parallel(self, step: Parallel, place: Place) -> Code:
        items: list[Code] = []
        for branch in step.branches:
            head = f"{layout.key(branch.name)}: "
            items.append(layout.prefixed(head, self._function(branch.region, branch.value, place, [])))
        return layout.group(f"{place.wf}.parallel(", [[self._join(step, place)], layout.record(items)], ")")

    def _join(self, step: Parallel | ForEach, place: Place) -> str:
        name = place.show.uses.value("runtime", f"join{step.join.capitalize()}")
        return f"{name}({place.show.show(step.count)})" if step.join == "some" and step.count is not None else name

    def _function(self, region: Region, value: Type | None, place: Place, params: list[str]) -> Code:
        """An inner region as a function of its frame and some parameters."""
        inside = replace(
            place.inner(closure=False),
            read=inner_reads(place, region),
            result=place.show.types.show(value) if value is not None else "void",
            ending=False,
        )
        body = self.region_body(region, inside)
        given = ["wf" if inside.used.frame else "_wf", *params] if inside.used.frame or params else []
        head = f"async ({', '.join(given)}): {place.show.types.promise(value)} => {{"
        return [head, *layout.indented(body), "}"] if body else [f"{head}}}"]

    def _for_each(self, step: ForEach, place: Place) -> Code:
        show = place.show
        read = reads_of(self.calls.program, step.region)
        local = show.program.names.local
        params = [("" if step.item in read else "_") + local(step.item)]
        if step.index is not None and step.index in read:
            params.append(local(step.index))
        elif step.item not in read:
            params = []
        limit = "1"
        if step.concurrent:
            place = side_by_side(place, region_steps(step.region))
            limit = show.show(step.limit) if step.limit is not None else "Number.POSITIVE_INFINITY"
        body = self._function(step.region, step.value, place, params)
        path = layout.quoted(step.region.path)
        items = [[path], [show.show(step.items)], [self._join(step, place)], [limit], body]
        target = assigned(place, step.bind)
        return layout.group(f"{target}await {place.wf}.forEach(", items, ");")

    # -- blocks of the same region

    def _repeat(self, step: Repeat, place: Place) -> Code:
        lap = place.used.fresh("lap")
        inside = replace(place, loops=True)
        body = self.block(step.steps, inside)
        if not any("await " in line for line in body):
            body = [f"{place.wf}.lap();", *body]
        if ON in exits(step.steps):
            until = place.show.show(step.until, least=3)
            times = step.times
            if times is not None:
                until = f"{until} || {lap} >= {place.show.show(times, least=7)}"
            body += [f"if ({until}) break;"]
        if step.times is None:
            return ["for (;;) {", *layout.indented(body), "}"]
        return [f"for (let {lap} = 1; ; {lap} += 1) {{", *layout.indented(body), "}"]

    def _lock(self, step: Lock, place: Place) -> Code:
        show = place.show
        locks: list[Code] = []
        for name, args in step.resources:
            resource = show.uses.value("handlers", show.program.names.values[name])
            locks.append([f"{resource}({', '.join(show.show(arg) for arg in args)})"])
        inside = place.inner()
        body = self.block(step.steps, inside)
        ways = exits(step.steps)
        if ON in ways and len(ways) > 1:
            body += ["return undefined;"]
        function = [f"async ({'wf' if inside.used.frame else ''}) => {{", *layout.indented(body), "}"]
        items = [layout.group("[", locks, "]"), [show.show(step.wait)], function]
        code = layout.group(f"await {place.wf}.lock(", items, ");")
        left = place.used.fresh("exit")
        after = left_by(place, ways, left)
        return [*_kept(code, left, after), *after]

    def _choose(self, step: Choose, place: Place) -> Code:
        """Arms as a chain of `if`; flat where no arm goes on with the next step."""
        flat = all(ON not in exits(arm.steps) for arm in step.arms)
        lines: Code = []
        for index, arm in enumerate(step.arms):
            body = self._arm(arm, place)
            head = f"if ({place.show.show(arm.test)}) {{"
            if index and not flat:
                lines[-1] = f"}} else {head}"
                lines += [*layout.indented(body), "}"]
            else:
                lines += [head, *layout.indented(body), "}"]
        if step.otherwise is None:
            return lines
        other = self._bound(step.bind, step.value, place) + self.block(step.otherwise, place)
        if flat or not lines:
            return [*lines, *other]
        if not other:
            return lines
        lines[-1] = "} else {"
        return [*lines, *layout.indented(other), "}"]

    def _arm(self, arm: Arm, place: Place) -> Code:
        return self._bound(arm.bind, arm.value, place) + self.block(arm.steps, place)

    def _bound(self, name: str | None, value: Expr | None, place: Place) -> Code:
        target = assigned(place, name)
        if not target or value is None:
            return []
        shown = place.show.typed(value, value.type) if isinstance(value, Lit) else place.show.show(value)
        return [f"{target}{shown};"]

    def _await(self, step: Await, place: Place) -> Code:
        left = place.used.fresh("left")
        guards = armed(place, step.guards, self.block)
        code = layout.suffixed(layout.prefixed(f"await {place.wf}.await(", guards), ");")
        after = left_of(place, step.guards, left, self.block, None)
        return [*_kept(code, left, after), *after]


def _awaited(place: Place, target: str, start: str, code: Code) -> Code:
    return layout.suffixed(layout.prefixed(f"{target}await {place.wf}.{start}", code), ");")


def _kept(code: Code, name: str, after: Code) -> Code:
    """Keeps what is awaited under a name if that is used."""
    return layout.prefixed(f"const {name} = ", code) if any(name in line for line in after) else code


def left_by(place: Place, ways: frozenset[str], left: str) -> Code:
    """What follows a block that is a function: its exits, done here."""
    if ways <= {ON}:
        return [] if ways else unreachable(place)
    if place.closure:
        return [f"if ({left} !== undefined) return {left};"] if ON in ways else [f"return {left};"]
    onward = "continue nodes;" if place.loops else "continue;"
    if place.loops and NODE in ways:
        place.names.labelled = True
    if NODE not in ways:
        value = "return;" if place.result == "void" else f"return {left}.value;"
        return [f"if ({left} !== undefined) {value}" if ON in ways else value]
    lines: Code = []
    if END in ways:
        value = "return;" if place.result == "void" else f"return {left}.value;"
        lines.append(f'if ({left}{"?" if ON in ways else ""}.to === "end") {value}')
    return [*lines, f"if ({left} !== undefined) {onward}" if ON in ways else onward]
