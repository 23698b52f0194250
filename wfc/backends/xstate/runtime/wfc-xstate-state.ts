// What an instance is made of, and the small questions that guards and actions ask of it.

import { evaluate, holds, type Env } from "./wfc-xstate-expressions.js";
import { Forms } from "./wfc-xstate-forms.js";
import type {
  Command,
  Entry,
  Fields,
  FrameTable,
  GuardTable,
  Heard,
  ListenerTable,
  Live,
  State,
  Tables,
  Tree,
  Value,
} from "./wfc-xstate-types.js";

/** The tables of a chart, made ready; and the time, which is that of the input in hand. */
export class Program {
  readonly tables: Tables;
  readonly forms: Forms;
  readonly operations: ReadonlyMap<string, Tables["operations"][number][1]>;
  readonly functions: ReadonlyMap<string, Tree>;
  readonly constants: ReadonlyMap<string, Tree>;
  readonly events: ReadonlyMap<string, Tree>;
  readonly timers: number;
  now = 0;
  turn = 0;

  constructor(tables: Tables) {
    if (tables.format !== 1)
      throw new Error(`a chart of format ${String(tables.format)} is not known here`);
    this.tables = tables;
    this.functions = new Map(tables.functions);
    this.constants = new Map(tables.constants);
    this.operations = new Map(tables.operations);
    this.events = new Map(tables.events);
    this.timers = Object.keys(tables.timers).length;
    this.forms = new Forms(tables, this.env({}));
  }

  env(names: Fields, extra: Fields = {}): Env {
    return { now: this.now, names, extra, functions: this.functions, constants: this.constants };
  }

  value(expr: Tree, s: State, extra: Fields = {}): Value {
    return evaluate(expr, this.env(s.names, extra));
  }

  holds(expr: Tree, s: State, extra: Fields = {}): boolean {
    return holds(expr, this.env(s.names, extra));
  }

  frame(number: number): FrameTable {
    return this.tables.frames[number] as FrameTable;
  }

  guard(number: number): GuardTable {
    return this.tables.guards[number] as GuardTable;
  }

  mode(event: string): string {
    return (this.events.get(event)?.["mode"] as string | undefined) ?? "buffered";
  }

  /** A frame and those around it. */
  outward(number: number): number[] {
    const found: number[] = [];
    for (let at: number | null = number; at !== null; at = this.frame(at).parent) found.push(at);
    return found;
  }

  within(inner: number, outer: number): boolean {
    return this.outward(inner).includes(outer);
  }
}

export const empty = (): State => ({
  id: "",
  status: "running",
  value: undefined,
  error: undefined,
  incomplete: false,
  cancelling: false,
  failing: 0,
  serial: 0,
  turn: 0,
  out: [],
  inbox: [],
  among: [],
  waits: [],
  overdue: [],
  log: [],
  names: {},
  frames: {},
  given: {},
  visits: {},
  counters: {},
  timers: {},
  calls: {},
  dues: {},
  undoing: {},
  lists: {},
});

/** A copy that may be changed; what lies in it is replaced, never changed. */
export const copy = (s: State): State => ({
  ...s,
  names: { ...s.names },
  frames: { ...s.frames },
  given: { ...s.given },
  visits: { ...s.visits },
  counters: { ...s.counters },
  timers: { ...s.timers },
  calls: { ...s.calls },
  dues: { ...s.dues },
  undoing: { ...s.undoing },
  lists: { ...s.lists },
});

/* ---------------------------------------------------------------------------------------- telling */

export function tell(p: Program, s: State, command: Command): void {
  if (s.turn !== p.turn) [s.turn, s.out] = [p.turn, []];
  s.out = [...s.out, command];
}

export function note(p: Program, s: State, kind: string, path: string, detail: Fields = {}): void {
  if (p.tables.audit)
    tell(p, s, { is: "record", record: { at: p.now, instance: s.id, kind, path, detail } });
}

/** The node at which a frame stands. */
export function pathOf(p: Program, s: State, frame: number): string {
  for (const each of p.outward(frame)) {
    const path = s.frames[each]?.node || p.frame(each).path;
    if (path !== "") return path;
  }
  return "";
}

/* ----------------------------------------------------------------------------------------- frames */

export function live(s: State, frame: number): Live {
  const found = s.frames[frame];
  if (found === undefined) throw new Error(`frame ${String(frame)} is not there`);
  return found;
}

export function change(s: State, frame: number, by: Partial<Live>): void {
  s.frames[frame] = { ...live(s, frame), ...by };
}

export function add(p: Program, s: State, frame: number): void {
  s.serial += 1;
  s.frames[frame] = {
    state: "active",
    opened: s.serial,
    entered: p.now,
    node: "",
    log: [],
    guard: undefined,
    value: undefined,
  };
}

const drop = <T>(of: Record<string, T>, key: string | number): void => {
  Reflect.deleteProperty(of, key);
};
export { drop };

/** Takes a frame out, with its timers and with blocks beside that have not begun. */
export function remove(p: Program, s: State, frame: number): void {
  drop(s.frames, frame);
  disarm(p, s, frame);
}

export function disarm(p: Program, s: State, frame: number): void {
  for (const timer of p.frame(frame).timers ?? []) drop(s.timers, timer);
  s.waits = s.waits.filter((each) => p.guard(each.guard).frame !== frame);
}

