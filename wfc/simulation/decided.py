"""Whether a search that has tried everything has also tried every value that the steps on its ways can tell apart.

An answer has samples: all cases of a flag, of a bare enum, of what may be absent, and the neighbours of a whole number
that is compared. Whatever is worked out from these alone, and from constants, is decided by them. A text, a list or an
amount is not, nor is what asks for the date: there another value may lead where no sample has led.
"""

from collections.abc import Collection, Iterator
from functools import cached_property
from typing import Any, TypeGuard

from wfc.flow.bindings import Binding, bindings, is_plain
from wfc.flow.ways import Ways
from wfc.ir.evaluate import NotConstant, folded
from wfc.ir.expressions import Apply, Expr, Get, If, Is, Items, Lit, Now, Op, Ref, RefKind, Who, children, walk
from wfc.ir.machine import (
    Choose,
    Do,
    ForEach,
    Guard,
    Lock,
    Parallel,
    Repeat,
    State,
    Step,
    Wait,
    Workflow,
)
from wfc.ir.types import BOOL, DATE, DECIMAL, DURATION, INSTANT, INT, TEXT, Money, Optional, Type
from wfc.ir.walk import guards, regions
from wfc.machine.program import Program
from wfc.simulation.claim import Claim

_OF_A_HOST = frozenset(("Unavailable", "AlreadyRunning"))  # with which a child may end whatever it does
_COMPARED = ("<", "<=", ">", ">=", "==", "!=")


class Decided:
    """Asks this of the steps of one program."""

    def __init__(self, program: Program, ways: Ways) -> None:
        self.program = program
        self.ways = ways
        self._workflows: dict[str, _Names] = {}

    def all(self, passed: Collection[int], claim: Claim) -> bool:
        """Whether some places of the code decide nothing of a claim that other values would decide otherwise."""
        steps: dict[int, tuple[Step, str]] = {}
        places: set[tuple[str, str]] = set()
        for pc in passed:
            step = self.program.origins[pc]
            workflow, _, rest = self.program.labels[pc].partition(":")
            places.add((workflow, rest.rpartition("#")[0]))
            if step is not None:
                steps[id(step)] = step, workflow
        entered = ((self._names(workflow), path) for workflow, path in sorted(places))
        return all(names.guarded(path) for names, path in entered) and all(
            self._child(step, self._names(workflow), claim)
            if _is_child(step)
            else self._step(step, self._names(workflow))
            for step, workflow in steps.values()
        )

    def _names(self, workflow: str) -> "_Names":
        found = self._workflows.get(workflow)
        if found is None:
            found = self._workflows[workflow] = _Names(self.program, self.program.workflows[workflow])
        return found

    def _step(self, step: Step, names: "_Names") -> bool:
        if not all(names.guard(guard) for guard in guards(step)):
            return False
        match step:
            case Choose(arms=arms):
                return names.first_of(arm.test for arm in arms)
            case Repeat(times=times, until=until):
                return names.decided(until) and (times is None or names.decided(times))
            case Wait(amount=amount, until=until):
                return not until and names.decided(amount)
            case Lock(wait=wait):
                return names.decided(wait)
            case Parallel(count=count):
                return count is None or names.decided(count)
            case ForEach(items=items, limit=limit, count=count):
                return all(expr is None or names.decided(expr) for expr in (items, limit, count))
            case _:
                return True

    def _child(self, call: Do, names: "_Names", claim: Claim) -> bool:
        """Whether runs show all that may become of a child and lead on to what is claimed.

        Here it is begun at once, and ends at once where nothing in it takes time. In truth it may come late, and its
        call may fail though it does not: it runs already, or an operator cancels it.
        """
        point = self.ways.at(call)
        goal = claim.goal or (claim.waypoints[-1].point if claim.waypoints else None)
        far = self.ways.to(goal) if goal is not None else {}
        late = self.ways.program.ends_at_once(call.target)
        for abort in point.aborts if point is not None else ():
            timed = abort.guard is not None and abort.guard.kind != "catch" and names.may_fire(abort.guard)
            leads = goal is None or goal is point or id(abort.target) in far
            if abort.target is not None and leads and ((timed and late) or abort.errors & _OF_A_HOST):
                return False
        return True


