// Frames: what is active, and all that generated code does with it. The turns of `Run` say what happens.

import type * as G from "./wfc-guards.js";
import type { Resource } from "./wfc-host.js";
import { nothing } from "./wfc-parse.js";
import type { Run } from "./wfc-run.js";
import type {
  Branch,
  Call,
  Cause,
  Entry,
  Fiber,
  Fork,
  Then,
  Timer,
  Undo,
  Calling,
} from "./wfc-state.js";
import type { AnyError, Settled } from "./wfc-values.js";

/** What a frame is: a region, something guarded, a lock, branches, a block beside, or a part of an undo. */
export type FrameKind =
  | "workflow"
  | "scope"
  | "branch"
  | "each"
  | "nodes"
  | "state"
  | "guarded"
  | "await"
  | "lock"
  | "fork"
  | "slot"
  | "beside"
  | "undo"
  | "undo list"
  | "undo fork";

/** Something that a turn may arm: a guard with its place among those of one frame. */
export interface Armed {
  readonly index: number;
  /** Its name among the guards of its frame, and what records say. */
  readonly name: string;
  readonly label: string;
  readonly kind: "on" | "catch" | "after" | "at" | "every";
  readonly type: string;
  readonly errors: readonly string[] | "any";
  readonly amount: number;
  readonly when: (value: unknown) => boolean;
  readonly keep: boolean;
  readonly block: ((wf: Frame, value: unknown) => Promise<void>) | undefined;
}
export interface Sla {
  readonly name: string;
  readonly withinMs: number;
  readonly warnMs: number | undefined;
}

export interface Place {
  readonly kind: FrameKind;
  readonly path?: string;
  /** Where it stands among those beside it. */
  readonly source?: number;
  readonly iteration?: number;
}

type Body = (wf: Frame) => Promise<unknown>;
const REGIONS: readonly FrameKind[] = ["workflow", "scope", "branch", "each"];

/** One active region, guarded thing, branch or block. Generated code waits only on it. */
export class Frame {
  readonly run: Run;
  readonly id: number;
  readonly kind: FrameKind;
  readonly parent: Frame | undefined;
  /** The token inside. */
  fiber: Fiber | undefined;
  readonly path: string;
  readonly depth: number;
  readonly entered: number;
  source: readonly number[];
  readonly iteration: readonly number[];
  /** `closed`: its guards are gone for good; `dead`: something around it stops it. */
  phase: "active" | "closing" | "stopping" | "undoing" | "closed" | "dead" = "active";
  node = "";
  guards: readonly Armed[] = [];
  ignored: readonly string[] = [];
  slas: readonly Sla[] = [];
  own: Undo<undefined> | "none" | undefined;
  log: Entry[] = [];
  beside: (readonly Entry[])[] = [];
  children: Frame[] = [];
  due: Timer[] = [];
  cause: Cause | undefined;
  /** A point of no return has disarmed the guards that interrupt it. */
  sealed = false;
  /** Ticks of `every` that wait for the block that still runs. */
  readonly waiting = new Map<number, number>();
  /** Of a block beside: the number of its guard; of a branch: its own. */
  number = -1;
  /** The lock that is held. */
  held = "";
  fork: Fork | undefined;
  /** What a compensation undoes; what an undo has still to do. */
  entry: Entry | undefined;
  rest: Entry[] = [];
  logs: (readonly Entry[])[] = [];
  limit = Number.POSITIVE_INFINITY;
  following: Then | undefined;
  errors: AnyError[] = [];
  last: Calling | undefined;

  constructor(
    run: Run,
    id: number,
    parent: Frame | undefined,
    fiber: Fiber | undefined,
    place: Place,
  ) {
    this.run = run;
    this.id = id;
    this.kind = place.kind;
    this.parent = parent;
    this.fiber = fiber;
    this.path = place.path ?? "";
    this.depth = parent === undefined ? 0 : parent.depth + 1;
    this.entered = run.now;
    this.source = [...(parent?.source ?? []), place.source ?? 0];
    this.iteration = [
      ...(parent?.iteration ?? []),
      ...(place.iteration === undefined ? [] : [place.iteration]),
    ];
  }

  /** Whether it is a region: what enters and leaves nodes. */
  get isRegion(): boolean {
    return REGIONS.includes(this.kind);
  }

  /** The region whose token stands here. */
  get region(): Frame {
    return this.isRegion || this.parent === undefined ? this : this.parent.region;
  }

  /** The place in the text of what stands here: a node, or the region around. */
  get place(): string {
    if (this.isRegion) return this.node === "" ? this.path : this.node;
    if (this.kind === "beside") return this.parent?.path ?? "";
    if (this.kind === "undo") return this.entry?.path ?? "";
    return this.kind === "nodes" ? this.region.place : this.path;
  }

