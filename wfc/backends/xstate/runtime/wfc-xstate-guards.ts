// The guards that a chart can name: what they ask of the state of a run.

import type * as calls from "./wfc-xstate-calls.js";
import { frameOf, heardOf, number, tree, type Ask } from "./wfc-xstate-params.js";
import * as st from "./wfc-xstate-state.js";
import type { Fields, State } from "./wfc-xstate-types.js";

export const GUARDS: Readonly<Record<string, Ask>> = {
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
