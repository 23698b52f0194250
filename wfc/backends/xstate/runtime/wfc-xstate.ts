// Runs a chart under XState: closed tables of named actions, guards and delays, and a host with one way in and one out.
// It knows no workflow.

import {
  assign,
  createActor,
  createMachine,
  enqueueActions,
  type Actor,
  type AnyStateMachine,
} from "xstate";
import { evaluate } from "./wfc-xstate-expressions.js";
import * as calls from "./wfc-xstate-calls.js";
import * as st from "./wfc-xstate-state.js";
import type {
  Command,
  Entry,
  Fields,
  Heard,
  Outcome,
  State,
  Tables,
  Tree,
  Value,
} from "./wfc-xstate-types.js";

export { Misfit } from "./wfc-xstate-forms.js";
export type {
  AuditRecord,
  Command,
  Fields,
  Outcome,
  Send,
  State,
  Value,
} from "./wfc-xstate-types.js";

type Params = Readonly<Record<string, unknown>>;
type Told = { readonly type: string } & Readonly<Record<string, unknown>>;
type Act = (p: st.Program, s: State, params: Params, event: Told) => void;
type Ask = (p: st.Program, s: State, params: Params, event: Told) => boolean;

const number = (params: Params, name: string): number => params[name] as number;
const frameOf = (params: Params): number => number(params, "frame");
const tree = (item: unknown): Tree => item as Tree;

/* ---------------------------------------------------------------------------------------- actions */

interface Arm {
  readonly test?: Tree;
  readonly actions: readonly { readonly type: string; readonly params?: Params }[];
}

function open(p: st.Program, s: State, frame: number): void {
  const table = p.frame(frame);
  st.add(p, s, frame);
  for (const [slot, expr] of table.variables ?? []) s.names[slot] = p.value(expr, s);
  if (table.kind === "scope" && table.boundary) {
    if (table.parent !== null) st.leaveNode(p, s, table.parent);
    st.note(p, s, "entered", table.path, { scope: true });
  }
  for (const name of table.timers ?? []) {
    const timer = p.tables.timers[name];
    if (timer?.amount === undefined) continue;
    const amount = p.value(timer.amount, s) as number;
    if (timer.of === "at") s.timers[name] = { at: amount, number: 0 };
    else if (timer.of !== "every") s.timers[name] = { at: p.now + amount, number: 0 };
    else if (amount > 0) s.timers[name] = { at: p.now + amount, number: 1 };
  }
}

function close(p: st.Program, s: State, frame: number): void {
  const table = p.frame(frame);
  let log: readonly Entry[] = st.collect(p, s, frame);
  if ((table.undo !== undefined || table.forgets === true) && st.keysIn(log).length > 0) {
    st.keep(p, s, "covered", table.path, log);
  }
  if (table.undo !== undefined) log = covered(p, s, table.path, table.undo);
  else if (table.forgets === true) log = [];
  const node = st.live(s, frame).node;
  if (table.boundary && node !== "") st.note(p, s, "left", node);
  if (table.kind === "scope" && table.boundary) st.note(p, s, "left", table.path, { scope: true });
  st.remove(p, s, frame);
  if (table.parent === null) s.log = log;
  else st.change(s, table.parent, { log: [...st.live(s, table.parent).log, ...log] });
}

/** The entry of a region with a compensation of its own. */
function covered(
  p: st.Program,
  s: State,
  path: string,
  undo: NonNullable<ReturnType<st.Program["frame"]>["undo"]>,
): Entry[] {
  if (undo.when !== null && !p.holds(undo.when, s)) return [];
  const place = `${s.id}/${path === "" ? p.tables.workflow : path}`;
  const key = `${place}/${String(st.visit(s, `${place}~`))}`;
  const stored = calls.store(p, s, undo, {}, undefined, true);
  st.note(p, s, "undoable", path, { operation: undo.name, key });
  return [
    {
      kind: "region",
      id: 0,
      path,
      name: undo.name,
      key,
      state: "done",
      undo,
      stored,
      branches: [],
    },
  ];
}

