// Values of the language: what expressions compute with, how values show, and what may come in from outside.

import { Decimal, saturated } from "./wfc-decimal.js";

/* ---------------------------------------------------------------------------------------- shapes */

/** A case of an enum, or an error. */
export interface Tagged {
  readonly is: string;
}
/** Any error; its fields depend on its name. */
export type AnyError = Tagged;
/** An error of the runtime itself. */
export interface SystemError<K extends string = string> {
  readonly is: K;
  readonly detail?: string | undefined;
}
/** How a branch has ended. */
export type Settled<T> =
  { readonly is: "Ok"; readonly value: T } | { readonly is: "Failed"; readonly error: AnyError };
/** Who may do a task. */
export interface Assignee {
  readonly is: "role" | "person";
  readonly name: string;
}
/** Stands for a secret value. Hosts put in the value when they call, so that no state holds it. */
export interface Secret<T> {
  readonly secret: string;
  readonly of?: T;
}

/** What stands for secrets: a record of the user's may look the same. */
const standing = new WeakSet();
export const secret = <T>(name: string): Secret<T> => {
  const made = { secret: name };
  standing.add(made);
  return made;
};
/** The name of the secret that a value stands for. */
export const secretIn = (value: unknown): string | undefined =>
  typeof value === "object" && value !== null && standing.has(value)
    ? (value as Secret<unknown>).secret
    : undefined;
/** A value of exactly this type: keeps the type checker from remembering more. */
export const of = <T>(value: T): T => value;
/** A value that the compiler knows to be there. */
export const some = <T>(value: T | undefined): T => value as T;
/** An enum that the compiler knows to be of these cases. */
export const narrow = <T extends Tagged, K extends T["is"]>(
  value: T,
): Extract<T, { readonly is: K }> & { readonly is: K } =>
  value as Extract<T, { readonly is: K }> & { readonly is: K };
/** An error that the compiler knows to be of this type. */
export const known = <E extends Tagged>(error: Tagged | E): E => error as E;
/** A function of what may be missing. */
export const whenSome = <T, U>(value: T | undefined, then: (value: T) => U): U | undefined =>
  value === undefined ? undefined : then(value);
export const orElse = <T>(value: T | undefined, other: T): T => value ?? other;
export const is = (value: Tagged | string | undefined, name: string): boolean =>
  value !== undefined && (typeof value === "string" ? value : value.is) === name;
export const isNone = (value: unknown): boolean => value === undefined;
export const unreachable = (): Error =>
  new Error("the compiler has proved that nothing leads here");

/* ------------------------------------------------------------------------------------- comparing */

export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a instanceof Decimal && b instanceof Decimal) return a.compare(b) === 0;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => equal(item, b[i]));
  }
  if (!isObject(a) || !isObject(b) || Array.isArray(a) || Array.isArray(b)) return false;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) =>
    equal(field(a, key), field(b, key)),
  );
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !(value instanceof Decimal);
const field = (of: Readonly<Record<string, unknown>>, key: string): unknown =>
  Object.hasOwn(of, key) ? of[key] : undefined;

/** What has an order: numbers, amounts, times, and texts by code points. */
export type Ordered = number | string | Decimal;

export function compare<T extends Ordered>(a: T, b: T): number {
  if (a instanceof Decimal && b instanceof Decimal) return a.compare(b);
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  return Number(a) - Number(b);
}

function compareText(a: string, b: string): number {
  let i = 0;
  while (i < a.length && a.charCodeAt(i) === b.charCodeAt(i)) i += 1;
  if (i === a.length || i === b.length) return a.length - b.length;
  // In the middle of a pair, both parts of which count as one.
  if (i > 0 && (a.charCodeAt(i - 1) & 0xfc00) === 0xd800) i -= 1;
  return (a.codePointAt(i) ?? 0) - (b.codePointAt(i) ?? 0);
}

/* ----------------------------------------------------------------------------------------- lists */

export const count = <T>(items: readonly T[], holds: (item: T) => boolean): number =>
  items.reduce((found, item) => (holds(item) ? found + 1 : found), 0);
export const includes = (items: readonly unknown[], item: unknown): boolean =>
  items.some((other) => equal(other, item));
export const sum = (items: readonly number[]): number =>
  saturated(Number(items.reduce((total, item) => total + BigInt(item), 0n)));
export const total = (items: readonly Decimal[]): Decimal =>
  items.reduce<Decimal>((found, item) => found.plus(item), Decimal.of(0));
export const least = <T extends Ordered>(items: readonly T[]): T | undefined =>
  items.reduce<T | undefined>(
    (best, item) => (best === undefined || compare(item, best) < 0 ? item : best),
    undefined,
  );
