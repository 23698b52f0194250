// An instance as data: what is active, what has been done, what is under way. The turns change it.

import { saturated } from "./wfc-decimal.js";
import type { CallKind, Policy } from "./wfc-host.js";
import type { Frame } from "./wfc-frame.js";
import type { Parse } from "./wfc-parse.js";
import type { AnyError, Assignee } from "./wfc-values.js";

/** The place of a timer, or of an input, among all that falls on one instant. */
export const Rank = {
  operators: 1,
  errors: 2,
  values: 3,
  grants: 4,
  events: 5,
  deadlines: 6,
  waits: 7,
  beside: 8,
  slas: 9,
} as const;

/** Something that happens at an instant. */
export interface Timer {
  readonly at: number;
  readonly rank: number;
  readonly what: string;
  readonly index: number;
  readonly number: number;
}
/** A timer; instants stop at the bounds of whole numbers, as they do in the language. */
export const timer = (at: number, rank: number, what: string, index = 0, number = 0): Timer => {
  return { at: saturated(at), rank, what, index, number };
};

/* ----------------------------------------------------------------------------------------- calls */

/** What undoes one completed thing; the values it reads are stored in it. */
export type UndoBody = (wf: Frame) => Promise<unknown>;

/** How something is undone. `blind` needs no result, so it also undoes a call whose outcome is unknown. */
export interface Undo<R> {
  readonly when?: () => boolean;
  readonly holds?: (result: R) => boolean;
  readonly blind?: () => UndoBody;
  /** Stores what the undo reads, and then waits for the result. */
  readonly stored?: () => (result: R) => UndoBody;
}

/** A call that answers with `R`. */
export interface Call<R> {
  readonly kind: Exclude<CallKind, "undo">;
  readonly name: string;
  readonly args: readonly unknown[];
  /** Without one: a single attempt that never times out. */
  readonly policy?: Policy | undefined;
  readonly assign?: readonly Assignee[];
  /** Replaces the place and visit in the idempotency key. */
  readonly key?: string;
  /** The service promises to honour the key. */
  readonly keyed?: boolean;
  /** The business errors it may answer with. */
  readonly raises?: Readonly<Record<string, Parse<AnyError>>>;
  /** Errors that do not promise "no effect". */
  readonly partial?: readonly string[];
  readonly pivot?: boolean;
  readonly optional?: boolean;
  /** Arguments, and their fields, that dead letters do not show: `0.email`, `1.*.name`. */
  readonly pii?: readonly string[];
  /** `child`: a completed child undoes itself. */
  readonly undo?: Undo<R> | "child" | undefined;
  readonly parse: Parse<R>;
}

/** A call under way. */
export interface Calling {
  readonly id: string;
  readonly kind: CallKind;
  readonly target: string;
  readonly key: string;
  readonly args: readonly unknown[];
  readonly policy: Policy | undefined;
  /** The number of its entry in the log; 0 without one. */
  readonly entry: number;
  readonly path: string;
  readonly pivot: boolean;
  /** The id of the child it starts or undoes. */
  readonly child: string;
  /** What the program says of it; a child that undoes itself, or a call repeated by an operator, has none. */
  readonly spec: Call<unknown> | undefined;
  readonly pii: readonly string[];
  /** Where it stands among all that goes on. */
  readonly source: readonly number[];
  state: "queued" | "sent" | "pause" | "parked" | "stopping";
  attempt: number;
  round: number;
  /** An attempt may have had its effect though nobody said so. */
  open: boolean;
}

/* ------------------------------------------------------------------------------------------- log */

/** How an entry is undone, with what that reads. Without a body it still needs the answer of the call. */
export interface Stored {
  readonly body?: UndoBody;
  readonly from?: (result: unknown) => UndoBody;
}

/**
 * Something that has been done, or may have been.
 *
 * `call`, `region` (undone by a compensation of its own), `child` (undoes itself), `fork`: branches that were done side
 * by side; `held`: what was done under a lock that is still held, which `release` gives back; `again`: a forward call
 * that an operator has repeated, in no log.
 */
export interface Entry {
  readonly kind: "call" | "region" | "child" | "fork" | "held" | "release" | "again";
  readonly id: number;
  readonly path: string;
  readonly name: string;
  readonly key: string;
  readonly state: "started" | "done" | "doubt";
  readonly undo?: Stored | undefined;
  readonly source: readonly number[];
  readonly log: readonly Entry[];
  readonly branches: readonly (readonly Entry[])[];
  readonly limit: number;
}
const EMPTY = {
  id: 0,
  path: "",
  name: "",
  key: "",
  state: "done",
  source: [],
  log: [],
  branches: [],
  limit: Number.POSITIVE_INFINITY,
} as const;
export const entry = (kind: Entry["kind"], given: Partial<Entry>): Entry => ({
  kind,
  ...EMPTY,
  ...given,
});

