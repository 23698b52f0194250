// What actions and guards of a chart are given: parameters that are closed, and the event that they answer.

import type * as st from "./wfc-xstate-state.js";
import type { Fields, Heard, State, Tree } from "./wfc-xstate-types.js";

export type Params = Readonly<Record<string, unknown>>;
export type Told = { readonly type: string } & Readonly<Record<string, unknown>>;
export type Act = (p: st.Program, s: State, params: Params, event: Told) => void;
export type Ask = (p: st.Program, s: State, params: Params, event: Told) => boolean;

export const number = (params: Params, name: string): number => params[name] as number;
export const frameOf = (params: Params): number => number(params, "frame");
export const tree = (item: unknown): Tree => item as Tree;

export function heardOf(event: Told): Heard {
  return { type: event["event"] as string, data: event["data"] as Fields };
}