/** Stops everything inside a frame. */
function interrupt(
  p: st.Program,
  s: State,
  frame: number,
  guard: number | undefined,
  value: Value,
): void {
  for (const inner of Object.keys(s.frames).map(Number)) {
    if (!p.within(inner, frame)) continue;
    st.disarm(p, s, inner);
    if (inner !== frame) st.change(s, inner, { state: "dead" });
  }
  st.change(s, frame, { state: "stopping", guard, value });
  calls.stopInside(p, s, frame);
}

function fire(p: st.Program, s: State, guard: number, value: Value): void {
  const table = p.guard(guard);
  st.note(p, s, "guard fired", st.pathOf(p, s, table.frame), { guard: table.label });
  if (table.also) s.waits = [...s.waits, { guard, value }];
  else interrupt(p, s, table.frame, guard, value);
}

function ended(
  p: st.Program,
  s: State,
  kind: "done" | "failed",
  detail: Record<string, Value>,
): void {
  if (s.inbox.length > 0) detail["unconsumed"] = s.inbox.map((each) => each.type);
  if (s.incomplete) detail["incomplete"] = true;
  s.frames = {};
  s.cancelling = false;
  st.note(p, s, kind === "done" ? "completed" : "failed", "", detail);
  st.tell(p, s, {
    is: "ended",
    kind,
    value: kind === "done" ? s.value : s.error,
    incomplete: s.incomplete,
  });
}

function heardOf(event: Told): Heard {
  return { type: event["event"] as string, data: event["data"] as Fields };
}

function received(p: st.Program, s: State, event: Heard): void {
  st.note(p, s, "event received", "", { type: event.type });
  if (p.mode(event.type) === "latest") s.inbox = s.inbox.filter((each) => each.type !== event.type);
}

function offered(p: st.Program, s: State): Heard {
  const found = st.offer(p, s);
  const event = found === undefined ? undefined : s.inbox[found.place];
  if (found === undefined || event === undefined) throw new Error("no event is offered");
  s.inbox = s.inbox.filter((_, place) => place !== found.place);
  return event;
}

function consumed(p: st.Program, s: State, guard: number, event: Heard): void {
  st.note(p, s, "event consumed", st.pathOf(p, s, p.guard(guard).frame), { type: event.type });
  fire(p, s, guard, event.data);
}

