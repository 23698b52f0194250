// What comes in from outside is looked at, never believed.

import { Decimal } from "./wfc-decimal.js";
import { evaluate, type Env } from "./wfc-xstate-expressions.js";
import type { Fields, FieldTable, Tables, Tree, Type, Value } from "./wfc-xstate-types.js";

/** A value from outside does not fit its type. */
export class Misfit extends Error {
  override readonly name = "Misfit";
}

const wrong = (expected: string): never => {
  throw new Misfit(`${expected} is expected`);
};
const BUILT_IN = new Set([
  "Timeout",
  "Unavailable",
  "Invalid",
  "LockTimeout",
  "LockLost",
  "AlreadyRunning",
]);
const UNITS: Readonly<Record<string, number>> = {
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
};
const DURATION = /^(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m(?!s))?(?:\d+s)?(?:\d+ms)?$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)$/;

/** The types of one chart. */
export class Forms {
  readonly #env: Env;
  readonly #tables: ReadonlyMap<string, Tree>;
  readonly #errors: ReadonlyMap<string, Tree>;

  constructor(tables: Tables, env: Env) {
    this.#env = env;
    this.#tables = new Map([...tables.records, ...tables.enums, ...tables.events]);
    this.#errors = new Map(tables.errors);
  }

  fields(defs: readonly FieldTable[], data: Value): Fields {
    const given = object(data);
    const known = new Set(defs.map((def) => def.name));
    const surplus = Object.keys(given).find((name) => !known.has(name));
    if (surplus !== undefined) throw new Misfit(`${surplus}: there is no such field`);
    return Object.fromEntries(defs.map((def) => [def.name, this.field(def, given)]));
  }

  error(name: string, data: Value): Fields {
    const found = this.#errors.get(name);
    if (found === undefined) return wrong("a declared error");
    const { is: _, ...given } = object(data);
    return { is: name, ...this.fields(fieldsOf(found), given) };
  }

  event(name: string, data: Value): Fields {
    const found = this.#tables.get(name);
    return found === undefined ? wrong("a declared event") : this.fields(fieldsOf(found), data);
  }

