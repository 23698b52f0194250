"""A run told in a few sentences, for somebody who owns the process and wants to see what goes wrong in it."""

from collections.abc import Iterator, Sequence

from wfc.ir.machine import Parallel
from wfc.ir.machine import Step as Doing
from wfc.machine.messages import Operator, Record
from wfc.machine.program import CANCELLED
from wfc.machine.undo import UNATTENDED
from wfc.problems.problem import Step
from wfc.simulation.claim import GHOST
from wfc.simulation.moment import Moment
from wfc.simulation.stage import Stage, called
from wfc.text.names import listed
from wfc.text.source import Span

UNDO = "/undo"  # in the key of a call that undoes
FEW = 6  # calls that work, one after another, that are all told
AT_EDGES = 2  # of more, so many at the beginning and at the end
LONGEST = 12  # steps of a story
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")
END = "the process ends"


def story(stage: Stage, closing: Sequence[Step] = ()) -> tuple[Step, ...]:
    """The steps of a run, with what a check has to say: what has a place before the process ends, the rest behind."""
    chain = stage.last.chain() if stage.last is not None else []
    told = list(_shortened(_Teller(stage, chain).told()))
    end = [told.pop()] if told and told[-1].text.startswith(END) else []
    if not told:
        told = [Step(f"`{stage.root.workflow.rpartition('.')[2]}` begins")]
    placed = [step for step in closing if step.at is not None]
    ending = (*placed, *end, *(step for step in closing if step.at is None))
    more = len(told) + len(ending) - LONGEST
    if more > 1:
        start = max(AT_EDGES, (len(told) - more) // 2)
        told[start : start + more + 1] = [Step(f"{more + 1} more steps")]
    return (*told, *ending)


class _Teller:
    def __init__(self, stage: Stage, chain: list[Moment]) -> None:
        self.root = stage.root.id
        self.chain = chain
        self.steps: list[Step] = []
        self.failures: dict[str, list[str]] = {}  # of attempts, by operation
        self.gone: list[str] = []  # what has been undone, and not been told yet
        self.doubt = ""
        self.late: list[str] = []  # what has been asked to stop, and answers all the same
        self.unclear = False  # an undo cannot be tried, for want of an answer
        self.raised = ""  # the error that was told last
        self.branches = _branches(stage)
        self.instances = {identity: inst.workflow for identity, inst in stage.instances.items()}
        self.branch = ""  # in which what is told happens
        self.astray = False  # something has gone wrong: where the process goes on matters

    def told(self) -> list[Step]:
        for moment in self.chain:
            if moment.outside and isinstance(moment.given, Operator) and moment.given.action == "cancel":
                child = "" if moment.instance == self.root else self.instances[moment.instance]
                self._add(f"an operator cancels {f'`{child}`' if child else 'the process'}", moment.step)
            for record in moment.records:
                if record.kind in ("entered", "answered", "event consumed"):
                    self.raised = ""
                self._record(record, moment)
        self._undone()
        return self.steps

    def _add(self, text: str, step: Doing | None) -> None:
        self._undone()
        at: Span | None = step.at if step is not None else None
        self.steps.append(Step(text, at))
        if self.doubt:
            self.steps.append(Step(self.doubt, at))
            self.doubt = ""

    def _undone(self) -> None:
        if self.late:
            names, self.late = list(dict.fromkeys(self.late)), []
            more = f" and {len(names) - FEW} others" if len(names) > FEW + 1 else ""
            shown = ", ".join(names[:FEW] if more else names)
            self.steps.append(Step(f"still under way, and done by now: {shown}{more}"))
        if self.gone:
            names, self.gone = list(dict.fromkeys(self.gone)), []
            more = f" and {len(names) - FEW} others" if len(names) > FEW + 1 else ""
            self.steps.append(Step(f"undone: {', '.join(names[:FEW] if more else names)}{more}"))

    def _record(self, record: Record, moment: Moment) -> None:
        operation = str(record.get("operation"))
        self.branch = self._in_branch(record)
        step = moment.step
        undoing = UNDO in moment.key
        match record.kind:
            case "attempt failed" if not undoing:
                self.failures.setdefault(operation, []).append(str(record.get("error")))
            case "answered" if moment.stopping and not undoing:
                self.late.append(operation)
            case "answered" if not undoing:
                self._answered(operation, step)
            case "raised" if not undoing and record.get("operation") is not None:
                self.astray = True
                self._failed(operation, str(record.get("error")), step)
            case "raised" if not undoing and record.get("error") == "LockTimeout":
                self.astray = True
                self._add("the lock does not become free in time", step)
            case "raised" if not undoing and record.get("error") != self.raised:
                self._raises(str(record.get("error")), step)
            case "sla breached":
                self._add(f"the promised time is over{self._under_way(step, moment)}", step)
            case "tolerated":
                self._add(f"{operation}{self.branch} was optional: the process goes on", step)
            case "parked":
                self._add(f"{operation}{self.branch}: waits for an operator", step)
            case "in doubt":
                self.doubt = f"{operation}{self.branch}: nobody can tell whether it was done"
            case "guard fired" | "event consumed":
                self._fired(record, moment)
            case "pivot":
                self._add("from here there is no way back", step)
            case "undone" if operation != GHOST:
                self.gone.append(operation)
            case "undo failed":
                self.unclear = record.get("error") == "in doubt"
                self._add(f"cannot be undone: {operation}", None)
            case "dead letter" if record.get("queue") != UNATTENDED or self.unclear:
                self.unclear = False
                self._add(f"for a person to look at: {operation}", None)
            case "entered" if self.astray and not record.get("scope") and record.instance == self.root:
                self._add(f"goes on at {record.path.rpartition('.')[2]}", None)
                self.astray = False
            case "completed" if record.instance == self.root:
                self._add(END, None)
            case "failed" if record.instance == self.root:
                cancelled = record.get("error") == CANCELLED
                self._add(f"{END}, cancelled" if cancelled else f"{END} as failed: {_short(record.get('error'))}", None)
            case _:
                pass

    def _in_branch(self, record: Record) -> str:
        """The branch in which something happens, in words: which of two goes on is often the point of a story."""
        workflow, path = self.instances.get(record.instance, ""), record.path
        while path:
            if (workflow, path) in self.branches:
                return f" in `{path.rpartition('.')[2]}`"
            path = path.rpartition(".")[0]
        return ""

    def _answered(self, operation: str, step: Doing | None) -> None:
        failed = self.failures.pop(operation, [])
        if len(failed) == 1:
            first = "gets no answer in time" if failed == ["Timeout"] else f"fails ({_short(failed[0])})"
            self._add(f"{operation}{self.branch}: the first attempt {first}, the second works", step)
        else:
            self._add(
                f"{operation}{self.branch}: done{f' after {len(failed)} failed attempts' if failed else ''}", step
            )

    def _raises(self, error: str, step: Doing | None) -> None:
        self.astray = True
        self.raised = error
        self._add(f"fails with {_short(error)}", step)

    def _failed(self, operation: str, error: str, step: Doing | None) -> None:
        self.raised = error
        attempts = self.failures.pop(operation, [])
        name = _short(error)
        if error not in attempts:
            self._add(f"{operation}{self.branch}: raises {name}", step)
        elif len(attempts) > 1:
            self._add(f"{operation}{self.branch}: fails {len(attempts)} times ({name})", step)
        else:
            self._add(f"{operation}{self.branch}: fails ({name})", step)

    def _fired(self, record: Record, moment: Moment) -> None:
        if record.kind == "event consumed":
            self._add(f"{_short(record.get('type'))} arrives", moment.step)
            return
        label = str(record.get("guard"))
        if label.startswith(("after ", "at ")):
            self.astray = True
            self._add(f"`{label}`: the time is over{self._under_way(moment.step, moment)}", moment.step)
        elif label.startswith("on "):
            self.astray = True

    def _under_way(self, step: Doing | None, moment: Moment) -> str:
        operation = called(step)
        if any(record.kind == "answered" and record.get("operation") == operation for record in moment.records):
            return ""  # over by then
        failed = len(self.failures.pop(operation, []))
        if not failed:
            return f" while {operation} is under way" if operation else ""
        place = ORDINALS[failed] if failed < len(ORDINALS) else f"{failed + 1}th"
        return f" in the {place} attempt of {operation}"


def _branches(stage: Stage) -> set[tuple[str, str]]:
    """The branches of each `parallel`, as workflow and path."""
    program = stage.program
    forks = {
        id(step): (program.labels[pc].partition(":")[0], step)
        for pc, step in enumerate(program.origins)
        if isinstance(step, Parallel)
    }
    return {(workflow, branch.region.path) for workflow, step in forks.values() for branch in step.branches}


def _short(name: object) -> str:
    return str(name).rpartition(".")[2]


def _shortened(steps: list[Step]) -> Iterator[Step]:
    """Long stretches of calls that work are told by their beginning and end."""
    at = 0
    while at < len(steps):
        end = at
        while end < len(steps) and steps[end].text.endswith(": done"):
            end += 1
        if end - at <= FEW:
            yield from steps[at : max(end, at + 1)]
            at = max(end, at + 1)
            continue
        yield from steps[at : at + AT_EDGES]
        names = [step.text.removesuffix(": done") for step in steps[at + AT_EDGES : end - AT_EDGES]]
        different = list(dict.fromkeys(names))
        shown = f" ({listed(different)})" if len(different) <= AT_EDGES else ""
        yield Step(f"{len(names)} more calls work{shown}")
        yield from steps[end - AT_EDGES : end]
        at = end