const ACTIONS: Readonly<Record<string, Act>> = {
  abort: (p, s, _, event) => {
    const cancelled = event.type.startsWith("fail.") ? undefined : { is: "OperatorCancel" };
    if (cancelled === undefined) s.failing -= 1;
    else s.cancelling = false;
    interrupt(p, s, p.tables.root, undefined, cancelled ?? event["error"]);
  },
  again: (_, s, params) => {
    const counter = params["counter"] as string;
    s.counters[counter] = (s.counters[counter] ?? 0) + 1;
  },
  among: (_, s, params) => {
    s.among = (params["frames"] ?? []) as readonly number[];
  },
  answered: (p, s, _, event) => {
    calls.answered(p, s, event["call"] as string, (event["verdict"] as { value: Value }).value);
  },
  audit: (p, s, params) => {
    st.note(p, s, "audit", st.pathOf(p, s, frameOf(params)), {
      text: p.value(tree(params["text"]), s),
    });
  },
  begin: (p, s, _, event) => {
    const { id, data } = event["input"] as { id: string; data: Fields };
    Object.assign(s, st.empty(), { id });
    for (const [name, slot] of p.frame(p.tables.root).params ?? []) s.names[slot] = data[name];
    st.note(p, s, "started", "", { workflow: p.tables.workflow, version: p.tables.version });
  },
  beside: (p, s, params) => {
    const guard = number(params, "guard");
    const bind = p.guard(guard).bind;
    const value = s.waits.find((each) => each.guard === guard)?.value;
    if (bind !== undefined) s.names[bind] = value;
    s.waits = s.waits.filter((each) => each.guard !== guard);
  },
  branch: (_, s, params) => {
    st.change(s, frameOf(params), { state: "done" });
    s.given[frameOf(params)] = s.given[number(params, "of")];
  },
  broken: (p, s, params, event) => {
    const fork = frameOf(params);
    const slot =
      p.outward(event["at"] as number).find((each) => p.frame(each).parent === fork) ?? fork;
    s.failing -= 1;
    st.note(p, s, "raised", st.pathOf(p, s, slot), { error: (event["error"] as Fields)["is"] });
    interrupt(p, s, fork, undefined, event["error"]);
  },
  call: (p, s, params) => {
    calls.begin(p, s, number(params, "call"));
  },
  cancel: (_, s) => {
    s.cancelling = true;
  },
  catch: (p, s, params, event) => {
    s.failing -= 1;
    fire(p, s, number(params, "guard"), event["error"]);
  },
  choose: (p, s, params, event) => {
    const arm = (params["arms"] as readonly Arm[]).find(
      (each) => each.test === undefined || p.holds(each.test, s),
    );
    for (const action of arm?.actions ?? []) act(action.type)(p, s, action.params ?? {}, event);
  },
  close: (p, s, params) => {
    close(p, s, frameOf(params));
  },
  closing: (_, s, params) => {
    st.change(s, frameOf(params), { state: "closing" });
  },
  completed: (p, s) => {
    s.status = "done";
    s.value = s.given[p.tables.root];
    const keeps = st.keysIn(s.log);
    s.log = [];
    ended(p, s, "done", keeps.length > 0 ? { keeps } : {});
  },
  count: (_, s, params) => {
    s.counters[params["counter"] as string] = 1;
  },
  drop: (p, s, params, event) => {
    received(p, s, heardOf(event));
    st.note(p, s, "event dropped", st.pathOf(p, s, frameOf(params)), { type: heardOf(event).type });
  },
  dropped: (p, s, params) => {
    const event = offered(p, s);
    st.note(p, s, "event dropped", st.pathOf(p, s, frameOf(params)), { type: event.type });
  },
  due: (_, s, params) => {
    st.drop(s.timers, params["timer"] as string);
  },
  emit: (p, s, params) => {
    const type = params["event"] as string;
    st.tell(p, s, { is: "emitted", type, data: p.value(tree(params["value"]), s) });
    st.note(p, s, "emitted", st.pathOf(p, s, frameOf(params)), { type });
  },
  enter: (p, s, params) => {
    const path = params["path"] as string;
    st.leaveNode(p, s, frameOf(params));
    st.change(s, frameOf(params), { node: path });
    st.note(p, s, "entered", path);
  },
  failed: (p, s) => {
    s.status = "failed";
    s.error = st.live(s, p.tables.root).value;
    ended(p, s, "failed", { error: (s.error as Fields)["is"] });
  },
  fire: (p, s, params) => {
    fire(p, s, number(params, "guard"), undefined);
  },
  fork: (p, s, params) => {
    st.add(p, s, frameOf(params));
    for (const slot of p.frame(frameOf(params)).branches ?? []) {
      st.add(p, s, slot);
      s.given[slot] = undefined;
    }
  },
  give: (p, s, params) => {
    s.given[frameOf(params)] =
      params["value"] === undefined ? undefined : p.value(tree(params["value"]), s);
  },
  hear: (p, s, params, event) => {
    received(p, s, heardOf(event));
    consumed(p, s, number(params, "guard"), heardOf(event));
  },
  hold: (_, s, params) => {
    const timer = params["timer"] as string;
    if (s.timers[timer] !== undefined && !s.overdue.includes(timer))
      s.overdue = [...s.overdue, timer];
  },
  interrupted: (p, s, params) => {
    const frame = frameOf(params);
    const guard = st.live(s, frame).guard;
    const table = guard === undefined ? undefined : p.guard(guard);
    st.note(
      p,
      s,
      "interrupted",
      st.pathOf(p, s, frame),
      table === undefined ? {} : { guard: table.label },
    );
    const log = st.collect(p, s, frame);
    st.change(s, frame, { state: "undoing" });
    const around = p.frame(frame).parent ?? frame;
    if (table?.keep === true) st.change(s, around, { log: [...st.live(s, around).log, ...log] });
    else calls.undo(p, s, frame, log);
  },
  join: (p, s, params) => {
    const fork = frameOf(params);
    const given = (p.frame(fork).fields ?? []).map(
      ([name, slot]) => [name, s.given[slot]] as const,
    );
    rejoin(p, s, fork);
    if (typeof params["slot"] === "string") s.names[params["slot"]] = Object.fromEntries(given);
  },
  keep: (p, s, _, event) => {
    const heard = heardOf(event);
    received(p, s, heard);
    if (p.mode(heard.type) === "transient")
      st.note(p, s, "event dropped", "", { type: heard.type });
    else s.inbox = [...s.inbox, heard];
  },
  measure: (p, s, params) => {
    const value = params["value"] === undefined ? 1 : p.value(tree(params["value"]), s);
    st.tell(p, s, { is: "measured", metric: params["metric"] as string, value });
  },
  note: (p, s, _, event) => {
    const call = event["call"] as string;
    if (event["what"] === "sent") calls.sent(p, s, call);
    else if (event["what"] === "beat") calls.beat(p, s, call);
    else if (event["what"] === "pause") calls.proceed(p, s, call);
    else st.note(p, s, "late answer", "", event["detail"] as Fields);
  },
  open: (p, s, params) => {
    open(p, s, frameOf(params));
  },
  outcome: (p, s, _, event) => {
    calls.outcome(p, s, event["call"] as string, event["verdict"] as calls.Verdict);
  },
  promise: (p, s, params) => {
    const name = params["timer"] as string;
    const timer = p.tables.timers[name];
    st.drop(s.timers, name);
    st.note(p, s, timer?.what ?? "", st.pathOf(p, s, timer?.frame ?? 0), { sla: timer?.sla });
  },
  rejoin: (p, s, params) => {
    rejoin(p, s, frameOf(params));
  },
  reverse: (p, s, params) => {
    const frames = params["frames"] as readonly number[];
    const log = [...frames].reverse().flatMap((each) => st.live(s, each).log);
    for (const each of frames) st.change(s, each, { log: [] });
    s.given[frameOf(params)] = log.length > 0;
    if (log.length > 0) calls.undo(p, s, frameOf(params), log);
  },
  set: (p, s, params) => {
    s.names[params["slot"] as string] = p.value(tree(params["value"]), s);
  },
  settle: (p, s, params) => {
    const frames = params["frames"] as readonly number[];
    const log = [...frames].reverse().flatMap((each) => st.live(s, each).log);
    const path = st.pathOf(p, s, frames[0] ?? p.tables.root);
    for (const each of frames) st.change(s, each, { log: [] });
    st.keep(p, s, "settled", path, log);
  },
  tailed: (p, s, params) => {
    const table = p.guard(number(params, "guard"));
    const frame = p.frame(table.frame);
    const value = st.live(s, table.frame).value;
    if (frame.inside) st.change(s, table.frame, { state: "closed", guard: undefined });
    else {
      if (frame.kind === "scope" && frame.boundary)
        st.note(p, s, "left", frame.path, { scope: true });
      st.remove(p, s, table.frame);
    }
    if (table.bind !== undefined) s.names[table.bind] = value;
  },
  take: (p, s, params) => {
    consumed(p, s, number(params, "guard"), offered(p, s));
  },
  tick: (p, s, params) => {
    const name = params["timer"] as string;
    const timer = p.tables.timers[name];
    const due = s.timers[name];
    if (timer?.guard === undefined || due === undefined) return;
    const entered = st.live(s, timer.frame).entered;
    const amount = Math.floor((due.at - entered) / due.number);
    const tick = Math.max(due.number, Math.floor((p.now - entered) / amount));
    s.timers[name] = { at: entered + (tick + 1) * amount, number: tick + 1 };
    fire(p, s, timer.guard, tick);
  },
  wait: (p, s, params) => {
    const name = params["timer"] as string;
    const timer = p.tables.timers[name];
    const amount = timer?.amount === undefined ? 0 : (p.value(timer.amount, s) as number);
    const at = timer?.of === "until" ? amount : p.now + amount;
    s.timers[name] = { at, number: at > p.now ? 0 : -1 };
  },
  yield: (_, s, params) => {
    s.names[params["slot"] as string] = s.given[frameOf(params)];
  },
};

