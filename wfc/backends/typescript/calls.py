"""Calls: one descriptor per operation and called workflow, and what a single call changes of it."""

from wfc.backends.typescript import layout, policies
from wfc.backends.typescript.expressions import Expressions, Renames
from wfc.backends.typescript.layout import Code
from wfc.backends.typescript.parsers import Parsers
from wfc.backends.typescript.types import Program, Uses
from wfc.ir.expressions import Expr, Ref, walk
from wfc.ir.machine import Do, FieldDef, OperationDef, ResourceDef, ServiceDef, Start, Undo, Workflow
from wfc.ir.types import INT, TEXT, Type
from wfc.ir.walk import all_steps, is_constant, region_steps


def reads(expr: Expr | None, kind: str) -> bool:
    """Whether an expression reads a name of that kind."""
    return expr is not None and any(isinstance(part, Ref) and part.kind == kind for part in walk(expr))


class Usual:
    """What most calls of an operation have in common: its descriptor says that once."""

    def __init__(self, program: Program) -> None:
        self.policy: dict[str, str | None] = {}
        self.undo: dict[str, Undo | None] = {}
        forward: list[Do] = []
        backward: list[Do] = []
        for workflow in program.machine.workflows:
            forward += [step for step in region_steps(workflow.region, undos=False) if isinstance(step, Do)]
            backward += [step for step in region_steps(workflow.region) if isinstance(step, Do)]
        for step in (*forward, *backward):
            self._note(program, step)

    def _note(self, program: Program, step: Do) -> None:
        policy = program.policies[step.policy] if step.policy is not None else None
        if step.kind == "workflow":  # a workflow has no policy of its own: each call says it
            self.policy[step.target] = None
        elif policy is None or is_constant(policy):
            self.policy.setdefault(step.target, step.policy)
        own = step.undo is None or step.undo.scope == "operation"
        if own and (step.undo is None or step.undo.kind == "steps"):
            self.undo.setdefault(step.target, step.undo)
            for inner in all_steps(step.undo.steps) if step.undo is not None else ():
                if isinstance(inner, Do):
                    self._note(program, inner)


class Calls:
    """Writes calls at one place."""

    def __init__(self, program: Program, uses: Uses, usual: Usual, handlers: str) -> None:
        self.program = program
        self.uses = uses
        self.usual = usual
        self._handlers = handlers  # where the descriptors are, seen from the file that is written

    def _descriptor(self, name: str) -> str:
        return self.uses.value("handlers", name) if self._handlers else name

    def target(self, kind: str, name: str) -> str:
        """The descriptor of an operation or workflow."""
        if kind == "workflow":
            return layout.member(self._descriptor("workflows"), name)
        operation = self.program.operations[name]
        service = self._descriptor(self.program.names.values[operation.service])
        return layout.member(service, name.rpartition(".")[2])

    def policy(self, name: str, show: Expressions) -> Code:
        """A policy of the table, or in full where it reads names of the place."""
        policy = self.program.policies[name]
        if not is_constant(policy):
            return policies.text(policy, show)
        table = self._descriptor("policies")
        return [layout.member(table, name)]

    def call(self, step: Do, show: Expressions, undo: Code | None, *, forward: bool) -> Code:
        """The call of a `do`; `undo` is how it is undone where that is not the operation's own."""
        plain = layout.group(f"{self.target(step.kind, step.target)}(", [[show.show(a)] for a in step.args], ")")
        items: list[Code] = []
        if step.policy != self.usual.policy.get(step.target, step.policy) or step.target not in self.usual.policy:
            code = self.policy(step.policy, show) if step.policy is not None else ["undefined"]
            if step.policy is not None or step.target in self.usual.policy:
                items.append(layout.prefixed("policy: ", code))
        if step.key is not None and not reads(step.key, "operand"):
            items.append([f"key: {key_text(step.key, show)}"])
        if step.assign is not None and not reads(step.assign, "operand"):
            items.append([f"assign: {assign_text(step.assign, show)}"])
        if forward and undo is not None:
            items.append(layout.prefixed("undo: ", undo))
        if forward and step.pivot:
            items.append(["pivot: true"])
        if forward and step.optional:
            items.append(["optional: true"])
        if not items:
            return plain
        return layout.record([layout.prefixed("...", plain), *items])

    def start(self, step: Start, show: Expressions, undo: Code | None) -> Code:
        """The start of a detached workflow."""
        shown = ", ".join(show.show(arg) for arg in step.args)
        items: list[Code] = [[f"{self.target('workflow', step.target)}({shown})"]]
        if undo is not None or step.key is not None:
            items.append(undo or ["undefined"])
        if step.key is not None:
            items.append([key_text(step.key, show)])
        return layout.group(f"{self.uses.value('runtime', 'detached')}(", items, ")")


