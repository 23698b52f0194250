// A query decides nothing. It may come with events that no task of its workflow has taken yet; the SDK then applies them on
// the way, with the time of the task before, and whoever reads the history later comes to something else: the instance could
// never go on. So such a query fails, with which the SDK forgets what it made of the instance. Who asks, asks again.

import type { WorkflowInterceptors } from "@temporalio/workflow";
import { TOO_EARLY } from "./wfc-wire.js";

/** For the `workflowModules` of a worker; `workerOf` sees to that, unless it is given a bundle. */
export const interceptors = (): WorkflowInterceptors => {
  let task: { readonly key: string; readonly length: number } | undefined;
  return {
    internals: [
      {
        activate: (input, next) => {
          const { timestamp, historySizeBytes, historyLength, jobs } = input.activation;
          const isQuery = jobs?.every(
            ({ queryWorkflow: query }) => query !== undefined && query !== null,
          );
          if (input.batchIndex === 0 && isQuery === false) {
            const size = String(historySizeBytes ?? 0);
            const key = `${String(timestamp?.seconds)}.${String(timestamp?.nanos)}/${size}`; // new in each task
            const length = historyLength ?? 0;
            const isEarly = size !== "0" && task?.key === key && length > task.length;
            if (isEarly) throw new Error(TOO_EARLY);
            task = { key, length };
          }
          next(input);
        },
      },
    ],
  };
};