/** What goes on when an undo has ended. */
export type Then =
  | { readonly kind: "guard"; readonly frame: Frame }
  | { readonly kind: "step"; readonly fiber: Fiber }
  | { readonly kind: "branch"; readonly frame: Frame; readonly index: number }
  | { readonly kind: "losers"; readonly frame: Frame }
  | { readonly kind: "list"; readonly frame: Frame }
  | { readonly kind: "letter" | "failed" | "child" };

/** A dead letter that is open. `entry` is what its redrive undoes; without one it repeats a forward call. */
export interface Letter {
  readonly key: string;
  readonly queue: string;
  readonly path: string;
  readonly operation: string;
  readonly args: readonly unknown[];
  readonly pii: readonly string[];
  readonly errors: readonly AnyError[];
  readonly attempts: number;
  readonly name: string;
  readonly entry?: Entry | undefined;
  readonly doubt?: boolean;
  readonly kind?: CallKind;
  readonly policy?: Policy | undefined;
}

/* ---------------------------------------------------------------------------------------- tokens */

/** Why a frame is stopped: one of its guards has fired, an error crosses it, or something around it has ended. */
export type Cause =
  | { readonly kind: "guard"; readonly guard: number; readonly value: unknown }
  | { readonly kind: "error"; readonly value: AnyError }
  | { readonly kind: "stop" };

/** A branch or iteration of a fork. */
export interface Branch {
  state: "waiting" | "running" | "value" | "undoing" | "failed" | "stopped";
  slot: Frame | undefined;
  value: unknown;
  error: AnyError | undefined;
  won: boolean;
  log: Entry[];
}

/** The inside of a branch or an iteration, and the path of its region. */
export interface Inner {
  readonly path: string;
  readonly body: (wf: Frame) => Promise<unknown>;
}

/** A `parallel` or `for each` under way. `need` is how many must complete, `over` that it is decided. */
export interface Fork {
  readonly join: "all" | "first" | "some" | "settled";
  readonly need: number;
  readonly limit: number;
  readonly branches: readonly Branch[];
  readonly inner: readonly Inner[];
  readonly iterates: boolean;
  readonly joined: (fork: Fork) => unknown;
  over: boolean;
  reason: AnyError | undefined;
  started: number;
  running: number;
  won: number;
  failed: number;
}

/**
 * A token, and the fiber of generated code that it stands for. `wait` says what it waits for; one that does not wait
 * runs, or is in the queue of those that may.
 */
export class Fiber {
  readonly id: number;
  /** The frame that it stands in, and the one that it began in. */
  frame: Frame;
  readonly base: Frame;
  /** The key of what is undone, if it runs a compensation. */
  readonly undo: string;
  readonly undoDepth: number;
  wait:
    | ""
    | "call"
    | "wait"
    | "await"
    | "fork"
    | "lock"
    | "undo"
    | "closing"
    | "unwind"
    | "stopped"
    | "ended" = "";
  call: Calling | undefined;
  due: Timer[] = [];
  lock = "";
  /** Where its step stands in the text, as far as that makes a difference. */
  position = 0;
  /** It stops as soon as the undo it waits for has ended. */
  stop = false;
  value: unknown;
  /** What it meets when it goes on, instead of a value. */
  thrown: Interrupt | undefined;
  /** Goes on with the generated code; the first time, it begins it. */
  go: () => void;

  constructor(
    id: number,
    frame: Frame,
    undo: string,
    undoDepth: number,
    begin: (fiber: Fiber) => void,
  ) {
    this.id = id;
    this.frame = frame;
    this.base = frame;
    this.undo = undo;
    this.undoDepth = undoDepth;
    this.go = () => {
      begin(this);
    };
  }
}

/** Unwinds generated code to the guarded thing whose guard has fired. Never seen by that code. */
export class Interrupt extends Error {
  override readonly name = "Interrupt";
  readonly target: Frame;
  readonly guard: number;
  readonly value: unknown;
  constructor(target: Frame, guard: number, value: unknown) {
    super("interrupted");
    this.target = target;
    this.guard = guard;
    this.value = value;
  }
}
