// Calls: keys, attempts, what an outcome does to the log, and the undo of what has been done.

import { Decimal } from "./wfc-decimal.js";
import { evaluate } from "./wfc-xstate-expressions.js";
import { Misfit } from "./wfc-xstate-forms.js";
import { change, drop, live, note, tell, visit, type Program } from "./wfc-xstate-state.js";
import type {
  CallTable,
  Due,
  Entry,
  Fields,
  Flying,
  Outcome,
  Policy,
  PolicyTable,
  State,
  Tree,
  UndoTable,
  Value,
} from "./wfc-xstate-types.js";

const SILENCE = 30_000; // how long a call without a timeout may take to stop
const SYSTEM = ["Timeout", "Unavailable", "Invalid", "LockTimeout", "LockLost", "AlreadyRunning"];
const RETRIED = ["Timeout", "Unavailable"];
const UNATTENDED = "unattended";

export const site = (p: Program, number: number): CallTable => p.tables.calls[number] as CallTable;

/* ---------------------------------------------------------------------------------------- sending */

/** A call begins: its entry is written, then the first attempt is sent. */
export function begin(p: Program, s: State, number: number): void {
  const code = site(p, number);
  const args = (code.args ?? []).map((arg) => p.value(arg, s));
  const operands = named(code, args);
  const key = `${s.id}/${code.target}/${ownKey(p, s, code, operands, args)}`;
  s.serial += 1;
  const entry: Entry = {
    ...nothing,
    kind: "call",
    id: s.serial,
    path: code.path ?? "",
    name: code.target,
    key,
    state: "started",
  };
  change(s, code.frame, { log: [...live(s, code.frame).log, entry] });
  start(p, s, number, key, args, policyHere(p, s, code.policy, {}), entry.id, 0, undefined);
}

const nothing = {
  kind: "call",
  id: 0,
  path: "",
  name: "",
  key: "",
  state: "done",
  undo: undefined,
  stored: {},
  branches: [],
} as const;
const named = (code: CallTable, args: readonly Value[]): Fields =>
  Object.fromEntries((code.operands ?? []).map((name, i) => [name, args[i]] as const));

function ownKey(
  p: Program,
  s: State,
  code: CallTable,
  operands: Fields,
  _: readonly Value[],
): string {
  const place = code.path === undefined ? (code.number ?? "") : `${code.path}/${code.number ?? ""}`;
  const number = visit(s, place);
  if (code.key !== undefined && !code.key.operands) return String(p.value(code.key.value, s));
  if (code.ownKey !== undefined) return String(p.value(code.ownKey, s, operands));
  return `${place}/${String(number)}`;
}

function start(
  p: Program,
  s: State,
  number: number,
  key: string,
  args: readonly Value[],
  policy: Policy | undefined,
  entry: number,
  list: number,
  undone: Entry | undefined,
): void {
  s.serial += 1;
  const id = `c${String(s.serial)}`;
  const code = site(p, number);
  s.calls[id] = {
    id,
    site: number,
    key,
    args,
    policy,
    entry,
    list,
    undone,
    state: "sent",
    attempt: 0,
    open: false,
  };
  note(p, s, "called", code.path ?? "", { operation: code.target, key });
  if (policy?.overall !== undefined) arm(p, s, id, "overall", policy.overall);
  attempt(p, s, id);
}

export const flying = (s: State, id: string): Flying => s.calls[id] as Flying;
const put = (s: State, id: string, by: Partial<Flying>): void => {
  s.calls[id] = { ...flying(s, id), ...by };
};

function attempt(p: Program, s: State, id: string): void {
  const call = flying(s, id);
  const code = site(p, call.site);
  const policy = call.policy;
  const throttled =
    policy !== undefined && (policy.limit !== undefined || policy.concurrency !== undefined);
  put(s, id, { attempt: call.attempt + 1, state: throttled ? "queued" : "sent" });
  if (!throttled) count(p, s, id);
  const assign = code.assign;
  tell(p, s, {
    is: "send",
    send: {
      call: id,
      attempt: call.attempt + 1,
      kind: code.kind,
      target: code.target,
      key: call.key,
      args: call.args,
      policy: policy?.name ?? "",
      timeout: policy?.timeout,
      assign:
        assign === undefined
          ? undefined
          : p.value(assign.value, s, assign.operands ? named(code, call.args) : extras(call)),
      effect: code.effect,
      undo: call.list > 0,
      breaker: policy?.breaker,
      limit: policy?.limit,
      concurrency: policy?.concurrency,
    },
  });
}

