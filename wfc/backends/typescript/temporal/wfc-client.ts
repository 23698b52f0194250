// What other programs do with instances: start, look, send events, act as an operator or on a task.

import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  WorkflowNotFoundError,
  type Client,
  type WorkflowHandle,
} from "@temporalio/client";
import {
  Misfit,
  type AnyError,
  type AuditRecord,
  type Operation,
  type Workflow,
} from "../wfc-runtime/wfc-runtime.js";
import * as wire from "./wfc-wire.js";
import { pack, unpack, type Begin } from "./wfc-wire.js";

const [SOON_MS, LATE_MS] = [10, 5_000]; // between two questions whether something was taken
const AGAIN = 50; // questions that came too early

/** Why something was refused. It then changes nothing. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly reason: string;
  constructor(reason: string, text: string) {
    super(`${reason}: ${text}`);
    this.reason = reason;
  }
}

/** How an instance is started. */
export interface Terms {
  readonly taskQueue?: string;
  /** For a workflow that names none; else a new one is made. */
  readonly key?: string;
  /** The name of the process, by which `wfc status --process` finds it; else that of the workflow. */
  readonly process?: string;
  /** False: the server does not know the attributes `WfcKey`, `WfcProcess` and `WfcWaits`. */
  readonly attributes?: boolean;
}

/** Where an instance stands. */
export interface Status {
  readonly instance: string;
  readonly status: "running" | "done" | "failed";
  readonly value: unknown;
  readonly error: AnyError | null;
  readonly places: readonly string[];
  readonly waits: readonly string[];
  readonly tasks: readonly {
    readonly key: string;
    readonly task: string;
    readonly assign: unknown;
    readonly args: readonly unknown[];
  }[];
  readonly parked: readonly { readonly key: string; readonly operation: string }[];
  readonly letters: readonly { readonly key: string; readonly operation: string }[];
}

/** Starts an instance; its id is `workflow/key`. One that runs already is refused. */
export async function start<I>(
  client: Client,
  workflow: Workflow<I, unknown>,
  input: I,
  terms: Terms = {},
): Promise<WorkflowHandle> {
  const { taskQueue = wire.QUEUE, process = workflow.name, attributes = true } = terms;
  const own = keyOf(workflow, input);
  const key = own ?? terms.key ?? randomUUID();
  const instance = `${workflow.name}/${String(key)}`;
  const begin: Begin = {
    format: wire.FORMAT,
    machine: "",
    workflow: workflow.name,
    version: workflow.version,
    instance,
    key,
    data: pack(input),
    parent: null,
    attributes,
  };
  try {
    return await client.workflow.start(workflow.name, {
      args: [begin],
      workflowId: instance,
      taskQueue,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
      staticSummary: `${process}, version ${String(workflow.version)}`,
      ...(attributes ? { typedSearchAttributes: wire.attributesOf(begin, process) } : {}),
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new Refused("already-running", `\`${instance}\` is running already`);
  }
}

/** The key that a workflow gives to an instance. */
function keyOf<I>(workflow: Workflow<I, unknown>, input: unknown): string | number | undefined {
  try {
    const read = workflow.parse(input);
    return workflow.key?.(read);
  } catch (error) {
    if (error instanceof Misfit) throw new Refused("wrong-input", error.message);
    throw error;
  }
}

/** Delivers an event to an instance. */
export async function event(
  client: Client,
  instance: string,
  type: string,
  data: unknown,
): Promise<void> {
  await tell(client, instance, wire.EVENT, { type, data: pack(data) });
}

/** Answers a task of an instance, by its key. */
export async function answer(
  client: Client,
  instance: string,
  key: string,
  value?: unknown,
): Promise<void> {
  await tell(client, instance, wire.ANSWER_TASK, { key, kind: "value", value: pack(value) });
}

/** Answers a task with one of its errors. */
export async function refuse(
  client: Client,
  instance: string,
  key: string,
  error: AnyError,
): Promise<void> {
  await tell(client, instance, wire.ANSWER_TASK, { key, kind: "error", value: pack(error) });
}

/** An operator acts on a parked step or a dead letter, by its key, or cancels an instance. */
export async function operate(
  client: Client,
  instance: string,
  action: Operation["action"],
  key = "",
  value?: unknown,
): Promise<void> {
  await tell(client, instance, wire.OPERATE, { action, key, value: pack(value) });
}

/** Where an instance stands, and who has to act. */
export async function status(client: Client, instance: string): Promise<Status> {
  return ask<Status>(client.workflow.getHandle(instance), wire.STATUS);
}

/** The audit trail of an instance. */
export async function records(client: Client, instance: string): Promise<readonly AuditRecord[]> {
  const handle = client.workflow.getHandle(instance);
  const found: AuditRecord[] = [];
  for (;;) {
    const more = await ask<unknown[]>(handle, wire.RECORDS, found.length);
    if (more.length === 0) return found;
    found.push(...more.map((record) => unpack(record) as AuditRecord));
  }
}

/** Tells an instance something that it may refuse. It is kept, and taken once, also if no worker is there now. */
async function tell(client: Client, instance: string, name: string, told: object): Promise<void> {
  const handle = client.workflow.getHandle(instance);
  const id = randomUUID();
  try {
    await handle.signal(name, { ...told, id });
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new Refused("not-running", `\`${instance}\` does not run`);
  }
  for (let pause = SOON_MS; pause < LATE_MS; pause *= 2) {
    const taken = await ask<wire.Taken>(handle, wire.TAKEN, id);
    if (taken?.reason !== undefined) throw new Refused(taken.reason, taken.text ?? "");
    if (taken !== null) return;
    await delay(pause);
  }
  throw new Refused(
    "worker",
    `\`${instance}\` has been told, but does not say whether it takes that`,
  );
}

/** What a query is answered; one that came too early is asked again. */
async function ask<T>(handle: WorkflowHandle, query: string, ...args: unknown[]): Promise<T> {
  for (let left = AGAIN; ; left -= 1) {
    try {
      return await handle.query<T, unknown[]>(query, ...args);
    } catch (error) {
      if (left === 0 || !String(error).includes(wire.TOO_EARLY)) throw error;
    }
    await delay(SOON_MS);
  }
}

/** The ids of running instances that an event with a key is meant for: those started by name, then their children. */
export async function* listeners(
  client: Client,
  names: readonly string[],
  key: string | number,
): AsyncGenerator<string> {
  const roots = names.map((name) => `${name}/${String(key)}`);
  yield* roots;
  const quoted = String(key).replaceAll("\\", "\\\\").replaceAll("'", "\\'");
  const query = `${wire.KEY.name} = '${quoted}' AND ExecutionStatus = 'Running'`;
  for await (const { workflowId, type } of client.workflow.list({ query }))
    if (names.includes(type) && !roots.includes(workflowId)) yield workflowId;
}
