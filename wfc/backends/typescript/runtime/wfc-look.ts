// An instance as people and tools see it from outside: where it stands, what it waits for, who has to act.

import { interrupting } from "./wfc-base.js";
import type { Frame } from "./wfc-frame.js";
import type { Run } from "./wfc-run.js";
import type { Fiber, Letter } from "./wfc-state.js";
import { showDuration, type AnyError } from "./wfc-values.js";

/** What can be told of an instance. */
export interface Look {
  readonly now: number;
  readonly value: unknown;
  readonly error: AnyError | undefined;
  /** The nodes at which tokens stand, and the scopes and branches around them, outermost first. */
  readonly places: readonly string[];
  /** What its tokens wait for, then what may end that from around, in sentences. */
  readonly waits: readonly string[];
  readonly parked: readonly Parked[];
  readonly letters: readonly Letter[];
}

/** A step that waits for an operator. */
export interface Parked {
  readonly key: string;
  readonly operation: string;
  readonly attempts: number;
  readonly queue: string;
}

const DAY = 86_400_000;
const AWAITED = 3; // names of events that are listed; more are counted
const AROUND: readonly string[] = ["branch", "each", "scope"];

export function look(run: Run): Look {
  const { now, value, error } = run;
  const frames = [...run.frames.values()].filter((frame) => frame.phase !== "dead");
  const places = frames.flatMap(({ kind, path, node }) => [
    ...(AROUND.includes(kind) ? [path] : []),
    node,
  ]);
  const parked = [...run.fibers.values()].flatMap((fiber) => parkedAt(fiber));
  return {
    now,
    value,
    error,
    places: [...new Set(places)].filter((place) => place !== ""),
    waits: waits(run),
    parked,
    letters: [...run.letters.values()],
  };
}

function parkedAt({ call }: Fiber): readonly Parked[] {
  if (call?.state !== "parked") return [];
  const { key, target: operation, attempt: attempts, policy } = call;
  const exhausted = policy?.exhausted ?? "fail";
  const queue = exhausted !== "fail" && "park" in exhausted ? exhausted.park : "";
  return [{ key, operation, attempts, queue }];
}

/* ----------------------------------------------------------------------------------------- waits */

function waits(run: Run): readonly string[] {
  const waiting = [...run.fibers.values()].filter((fiber) => tokenWaits(run, fiber) !== "");
  const told = new Set(waiting.map((fiber) => tokenWaits(run, fiber)));
  if (told.size === 0) return [];
  const around = waiting.flatMap(({ frame }) =>
    [...run.outward(frame)].filter(
      ({ kind, phase, sealed }) => kind !== "await" && phase === "active" && !sealed,
    ),
  );
  const events = around.flatMap(({ guards }) =>
    guards.flatMap((guard) =>
      guard.kind === "on" && guard.block === undefined ? [guard.type] : [],
    ),
  );
  const ends = Math.min(...around.flatMap(deadlines));
  const own = Math.min(
    ...waiting.flatMap((fiber) => (fiber.wait === "wait" ? fiber.due.map(({ at }) => at) : [])),
  );
  const limit = ends < own ? `, or for ${spaced(ends - run.now)}` : "";
  const enders =
    events.length > 0 ? [`${listed(firstNames([...new Set(events)]), "or")} would end it`] : [];
  return [`waits ${listed([...told], "and")}${limit}`, ...enders];
}

/** What a token waits for, as it goes on after "waits"; nothing if others have to go on first. */
function tokenWaits(run: Run, fiber: Fiber): string {
  switch (fiber.wait) {
    case "wait": {
      const [first] = fiber.due;
      return first === undefined ? "" : spaced(first.at - run.now);
    }
    case "await":
      return awaited(run, fiber.frame);
    case "lock":
      return "for a lock";
    case "call":
      return called(fiber);
    default:
      return "";
  }
}

function called({ call }: Fiber): string {
  if (call === undefined) return "";
  if (call.state === "parked") return `for an operator: ${call.target} is parked`;
  if (call.kind === "task") return `for a person: ${call.target}`;
  return call.kind === "workflow" || call.kind === "undo" ? "" : `for the answer of ${call.target}`;
}

/** The arms of an `await`. */
function awaited(run: Run, frame: Frame): string {
  const names = frame.guards.flatMap((guard) => (guard.kind === "on" ? [guard.type] : []));
  const [first] = deadlines(frame).sort((a, b) => a - b);
  const events = names.length > 0 ? [`for ${listed(firstNames([...new Set(names)]), "or")}`] : [];
  return [...events, ...(first === undefined ? [] : [`for ${spaced(first - run.now)}`])].join(
    ", or ",
  );
}

/** When the deadlines of a frame are over. */
const deadlines = (frame: Frame): number[] =>
  frame.due.flatMap(({ what, index, at }) => {
    const guard = what === "guard" ? frame.guards[index] : undefined;
    return guard !== undefined && interrupting(guard) ? [at] : [];
  });

/** A duration for reading: `1m 30s`, in days rather than weeks. */
function spaced(milliseconds: number): string {
  const days = Math.floor(milliseconds / DAY);
  const rest = showDuration(milliseconds - days * DAY).replaceAll(/(?<=[a-z])(?=\d)/g, " ");
  if (days <= 0) return rest;
  return milliseconds === days * DAY ? `${String(days)}d` : `${String(days)}d ${rest}`;
}

/** `a`, `a and b`, `a, b and c`. */
const listed = (names: readonly string[], last: string): string =>
  names.length < 2
    ? names.join("")
    : `${names.slice(0, -1).join(", ")} ${last} ${names.at(-1) ?? ""}`;

const firstNames = (names: readonly string[]): readonly string[] =>
  names.length <= AWAITED + 1
    ? names
    : [...names.slice(0, AWAITED), `${String(names.length - AWAITED)} others`];
