// Does what the runtime asks for by Temporal's means: activities, timers, children, signals.
//
// Every attempt is an activity that always answers, whatever has happened; only the loss of a worker shows as a failure of
// Temporal. Then the same attempt is sent again, with the same key, if doing it twice does no harm; else it is an
// `Unavailable` of which nobody knows whether it was sent.

import { WorkflowExecutionAlreadyStartedError } from "@temporalio/common";
import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  getExternalWorkflowHandle,
  proxyActivities,
  proxySinks,
  sleep,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
  type ActivityOptions,
} from "@temporalio/workflow";
import {
  Misfit,
  val,
  type AnyError,
  type Command,
  type Instance,
  type Send,
  type WorkflowEvent,
} from "../wfc-runtime/wfc-runtime.js";
import type { AnyWorkflow, Definitions, Given, TaskTold } from "./wfc-process.js";
import * as wire from "./wfc-wire.js";
import { pack, unpack, type Begin, type ChildEnd, type Outcome, type Parent } from "./wfc-wire.js";

/** What hands need of their instance. */
export interface Home {
  readonly id: string;
  readonly begin: Begin;
  readonly definitions: Definitions;
  readonly instance: Instance<unknown, unknown>;
  readonly wasStopped: boolean;
  /** The recorded time. */
  readonly now: number;
  /** An input has come; it is told the time when it is its turn. */
  arrive(given: Given): void;
  /** A timer says that it is so late, whatever the clock says: what is due must not depend on its last digit. */
  reached(at: number): void;
}

const LOST = 10_000; // silence after which a worker counts as lost
const ENDLESS = "3650 days"; // the worker itself ends an attempt whose time is over, once it has begun
const AGAIN = { initialInterval: 1_000, maximumInterval: 30_000 };
const SYSTEM: readonly string[] = [
  "Timeout",
  "Unavailable",
  "Invalid",
  "LockTimeout",
  "LockLost",
  "AlreadyRunning",
];

type Ended = Extract<Command, { readonly kind: "ended" }>;
type Perform = Record<string, (told: wire.Told) => Promise<Outcome>>;
interface Deliver {
  "wfc.deliver": (fact: wire.Fact) => Promise<void>;
}
type Child = (begin: Begin) => Promise<unknown>;

const watchers = proxySinks<wire.Watchers>();

/** What an instance has under way outside. */
export class Hands {
  /** The parent that waits until this completed child has undone itself. */
  undoer: Parent | undefined;
  readonly #home: Home;
  readonly #tasks = new Map<string, Send>();
  readonly #attempts = new Map<string, CancellationScope>();
  /** The child that a call waits for, and its start. */
  readonly #callees = new Map<string, { readonly id: string; readonly start: Promise<void> }>();
  /** Completed children that can undo themselves. */
  readonly #kept = new Set<string>();
  #alarm: number | undefined;
  #timer: { readonly at: number; readonly scope: CancellationScope } | undefined;
  #waits: readonly string[] = [];
  #work = 0;

  constructor(home: Home) {
    this.#home = home;
  }

  /** Whether something has been asked for that is not done. */
  get isBusy(): boolean {
    return this.#work > 0;
  }