/** What branches have done becomes one entry; the fork goes. */
function rejoin(p: st.Program, s: State, fork: number): void {
  const around = p.frame(fork).parent ?? p.tables.root;
  const log = st.collectFork(p, s, fork);
  st.change(s, around, { log: [...st.live(s, around).log, ...log] });
  s.given[fork] = st.live(s, fork).value;
  st.remove(p, s, fork);
}

function act(type: string): Act {
  const name = type.slice("wfc.".length);
  const found = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (found === undefined) throw new Error(`there is no action ${type}`);
  return found;
}

/** Actions that raise an error, which the chart searches a handler for: where it is raised, and what it is. */
const RAISING: Readonly<
  Record<
    string,
    (p: st.Program, s: State, params: Params, event: Told) => readonly [number, Fields] | undefined
  >
> = {
  fail: (p, s, params) => {
    const error = p.value(tree(params["error"]), s) as Fields;
    st.note(p, s, "raised", st.pathOf(p, s, frameOf(params)), { error: error["is"] });
    return [frameOf(params), error];
  },
  refused: (p, s, params, event) => {
    const code = calls.site(p, number(params, "call"));
    const error = calls.refused(p, s, event["call"] as string, event["verdict"] as calls.Verdict);
    return code.optional === true ? undefined : [code.frame, error];
  },
  reraise: (p, s, params) => [
    p.frame(frameOf(params)).parent ?? p.tables.root,
    s.given[frameOf(params)] as Fields,
  ],
};

