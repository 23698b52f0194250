// What a chart's tables look like, and what an instance holds: plain data.

/** A type or an expression of the machine, as JSON. */
export type Tree = { readonly is: string } & Readonly<Record<string, unknown>>;
export type Type = string | Tree;
export type Value = unknown;
export type Fields = Readonly<Record<string, Value>>;

export interface FieldTable {
  readonly name: string;
  readonly type: Type;
  readonly default?: Tree;
  readonly where?: Tree;
}
export interface FrameTable {
  readonly kind: string;
  readonly parent: number | null;
  readonly path: string;
  readonly boundary: boolean;
  readonly inside: boolean;
  readonly params?: readonly (readonly [string, string])[];
  readonly variables?: readonly (readonly [string, Tree])[];
  readonly timers?: readonly string[];
  readonly branches?: readonly number[];
  readonly fields?: readonly (readonly [string, number])[];
  readonly undo?: UndoTable;
  readonly forgets?: boolean;
}
export interface GuardTable {
  readonly frame: number;
  readonly kind: string;
  readonly label: string;
  readonly keep: boolean;
  readonly also: boolean;
  readonly bind?: string;
  readonly when?: Tree;
  readonly whenBind?: string | null;
}
export interface TimerTable {
  readonly order: number;
  readonly rank: number;
  readonly frame: number;
  readonly of: string;
  readonly guard?: number;
  readonly amount?: Tree;
  readonly what?: string;
  readonly sla?: string;
}
export interface PolicyTable {
  readonly name?: string;
  readonly timeout?: Tree;
  readonly overall?: Tree;
  readonly attempts?: Tree;
  readonly backoff: Tree;
  readonly factor: Tree;
  readonly max: Tree;
  readonly jitter?: Tree;
  readonly heartbeat?: Tree;
  readonly concurrency?: Tree;
  readonly limit?: readonly Tree[];
  readonly breaker?: readonly Tree[];
  readonly only?: readonly string[];
  readonly excepted?: readonly string[];
  readonly exhausted: string;
  readonly queue?: string | Tree;
}
export interface CallTable {
  readonly frame: number;
  readonly path?: string;
  readonly number?: string;
  readonly kind: string;
  readonly target: string;
  readonly args?: readonly Tree[];
  readonly operands?: readonly string[];
  readonly key?: { readonly operands: boolean; readonly value: Tree };
  readonly ownKey?: Tree;
  readonly assign?: { readonly operands: boolean; readonly value: Tree };
  readonly effect: string;
  readonly raises?: readonly string[];
  readonly partial?: readonly string[];
  readonly keyed?: boolean;
  readonly optional?: boolean;
  readonly bind?: string;
  readonly policy?: PolicyTable;
  readonly timers: { readonly pause: string; readonly timeout: string };
  readonly undo?: UndoTable;
}
export interface UndoTable {
  readonly name: string;
  readonly call: number;
  readonly blind: boolean;
  readonly when: Tree | null;
  readonly whenReadsResult: boolean;
  readonly reads: readonly (readonly [string, Tree])[];
  readonly bind: string | null;
}
export interface ListenerTable {
  readonly event: string;
  readonly frame: number;
  readonly guard?: number;
}
type Table<T> = readonly (readonly [string, T])[];
export interface Tables {
  readonly format: number;
  readonly workflow: string;
  readonly version: number;
  readonly audit: boolean;
  readonly key: Tree | null;
  readonly params: readonly FieldTable[];
  readonly root: number;
  readonly frames: readonly FrameTable[];
  readonly guards: readonly GuardTable[];
  readonly calls: readonly CallTable[];
  readonly timers: Readonly<Record<string, TimerTable>>;
  readonly listeners: readonly ListenerTable[];
  readonly operations: Table<{ readonly result: Type | null; readonly where: Tree | null }>;
  readonly records: Table<Tree>;
  readonly enums: Table<Tree>;
  readonly errors: Table<Tree>;
  readonly events: Table<Tree>;
  readonly constants: Table<Tree>;
  readonly functions: Table<Tree>;
}

