"""An instance as people and tools see it from outside: where it stands, what it waits for, who has to act."""

from collections.abc import Mapping
from typing import Any

from wfc.machine.instance import Instance
from wfc.machine.messages import Send
from wfc.machine.program import Program
from wfc.machine.status import places, waits
from wfc.machine.store import pack


def status_of(program: Program, instance: Instance, tasks: Mapping[str, Send]) -> dict[str, Any]:
    """Plain data: `status`, `places`, `waits`, `tasks`, `parked`, `letters`, and what it has ended with."""
    workflow = program.workflows[instance.workflow]
    write = program.boundary.write
    return {
        "instance": instance.id,
        "workflow": instance.workflow,
        "process": program.machine.process,
        "version": instance.version,
        "status": instance.status,
        "value": write(instance.value, workflow.result) if instance.status == "done" else None,
        "error": pack(instance.error),
        "places": places(program, instance),
        "waits": list(waits(program, instance, instance.now)),
        "now": instance.now,
        "tasks": [_task(program, send) for send in tasks.values()],
        "parked": _parked(instance),
        "letters": [
            {
                "key": letter.key,
                "queue": letter.queue,
                "operation": letter.operation or letter.name,
                "attempts": letter.attempts,
                "errors": pack(letter.errors),
            }
            for letter in instance.letters.values()
        ],
    }


def _task(program: Program, send: Send) -> dict[str, Any]:
    operation = program.operations[send.target]
    shown = {
        param.name: program.boundary.write(value, param.type)
        for param, value in zip(operation.params, send.args, strict=True)
    }
    return {"key": send.key, "task": send.target, "assign": pack(send.assign), "args": shown}


def _parked(instance: Instance) -> list[dict[str, Any]]:
    found = [fiber.call for fiber in instance.fibers.values()]
    return [
        {
            "key": call.key,
            "operation": call.target,
            "attempts": call.attempt,
            "queue": call.policy.queue if call.policy is not None else "",
        }
        for call in found
        if call is not None and call.state == "parked"
    ]
