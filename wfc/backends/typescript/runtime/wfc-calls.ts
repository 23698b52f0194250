// Calls: what an outcome does to the log, how a call is stopped, parked or given up, and the point of no return.

import { Attempts } from "./wfc-attempts.js";
import { interrupting, numberOf } from "./wfc-base.js";
import type { Frame } from "./wfc-frame.js";
import type { Answered, Operation } from "./wfc-host.js";
import { Misfit, inside } from "./wfc-parse.js";
import {
  Rank,
  entry,
  timer,
  type Call,
  type Calling,
  type Entry,
  type Fiber,
  type Letter,
  type Stored,
  type Timer,
} from "./wfc-state.js";
import type { AnyError } from "./wfc-values.js";

const SILENCE = 30_000; // how long a call without a timeout may take to stop
const SYSTEM: readonly string[] = [
  "Timeout",
  "Unavailable",
  "Invalid",
  "LockTimeout",
  "LockLost",
  "AlreadyRunning",
];

type Spec = Call<unknown>;

/** The part of a turn that calls. */
export abstract class Calls extends Attempts {
  /** Calls: the entry is written, then the first attempt is sent. */
  call(fiber: Fiber, id: string, spec: Spec): void {
    const { frame } = fiber;
    const path = frame.place;
    const key = this.keyOf(fiber, id, spec, frame);
    const { kind, name, args, policy, pivot = false, pii = [] } = spec;
    let number = 0;
    if (fiber.undo === "") {
      number = this.serial();
      frame.log.push(entry("call", { id: number, path, name, key, state: "started" }));
    }
    fiber.wait = "call";
    const own = `c${String(fiber.id)}.${String(this.serial())}`;
    const source = [...frame.source, fiber.position];
    const about = {
      id: own,
      kind,
      target: name,
      key,
      args,
      policy,
      entry: number,
      path,
      pivot,
      child: key,
      spec,
      pii,
      source,
    };
    fiber.call = { ...about, state: "sent", attempt: 0, round: 0, open: false };
    this.round(fiber, fiber.call);
  }

  /* -- answers */