/** An audit record. */
export interface AuditRecord {
  readonly at: number;
  readonly instance: string;
  readonly kind: string;
  readonly path: string;
  readonly detail: Fields;
}
/** An attempt that the host is to send. */
export interface Send {
  readonly call: string;
  readonly attempt: number;
  readonly kind: string;
  readonly target: string;
  readonly key: string;
  readonly args: readonly Value[];
  readonly policy: string;
  readonly timeout: number | undefined;
  readonly assign: Value;
  readonly effect: string;
  readonly undo: boolean;
  readonly breaker: readonly number[] | undefined;
  readonly limit: readonly number[] | undefined;
  readonly concurrency: number | undefined;
}
/** What an instance asks of its host, or tells. */
export type Command =
  | { readonly is: "send"; readonly send: Send }
  | { readonly is: "stop"; readonly call: string; readonly attempt: number }
  | { readonly is: "emitted"; readonly type: string; readonly data: Value }
  | { readonly is: "measured"; readonly metric: string; readonly value: Value }
  | {
      readonly is: "dead letter";
      readonly queue: string;
      readonly key: string;
      readonly path: string;
      readonly operation: string;
      readonly args: readonly Value[];
      readonly attempts: number;
    }
  | {
      readonly is: "ended";
      readonly kind: "done" | "failed";
      readonly value: Value;
      readonly incomplete: boolean;
    }
  | { readonly is: "record"; readonly record: AuditRecord };
/** How an attempt has ended. */
export type Outcome =
  | { readonly kind: "value"; readonly value: Value; readonly chance?: number }
  | { readonly kind: "error"; readonly value: Value; readonly chance?: number }
  | {
      readonly kind: "system";
      readonly value: string;
      readonly sent: boolean;
      readonly chance?: number;
    }
  | { readonly kind: "cancelled"; readonly chance?: number };

/** Something that has been done, or may have been. */
export interface Entry {
  readonly kind: "call" | "region" | "fork";
  readonly id: number;
  readonly path: string;
  readonly name: string;
  readonly key: string;
  readonly state: "started" | "done" | "doubt";
  readonly undo: UndoTable | undefined;
  readonly stored: Fields;
  readonly branches: readonly (readonly Entry[])[];
}
export interface Policy {
  readonly name: string;
  readonly timeout: number | undefined;
  readonly overall: number | undefined;
  readonly attempts: number | undefined;
  readonly backoff: number;
  readonly factor: Value;
  readonly max: number;
  readonly jitter: Value;
  readonly heartbeat: number | undefined;
  readonly concurrency: number | undefined;
  readonly limit: readonly number[] | undefined;
  readonly breaker: readonly number[] | undefined;
  readonly queue: string;
}
/** A call under way. */
export interface Flying {
  readonly id: string;
  readonly site: number;
  readonly key: string;
  readonly args: readonly Value[];
  readonly policy: Policy | undefined;
  readonly entry: number;
  readonly list: number; // of the undo it belongs to, or 0
  readonly undone: Entry | undefined;
  readonly state: "queued" | "sent" | "pause" | "stopping";
  readonly attempt: number;
  readonly open: boolean;
}
export type Activity = "active" | "closing" | "closed" | "stopping" | "undoing" | "dead" | "done";
export interface Live {
  readonly state: Activity;
  readonly opened: number;
  readonly entered: number;
  readonly node: string;
  readonly log: readonly Entry[];
  readonly guard: number | undefined; // that has fired
  readonly value: Value; // what it fired with
}
export interface Heard {
  readonly type: string;
  readonly data: Fields;
}
export interface Due {
  readonly at: number;
  readonly order: number;
  readonly call: string;
  readonly what: "timeout" | "overall" | "heartbeat" | "silence" | "pause";
}
/** An instance between two turns. */
export interface State {
  id: string;
  status: "running" | "done" | "failed";
  value: Value;
  error: Value;
  incomplete: boolean;
  cancelling: boolean;
  failing: number; // errors that look for their handlers
  serial: number;
  turn: number;
  out: readonly Command[];
  inbox: readonly Heard[];
  among: readonly number[];
  waits: readonly { readonly guard: number; readonly value: Value }[];
  overdue: readonly string[];
  log: readonly Entry[];
  names: Record<string, Value>;
  frames: Record<number, Live>;
  given: Record<number, Value>;
  visits: Record<string, number>;
  counters: Record<string, number>;
  timers: Record<string, { readonly at: number; readonly number: number }>;
  calls: Record<string, Flying>;
  dues: Record<string, Due>;
  undoing: Record<number, true>;
  lists: Record<
    number,
    {
      readonly rest: readonly Entry[];
      readonly up: number;
      readonly frame: number;
      readonly left: number;
    }
  >;
}