const extras = (call: Flying): Fields => call.undone?.stored ?? {};

/** The time of an attempt begins. */
function count(p: Program, s: State, id: string): void {
  const policy = flying(s, id).policy;
  if (policy?.timeout !== undefined) arm(p, s, id, "timeout", policy.timeout);
  if (policy?.heartbeat !== undefined) arm(p, s, id, "heartbeat", policy.heartbeat);
}

/** A call that had to wait has been sent. */
export function sent(p: Program, s: State, id: string): void {
  if (flying(s, id).state !== "queued") return;
  put(s, id, { state: "sent" });
  count(p, s, id);
}

/** An attempt is alive. */
export function beat(p: Program, s: State, id: string): void {
  const call = flying(s, id);
  if (call.state === "sent" && call.policy?.heartbeat !== undefined)
    arm(p, s, id, "heartbeat", call.policy.heartbeat);
}

function arm(p: Program, s: State, id: string, what: Due["what"], after: number): void {
  const timers = site(p, flying(s, id).site).timers;
  const timer = p.tables.timers[what === "pause" ? timers.pause : timers.timeout];
  s.dues[`${id}.${what}`] = { at: p.now + after, order: timer?.order ?? 0, call: id, what };
}

const disarm = (s: State, id: string, ...what: Due["what"][]): void => {
  for (const each of what) drop(s.dues, `${id}.${each}`);
};

/** A call is over: nobody waits for it any more. */
function over(s: State, id: string): void {
  disarm(s, id, "timeout", "overall", "heartbeat", "silence", "pause");
  drop(s.calls, id);
}

function policyHere(
  p: Program,
  s: State,
  policy: PolicyTable | undefined,
  extra: Fields,
): Policy | undefined {
  if (policy === undefined) return undefined;
  const value = (expr: Tree): Value => p.value(expr, s, extra);
  const maybe = (expr: Tree | undefined): number | undefined =>
    expr === undefined ? undefined : (value(expr) as number);
  const all = (exprs: readonly Tree[] | undefined): readonly number[] | undefined =>
    exprs?.map((each) => value(each) as number);
  const attempts = maybe(policy.attempts);
  const queue = policy.queue ?? "";
  return {
    name: policy.name ?? "",
    timeout: maybe(policy.timeout),
    overall: maybe(policy.overall),
    attempts: attempts === undefined ? undefined : Math.max(1, attempts),
    backoff: value(policy.backoff) as number,
    factor: value(policy.factor),
    max: value(policy.max) as number,
    jitter: policy.jitter === undefined ? undefined : value(policy.jitter),
    heartbeat: maybe(policy.heartbeat),
    concurrency: maybe(policy.concurrency),
    limit: all(policy.limit),
    breaker: all(policy.breaker),
    queue: typeof queue === "string" ? queue : (value(queue) as string),
  };
}

/* --------------------------------------------------------------------------------------- outcomes */

/** What an outcome means: looked at, and told whether the call is over. */
export type Verdict =
  | { readonly is: "worked"; readonly value: Value }
  | {
      readonly is: "again";
      readonly error: string;
      readonly sent: boolean;
      readonly business: boolean;
      readonly detail: string;
      readonly chance: number;
    }
  | { readonly is: "refused"; readonly error: Fields; readonly again: boolean }
  | {
      readonly is: "failed";
      readonly error: string;
      readonly sent: boolean;
      readonly detail: string;
    }
  | { readonly is: "stopped"; readonly doubt: boolean };