/* ----------------------------------------------------------------------------------------- guards */

const GUARDS: Readonly<Record<string, Ask>> = {
  cancelled: (p, s) => s.failing === 0 && st.cancels(p, s),
  caught: (p, s, params, event) => {
    const names = params["names"] as readonly string[] | undefined;
    const name = String((event["error"] as Fields)["is"]);
    const inside =
      p.within(event["at"] as number, frameOf(params)) &&
      s.frames[frameOf(params)]?.state === "active";
    return inside && (names === undefined ? name !== "OperatorCancel" : names.includes(name));
  },
  due: (_, s, params) => s.timers[params["timer"] as string] !== undefined,
  ended: (_, s) => s.waits.length === 0,
  free: (p, s, params) => {
    const timer = p.tables.timers[params["timer"] as string];
    if (timer?.guard === undefined || s.timers[params["timer"] as string] === undefined)
      return false;
    return p.guard(timer.guard).also || !st.held(p, s, timer.frame);
  },
  holds: (p, s, params) => p.holds(tree(params["value"]), s),
  ignored: (p, s, params, event) => ignores(st.taker(p, s, heardOf(event)), frameOf(params)),
  joined: (p, s, params) =>
    (p.frame(frameOf(params)).branches ?? []).every((slot) => s.frames[slot]?.state === "done") &&
    st.quiet(p, s, true),
  nobody: (p, s, _, event) => st.taker(p, s, heardOf(event)) === undefined,
  offered: (p, s, params) => rests(p, s) && st.offer(p, s)?.by.guard === number(params, "guard"),
  over: (p, s, params) => {
    const rounds = s.counters[params["counter"] as string] ?? 1;
    const times = params["times"];
    return (
      p.holds(tree(params["until"]), s) ||
      (times !== undefined && rounds >= (p.value(tree(times), s) as number))
    );
  },
  overdue: (p, s, params) =>
    rests(p, s) && st.offer(p, s) === undefined && st.overdue(p, s, false) === params["timer"],
  passed: (_, s, params) => s.timers[params["timer"] as string]?.number === -1,
  past: (p, s, params) => {
    const due = s.timers[params["timer"] as string];
    return due !== undefined && due.at <= p.now && st.quiet(p, s, false);
  },
  quiet: (p, s, params) => st.quiet(p, s, params["tail"] === true),
  reversed: (p, s, params) =>
    s.given[frameOf(params)] !== true ||
    (s.undoing[frameOf(params)] === undefined && st.quiet(p, s, true)),
  stopped: (p, s, params) =>
    st.stopped(p, s, frameOf(params)) && (params["quiet"] !== true || st.quiet(p, s, true)),
  tail: (p, s, params) =>
    st.live(s, p.guard(number(params, "guard")).frame).guard === params["guard"] &&
    st.quiet(p, s, true),
  taken: (p, s, params, event) => st.taker(p, s, heardOf(event))?.guard === number(params, "guard"),
  undone: (_, s, params) => s.undoing[frameOf(params)] === undefined,
  unheard: (p, s, params) => rests(p, s) && ignores(st.offer(p, s)?.by, frameOf(params)),
  waits: (_, s, params) => s.failing === 0 && s.waits[0]?.guard === params["guard"],
  within: (p, _, params, event) => p.within(event["at"] as number, frameOf(params)),
  worked: (_p, _s, _params, event) => (event["verdict"] as calls.Verdict).is === "worked",
};

