"""Goes the way of a run again, in a program whose calls and locks have other numbers."""

from collections.abc import Iterable

from wfc.machine.attempts import number_of
from wfc.machine.instance import Fiber
from wfc.machine.messages import Answered, Input, Locked, Started
from wfc.machine.program import Program
from wfc.simulation.stage import Stage
from wfc.text.value import changed

Act = tuple[str, Input, str]  # the instance, what it is given, the key of the call that it is for


def acts(stage: Stage) -> tuple[Act, ...]:
    """What came from outside in a run, in order."""
    chain = stage.last.chain() if stage.last is not None else []
    return tuple((moment.instance, moment.given, moment.key) for moment in chain if moment.outside)


def retrace(program: Program, given: Iterable[Act], skip: str = "") -> Stage | None:
    """The run of these acts; None if the machine refuses one. Answers of a call that is not there are left out.

    `skip`: an operation that only the other program had.
    """
    stage = Stage(program)
    for identity, each, key in given:
        if isinstance(each, Started):
            if not stage.start(each.workflow, each.data):
                return None
            continue
        inst = stage.instances.get(identity)
        if inst is None:
            return None
        if isinstance(each, Answered):
            fiber = _waiting(stage, identity, key)
            if fiber is None or fiber.call is None:
                if skip:
                    continue
                return None
            if fiber.call.state == "queued":
                fiber.call.state = "sent"
            answer = changed(each, call=fiber.call.id, attempt=number_of(fiber.call))
            taken = stage.give(identity, answer, stage.step(fiber), key)
        elif isinstance(each, Locked):
            locker = next((f for f in inst.fibers.values() if f.wait == "lock"), None)
            if locker is None:
                return None
            taken = stage.give(identity, changed(each, lock=locker.lock), stage.step(locker))
        else:
            taken = stage.give(identity, each)
        if not taken:
            return None
    return stage


def _waiting(stage: Stage, identity: str, key: str) -> Fiber | None:
    """The token whose call has a key."""
    fibers = stage.instances[identity].fibers.values()
    return next((fiber for fiber in fibers if fiber.call is not None and fiber.call.key == key), None)