  /** Does something, while everything goes on. */
  #do(work: () => Promise<void>): Promise<void> {
    this.#work += 1;
    return work().finally(() => {
      this.#work -= 1;
    });
  }

  /* -- commands */

  /** Does what a turn has asked for. */
  obey(commands: readonly Command[]): void {
    for (const command of commands) this.#obey(command);
    const { instance, now: at } = this.#home;
    for (const [call, { attempt }] of this.#tasks)
      if (instance.refusal({ kind: "beat", at, call, attempt }) !== undefined)
        this.#tasks.delete(call); // it has been answered
    this.#setTimer();
    this.#show();
  }

  #obey(command: Command): void {
    switch (command.kind) {
      case "record":
        watchers.wfc.audit(pack(command.record));
        return;
      case "send":
        this.#send(command);
        return;
      case "stop":
        this.#stop(command.call, command.attempt);
        return;
      case "alarm":
        this.#alarm = command.at;
        return;
      case "lock":
      case "unlock":
        throw new Error("locks are not for this host: the compiler has refused them");
      case "emitted":
        void this.#emit(command.event);
        return;
      case "measured":
        watchers.wfc.measure(command.metric, pack(command.value));
        return;
      case "dead letter":
        watchers.wfc.deadLetter(this.#home.id, pack(command.letter));
        return;
      case "ended":
        this.#ended(command);
    }
  }

  #send(send: Send): void {
    switch (send.what) {
      case "activity":
      case "query":
        void this.#attempt(send);
        return;
      case "task":
        this.#tasks.set(send.call, send);
        return;
      case "workflow":
      case "start":
        this.#callees.set(send.call, { id: send.key, start: this.#do(() => this.#child(send)) });
        return;
      case "undo":
        this.#undo(send);
    }
  }

  /** Asks an attempt to stop: it answers when it has. */
  #stop(call: string, attempt: number): void {
    if (this.#tasks.delete(call)) return;
    const scope = this.#attempts.get(`${call}#${String(attempt)}`);
    if (scope !== undefined) {
      scope.cancel();
      return;
    }
    const callee = this.#callees.get(call);
    if (callee === undefined) return;
    void this.#do(async () => {
      await callee.start;
      await this.#signal(callee.id, wire.STOP);
    });
  }

  #answer(call: string, attempt: number, outcome: Outcome, incomplete = false): void {
    const { kind: how, value, sent = true, detail = "" } = outcome;
    this.#home.arrive({
      kind: "answered",
      call,
      attempt,
      how,
      value: unpack(value),
      sent,
      detail,
      chance: Math.random(), // Temporal's, which is the same in a replay
      incomplete,
    });
  }

  /* -- attempts */

  async #attempt(send: Send): Promise<void> {
    const { call, attempt } = send;
    const place = `${call}#${String(attempt)}`;
    const scope = new CancellationScope({ cancellable: true });
    this.#attempts.set(place, scope);
    await this.#do(async () => {
      const outcome = await scope.run(() => this.#perform(send)).catch(lostOf(send));
      this.#attempts.delete(place);
      this.#answer(call, attempt, outcome);
    });
  }

  async #perform(send: Send): Promise<Outcome> {
    const { target, key, call, attempt, args, policy, undo, path } = send;
    const { heartbeatMs, repeatable = false } = send;
    const hasRetries = repeatable && heartbeatMs === undefined;
    const options: ActivityOptions = {
      startToCloseTimeout: ENDLESS,
      heartbeatTimeout: heartbeatMs ?? LOST,
      retry: hasRetries ? AGAIN : { maximumAttempts: 1 },
      cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
      ...(path === undefined || path === "" ? {} : { summary: path }),
    };
    const secrets = args.flatMap((arg, i) => {
      const name = val.secretIn(arg);
      return name === undefined ? [] : [[i, name] as const];
    });
    const perform = proxyActivities<Perform>(options)[target];
    if (perform === undefined) throw new Error(`Temporal knows no activity \`${target}\``);
    return perform({
      instance: this.#home.id,
      target,
      key,
      call,
      attempt,
      args: args.map((arg) => (val.secretIn(arg) === undefined ? pack(arg) : null)),
      secrets: Object.fromEntries(secrets),
      policy,
      undo,
      timeoutMs: send.timeoutMs ?? null,
      beats: heartbeatMs !== undefined,
      breaker: send.breaker ?? null,
      limit: send.limit ?? null,
      concurrency: send.concurrency ?? null,
    });
  }

  /* -- tasks */

  /** The tasks that wait for an answer. */
  get openTasks(): readonly unknown[] {
    return [...this.#tasks.values()].map(({ key, target, assign, args }) => {
      return { key, task: target, assign: pack(assign), args: pack(args) };
    });
  }

  /** The answer of a person, if the task waits and it fits. */
  answerOf({ key, kind, value: packed }: TaskTold): Given {
    const task = [...this.#tasks.values()].find((each) => each.key === key);
    if (task === undefined) {
      throw ApplicationFailure.nonRetryable(`no task waits under \`${key}\``, "unknown-call");
    }
    const { call, attempt } = task;
    const given = unpack(packed);
    const value = kind === "error" && typeof given === "string" ? { is: given } : given;
    const wrong = this.#home.instance.misfit(call, attempt, kind, value);
    if (wrong !== undefined) throw ApplicationFailure.nonRetryable(wrong, "wrong-value");
    return { kind: "answered", call, attempt, how: kind, value, chance: 0 };
  }

  /* -- children */

  async #child(send: Send): Promise<void> {
    const { target, key, call, attempt, what } = send;
    const isDetached = what === "start";
    const { begin: own, definitions, id, now } = this.#home;
    const workflow = Object.hasOwn(definitions, target) ? definitions[target] : undefined;
    if (workflow === undefined) {
      const detail = `there is no workflow \`${target}\``;
      this.#answer(call, attempt, { kind: "system", value: "Unavailable", sent: false, detail });
      return;
    }
    const [input] = send.args;
    const process = workflowInfo().typedSearchAttributes.get(wire.PROCESS) ?? target;
    const begin: Begin = {
      format: wire.FORMAT,
      machine: own.machine,
      workflow: target,
      version: workflow.version,
      instance: key,
      key: keyOf(workflow, input) ?? key.slice(key.lastIndexOf("/") + 1),
      data: pack(input),
      parent: isDetached ? null : [id, call, attempt],
      attributes: own.attributes === true,
      at: now,
    };
    try {
      const child = await startChild<Child>(target, {
        args: [begin],
        workflowId: key,
        // A child whose parent is gone for good need not wait for it any more.
        parentClosePolicy: isDetached
          ? ParentClosePolicy.ABANDON
          : ParentClosePolicy.REQUEST_CANCEL,
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        cancellationType: ChildWorkflowCancellationType.ABANDON,
        staticSummary: target,
        ...(own.attributes === true
          ? { typedSearchAttributes: wire.attributesOf(begin, process) }
          : {}),
      });
      child.result().catch(() => undefined); // how it ends is told by itself
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      this.#answer(call, attempt, { kind: "system", value: "AlreadyRunning", sent: false });
      return;
    }
    if (isDetached) this.#answer(call, attempt, { kind: "value" });
  }

  /** A child has ended, or has undone itself. */
  childEnded({ id, call, attempt, outcome, incomplete, keeps }: ChildEnd): void {
    this.#callees.delete(call);
    if (keeps) this.#kept.add(id);
    else this.#kept.delete(id);
    this.#answer(call, attempt, outcome, incomplete);
  }

  /** A completed child is to undo itself; it has waited for that. */
  #undo({ key, call, attempt }: Send): void {
    if (!this.#kept.has(key)) this.#answer(call, attempt, { kind: "value" });
    else void this.#signal(key, wire.UNDO, [this.#home.id, call, attempt]);
  }

  /** Children that have waited need not any more. */
  async release(): Promise<void> {
    await Promise.all([...this.#kept].map((child) => this.#signal(child, wire.RELEASE)));
  }

  /* -- the end */

  /** Tells the parent that its child was refused. */
  async didNotStart(detail: string): Promise<void> {
    const { parent } = this.#home.begin;
    const outcome = { kind: "system", value: "AlreadyRunning", sent: false, detail } as const;
    await this.#tell(parent, outcome, false, false);
  }

  #ended({ how, value, incomplete }: Ended): void {
    const { begin, instance, wasStopped } = this.#home;
    if (how === "undone") void this.#tell(this.undoer, { kind: "value" }, incomplete, false);
    else {
      const outcome: Outcome =
        how === "done"
          ? { kind: "value", value: pack(value) }
          : failed(value as AnyError, wasStopped);
      void this.#tell(begin.parent, outcome, incomplete, how === "done" && instance.keeps);
    }
  }

  async #tell(
    parent: Parent | null | undefined,
    outcome: Outcome,
    incomplete: boolean,
    keeps: boolean,
  ): Promise<void> {
    if (parent === undefined || parent === null) return;
    const [instance, call, attempt] = parent;
    const told: ChildEnd = { id: this.#home.id, call, attempt, outcome, incomplete, keeps };
    await this.#signal(instance, wire.CHILD, told);
  }

  /* -- events and signals */

  /** A fact is heard by others, after this turn. */
  async #emit({ type, data }: WorkflowEvent): Promise<void> {
    const all = Object.values(this.#home.definitions);
    const heard = all.filter(({ events }) => Object.hasOwn(events, type));
    const spec = heard.map(({ events }) => events[type]).find((each) => each?.key !== undefined);
    const fact: wire.Fact = {
      type,
      data: pack(data),
      key: spec?.key?.(data as never) ?? null,
      from: this.#home.id,
      listeners: heard.map(({ name }) => name),
    };
    const deliver = proxyActivities<Deliver>({ startToCloseTimeout: 30_000, retry: AGAIN });
    await this.#do(() => deliver["wfc.deliver"](fact));
  }

  /** Tells another workflow something; one that has ended need not hear it. */
  async #signal(id: string, name: string, told?: unknown): Promise<void> {
    const args = told === undefined ? [] : [told];
    await this.#do(async () => {
      await getExternalWorkflowHandle(id)
        .signal(name, ...args)
        .catch(() => undefined);
    });
  }

  /* -- time */

  /** One timer, for the next instant; one that is set for an earlier one only wakes us. */
  #setTimer(): void {
    const at = this.#alarm;
    if (at === undefined || (this.#timer !== undefined && this.#timer.at <= at)) return;
    this.#timer?.scope.cancel();
    // Not `setTimeout`: what its handles mean is mixed up between instances of one worker (SDK 1.24).
    const scope = new CancellationScope({ cancellable: true });
    this.#timer = { at, scope };
    scope
      .run(() => sleep(Math.max(1, at - this.#home.now)))
      .then(
        () => {
          this.#woken(at);
        },
        () => undefined, // one for an earlier instant has taken its place
      );
  }

  #woken(at: number): void {
    this.#timer = undefined;
    this.#home.reached(at);
    if (this.#alarm !== undefined && this.#alarm <= at) this.#home.arrive({ kind: "time" });
    else this.#setTimer();
  }

  /* -- what is seen from outside */

  /** Tells by an attribute whether someone has to act. */
  #show(): void {
    const { begin, instance } = this.#home;
    if (begin.attributes !== true) return;
    const { parked, letters } = instance.look;
    const waits = [
      ...(this.#tasks.size > 0 ? ["task"] : []),
      ...(parked.length > 0 ? ["parked"] : []),
      ...(letters.length > 0 ? ["letter"] : []),
    ];
    if (waits.join() === this.#waits.join()) return;
    this.#waits = waits;
    upsertSearchAttributes([{ key: wire.WAITS, value: waits }]);
  }
}

/** The key that a workflow gives to an instance. */
function keyOf(workflow: AnyWorkflow, input: unknown): string | number | undefined {
  try {
    return workflow.key?.(workflow.parse(input) as never);
  } catch (error) {
    if (error instanceof Misfit) return undefined; // it is refused when it starts
    throw error;
  }
}

/** An attempt that its worker has not answered. */
const lostOf =
  ({ repeatable = false, heartbeatMs }: Send) =>
  (error: unknown): Outcome => {
    const cause = error instanceof ActivityFailure ? error.cause : error;
    const lost = { kind: "system", value: "Unavailable", sent: true } as const;
    if (cause instanceof CancelledFailure) {
      if (!repeatable) return { kind: "cancelled" }; // no worker has begun with it
      // It may have been sent by a worker that was lost since, and Temporal does not say so.
      return { ...lost, detail: "stopped before a worker answered" };
    }
    if (!(error instanceof ActivityFailure)) throw error;
    return heartbeatMs === undefined
      ? { ...lost, detail: "the worker was lost" }
      : { ...lost, value: "Timeout", detail: "no heartbeat" };
  };

/** What a parent is told of a child that has failed. */
function failed(error: AnyError, wasStopped: boolean): Outcome {
  if (error.is === "OperatorCancel")
    return wasStopped
      ? { kind: "cancelled" }
      : { kind: "system", value: "Unavailable", sent: false };
  if (SYSTEM.includes(error.is)) return { kind: "system", value: error.is, sent: false };
  return { kind: "error", value: pack(error) };
}
