"""Regions as functions: names first, then the loop over nodes, each node a `case`."""

from dataclasses import replace

from wfc.backends.typescript import layout
from wfc.backends.typescript.calls import Calls, key_text
from wfc.backends.typescript.expressions import Expressions
from wfc.backends.typescript.flow import (
    NODE,
    ON,
    Place,
    Used,
    assigned,
    exits,
    inner_reads,
    position,
    reads_of,
    unreachable,
)
from wfc.backends.typescript.guards import armed, left_of
from wfc.backends.typescript.layout import Code
from wfc.backends.typescript.steps import Steps
from wfc.backends.typescript.types import Program, Uses
from wfc.ir.expressions import Ref, walk
from wfc.ir.machine import Goto, Node, Region, Scope, State, Workflow
from wfc.ir.walk import heard, own_steps
from wfc.text.names import camel


class Regions:
    """Writes workflows and the regions inside them."""

    def __init__(self, program: Program, uses: Uses, calls: Calls) -> None:
        self.program = program
        self.uses = uses
        self.steps = Steps(calls, self.body)
        self._functions: dict[int, str] = {}

    # -- workflows

    def workflow(self, workflow: Workflow) -> Code:
        """A workflow as a function of its frame and parameters."""
        show = Expressions(self.program, self.uses)
        views = {p.name for view in workflow.views for p in walk(view.value) if isinstance(p, Ref)}
        read = reads_of(self.program, workflow.region, frozenset(views))
        result = show.types.show(workflow.result) if workflow.result is not None else "void"
        place = Place(show, Used(), read, result, self.program.personal.names(workflow))
        local = self.program.names.local
        place = replace(place, ending=_has_ending(workflow.region))
        show.now = lambda: f"{place.wf}.now"
        body = self._views(workflow, place) + self.body(workflow.region, place)
        params = [[f"{'wf' if place.used.frame else '_wf'}: {self.uses.type('runtime', 'Frame')}"]]
        for param in workflow.params:
            mark = "" if param.name in read else "_"
            params.append([f"{mark}{local(param.name)}: {show.types.show(param.type)}"])
        head = f"export async function {self.program.names.functions[workflow.name]}("
        doc = layout.comment(workflow.doc, workflow.at)
        end = f"): {show.types.promise(workflow.result)} {{"
        return [*doc, *layout.group(head, params, end), *layout.indented(body), "}"]

    def _views(self, workflow: Workflow, place: Place) -> Code:
        if not workflow.views:
            return []
        items = [[f"{layout.key(view.name)}: () => {_body(place.show.show(view.value))}"] for view in workflow.views]
        return layout.record(items, f"{place.wf}.views({{", "});")

    def definition(self, workflow: Workflow, parser: str) -> Code:
        """What a host needs to know of a workflow."""
        names = self.program.names
        show = Expressions(self.program, self.uses)
        kind = self.uses.type("types", names.inputs[workflow.name])
        result = show.types.show(workflow.result) if workflow.result is not None else "void"
        items: list[Code] = [
            [f"name: {layout.quoted(workflow.name)}"],
            [f"version: {workflow.version}"],
            [f"audit: {'true' if self.program.machine.audit else 'false'}"],
            self._events(workflow),
            [f"parse: {self.uses.value('handlers', parser)}"],
        ]
        renames = {("param", p.name): layout.member("input", p.name) for p in workflow.params}
        if workflow.key is not None:
            read = any(isinstance(part, Ref) and part.kind == "param" for part in walk(workflow.key))
            shown = key_text(workflow.key, show.renamed(renames))
            items.append([f"key: ({'input' if read else ''}) => {shown}"])
        given = ["wf", *renames.values()]
        params = "wf, input" if workflow.params else "wf"
        items.append([f"run: ({params}) => {names.functions[workflow.name]}({', '.join(given)})"])
        type_ = f"{self.uses.type('runtime', 'Workflow')}<{kind}, {result}>"
        head = f"export const {names.workflows[workflow.name]}: {type_} = {{"
        lines = [head]
        for item in items:
            lines += layout.indented(layout.suffixed(item, ","))
        return [*layout.comment(f"`{workflow.name}`, as hosts run it."), *lines, "};"]

    def _events(self, workflow: Workflow) -> Code:
        """The events for which a workflow has a guard or `ignore`."""
        names = sorted(heard(workflow.region))
        if not names:
            return ["events: {}"]
        table = self.uses.value("handlers", "events")
        return layout.record([[f"{layout.key(n)}: {layout.member(table, n)}"] for n in names], "events: {")

    # -- regions

    def body(self, region: Region, place: Place) -> Code:
        """The inside of a function that is a workflow, a branch or an iteration."""
        lines = self._names(region, place)
        if region.undo is not None:
            lines += self.steps.undos.of_region(region.undo, place)
        if not (region.guards or region.ignore or region.slas):
            return lines + self._core(region, place)
        inside = replace(place.inner(closure=False), used=place.used.inside())
        core = self._core(region, inside)
        kind = "void" if place.result == "void" else place.result
        function = [f"async (): Promise<{kind}> => {{", *layout.indented(core), "}"]
        left = place.used.fresh("left")
        guards = armed(place, region.guards, self.steps.block, region.ignore, region.slas)
        code = layout.group(f"await {place.wf}.whole(", [guards, function], ");")
        done = ["return;" if kind == "void" else f"return {left}.value;"]
        after = left_of(place, region.guards, left, self.steps.closed, done)
        return [*lines, *layout.prefixed(f"const {left} = " if _mentions(after, left) else "", code), *after]

    def _frame(self, inside: Place) -> str:
        return "wf" if inside.used.frame else ""

    def _names(self, region: Region, place: Place) -> Code:
        """What is bound in a region, its variables, and the functions of its scopes."""
        show = place.show
        local = self.program.names.local
        lines: Code = []
        for name, kind in region.names:
            if name in place.read and not any(v.name == name for v in region.variables):
                lines.append(f"let {local(name)}!: {show.types.show(kind)};")
        for variable in region.variables:
            if variable.name in place.read:
                kind_text = show.types.show(variable.type)
                value = show.typed(variable.value, variable.type)
                annotated = "" if layout.is_literal(kind_text, value) else f": {kind_text}"
                lines.append(f"let {local(variable.name)}{annotated} = {value};")
        for node in region.nodes:
            if isinstance(node, Scope):
                lines += ["", *self._scope_function(node, place), ""]
        return lines

    def _scope_function(self, node: Scope, place: Place) -> Code:
        region = node.region
        own = replace(
            place.inner(closure=False),
            read=inner_reads(place, region),
            result=place.show.types.show(node.bind_type) if node.bind_type is not None else "void",
            ending=False,
        )
        if node.implicit:
            own = replace(own, result=place.result, ending=place.ending)
        lines = self._names(region, own)
        inside = own.inner(closure=False)
        core: Code = []
        if region.undo is not None:
            core += self.steps.undos.of_region(region.undo, inside)
        core += self._core(region, inside)
        function = [f"async ({self._frame(inside)}): Promise<{own.result}> => {{", *layout.indented(core), "}"]
        guards = armed(own, region.guards, self.steps.block, region.ignore, region.slas)
        path = [] if node.implicit else [[layout.quoted(region.path)]]
        word = "nodes" if node.implicit else "scope"
        code = layout.group(f"return {own.wf}.{word}(", [*path, guards, function], ");")
        name = self.program.names.fresh(camel(node.name) if not node.implicit else "inside")
        self._functions[id(node)] = name
        frame = self.uses.type("runtime", "Frame")
        return [f"function {name}(wf: {frame}) {{", *layout.indented([*lines, *code]), "}"]

    def _core(self, region: Region, place: Place) -> Code:
        """Steps and nodes."""
        if not region.nodes:
            write = self.steps.block if place.result == "void" else self.steps.closed
            end = [f"await {place.wf}.ending();"] if place.ending and ON in exits(region.steps) else []
            return [*write(region.steps, place), *end]
        first = region.nodes[0]
        around = exits(region.steps)
        if NODE in around or (isinstance(first, Scope) and first.implicit):
            return self._loop(region, place, before=True)
        lines = self.steps.block(region.steps, place)
        if ON not in around:
            return lines
        if len(region.nodes) == 1 and not _goes(region):
            return [*lines, *self._single(first, place)]
        return [*lines, *self._loop(region, place, before=False)]

    def _single(self, node: Node, place: Place) -> Code:
        """A region whose only node is entered once."""
        return self._node(node, place)

    def _loop(self, region: Region, place: Place, *, before: bool) -> Code:
        """The loop over nodes. What comes before the first node, if it may lead to any, is the case `""`."""
        place = replace(place, names=Used())
        first = region.nodes[0]
        implicit = first if isinstance(first, Scope) and first.implicit else None
        named = [node for node in region.nodes if node is not implicit]
        kinds = [f'"{node.name}"' for node in named]
        start = '""' if before else f'"{first.name}"'
        cases: Code = []
        if before:
            kinds = ['""', *kinds]
            body = self._node(implicit, place) if implicit is not None else self._before(region, place)
            cases += _case('""', body, [])
        for node in named:
            cases += _case(f'"{node.name}"', self._node(node, place), layout.comment(node.doc, node.at))
        lines = [f"type Node = {' | '.join(kinds)};", f"let node: Node = {start};"]
        label = "nodes: " if place.names.labelled else ""
        switch = [f"switch ({place.show.helper('of')}<Node>(node)) {{", *layout.indented(cases), "}"]
        return [*lines, f"{label}for (;;) {{", *layout.indented(switch), "}"]

    def _before(self, region: Region, place: Place) -> Code:
        lines = self.steps.block(region.steps, place)
        if ON in exits(region.steps):
            lines += [f'node = "{region.nodes[0].name}";', "continue;"]
        return lines

    # -- nodes

    def _node(self, node: Node, place: Place) -> Code:
        if isinstance(node, Scope):
            return [*(position(place) if not node.implicit else []), *self._scope(node, place)]
        if not (node.guards or node.ignore or node.slas):
            return [f'await {place.wf}.enter("{node.name}");', *self.steps.closed(node.steps, place)]
        return [*position(place), *self._state(node, place)]

    def _state(self, node: State, place: Place) -> Code:
        """A state with guards: its steps are a function, its exits are done outside."""
        inside = place.inner()
        body = self.steps.closed(node.steps, inside)
        ways = exits(node.steps) - {ON}
        function = [f"async ({self._frame(inside)}) => {{", *layout.indented(body), "}"]
        left = place.used.fresh("left")
        guards = armed(place, node.guards, self.steps.block, node.ignore, node.slas)
        name = layout.quoted(node.name)
        code = layout.group(f"await {place.wf}.state(", [[name], guards, function], ");")
        done = _after_state(place, ways, left)
        after = left_of(place, node.guards, left, self.steps.closed, done)
        return [*layout.prefixed(f"const {left} = " if _mentions(after, left) else "", code), *after]

    def _scope(self, node: Scope, place: Place) -> Code:
        left = place.used.fresh("left")
        code = [f"await {self._functions[id(node)]}({place.wf});"]
        done: Code = []
        tails = place
        if node.implicit:
            done = ["return;" if place.result == "void" else f"return {left}.value;"]
        else:
            target = assigned(place, node.bind)
            tails = replace(place, scope=(target, node.next))
            done = [f"{target}{left}.value;"] if target else []
            done += [f'node = "{node.next}";', "continue;"] if node.next is not None else unreachable(place)
        after = left_of(tails, node.region.guards, left, self.steps.closed, done)
        return [*layout.prefixed(f"const {left} = " if _mentions(after, left) else "", code), *after]


