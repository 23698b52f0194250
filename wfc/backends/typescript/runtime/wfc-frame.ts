// Frames: what is active and what has been done in it. Below are the parts that calls, guards and branches share.

import type { Guards } from './wfc-guards.js';
import { Misfit, nothing, type Parse } from './wfc-parse.js';
import { Failure, type CallData } from './wfc-host.js';
import type { Place, Run, TimerRank, Waiter } from './wfc-run.js';
import type { Frame } from './wfc-runtime.js';
import type { AnyError } from './wfc-values.js';

/* ----------------------------------------------------------------------------------------- calls */

/** What undoes one completed thing; its values are stored in it. */
export type UndoBody = (wf: Frame) => Promise<unknown>;

/** How something is undone. `blind` needs no result, so it also undoes a call whose outcome is unknown. */
export interface Undo<R> {
  readonly when?: () => boolean;
  readonly holds?: (result: R) => boolean;
  readonly blind?: () => UndoBody;
  readonly stored?: (result: R) => UndoBody;
}

/** One call of an activity, query, task or workflow. */
export interface CallSpec extends CallData {
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
}

/** A call that answers with `R`. */
export interface Call<R> extends CallSpec {
  /** `child`: a completed child undoes itself. */
  readonly undo?: Undo<R> | 'child' | undefined;
  readonly parse: Parse<R>;
}

/** The undo by one call, from values that are known before the call. */
export const undoBy = <R>(call: () => Call<R>, when?: () => boolean): Undo<unknown> => ({
  blind: () => {
    const stored = call();
    return (wf) => wf.do('undo', stored);
  },
  ...(when && { when }),
});
/** The undo by one call that needs the result. */
export const undoWith = <R, S>(call: (result: R) => Call<S>, holds?: (result: R) => boolean): Undo<R> => ({
  stored: (result) => {
    const stored = call(result);
    return (wf) => wf.do('undo', stored);
  },
  ...(holds && { holds }),
});

/** The start of a detached workflow. */
export const detached = <R>(call: Call<R>, undo?: Undo<undefined>, key?: string): Call<undefined> => {
  return { ...call, kind: 'start', parse: nothing, undo, ...(key !== undefined && { key }) };
};
const undoChild = (name: string, instance: string): Undo<unknown> =>
  undoBy(() => ({ kind: 'undo', name, args: [instance], parse: nothing }));
export const undoOf = <R>(call: Call<R>, key: string): Undo<R> | undefined =>
  call.undo === 'child' ? undoChild(call.name, key) : call.undo;

/** Unwinds what a guard, a join or an operator has ended. Never seen by generated code. */
export class Interrupt extends Error {
  override readonly name = 'Interrupt';
  readonly target: BaseFrame;
  readonly guard: string;
  readonly value: unknown;
  constructor(target: BaseFrame, guard: string, value?: unknown) {
    super(guard);
    this.target = target;
    this.guard = guard;
    this.value = value;
  }
}

/* ------------------------------------------------------------------------------------------- log */

export interface Step {
  readonly kind: 'step';
  readonly path: string;
  readonly name: string;
  readonly key: string;
  state: 'started' | 'done' | 'doubt';
  body: UndoBody | undefined;
}
export interface Fork {
  readonly kind: 'fork';
  readonly limit: number;
  readonly branches: readonly Entry[][];
}
/** A completed scope, branch, iteration or workflow, with its own undo if it has one. */
export interface Group {
  readonly kind: 'group';
  readonly path: string;
  readonly key: string;
  readonly log: Entry[];
  readonly body: UndoBody | undefined;
}
export type Entry = Step | Fork | Group;

/** What is known of a compensation that runs: its key, and its last call for a dead letter. */
export interface Undoing {
  readonly key: string;
  /** How many iterations are around it. */
  readonly depth: number;
  last?: { call: CallSpec; key: string; attempts: number };
  readonly errors: AnyError[];
}

export interface Kind {
  readonly path?: string;
  readonly region?: boolean;
  readonly shield?: boolean;
  readonly branch?: boolean;
  readonly undoing?: Undoing;
  readonly source?: number;
  readonly iteration?: number;
}