  private field(def: FieldTable, given: Fields): Value {
    if (!Object.hasOwn(given, def.name)) {
      if (def.default !== undefined) return evaluate(def.default, this.#env);
      return typeof def.type !== "string" && def.type.is === "type-optional"
        ? undefined
        : wrong("a value");
    }
    return this.refined(this.read(def.type, given[def.name]), def.where);
  }

  refined(value: Value, where: Tree | null | undefined): Value {
    if (where === null || where === undefined) return value;
    return evaluate(where, { ...this.#env, value }) === true
      ? value
      : wrong("a value that holds its condition");
  }

  read(type: Type, data: Value): Value {
    if (typeof type === "string") return this.basic(type, data);
    switch (type.is) {
      case "type-money":
        return decimal(data);
      case "type-optional":
        return data === null || data === undefined
          ? undefined
          : this.read(type["inner"] as Type, data);
      case "type-list-of":
        return Array.isArray(data)
          ? data.map((item: Value) => this.read(type["item"] as Type, item))
          : wrong("a list");
      case "type-map-of":
        return Object.fromEntries(
          Object.entries(object(data)).map(([k, v]) => [k, this.read(type["item"] as Type, v)]),
        );
      case "type-secret":
        return isReference(data) ? data : this.read(type["inner"] as Type, data);
      case "type-fields":
        return this.fields(
          ((type["fields"] ?? []) as [string, Type][]).map(([name, of]) => ({ name, type: of })),
          data,
        );
      case "type-errors":
        return this.anyError(data, (name) => (type["names"] as readonly string[]).includes(name));
      case "type-named":
        return this.named(type, data);
      default:
        throw new Error(`there is no type ${type.is}`);
    }
  }

  private named(type: Tree, data: Value): Value {
    const args = (type["args"] ?? []) as readonly Type[];
    if (type["kind"] === "enum" && type["name"] === "Settled") {
      const of = (name: string, kind: Type): FieldTable[] => [{ name, type: kind }];
      return this.choice(
        [
          ["Ok", of("value", args[0] ?? "Never")],
          ["Failed", of("error", "Error")],
        ],
        data,
      );
    }
    const found = this.#tables.get(type["name"] as string);
    if (found === undefined) throw new Error(`there is no type ${String(type["name"])}`);
    const bound = new Map(
      ((found["params"] ?? []) as string[]).map((name, i) => [name, args[i] ?? "Never"] as const),
    );
    const defs = (of: Tree): FieldTable[] =>
      fieldsOf(of).map((def) => ({ ...def, type: substitute(def.type, bound) }));
    if (type["kind"] !== "enum") return this.fields(defs(found), data);
    return this.choice(
      ((found["cases"] ?? []) as Tree[]).map((each) => [each["name"] as string, defs(each)]),
      data,
    );
  }

  private choice(cases: readonly (readonly [string, readonly FieldTable[]])[], data: Value): Value {
    const given = typeof data === "string" ? { is: data } : object(data);
    const { is: name, ...rest } = given;
    const found = cases.find(([each]) => each === name);
    return found === undefined
      ? wrong(cases.map(([each]) => each).join(" or "))
      : { is: name, ...this.fields(found[1], rest) };
  }

  private anyError(data: Value, allowed: (name: string) => boolean): Value {
    const given = typeof data === "string" ? { is: data } : object(data);
    const name = given["is"];
    if (typeof name !== "string" || !allowed(name)) return wrong("an error");
    return BUILT_IN.has(name) ? { is: name } : this.error(name, given);
  }

  private basic(type: string, data: Value): Value {
    switch (type) {
      case "Text":
      case "Queue":
        return typeof data === "string" ? data : wrong("a text");
      case "Bool":
        return typeof data === "boolean" ? data : wrong("true or false");
      case "Int":
        return Number.isSafeInteger(data) ? data : wrong("a whole number");
      case "Decimal":
        return decimal(data);
      case "Duration":
        return typeof data === "string"
          ? duration(data)
          : Number.isSafeInteger(data)
            ? data
            : wrong("a duration");
      case "Instant":
        return typeof data === "string"
          ? instant(data)
          : Number.isSafeInteger(data)
            ? data
            : wrong("an instant");
      case "Date":
        return date(data);
      case "Error":
        return this.anyError(data, (name) => BUILT_IN.has(name) || this.#errors.has(name));
      case "Assignee":
        return this.choice(
          [
            ["role", [{ name: "name", type: "Text" }]],
            ["person", [{ name: "name", type: "Text" }]],
          ],
          data,
        );
      case "Never":
        return data === null || data === undefined ? undefined : wrong("null");
      default:
        throw new Error(`there is no type ${type}`);
    }
  }
}

const fieldsOf = (of: Tree): readonly FieldTable[] => (of["fields"] ?? []) as readonly FieldTable[];
const object = (data: Value): Fields =>
  typeof data === "object" && data !== null && !Array.isArray(data)
    ? (data as Fields)
    : wrong("an object with fields");
const isReference = (data: Value): boolean =>
  typeof data === "object" && data !== null && Object.keys(data).join() === "secret";

function decimal(data: Value): Decimal {
  if (data instanceof Decimal) return data;
  if (typeof data !== "string" && typeof data !== "number") return wrong("a decimal number");
  return Decimal.read(String(data)) ?? wrong("a decimal number");
}

function date(data: Value): string {
  const at =
    typeof data === "string" && /^\d{4}-\d\d-\d\d$/.test(data)
      ? Date.parse(`${data}T00:00:00Z`)
      : NaN;
  return !Number.isNaN(at) && new Date(at).toISOString().slice(0, 10) === data
    ? data
    : wrong("a date");
}

function duration(text: string): number {
  if (text === "" || !DURATION.test(text)) return wrong("a duration");
  return [...text.matchAll(/(\d+)([a-z]+)/g)].reduce(
    (sum, [, times, unit]) => sum + Number(times) * (UNITS[unit ?? ""] ?? 0),
    0,
  );
}

function instant(text: string): number {
  const at = INSTANT.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? wrong("an instant") : at;
}

function substitute(type: Type, bound: ReadonlyMap<string, Type>): Type {
  if (typeof type === "string" || bound.size === 0) return type;
  if (type.is === "type-type-var") return bound.get(type["name"] as string) ?? type;
  const deep = (item: unknown): unknown => {
    if (Array.isArray(item)) return item.map(deep);
    if (typeof item !== "object" || item === null) return item;
    return "is" in item ? substitute(item as Tree, bound) : item;
  };
  return Object.fromEntries(Object.entries(type).map(([key, item]) => [key, deep(item)])) as Tree;
}
