// The worker: performs attempts with the activities of the user, and runs the workflows.

import { fileURLToPath } from "node:url";
import { Context } from "@temporalio/activity";
import { Worker, type InjectedSinks, type WorkerOptions } from "@temporalio/worker";
import type { AuditRecord, DeadLetter, Send, WorkflowEvent } from "../wfc-runtime/wfc-runtime.js";
import { val } from "../wfc-runtime/wfc-runtime.js";
import { described, perform, type Answer, type NodeContext } from "./wfc-attempt.js";
import { listeners } from "./wfc-client.js";
import { Clock } from "./wfc-clock.js";
import { Traffic, type Flight } from "./wfc-traffic.js";
import {
  EVENT,
  QUEUE,
  pack,
  unpack,
  type Fact,
  type Outcome,
  type Told,
  type Watchers,
} from "./wfc-wire.js";

export { NotSent, Stopped, type NodeContext } from "./wfc-attempt.js";

export interface Settings {
  /** The file whose `default` is what `hosted` has made, as JavaScript. Not needed with `worker.workflowBundle`. */
  readonly workflowsPath?: string;
  /** What the workflows call: an object with a member for each service. */
  readonly activities: object;
  /** The values of secrets, by name. */
  readonly secrets?: Readonly<Record<string, unknown>>;
  readonly taskQueue?: string;
  /** What is told while workflows run: it may be told twice, or not at all if a worker is lost. */
  readonly onAudit?: (record: AuditRecord) => unknown;
  readonly onDeadLetter?: (instance: string, letter: DeadLetter) => unknown;
  readonly onMeasure?: (metric: string, value: unknown) => unknown;
  /** Facts that workflows emit; instances hear them by themselves. It is told at least once, and again if it throws. */
  readonly onEmit?: (event: WorkflowEvent) => unknown;
  /** Anything else that Temporal's worker knows: the connection, the namespace, how much at once. */
  readonly worker?: Partial<WorkerOptions>;
}

const GUARD = fileURLToPath(new URL("./wfc-guard.js", import.meta.url));
const BEAT = 2_000; // milliseconds between two signs of life of an attempt
const FAILURES: readonly unknown[] = ["Timeout", "Unavailable"];

/** A worker for the workflows of a program. `run` it. */
export async function workerOf(settings: Settings): Promise<Worker> {
  const { workflowsPath, taskQueue = QUEUE, worker = {} } = settings;
  const attempts = new Attempts(settings);
  const { onAudit, onDeadLetter, onMeasure } = settings;
  const sinks: InjectedSinks<Watchers> = {
    wfc: {
      audit: {
        fn: async (_, record) => {
          await onAudit?.(unpack(record) as AuditRecord);
        },
      },
      deadLetter: {
        fn: async (_, instance, letter) => {
          await onDeadLetter?.(instance, unpack(letter) as DeadLetter);
        },
      },
      measure: {
        fn: async (_, metric, value) => {
          await onMeasure?.(metric, unpack(value));
        },
      },
    },
  };
  return Worker.create({
    // How soon an attempt learns that it is to stop.
    maxHeartbeatThrottleInterval: BEAT,
    ...worker,
    taskQueue,
    ...(workflowsPath === undefined ? {} : { workflowsPath }),
    sinks: { ...worker.sinks, ...sinks },
    interceptors: {
      ...worker.interceptors,
      workflowModules: [...(worker.interceptors?.workflowModules ?? []), GUARD],
    },
    activities: {
      ...worker.activities,
      default: async (told: Told) => attempts.make(told),
      "wfc.deliver": async (fact: Fact) => attempts.deliver(fact),
    },
  });
}