def _has_ending(region: Region) -> bool:
    """Whether the guards of a workflow hear what is left in the inbox before it completes."""
    inner = [node.region for node in region.nodes if isinstance(node, Scope) and node.implicit]
    hears = any(guard.kind == "on" for each in (region, *inner) for guard in each.guards)
    return hears or any(each.ignore for each in (region, *inner))


def _after_state(place: Place, ways: frozenset[str], left: str) -> Code:
    """What follows the steps of a state with guards."""
    value = "return;" if place.result == "void" else f"return {left}.value.value;"
    if not ways:
        return unreachable(place)
    if ways == {NODE}:
        return ["continue;"]
    if NODE not in ways:
        return [value]
    return [f'if ({left}.value.to === "end") {value}', "continue;"]


def _goes(region: Region) -> bool:
    """Whether anything in a region enters one of its nodes."""
    blocks = [region.steps, *(guard.steps for guard in region.guards)]
    for node in region.nodes:
        if isinstance(node, State):
            blocks += [node.steps, *(guard.steps for guard in node.guards)]
        else:
            blocks += [guard.steps for guard in node.region.guards]
            if node.next is not None:
                return True
    own = {node.name for node in region.nodes}
    return any(isinstance(step, Goto) and step.target in own for block in blocks for step in own_steps(block))


def _case(label: str, body: Code, doc: Code) -> Code:
    doc = ["", *doc] if label != '""' else doc
    scoped = any(line.startswith(("const ", "let ", "function ")) for line in body)
    if scoped:
        return [*doc, f"case {label}: {{", *layout.indented(body), "}"]
    return [*doc, f"case {label}:", *layout.indented(body)]


def _mentions(code: Code, name: str) -> bool:
    return any(name in line for line in code)


def _body(shown: str) -> str:
    return f"({shown})" if shown.startswith("{") else shown
