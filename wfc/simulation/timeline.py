"""A run as lines that a person reads: what was called, what went wrong, what was undone, and how it ended.

Lines are plain data, told from audit records; of the data of a run nothing is shown that may be personal.
`wfc.cli.base.timeline` shows them on a screen.
"""

from collections.abc import Mapping
from typing import Any

import attrs

from wfc.machine.messages import Record
from wfc.machine.status import waits
from wfc.simulation.lines import Lane, Line, Marker, shortened
from wfc.simulation.places import Places, Position
from wfc.simulation.rows import Call, Row, iteration_of, passes_on, repeated, slot_of, value_of
from wfc.simulation.witness import Remark, Rest, Run
from wfc.text.durations import spaced_duration
from wfc.text.names import counted, listed

_CAUSES: tuple[Marker, ...] = ("event", "time", "error", "operator")  # what may stop calls
_FIRED: Mapping[str, Marker] = {"on": "event", "catch": "error"}  # what a guard follows on, by its first word


def timeline(run: Run) -> tuple[Line, ...]:
    """The lines of a run; times count from its start."""
    return _Teller(run).tell()


class _Teller:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.places = Places(run.program)
        self.rows: list[Row] = []
        self.calls: list[Call] = []
        self.last: dict[tuple[str, str, tuple[int, ...], str], Call] = {}  # the last call of an operation at a place
        self.callers: dict[str, Call] = {}  # by the id of the child
        self.ended: set[str] = set()
        self.origins: dict[tuple[str, str], Position] = {}  # where something was done, by its key
        self.undoing = {(a.instance, a.send.key) for a in run.attempts if a.send.undo}
        self.again = {(a.instance, a.send.call, a.send.attempt): a.at for a in run.attempts} | {**run.due}
        self.detached = {a.send.key for a in run.attempts if a.send.kind == "start"}
        self.stopping: set[str] = set()  # instances in which a guard waits for calls to end
        self.undone: list[str] = []
        self.left: dict[tuple[str, str], str] = {}  # undos that have failed
        self.root = next(iter(run.instances), "")
        self.at, self.index = run.start, 0

    # -- in order

    def tell(self) -> tuple[Line, ...]:
        extras: list[tuple[int, Remark | Rest]] = [
            *((remark.index, remark) for remark in self.run.remarks),
            *((rest.index, rest) for rest in self.run.rests),
        ]
        extras.sort(key=lambda item: item[0])
        for index, record in enumerate(self.run.records):
            while extras and extras[0][0] <= index:
                self._extra(extras.pop(0)[1])
            self.at, self.index = record.at, index
            self._record(record)
        for _, extra in extras:
            self._extra(extra)
        self._rest_of_it()
        return self._lines()

    def _lines(self) -> tuple[Line, ...]:
        made: list[Line] = []
        for row in self.rows:
            if row.gone:
                continue
            line = Line(row.at - self.run.start, row.place.depth, row.marker, row.text, row.place.lanes)
            before = made[-1] if made else None
            if before is not None and passes_on(before, line):
                made[-1] = attrs.evolve(before, text=f"{before.text} → {line.text}")
            else:
                made.append(line)
        return shortened(made)

    def _add(self, marker: Marker, text: str, place: Position, instance: str = "", **more: Any) -> Row:  # noqa: ANN401 - fields of a row
        row = Row(self.at, place, marker, text, instance, **more)
        self.rows.append(row)
        caller = self.callers.get(instance)
        if caller is not None:
            caller.row.parts += 1
        return row

    def _note(self, record: Record, marker: Marker, text: str) -> Row:
        """A line about what happens at a node."""
        place = self.places.inside(record.instance, record.path, iteration_of(record))
        return self._add(marker, text, place, record.instance)

    def _last(self, instance: str, marker: Marker) -> Row | None:
        """The last line of an instance, if it is of that kind and of this instant."""
        for row in reversed(self.rows):
            if row.gone or row.instance != instance:
                continue
            return row if row.marker == marker and row.at == self.at else None
        return None

    def _extra(self, extra: Remark | Rest) -> None:
        self.at = extra.at
        if isinstance(extra, Rest):
            if extra.ended != extra.at:
                place = self.places.inside(extra.instance, extra.path, extra.iteration)
                row = self._add("wait", extra.text, place, extra.instance)
                row.taken = extra.ended is not None
            return
        marker: Marker = "operator" if extra.kind == "operator" else "error"
        self._add(marker, extra.text, self.places.base(extra.instance), extra.instance)

    def _record(self, record: Record) -> None:
        match record.kind:
            case "started":
                self._started(record)
            case "entered":
                place = self.places.node(record.instance, record.path, iteration_of(record))
                self._add("node", record.path.rpartition(".")[2], place, record.instance)
            case "called":
                self._called(record)
            case "answered":
                self._answered(record)
            case "attempt failed":
                self._attempt_failed(record)
            case "raised":
                self._raised(record)
            case "tolerated" | "parked":
                self._given_up(record)
            case "event received" | "event consumed" | "event dropped" | "emitted":
                self._event(record)
            case "guard fired":
                self._fired(record)
            case "interrupted":
                self._interrupted(record)
            case "undone" | "child undone" | "undo failed":
                self._undone(record)
            case "dead letter":
                self._letter(record)
            case "completed" | "failed":
                self._ended(record)
            case _:
                self._told(record)

    def _told(self, record: Record) -> None:
        """What is one line by itself."""
        match record.kind:
            case "pivot":
                self._note(record, "pivot", "the point of no return")
            case "settled":
                self._note(record, "note", "what was done so far is final")
            case "audit":
                self._note(record, "note", f"“{record.get('text')}”")
            case "sla warned":
                self._note(record, "time", f"soon late: {record.get('sla')}")
            case "sla breached":
                self._note(record, "time", f"late: {record.get('sla')}")
            case "lock lost":
                self._note(record, "error", "the lock got lost")
            case "late answer":
                self._note(record, "note", "an answer comes too late")
            case _:
                pass

    # -- instances

    def _started(self, record: Record) -> None:
        workflow = str(record.get("workflow"))
        identity = record.instance
        caller = self.callers.get(identity) or self.callers.get(identity.rpartition("#")[0])
        if caller is not None:
            self.callers[identity] = caller
            self.places.begin(identity, workflow, caller.row.place.deeper())
            return
        lanes = () if identity == self.root else (Lane(f"{identity}:", 0, workflow),)
        self.places.begin(identity, workflow, Position(0, lanes))
        self._add("note", f"{identity.replace('/', ' ', 1)} starts", Position(0, lanes), identity)

    def _ended(self, record: Record) -> None:
        self.ended.add(record.instance)
        self._stop_open(record)
        caller = self.callers.get(record.instance)
        if caller is not None:
            return
        instance = self.run.instances.get(record.instance)
        done = record.kind == "completed"
        told = ["done" + value_of(self.run.program, instance) if done else f"failed: {record.get('error')}"]
        if record.get("unconsumed"):
            told.append(f"not heard: {listed(record.get('unconsumed'))}")
        if record.instance == self.root:
            if self.undone:
                told.append(f"undone: {', '.join(repeated(self.undone))}")
            if self.left:
                told.append(f"not undone: {', '.join(repeated(list(self.left.values())))}")
        place = Position(0, self.places.base(record.instance).lanes)
        self._add("end" if done else "failed", "; ".join(told), place, record.instance)

    def _rest_of_it(self) -> None:
        """What an unfinished run waits for; waits that have not ended are told there."""
        self.at = max(self.at, self.run.now)
        while self.rows and self.rows[-1].marker == "wait" and not self.rows[-1].taken:
            self.rows.pop()
        for identity, instance in self.run.instances.items():
            if instance.status == "running":
                told = "; ".join(waits(self.run.program, instance, self.at))
                if told:
                    name = "" if identity == self.root else f"{instance.workflow} "
                    self._add("wait", name + told, Position(0), identity)

    # -- calls

    def _called(self, record: Record) -> None:
        operation, key = str(record.get("operation")), str(record.get("key"))
        iteration = iteration_of(record)
        place = self.places.inside(record.instance, record.path, iteration)
        marker: Marker = "call"
        undoes = ""
        if key in self.ended and key in self.callers:  # a completed child undoes itself
            marker, undoes = "undo", key
            place = self._undo_place(record.instance, key)
        elif (record.instance, key) in self.undoing and "/undo" in key:
            marker, undoes = "undo", key.rpartition("/undo")[0]
            place = self._undo_place(record.instance, undoes)
        row = self._add(marker, operation, place, record.instance, undoes=undoes, operation=operation)
        call = Call(row, operation, record.instance, record.path, iteration, key, record.at)
        self.calls.append(call)
        self.last[slot_of(record)] = call
        if operation in self.run.program.workflows and key not in self.detached:
            self.callers[key] = call
            if key in self.ended:
                self.places.begin(key, operation, place.deeper())
        if not undoes:
            self.origins[record.instance, key] = place

    def _undo_place(self, instance: str, key: str) -> Position:
        """An undo stands where its instance does, in the branch in which the thing was done."""
        base = self.places.base(instance)
        origin = self.origins.get((instance, key), base)
        return Position(0, origin.lanes) if len(origin.lanes) > len(base.lanes) else base.deeper()

    def _call_of(self, record: Record) -> Call | None:
        """The oldest call at this place that waits for an answer."""
        same = slot_of(record)
        for call in self.calls:
            if (call.instance, call.path, call.iteration, call.operation) == same:
                return call
        return None

    def _outcome(self, call: Call, marker: Marker, text: str, more: str = "") -> None:
        """The line of a call says how it went, or a new one does if others stand between."""
        row = call.row
        took = self.at - row.at
        text += (f" after {spaced_duration(took)}" if took and call.pending else "") + more
        alone = took == 0 or self.rows[-1] is row
        if call.pending and marker == "done" and row.parts and took == 0:
            row.marker = marker
        elif call.pending and alone and not row.parts:
            row.marker, row.text = marker, text
        else:
            call.row = self._add(marker, text, row.place, call.instance, undoes=row.undoes, operation=call.operation)
        call.pending = False

    def _answered(self, record: Record) -> None:
        call = self._call_of(record)
        if call is None:
            return
        self.calls.remove(call)
        attempts = record.get("attempts")
        more = f", at attempt {attempts}" if attempts else ""
        self._outcome(call, "undo" if call.row.undoes else "done", call.operation, more)

    def _attempt_failed(self, record: Record) -> None:
        call = self._call_of(record)
        if call is None:
            return
        call.attempts += 1
        error = str(record.get("error"))
        text = f"{call.operation}: {error}"
        detail = record.get("detail")
        if detail:
            text += f" ({detail})"
        number = record.get("attempt")
        again = [
            at
            for (instance, name, attempt), at in self.again.items()
            if instance == record.instance and name == record.get("call") and attempt % 1_000_000 == number + 1
        ]
        following = [at for at in again if at >= record.at]
        more = ""
        if following:
            pause = min(following) - record.at
            more = f", again in {spaced_duration(pause)}" if pause else ", again at once"
        self._outcome(call, "error", text, more)
        call.row.error, call.row.path = error, record.path

    def _raised(self, record: Record) -> None:
        error = str(record.get("error"))
        operation = record.get("operation")
        if operation is None:
            before = next((row for row in reversed(self.rows) if row.error and row.instance == record.instance), None)
            inside = f"{record.path}." if record.path else ""
            if (
                before is not None
                and before.error == error
                and before.path != record.path
                and before.path.startswith(inside)
            ):
                return  # it leaves a branch
            row = self._note(record, "error", f"fails: {error}" if error != "LockTimeout" else error)
            row.error, row.path = error, record.path
            return
        call = self._call_of(record)
        if call is None:
            self._note(record, "error", f"{operation}: {error}").error = error
            return
        self.calls.remove(call)
        if call.attempts and call.row.error == error and call.row.at <= self.at and not call.pending:
            if call.attempts > 1:
                call.row.text += f", given up after {counted(call.attempts, 'attempt')}"
        else:
            self._outcome(call, "error", f"{call.operation}: {error}")
        call.row.error, call.row.path = error, record.path

    def _given_up(self, record: Record) -> None:
        call = self.last.get(slot_of(record))
        if record.kind == "tolerated":
            if call is not None:
                call.row.text += ", goes on without it"
            return
        self._note(
            record, "wait", f"{record.get('operation')} is parked in {record.get('queue')}, for an operator"
        ).taken = True

    # -- events and guards

    def _event(self, record: Record) -> None:
        name = str(record.get("type"))
        place = self.places.base(record.instance)
        match record.kind:
            case "emitted":
                self._note(record, "event", f"emits {name}")
            case "event received":
                self._add("event", name, place, record.instance)
            case "event consumed":
                row = self._last(record.instance, "event")
                if row is None or row.text != name:
                    row = self._add("event", f"{name}, which came before", place, record.instance)
                row.taken = True
            case _:
                row = self._last(record.instance, "event") or self._add("event", name, place, record.instance)
                row.text += ", which nobody waits for" if row.text == name else ""
                row.taken = True

    def _fired(self, record: Record) -> None:
        label = str(record.get("guard"))
        kind = label.partition(" ")[0]
        row = self._last(record.instance, _FIRED.get(kind, "time"))
        place = self.places.guard(record.instance, record.path, label, iteration_of(record))
        if kind == "catch" and row is not None:
            row.text += f"; {label}"
        elif kind == "on" and row is not None:
            row.place = place
        else:
            row = self._add("time", label, place, record.instance)
        following = (r for r in self.run.records[self.index :] if r.kind == "interrupted" and r.get("guard") == label)
        stopped = next((each for each in following if each.instance == record.instance), None)
        if stopped is None or stopped.at == self.at:
            return
        busy = [call.operation for call in self.calls if self._is_inside(call, stopped)]
        if busy:
            row.text += f"; waits for {listed(repeated(busy))} to end"
            self.stopping.add(record.instance)

    def _interrupted(self, record: Record) -> None:
        stopped = self._stop_open(record)
        if not stopped:
            return
        names = listed(repeated(stopped))
        for marker in _CAUSES:
            row = self._last(record.instance, marker)
            if row is not None:
                row.text += f"; stops {names}"
                return
        text = f"no answer from {names}" if record.instance in self.stopping else f"stops {names}"
        self._note(record, "note", text)

    def _stop_open(self, record: Record) -> list[str]:
        """Calls inside a node that get no answer any more."""
        found = []
        for call in list(self.calls):
            if self._is_inside(call, record) and not self._has_outcome(call):
                self.calls.remove(call)
                found.append(call.operation)
        return found

    def _is_inside(self, call: Call, record: Record) -> bool:
        """Whether a call is part of what is stopped at a node."""
        inside = f"{call.path}.".startswith(f"{record.path}." if record.path else "")
        iteration = iteration_of(record)
        same = call.instance == record.instance and call.iteration[: len(iteration)] == iteration
        return same and inside and not call.row.undoes

    def _has_outcome(self, call: Call) -> bool:
        """Whether an answer is still recorded."""
        slot = (call.instance, call.path, call.iteration, call.operation)
        kinds = ("called", "answered", "raised", "attempt failed")
        later = (each for each in self.run.records[self.index + 1 :] if each.kind in kinds and slot_of(each) == slot)
        following = next(later, None)
        return following is not None and following.kind != "called"

    # -- undo

    def _undone(self, record: Record) -> None:
        name, key = str(record.get("operation")), str(record.get("key"))
        own = [row for row in self.rows if row.undoes == key and row.instance == record.instance and not row.gone]
        if record.kind == "undo failed":
            self._undo_failed(record, name, key)
            return
        self.left.pop((record.instance, key), None)
        for call in [call for call in self.calls if call.row.undoes == key and call.instance == record.instance]:
            self.calls.remove(call)
        if record.kind == "child undone":
            for row in own:
                row.text = f"undoes {row.operation}"
                row.gone = row.gone or not row.parts
            return
        self.undone.append(name)
        hand = record.get("by")
        calls = [row for row in own if row.marker == "undo"]
        if len(calls) == 1 and not hand:
            calls[0].text = f"{name} undone by {calls[0].text}"
        else:
            text = f"{name} undone" + (" by an operator" if hand else "")
            self._add("undo", text, self._undo_place(record.instance, key), record.instance)
        for row in own:
            row.undoes = ""

    def _undo_failed(self, record: Record, name: str, key: str) -> None:
        error = record.get("error")
        self.left[record.instance, key] = name
        text = f"nobody knows whether {name} was done" if error == "in doubt" else f"{name} is not undone: {error}"
        self._add("error", text, self._undo_place(record.instance, key), record.instance)
        for row in self.rows:
            if row.undoes == key:
                row.undoes = ""

    def _letter(self, record: Record) -> None:
        queue, key = record.get("queue"), str(record.get("key"))
        if (record.instance, key) in self.left:
            row = self._last(record.instance, "error")
            if row is not None:
                row.text += f"; a dead letter in {queue}"
                self.left[record.instance, key] += f" (a dead letter in {queue})"
                return
        self._note(record, "error", f"{record.get('operation')}: a dead letter in {queue}")
