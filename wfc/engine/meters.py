"""What is counted and timed, by the meter of Temporal: it does not count again what is replayed.

Names begin with `wfc_`, and are those of Prometheus. The worker exports them (`wfc worker --metrics`, `--otlp`).
"""

from collections.abc import Iterable

from temporalio import workflow

from wfc.machine.instance import Instance
from wfc.machine.messages import DeadLetter, Measured, Record
from wfc.machine.program import Program

SECOND = 1_000  # milliseconds

_COUNTED = {
    "started": ("wfc_started", "instances that have begun"),
    "called": ("wfc_calls", "calls that have begun"),
    "attempt failed": ("wfc_attempts_failed", "attempts that have failed"),
    "undone": ("wfc_undone", "compensations that have run"),
    "undo failed": ("wfc_undo_failed", "compensations that have failed for good"),
    "parked": ("wfc_parked", "steps that wait for an operator"),
    "sla warned": ("wfc_sla_warned", "promises that are about to be broken"),
    "sla breached": ("wfc_sla_breached", "promises that are broken"),
    "lock lost": ("wfc_locks_lost", "locks that were lost"),
    "migrated": ("wfc_migrated", "instances that have gone on in another version"),
}


class Meters:
    """The meters of one instance."""

    def __init__(self, program: Program, name: str) -> None:
        self.program = program
        self.meter = workflow.metric_meter().with_additional_attributes({"workflow": name})
        self._entered: dict[str, int] = {}
        self._begun = 0

    def saw(self, records: Iterable[Record]) -> None:
        """Counts what a turn has written down."""
        for record in records:
            counted = _COUNTED.get(record.kind)
            if counted is not None:
                more = {name: str(record.get(name)) for name in ("operation", "error", "sla") if record.get(name)}
                self.meter.create_counter(*counted).add(1, more)
            if record.kind == "started":
                self._begun = record.at
            elif record.kind == "entered" and not record.get("scope"):
                self._entered[record.path] = record.at
            elif record.kind == "left" and record.path in self._entered:
                taken = record.at - self._entered.pop(record.path)
                timer = self.meter.create_histogram_float("wfc_state_time", "time spent in a node", "s")
                timer.record(taken / SECOND, {"node": record.path})

    def ended(self, instance: Instance) -> None:
        """An instance has ended."""
        end = instance.status if instance.error is None else str(instance.error["is"])
        self.meter.create_counter("wfc_ended", "instances that have ended").add(1, {"end": end})
        if self._begun:
            timer = self.meter.create_histogram_float("wfc_instance_time", "time from start to end", "s")
            timer.record((instance.now - self._begun) / SECOND, {"end": end})

    def letter(self, letter: DeadLetter) -> None:
        """A dead letter was written."""
        more = {"queue": letter.queue, "operation": letter.operation}
        self.meter.create_counter("wfc_dead_letters", "dead letters written").add(1, more)

    def measured(self, command: Measured) -> None:
        """The program measures something."""
        metric = next(each for each in self.program.machine.metrics if each.name == command.metric)
        name = f"wfc_measure_{metric.name.rpartition('.')[2]}"
        value = float(command.value) if command.value is not None else 1.0
        match metric.kind:
            case "counter":
                self.meter.create_counter(name, metric.doc).add(int(value))
            case "gauge":
                self.meter.create_gauge_float(name, metric.doc).set(value)
            case "histogram":
                self.meter.create_histogram_float(name, metric.doc).record(value)
