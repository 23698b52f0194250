// Parsers: what comes in from outside is looked at, never believed. `null` and a missing field are `none`.

import { Decimal } from "./wfc-decimal.js";
import {
  secret,
  type AnyError,
  type Assignee,
  type Dictionary,
  type Secret,
  type Settled,
  type Tagged,
} from "./wfc-values.js";

/** Makes a value of what came in; throws a `Misfit` where it does not fit. */
export type Parse<T> = (value: unknown) => T;

/** A value from outside has the wrong form; says where and what was expected. */
export class Misfit extends Error {
  override readonly name = "Misfit";
  readonly expected: string;
  /** The way to it: `.lines[0].quantity`. */
  readonly path: string;
  constructor(expected: string, path = "") {
    const place = path.replace(/^\./, "");
    super(place === "" ? expected : `${place}: ${expected}`);
    this.expected = expected;
    this.path = path;
  }
}

function wrong(expected: string, path = ""): never {
  throw new Misfit(expected, path);
}

/** Reads a part of a value; `place` comes before the path of what is wrong in it. */
export function inside<T>(place: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof Misfit ? new Misfit(error.expected, place + error.path) : error;
  }
}

const step = (name: string): string =>
  /^\w+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
/** `a`, `a and b`, `a, b and c`. */
const listed = (names: readonly string[], last = "and"): string =>
  names.length < 2
    ? names.join("")
    : `${names.slice(0, -1).join(", ")} ${last} ${names.at(-1) ?? ""}`;

const object = (value: unknown): Dictionary<unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Dictionary<unknown>)
    : wrong("an object with fields is expected");
const field = (of: Dictionary<unknown>, name: string): unknown =>
  Object.hasOwn(of, name) ? of[name] : undefined;
const whole = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value);

export const anything: Parse<unknown> = (value) => value;
export const nothing: Parse<undefined> = () => undefined;
export const text: Parse<string> = (value) =>
  typeof value === "string" ? value : wrong("a text is expected");
export const bool: Parse<boolean> = (value) =>
  typeof value === "boolean" ? value : wrong("true or false is expected");
export const int: Parse<number> = (value) => {
  if (whole(value)) return value;
  const large = typeof value === "number" && Number.isInteger(value);
  return wrong(
    large ? "a whole number from -(2^53-1) to 2^53-1 is expected" : "a whole number is expected",
  );
};
/** A decimal number comes as a text, so that no digit is lost, or as a whole number. */
export const decimal: Parse<Decimal> = (value) => {
  if (value instanceof Decimal) return value;
  if (typeof value === "number" && !Number.isInteger(value)) {
    return wrong(
      'a decimal number is expected as a text, as "12.50": a JSON number with a point loses digits',
    );
  }
  const found =
    typeof value === "string" || typeof value === "number"
      ? Decimal.read(String(value))
      : undefined;
  return found ?? wrong('a decimal number as "12.50" is expected');
};
const UNITS: Dictionary<number> = {
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
};
/** Milliseconds, or a text such as `2h30m`. */
export const duration: Parse<number> = (value) => {
  const found = typeof value === "string" ? span(value) : value;
  return whole(found) ? found : wrong('a duration as "2h30m" is expected, or its milliseconds');
};