const ignores = (by: { frame: number; guard?: number } | undefined, frame: number): boolean =>
  by !== undefined && by.guard === undefined && by.frame === frame;
const rests = (p: st.Program, s: State): boolean =>
  s.failing === 0 && s.waits.length === 0 && !st.cancels(p, s);

/** What XState needs to run a chart: every action, guard and delay that one can name. */
function tables(p: st.Program): Parameters<AnyStateMachine["provide"]>[0] {
  const actions: Record<string, unknown> = {};
  for (const [name, work] of Object.entries(ACTIONS)) {
    actions[`wfc.${name}`] = assign(({ context, event }, params: Params | undefined) => {
      const s = st.copy(context as State);
      work(p, s, params ?? {}, event as Told);
      return s;
    });
  }
  for (const [name, work] of Object.entries(RAISING)) {
    actions[`wfc.${name}`] = enqueueActions(
      ({ context, event, enqueue }, params: Params | undefined) => {
        const s = st.copy(context as State);
        const raised = work(p, s, params ?? {}, event as Told);
        if (raised !== undefined) s.failing += 1;
        enqueue.assign(s as never);
        if (raised === undefined) return;
        const [at, error] = raised;
        enqueue.raise({ type: `fail.${String(error["is"])}`, at, error } as never);
      },
    );
  }
  const guards = Object.fromEntries(
    Object.entries(GUARDS).map(([name, ask]) => [
      `wfc.${name}`,
      (
        { context, event }: { context: unknown; event: unknown },
        params: Params | undefined,
      ): boolean => ask(p, context as State, params ?? {}, event as Told),
    ]),
  );
  const delays = Object.fromEntries(
    Object.entries(p.tables.timers).map(([name, timer]) => [
      name,
      ({ context }: { context: unknown }): number => {
        const due = (context as State).timers[name];
        // What falls on one instant is told apart by a fraction, which the clock of a run reads.
        return due === undefined
          ? Infinity
          : Math.max(0, due.at - p.now) + (timer.order + 1) / (p.timers + 2);
      },
    ]),
  );
  return { actions, guards, delays } as never;
}