export function judge(p: Program, s: State, id: string, outcome: Outcome): Verdict {
  const call = flying(s, id);
  const code = site(p, call.site);
  const chance = outcome.chance ?? 0.5;
  switch (outcome.kind) {
    case "value":
      try {
        return { is: "worked", value: answer(p, code, outcome.value) };
      } catch (error) {
        return system(p, call, "Invalid", true, 0, misfit(error));
      }
    case "error": {
      const name = String((outcome.value as Fields | null)?.["is"]);
      if (!(code.raises ?? []).includes(name))
        return system(p, call, "Invalid", true, 0, `undeclared ${name}`);
      try {
        const error = p.forms.error(name, outcome.value);
        const again = code.policy?.only?.includes(name) ?? false;
        if (again && tries(p, call, name))
          return { is: "again", error: name, sent: false, business: true, detail: "", chance };
        return { is: "refused", error, again };
      } catch (error) {
        return system(p, call, "Invalid", true, 0, misfit(error));
      }
    }
    case "system":
      return system(
        p,
        call,
        SYSTEM.includes(outcome.value) ? outcome.value : "Unavailable",
        outcome.sent,
        chance,
        "",
      );
    case "cancelled":
      if (call.state === "stopping")
        return { is: "stopped", doubt: call.open && code.keyed !== true };
      return system(p, call, "Unavailable", false, 0, "cancelled");
  }
}

/** Whether a person has answered what does not fit: it is refused to them, and the task still waits. */
export function unfit(p: Program, s: State, id: string, outcome: Outcome): boolean {
  const { kind } = site(p, flying(s, id).site);
  const said = outcome.kind === "value" || outcome.kind === "error";
  return kind === "task" && said && judge(p, s, id, outcome).is === "failed";
}

function misfit(error: unknown): string {
  if (error instanceof Misfit) return error.message;
  throw error;
}

function answer(p: Program, code: CallTable, value: Value): Value {
  const operation = p.operations.get(code.target);
  if (operation === undefined || operation.result === null) return undefined;
  return p.forms.refined(p.forms.read(operation.result, value), operation.where);
}

function system(
  p: Program,
  call: Flying,
  error: string,
  sent: boolean,
  chance: number,
  detail: string,
): Verdict {
  if (call.state !== "stopping" && tries(p, call, error))
    return { is: "again", error, sent, business: false, detail, chance };
  return { is: "failed", error, sent, detail };
}

/** Whether there is another attempt after an error. */
function tries(p: Program, call: Flying, name: string): boolean {
  const [policy, rules] = [call.policy, site(p, call.site).policy];
  if (policy === undefined || rules === undefined || call.state === "stopping") return false;
  const only = rules.only ?? [];
  const again =
    only.length > 0
      ? only.includes(name)
      : RETRIED.includes(name) && !(rules.excepted ?? []).includes(name);
  return again && (policy.attempts === undefined || call.attempt < policy.attempts);
}

/** The pause before the next attempt. */
function pause(policy: Policy, after: number, chance: number): number {
  let scaled = Decimal.of(policy.backoff);
  const factor =
    policy.factor instanceof Decimal ? policy.factor : Decimal.of(policy.factor as number);
  for (let i = 1; i < after && scaled.compare(Decimal.of(policy.max)) <= 0; i += 1)
    scaled = scaled.times(factor);
  const full = Math.min(scaled.whole("floor"), policy.max);
  if (policy.jitter === undefined) return full;
  const jitter =
    policy.jitter instanceof Decimal ? policy.jitter : Decimal.of(policy.jitter as number);
  const taken = Decimal.of(full).times(jitter).times(Decimal.of(chance)).whole("floor");
  return Math.max(0, full - taken);
}

function attemptFailed(p: Program, s: State, id: string, error: string, detail: string): void {
  const call = flying(s, id);
  const code = site(p, call.site);
  const more = detail === "" ? {} : { detail };
  note(p, s, "attempt failed", code.path ?? "", {
    operation: code.target,
    error,
    attempt: call.attempt,
    call: id,
    ...more,
  });
}

