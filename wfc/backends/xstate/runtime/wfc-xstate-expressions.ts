// The value of an expression tree: total and pure, as the language page says.

import { Decimal } from "./wfc-decimal.js";
import * as val from "./wfc-values.js";
import type { Fields, Tree, Type, Value } from "./wfc-xstate-types.js";

/** What names mean where an expression stands. */
export interface Env {
  readonly now: number;
  readonly names: Fields; // by slot
  readonly extra?: Fields; // operands, the result, what was stored; slots that are bound just here
  readonly params?: Fields; // of a function, or of the workflow
  readonly items?: Fields; // parameters of lambdas
  readonly value?: Value; // what a refinement looks at
  readonly functions: ReadonlyMap<string, Tree>;
  readonly constants: ReadonlyMap<string, Tree>;
}

const own = (of: Fields, name: string): Value => (Object.hasOwn(of, name) ? of[name] : undefined);
const tree = (item: unknown): Tree => item as Tree;
const trees = (item: unknown): readonly Tree[] => (item ?? []) as readonly Tree[];
const named = (pairs: readonly (readonly [string, Value])[]): Fields => Object.fromEntries(pairs);

export function evaluate(expr: Tree, env: Env): Value {
  switch (expr.is) {
    case "lit":
      return literal(expr["type"] as Type, expr["value"]);
    case "ref":
      return reference(expr["kind"] as string, expr["name"] as string, env);
    case "get": {
      const target = evaluate(tree(expr["target"]), env);
      return target === undefined ? undefined : own(target as Fields, expr["name"] as string);
    }
    case "op":
      return operation(expr, env);
    case "member": {
      const target = evaluate(tree(expr["target"]), env);
      return target === undefined && expr["optional"] === true
        ? undefined
        : member(expr, target, env);
    }
    case "apply":
      return apply(expr, env);
    case "new": {
      const type = expr["type"] as Tree;
      const tag =
        (expr["case"] as string | undefined) ??
        (type.is === "type-errors" ? (type["names"] as string[])[0] : "");
      const fields = ((expr["fields"] ?? []) as [string, Tree][]).map(
        ([name, item]) => [name, evaluate(item, env)] as const,
      );
      return named(tag === undefined || tag === "" ? fields : [["is", tag] as const, ...fields]);
    }
    case "is": {
      const target = evaluate(tree(expr["target"]), env);
      return expr["kind"] === "none"
        ? val.isNone(target)
        : val.is(target as val.Tagged | undefined, expr["name"] as string);
    }
    case "if":
      return evaluate(
        tree(evaluate(tree(expr["test"]), env) === true ? expr["yes"] : expr["no"]),
        env,
      );
    case "items":
      return trees(expr["items"]).map((item) => evaluate(item, env));
    case "interp":
      return trees(expr["parts"])
        .map((part) => show(evaluate(part, env), part["type"] as Type))
        .join("");
    case "now":
      return env.now;
    case "who":
      return { is: expr["kind"], name: evaluate(tree(expr["name"]), env) };
    default:
      throw new Error(`there is no expression ${expr.is}`);
  }
}

export const holds = (expr: Tree, env: Env): boolean => evaluate(expr, env) === true;

function reference(kind: string, name: string, env: Env): Value {
  switch (kind) {
    case "slot":
      return env.extra !== undefined && Object.hasOwn(env.extra, name)
        ? env.extra[name]
        : own(env.names, name);
    case "operand":
      return own(env.extra ?? {}, `operand.${name}`);
    case "result":
      return own(env.extra ?? {}, "result.");
    case "stored":
      return own(env.extra ?? {}, name);
    case "param":
      return own(env.params ?? {}, name);
    case "lambda":
      return own(env.items ?? {}, name);
    case "value":
      return env.value;
    case "queue":
      return name;
    case "secret":
      return val.secret(name);
    case "const": {
      const found = env.constants.get(name);
      if (found === undefined) throw new Error(`there is no constant ${name}`);
      return evaluate(tree(found["value"]), {
        ...env,
        names: {},
        extra: {},
        params: {},
        items: {},
      });
    }
    default:
      throw new Error(`there is no kind of name ${kind}`);
  }
}

function apply(expr: Tree, env: Env): Value {
  const found = env.functions.get(expr["name"] as string);
  if (found === undefined) throw new Error(`there is no function ${String(expr["name"])}`);
  const given = trees(expr["args"]).map((arg) => evaluate(arg, env));
  const params = named(
    ((found["params"] ?? []) as [string, Type][]).map(([name], i) => [name, given[i]] as const),
  );
  return evaluate(tree(found["body"]), { ...env, names: {}, extra: {}, items: {}, params });
}

/* ----------------------------------------------------------------------------------------- types */

export const inner = (type: Type): Type =>
  typeof type !== "string" && type.is === "type-optional" ? (type["inner"] as Type) : type;
const isDecimal = (type: Type): boolean =>
  type === "Decimal" || (typeof type !== "string" && type.is === "type-money");
const isList = (type: Type): type is Tree => typeof type !== "string" && type.is === "type-list-of";
const isMap = (type: Type): boolean => typeof type !== "string" && type.is === "type-map-of";
const decimal = (value: Value): Decimal =>
  value instanceof Decimal ? value : Decimal.of(value as number);

function literal(type: Type, value: unknown): Value {
  if (value === null || value === undefined) return undefined;
  return isDecimal(inner(type)) ? Decimal.of(value as string) : value;
}

