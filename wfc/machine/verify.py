"""Laws of an instance at rest. A broken one is a bug of ours; tests and the explorer ask after every turn."""

from collections.abc import Iterator

from wfc.machine.instance import Fiber, Frame, Instance
from wfc.machine.program import Program

WAITS = {"call", "wait", "await", "lock", "fork", "closing", "unwind", "undo", "stopped", "halted"}


def broken_laws(program: Program, inst: Instance) -> list[str]:
    """What is wrong with an instance between two turns; nothing, as a rule."""
    return [*_tree(program, inst), *_tokens(program, inst), *_logs(inst), *_alarm(inst)]


def _tree(program: Program, inst: Instance) -> Iterator[str]:
    for frame in inst.frames.values():
        for child in frame.children:
            if child not in inst.frames or inst.frames[child].parent != frame.id:
                yield f"frame {frame.id} has a child {child} that is none"
        if frame.parent is not None and frame.id not in inst.frames[frame.parent].children:
            yield f"frame {frame.id} is unknown to its parent"
        if frame.state == "stopping" and frame.id not in inst.stopping:
            yield f"frame {frame.id} stops, and nobody looks after it"
        if frame.then is not None and not frame.children:
            yield f"undo list {frame.id} has nothing to do and has not ended"
        if frame.state == "undoing" and not any(inst.frames[c].then is not None for c in frame.children):
            yield f"frame {frame.id} ({program.specs[frame.spec].name}) is being undone by nobody"
    if inst.status != "running" and any(f.then is None for f in _roots(inst)):
        yield "the instance has ended and still has frames"
    if inst.status == "running" and not any(f.then is None for f in _roots(inst)):
        yield "the instance runs without a token"


def _alarm(inst: Instance) -> Iterator[str]:
    """The host is told in time."""
    timers = [timer.at for frame in inst.frames.values() for timer in frame.due]
    timers += [timer.at for fiber in inst.fibers.values() for timer in fiber.due]
    first = min((at for at in timers if at > inst.now), default=None)
    if first is not None and (inst.alarm is None or inst.alarm > first):
        yield f"something is due at {first}, and the alarm is set to {inst.alarm}"


def _roots(inst: Instance) -> list[Frame]:
    return [frame for frame in inst.frames.values() if frame.parent is None]


def _tokens(program: Program, inst: Instance) -> Iterator[str]:
    for fiber in inst.fibers.values():
        if fiber.frame not in inst.frames or fiber.base not in inst.frames:
            yield f"token {fiber.id} stands nowhere"
            continue
        frame = inst.frames[fiber.frame]
        if fiber.wait not in WAITS:
            yield f"token {fiber.id} waits for {fiber.wait!r}"
        if (fiber.wait == "call") != (fiber.call is not None):
            yield f"token {fiber.id} waits for {fiber.wait}, with a call: {fiber.call is not None}"
        if fiber.wait == "stopped" and not _stopping_around(inst, frame):
            yield f"token {fiber.id} has stopped for ever at {program.labels[fiber.pc]}"
        if fiber.wait == "wait" and not fiber.due:
            yield f"token {fiber.id} waits for no time"
        if fiber.wait == "fork" and not any(f.fork is not None and f.fiber == fiber.id for f in inst.frames.values()):
            yield f"token {fiber.id} waits for branches that are not there"
        if fiber.wait == "closing" and not frame.children:
            yield f"token {fiber.id} waits for blocks beside that have ended"
        if fiber.wait in ("undo", "unwind") and not _undoing_inside(inst, frame):
            yield f"token {fiber.id} waits for an undo that is not there"
        yield from _call(fiber)
        for timer in fiber.due:
            if timer.at <= inst.now:
                yield f"token {fiber.id} has missed its {timer.what}"


def _call(fiber: Fiber) -> Iterator[str]:
    call = fiber.call
    if call is not None and call.state == "pause" and not any(timer.what == "pause" for timer in fiber.due):
        yield f"token {fiber.id} pauses for ever"


def _stopping_around(inst: Instance, frame: Frame) -> bool:
    at: Frame | None = frame
    while at is not None:
        if at.state == "stopping":
            return True
        at = inst.frames[at.parent] if at.parent is not None else None
    return False


def _undoing_inside(inst: Instance, frame: Frame) -> bool:
    return frame.then is not None or any(_undoing_inside(inst, inst.frames[child]) for child in frame.children)


def _logs(inst: Instance) -> Iterator[str]:
    """A started entry belongs to a call under way; each entry stands once."""
    calls = {fiber.call.entry for fiber in inst.fibers.values() if fiber.call is not None}
    seen: set[int] = set()
    for frame in inst.frames.values():
        for entry in frame.log:
            if entry.kind == "call" and entry.state == "started" and entry.id not in calls:
                yield f"the call {entry.name} has started and is not under way"
            if entry.id and entry.id in seen:
                yield f"the call {entry.name} stands twice in the log"
            seen.add(entry.id)
