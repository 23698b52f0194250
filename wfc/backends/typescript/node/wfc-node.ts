// Runs workflows in one process of Node: real time, and nothing is kept when the process ends.

import { randomUUID } from "node:crypto";
import {
  Misfit,
  type AnyError,
  type AuditRecord,
  type Command,
  type DeadLetter,
  type Open,
  type Operation,
  type Refusal,
  type Send,
  type Workflow,
  type WorkflowEvent,
} from "../wfc-runtime/wfc-runtime.js";
import { described, perform, type Answer } from "./wfc-attempt.js";
import { Clock } from "./wfc-clock.js";
import { Locks } from "./wfc-locks.js";
import { Member, type AnyWorkflow, type Caller, type Home, type Underway } from "./wfc-member.js";
import { Traffic } from "./wfc-traffic.js";

export { NotSent, Stopped, type NodeContext } from "./wfc-attempt.js";
export type { AnyWorkflow } from "./wfc-member.js";

/** Something that people who look after the process may want to know. It changes nothing. */
export interface Notice {
  /**
   * `late`: an answer that nobody waited for any more. `defect`: code of a workflow threw something that is no error of
   * the language; the instance goes no further. `lock`: a lease ran out. `sink`: a function of the settings threw.
   */
  readonly kind: "late" | "defect" | "lock" | "sink";
  readonly instance: string;
  readonly text: string;
}

export interface Settings {
  /** The `definitions` of generated files; those of several processes may be spread into one object. */
  readonly workflows: Readonly<Record<string, AnyWorkflow>>;
  /** What the workflows call: an object with a member for each service. */
  readonly activities: object;
  /** The values of secrets, by name. */
  readonly secrets?: Readonly<Record<string, unknown>>;
  readonly onAudit?: (record: AuditRecord) => unknown;
  readonly onDeadLetter?: (instance: string, letter: DeadLetter) => unknown;
  readonly onMeasure?: (metric: string, value: unknown) => unknown;
  /** Facts that workflows emit; instances of this host hear them by themselves. */
  readonly onEmit?: (event: WorkflowEvent) => unknown;
  /** If there is none, notices go to the standard error output. */
  readonly onNotice?: (notice: Notice) => unknown;
  /** Draws the share of jitter of a pause, from 0 to 1. */
  readonly chance?: () => number;
}

/** Why something was refused. It then changes nothing. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly reason: Refusal | "unknown-workflow" | "wrong-input" | "already-running";
  constructor(reason: Refused["reason"], text: string) {
    super(`${reason}: ${text}`);
    this.reason = reason;
  }
}

/** A workflow that has begun. */
export interface Started<R> {
  readonly instance: string;
  /** Rejects with a `Failure` if the workflow fails. Nobody has to wait for it. */
  readonly result: Promise<R>;
}

/** A human task that waits for its answer. */
export interface Task {
  readonly id: string;
  readonly instance: string;
  readonly operation: string;
  readonly args: readonly unknown[];
  readonly assign: Send["assign"];
  /** The idempotency key. */
  readonly key: string;
}

/** A parked step or a dead letter. */
export interface Unattended extends Open {
  readonly instance: string;
}

interface OpenTask {
  readonly task: Task;
  readonly caller: Caller;
}

const FAILURES: readonly unknown[] = ["Timeout", "Unavailable"];
const SYSTEM: readonly string[] = [
  "Timeout",
  "Unavailable",
  "Invalid",
  "LockTimeout",
  "LockLost",
  "AlreadyRunning",
];

/** Runs workflows. One for a process: its instances share breakers, limits and locks. */
export class NodeHost implements Home {
  readonly clock = new Clock();
  readonly #settings: Settings;
  readonly #members = new Map<string, Member>();
  readonly #tasks = new Map<string, OpenTask>();
  readonly #traffic = new Traffic(this.clock);
  readonly #locks = new Locks(this.clock);
  #isStopped = false;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /* -- for the program around it */