  /** An attempt has ended. */
  answered(fiber: Fiber, call: Calling, given: Answered): void {
    if (given.incomplete === true) this.incomplete = true;
    this.noTimers(fiber, "timeout", "heartbeat", "silence");
    const { sent = true, chance = 0.5, detail = "" } = given;
    switch (given.how) {
      case "value":
        this.#value(fiber, call, given.value);
        return;
      case "error":
        this.#business(fiber, call, given.value, chance);
        return;
      case "cancelled":
        this.#stoppedCall(
          fiber,
          call,
          call.open && call.spec !== undefined && call.spec.keyed !== true,
        );
        return;
      case "system": {
        const name = String(given.value);
        this.#system(fiber, call, SYSTEM.includes(name) ? name : "Unavailable", {
          sent,
          chance,
          detail,
        });
      }
    }
  }

  #value(fiber: Fiber, call: Calling, given: unknown): void {
    const { spec } = call;
    if (spec === undefined) {
      this.undoDone(fiber.base);
      return;
    }
    const read = fitting(spec.name, () => spec.parse(given));
    if ("wrong" in read)
      this.#system(fiber, call, "Invalid", { sent: true, chance: 0, detail: read.wrong });
    else this.#take(fiber, call, spec, read.value);
  }

  /** A call has worked. */
  #take(fiber: Fiber, call: Calling, spec: Spec, value: unknown): void {
    const { frame } = fiber;
    const stopping = call.state === "stopping";
    const made = fiber.undo === "" ? this.#done(frame, call, spec, value) : undefined;
    const detail = {
      operation: call.target,
      ...(call.attempt > 1 ? { attempts: call.attempt } : {}),
      ...(made === undefined ? {} : { undoable: true, key: made.key, entry: made.id }),
    };
    this.note("answered", call.path, frame, detail);
    if (call.pivot) this.#seal(frame, call);
    if (stopping) {
      this.#rest(fiber);
      return;
    }
    fiber.value = value;
    this.wake(fiber);
    if (call.pivot) this.offerWhile(() => true);
  }

  /** The entry of a completed call; without something to undo it goes. */
  #done(frame: Frame, call: Calling, spec: Spec, value: unknown): Entry | undefined {
    const { undo } = spec;
    const { path, target: name, key, entry: id } = call;
    let made: Entry | undefined;
    if (undo === "child") {
      // What an operator supplies is no child's doing.
      if (call.state !== "parked")
        made = entry("child", { id, path, name, key: this.#childOf(call) });
    } else if (undo !== undefined && (undo.holds?.(value) ?? undo.when?.() ?? true)) {
      const body = undo.blind?.() ?? undo.stored?.()(value);
      made = entry("call", { id, path, name, key, undo: body && { body }, source: call.source });
    }
    this.#replace(frame, call, made);
    return made;
  }

  /** The id of the child that the last attempt started. */
  #childOf(call: Calling): string {
    const number = this.visits.get(`${call.child}#`) ?? 0;
    return number > 0 && (call.attempt > 1 || call.round > 1)
      ? `${call.child}#${String(number + 1)}`
      : call.child;
  }

  /** What becomes of the entry of a call; whether it was in doubt. */
  #replace(frame: Frame, call: Calling, made: Entry | undefined): boolean {
    const place = frame.log.findIndex((each) => each.kind === "call" && each.id === call.entry);
    if (place >= 0) {
      const [old] = frame.log.splice(place, 1, ...(made === undefined ? [] : [made]));
      return old?.state === "doubt";
    }
    // It was given up as certainly not done, and an operator had it tried again.
    if (made !== undefined) frame.log.push(made);
    return false;
  }

  /** A declared error promises that nothing was done. */
  #business(fiber: Fiber, call: Calling, given: unknown, chance: number): void {
    const { spec, policy } = call;
    const name = errorName(given);
    const parse =
      spec?.raises !== undefined && Object.hasOwn(spec.raises, name)
        ? spec.raises[name]
        : undefined;
    const read =
      parse === undefined ? { wrong: `undeclared ${name}` } : fitting(name, () => parse(given));
    if (spec === undefined || "wrong" in read) {
      this.#system(fiber, call, "Invalid", {
        sent: true,
        chance: 0,
        detail: "wrong" in read ? read.wrong : "",
      });
      return;
    }
    const { frame } = fiber;
    const again = policy?.only?.includes(name) === true;
    if (again && call.state !== "stopping" && this.tryAgain(fiber, call, name, chance)) {
      this.attemptFailed(call, frame, name, "");
      return;
    }
    this.#end(
      fiber,
      call,
      spec,
      spec.partial?.includes(name) === true || (call.open && spec.keyed !== true),
    );
    this.note("raised", call.path, frame, { operation: call.target, error: name });
    if (call.state === "stopping") this.#rest(fiber);
    else if (again) this.#exhausted(fiber, call, spec, read.value);
    else this.#raise(fiber, call, spec, read.value);
  }

  /** An attempt without an answer that says what has happened. */
  #system(
    fiber: Fiber,
    call: Calling,
    name: string,
    { sent, chance, detail = "" }: { sent: boolean; chance: number; detail?: string },
  ): void {
    call.open ||= sent;
    if (call.state === "stopping" && name === "Timeout" && this.host.timesAttempts === true) {
      this.#stoppedCall(fiber, call, true); // as by a timer of our own
      return;
    }
    this.attemptFailed(call, fiber.frame, name, detail);
    if (call.state === "stopping") this.#stoppedCall(fiber, call, call.open);
    else if (!this.tryAgain(fiber, call, name, chance)) this.#givenUp(fiber, call, name);
  }

  /** No attempt is left. */
  #givenUp(fiber: Fiber, call: Calling, name: string): void {
    const { spec } = call;
    if (spec === undefined) {
      fiber.base.last = { ...call };
      fiber.wait = "stopped";
      this.undoFailed(fiber.base, { is: name });
      return;
    }
    this.#end(fiber, call, spec, call.open);
    this.note("raised", call.path, fiber.frame, { operation: call.target, error: name });
    this.#exhausted(fiber, call, spec, { is: name });
  }

  /* -- the end of a call without a value */

  /** Its entry goes, or stays in doubt. */
  #end(fiber: Fiber, call: Calling, { undo }: Spec, doubt: boolean): void {
    if (fiber.undo !== "") return;
    const { frame } = fiber;
    const { path, target: name, key, entry: id } = call;
    // A condition that reads the result counts as true.
    if (!doubt || undo === undefined || undo === "child" || undo.when?.() === false) {
      if (this.#replace(frame, call, undefined)) {
        this.note("cleared", path, frame, { operation: name, key, entry: id });
      }
      return;
    }
    const body = undo.blind?.();
    const from = undo.stored?.() as Stored["from"];
    const stored: Stored = { ...(body && { body }), ...(from && { from }) };
    const { source } = call;
    this.#replace(
      frame,
      call,
      entry("call", { id, path, name, key, state: "doubt", undo: stored, source }),
    );
    this.note("in doubt", path, frame, { operation: name, key, entry: id });
  }

  #exhausted(fiber: Fiber, call: Calling, spec: Spec, error: AnyError): void {
    const exhausted = call.policy?.exhausted ?? "fail";
    if (exhausted === "fail" || fiber.undo !== "") {
      this.#raise(fiber, call, spec, error);
    } else if ("deadLetter" in exhausted) {
      this.forwardLetter(call, error);
      this.#raise(fiber, call, spec, error);
    } else {
      call.state = "parked";
      fiber.due = [];
      const { target: operation, key } = call;
      this.note("parked", call.path, fiber.frame, { operation, queue: exhausted.park, key });
    }
  }

  /** The error leaves the call. */
  #raise(fiber: Fiber, call: Calling, spec: Spec, error: AnyError): void {
    const { frame } = fiber;
    if (fiber.undo !== "") {
      for (const each of this.outward(frame)) {
        if (each.entry === undefined) continue;
        each.last = { ...call };
        each.errors = [...each.errors, error];
        break;
      }
    }
    fiber.due = [];
    if (spec.optional === true && fiber.undo === "") {
      this.note("tolerated", call.path, frame, { operation: call.target, error: error.is });
      fiber.value = undefined;
      this.wake(fiber);
      return;
    }
    fiber.wait = "";
    fiber.call = undefined;
    this.raise(fiber, error);
  }

  /* -- stopping */

  stopCall(fiber: Fiber): void {
    const { call } = fiber;
    if (call === undefined || call.state === "stopping") return;
    const { spec, state } = call;
    if (state === "pause" || state === "parked" || state === "queued") {
      if (state === "queued") this.#askToStop(call);
      if (state !== "parked" && spec !== undefined) this.#end(fiber, call, spec, call.open);
      this.#rest(fiber);
      return;
    }
    this.#askToStop(call);
    if (call.kind === "task" && spec !== undefined) {
      this.#end(fiber, call, spec, false);
      this.#rest(fiber);
      return;
    }
    call.state = "stopping";
    this.noTimers(fiber, "overall", "heartbeat", ...(call.kind === "workflow" ? ["timeout"] : []));
    if (fiber.due.length === 0 && call.kind !== "workflow" && call.kind !== "start") {
      const limit = this.host.timesAttempts === true ? call.policy?.timeoutMs : undefined;
      this.arm(fiber, timer(this.now + (limit ?? SILENCE), Rank.errors, "silence"));
    }
  }

  #askToStop(call: Calling): void {
    this.command({ kind: "stop", call: call.id, attempt: numberOf(call) });
  }

  abandonCall(fiber: Fiber): void {
    const { call } = fiber;
    if (call === undefined) return;
    const inFlight = call.state === "sent" || call.state === "stopping";
    if (inFlight || call.state === "queued") this.#askToStop(call);
    if (call.spec !== undefined && call.state !== "parked") {
      this.#end(fiber, call, call.spec, call.kind !== "task" && (call.open || inFlight));
    }
  }

  /** A call has stopped, or was silent for too long. */
  #stoppedCall(fiber: Fiber, call: Calling, doubt: boolean): void {
    if (call.state !== "stopping") {
      // It has stopped by itself.
      this.#system(fiber, call, "Unavailable", { sent: false, chance: 0, detail: "cancelled" });
      return;
    }
    if (call.spec !== undefined) this.#end(fiber, call, call.spec, doubt);
    this.#rest(fiber);
  }

  #rest(fiber: Fiber): void {
    fiber.wait = "stopped";
    fiber.call = undefined;
    fiber.due = [];
  }

  /** A timer of a call is due. */
  callTimer(fiber: Fiber, call: Calling, due: Timer): void {
    fiber.due = fiber.due.filter((each) => each !== due);
    if (due.what === "pause") {
      this.attempt(fiber, call);
      return;
    }
    if (call.state === "sent" || call.state === "queued" || call.state === "stopping")
      this.#askToStop(call);
    if (due.what === "silence" || call.state === "stopping") {
      this.noTimers(fiber, "timeout", "silence");
      this.#stoppedCall(fiber, call, true);
      return;
    }
    this.noTimers(fiber, "timeout", "heartbeat", "pause");
    if (due.what === "overall") {
      call.open ||= call.state === "sent";
      this.attemptFailed(call, fiber.frame, "Timeout", "overall");
      this.#givenUp(fiber, call, "Timeout");
      return;
    }
    this.#system(fiber, call, "Timeout", { sent: true, chance: 0.5 });
  }

  /* -- operators */

  /** An operator decides about a parked step; what is given fits. */
  operate(fiber: Fiber, call: Calling, action: Operation["action"], value: unknown): void {
    const { spec } = call;
    if (spec === undefined) return;
    if (action === "retry") this.round(fiber, call);
    else if (action === "supply") this.#take(fiber, call, spec, value);
    else {
      const error = value as AnyError;
      this.note("raised", call.path, undefined, { operation: call.target, error: error.is });
      this.#raise(fiber, call, spec, error);
    }
  }

  /* -- pivot */

  /** The point of no return: what is older cannot be undone any more, and no guard ends it. */
  #seal(frame: Frame, call: Calling): void {
    const own = frame.log.filter(
      (each) => each.id === call.entry && (each.kind === "call" || each.kind === "child"),
    );
    let gone: Entry[] = [];
    for (const each of this.outward(frame)) {
      gone = [...each.log.filter((one) => !own.includes(one)), ...each.beside.flat(), ...gone];
      each.log = [];
      each.beside = [];
      each.sealed = true;
      each.due = each.due.filter((due) => !ends(each, due));
    }
    frame.log = own;
    this.keep("pivot", call.path, gone, frame, { operation: call.target });
  }

  /* -- calls that no program has written */

  sendAlone(frame: Frame, each: Entry, letter?: Letter): void {
    const inner = this.undoFrame(frame, each);
    const fiber = this.begin(inner, each.key, 0, () => Promise.resolve());
    fiber.wait = "call";
    const id = `c${String(fiber.id)}.${String(this.serial())}`;
    const { path, key } = each;
    const about = {
      id,
      path,
      entry: 0,
      pivot: false,
      child: key,
      key,
      spec: undefined,
      source: each.source,
      attempt: 0,
      round: 0,
      open: false,
    };
    const what =
      letter === undefined
        ? { kind: "undo" as const, target: each.name, args: [], policy: undefined, pii: [] }
        : {
            kind: letter.kind ?? "activity",
            target: letter.operation,
            args: letter.args,
            policy: letter.policy,
            pii: letter.pii,
          };
    fiber.call = { ...about, ...what, state: "sent" };
    this.round(fiber, fiber.call);
  }
}