export function asFailure(error: unknown): Failure {
  // Not an error of the workflow but a defect, ours or the host's: it must be seen as it is.
  if (!(error instanceof Failure)) throw error;
  return error;
}

export function* outward(frame: BaseFrame): Generator<BaseFrame> {
  for (let each: BaseFrame | undefined = frame; each !== undefined; each = each.parent) yield each;
}

export function masked(value: unknown, path: readonly string[]): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return '***';
  if (Array.isArray(value)) return value.map((item: unknown, i) => (head === '*' || head === String(i) ? masked(item, rest) : item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, head === '*' || head === key ? masked(item, rest) : item]),
  );
}

export function fitting(parse: Parse<AnyError>, error: AnyError): AnyError | undefined {
  try {
    return parse(error);
  } catch (misfit) {
    if (misfit instanceof Misfit) return undefined;
    throw misfit;
  }
}

/* ----------------------------------------------------------------------------------------- frame */

/** Where something active is, what it did, and how it can be stopped. */
export abstract class BaseFrame implements Place {
  readonly run: Run;
  readonly parent: BaseFrame | undefined;
  readonly path: string;
  readonly depth: number;
  readonly source: readonly number[];
  readonly iteration: readonly number[];
  readonly undoing: Undoing | undefined;
  readonly kind: Kind;
  readonly children = new Set<BaseFrame>();
  readonly stops = new Set<() => void>();
  log: Entry[] = [];
  beside: Entry[][] = [];
  guards: Guards<Frame> = {};
  node = '';
  #entered = false;
  #interrupt: Interrupt | undefined;
  sealed = false;
  #held = 0;
  #pivots = 0;
  own: Undo<undefined> | 'none' | undefined;

  constructor(run: Run, parent: BaseFrame | undefined, kind: Kind) {
    this.run = run;
    this.parent = parent;
    this.kind = kind;
    this.path = kind.path ?? parent?.path ?? '';
    this.depth = (parent?.depth ?? -1) + 1;
    this.source = [...(parent?.source ?? []), ...(kind.source === undefined ? [] : [kind.source])];
    this.iteration = [...(parent?.iteration ?? []), ...(kind.iteration === undefined ? [] : [kind.iteration])];
    this.undoing = kind.undoing ?? parent?.undoing;
    if (parent !== undefined && kind.path === undefined) this.node = parent.node;
    parent?.children.add(this);
  }

  /** The recorded time of the input of this turn. */
  get now(): number {
    return this.run.now;
  }

  get at(): string {
    return [this.path, this.node].filter((part) => part !== '').join('.');
  }

  note(kind: string, detail?: Readonly<Record<string, unknown>>, path = this.at): void {
    this.run.audit(kind, path, detail);
  }

  /* -- stopping */

  get held(): boolean {
    return this.#held > 0;
  }

  get closed(): boolean {
    return this.sealed || this.pending() !== undefined;
  }

  get pivots(): number {
    return this.#pivots;
  }

  /** The outermost interrupt that reaches this frame. */
  pending(): Interrupt | undefined {
    let found: Interrupt | undefined;
    for (const frame of outward(this)) {
      found = frame.#interrupt ?? found;
      if (frame.kind.shield === true) break;
    }
    return found;
  }

  check(): void {
    const interrupt = this.pending();
    if (interrupt !== undefined) throw interrupt;
  }

  interrupt(guard: string, value?: unknown): void {
    if (this.#interrupt !== undefined) return;
    this.#interrupt = new Interrupt(this, guard, value);
    this.note('interrupted', { by: guard });
    this.#stop();
  }

  #stop(): void {
    for (const stop of [...this.stops]) stop();
    for (const child of this.children) if (child.kind.shield !== true) child.#stop();
  }

  hold(by: 1 | -1, pivot = false): void {
    for (const frame of outward(this)) {
      frame.#held += by;
      if (pivot) frame.#pivots += by;
    }
  }