/* -------------------------------------------------------------------------------------------- run */

/** What a run needs of the world. `now` never goes back; `alarm` asks to call `time` when an instant is reached. */
export interface Host {
  now(): number;
  alarm(at: number | undefined): void;
  command(command: Command): void;
}

interface Waiting {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

export type Refused =
  "already-running" | "not-running" | "unknown-call" | "unknown-event" | "wrong-event";
const [VALUES, EVENTS] = [3, 5]; // among all that falls on one instant

/** One instance of a chart. */
export class Run {
  readonly id: string;
  readonly machine: AnyStateMachine;
  readonly actor: Actor<AnyStateMachine>;
  readonly #program: st.Program;
  readonly #host: Host;
  readonly #waiting = new Map<number, Waiting>();
  #serial = 0;
  #told = 0;
  #turn = 0;

  /** Starts a chart; throws a Misfit if the input does not fit. Without an `id` it is the workflow's name and key. */
  constructor(chart: unknown, input: unknown, host: Host, id?: string) {
    const tableOf = (chart as { readonly meta: { readonly wfc: Tables } }).meta.wfc;
    const program = new st.Program(tableOf);
    program.now = host.now();
    this.#program = program;
    this.#host = host;
    const data = program.forms.fields(tableOf.params, input);
    const key =
      tableOf.key === null
        ? "1"
        : String(evaluate(tableOf.key, { ...program.env({}), params: data }));
    this.id = id ?? `${tableOf.workflow}/${key}`;
    this.machine = createMachine(chart as never).provide(
      tables(program),
    ) as unknown as AnyStateMachine;
    program.turn += 1;
    this.actor = createActor(this.machine, {
      input: { id: this.id, data },
      clock: {
        setTimeout: (fire: (...args: unknown[]) => void, delay: number) => this.#wait(fire, delay),
        clearTimeout: (timer: number) => this.#waiting.delete(timer),
      },
    });
    this.actor.subscribe({ error: () => undefined }); // what goes wrong is thrown at whoever gave the input
    this.actor.start();
    this.#flush();
    this.#rest();
  }

  get state(): State {
    return this.actor.getSnapshot().context as State;
  }

  /** An attempt has ended. */
  answer(call: string, attempt: number, outcome: Outcome): Refused | undefined {
    const wrong = this.#awaited(call, attempt);
    if (wrong !== undefined) return wrong;
    const failed = outcome.kind !== "value";
    return this.#take(failed ? VALUES - 1 : VALUES, () => {
      if (this.#awaited(call, attempt) !== undefined) this.#late({ call });
      else this.#outcome(call, calls.judge(this.#program, this.state, call, outcome));
    });
  }