/** What does not end the wait of a token: another attempt, a call that is to stop, a call of an undo. */
export function outcome(p: Program, s: State, id: string, verdict: Verdict): void {
  const call = flying(s, id);
  disarm(s, id, "timeout", "heartbeat", "silence");
  if (verdict.is === "again") {
    if (!verdict.business) put(s, id, { open: call.open || verdict.sent });
    attemptFailed(p, s, id, verdict.error, verdict.detail);
    put(s, id, { state: "pause" });
    arm(p, s, id, "pause", pause(call.policy as Policy, call.attempt, verdict.chance));
  } else if (call.list > 0) undoOutcome(p, s, id, verdict);
  else stopOutcome(p, s, id, verdict);
}

function stopOutcome(p: Program, s: State, id: string, verdict: Verdict): void {
  const code = site(p, flying(s, id).site);
  switch (verdict.is) {
    case "worked":
      done(p, s, id, verdict.value);
      break;
    case "refused": {
      const name = String(verdict.error["is"]);
      end(
        p,
        s,
        id,
        (code.partial ?? []).includes(name) || (flying(s, id).open && code.keyed !== true),
      );
      note(p, s, "raised", code.path ?? "", { operation: code.target, error: name });
      break;
    }
    case "failed":
      put(s, id, { open: flying(s, id).open || verdict.sent });
      attemptFailed(p, s, id, verdict.error, verdict.detail);
      end(p, s, id, flying(s, id).open);
      break;
    case "stopped":
      end(p, s, id, verdict.doubt);
      break;
    case "again":
      break;
  }
  over(s, id);
}

/** A call has worked: its entry is done, or goes if there is nothing to undo. */
function done(p: Program, s: State, id: string, value: Value): void {
  const call = flying(s, id);
  const code = site(p, call.site);
  const undo = code.undo;
  let made: Entry | undefined;
  if (undo !== undefined) {
    const extra = {
      ...named(code, call.args),
      "result.": value,
      ...(code.bind === undefined ? {} : { [code.bind]: value }),
    };
    if (undo.when === null || p.holds(undo.when, s, extra)) {
      made = {
        ...nothing,
        kind: "call",
        id: call.entry,
        path: code.path ?? "",
        name: code.target,
        key: call.key,
        state: "done",
        undo,
        stored: store(p, s, undo, extra, code.bind, true),
      };
    }
  }
  replace(s, code.frame, call.entry, made);
  const detail: Record<string, Value> = { operation: code.target };
  if (call.attempt > 1) detail["attempts"] = call.attempt;
  if (made !== undefined) Object.assign(detail, { undoable: true, key: made.key, entry: made.id });
  note(p, s, "answered", code.path ?? "", detail);
}

/** What an undo reads, as it is now. */
export function store(
  p: Program,
  s: State,
  undo: UndoTable,
  extra: Fields,
  bind: string | undefined,
  bound: boolean,
): Fields {
  const found = undo.reads
    .filter(
      ([key]) =>
        (key !== "result." || Object.hasOwn(extra, "result.")) && (bound || key !== undo.bind),
    )
    .filter(([, expr]) => expr["kind"] !== "slot" || bound || expr["name"] !== bind)
    .filter(
      ([, expr]) =>
        expr["kind"] !== "slot" ||
        Object.hasOwn(extra, expr["name"] as string) ||
        Object.hasOwn(s.names, expr["name"] as string),
    )
    .map(([key, expr]) => [key, p.value(expr, s, extra)] as const);
  return Object.fromEntries(found);
}

/** The entry of a call becomes another, or goes; whether it was in doubt. */
function replace(s: State, frame: number, entry: number, by: Entry | undefined): boolean {
  const log = [...live(s, frame).log];
  const place = log.findIndex((each) => each.kind === "call" && each.id === entry);
  if (place < 0) return false;
  const [old] = log.splice(place, 1, ...(by === undefined ? [] : [by]));
  change(s, frame, { log });
  return old?.state === "doubt";
}