const ends = (frame: Frame, due: Timer): boolean => {
  const guard = due.what === "guard" ? frame.guards[due.index] : undefined;
  return guard !== undefined && interrupting(guard);
};

const errorName = (given: unknown): string =>
  typeof given === "object" && given !== null && "is" in given && typeof given.is === "string"
    ? given.is
    : "None";

type Read = { readonly value: unknown } | { readonly wrong: string };

/** A value or error that an operator gives, read. */
export function given(call: Calling, operation: Operation): Read {
  const { action, value } = operation;
  if (action === "retry" || action === "cancel") return { value: undefined };
  const name = typeof value === "string" ? value : errorName(value);
  const system = action === "raise" && call.spec !== undefined && SYSTEM.includes(name);
  return system
    ? { value: { is: name } }
    : said(call, action === "supply" ? "value" : "error", value);
}

/** A value or a declared error that somebody answers, read. */
export function said(call: Calling, how: "value" | "error", value: unknown): Read {
  const { spec } = call;
  if (spec === undefined) return { value: undefined };
  if (how === "value") return fitting(spec.name, () => spec.parse(value));
  const name = typeof value === "string" ? value : errorName(value);
  const parse = Object.hasOwn(spec.raises ?? {}, name) ? spec.raises?.[name] : undefined;
  if (parse === undefined) return { wrong: `\`${spec.name}\` raises no \`${name}\`` };
  return fitting(name, () => parse(value));
}

function fitting<T>(
  name: string,
  read: () => T,
): { readonly value: T } | { readonly wrong: string } {
  try {
    return { value: inside(name, read) };
  } catch (misfit) {
    if (misfit instanceof Misfit) return { wrong: misfit.message };
    throw misfit;
  }
}