  /** An attempt that had to wait has been sent, or is alive. */
  progress(call: string, attempt: number, what: "sent" | "beat"): Refused | undefined {
    const wrong = this.#awaited(call, attempt);
    if (wrong !== undefined) return wrong;
    return this.#take(VALUES, () => {
      if (this.#awaited(call, attempt) === undefined) this.#send({ type: "note", what, call });
    });
  }

  /** An event has come; throws a Misfit if it does not fit. */
  event(type: string, data: unknown): Refused | undefined {
    if (this.state.status !== "running") return "not-running";
    if (!this.#program.tables.listeners.some((each) => each.event === type)) return "unknown-event";
    const fields = this.#program.forms.event(type, data);
    return this.#take(EVENTS, () => {
      if (this.state.status !== "running") this.#late({});
      else this.#send({ type: `event.${type}`, event: type, data: fields });
    });
  }

  /** An operator cancels: everything is undone. */
  cancel(): Refused | undefined {
    if (this.state.status !== "running") return "not-running";
    return this.#take(1, () => {
      if (this.state.status !== "running") this.#late({});
      else this.#send({ type: "cancel" });
    });
  }

  /** Time has come to where the host's clock is. */
  time(): void {
    this.#take(Infinity, () => undefined);
  }

  /** Something that was due at this very instant was faster. A chart that has ended takes no event any more. */
  #late(detail: Fields): void {
    if (this.state.status === "running") this.#send({ type: "note", what: "late", detail });
    else if (this.#program.tables.audit) {
      const record = {
        at: this.#program.now,
        instance: this.id,
        kind: "late answer",
        path: "",
        detail,
      };
      this.#host.command({ is: "record", record });
    }
  }

  #awaited(id: string, attempt: number): Refused | undefined {
    const call = this.state.calls[id];
    const waits = call !== undefined && call.state !== "pause" && call.attempt === attempt;
    return waits ? undefined : "unknown-call";
  }

  /** Takes one input: what was due before it has its turn first, then everything that is due by now. */
  #take(rank: number, work: () => void): undefined {
    this.#program.now = Math.max(this.#program.now, this.#host.now());
    this.#fire(rank);
    work();
    this.#rest();
  }

  #rest(): void {
    this.#fire(Infinity);
    const due = this.#first();
    this.#host.alarm(due === undefined ? undefined : due.at);
  }

  #wait(fire: () => void, delay: number): number {
    this.#serial += 1;
    if (delay === Infinity) return this.#serial;
    const size = this.#program.timers + 2;
    const whole = Math.floor(delay);
    this.#waiting.set(this.#serial, {
      at: this.#program.now + whole,
      order: Math.round((delay - whole) * size) - 1,
      fire,
    });
    return this.#serial;
  }

  /** What is due first, and how it fires. */
  #first(): Waiting | undefined {
    const timers = [...this.#waiting].map(([key, each]) => ({
      ...each,
      fire: () => {
        this.#waiting.delete(key);
        this.#turnOver();
        each.fire();
        this.#flush();
      },
    }));
    const ofCalls = Object.values(this.state.dues).map((due) => ({
      at: due.at,
      order: due.order,
      fire: () => {
        this.#due(due.call, due.what);
      },
    }));
    return [...timers, ...ofCalls].reduce<Waiting | undefined>(
      (best, each) =>
        best === undefined || each.at < best.at || (each.at === best.at && each.order < best.order)
          ? each
          : best,
      undefined,
    );
  }

  #fire(rank: number): void {
    const ranks = Object.values(this.#program.tables.timers);
    const rankOf = (order: number): number =>
      ranks.find((timer) => timer.order === order)?.rank ?? 0;
    for (let due = this.#first(); due !== undefined; due = this.#first()) {
      if (due.at > this.#program.now || (due.at === this.#program.now && rankOf(due.order) >= rank))
        return;
      due.fire();
    }
  }

  #due(call: string, what: "timeout" | "overall" | "heartbeat" | "silence" | "pause"): void {
    if (what === "pause") {
      this.#send({ type: "note", what, call });
      return;
    }
    const flying = this.state.calls[call];
    if (flying === undefined) return;
    if (flying.state !== "pause") this.#host.command({ is: "stop", call, attempt: flying.attempt });
    this.#outcome(call, calls.expired(this.#program, this.state, call, what));
  }

  #outcome(call: string, verdict: calls.Verdict): void {
    const flying = this.state.calls[call];
    if (flying === undefined) return;
    const waited = flying.list === 0 && flying.state !== "stopping" && verdict.is !== "again";
    this.#send({ type: waited ? `answer.c${String(flying.site)}` : "outcome", call, verdict });
  }

  #turnOver(): void {
    this.#turn += 1;
    this.#program.turn = this.#turn + 1;
  }

  #send(event: Told): void {
    this.#turnOver();
    this.actor.send(event);
    this.#flush();
  }

  /** Tells the host what the turn has led to. */
  #flush(): void {
    const snapshot = this.actor.getSnapshot();
    if (snapshot.status === "error") throw snapshot.error;
    const { turn, out } = this.state;
    if (turn === this.#told) return;
    this.#told = turn;
    for (const command of out) this.#host.command(command);
  }
}