/** A call has ended without a value: its entry goes, or stays in doubt. */
function end(p: Program, s: State, id: string, doubt: boolean): void {
  const call = flying(s, id);
  const code = site(p, call.site);
  const undo = code.undo;
  const extra = named(code, call.args);
  const detail = { operation: code.target, key: call.key, entry: call.entry };
  if (
    !doubt ||
    undo === undefined ||
    !(undo.when === null || undo.whenReadsResult || p.holds(undo.when, s, extra))
  ) {
    if (replace(s, code.frame, call.entry, undefined))
      note(p, s, "cleared", code.path ?? "", detail);
    return;
  }
  const stored = store(p, s, undo, extra, code.bind, undo.blind);
  replace(s, code.frame, call.entry, {
    ...nothing,
    kind: "call",
    id: call.entry,
    path: code.path ?? "",
    name: code.target,
    key: call.key,
    state: "doubt",
    undo,
    stored,
  });
  note(p, s, "in doubt", code.path ?? "", detail);
}

/** The value of a call that a token waits for. */
export function answered(p: Program, s: State, id: string, value: Value): void {
  const code = site(p, flying(s, id).site);
  if (code.bind !== undefined) s.names[code.bind] = value;
  done(p, s, id, value);
  over(s, id);
}

/** A call that a token waits for has failed for good; the error that leaves it. */
export function refused(p: Program, s: State, id: string, verdict: Verdict): Fields {
  const code = site(p, flying(s, id).site);
  let error: Fields = {};
  let exhausted = false;
  if (verdict.is === "refused") {
    error = verdict.error;
    exhausted = verdict.again;
    end(
      p,
      s,
      id,
      (code.partial ?? []).includes(String(error["is"])) ||
        (flying(s, id).open && code.keyed !== true),
    );
  } else if (verdict.is === "failed") {
    error = { is: verdict.error };
    exhausted = true;
    put(s, id, { open: flying(s, id).open || verdict.sent });
    attemptFailed(p, s, id, verdict.error, verdict.detail);
    end(p, s, id, flying(s, id).open);
  }
  note(p, s, "raised", code.path ?? "", { operation: code.target, error: error["is"] });
  const call = flying(s, id);
  if (exhausted && code.policy?.exhausted === "dead letter") {
    letter(p, s, {
      queue: call.policy?.queue ?? UNATTENDED,
      key: call.key,
      path: code.path ?? "",
      operation: code.target,
      args: call.args,
      attempts: call.attempt,
    });
  }
  if (code.optional === true)
    note(p, s, "tolerated", code.path ?? "", { operation: code.target, error: error["is"] });
  over(s, id);
  return error;
}

function letter(
  p: Program,
  s: State,
  told: {
    queue: string;
    key: string;
    path: string;
    operation: string;
    args: readonly Value[];
    attempts: number;
  },
): void {
  tell(p, s, { is: "dead letter", ...told });
  note(p, s, "dead letter", told.path, {
    queue: told.queue,
    key: told.key,
    operation: told.operation,
  });
}

/** Asks every call inside a frame to stop. */
export function stopInside(p: Program, s: State, frame: number): void {
  for (const call of Object.values(s.calls)) {
    const code = site(p, call.site);
    if (call.list > 0 || call.state === "stopping" || !p.within(code.frame, frame)) continue;
    if (call.state !== "pause") tell(p, s, { is: "stop", call: call.id, attempt: call.attempt });
    if (call.state === "pause" || call.state === "queued") {
      end(p, s, call.id, call.open);
      over(s, call.id);
    } else if (code.kind === "task") {
      end(p, s, call.id, false);
      over(s, call.id);
    } else {
      put(s, call.id, { state: "stopping" });
      disarm(s, call.id, "overall", "heartbeat");
      if (s.dues[`${call.id}.timeout`] === undefined) arm(p, s, call.id, "silence", SILENCE);
    }
  }
}

/** The pause of a call is over. */
export function proceed(p: Program, s: State, id: string): void {
  disarm(s, id, "pause");
  attempt(p, s, id);
}

