// Parsers: what comes in from outside is looked at, never believed. `null` and a missing field are `none`.

import { Decimal } from './wfc-decimal.js';
import type { AnyError, Assignee, Dictionary, Secret, Settled, Tagged } from './wfc-values.js';

/** Makes a value of what came in; throws a `Misfit` where it does not fit. */
export type Parse<T> = (value: unknown) => T;

/** A value from outside has the wrong form; says where and what was expected. */
export class Misfit extends Error {
  override readonly name = 'Misfit';
}

function wrong(expected: string): never {
  throw new Misfit(`expected ${expected}`);
}

function inside<T>(place: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof Misfit ? new Misfit(`${place}: ${error.message}`) : error;
  }
}

const object = (value: unknown): Dictionary<unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Dictionary<unknown>)
    : wrong('an object');
const field = (of: Dictionary<unknown>, name: string): unknown => (Object.hasOwn(of, name) ? of[name] : undefined);

export const anything: Parse<unknown> = (value) => value;
export const nothing: Parse<undefined> = () => undefined;
export const text: Parse<string> = (value) => (typeof value === 'string' ? value : wrong('a text'));
export const bool: Parse<boolean> = (value) => (typeof value === 'boolean' ? value : wrong('true or false'));
export const int: Parse<number> = (value) =>
  typeof value === 'number' && Number.isSafeInteger(value) ? value : wrong('a whole number');
/** A decimal number comes as a text, so that no digit is lost, or as a number. */
export const decimal: Parse<Decimal> = (value) => {
  if (value instanceof Decimal) return value;
  if (typeof value !== 'string' && typeof value !== 'number') return wrong('a decimal number');
  return Decimal.read(String(value)) ?? wrong('a decimal number');
};
export const date: Parse<string> = (value) =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) && isDay(value) ? value : wrong('a date, as 2000-12-31');

function isDay(value: string): boolean {
  const at = Date.parse(`${value}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(value);
}

export const list =
  <T>(item: Parse<T>): Parse<readonly T[]> =>
  (value) =>
    Array.isArray(value)
      ? value.map((each: unknown, i) => inside(String(i), () => item(each)))
      : wrong('a list');
export const dictionary =
  <T>(item: Parse<T>): Parse<Dictionary<T>> =>
  (value) =>
    Object.fromEntries(Object.entries(object(value)).map(([key, each]) => [key, inside(key, () => item(each))]));
export const optional =
  <T>(inner: Parse<T>): Parse<T | undefined> =>
  (value) =>
    value === undefined || value === null ? undefined : inner(value);
/** A field with a default. */
export const withDefault =
  <T>(inner: Parse<T>, otherwise: () => T): Parse<T> =>
  (value) =>
    value === undefined ? otherwise() : inner(value);
/** A refinement: the value itself must hold. */
export const refined =
  <T>(inner: Parse<T>, holds: (value: T) => boolean): Parse<T> =>
  (value) => {
    const found = inner(value);
    return holds(found) ? found : wrong('a value that holds its condition');
  };
export const oneOf =
  <const T extends string>(...names: readonly T[]): Parse<T> =>
  (value) =>
    names.find((name) => name === value) ?? wrong(`one of ${names.join(', ')}`);

type Fields<T> = { readonly [K in keyof T]-?: Parse<T[K]> };

function parsed(fields: Dictionary<Parse<unknown>>, value: unknown): Dictionary<unknown> {
  const given = object(value);
  const found = Object.entries(fields).map(([name, parse]) => [name, inside(name, () => parse(field(given, name)))]);
  return Object.fromEntries(found.filter(([, each]) => each !== undefined)) as Dictionary<unknown>;
}

/** A record; `fields` is a function so that types may mention each other in circles. */
export const record =
  <T extends object>(fields: () => Fields<T>): Parse<T> =>
  (value) =>
    parsed(fields() as Dictionary<Parse<unknown>>, value) as T;

type Cases<T extends Tagged> = { readonly [K in T['is']]: () => Fields<Omit<Extract<T, { readonly is: K }>, 'is'>> };

/** An enum whose cases have fields, and errors. A case without fields may come as its name alone. */
export const cases =
  <T extends Tagged>(table: Cases<T>): Parse<T> =>
  (value) => {
    const given = typeof value === 'string' ? { is: value } : object(value);
    const name = field(given, 'is');
    const fields = typeof name === 'string' ? field(table, name) : undefined;
    if (typeof fields !== 'function') return wrong(`one of ${Object.keys(table).join(', ')}`);
    return { is: name, ...parsed((fields as () => Dictionary<Parse<unknown>>)(), given) } as unknown as T;
  };

export const anyError: Parse<AnyError> = (value) => {
  const given = object(value);
  return { ...given, is: text(field(given, 'is')) };
};
export const settledOf = <T>(inner: Parse<T>): Parse<Settled<T>> => {
  const table = { Ok: () => ({ value: inner }), Failed: () => ({ error: anyError }) };
  return cases<Settled<T>>(table as unknown as Cases<Settled<T>>);
};
export const assignee: Parse<Assignee> = record<Assignee>(() => ({ is: oneOf('role', 'person'), name: text }));
export const secretOf =
  <T>(): Parse<Secret<T>> =>
  (value) => ({ secret: text(field(object(value), 'secret')) });
