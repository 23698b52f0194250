"""The part of a machine that can run: a workflow whose operations are parameters cannot, before they are given."""

from wfc.ir.machine import Do, Machine, Start
from wfc.ir.walk import region_steps
from wfc.text.value import changed


def runnable(machine: Machine) -> Machine:
    """The machine without workflows that call what it does not have, and without those that call one of these."""
    known = {operation.name for operation in machine.operations}
    left = list(machine.workflows)
    while True:
        names = known | {workflow.name for workflow in left}
        whole = [
            workflow
            for workflow in left
            if all(step.target in names for step in region_steps(workflow.region) if isinstance(step, Do | Start))
        ]
        if len(whole) == len(left):
            return machine if len(left) == len(machine.workflows) else changed(machine, workflows=tuple(left))
        left = whole