/** Makes the attempts of a worker, with the breakers, limits and queues that they share. */
class Attempts {
  readonly #settings: Settings;
  readonly #traffic = new Traffic(new Clock());

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** One attempt. It always answers; being asked to stop is told to the user's code, which may go on. */
  async make(told: Told): Promise<Outcome> {
    const context = Context.current();
    const beating = setInterval(() => {
      context.heartbeat();
    }, BEAT);
    const send = sendOf(told);
    const stopping = new AbortController();
    context.cancellationSignal.addEventListener("abort", () => {
      // A worker that shuts down waits for what is under way.
      if (context.cancellationDetails?.workerShutdown !== true) stopping.abort();
    });
    try {
      const flight = await this.#departure(`${told.instance}/${told.call}`, send, stopping.signal);
      if (flight === "stopped") return { kind: "cancelled" };
      if (flight === undefined)
        return { kind: "system", value: "Unavailable", sent: false, detail: "the breaker is open" };
      if (told.beats) clearInterval(beating); // from now on the user's code does it
      const given: NodeContext = {
        key: told.key,
        attempt: told.attempt,
        signal: stopping.signal,
        heartbeat: () => {
          context.heartbeat();
        },
      };
      const answer = await this.#timed(send, given);
      const isUnknown = stopping.signal.aborted && answer.how === "cancelled";
      stopping.abort(); // from now on nobody waits, and code that is late may still go on
      const hasFailed = answer.how === "system" && FAILURES.includes(answer.value);
      await this.#traffic.over(flight, hasFailed ? "failed" : isUnknown ? "unknown" : "answered");
      const { how: kind, value, sent, detail } = answer;
      return {
        kind,
        value: pack(value),
        ...(sent === undefined ? {} : { sent }),
        ...(detail === undefined ? {} : { detail }),
      };
    } finally {
      clearInterval(beating);
    }
  }

  /** Waits until the attempt may be sent. Nothing: the breaker is open. */
  async #departure(
    call: string,
    send: Send,
    signal: AbortSignal,
  ): Promise<Flight | "stopped" | undefined> {
    return new Promise((resolve) => {
      const way: { flight?: Flight | undefined; hasLeft?: boolean } = {};
      const leave = (): void => {
        way.hasLeft = true;
        if (way.flight !== undefined) resolve(way.flight);
      };
      way.flight = this.#traffic.send(call, send, leave);
      if (way.flight === undefined || way.hasLeft === true) {
        resolve(way.flight);
        return;
      }
      const { flight } = way;
      signal.addEventListener("abort", () => {
        if (way.hasLeft === true) return;
        void this.#traffic.over(flight, "unknown");
        resolve("stopped");
      });
    });
  }

  /** The answer of an attempt, within its time. */
  async #timed(send: Send, context: NodeContext): Promise<Answer> {
    const { activities, secrets = {} } = this.#settings;
    const working = perform(activities, secrets, send, context);
    const { timeoutMs } = send;
    if (timeoutMs === undefined) return working;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<Answer>((resolve) => {
      timer = setTimeout(() => {
        resolve({ how: "system", value: "Timeout", sent: true });
      }, timeoutMs);
    });
    try {
      return await Promise.race([working, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Hands a fact to all running instances that it is meant for, and to whoever takes it outside. */
  async deliver({ type, data, key, from, listeners: names }: Fact): Promise<void> {
    const { client } = Context.current();
    await this.#settings.onEmit?.({ type, data: unpack(data) });
    if (key === null) return;
    for await (const id of listeners(client, names, key)) {
      if (id === from) continue;
      try {
        await client.workflow.getHandle(id).signal(EVENT, { type, data });
      } catch (error) {
        Context.current().log.debug(`\`${id}\` does not hear ${type}: ${described(error)}`);
      }
    }
  }
}

/** An attempt as the code shared with the host on Node knows it. */
function sendOf(told: Told): Send {
  const { call, attempt, target, key, policy, undo } = told;
  const args = (unpack(told.args) as unknown[]).map((arg, i) => {
    const secret = told.secrets[i];
    return secret === undefined ? arg : val.secret(secret);
  });
  return {
    kind: "send",
    what: "activity",
    call,
    attempt,
    target,
    key,
    args,
    policy,
    undo,
    timeoutMs: told.timeoutMs ?? undefined,
    breaker: told.breaker ?? undefined,
    limit: told.limit ?? undefined,
    concurrency: told.concurrency ?? undefined,
  };
}
