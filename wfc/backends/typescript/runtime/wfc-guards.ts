// Guards as data, the joins of `parallel` and `for each`, and how a guarded thing is left.

import type { AnyError } from "./wfc-values.js";

/** A guard that ends what it guards, and what it brings along. */
export interface Leaving<V> {
  readonly keep: boolean;
  readonly carries?: V;
}
/** A guard that runs beside what it guards. */
export interface Quiet {
  readonly quiet: true;
}
type Block<F, E> = (wf: F, value: E) => Promise<void>;

interface On {
  readonly kind: "on";
  readonly type: string;
  readonly when?: (event: never) => boolean;
}
interface Catch {
  readonly kind: "catch";
  readonly errors: readonly string[] | "any";
}
interface At {
  readonly kind: "at" | "after";
  readonly amount: number;
}
interface Every {
  readonly kind: "every";
  readonly amount: number;
}
interface Ignore {
  readonly kind: "ignore";
  readonly type: string;
}
interface Sla {
  readonly kind: "sla";
  readonly name: string;
  readonly withinMs: number;
  readonly warnMs: number | undefined;
}
interface Also<F> extends Quiet {
  readonly block: Block<F, never>;
}

export type Guard<F> =
  ((On | Catch | At) & Leaving<unknown>) | ((On | At | Every) & Also<F>) | ((Ignore | Sla) & Quiet);
export type Guards<F> = Readonly<Record<string, Guard<F>>>;

/** How a guarded thing was left by a guard: its name and what it carries. */
export type Fired<G> = {
  readonly [K in keyof G]: G[K] extends Leaving<infer V>
    ? { readonly by: K; readonly value: V }
    : never;
}[keyof G];
/** How a guarded thing was left: normally, with its value, or by a guard. */
export type Left<T, G> = { readonly by: "done"; readonly value: T } | Fired<G>;

export const on = <E>(
  type: string,
  when?: (event: E) => boolean,
  keep = false,
): On & Leaving<E> => ({
  kind: "on",
  type,
  keep,
  ...(when && { when }),
});
export const caught = <E extends AnyError>(
  errors: readonly string[] | "any",
  keep = false,
): Catch & Leaving<E> => ({
  kind: "catch",
  errors,
  keep,
});
export const after = (amount: number, keep = false): At & Leaving<undefined> => ({
  kind: "after",
  amount,
  keep,
});
export const at = (amount: number, keep = false): At & Leaving<undefined> => ({
  kind: "at",
  amount,
  keep,
});

export const alsoOn = <F, E>(
  type: string,
  block: Block<F, E>,
  when?: (event: E) => boolean,
): On & Also<F> => ({
  kind: "on",
  type,
  quiet: true,
  block,
  ...(when && { when }),
});
export const alsoAfter = <F>(amount: number, block: Block<F, undefined>): At & Also<F> => ({
  kind: "after",
  amount,
  quiet: true,
  block,
});
export const alsoAt = <F>(amount: number, block: Block<F, undefined>): At & Also<F> => ({
  kind: "at",
  amount,
  quiet: true,
  block,
});
export const every = <F>(amount: number, block: Block<F, number>): Every & Also<F> => ({
  kind: "every",
  amount,
  quiet: true,
  block,
});
export const ignore = (type: string): Ignore & Quiet => ({ kind: "ignore", type, quiet: true });
export const sla = (name: string, withinMs: number, warnMs?: number): Sla & Quiet => ({
  kind: "sla",
  name,
  withinMs,
  warnMs,
  quiet: true,
});

export interface All {
  readonly join: "all";
}
export interface First {
  readonly join: "first";
}
export interface Some {
  readonly join: "some";
  readonly count: number;
}
export interface EverySettled {
  readonly join: "settled";
}
export type Join = All | First | Some | EverySettled;
export const joinAll: All = { join: "all" };
export const joinFirst: First = { join: "first" };
export const joinSettled: EverySettled = { join: "settled" };
export const joinSome = (count: number): Some => ({ join: "some", count });

/** An exit from a block inside a region: to the node that has just been set, or out of the region. */
export interface Go {
  readonly to: "node";
}
export interface Done<T> {
  readonly to: "end";
  readonly value: T;
}
export const go: Go = { to: "node" };
export const done = <T>(value: T): Done<T> => ({ to: "end", value });