/** The frames inside a frame that are there, in order of their beginning; itself is not among them. */
export function children(p: Program, s: State, frame: number): number[] {
  return Object.keys(s.frames)
    .map(Number)
    .filter((each) => p.frame(each).parent === frame)
    .sort((a, b) => live(s, a).opened - live(s, b).opened);
}

export function leaveNode(p: Program, s: State, frame: number): void {
  const region = p.outward(frame).find((each) => p.frame(each).boundary);
  if (region === undefined || live(s, region).node === "") return;
  note(p, s, "left", live(s, region).node);
  change(s, region, { node: "" });
}

/** What has been done inside a frame, as one log; the frames inside go. */
export function collect(p: Program, s: State, frame: number): Entry[] {
  const log = [...live(s, frame).log];
  for (const child of children(p, s, frame)) {
    if (p.frame(child).kind === "fork") log.push(...collectFork(p, s, child));
    else log.push(...collect(p, s, child));
    remove(p, s, child);
  }
  change(s, frame, { log: [] });
  return log;
}

/** The logs of the branches, as one entry; the branches go. */
export function collectFork(p: Program, s: State, fork: number): Entry[] {
  const branches = (p.frame(fork).branches ?? [])
    .filter((slot) => s.frames[slot] !== undefined)
    .map((slot) => {
      const log = collect(p, s, slot);
      remove(p, s, slot);
      return log;
    });
  if (branches.every((log) => log.length === 0)) return [];
  return [
    {
      kind: "fork",
      id: 0,
      path: "",
      name: "",
      key: "",
      state: "done",
      undo: undefined,
      stored: {},
      branches,
    },
  ];
}

/** The keys of everything in a log that could be undone. */
export const keysIn = (log: readonly Entry[]): string[] =>
  log.flatMap((each) => [
    ...(each.kind !== "fork" && each.state !== "started" ? [each.key] : []),
    ...each.branches.flatMap(keysIn),
  ]);

export function keep(
  p: Program,
  s: State,
  kind: string,
  path: string,
  log: readonly Entry[],
): void {
  const keeps = keysIn(log);
  note(p, s, kind, path, keeps.length > 0 ? { keeps } : {});
}

export function visit(s: State, place: string): number {
  const number = (s.visits[`@${place}`] ?? 0) + 1;
  s.visits[`@${place}`] = number;
  return number;
}

/* ----------------------------------------------------------------------------------------- events */

/** Whether the interrupting guards of a frame wait, because something inside is being undone. */
export const held = (p: Program, s: State, frame: number): boolean =>
  Object.keys(s.undoing).some((each) => p.within(Number(each), frame));

const runs = (s: State, guard: number): boolean => s.waits.some((each) => each.guard === guard);

/** The first armed guard that takes an event, or the frame that ignores it; one that is held back hides those around. */
export function taker(
  p: Program,
  s: State,
  event: Heard,
  among?: number,
): ListenerTable | undefined {
  const found = p.tables.listeners.find((each) => {
    if (each.event !== event.type || s.frames[each.frame]?.state !== "active") return false;
    if (among !== undefined && each.frame !== among) return false;
    if (each.guard === undefined) return true;
    const guard = p.guard(each.guard);
    if (guard.also && runs(s, each.guard)) return false;
    if (guard.when === undefined) return true;
    const bind = guard.whenBind;
    return p.holds(
      guard.when,
      s,
      bind === undefined || bind === null ? {} : { [bind]: event.data },
    );
  });
  if (found?.guard === undefined || p.guard(found.guard).also) return found;
  return held(p, s, found.frame) ? undefined : found;
}

/** The first event of the inbox that is taken, and by whom. */
export function offer(
  p: Program,
  s: State,
): { readonly place: number; readonly by: ListenerTable } | undefined {
  const frames: (number | undefined)[] = s.among.length > 0 ? [...s.among] : [undefined];
  for (const among of frames) {
    for (const [place, event] of s.inbox.entries()) {
      const by = taker(p, s, event, among);
      if (by !== undefined) return { place, by };
    }
  }
  return undefined;
}

/** The first timer that was held back and may fire now; `before`: of those that were due before this instant. */
export function overdue(p: Program, s: State, before: boolean): string | undefined {
  const at = (timer: string): number => s.timers[timer]?.at ?? Infinity;
  const order = (timer: string): number => p.tables.timers[timer]?.order ?? 0;
  return s.overdue
    .filter((timer) => s.timers[timer] !== undefined && (!before || at(timer) < p.now))
    .filter((timer) => !held(p, s, p.tables.timers[timer]?.frame ?? 0))
    .sort((a, b) => at(a) - at(b) || order(a) - order(b))[0];
}

/** Whether an operator's cancel has its turn. */
export function cancels(p: Program, s: State): boolean {
  const root = s.frames[p.tables.root];
  if (!s.cancelling || root === undefined || held(p, s, p.tables.root)) return false;
  return (
    ["active", "closed", "closing"].includes(root.state) ||
    (root.state === "undoing" && root.guard !== undefined)
  );
}

/** Whether nothing comes before what a token does next. */
export function quiet(p: Program, s: State, tail: boolean): boolean {
  if (offer(p, s) !== undefined) return false;
  return !tail || (!cancels(p, s) && overdue(p, s, true) === undefined && s.waits.length === 0);
}

/** Whether no call inside a frame is still to stop. */
export const stopped = (p: Program, s: State, frame: number): boolean =>
  s.waits.length === 0 &&
  Object.values(s.calls).every(
    (call) => call.list > 0 || !p.within(p.tables.calls[call.site]?.frame ?? 0, frame),
  );
