"""How a worker runs workflows: an instance must come to the same whoever reads its history, and whoever looks at it.

A query may come with events that no task of its workflow has taken yet. The SDK applies them on the way, with the time
of the task before, and keeps what comes of it; the task that follows brings only what is left. Whoever reads the
history later sees all of it at once, comes to something else, and the instance can never go on. So such a query fails
here, with which the SDK forgets what it made of the instance. Who asks, asks again.

What comes with one task is also looked at together, before the workflow goes on: the order of one instant is that of
the language, and not signals first.
"""

from collections.abc import Callable

from temporalio import workflow
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner

TOO_EARLY = "something has just come that no task has taken yet: ask again"
AS_ONE_BATCH = 2  # the SDK's flag for it; it will be on by default in later releases

Activate = Callable[[WorkflowActivation], WorkflowActivationCompletion]


class Runner(WorkflowRunner):
    """Runs workflows in the process of the worker, as the SDK does, with the two rules above."""

    def __init__(self) -> None:
        self._plain = UnsandboxedWorkflowRunner()

    def prepare_workflow(self, defn: workflow._Definition) -> None:
        """Looks at a workflow when a worker starts."""
        self._plain.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """One instance in memory."""
        found = self._plain.create_instance(det)
        found.activate = _watched(found.activate)  # type: ignore[method-assign,assignment]  # a class of our own would need the SDK's private types
        return found


def _watched(activate: Activate) -> Activate:
    task: tuple[int, int, int] | None = None  # time, size of the history, its length: all new in each task

    def watched(given: WorkflowActivation) -> WorkflowActivationCompletion:
        nonlocal task
        if any(job.WhichOneof("variant") not in ("query_workflow", "remove_from_cache") for job in given.jobs):
            now = given.timestamp.ToNanoseconds(), given.history_size_bytes, given.history_length
            if task is not None and task[1] > 0 and now[:2] == task[:2] and now[2] > task[2]:
                early = WorkflowActivationCompletion(run_id=given.run_id)
                early.failed.failure.message = TOO_EARLY
                return early
            task = now
        if AS_ONE_BATCH not in given.available_internal_flags:
            given.available_internal_flags.append(AS_ONE_BATCH)
        return activate(given)

    return watched
