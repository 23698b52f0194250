"""One turn under way: the instance it changes, what it says, and what its parts need of each other.

The parts of a turn are classes one upon another (`undo`, `joins`, `guards`, `attempts`, `calls`, `steps`); what a lower
one needs of a higher one is named here, or where it is first needed.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from wfc.flow.personal import masked
from wfc.ir.evaluate import Code, NotConstant
from wfc.ir.values import MAX_INT
from wfc.machine.code import Spec, UndoCode
from wfc.machine.instance import Cause, Entry, Fiber, Frame, Instance, Letter, Timer
from wfc.machine.messages import Command, DeadLetter, Measured, Record, Unlock
from wfc.machine.program import Program
from wfc.text.value import changed

# Among all that falls on one instant: operators, errors, values, lock grants, events, then timers.
ERRORS, VALUES, GRANTS, EVENTS, DEADLINES, WAITS, BESIDE, SLAS = 2, 3, 4, 5, 6, 7, 8, 9


class EndlessError(Exception):
    """A turn that never comes to rest."""


class Env:
    """What expressions read at a place: names of the regions around it, up to the compensation it belongs to."""

    __slots__ = ("extra", "frame", "now", "turn")

    def __init__(self, turn: "Base", frame: Frame | None, extra: dict[str, Any] | None = None) -> None:
        self.turn = turn
        self.frame = frame
        self.extra = extra
        self.now: int | None = turn.now

    def read(self, kind: str, name: str) -> Any:  # noqa: ANN401 - values of the language
        """The value of a name; raises NotConstant for one that has none here."""
        if kind in ("operand", "result"):
            name = f"operand.{name}" if kind == "operand" else "result."
        elif kind == "const":
            return self.turn.program.constants[name]
        elif kind == "queue":
            return name
        elif kind == "secret":
            return {"secret": name}
        if self.extra is not None and name in self.extra:
            return self.extra[name]
        frame = self.frame
        frames = self.turn.inst.frames
        while frame is not None:
            names = frame.names
            if names is not None and name in names:
                return names[name]
            if frame.entry is not None or frame.parent is None:
                break
            frame = frames[frame.parent]
        raise NotConstant(name)


class Base:
    """The instance in hand, and what every part of a turn does with it."""

    def __init__(self, program: Program, inst: Instance, now: int) -> None:
        self.program = program
        self.inst = inst
        self.now = now
        self.commands: list[Command] = []
        self.records: list[Record] = []
        self.ready: deque[int] = deque()
        self.tails: list[int] = []  # frames whose guard has fired and that are undone: their tails may begin
        self.resumed: list[int] = []  # tokens whose `undo` step has ended
        self.joined: list[int] = []  # forks in which everything has ended
        self.fuel = program.fuel
        self.yielded = False  # the token that runs lets others run first
        self.soonest: int | None = inst.alarm  # nothing is due before, unless it is held back
        self.armed: int | None = None  # the first instant to come that a timer of this turn waits for

    # -- what higher parts supply

    def raise_error(self, fiber: Fiber, error: Any) -> None:  # noqa: ANN401 - an error of the language
        """An error leaves the place where a token stands."""
        raise NotImplementedError

    def interrupt(self, frame: Frame, cause: Cause) -> None:
        """Stops everything inside a frame."""
        raise NotImplementedError

    def branch_ended(self, frame: Frame, index: int) -> None:
        """A branch of a fork has come to an end."""
        raise NotImplementedError

    def losers_undone(self, frame: Frame) -> None:
        """The branches that did not win have been undone."""
        raise NotImplementedError

    def failed(self) -> None:
        """Everything has been undone: the instance fails."""
        raise NotImplementedError

    def undone_child(self) -> None:
        """A completed child has undone itself."""
        raise NotImplementedError

    def send_alone(self, frame: Frame, entry: Entry, letter: Letter | None = None) -> None:
        """Sends a call that no program has written: a completed child undoes itself, a forward call is repeated."""
        raise NotImplementedError

    # -- names and values

    def serial(self) -> int:
        """A number that nothing else in this instance has."""
        self.inst.serial += 1
        return self.inst.serial

    def spec(self, frame: Frame) -> Spec:
        return self.program.specs[frame.spec]

    def value(self, code: Code, frame: Frame | None, extra: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - values of the language
        """The value of an expression at a place."""
        return code(Env(self, frame, extra))

    def holder(self, frame: Frame) -> Frame:
        """The frame that holds the names bound at a place."""
        while frame.names is None:
            assert frame.parent is not None
            frame = self.inst.frames[frame.parent]
        return frame

    def bind(self, frame: Frame, name: str, value: Any) -> None:  # noqa: ANN401 - values of the language
        names = self.holder(frame).names
        assert names is not None
        names[name] = value

    # -- the tree of frames

    def outward(self, frame: Frame) -> Iterator[Frame]:
        """A frame and those around it."""
        yield frame
        while frame.parent is not None:
            frame = self.inst.frames[frame.parent]
            yield frame

    def add(self, spec: Spec, parent: Frame | None, fiber: int) -> Frame:
        """A new frame inside another."""
        number = self.serial()
        frame = Frame(
            number,
            spec.source,
            parent.id if parent is not None else None,
            fiber,
            parent.depth + 1 if parent is not None else 0,
            self.now,
            names={} if spec.names else None,
            iteration=parent.iteration if parent is not None else (),
        )
        self.inst.frames[number] = frame
        if parent is not None:
            parent.children.append(number)
        return frame

    def remove(self, frame: Frame) -> None:
        """Takes a frame without children out of the tree."""
        del self.inst.frames[frame.id]
        if frame.parent is not None and frame.parent in self.inst.frames:
            self.inst.frames[frame.parent].children.remove(frame.id)
        if frame.id in self.inst.stopping:
            self.inst.stopping.remove(frame.id)

    def inside(self, frame: Frame) -> Iterator[Frame]:
        """A frame and all frames in it."""
        yield frame
        for child in tuple(frame.children):
            yield from self.inside(self.inst.frames[child])

    def fibers_inside(self, frame: Frame) -> list[Fiber]:
        """The tokens that stand inside a frame, in order of their beginning."""
        found = {}
        for inner in self.inside(frame):
            fiber = self.inst.fibers.get(inner.fiber)
            if fiber is not None and fiber.frame == inner.id:
                found[fiber.id] = fiber
        return [found[number] for number in sorted(found)]

    def arm(self, owner: Frame | Fiber, timer: Timer) -> None:
        """A timer begins. Instants stop at the bounds of whole numbers, as they do in the language."""
        if timer.at > MAX_INT:
            timer = changed(timer, at=MAX_INT)
        owner.due.append(timer)
        if self.soonest is None or timer.at < self.soonest:
            self.soonest = timer.at
        if timer.at > self.now and (self.armed is None or timer.at < self.armed):
            self.armed = timer.at

    def wake(self, fiber: Fiber) -> None:
        """A token goes on."""
        fiber.wait = ""
        fiber.call = None
        if fiber.due:
            fiber.due = []
        self.ready.append(fiber.id)

    def path(self, frame: Frame) -> str:
        """The node at which a frame stands."""
        for each in self.outward(frame):
            if each.node:
                return each.node
            path = self.spec(each).path
            if path:
                return path
        return ""

    # -- logs

    def collect(self, frame: Frame) -> list[Entry]:
        """What has been done inside a frame, as one log; the frames inside, and the tokens that began in them, go."""
        log, beside = list(frame.log), list(frame.beside)
        for child in tuple(frame.children):
            inner = self.inst.frames[child]
            kind = self.spec(inner).kind
            fork = inner.fork
            entries = self.collect(inner)
            if fork is not None:
                self._branches(log, fork.limit, [tuple(branch.log) for branch in fork.branches])
            elif kind == "beside":
                beside.append(tuple(entries))
            elif kind == "lock" and inner.lock:
                log.append(Entry("held", key=inner.lock, log=tuple(entries)))
            else:
                log.extend(entries)
            token = self.inst.fibers.get(inner.fiber)
            if token is not None and token.base == inner.id:
                del self.inst.fibers[token.id]
            self.remove(inner)
        frame.log, frame.beside = [], []
        slot = self.slot_of(frame)
        if slot is not None:
            slot.extend(log)
        if any(beside):
            return [Entry("fork", branches=(tuple(log), *(entries for entries in beside if entries)))]
        return log

    def slot_of(self, frame: Frame) -> list[Entry] | None:
        """The log of the branch that a frame is the base of."""
        if self.spec(frame).kind != "slot" or frame.parent is None:
            return None
        fork = self.inst.frames[frame.parent].fork
        assert fork is not None
        return fork.branches[frame.guard].log

    def _branches(self, log: list[Entry], limit: int | None, branches: list[tuple[Entry, ...]]) -> None:
        if any(branches):
            log.append(Entry("fork", branches=tuple(branches), limit=limit))

    def freed(self, log: list[Entry]) -> list[Entry]:
        """A log without locks: those held are given back, for what has been done under them stays done."""
        found: list[Entry] = []
        for entry in log:
            if entry.kind == "held":
                self.unlock(entry.key)
                found.extend(self.freed(list(entry.log)))
            elif entry.kind == "fork":
                branches = tuple(tuple(self.freed(list(branch))) for branch in entry.branches)
                found.append(Entry("fork", branches=branches, limit=entry.limit))
            else:
                found.append(entry)
        return found

    def keys_in(self, log: Iterable[Entry]) -> tuple[str, ...]:
        """The keys of everything in a log that could be undone."""
        found: list[str] = []
        for entry in log:
            if entry.kind in ("call", "region", "child") and entry.state != "started":
                found.append(entry.key)
            found.extend(self.keys_in(entry.log))
            for branch in entry.branches:
                found.extend(self.keys_in(branch))
        return tuple(found)

    def keep(self, kind: str, path: str, log: Iterable[Entry], frame: Frame | None = None, **detail: Any) -> None:  # noqa: ANN401 - texts
        """Writes a record about what can no longer be undone, by key."""
        keys = self.keys_in(log)
        if keys:
            detail["keeps"] = keys
        self.note(kind, path, frame, **detail)

    def unlock(self, lock: str) -> None:
        self.commands.append(Unlock(lock=lock))

    # -- what is told

    def note(self, kind: str, path: str, frame: Frame | None = None, **detail: Any) -> None:  # noqa: ANN401 - texts, numbers
        """Writes an audit record."""
        if frame is not None and frame.iteration:
            detail["iteration"] = frame.iteration
        self.records.append(Record(self.now, self.inst.id, kind, path, tuple(detail.items())))

    def measure(self, metric: str, value: Any) -> None:  # noqa: ANN401 - values of the language
        self.commands.append(Measured(metric=metric, value=value))

    def letter(self, letter: Letter) -> None:
        """Writes a dead letter, which stays open until an operator has dealt with it. What is personal is hidden."""
        self.inst.letters[letter.key] = letter
        letter = self._without_personal(letter)
        self.commands.append(
            DeadLetter(
                queue=letter.queue,
                key=letter.key,
                path=letter.path,
                operation=letter.operation,
                args=letter.args,
                errors=letter.errors,
                attempts=letter.attempts,
            )
        )
        self.note("dead letter", letter.path, queue=letter.queue, key=letter.key, operation=letter.operation)

    def _without_personal(self, letter: Letter) -> Letter:
        personal = self.program.personal
        args, errors = letter.args, letter.errors
        operation = self.program.operations.get(letter.operation)
        if operation is not None and args:
            for place in personal.places(operation.params):
                args = masked(args, place.split("."))
        for i, error in enumerate(errors):
            definition = self.program.errors.get(error["is"])
            fields = [field.name for field in definition.fields if field.pii] if definition is not None else []
            for name in fields:
                errors = masked(errors, (str(i), name))
        if args == letter.args and errors == letter.errors:
            return letter
        return changed(letter, args=args, errors=errors)

    # -- small questions

    def undo_code(self, entry: Entry) -> UndoCode:
        return self.program.undos[entry.undo]

    def held(self, frame: Frame) -> bool:
        """Whether the interrupting guards of a frame wait: inside, something is being undone or passes a pivot."""
        for inner in self.inst.frames.values():
            if inner.then is not None and any(each is frame for each in self.outward(inner)):
                return True
        for fiber in self.inst.fibers.values():
            if fiber.call is not None and fiber.call.pivot:
                at = self.inst.frames[fiber.frame]
                if any(each is frame for each in self.outward(at)):
                    return True
        return False
