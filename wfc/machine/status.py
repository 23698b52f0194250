"""What an instance is doing: where its tokens stand and what they wait for, in words for people."""

from collections.abc import Iterator

from wfc.machine.code import GuardCode, Locking
from wfc.machine.instance import Fiber, Frame, Instance
from wfc.machine.program import Program
from wfc.text.durations import spaced_duration
from wfc.text.names import listed

AWAITED = 3  # names of events that are listed; more are counted


def places(program: Program, inst: Instance) -> list[str]:
    """The nodes at which tokens stand, and the scopes and branches around them, outermost first."""
    found: dict[str, None] = {}
    for frame in inst.frames.values():
        if frame.state == "dead":
            continue
        spec = program.specs[frame.spec]
        if spec.kind in ("branch", "each", "scope"):
            found[spec.path] = None
        if frame.node:
            found[frame.node] = None
    return [place for place in found if place]


def movers(program: Program, inst: Instance) -> list[str]:
    """Who or what can move an instance on from outside: events, answers, people. Nothing: it is stuck, or has ended."""
    found: dict[str, None] = {}
    for fiber in inst.fibers.values():
        call = fiber.call
        if call is not None and call.state == "parked":
            found[f"an operator ({call.target} is parked)"] = None
        elif call is not None and call.kind == "task":
            found[f"a person ({call.target})"] = None
        elif call is not None:
            found[f"the answer of {call.target}"] = None
        elif fiber.wait == "lock":
            found["a lock"] = None
        elif fiber.wait == "wait":
            found["the time"] = None
    held = _held(inst)
    for frame in inst.frames.values():
        if frame.state != "active":
            continue
        for guard in program.specs[frame.spec].guards:
            waits = inst.status == "running" if guard.also else frame.id not in held
            if guard.kind == "on" and not frame.sealed and waits:
                found.update(dict.fromkeys(sorted(guard.names)))
        guards = program.specs[frame.spec].guards
        if any(timer.what == "guard" and _ends(frame, guards, timer.index) for timer in frame.due):
            found["a deadline"] = None
    return list(found)


def _held(instance: Instance) -> set[int]:
    """The frames around a pivot that is in flight: their interrupting guards are held back."""
    found: set[int] = set()
    for fiber in instance.fibers.values():
        at: int | None = fiber.frame if fiber.call is not None and fiber.call.pivot else None
        while at is not None:
            found.add(at)
            at = instance.frames[at].parent
    return found


def _ends(frame: Frame, guards: tuple[GuardCode, ...], index: int) -> bool:
    """Whether a timer of a frame is a deadline that still counts."""
    return index < len(guards) and guards[index].interrupting and not frame.sealed


# ------------------------------------------------------------------------------------------------- told in sentences


def token_waits(program: Program, instance: Instance, fiber: Fiber, now: int) -> str:
    """What a token waits for, as it goes on after "waits"; nothing if others of its instance have to go on first."""
    match fiber.wait:
        case "wait":
            return f"{spaced_duration(fiber.due[0].at - now)}" if fiber.due else ""
        case "await":
            return _awaited(program, instance.frames[fiber.frame], now)
        case "lock":
            step = program.code[fiber.pc - 1]
            return f"for {listed(name for name, _ in step.lock.resources)}" if isinstance(step, Locking) else ""
        case "call":
            return _called(fiber)
        case _:
            return ""


def _called(fiber: Fiber) -> str:
    call = fiber.call
    if call is None:
        return ""
    if call.state == "parked":
        return f"for an operator: {call.target} is parked"
    if call.kind == "task":
        return f"for a person: {call.target}"
    return "" if call.kind in ("workflow", "undo") else f"for the answer of {call.target}"


def _awaited(program: Program, frame: Frame, now: int) -> str:
    """The arms of an `await`."""
    spec = program.specs[frame.spec]
    names = list(dict.fromkeys(name for guard in spec.guards if guard.kind == "on" for name in sorted(guard.names)))
    times = [
        f"for {spaced_duration(timer.at - now)}"
        for timer in sorted(frame.due, key=lambda timer: timer.at)
        if timer.what == "guard" and spec.guards[timer.index].interrupting
    ]
    parts = [f"for {listed(first_names(names), 'or')}"] if names else []
    return ", or ".join([*parts, *times[:1]])


def first_names(names: list[str]) -> list[str]:
    """The first names of a list, and how many more there are."""
    if len(names) <= AWAITED + 1:
        return names
    return [*names[:AWAITED], f"{len(names) - AWAITED} others"]


def waits(program: Program, instance: Instance, now: int) -> Iterator[str]:
    """What each token of an instance waits for, then what may end that from around."""
    told: dict[str, None] = {}
    events: dict[str, None] = {}
    ends: list[int] = []
    own: list[int] = []
    held = _held(instance)
    for fiber in instance.fibers.values():
        text = token_waits(program, instance, fiber, now)
        if not text:
            continue
        told[text] = None
        own += [timer.at for timer in fiber.due if fiber.wait == "wait"]
        frame: Frame | None = instance.frames[fiber.frame]
        while frame is not None:
            spec = program.specs[frame.spec]
            if spec.kind != "await" and frame.state == "active" and not frame.sealed and frame.id not in held:
                events.update(
                    (name, None)
                    for guard in spec.guards
                    if guard.kind == "on" and not guard.also
                    for name in sorted(guard.names)
                )
                ends += [
                    timer.at for timer in frame.due if timer.what == "guard" and spec.guards[timer.index].interrupting
                ]
            frame = instance.frames[frame.parent] if frame.parent is not None else None
    if not told:
        return
    first = bool(ends) and min(ends) < min(own, default=min(ends) + 1)
    limit = f", or for {spaced_duration(min(ends) - now)}" if first else ""
    yield f"waits {listed(told)}{limit}"
    if events:
        yield f"{listed(first_names(list(events)), 'or')} would end it"