function span(value: string): number | undefined {
  const parts =
    /^(-?)(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(value);
  if (parts === null || !/\d/.test(value)) return undefined;
  const [, sign, ...counts] = parts;
  const total = Object.values(UNITS).reduce(
    (sum, unit, i) => sum + unit * Number(counts[i] ?? 0),
    0,
  );
  return sign === "-" ? -total : total;
}

/** Milliseconds since 1970, or a text such as `2026-01-31T09:00:00Z`. */
export const instant: Parse<number> = (value) => {
  const found =
    typeof value === "string" && /T.*(?:Z|[+-]\d\d:?\d\d)$/.test(value) ? Date.parse(value) : value;
  if (whole(found)) return found;
  return wrong('an instant as "2026-01-31T09:00:00Z" is expected, or its milliseconds since 1970');
};
export const date: Parse<string> = (value) =>
  typeof value === "string" && /^\d{4}-\d\d-\d\d$/.test(value) && isDay(value)
    ? value
    : wrong('a date as "2026-01-31" is expected');

function isDay(value: string): boolean {
  const at = Date.parse(`${value}T00:00:00Z`);
  return (
    !Number.isNaN(at) && !value.startsWith("0000") && new Date(at).toISOString().startsWith(value)
  );
}

export const list =
  <T>(item: Parse<T>): Parse<readonly T[]> =>
  (value) =>
    Array.isArray(value)
      ? value.map((each: unknown, i) => inside(`[${String(i)}]`, () => item(each)))
      : wrong("a list is expected");
export const dictionary =
  <T>(item: Parse<T>): Parse<Dictionary<T>> =>
  (value) =>
    Object.fromEntries(
      Object.entries(object(value)).map(([key, each]) => [
        key,
        inside(`[${JSON.stringify(key)}]`, () => item(each)),
      ]),
    );
export const optional =
  <T>(inner: Parse<T>): Parse<T | undefined> =>
  (value) =>
    value === undefined || value === null ? undefined : inner(value);
/** A field with a default. */
export const withDefault =
  <T>(inner: Parse<T>, otherwise: () => T): Parse<T> =>
  (value) =>
    value === undefined ? otherwise() : inner(value);
/** A refinement: the value itself must hold. `shown` is what it must hold. */
export const refined =
  <T>(inner: Parse<T>, holds: (value: T) => boolean, shown: string): Parse<T> =>
  (value) => {
    const found = inner(value);
    return holds(found) ? found : wrong(`a value with \`${shown}\` is expected`);
  };
/** An enum whose cases have no fields. */
export const oneOf =
  <const T extends string>(...names: readonly T[]): Parse<T> =>
  (value) => {
    const given = typeof value === "object" && value !== null ? field(object(value), "is") : value;
    return names.find((name) => name === given) ?? wrong(`${listed(names, "or")} is expected`);
  };

type Fields<T> = { readonly [K in keyof T]-?: Parse<T[K]> };

function parsed(
  fields: Dictionary<Parse<unknown>>,
  given: Dictionary<unknown>,
  tagged = false,
): Dictionary<unknown> {
  const names = Object.keys(fields);
  const found = names.map((name) => [
    name,
    inside(`.${name}`, () => part(fields[name], field(given, name))),
  ]);
  const surplus = Object.keys(given).find(
    (name) => !names.includes(name) && !(tagged && name === "is"),
  );
  if (surplus !== undefined) {
    const only = names.length > 0 ? `, only ${listed(names)}` : "";
    return wrong(`there is no such field${only}`, step(surplus));
  }
  return Object.fromEntries(found) as Dictionary<unknown>;
}

/** A field; one that is left out must have a default, or may be absent. */
function part(parse: Parse<unknown> | undefined, value: unknown): unknown {
  if (value !== undefined) return parse?.(value);
  try {
    return parse?.(undefined);
  } catch (error) {
    throw error instanceof Misfit ? new Misfit("a value is missing") : error;
  }
}

/** A record; `fields` is a function so that types may mention each other in circles. */
export const record =
  <T extends object>(fields: () => Fields<T>): Parse<T> =>
  (value) =>
    parsed(fields(), object(value)) as T;

type Cases<T extends Tagged> = {
  readonly [K in T["is"]]: () => Fields<Omit<Extract<T, { readonly is: K }>, "is">>;
};

/** An enum whose cases have fields, and errors. A case without fields may come as its name alone. */
export const cases =
  <T extends Tagged>(table: Cases<T>): Parse<T> =>
  (value) => {
    const given: Dictionary<unknown> =
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? (value as Dictionary<unknown>)
        : { is: value };
    const name = field(given, "is");
    const fields = typeof name === "string" ? field(table, name) : undefined;
    if (typeof fields !== "function")
      return wrong(`${listed(Object.keys(table), "or")} is expected`);
    return {
      is: name,
      ...parsed((fields as () => Dictionary<Parse<unknown>>)(), given, true),
    } as unknown as T;
  };

export const anyError: Parse<AnyError> = (value) => {
  const given = typeof value === "string" ? { is: value } : object(value);
  return { ...given, is: text(field(given, "is")) };
};
export const settledOf = <T>(inner: Parse<T>): Parse<Settled<T>> => {
  const table = { Ok: () => ({ value: inner }), Failed: () => ({ error: anyError }) };
  return cases<Settled<T>>(table);
};
export const assignee: Parse<Assignee> = record<Assignee>(() => ({
  is: oneOf("role", "person"),
  name: text,
}));
export const secretOf =
  <T>(): Parse<Secret<T>> =>
  (value) =>
    secret(text(field(object(value), "secret")));
