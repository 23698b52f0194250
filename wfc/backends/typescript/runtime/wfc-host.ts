// What hosts and instances say to each other: commands, inputs, calls, policies, errors.

import { message, type AnyError, type Assignee } from './wfc-values.js';

/* ------------------------------------------------------------------------------------------ host */

/** Everything an instance needs from the world: commands go out by `send`, inputs come back by `Run.deliver`. */
export interface Host {
  readonly info: Info;
  /** Takes a command. Never delivers an input before it has returned. */
  send(command: Command): void;
}

export interface Info {
  readonly workflow: string;
  readonly version: number;
  /** The id of the instance: the first part of every idempotency key. */
  readonly instance: string;
}

export type Command =
  | { readonly kind: 'call'; readonly id: string; readonly key: string; readonly call: CallData }
  | { readonly kind: 'cancel'; readonly id: string }
  | { readonly kind: 'arm'; readonly id: string; readonly at: number }
  | { readonly kind: 'disarm'; readonly id: string }
  | { readonly kind: 'lock'; readonly id: string; readonly locks: readonly Resource[]; readonly waitMs: number }
  | { readonly kind: 'unlock'; readonly id: string }
  | { readonly kind: 'emit'; readonly event: WorkflowEvent }
  | { readonly kind: 'measure'; readonly metric: string; readonly value: unknown }
  | { readonly kind: 'letter'; readonly letter: DeadLetter }
  | { readonly kind: 'record'; readonly record: AuditRecord };

export type Input = { readonly at: number } & (
  | { readonly kind: 'outcome'; readonly id: string; readonly outcome: Outcome }
  | { readonly kind: 'fired' }
  | { readonly kind: 'lock'; readonly id: string; readonly state: LockState }
  | { readonly kind: 'event'; readonly event: WorkflowEvent }
  | { readonly kind: 'operator'; readonly step: string; readonly action: OperatorAction }
  | { readonly kind: 'redrive'; readonly key: string }
  | { readonly kind: 'cancel' }
);
export type LockState = 'granted' | 'timeout' | 'lost';

/** How a call has ended. The host tries again; `attempts` says how often it did. */
export type Outcome =
  | { readonly kind: 'value'; readonly value: unknown; readonly attempts: number }
  | {
      readonly kind: 'error';
      readonly error: AnyError;
      readonly attempts: number;
      /** Whether an earlier attempt timed out, so that its effect is open. */
      readonly doubt?: boolean;
    }
  | {
      readonly kind: 'system';
      readonly code: string;
      readonly detail?: string;
      readonly attempts: number;
      /** Whether any attempt may have reached the service. */
      readonly sent: boolean;
    }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'silent' };

export type OperatorAction =
  | { readonly kind: 'retry' }
  | { readonly kind: 'supply'; readonly value: unknown }
  | { readonly kind: 'raise'; readonly error: AnyError };

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
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface DeadLetter {
  readonly instance: string;
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
  readonly attempts: number | 'forever';
  readonly backoffMs: number;
  readonly factor: number;
  readonly maxMs: number;
  /** Up to this share is taken off a pause. */
  readonly jitter: number;
  readonly only?: readonly string[];
  readonly except?: readonly string[];
  readonly breaker?: { readonly failures: number; readonly withinMs: number; readonly probeMs: number };
  readonly limit?: { readonly count: number; readonly perMs: number };
  readonly concurrency?: number;
  readonly heartbeatMs?: number;
  readonly exhausted: 'fail' | { readonly deadLetter: string } | { readonly park: string };
}

/** Passed last to every activity. */
export interface ActivityContext {
  /** The same over attempts, crashes and operators' retries: hand it to the other side. */
  readonly key: string;
  readonly attempt: number;
  readonly signal: { readonly aborted: boolean; addEventListener(type: 'abort', listener: () => void): void };
}

/** The part of a call that is data: it travels to the host, into the log and into dead letters. */
export interface CallData {
  /** `start` starts a detached workflow, `undo` undoes a completed child. */
  readonly kind: 'activity' | 'query' | 'task' | 'workflow' | 'start' | 'undo';
  readonly name: string;
  readonly args: readonly unknown[];
  /** Without one: a single attempt that never times out. */
  readonly policy?: Policy | undefined;
  readonly assign?: readonly Assignee[];
}

/** A business error, declared by `error`, or a system error. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly error: AnyError;
  constructor(error: AnyError, detail?: string) {
    super(detail === undefined ? message(error) : `${message(error)}: ${detail}`);
    this.error = error;
  }
}

export const fail = <E extends AnyError>(error: E): Failure => new Failure(error);
export const system = (code: string, detail?: string): Failure => new Failure({ is: code }, detail);