  /** Waits for something that an interrupt simply abandons. */
  async suspend<T>(register: (waiter: Waiter<T>) => void, abandon: () => void): Promise<T> {
    this.check();
    let stop: () => void = abandon;
    try {
      return await this.run.block<T>((waiter) => {
        stop = (): void => {
          abandon();
          waiter.reject(this.pending());
        };
        this.stops.add(stop);
        register(waiter);
      });
    } finally {
      this.stops.delete(stop);
    }
  }

  /* -- simple steps */

  /** Enters a node of this region; `''` stands for its steps, which are no node. */
  enter<N extends string>(node: N): N {
    this.check();
    this.leave();
    this.node = node;
    this.#entered = node !== '';
    if (this.#entered) this.note('entered');
    return node;
  }

  leave(): void {
    if (this.#entered) this.note('left');
    this.#entered = false;
  }

  audit(text: string): void {
    this.note('audit', { text });
  }

  measure(metric: string, value: unknown = 1): void {
    this.run.host.send({ kind: 'measure', metric, value });
  }

  emit(type: string, data: unknown): void {
    this.run.emit({ type, data });
  }

  views(views: Readonly<Record<string, () => unknown>>): void {
    this.run.views = views;
  }

  /** Waits for a duration. */
  async wait(milliseconds: number): Promise<void> {
    await this.until(this.now + milliseconds);
  }

  /** Waits until an instant. */
  async until(instant: number): Promise<void> {
    this.check();
    if (instant <= this.now) return;
    let id = '';
    await this.suspend<undefined>(
      (waiter) => {
        id = this.timer(instant, 1, 0, () => {
          waiter.resolve(undefined);
        });
      },
      () => {
        this.run.stopTimer(id);
      },
    );
  }

  timer(at: number, rank: TimerRank, index: number, fire: () => void): string {
    return this.run.timer({ at, rank, place: this, index, fire });
  }

  /* -- handlers */

  cause(error: unknown): unknown {
    return error instanceof Interrupt && error.target === this && error.guard === '' ? error.value : error;
  }

  handler(error: unknown): { readonly name: string; readonly keep: boolean; readonly value: unknown } | undefined {
    const cause = this.cause(error);
    if (cause instanceof Interrupt) {
      const guard = cause.target === this ? this.guards[cause.guard] : undefined;
      if (guard === undefined || !('keep' in guard)) return undefined;
      return { name: cause.guard, keep: guard.keep, value: cause.value };
    }
    if (!(cause instanceof Failure)) return undefined;
    for (const [name, guard] of Object.entries(this.guards)) {
      if (guard.kind !== 'catch') continue;
      if (guard.errors !== 'any' && !guard.errors.includes(cause.error.is)) continue;
      return { name, keep: guard.keep, value: cause.error };
    }
    return undefined;
  }

  /* -- log */

  /** How this region is undone once it has completed, in place of its log. */
  compensate(own: Undo<undefined> | 'none'): void {
    this.own = own;
  }

  /** What is left of a completed frame in the log. */
  completed(frame: Frame): void {
    const own = frame.own;
    const log = frame.entries();
    const { path } = frame;
    if (own === 'none') return;
    if (own !== undefined) {
      const body = (own.when?.() ?? true) ? own.blind?.() : undefined;
      const visit = this.run.visit([path, ...frame.iteration, 'end'].join('/'));
      const key = [this.run.host.info.instance, path, ...frame.iteration, visit].join('/');
      if (body !== undefined) this.log.push({ kind: 'group', path, key, log: [], body });
    } else if (frame.kind.region !== true) this.log.push(...log);
    else if (log.length > 0) this.log.push({ kind: 'group', path, key: '', log, body: undefined });
  }

  /** What has been done in here: blocks beside form branches of one entry. */
  entries(): Entry[] {
    const beside = this.beside.filter((log) => log.length > 0);
    if (beside.length === 0) return this.log;
    return [{ kind: 'fork', limit: Number.POSITIVE_INFINITY, branches: [this.log, ...beside] }];
  }
}
