"""Undo: the mirror of the order of doing. A list is undone newest first, the branches of a fork side by side."""

from typing import Any

from wfc.machine.base import Base
from wfc.machine.instance import Call, Entry, Fiber, Frame, Letter, Then

UNATTENDED = "unattended"


class Undos(Base):
    """The part of a turn that undoes."""

    def undo(self, log: list[Entry], parent: Frame | None, then: Then) -> None:
        """Undoes a log, then goes on. What is around waits for that: an undo is never interrupted."""
        frame = self.add(self.program.lists, parent, 0)
        frame.rest = log
        frame.then = then
        self._next(frame)

    def _next(self, frame: Frame) -> None:
        """Undoes the newest entry that is left."""
        while frame.rest:
            entry = frame.rest.pop()
            match entry.kind:
                case "call" | "region" | "again":
                    if entry.undo and (entry.state == "done" or self.undo_code(entry).blind):
                        self._run(frame, entry)
                        return
                    if entry.undo:
                        self._in_doubt(entry)
                case "child":
                    self.send_alone(frame, entry)
                    return
                case "held":
                    frame.rest.append(Entry("release", key=entry.key))
                    frame.rest.extend(entry.log)
                case "release":
                    self.unlock(entry.key)
                case "fork":
                    branches = [branch for branch in entry.branches if branch]
                    if branches:
                        self._fork(frame, branches, entry.limit)
                        return
        then = frame.then
        assert then is not None
        self.remove(frame)
        self._ended(then)

    def undo_branches(self, branches: list[tuple[Entry, ...]], limit: int | None, parent: Frame, then: Then) -> None:
        """Undoes some branches side by side."""
        self.undo([Entry("fork", branches=tuple(branches), limit=limit)], parent, then)

    def _fork(self, frame: Frame, branches: list[tuple[Entry, ...]], limit: int | None) -> None:
        fork = self.add(self.program.forks, frame, 0)
        fork.logs = list(branches)
        fork.limit = limit
        self._more(fork)

    def _more(self, fork: Frame) -> None:
        """Where a bound holds branches back, the last ones go first."""
        started: list[tuple[Entry, ...]] = []
        while fork.logs and (fork.limit is None or len(fork.children) + len(started) < fork.limit):
            started.append(fork.logs.pop())
        lists = []
        for log in started:
            inner = self.add(self.program.lists, fork, 0)
            inner.rest = list(log)
            inner.then = Then("list", fork.id)
            lists.append(inner)
        for inner in lists:
            self._next(inner)

    def _ended(self, then: Then) -> None:
        """An undo has ended."""
        frame = self.inst.frames.get(then.id)
        match then.kind:
            case "guard":
                self.tails.append(then.id)
            case "step":
                self.resumed.append(then.id)
            case "branch":
                assert frame is not None
                self.branch_ended(frame, then.index)
            case "losers":
                assert frame is not None
                self.losers_undone(frame)
            case "list":
                assert frame is not None
                if frame.logs:
                    self._more(frame)
                elif not frame.children:
                    outer = frame.parent
                    assert outer is not None
                    self.remove(frame)
                    self._next(self.inst.frames[outer])
            case "letter":
                self.flag()
            case "failed":
                self.failed()
            case "child":
                self.undone_child()

    def flag(self) -> None:
        """Whether an undo is left to a person, or is being tried again."""
        letters = any(letter.entry is not None for letter in self.inst.letters.values())
        again = any(f.then is not None and f.then.kind == "letter" for f in self.inst.frames.values())
        self.inst.incomplete = letters or again

    # -- one compensation

    def _run(self, frame: Frame, entry: Entry) -> None:
        """Starts a compensation: a token that reads what was stored when the thing completed."""
        code = self.undo_code(entry)
        assert code.steps is not None
        inner = self.undo_frame(frame, entry)
        fiber = Fiber(self.serial(), code.steps.pc, inner.id, inner.id, undo=entry.key, undo_depth=len(inner.iteration))
        inner.fiber = fiber.id
        self.inst.fibers[fiber.id] = fiber
        self.ready.append(fiber.id)

    def undo_frame(self, frame: Frame, entry: Entry) -> Frame:
        """What a compensation runs in."""
        inner = self.add(self.program.compensation, frame, 0)
        inner.names = dict(entry.stored)
        inner.entry = entry
        return inner

    def undo_done(self, frame: Frame) -> None:
        """A compensation has done its work."""
        entry = frame.entry
        assert entry is not None
        kinds = {"child": "child undone", "again": "redriven"}
        self.note(kinds.get(entry.kind, "undone"), entry.path, operation=entry.name, key=entry.key)
        letter = self.inst.letters.get(entry.key)
        if letter is not None and letter.entry is not None:
            del self.inst.letters[entry.key]
        self._finish(frame)

    def undo_failed(self, frame: Frame, error: Any) -> None:  # noqa: ANN401 - an error of the language
        """A compensation has failed: a dead letter is written, and undo goes on with what is older."""
        entry = frame.entry
        assert entry is not None
        self.freed(self.collect(frame))
        last = frame.last
        if entry.kind == "again":
            assert last is not None
            self.forward_letter(last, error)
            self._finish(frame)
            return
        errors = tuple(frame.errors)
        if not errors or errors[-1] != error:
            errors = (*errors, error)
        policy = last.policy if last is not None else None
        queue = policy.queue if policy is not None and policy.queue else UNATTENDED
        self.inst.incomplete = True
        self.note("undo failed", entry.path, operation=entry.name, key=entry.key, error=error["is"])
        self.letter(
            Letter(
                key=entry.key,
                queue=queue,
                path=entry.path,
                operation=last.target if last is not None else entry.name,
                args=last.args if last is not None else (),
                errors=errors,
                attempts=last.attempt if last is not None else 0,
                name=entry.name,
                entry=entry,
            )
        )
        self._finish(frame)

    def forward_letter(self, call: Call, error: Any) -> None:  # noqa: ANN401 - an error of the language
        """The dead letter of a call that was given up; the process has gone on without it."""
        policy = call.policy
        self.letter(
            Letter(
                key=call.key,
                queue=policy.queue if policy is not None else UNATTENDED,
                path=call.path,
                operation=call.target,
                args=call.args,
                errors=(error,),
                attempts=call.attempt,
                name=call.target,
                kind=call.kind,
                policy=policy,
            )
        )

    def _finish(self, frame: Frame) -> None:
        outer = frame.parent
        assert outer is not None
        self.inst.fibers.pop(frame.fiber, None)
        self.remove(frame)
        self._next(self.inst.frames[outer])

    def _in_doubt(self, entry: Entry) -> None:
        """Nobody knows whether the call had its effect, and its undo needs the answer: a person has to look."""
        self.inst.incomplete = True
        self.note("undo failed", entry.path, operation=entry.name, key=entry.key, error="in doubt")
        self.letter(
            Letter(
                key=entry.key,
                queue=UNATTENDED,
                path=entry.path,
                operation=entry.name,
                args=(),
                errors=(),
                attempts=0,
                name=entry.name,
                entry=entry,
                doubt=True,
            )
        )

    def call_again(self, letter: Letter) -> None:
        """Repeats the forward call of a dead letter; the instance has gone on, so that nothing else changes."""
        del self.inst.letters[letter.key]
        frame = self.add(self.program.lists, None, 0)
        frame.then = Then("letter")
        self.send_alone(frame, Entry("again", path=letter.path, name=letter.name, key=letter.key), letter)

    def redrive(self, letter: Letter, answer: Any) -> None:  # noqa: ANN401 - values of the language
        """Runs the compensation of a dead letter again, with the same key.

        `answer` is what the call in doubt would have answered, where its undo needs that.
        """
        entry = letter.entry
        assert entry is not None
        del self.inst.letters[letter.key]
        for place in [place for place in self.inst.visits if place.startswith(f"{entry.key}/undo")]:
            del self.inst.visits[place]  # its calls have the keys they had before
        if letter.doubt:
            names = dict(entry.stored)
            missing = [
                (kind, name)
                for kind, name in self.program.reads(self.undo_code(entry))
                if ("result." if kind == "result" else f"operand.{name}" if kind == "operand" else name) not in names
            ]
            stored = (*entry.stored, *(("result." if kind == "result" else name, answer) for kind, name in missing))
            entry = Entry("call", entry.id, entry.path, entry.name, entry.key, "done", entry.undo, stored)
        self.undo([entry], None, Then("letter"))