export const greatest = <T extends Ordered>(items: readonly T[]): T | undefined =>
  items.reduce<T | undefined>(
    (best, item) => (best === undefined || compare(item, best) > 0 ? item : best),
    undefined,
  );
export const sortBy = <T>(items: readonly T[], by: (item: T) => Ordered): readonly T[] =>
  items
    .map((item) => ({ item, key: by(item) }))
    .sort((a, b) => compare(a.key, b.key))
    .map(({ item }) => item);

/* ------------------------------------------------------------------------------------------ maps */

export type Dictionary<T> = Readonly<Record<string, T>>;
export const lookUp = <T>(map: Dictionary<T>, key: string): T | undefined =>
  Object.hasOwn(map, key) ? map[key] : undefined;
export const hasKey = (map: Dictionary<unknown>, key: string): boolean => Object.hasOwn(map, key);
export const keys = (map: Dictionary<unknown>): readonly string[] =>
  Object.keys(map).sort(compareText);
export const values = <T>(map: Dictionary<T>): readonly T[] =>
  keys(map).map((key) => map[key] as T);

/* --------------------------------------------------------------------------------- numbers, texts */

export const whole = (value: Decimal): number => value.whole("round");
export const add = (a: number, b: number): number => saturated(a + b);
export const subtract = (a: number, b: number): number => saturated(a - b);
export const multiply = (a: number, b: number): number => saturated(a * b);

const SPACES = /^[\p{White_Space}\x1c-\x1f]+|[\p{White_Space}\x1c-\x1f]+$/gu;
/** The length of a text in code points. */
export const length = (text: string): number => Array.from(text).length;
export const trim = (text: string): string => text.replace(SPACES, "");

const UNITS = [
  ["w", 604_800_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
] as const;

/** A duration as the language writes it: `2h30m`. */
export function showDuration(milliseconds: number): string {
  let rest = Math.abs(milliseconds);
  let shown = milliseconds < 0 ? "-" : "";
  for (const [unit, size] of UNITS) {
    const times = Math.floor(rest / size);
    rest -= times * size;
    if (times > 0) shown += `${String(times)}${unit}`;
  }
  return milliseconds === 0 ? "0s" : shown;
}

const [FIRST, LAST] = [Date.parse("0001-01-01T00:00:00Z"), Date.parse("9999-12-31T23:59:59.999Z")];
/** A time in the calendar, which stops at the years 1 and 9999. */
const moment = (instant: number): string =>
  new Date(Math.max(FIRST, Math.min(LAST, instant))).toISOString();
export const showInstant = (instant: number): string => moment(instant).replace(".000Z", "Z");
export const showMoney = (amount: Decimal, currency: string): string =>
  `${amount.toString(2)} ${currency}`;
export const showCase = (value: Tagged | string): string =>
  typeof value === "string" ? value : value.is;
export const dateOf = (instant: number): string => moment(instant).slice(0, 10);
export const startOf = (date: string): number => Date.parse(`${date}T00:00:00Z`);

const SYSTEM: Dictionary<string> = {
  Timeout: "the service did not answer in time",
  Unavailable: "the service could not be reached",
  Invalid: "the service gave an answer of the wrong form",
  LockTimeout: "the lock did not become free in time",
  LockLost: "the lock got lost",
  AlreadyRunning: "this process already runs",
};
const WORD = /[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|[A-Z]/g;

/** A value whose type does not matter, as in the message of an error or the key of a resource. */
export function shown(value: unknown): string {
  if (value === undefined) return "none";
  if (Array.isArray(value)) return value.map(shown).join(", ");
  if (!isObject(value)) {
    const plain = value as string | number | boolean | Decimal;
    return String(plain);
  }
  if ("is" in value) return String(value["is"]);
  return Object.entries(value)
    .map(([name, item]) => `${name} ${shown(item)}`)
    .join(", ");
}

/** What an error says: its `message`, else its `reason`, else its name in words with its fields. */
export function message(error: AnyError): string {
  const system = lookUp(SYSTEM, error.is);
  if (system !== undefined) return system;
  const fields = Object.entries(error).filter(([name]) => name !== "is");
  for (const wanted of ["message", "reason"]) {
    const text = fields.find(([name, value]) => name === wanted && typeof value === "string");
    if (text !== undefined) return String(text[1]);
  }
  const words = (error.is.match(WORD) ?? [error.is]).map((word) => word.toLowerCase()).join(" ");
  const args = fields.map(([name, value]) => `${name} ${shown(value)}`).join(", ");
  return args === "" ? words : `${words} (${args})`;
}