export function show(value: Value, type: Type): string {
  if (typeof type !== "string" && type.is === "type-money")
    return val.showMoney(value as Decimal, type["currency"] as string);
  if (type === "Duration") return val.showDuration(value as number);
  if (type === "Instant") return val.showInstant(value as number);
  if (value instanceof Decimal) return value.toString();
  if (typeof value === "object" && value !== null) return val.showCase(value as val.Tagged);
  return String(value);
}

/* ------------------------------------------------------------------------------------- operators */

function operation(expr: Tree, env: Env): Value {
  const args = trees(expr["args"]);
  const at = (place: number): Value => evaluate(args[place] as Tree, env);
  switch (expr["op"]) {
    case "not":
      return at(0) !== true;
    case "and":
      return at(0) === true && at(1) === true;
    case "or":
      return at(0) === true || at(1) === true;
    case "??":
      return val.orElse(at(0), at(1));
    case "some":
      return at(0);
    case "decimal":
      return val.whenSome(at(0), decimal);
    case "neg": {
      const value = at(0);
      return value instanceof Decimal ? value.negated() : 0 - (value as number);
    }
    case "==":
      return val.equal(at(0), at(1));
    case "!=":
      return !val.equal(at(0), at(1));
    case "<":
      return order(at(0), at(1)) < 0;
    case "<=":
      return order(at(0), at(1)) <= 0;
    case ">":
      return order(at(0), at(1)) > 0;
    case ">=":
      return order(at(0), at(1)) >= 0;
    case "in": {
      const within = at(1);
      return Array.isArray(within)
        ? val.includes(within, at(0))
        : val.hasKey(within as Fields, at(0) as string);
    }
    case "index": {
      const of = at(0);
      const place = at(1);
      if (isMap(inner((args[0] as Tree)["type"] as Type)))
        return val.lookUp(of as Fields, place as string);
      return (place as number) >= 0 ? (of as Value[])[place as number] : undefined;
    }
    default:
      return arithmetic(expr["op"] as string, inner(expr["type"] as Type), at(0), at(1));
  }
}

const order = (a: Value, b: Value): number => val.compare(a as val.Ordered, b as val.Ordered);

function arithmetic(op: string, type: Type, a: Value, b: Value): Value {
  if (isList(type)) return [...(a as Value[]), ...(b as Value[])];
  const whole = !isDecimal(type);
  if (whole && (op === "+" || op === "-" || type === "Int")) {
    const work = { "+": val.add, "-": val.subtract, "*": val.multiply }[op];
    if (work !== undefined) return work(a as number, b as number);
  }
  const [x, y] = [decimal(a), decimal(b)];
  const found =
    op === "+" ? x.plus(y) : op === "-" ? x.minus(y) : op === "*" ? x.times(y) : x.over(y);
  return found === undefined || !whole ? found : val.whole(found);
}

/* --------------------------------------------------------------------------------------- members */

function member(expr: Tree, of: Value, env: Env): Value {
  const name = expr["name"] as string;
  const [arg] = trees(expr["args"]);
  if (arg === undefined)
    return plain(name, of, inner((tree(expr["target"])["type"] ?? "Unknown") as Type));
  if (arg.is !== "fn") {
    const text = evaluate(arg, env) as string;
    return name === "contains" ? (of as string).includes(text) : (of as string).startsWith(text);
  }
  const items = of as readonly Value[];
  const call = (item: Value): Value =>
    evaluate(tree(arg["body"]), {
      ...env,
      items: { ...env.items, ...named([[arg["param"] as string, item]]) },
    });
  const test = (item: Value): boolean => call(item) === true;
  switch (name) {
    case "map":
      return items.map(call);
    case "filter":
      return items.filter(test);
    case "count":
      return val.count(items, test);
    case "any":
      return items.some(test);
    case "all":
      return items.every(test);
    case "find":
      return items.find(test);
    case "sortBy":
      return val.sortBy(items, (item) => call(item) as val.Ordered);
    case "min":
      return val.least(items.map(call) as val.Ordered[]);
    case "max":
      return val.greatest(items.map(call) as val.Ordered[]);
    case "sum":
      return sum(items.map(call), arg["type"] as Type);
    default:
      throw new Error(`there is no member ${name}`);
  }
}

const sum = (items: readonly Value[], type: Type): Value =>
  isDecimal(type) ? val.total(items as Decimal[]) : val.sum(items as number[]);

function plain(name: string, of: Value, type: Type): Value {
  const items = of as readonly Value[];
  switch (name) {
    case "count":
      return Array.isArray(of) ? of.length : Object.keys(of as object).length;
    case "length":
      return val.length(of as string);
    case "isEmpty":
      return typeof of === "string"
        ? of === ""
        : Array.isArray(of)
          ? of.length === 0
          : Object.keys(of as object).length === 0;
    case "first":
      return items[0];
    case "last":
      return items.at(-1);
    case "sum":
      return sum(items, isList(type) ? (type["item"] as Type) : "Int");
    case "min":
      return val.least(items as val.Ordered[]);
    case "max":
      return val.greatest(items as val.Ordered[]);
    case "keys":
      return val.keys(of as Fields);
    case "values":
      return val.values(of as Fields);
    case "lower":
      return (of as string).toLowerCase();
    case "upper":
      return (of as string).toUpperCase();
    case "trim":
      return val.trim(of as string);
    case "round":
    case "floor":
    case "ceil":
      return (of as Decimal).whole(name);
    case "amount":
      return of;
    case "date":
      return val.dateOf(of as number);
    case "start":
      return val.startOf(of as string);
    case "message":
      return val.message(of as val.AnyError);
    default:
      throw new Error(`there is no member ${name}`);
  }
}