  /** The recorded time of the input of this turn. */
  get now(): number {
    return this.run.now;
  }

  get #token(): Fiber {
    if (this.fiber === undefined) throw new Error("nothing runs here");
    return this.fiber;
  }

  /* -- nodes */

  #nodeOf(name: string): string {
    const { path } = this.region;
    return path === "" ? name : `${path}.${name}`;
  }

  /** Enters a state without guards. */
  async enter(node: string): Promise<void> {
    this.run.enter(this, this.#nodeOf(node));
    this.run.offerWhile(() => this.#token.wait === "");
    await this.run.held(this.#token);
  }

  /** Enters a state and runs its steps under its guards. */
  async state<T, const S extends G.Guards<Frame>>(
    node: string,
    guards: S,
    body: (wf: Frame) => Promise<T>,
  ): Promise<G.Left<T, S>> {
    const path = this.#nodeOf(node);
    this.run.enter(this, path);
    return this.run.guarded(this, { kind: "state", path }, guards, body);
  }

  /** Runs a scope: a region of its own, under its guards. */
  async scope<T, const S extends G.Guards<Frame>>(
    path: string,
    guards: S,
    body: (wf: Frame) => Promise<T>,
  ): Promise<G.Left<T, S>> {
    return this.run.guarded(this, { kind: "scope", path }, guards, body);
  }

  /** The guards of this region itself, around all that it does. */
  async whole<T, const S extends G.Guards<Frame>>(
    guards: S,
    body: () => Promise<T>,
  ): Promise<G.Left<T, S>> {
    return this.run.whole(this, guards, body);
  }

  /** Guards around some nodes of this region, which lead to its other nodes. */
  async nodes<T, const S extends G.Guards<Frame>>(
    guards: S,
    body: (wf: Frame) => Promise<T>,
  ): Promise<G.Left<T, S>> {
    return this.run.guarded(this, { kind: "nodes", path: this.path }, guards, body);
  }

  /** Guards around one step. */
  async guard<T, const S extends G.Guards<Frame>>(
    guards: S,
    body: (wf: Frame) => Promise<T>,
  ): Promise<G.Left<T, S>> {
    return this.run.guarded(this, { kind: "guarded", path: this.place }, guards, body);
  }

  /** Waits for guards, with nothing else to do. */
  async await<const S extends G.Guards<Frame>>(guards: S): Promise<G.Fired<S>> {
    const idle = async (wf: Frame): Promise<never> => wf.run.rest<never>(wf.#token, "await");
    return (await this.run.guarded(
      this,
      { kind: "await", path: this.place },
      guards,
      idle,
    )) as G.Fired<S>;
  }

  /** Before a workflow completes, its own guards hear what is left in the inbox. */
  async ending(): Promise<void> {
    this.run.lastOffer(this);
    await this.run.held(this.#token);
  }

  /** How this region is undone once it has completed, in place of its log. */
  compensate(own: Undo<undefined> | "none"): void {
    this.own = own;
  }

  /* -- calls */

  /** Calls and waits for the answer. `id` is the number of the call in its node. */
  async do<R>(id: string, call: Call<R>): Promise<R> {
    const fiber = this.#token;
    this.run.call(fiber, id, call as Call<unknown>);
    return this.run.rest<R>(fiber);
  }

  /** Starts a detached workflow; goes on when it has been accepted. */
  async start(id: string, call: Call<undefined>): Promise<void> {
    await this.do(id, call);
  }

  /* -- branches */

  /** Branches side by side. */
  async parallel<const B extends Readonly<Record<string, Body>>>(
    join: G.All,
    branches: B,
  ): Promise<{ readonly [K in keyof B]: Awaited<ReturnType<B[K]>> }>;
  async parallel<const B extends Readonly<Record<string, Body>>>(
    join: G.First,
    branches: B,
  ): Promise<Awaited<ReturnType<B[keyof B]>>>;
  async parallel<const B extends Readonly<Record<string, Body>>>(
    join: G.Some,
    branches: B,
  ): Promise<{ readonly [K in keyof B]?: Awaited<ReturnType<B[K]>> }>;
  async parallel<const B extends Readonly<Record<string, Body>>>(
    join: G.EverySettled,
    branches: B,
  ): Promise<{ readonly [K in keyof B]: Settled<Awaited<ReturnType<B[K]>>> }>;
  async parallel(join: G.Join, branches: Readonly<Record<string, Body>>): Promise<unknown> {
    const names = Object.keys(branches);
    const at = this.place;
    const bodies = Object.values(branches).map((body, i) => {
      const path = [at, names[i] ?? ""].filter((part) => part !== "").join(".");
      return { path, body };
    });
    const joined = (fork: Fork): unknown => fields(join, names, fork.branches);
    const fiber = this.#token;
    this.run.branches(fiber, join, bodies, joined);
    return this.run.rest(fiber);
  }

  /** One iteration an item, at most so many at once; values in the order of the items. */
  async forEach<I, T>(
    path: string,
    items: readonly I[],
    join: G.All | G.Some,
    limit: number,
    body: (wf: Frame, item: I, index: number) => Promise<T>,
  ): Promise<readonly T[]>;
  async forEach<I, T>(
    path: string,
    items: readonly I[],
    join: G.First,
    limit: number,
    body: (wf: Frame, item: I, index: number) => Promise<T>,
  ): Promise<T | undefined>;
  async forEach<I, T>(
    path: string,
    items: readonly I[],
    join: G.EverySettled,
    limit: number,
    body: (wf: Frame, item: I, index: number) => Promise<T>,
  ): Promise<readonly Settled<T>[]>;
  async forEach<I>(
    path: string,
    items: readonly I[],
    join: G.Join,
    limit: number,
    body: (wf: Frame, item: I, index: number) => Promise<unknown>,
  ): Promise<unknown> {
    const bodies = items.map((item, i) => ({ path, body: (wf: Frame) => body(wf, item, i) }));
    const joined = (fork: Fork): unknown => list(join, fork.branches);
    const fiber = this.#token;
    this.run.branches(fiber, join, bodies, joined, Math.max(1, limit));
    return this.run.rest(fiber);
  }

  /* -- locks, undo */

  /** Holds resources around `body`; what an error undoes is undone before they are released. */
  async lock<T>(
    locks: readonly Resource[],
    waitMs: number,
    body: (wf: Frame) => Promise<T>,
  ): Promise<T> {
    return this.run.locked(this, locks, waitMs, body);
  }

  /** Undoes what this region has done so far. */
  async undo(): Promise<void> {
    const fiber = this.#token;
    if (this.run.undoHere(fiber)) await this.run.rest(fiber);
  }

  /** Makes final what this region has done so far. */
  settle(): void {
    this.run.settle(this.#token);
  }

  /* -- simple steps */

  /** Waits for a duration. */
  async wait(milliseconds: number): Promise<void> {
    await this.until(this.now + milliseconds);
  }

  /** Waits until an instant. */
  async until(instant: number): Promise<void> {
    if (instant <= this.now) return;
    const fiber = this.#token;
    this.run.pause(fiber, instant);
    await this.run.rest(fiber);
  }

  /** A round of a loop that waits for nothing: too many in one turn are a loop without end. */
  lap(): void {
    this.run.burn(1);
  }

  /** Several iterations may wait at different steps: which of them comes first in the text. */
  step(position: number): void {
    this.#token.position = position;
  }

  audit(text: string): void {
    this.run.note("audit", this.run.path(this), this, { text });
  }

  measure(metric: string, value: unknown = 1): void {
    this.run.command({ kind: "measured", metric, value });
  }

  emit(type: string, data: unknown): void {
    this.run.command({ kind: "emitted", event: { type, data } });
    this.run.note("emitted", this.run.path(this), undefined, { type });
  }

  views(views: Readonly<Record<string, () => unknown>>): void {
    this.run.views = views;
  }
}

/* ---------------------------------------------------------------------------- what makers return */

/** The undo by one call, from values that are known before the call. */
export const undoBy = <R>(call: () => Call<R>): Undo<unknown> => ({
  blind: () => {
    const stored = call();
    return (wf) => wf.do("undo", stored);
  },
});
/** The undo by one call that needs the result. */
export const undoWith = <R, S>(call: (result: R) => Call<S>): Undo<R> => ({
  stored: () => (result) => (wf) => wf.do("undo", call(result)),
});
/** The start of a detached workflow. */
export const detached = <R>(
  call: Call<R>,
  undo?: Undo<undefined>,
  key?: string,
): Call<undefined> => {
  return {
    ...call,
    kind: "start",
    parse: nothing,
    undo,
    keyed: true,
    ...(key !== undefined && { key }),
  };
};

/** What `as` of a `parallel` gives: a field for each branch, or the value of the first. */
function fields(join: G.Join, names: readonly string[], branches: readonly Branch[]): unknown {
  if (join.join === "first") return branches.find((branch) => branch.won)?.value;
  const found = names.map((name, i) => [name, end(join, branches[i])] as const);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}

function list(join: G.Join, branches: readonly Branch[]): unknown {
  const given = branches
    .filter((branch) => branch.won || join.join === "settled")
    .map((branch) => end(join, branch));
  return join.join === "first" ? given[0] : given;
}

function end(join: G.Join, branch: Branch | undefined): unknown {
  if (join.join !== "settled") return branch?.won === true ? branch.value : undefined;
  return branch?.won === true
    ? { is: "Ok", value: branch.value }
    : { is: "Failed", error: branch?.error };
}