/** What it means that the time of a call is over. */
export function expired(p: Program, s: State, id: string, what: Due["what"]): Verdict {
  const call = flying(s, id);
  if (call.state === "stopping") return { is: "stopped", doubt: true };
  if (what === "overall")
    return { is: "failed", error: "Timeout", sent: call.state === "sent", detail: "overall" };
  return system(p, call, "Timeout", true, 0.5, "");
}

/* ------------------------------------------------------------------------------------------- undo */

/** Undoes a log, newest first. What is around waits for that. */
export function undo(p: Program, s: State, frame: number, log: readonly Entry[]): void {
  s.undoing[frame] = true;
  next(p, s, list(s, log, 0, frame));
}

function list(s: State, rest: readonly Entry[], up: number, frame: number): number {
  s.serial += 1;
  s.lists[s.serial] = { rest, up, frame, left: 0 };
  return s.serial;
}

function next(p: Program, s: State, number: number): void {
  for (;;) {
    const here = s.lists[number];
    const entry = here?.rest.at(-1);
    if (here === undefined) return;
    if (entry === undefined) break;
    s.lists[number] = { ...here, rest: here.rest.slice(0, -1) };
    if (entry.kind === "fork") {
      const branches = entry.branches.filter((log) => log.length > 0);
      if (branches.length === 0) continue;
      s.lists[number] = { ...here, rest: here.rest.slice(0, -1), left: branches.length };
      for (const each of branches.map((log) => list(s, log, number, here.frame)).reverse())
        next(p, s, each);
      return;
    }
    if (entry.undo === undefined) continue;
    if (entry.state === "done" || entry.undo.blind) {
      compensate(p, s, number, entry, entry.undo);
      return;
    }
    s.incomplete = true;
    note(p, s, "undo failed", entry.path, {
      operation: entry.name,
      key: entry.key,
      error: "in doubt",
    });
    letter(p, s, {
      queue: UNATTENDED,
      key: entry.key,
      path: entry.path,
      operation: entry.name,
      args: [],
      attempts: 0,
    });
  }
  const { up, frame } = s.lists[number] as { up: number; frame: number };
  drop(s.lists, number);
  const around = s.lists[up];
  if (around === undefined) drop(s.undoing, frame);
  else {
    s.lists[up] = { ...around, left: around.left - 1 };
    if (around.left === 1) next(p, s, up);
  }
}

function compensate(p: Program, s: State, number: number, entry: Entry, how: UndoTable): void {
  const code = site(p, how.call);
  const args = (code.args ?? []).map((arg) => evaluate(arg, p.env({}, entry.stored)));
  const place = [entry.key, "undo", ...(code.number === undefined ? [] : [code.number])].join("/");
  const again = visit(s, place);
  const key = again === 1 || code.number === undefined ? place : `${place}#${String(again)}`;
  start(p, s, how.call, key, args, policyHere(p, s, code.policy, entry.stored), 0, number, entry);
}

function undoOutcome(p: Program, s: State, id: string, verdict: Verdict): void {
  const call = flying(s, id);
  const code = site(p, call.site);
  const entry = call.undone as Entry;
  if (verdict.is === "worked") {
    const detail = call.attempt > 1 ? { attempts: call.attempt } : {};
    note(p, s, "answered", code.path ?? "", { operation: code.target, ...detail });
    over(s, id);
    note(p, s, "undone", entry.path, { operation: entry.name, key: entry.key });
  } else {
    const error =
      verdict.is === "refused"
        ? String(verdict.error["is"])
        : verdict.is === "failed"
          ? verdict.error
          : "Unavailable";
    if (verdict.is === "failed") attemptFailed(p, s, id, error, verdict.detail);
    note(p, s, "raised", code.path ?? "", { operation: code.target, error });
    over(s, id);
    s.incomplete = true;
    note(p, s, "undo failed", entry.path, { operation: entry.name, key: entry.key, error });
    const queue =
      call.policy?.queue === undefined || call.policy.queue === "" ? UNATTENDED : call.policy.queue;
    letter(p, s, {
      queue,
      key: entry.key,
      path: entry.path,
      operation: code.target,
      args: call.args,
      attempts: call.attempt,
    });
  }
  next(p, s, call.list);
}
