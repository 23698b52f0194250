"""Locks that are asked for against their order."""

from typing import ClassVar

from wfc.flow.locks import Nested, resource_at
from wfc.flow.policies import place
from wfc.flow.program import WorkflowFlow
from wfc.problems.problem import Edit, Fix, Label, Problem, Reporter, Step, Trace
from wfc.simulation.claim import standing
from wfc.simulation.inquiry import Inquiry
from wfc.text.names import listed
from wfc.text.source import Span
from wfc.text.value import value


@value(kw_only=True)
class LockOrder(Problem):
    """A resource is asked for while one of higher or equal rank is held.

    Ranks put all resources into one order, and whoever holds one asks only for those behind it. Else two instances can
    stop each other: one holds the first and waits for the second, the other the other way round, until the time of both
    is over. That holds for the locks of child workflows too. One `lock` may name several resources: it takes them in
    their order, whatever the text says.

    ```wf fails
    resource station(id: Text) rank 10
    resource slot(id: Text) rank 20
    service charger { query start(id: Text) }
    workflow W(id: Text) {
      state A { lock slot(id) wait 20s { lock station(id) wait 10s { do charger.start(id) } }  done }
    }
    ```
    ```wf passes
    resource station(id: Text) rank 10
    resource slot(id: Text) rank 20
    service charger { query start(id: Text) }
    workflow W(id: Text) {
      state A { lock slot(id), station(id) wait 20s { do charger.start(id) }  done }
    }
    ```
    """

    arguable: ClassVar[bool] = True

    wanted: str
    held: str
    ranks: tuple[int, int]
    child: str
    others: tuple[str, ...] = ()

    def message(self) -> str:
        inside = f" in `{self.child}`" if self.child else ""
        if self.wanted == self.held:
            return f"another `{self.wanted}` is asked for{inside} while one is held"
        return f"`{self.wanted}` is asked for{inside} while `{self.held}` is held; their ranks are the other way round"

    def label(self) -> str:
        return f"asked for here (rank {self.ranks[0]})" if not self.child else "asks for it inside"

    def help(self) -> tuple[str, ...]:
        same = self.held == self.wanted
        each = f"one `{self.held}`" if same else f"`{self.held}` or `{self.wanted}`"
        more = [f"the same `lock` asks for {listed([f'`{name}`' for name in self.others])} too"] if self.others else []
        return (
            *more,
            f"two instances can stop each other: each holds what the other waits for, {each}",
            f"take both at once, then the order does not matter: `lock {self.wanted}(...), {self.held}(...) wait ...`",
        )


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each lock against the order once; of a call of a child that locks, each resource once."""
    locks = program.locks
    for flow in program.flows.values():
        found: dict[tuple[int, str], list[Nested]] = {}
        for nested in locks.nested(flow.workflow):
            against = locks.rank(nested.wanted) <= locks.rank(nested.held)
            if against and nested.outer is not nested.inner and not locks.itself(nested):
                call = nested.call
                key = (id(nested.inner), "") if call is None else (id(call), nested.wanted[0])
                found.setdefault(key, []).append(nested)
        for every in found.values():
            _report(program, flow, every, report)


def _report(program: Inquiry, flow: WorkflowFlow, every: list[Nested], report: Reporter) -> None:
    nested = every[0]
    others = tuple(dict.fromkeys(each.wanted[0] for each in every if each.wanted != nested.wanted))
    asked, held = resource_at(nested.inner, nested.wanted), resource_at(nested.outer, nested.held)
    at = nested.call.at if nested.call is not None else asked
    if at is None:
        return
    ranks = (program.locks.rank(nested.wanted), program.locks.rank(nested.held))
    labels = [Label(held, f"held here (rank {ranks[1]})")] if held is not None else []
    if nested.call is not None and asked is not None:
        labels.append(Label(asked, f"asked for here (rank {ranks[0]})"))
    report(
        LockOrder(
            at=at,
            wanted=nested.wanted[0],
            held=nested.held[0],
            ranks=ranks,
            child=nested.call.target if nested.call is not None else "",
            others=others,
            labels=tuple(labels),
            trace=_trace(program, flow, nested),
            fixes=_fixes(nested),
        )
    )


def _trace(program: Inquiry, flow: WorkflowFlow, nested: Nested) -> Trace | None:
    """A run that holds the one and asks for the other."""
    point = program.ways.at(nested.inner)
    wanted, held = f"`{nested.wanted[0]}`", f"`{nested.held[0]}`"
    if point is None:
        return None
    if wanted == held:
        wanted, held = f"another {wanted}", f"one {held}"
    closing = (
        Step(f"the process holds {held} and asks for {wanted}", nested.inner.at),
        Step("another one may hold that and ask for this: then both wait until their time is over", nested.inner.at),
    )
    return program.show(standing(flow, point), closing).trace


def _fixes(nested: Nested) -> tuple[Fix, ...]:
    """Both at once, where nothing stands between. The time to wait is then that of the outer one: not safe."""
    outer, inner = nested.outer, nested.inner
    body, block = place(outer.places, "body"), place(inner.places, "body")
    if nested.call is not None or len(outer.steps) != 1 or outer.steps[0] is not inner or body is None or block is None:
        return ()
    named = [at for word, at in outer.places if word not in ("step", "body")]
    more = [at.text.strip() for word, at in inner.places if word not in ("step", "body")]
    last = max(named, key=lambda at: at.end)
    end = last.start + len(last.text.rstrip())
    edits = (Edit(Span(last.source, end, end), "".join(f", {text}" for text in more)), Edit(body, block.text.rstrip()))
    return (Fix("take both at once", edits),)
