// What hosts and instances say to each other: commands, inputs, calls, policies, errors.

import { message, type AnyError, type Assignee } from "./wfc-values.js";

/* ------------------------------------------------------------------------------------------ host */

/** Everything an instance needs from the world: commands go out by `send`, inputs come back by `Instance.deliver`. */
export interface Host {
  readonly info: Info;
  /** It sends attempts through a queue: it ends those whose time is over, and answers `Timeout` for them. */
  readonly timesAttempts?: boolean;
  /** Takes a command; all those of a turn come together, when it is over. */
  send(command: Command): void;
}

export interface Info {
  readonly workflow: string;
  readonly version: number;
  /** The id of the instance: the first part of every idempotency key. */
  readonly instance: string;
  /** A child keeps its log when it has completed, because its parent may ask it to undo itself. */
  readonly child?: boolean;
}

/** An attempt to be sent. A host keeps breakers, limits and concurrency, because instances share them. */
export interface Send {
  readonly kind: "send";
  readonly call: string;
  readonly attempt: number;
  readonly what: CallKind;
  readonly target: string;
  /** The idempotency key; of `workflow`, `start` and `undo` the id of the child. */
  readonly key: string;
  readonly args: readonly unknown[];
  readonly policy: string;
  readonly timeoutMs?: number | undefined;
  readonly assign?: readonly Assignee[] | undefined;
  /** Part of an undo: it passes an open breaker. */
  readonly undo: boolean;
  readonly breaker?: Policy["breaker"];
  readonly limit?: Policy["limit"];
  readonly concurrency?: number | undefined;
  /** For hosts that time attempts: the silence after which one counts as lost. */
  readonly heartbeatMs?: number | undefined;
  /** Sending this attempt twice does no harm: the service honours its key, or nothing is done. */
  readonly repeatable?: boolean;
  /** The place of the call in the text. */
  readonly path?: string;
}

export type Command =
  | Send
  | { readonly kind: "stop"; readonly call: string; readonly attempt: number }
  /** Tell when this instant has been reached; without one: no more. */
  | { readonly kind: "alarm"; readonly at: number | undefined }
  | {
      readonly kind: "lock";
      readonly lock: string;
      readonly resources: readonly Resource[];
      readonly waitMs: number;
    }
  | { readonly kind: "unlock"; readonly lock: string }
  | { readonly kind: "emitted"; readonly event: WorkflowEvent }
  | { readonly kind: "measured"; readonly metric: string; readonly value: unknown }
  | { readonly kind: "dead letter"; readonly letter: DeadLetter }
  | {
      readonly kind: "ended";
      readonly how: "done" | "failed" | "undone";
      readonly value?: unknown;
      readonly incomplete: boolean;
    }
  | { readonly kind: "record"; readonly record: AuditRecord };

/** How an attempt has ended. */
export interface Answered {
  readonly kind: "answered";
  readonly call: string;
  readonly attempt: number;
  /**
   * `value`: it worked. `error`: a business error. `system`: `Timeout`, `Unavailable` or `Invalid`, by name.
   * `cancelled`: asked to stop, it stopped, and nothing was done.
   */
  readonly how: "value" | "error" | "system" | "cancelled";
  readonly value?: unknown;
  /** Whether the attempt may have reached the service; it has, if nothing is said. */
  readonly sent?: boolean;
  /** From 0 to 1, drawn by the host for the pause before the next attempt. */
  readonly chance?: number;
  readonly detail?: string;
  /** A child could not undo everything. */
  readonly incomplete?: boolean;
}

export type Input = { readonly at: number } & (
  | Answered
  /** A call that had to wait for its turn has been sent: its timeout begins. */
  | { readonly kind: "sent"; readonly call: string; readonly attempt: number }
  /** An attempt is alive. */
  | { readonly kind: "beat"; readonly call: string; readonly attempt: number }
  | { readonly kind: "event"; readonly event: WorkflowEvent }
  /** Time has reached `at`. */
  | { readonly kind: "time" }
  | { readonly kind: "locked"; readonly lock: string; readonly state: "granted" | "lost" }
  | Operation
  /** A completed child is to undo what it has done. */
  | { readonly kind: "undone" }
);

/** An operator acts: `cancel` on the instance, the others on a parked step or a dead letter, by its key. */
export interface Operation {
  readonly kind: "operator";
  readonly action: "cancel" | "retry" | "supply" | "raise";
  readonly key?: string;
  readonly value?: unknown;
}

/** Why an input is refused; it then changes nothing. */
export type Refusal =
  | "not-running"
  | "unknown-event"
  | "wrong-event"
  | "unknown-call"
  | "unknown-lock"
  | "unknown-step"
  | "wrong-value"
  | "point-of-no-return"
  | "goes-back-in-time";

export interface WorkflowEvent {
  readonly type: string;
  readonly data: unknown;
}

export interface Resource {
  readonly name: string;
  readonly key: string;
  readonly rank: number;
  readonly capacity: number;
  readonly leaseMs: number;
}

export interface AuditRecord {
  readonly at: number;
  readonly instance: string;
  readonly kind: string;
  readonly path: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface DeadLetter {
  readonly path: string;
  readonly queue: string;
  readonly key: string;
  readonly operation: string;
  readonly args: readonly unknown[];
  readonly errors: readonly AnyError[];
  readonly attempts: number;
}

/* ----------------------------------------------------------------------------------------- calls */

/** How a call is tried; all durations in milliseconds. */
export interface Policy {
  readonly name: string;
  readonly timeoutMs?: number;
  readonly overallMs?: number;
  readonly attempts: number | "forever";
  readonly backoffMs: number;
  readonly factor: number;
  readonly maxMs: number;
  /** Up to this share is taken off a pause. */
  readonly jitter: number;
  readonly only?: readonly string[];
  readonly except?: readonly string[];
  readonly breaker?: {
    readonly failures: number;
    readonly withinMs: number;
    readonly probeMs: number;
  };
  readonly limit?: { readonly count: number; readonly perMs: number };
  readonly concurrency?: number;
  readonly heartbeatMs?: number;
  readonly exhausted: "fail" | { readonly deadLetter: string } | { readonly park: string };
}

/** Passed last to every activity. */
export interface ActivityContext {
  /** The same over attempts, crashes and operators' retries: hand it to the other side. */
  readonly key: string;
  readonly attempt: number;
  readonly signal: {
    readonly aborted: boolean;
    addEventListener(type: "abort", listener: () => void): void;
  };
}

/** `start` starts a detached workflow, `undo` undoes a completed child. */
export type CallKind = "activity" | "query" | "task" | "workflow" | "start" | "undo";

/** A business error, declared by `error`, or a system error. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly error: AnyError;
  constructor(error: AnyError) {
    super(message(error));
    this.error = error;
  }
}

export const fail = <E extends AnyError>(error: E | Readonly<E>): Failure => new Failure(error);
