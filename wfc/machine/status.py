"""What an instance is doing: where its tokens stand and what they wait for, in words for people."""

from wfc.machine.code import GuardCode
from wfc.machine.instance import Frame, Instance
from wfc.machine.program import Program


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


def waits_for(program: Program, inst: Instance) -> list[str]:
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
    for frame in inst.frames.values():
        if frame.state != "active":
            continue
        for guard in program.specs[frame.spec].guards:
            if guard.kind == "on" and not frame.sealed and (not guard.also or inst.status == "running"):
                found.update(dict.fromkeys(sorted(guard.names)))
        if any(_ends(frame, program.specs[frame.spec].guards, timer.index) for timer in frame.due):
            found["a deadline"] = None
    return list(found)


def _ends(frame: Frame, guards: tuple[GuardCode, ...], index: int) -> bool:
    """Whether a timer of a frame is a deadline that still counts."""
    return index < len(guards) and guards[index].interrupting and not frame.sealed
