"""States and scopes that can be left by nothing."""

from wfc.flow.deadlines import limit_around
from wfc.flow.graph import Open, Point
from wfc.flow.program import WorkflowFlow
from wfc.ir.machine import Done, Node, Scope, Workflow
from wfc.ir.walk import region_steps
from wfc.problems.problem import Edit, Fix, Problem, Reporter, Step
from wfc.simulation.claim import Claim, Sign
from wfc.simulation.inquiry import Inquiry, Shown
from wfc.text.source import Span
from wfc.text.value import value


@value(kw_only=True)
class DeadEnd(Problem):
    """A state's steps end without saying where to go on, or a scope completes and has no arrow.

    The process would stand there for ever, or until a deadline around. Each way through a state ends in an exit: an
    arrow, `done` or `fail`. Nothing is said where no run can come to the end of the steps: behind an arm that is never
    taken, or if a deadline always comes first.

    ```wf fails
    workflow W() {
      state Start { audit "and then?" }
    }
    ```
    ```wf passes
    workflow W() {
      state Start { audit "and that is all"  done }
    }
    ```
    """

    kind: str
    name: str
    limit: str = ""

    def message(self) -> str:
        if self.kind == "scope":
            return f"the scope `{self.name}` can complete, and nothing says where to go on"
        return f"the steps of `{self.name}` can end without an exit"

    def label(self) -> str:
        return f"stops here until `{self.limit}`" if self.limit else "stops here for ever"

    def help(self) -> tuple[str, ...]:
        if self.kind == "scope":
            short = self.name.rpartition(".")[2]
            return (f"give it an arrow: `scope {short} -> Next {{`",)
        return ("end it with an arrow (`-> Next`), `done` or `fail`",)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports what can fall off its end; a choice without a fitting arm is told by `non-exhaustive-choice`."""
    for flow in program.flows.values():
        for item in flow.graph.open:
            ends = [point for point in item.points if id(point) in flow.live and point.kind != "unmatched"]
            if ends and item.subject.at is not None:
                kind = "scope" if isinstance(item.subject, Scope) else "state"
                fixes = () if _gives_value(flow.workflow) else _fixes(item.subject)
                limit = limit_around(ends[0])
                shown = _shown(program, flow, item, ends, limit)
                if shown.verdict != "impossible":
                    name, trace = item.subject.path, shown.trace
                    report(DeadEnd(at=item.subject.at, kind=kind, name=name, limit=limit, trace=trace, fixes=fixes))


def _shown(program: Inquiry, flow: WorkflowFlow, item: Open, ends: list[Point], limit: str) -> Shown:
    """A run that comes to one of the ends."""
    path = item.subject.path
    long = f"until `{limit}`" if limit else "for ever"
    closing = (Step(f"the process stands at the end of `{path}` {long}", item.subject.at),)
    sign = Sign("halted", path)
    return program.first((Claim(flow.workflow.name, (), sign, end, stops=True), closing) for end in ends)


def _gives_value(workflow: Workflow) -> bool:
    """Whether some end in the workflow gives a value: then which one belongs here is the author's to say."""
    return any(isinstance(step, Done) and step.value is not None for step in region_steps(workflow.region, undos=False))


def _fixes(node: Node) -> tuple[Fix, ...]:
    """A state ends here: `done` as its last step."""
    if node.extent is None or isinstance(node, Scope):
        return ()
    text = node.extent.source.text
    inside = text[: node.extent.end - 1].rstrip()
    place = Span(node.extent.source, len(inside), len(inside))
    line = inside.rfind("\n") + 1
    several = "\n" in text[node.extent.start : node.extent.end]
    indent = "\n" + " " * (len(inside[line:]) - len(inside[line:].lstrip())) if several else "  "
    return (Fix("end it with `done`", (Edit(place, f"{indent}done"),)),)
