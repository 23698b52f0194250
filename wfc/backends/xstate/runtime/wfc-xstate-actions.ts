// The actions that a chart can name: what they do to the state of a run.

import * as calls from "./wfc-xstate-calls.js";
import {
  frameOf,
  heardOf,
  number,
  tree,
  type Act,
  type Params,
  type Told,
} from "./wfc-xstate-params.js";
import * as st from "./wfc-xstate-state.js";
import type { Entry, Fields, Heard, State, Tree, Value } from "./wfc-xstate-types.js";

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

export const ACTIONS: Readonly<Record<string, Act>> = {
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
export const RAISING: Readonly<
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