def key_text(expr: Expr, show: Expressions) -> str:
    """A key is a text; a number becomes one."""
    if expr.type == TEXT:
        return show.show(expr)
    return f"String({show.show(expr)})"


def assign_text(expr: Expr, show: Expressions) -> str:
    """Who may do a task: always a list."""
    shown = show.show(expr)
    return shown if str(expr.type).startswith("List<") else f"[{shown}]"


def _part(name: str, kind: Type, show: Expressions) -> str:
    """An argument in the key of a resource."""
    if kind == TEXT:
        return name
    return f"String({name})" if kind == INT else f"{show.helper('shown')}({name})"


class Descriptors:
    """Writes the descriptors of the handlers file."""

    def __init__(self, program: Program, uses: Uses, usual: Usual) -> None:
        self.program = program
        self.uses = uses
        self.usual = usual
        self.parsers = Parsers(program, uses)
        self.calls = Calls(program, uses, usual, "")

    def _show(self, renames: Renames | None = None) -> Expressions:
        return Expressions(self.program, self.uses, renames)

    def _params(self, fields: tuple[FieldDef, ...], show: Expressions) -> str:
        local = self.program.names.local
        return ", ".join(f"{local(each.name)}: {show.types.show(each.type)}" for each in fields)

    def tables(self) -> list[Code]:
        """What hosts must know besides: where services are, kinds of metrics, names of secrets."""
        machine = self.program.machine
        places = {service.name: layout.quoted(service.address) for service in machine.services if service.address}
        kinds = {metric.name: layout.quoted(metric.kind) for metric in machine.metrics}
        found: list[Code] = []
        for name, doc, table in (
            ("addresses", "Where services are called over HTTP.", places),
            ("metrics", "What `wf.measure` feeds.", kinds),
        ):
            if table:
                items = [[f"{layout.key(key)}: {value}"] for key, value in table.items()]
                found.append([*layout.comment(doc), *layout.record(items, f"export const {name} = {{", "} as const;")])
        if machine.secrets:
            shown = [[layout.quoted(name)] for name, _ in machine.secrets]
            head = layout.comment("What the runtime supplies; no state holds it.")
            found.append([*head, *layout.group("export const secrets = [", shown, "] as const;")])
        return found

    def resource(self, resource: ResourceDef) -> Code:
        """What `lock` takes, by its arguments."""
        show = self._show()
        local = self.program.names.local
        args = [_part(local(each.name), each.type, show) for each in resource.params]
        shown = f'[{", ".join(args)}].join("/")' if len(args) != 1 else args[0]
        if not args:
            shown = '""'
        items = [
            [f"name: {layout.quoted(resource.name)}"],
            [f"key: {shown}"],
            [f"rank: {resource.rank}"],
            [f"capacity: {resource.capacity}"],
            [f"leaseMs: {layout.number(resource.lease)}"],
        ]
        name = self.program.names.values[resource.name]
        kind = self.uses.type("runtime", "Resource")
        head = f"export const {name} = ({self._params(resource.params, show)}): {kind} => ("
        body = layout.record(items, head + "{", "});")
        return [*layout.comment(resource.doc, resource.at), *body]

    def service(self, service: ServiceDef) -> Code:
        """The operations of a service."""
        about = f"{service.doc}\nAt {service.address}." if service.address else service.doc
        name = self.program.names.values[service.name]
        lines = [*layout.comment(about, service.at), f"export const {name} = {{"]
        for each in service.operations:
            lines += layout.indented(self._operation(self.program.operations[each]))
        return [*lines, "};"]

    def _operation(self, operation: OperationDef) -> Code:
        show = self._show()
        local = self.program.names.local
        items: list[Code] = [
            [f'kind: "{operation.kind}"'],
            [f"name: {layout.quoted(operation.name)}"],
            [f"args: [{', '.join(local(each.name) for each in operation.params)}]"],
        ]
        policy = self.usual.policy.get(operation.name)
        if policy is not None:
            items.append(layout.prefixed("policy: ", self.calls.policy(policy, show)))
        if operation.key is not None:
            items.append([f"key: {key_text(operation.key, show)}"])
        if operation.key is not None or operation.idempotent:
            items.append(["keyed: true"])
        if operation.assign is not None:
            items.append([f"assign: {assign_text(operation.assign, show)}"])
        items += self._errors(operation.raises)
        if operation.partial:
            items.append([f"partial: [{', '.join(map(layout.quoted, operation.partial))}]"])
        undo = self.usual.undo.get(operation.name)
        if undo is not None:
            items.append(layout.prefixed("undo: ", self._undo(undo, operation.result)))
        personal = self.program.personal.places(operation.params)
        if personal:
            items.append([f"pii: [{', '.join(map(layout.quoted, personal))}]"])
        items.append([f"parse: {self.parsers.result(operation)}"])
        doc = layout.comment(_promise(operation), operation.at)
        head = self._head(operation.name.rpartition(".")[2], operation.params, operation.result, show)
        return [*doc, *_object(head, items)]

    def _head(self, name: str, params: tuple[FieldDef, ...], result: Type | None, show: Expressions) -> Code:
        kind = show.types.show(result) if result is not None else "undefined"
        local = self.program.names.local
        given = [[f"{local(each.name)}: {show.types.show(each.type)}"] for each in params]
        return layout.group(f"{layout.key(name)}: (", given, f"): {self.uses.type('runtime', 'Call')}<{kind}> => ({{")

    def _errors(self, names: tuple[str, ...]) -> list[Code]:
        if not names:
            return []
        inside = [[f"{layout.key(name)}: {self.parsers.error(name)}"] for name in names]
        return [layout.record(inside, "raises: {")]

    def _undo(self, undo: Undo, result: Type | None) -> Code:
        """The operation's own undo: one call over its operands and, perhaps, its result."""
        show = self._show()
        step = undo.steps[0]
        assert isinstance(step, Do)
        call = self.calls.call(step, show, None, forward=False)
        maker = self.uses.value("runtime", "undoBy" if undo.blind else "undoWith")
        kind = show.types.show(result) if result is not None else "undefined"
        needs = any(reads(arg, "result") for arg in step.args)
        given = f"reply: {kind}" if needs and not undo.blind else ""
        body = layout.prefixed(f"({given}) => ", _as_body(call))
        if undo.when is None:
            return layout.group(f"{maker}(", [body], ")")
        if not reads(undo.when, "result"):
            test = [f"when: () => {show.show(undo.when)}"]
        else:
            test = [f"holds: (reply: {kind}) => {show.show(undo.when)}"]
        return layout.record([layout.group(f"...{maker}(", [body], ")"), test])

    def workflow(self, workflow: Workflow) -> Code:
        """The call of a workflow: its input is one object."""
        show = self._show()
        local = self.program.names.local
        fields = ", ".join(
            local(p.name) if local(p.name) == p.name else f"{layout.key(p.name)}: {local(p.name)}"
            for p in workflow.params
        )
        items: list[Code] = [
            ['kind: "workflow"'],
            [f"name: {layout.quoted(workflow.name)}"],
            [f"args: [{{ {fields} }}]" if fields else "args: [{}]"],
        ]
        if workflow.key is not None:
            items.append([f"key: {key_text(workflow.key, show)}"])
        items += self._errors(workflow.raises)
        items.append(['undo: "child"'])
        items.append([f"parse: {self.parsers.show(workflow.result)}"])
        head = self._head(workflow.name, workflow.params, workflow.result, show)
        return [*layout.comment("", workflow.at), *_object(head, items)]

    def event(self, name: str) -> Code:
        """How an event is delivered, and for which instances it is meant."""
        event = self.program.events[name]
        items = [[f'mode: "{event.mode}"'], [f"parse: {self.parsers.event(name)}"]]
        if event.key is not None:
            renames = {("param", each.name): layout.member("heard", each.name) for each in event.fields}
            kind = self.uses.type("types", self.program.names.faults[name])
            shown = self._show(renames).show(event.key)
            read = reads(event.key, "param")
            items.append([f"key: ({f'heard: {kind}' if read else ''}) => {shown}"])
        body = layout.record(items, f"{layout.key(name)}: {{", "},")
        return [*layout.comment(event.doc, event.at), *body]


def _object(head: Code, items: list[Code]) -> Code:
    lines = list(head)
    for item in items:
        lines += layout.indented(layout.suffixed(item, ","))
    return [*lines, "}),"]


def _as_body(code: Code) -> Code:
    """Code as the body of an arrow function."""
    if code[0].startswith("{"):
        return layout.suffixed(layout.prefixed("(", code), ")")
    return code


def _promise(operation: OperationDef) -> str:
    """The comment of an operation, with what it says of its undo."""
    reason = f"{operation.effect}: {operation.reason}" if operation.reason else ""
    return "\n".join(part for part in (operation.doc, reason) if part)