class _Names:
    """What the names of one workflow can hold."""

    now = None

    def __init__(self, program: Program, workflow: Workflow) -> None:
        self.program = program
        self.workflow = workflow
        self._known: dict[str, Any] = {}
        self._asked: set[str] = set()
        self._settled: set[str] = set()
        self._settle()

    def guarded(self, path: str) -> bool:
        """Whether it is decided when the guards of a state or a region fire."""
        return all(self.guard(guard) for guard in self._frames.get(path, ()))

    def may_fire(self, guard: Guard) -> bool:
        """Whether the condition of a guard is not always false."""
        return guard.when is None or self._constant(guard.when) is not False

    def guard(self, guard: Guard) -> bool:
        """Whether it is decided when a guard fires: the date of the start is not."""
        asked = (guard.amount, guard.when)
        return guard.kind != "at" and all(expr is None or self.decided(expr) for expr in asked)

    def first_of(self, tests: Iterator[Expr]) -> bool:
        """Whether it is decided which condition is the first that holds."""
        for test in tests:
            known = self._constant(test)
            if known is True:
                return True
            if known is not False and not self.decided(test):
                return False
        return True

    def decided(self, expr: Expr) -> bool:
        """Whether an expression has no other values than those that the samples lead to, or none that matters."""
        match expr:
            case Lit():
                return True
            case Now() | Who():
                return False
            case Ref(_, "const" | "queue" | "lambda", _):
                return True
            case Ref(_, "param" | "local" | "var", name):
                return self._is_input(expr) and _few(expr.type) if name in self._given else name in self._settled
            case Ref():
                return False
            case Get() if self._is_input(expr):
                return _few(expr.type)
            case Is(_, target) if self._is_input(target):
                return True
            case Op(_, op, (left, right)) if op in _COMPARED and self._neighbours(op, left, right):
                return True
            case Op(_, "in", (item, Items(_, items))) if all(self._neighbours("==", item, each) for each in items):
                return True
            case Op(_, "and" | "or" as op, args) if any(self._constant(arg) is (op == "or") for arg in args):
                return True
            case If(_, test, yes, no) if isinstance(known := self._constant(test), bool):
                return self.decided(yes if known else no)
            case Apply(_, name) if any(isinstance(part, Now) for part in walk(self._functions[name])):
                return False
            case _:
                return all(self.decided(part) for part in children(expr))

    def _neighbours(self, op: str, left: Expr, right: Expr) -> bool:
        """Whether something that is given is compared with a constant: the samples lie on it, and on both sides.

        Of a text only whether it is that one.
        """
        for given, other in ((left, right), (right, left)):
            known = isinstance(folded(other), Lit) or (isinstance(other, Ref) and other.kind == "const")
            kind = given.type
            ordered = kind in (INT, DURATION, INSTANT, DATE, DECIMAL) or isinstance(kind, Money)
            if known and self._is_input(given) and (ordered or (kind == TEXT and op in ("==", "!="))):
                return True
        return False

    def _is_input(self, expr: Expr) -> bool:
        """Whether it is a parameter, an answer or an event, or a field of one, of which nothing else has the name."""
        while isinstance(expr, Get):
            expr = expr.target
        return isinstance(expr, Ref) and expr.name in self._given and expr.name not in self._values

    def _settle(self) -> None:
        """The names that are worked out from what is decided: all but those that prove not to be."""
        self._settled = set(self._values)
        while True:
            doubtful = {
                name
                for name in self._settled
                if not all(each.value is not None and self.decided(each.value) for each in self._values[name])
            }
            if not doubtful:
                return
            self._settled -= doubtful

    # -- constants

    def _constant(self, expr: Expr) -> Any:  # noqa: ANN401 - values of the language
        """The value of an expression that always has the same; None where it has not."""
        match expr:
            case Op(_, "and" | "or" as op, args):
                known = [self._constant(arg) for arg in args]
                if any(value is (op == "or") for value in known):
                    return op == "or"
                return op == "and" if all(isinstance(value, bool) for value in known) else None
            case _:
                try:
                    return self.program.compile(expr)(self)
                except NotConstant:
                    return None

    def read(self, kind: RefKind, name: str) -> Any:  # noqa: ANN401 - values of the language
        """A constant, or a name that never gets another value."""
        if kind == "const" and name in self.program.constants:
            return self.program.constants[name]
        values = self._values.get(name, ())
        value = values[0].value if len(values) == 1 and values[0].kind == "worked out" else None
        if kind not in ("local", "var") or name in self._given or value is None or not is_plain(value):
            raise NotConstant(name)
        if name not in self._known:
            if name in self._asked:
                raise NotConstant(name)
            self._asked.add(name)
            try:
                self._known[name] = self.program.compile(value)(self)
            finally:
                self._asked.discard(name)
        return self._known[name]

    # -- what gives names their values

    @cached_property
    def _functions(self) -> dict[str, Expr]:
        return {function.name: function.body for function in self.program.machine.functions}

    @cached_property
    def _bindings(self) -> list[Binding]:
        return list(bindings(self.workflow))

    @cached_property
    def _given(self) -> frozenset[str]:
        """The names of parameters, of answers and of events."""
        return frozenset(binding.name for binding in self._bindings if binding.kind == "given")

    @cached_property
    def _values(self) -> dict[str, list[Binding]]:
        """What names are bound to apart from that."""
        found: dict[str, list[Binding]] = {}
        for binding in self._bindings:
            if binding.kind != "given":
                found.setdefault(binding.name, []).append(binding)
        return found

    @cached_property
    def _frames(self) -> dict[str, list[Guard]]:
        """The guards of states and regions, by their path."""
        found: dict[str, list[Guard]] = {}
        for region in regions(self.workflow.region):
            found.setdefault(region.path, []).extend(region.guards)
            for node in region.nodes:
                if isinstance(node, State):
                    found.setdefault(node.path, []).extend(node.guards)
        return found


def _is_child(step: Step) -> TypeGuard[Do]:
    return isinstance(step, Do) and step.kind == "workflow"


def _few(kind: Type) -> bool:
    """Whether all values of a type are tried."""
    return kind == BOOL or (isinstance(kind, Optional) and _few(kind.inner))
