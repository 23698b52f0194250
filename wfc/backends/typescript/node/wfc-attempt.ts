// One attempt of an activity: calls what the user has written, and says how it ended, whatever it does.

import { inspect } from "node:util";
import {
  Failure,
  val,
  type ActivityContext,
  type Answered,
  type AnyError,
  type Send,
} from "../wfc-runtime/wfc-runtime.js";
import { serviceOf } from "./wfc-traffic.js";

/** Passed last to every activity; a method may declare its last parameter so. */
export interface NodeContext extends ActivityContext {
  /** Aborted when nobody waits for the answer any more: hand it to `fetch`. */
  readonly signal: AbortSignal;
  /** Says that the attempt is alive, for policies with `heartbeat`. */
  heartbeat(): void;
}

/** Thrown by an activity that was asked to stop, and has stopped: certainly nothing was done. */
export class Stopped extends Error {
  override readonly name = "Stopped";
}

/** Thrown by an activity whose request certainly did not reach the service. It is `Unavailable`, and tried again. */
export class NotSent extends Error {
  override readonly name = "NotSent";
}

export type Answer = Pick<Answered, "how" | "value" | "sent" | "detail">;

const SYSTEM: readonly string[] = ["Timeout", "Unavailable", "Invalid"];
const LONGEST = 500; // characters of what is told of an error

const unavailable = (detail: string, sent: boolean): Answer => ({
  how: "system",
  value: "Unavailable",
  sent,
  detail,
});

/** Performs an attempt. It never throws; it may take for ever. */
export async function perform(
  activities: object,
  secrets: Readonly<Record<string, unknown>>,
  { target, args }: Send,
  context: NodeContext,
): Promise<Answer> {
  const service: unknown = Reflect.get(activities, serviceOf(target));
  const name = target.slice(target.lastIndexOf(".") + 1);
  const activity: unknown =
    typeof service === "object" && service !== null ? Reflect.get(service, name) : undefined;
  if (typeof activity !== "function")
    return unavailable(`there is no activity \`${target}\``, false);
  const missing = args
    .map(val.secretIn)
    .find((secret) => secret !== undefined && !Object.hasOwn(secrets, secret));
  if (missing !== undefined) return unavailable(`the host has no secret \`${missing}\``, false);
  const given = args.map((arg) => {
    const secret = val.secretIn(arg);
    return secret === undefined ? arg : secrets[secret];
  });
  try {
    return {
      how: "value",
      value: (await Reflect.apply(activity, service, [...given, context])) as unknown,
    };
  } catch (thrown) {
    return ended(thrown, context.signal.aborted);
  }
}

/** How an attempt has ended that has thrown something. */
function ended(thrown: unknown, aborted: boolean): Answer {
  try {
    if (thrown instanceof Stopped)
      return aborted ? { how: "cancelled" } : unavailable("stopped by itself", false);
    if (thrown instanceof NotSent) return unavailable(described(thrown), false);
    const error = declared(thrown);
    if (error === undefined) return unavailable(described(thrown), true);
    if (!SYSTEM.includes(error.is)) return { how: "error", value: error };
    return { how: "system", value: error.is, sent: true, detail: described(thrown) };
  } catch {
    return unavailable("something was thrown that cannot be looked at", true);
  }
}

/** An error of the language: a `Failure`, or its plain form. */
function declared(thrown: unknown): AnyError | undefined {
  if (thrown instanceof Failure) return thrown.error;
  if (thrown instanceof Error || typeof thrown !== "object" || thrown === null) return undefined;
  return "is" in thrown && typeof thrown.is === "string" ? (thrown as AnyError) : undefined;
}

/** What people are told of something unknown. */
export function described(thrown: unknown): string {
  try {
    const shown =
      thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : inspect(thrown, { depth: 1 });
    return shown.length > LONGEST ? `${shown.slice(0, LONGEST)}…` : shown;
  } catch {
    return "something was thrown that cannot be shown";
  }
}