  /** Starts an instance. Its id is `workflow/key`; the key is the workflow's, else the one given, else a new one. */
  async start<I, R>(workflow: Workflow<I, R>, input: I, key?: string): Promise<Started<R>> {
    const { result, member } = await this.#begin(
      workflow,
      input,
      (own) => `${workflow.name}/${String(own ?? key ?? randomUUID())}`,
    );
    return { instance: member.id, result: result as Promise<R> };
  }

  /** Starts a workflow by its name, with an input that comes from outside. */
  async startByName(name: string, input: unknown, key?: string): Promise<Started<unknown>> {
    const workflow = this.#workflow(name);
    if (workflow === undefined)
      throw new Refused("unknown-workflow", `there is no workflow \`${name}\``);
    return this.start(workflow as Workflow<unknown, unknown>, input, key);
  }

  /** Delivers an event to the instances it is meant for; why none took it, if none did. */
  async event(type: string, data: unknown): Promise<Refusal | undefined> {
    const spec = Object.values(this.#settings.workflows)
      .map(({ events }) => (Object.hasOwn(events, type) ? events[type] : undefined))
      .find((each) => each?.key !== undefined);
    if (spec?.key === undefined) return "unknown-event";
    let key: string | number;
    try {
      key = spec.key(spec.parse(data) as never);
    } catch (error) {
      if (error instanceof Misfit) return "wrong-event";
      throw error;
    }
    const meant = [...this.#members.values()].filter(
      (each) =>
        each.status === "running" && each.key === key && Object.hasOwn(each.workflow.events, type),
    );
    const event = { type, data };
    const told = await Promise.all(
      meant.map(async (each) => each.deliver({ kind: "event", event })),
    );
    if (told.includes(undefined)) return undefined;
    return told[0] ?? "not-running";
  }

  /** The tasks that wait for an answer. */
  get tasks(): readonly Task[] {
    return [...this.#tasks.values()].map(({ task }) => task);
  }

  /** Answers a task; why that is refused, if it is. A task is answered once. */
  async answer(task: string, value?: unknown): Promise<Refusal | undefined> {
    return this.#answerTask(task, "value", value);
  }

  /** Answers a task with one of its errors. */
  async refuse(task: string, error: AnyError): Promise<Refusal | undefined> {
    return this.#answerTask(task, "error", error);
  }

  /** Parked steps and dead letters that wait for an operator. */
  get unattended(): readonly Unattended[] {
    return [...this.#members.values()].flatMap((member) =>
      member.unattended.map((open) => ({ ...open, instance: member.id })),
    );
  }

  /** An operator acts on a parked step or a dead letter, by its key, or cancels an instance. */
  async operate(
    instance: string,
    action: Operation["action"],
    key = "",
    value?: unknown,
  ): Promise<Refusal | undefined> {
    const member = this.#members.get(instance);
    if (member === undefined) return "not-running";
    const refusal = await member.deliver({ kind: "operator", action, key, value });
    this.#forget(member);
    return refusal;
  }

  /** How an instance is; nothing if it is not known, or has ended and is forgotten. */
  status(instance: string): Member["status"] | undefined {
    return this.#members.get(instance)?.status;
  }

  /** What a view of an instance shows. */
  view(instance: string, name: string): unknown {
    return this.#members.get(instance)?.view(name);
  }

  /** Whether the breaker of a service is open. */
  isOpen(service: string): boolean {
    return this.#traffic.isOpen(service);
  }

  /** Ends all waiting, so that the process may end. What runs is lost. */
  stop(): void {
    this.#isStopped = true;
    this.#traffic.stop();
    this.#locks.stop();
    for (const member of this.#members.values()) {
      member.dropAlarm();
      for (const { abort } of member.underway.values()) abort.abort();
    }
    this.#members.clear();
    this.#tasks.clear();
  }

  /* -- instances */

  #workflow(name: string): AnyWorkflow | undefined {
    const { workflows } = this.#settings;
    return Object.hasOwn(workflows, name) ? workflows[name] : undefined;
  }

  async #begin(
    workflow: AnyWorkflow,
    input: unknown,
    name: (key: string | number | undefined) => string,
    parent?: Caller,
  ): Promise<{ readonly member: Member; readonly result: Promise<unknown> }> {
    const own = keyOf(workflow, input);
    const instance = name(own);
    const existing = this.#members.get(instance);
    if (
      existing !== undefined &&
      (existing.status === "running" || existing.unattended.length > 0)
    ) {
      throw new Refused("already-running", `\`${instance}\` is running already`);
    }
    const info = {
      workflow: workflow.name,
      version: workflow.version,
      instance,
      child: parent !== undefined,
    };
    const member = new Member(
      this,
      workflow,
      info,
      own ?? instance.slice(instance.lastIndexOf("/") + 1),
    );
    member.parent = parent;
    parent?.member.children.push(member);
    this.#members.set(instance, member);
    const begun = await member.start(input);
    if ("misfit" in begun) {
      this.#members.delete(instance);
      throw new Refused("wrong-input", begun.misfit);
    }
    return { member, result: begun.result };
  }

  /** One that has ended is kept for operators, and a child for its parent, who may have it undone. */
  #forget(member: Member): void {
    if (member.status === "running" || member.unattended.length > 0 || member.undoer !== undefined)
      return;
    if (member.parent !== undefined && this.#members.has(member.parent.member.id)) return;
    if (this.#members.get(member.id) === member) this.#members.delete(member.id);
    member.dropAlarm();
    for (const child of member.children) this.#forget(child);
  }

  broke(member: Member, defect: unknown): void {
    this.#notice("defect", member, described(defect));
    const { parent } = member;
    const detail = `\`${member.id}\` has broken down`;
    if (parent !== undefined)
      this.#reply(parent, { how: "system", value: "Unavailable", sent: true, detail });
  }

  lost(member: Member, lock: string): void {
    this.#notice("lock", member, `the lease of \`${lock}\` ran out`);
  }

  /* -- commands */

  async obey(member: Member, commands: readonly Command[]): Promise<void> {
    if (this.#isStopped) return;
    const failed = new Set<unknown>();
    for (const command of commands) {
      if (command.kind !== "record") continue;
      const { record } = command;
      const { kind, detail } = record;
      if (kind === "attempt failed" && FAILURES.includes(detail["error"]))
        failed.add(detail["call"]);
      this.#tell(member, () => this.#settings.onAudit?.(record));
    }
    for (const command of commands) {
      if (command.kind === "stop") await this.#stop(member, command, failed.has(command.call));
      else this.#do(member, command);
    }
    this.#forget(member);
  }

  #do(member: Member, command: Exclude<Command, { readonly kind: "stop" }>): void {
    switch (command.kind) {
      case "record":
        return;
      case "send":
        this.#send(member, command);
        return;
      case "alarm":
        member.dropAlarm();
        if (command.at === undefined) return;
        member.dropAlarm = this.clock.at(command.at, () => {
          void member.deliver({ kind: "time" });
        });
        return;
      case "lock":
        this.#locks.ask(member, command.lock, command.resources);
        return;
      case "unlock":
        this.#locks.release(member, command.lock);
        return;
      case "emitted":
        this.#emit(member, command.event);
        return;
      case "measured":
        this.#tell(member, () => this.#settings.onMeasure?.(command.metric, command.value));
        return;
      case "dead letter":
        this.#tell(member, () => this.#settings.onDeadLetter?.(member.id, command.letter));
        return;
      case "ended":
        this.#ended(member, command);
    }
  }

  /** A fact is heard by other instances, after this turn. */
  #emit(member: Member, event: WorkflowEvent): void {
    this.#tell(member, () => this.#settings.onEmit?.(event));
    for (const other of this.#members.values()) {
      const { events } = other.workflow;
      const spec = Object.hasOwn(events, event.type) ? events[event.type] : undefined;
      if (spec?.key === undefined || other.status !== "running") continue;
      if (spec.key(event.data as never) === other.key) void other.deliver({ kind: "event", event });
    }
  }

  #ended(member: Member, command: Extract<Command, { readonly kind: "ended" }>): void {
    if (command.how === "undone") {
      const { undoer } = member;
      member.undoer = undefined;
      if (undoer !== undefined)
        this.#reply(undoer, { how: "value", sent: true }, command.incomplete);
      return;
    }
    member.end = command;
    const { parent } = member;
    if (parent === undefined) return;
    const { how, value, incomplete } = command;
    this.#reply(
      parent,
      how === "done" ? { how: "value", value } : childFailed(member, value as AnyError),
      incomplete,
    );
  }

  /* -- calls */

  #send(member: Member, send: Send): void {
    const caller = { member, send };
    switch (send.what) {
      case "activity":
      case "query":
        this.#attempt(caller);
        return;
      case "task": {
        const id = `${member.id}#${send.call}`;
        const { target: operation, args, assign, key } = send;
        this.#tasks.set(id, {
          task: { id, instance: member.id, operation, args, assign, key },
          caller,
        });
        return;
      }
      case "workflow":
      case "start":
        void this.#child(caller);
        return;
      case "undo":
        void this.#undo(caller);
    }
  }

  #attempt(caller: Caller): void {
    const { member, send } = caller;
    const underway: Underway = {
      send,
      abort: new AbortController(),
      flight: undefined,
      at: member.at,
      isOver: false,
    };
    member.underway.get(send.call)?.abort.abort();
    member.underway.set(send.call, underway);
    const go = (waited: boolean): void => {
      if (waited) {
        underway.at = this.clock.now();
        void member.deliver({ kind: "sent", call: send.call, attempt: send.attempt });
      }
      void this.#perform(caller, underway);
    };
    underway.flight = this.#traffic.send(`${member.id}/${send.call}`, send, go);
    if (underway.flight !== undefined) return;
    underway.isOver = true;
    this.#reply(caller, {
      how: "system",
      value: "Unavailable",
      sent: false,
      detail: "the breaker is open",
    });
  }

  async #perform(caller: Caller, underway: Underway): Promise<void> {
    const { member, send } = caller;
    const { activities, secrets = {} } = this.#settings;
    const { call, attempt, key } = send;
    const { signal } = underway.abort;
    const heartbeat = (): void => {
      if (!underway.isOver) void member.deliver({ kind: "beat", call, attempt });
    };
    const found = await perform(activities, secrets, send, { key, attempt, signal, heartbeat });
    await this.#over(
      underway,
      found.how === "system" && FAILURES.includes(found.value) ? "failed" : "answered",
    );
    this.#reply(caller, found);
  }

  /** Nobody waits for the answer of an attempt any more; one that failed by its time counts for the breaker. */
  async #stop(
    member: Member,
    { call, attempt }: { call: string; attempt: number },
    hasFailed: boolean,
  ): Promise<void> {
    const underway = member.underway.get(call);
    this.#tasks.delete(`${member.id}#${call}`);
    for (const child of member.children) {
      if (child.parent?.send.call !== call || child.status !== "running") continue;
      child.wasStopped = true;
      void child.deliver({ kind: "operator", action: "cancel" });
    }
    if (underway?.send.attempt !== attempt) return;
    const { timeoutMs } = underway.send;
    const isLate = timeoutMs !== undefined && member.at - underway.at >= timeoutMs;
    underway.abort.abort();
    await this.#over(underway, hasFailed || isLate ? "failed" : "unknown");
  }

  async #over(underway: Underway, verdict: "failed" | "answered" | "unknown"): Promise<void> {
    if (underway.isOver) return;
    underway.isOver = true;
    if (underway.flight !== undefined) await this.#traffic.over(underway.flight, verdict);
  }

  #reply({ member, send }: Caller, answer: Answer, incomplete = false): void {
    if (this.#isStopped) return;
    const { call, attempt } = send;
    const chance = this.#settings.chance?.() ?? Math.random();
    const given = { kind: "answered" as const, call, attempt, chance, incomplete, ...answer };
    void member.deliver(given).then((refusal) => {
      if (refusal !== undefined)
        this.#notice(
          "late",
          member,
          `the answer of \`${send.target}\` came too late: ${answer.how}`,
        );
    });
  }

  async #answerTask(
    id: string,
    how: "value" | "error",
    value: unknown,
  ): Promise<Refusal | undefined> {
    const task = this.#tasks.get(id);
    if (task === undefined) return "unknown-call";
    const { member, send } = task.caller;
    const { call, attempt } = send;
    if (member.misfits(call, attempt, how, value)) return "wrong-value"; // it still waits
    this.#tasks.delete(id);
    return member.deliver({ kind: "answered", call, attempt, chance: 0, how, value });
  }

  /** A workflow that a workflow calls, or starts and leaves alone. */
  async #child(caller: Caller): Promise<void> {
    const { member, send } = caller;
    const workflow = this.#workflow(send.target);
    const isDetached = send.what === "start";
    try {
      if (workflow === undefined)
        throw new Refused("unknown-workflow", `there is no workflow \`${send.target}\``);
      await this.#begin(workflow, send.args[0], () => send.key, isDetached ? undefined : caller);
      if (isDetached) this.#reply(caller, { how: "value", sent: false });
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      const value = refused.reason === "unknown-workflow" ? "Unavailable" : "AlreadyRunning";
      this.#reply(caller, { how: "system", value, sent: false, detail: refused.message });
      this.#forget(member);
    }
  }

  /** A completed child is to undo itself. */
  async #undo(caller: Caller): Promise<void> {
    const child = this.#members.get(caller.send.key);
    if (child !== undefined) child.undoer = caller;
    const refusal = child === undefined ? "not-running" : await child.deliver({ kind: "undone" });
    if (refusal === undefined) return;
    if (child !== undefined) child.undoer = undefined;
    this.#reply(caller, { how: "system", value: "Unavailable", sent: false, detail: refusal });
  }

  /* -- who is told */

  /** Calls a function of the settings: what it throws is a notice, and nothing more. */
  #tell(member: Member, tell: () => unknown): void {
    const sorry = (error: unknown): void => {
      this.#notice("sink", member, described(error));
    };
    try {
      const told = tell();
      if (told instanceof Promise) told.catch(sorry);
    } catch (error) {
      sorry(error);
    }
  }

  #notice(kind: Notice["kind"], { id: instance }: Member, text: string): void {
    const { onNotice } = this.#settings;
    try {
      if (onNotice === undefined) console.error(`wfc: ${instance}: ${kind}: ${text}`);
      else onNotice({ kind, instance, text });
    } catch {
      // Nobody is left to be told.
    }
  }
}

/** The key that a workflow gives to an instance. */
function keyOf(workflow: AnyWorkflow, input: unknown): string | number | undefined {
  try {
    return workflow.key?.(workflow.parse(input) as never);
  } catch (error) {
    if (error instanceof Misfit) throw new Refused("wrong-input", error.message);
    throw error;
  }
}

/** What a parent is told of a child that has failed. */
function childFailed(child: Member, error: AnyError): Answer {
  if (error.is === "OperatorCancel") {
    return child.wasStopped
      ? { how: "cancelled" }
      : { how: "system", value: "Unavailable", sent: false };
  }
  return SYSTEM.includes(error.is)
    ? { how: "system", value: error.is, sent: false }
    : { how: "error", value: error };
}
