// Frames with their guards: what is armed, what fires, and how what they guard is stopped.

import { interrupting, type Heard } from "./wfc-base.js";
import type { Armed, Frame, Place, Sla } from "./wfc-frame.js";
import type { Guards } from "./wfc-guards.js";
import { Joins } from "./wfc-joins.js";
import {
  Interrupt,
  Rank,
  entry,
  timer,
  type Cause,
  type Entry,
  type Fiber,
  type Timer,
} from "./wfc-state.js";
import type { AnyError } from "./wfc-values.js";

const FINAL = ["stopping", "undoing", "dead"];
export const CANCELLED = "OperatorCancel";

/** The part of a turn that arms, fires and stops. */
export abstract class Stops extends Joins {
  /** Asks the call of a token to stop. */
  abstract stopCall(fiber: Fiber): void;
  /** A call whose answer nobody will hear. */
  abstract abandonCall(fiber: Fiber): void;

  /* -- a frame begins and ends */

  /** A frame begins: its timers are armed, and the inbox is offered to its guards. */
  open(fiber: Fiber, around: Frame | undefined, place: Place, guards: Guards<Frame>): Frame {
    const frame = this.add(place, around, fiber);
    fiber.frame = frame;
    if (place.kind === "scope") {
      if (around !== undefined) this.leaveNode(around.region);
      this.note("entered", frame.path, frame, { scope: true });
    }
    this.arming(frame, guards);
    return frame;
  }

  /** The guards of a frame begin. */
  arming(frame: Frame, given: Guards<Frame>): void {
    const { armed, ignored, slas } = sorted(given);
    frame.guards = armed;
    frame.ignored = ignored;
    frame.slas = slas;
    for (const guard of armed) this.#armGuard(frame, guard);
    for (const [index, { withinMs, warnMs }] of slas.entries()) {
      if (warnMs !== undefined)
        this.arm(frame, timer(this.now + warnMs, Rank.slas, "sla warned", index));
      this.arm(frame, timer(this.now + withinMs, Rank.slas, "sla breached", index));
    }
    if (armed.length > 0 || ignored.length > 0) this.offerWhile(() => frame.phase === "active");
    this.#dueAtOnce(frame);
  }

  #armGuard(frame: Frame, { kind, amount, block, index }: Armed): void {
    if (kind === "at" || kind === "after") {
      const at = kind === "at" ? amount : this.now + amount;
      this.arm(
        frame,
        timer(at, block === undefined ? Rank.deadlines : Rank.beside, "guard", index),
      );
    } else if (kind === "every" && amount > 0) {
      this.#tick(frame, index, 1, amount); // ticks count from the entry
    }
  }

  /** A multiple of an amount begins to be waited for, unless time ends before. */
  #tick(frame: Frame, index: number, number: number, amount: number): void {
    const at = frame.entered + number * amount;
    if (at <= Number.MAX_SAFE_INTEGER) {
      this.arm(frame, timer(at, Rank.beside, "tick", index, number));
    }
  }

  /** A duration or instant already past fires in the entry turn, before the first step. */
  #dueAtOnce(frame: Frame): void {
    const due = frame.due.filter((each) => each.at <= this.now);
    for (const each of due.sort((a, b) => a.rank - b.rank || a.at - b.at || a.index - b.index)) {
      if (frame.phase !== "active" || (each.rank === Rank.deadlines && frame.sealed)) return;
      this.fireTimer(frame, each);
    }
  }

  /** The token of a region enters a node. */
  enter(wf: Frame, node: string): void {
    const { region } = wf;
    this.leaveNode(region);
    region.node = node;
    this.note("entered", node, region);
  }

  leaveNode(region: Frame): void {
    if (region.node === "") return;
    this.note("left", region.node, region);
    region.node = "";
  }

  /** The innermost frame of a token completes; if blocks still run beside it, it has to wait, or to let them run. */
  close(fiber: Fiber): "closed" | "waits" | "yields" {
    const { frame } = fiber;
    if (frame.phase === "active") frame.phase = "closing";
    frame.due = [];
    const beside = frame.children.filter((child) => child.kind === "beside");
    if (beside.length > 0) {
      if (frame.kind === "workflow") {
        if (beside.some((child) => this.fibersInside(child).some((other) => other.wait === "")))
          return "yields";
        if (this.#undoFirst(beside)) return "waits";
        this.#abandon(frame);
      } else {
        for (const child of beside) this.interrupt(child, { kind: "stop" });
        if (beside.some((child) => this.frames.has(child.id))) return "waits";
      }
    }
    this.#completed(fiber, frame);
    return "closed";
  }

  /** An undo under way in a block beside is not dropped: the end of the instance waits for it. */
  #undoFirst(beside: readonly Frame[]): boolean {
    const undoing = beside.filter((child) => this.#isUndoing(child));
    for (const child of undoing) this.interrupt(child, { kind: "stop" });
    return undoing.length > 0;
  }

  #isUndoing(frame: Frame): boolean {
    return [...this.inside(frame)].some((inner) => inner.following !== undefined);
  }

  /** Blocks beside end with their instance: what is in flight is asked to stop, and nobody waits for it. */
  #abandon(frame: Frame): void {
    for (const inner of this.inside(frame)) {
      if (inner.held !== "") this.unlock(inner.held);
      inner.held = "";
    }
    for (const fiber of this.fibersInside(frame)) {
      if (fiber.wait === "call") this.abandonCall(fiber);
      if (fiber.wait === "lock") this.unlock(fiber.lock);
    }
  }

  /** What a completed frame leaves in the log around it. */
  #completed(fiber: Fiber, frame: Frame): void {
    let log = this.collect(frame);
    if (frame.kind === "lock") {
      if (frame.held !== "") this.unlock(frame.held);
    } else if (frame.own !== undefined) log = this.#covered(frame, log);
    if (frame.isRegion) {
      if (frame.node !== "") this.note("left", frame.node, frame);
      if (frame.kind === "scope") this.note("left", frame.path, frame, { scope: true });
    }
    if (frame.parent === undefined) this.log = log;
    else {
      frame.parent.log.push(...log);
      fiber.frame = frame.parent;
    }
    this.remove(frame);
  }

  /** A region with a compensation of its own, which stands for all that was done in it. */
  #covered(frame: Frame, log: readonly Entry[]): Entry[] {
    if (this.keysIn(log).length > 0) this.keep("covered", frame.path, log, frame);
    const { own, path } = frame;
    if (own === undefined || own === "none" || own.when?.() === false) return [];
    const name = path === "" ? this.host.info.workflow : path;
    const place = [this.host.info.instance, name, ...frame.iteration].join("/");
    const key = `${place}/${String(this.visit(`${place}~`))}`;
    const body = own.blind?.();
    const undo = body === undefined ? {} : { body };
    this.note("undoable", path, frame, { operation: name, key });
    return [entry("region", { path, name, key, undo, source: frame.source })];
  }

  /* -- events */

  /** Gives the first event of the inbox that a guard takes; with a frame, to its own guards only. */
  offer(among?: Frame): boolean {
    for (const [place, event] of this.inbox.entries()) {
      const taker = this.taker(event, among);
      if (taker === undefined) continue;
      this.inbox.splice(place, 1);
      this.hear(event, taker.frame, taker.guard);
      return true;
    }
    return false;
  }

  offerWhile(holds: () => boolean): void {
    while (holds() && this.offer());
  }

  /** Before the end of an instance its own guards hear what is left in the inbox. */
  lastOffer(wf: Frame): void {
    const fiber = wf.fiber;
    for (const frame of this.outward(wf)) {
      if (
        frame.kind !== "workflow" &&
        !(frame.kind === "nodes" && frame.parent?.kind === "workflow")
      )
        continue;
      while (frame.phase === "active" && this.offer(frame)) if (fiber?.wait !== "") return;
    }
  }

  /** The first armed guard that takes an event, or the frame that ignores it. One that is held back hides those around. */
  taker(
    event: Heard,
    among?: Frame,
  ): { readonly frame: Frame; readonly guard: Armed | undefined } | undefined {
    const found: { frame: Frame; guard: Armed | undefined; index: number }[] = [];
    for (const frame of among === undefined ? this.frames.values() : [among]) {
      if (frame.phase !== "active") continue;
      for (const guard of frame.guards) {
        if (guard.kind === "on" && guard.type === event.type && this.#takes(frame, guard, event)) {
          found.push({ frame, guard, index: guard.index });
        }
      }
      if (frame.ignored.includes(event.type))
        found.push({ frame, guard: undefined, index: frame.guards.length });
    }
    const [first] = found.sort(
      (a, b) =>
        b.frame.depth - a.frame.depth ||
        before(a.frame.source, b.frame.source) ||
        a.index - b.index ||
        before(a.frame.iteration, b.frame.iteration),
    );
    if (first?.guard !== undefined && interrupting(first.guard) && this.holds(first.frame))
      return undefined;
    return first;
  }

  /** A guard takes an event, or `ignore` drops it. */
  hear(event: Heard, frame: Frame, guard: Armed | undefined): void {
    const kind = guard === undefined ? "event dropped" : "event consumed";
    this.note(kind, this.path(frame), undefined, { type: event.type });
    if (guard !== undefined) this.fire(frame, guard, event.data);
  }

  #takes(frame: Frame, guard: Armed, event: Heard): boolean {
    if (guard.block !== undefined ? this.#running(frame, guard) : frame.sealed) return false;
    return guard.when(event.data);
  }

  /** Whether the block beside of a guard still runs. */
  #running(frame: Frame, guard: Armed): boolean {
    return frame.children.some((child) => child.kind === "beside" && child.number === guard.index);
  }

  /* -- firing */

  /** A guard fires. */
  fire(frame: Frame, guard: Armed, value: unknown): void {
    this.note("guard fired", this.path(frame), frame, { guard: guard.label });
    if (guard.block === undefined)
      this.interrupt(frame, { kind: "guard", guard: guard.index, value });
    else this.#beside(frame, guard, guard.block, value);
  }

  #beside(frame: Frame, guard: Armed, block: NonNullable<Armed["block"]>, value: unknown): void {
    const inner = this.add({ kind: "beside", source: guard.index - frame.guards.length }, frame); // before what it guards
    inner.number = guard.index;
    const undo = this.has(frame.fiber) ? frame.fiber.undo : "";
    const fiber = this.begin(inner, undo, 0, async (own) => {
      await block(inner, value);
      own.wait = "ended";
      this.#besideEnded(inner);
    });
    this.ready.push(fiber);
  }

  /** A block beside has ended, or has been stopped. */
  #besideEnded(frame: Frame): void {
    const around = frame.parent;
    if (around === undefined) return;
    const log = this.freed(this.collect(frame));
    if (log.length > 0) around.beside.push(log);
    const guard = around.guards[frame.number];
    this.forget(frame.fiber);
    this.remove(frame);
    if (around.phase === "closing") this.#closingGoesOn(around);
    else if (around.phase === "active" && guard !== undefined) {
      const number = around.waiting.get(guard.index);
      around.waiting.delete(guard.index);
      if (number !== undefined) this.fire(around, guard, number);
    }
  }

  #closingGoesOn(around: Frame): void {
    const left = around.children.filter(
      (child) => child.kind === "beside" && (around.kind !== "workflow" || this.#isUndoing(child)),
    );
    const owner = around.fiber;
    if (left.length === 0 && this.has(owner) && owner.wait === "closing") this.wake(owner);
  }

  /** A timer of a frame is due. */
  fireTimer(frame: Frame, due: Timer): void {
    frame.due = frame.due.filter((each) => each !== due);
    if (due.rank === Rank.slas) {
      this.note(due.what, this.path(frame), frame, { sla: frame.slas[due.index]?.name });
      return;
    }
    const guard = frame.guards[due.index];
    if (guard === undefined) return;
    if (due.what === "guard") {
      this.fire(frame, guard, undefined);
      return;
    }
    const amount = Math.floor((due.at - frame.entered) / due.number);
    const number = Math.max(due.number, Math.floor((this.now - frame.entered) / amount)); // missed ticks merge into one
    this.#tick(frame, guard.index, number + 1, amount);
    if (this.#running(frame, guard)) frame.waiting.set(guard.index, number);
    else this.fire(frame, guard, number);
  }

  /* -- stopping */

  /** Stops everything inside a frame; when all has stopped, it is undone or kept, and what follows begins. */
  interrupt(frame: Frame, cause: Cause): void {
    if (FINAL.includes(frame.phase)) return;
    const fibers = this.fibersInside(frame);
    for (const inner of this.inside(frame)) {
      if (inner !== frame && this.#undoingAround(inner, frame)) continue;
      inner.due = [];
      inner.waiting.clear();
      if (inner === frame || inner.phase === "undoing") continue;
      inner.phase = "dead";
      inner.cause = undefined;
      this.stopping = this.stopping.filter((each) => each !== inner);
    }
    frame.phase = "stopping";
    frame.cause = cause;
    this.stopping.push(frame);
    for (const fiber of fibers) if (!this.#undoingAround(fiber.frame, frame)) this.#stop(fiber);
  }

  /** Whether a frame inside another belongs to an undo, which nothing interrupts. */
  #undoingAround(inner: Frame, outer: Frame): boolean {
    for (const each of this.outward(inner)) {
      if (each === outer) return false;
      if (each.following !== undefined) return true;
    }
    return false;
  }

  /** Asks a token to stop. */
  #stop(fiber: Fiber): void {
    if (fiber.wait === "call") {
      this.stopCall(fiber);
      return;
    }
    if (fiber.wait === "undo" || fiber.wait === "unwind") {
      fiber.stop = true;
      return;
    }
    if (fiber.wait === "lock") this.unlock(fiber.lock);
    fiber.wait = "stopped";
    fiber.due = [];
  }

  /** Goes on with a frame in which everything has stopped; whether there was one. */
  finishStops(): boolean {
    for (const frame of [...this.stopping].sort((a, b) => b.depth - a.depth)) {
      if (!this.#hasStopped(frame)) continue;
      this.stopping = this.stopping.filter((each) => each !== frame);
      this.#stopped(frame);
      return true;
    }
    return false;
  }

  #hasStopped(frame: Frame): boolean {
    if (this.has(frame.fiber) && frame.fiber.wait !== "stopped") return false;
    if (this.#isUndoing(frame)) return false;
    return this.fibersInside(frame).every((fiber) => fiber.wait === "stopped");
  }

  #stopped(frame: Frame): void {
    const { cause, kind } = frame;
    if (cause === undefined) return;
    if (cause.kind === "guard") this.#unwind(frame, cause.guard);
    else if (cause.kind === "stop") {
      if (kind === "slot") this.branchStopped(frame);
      else this.#besideEnded(frame);
    } else if (kind === "workflow") this.#abort(frame, cause.value);
    else if (kind === "slot") this.branchError(frame, cause.value);
    else if (kind === "beside") this.#escaped(frame, cause.value);
    else this.#lost(frame, cause.value);
  }

  /** An error has left the instance: everything is undone. */
  #abort(frame: Frame, error: AnyError): void {
    this.note("interrupted", this.path(frame), frame);
    frame.phase = "undoing";
    const log = this.collect(frame);
    this.error = error;
    if (frame.fiber !== undefined) {
      frame.fiber.frame = frame;
      frame.fiber.wait = "unwind";
    }
    this.undo(log, frame, { kind: "failed" });
  }

  /** A guard has ended what it guards: that is undone, or kept in the log around it. */
  #unwind(frame: Frame, index: number): void {
    const { fiber } = frame;
    const guard = frame.guards[index];
    if (fiber === undefined || guard === undefined) return;
    this.note("interrupted", this.path(frame), frame, { guard: guard.label });
    const log = this.collect(frame);
    fiber.frame = frame;
    fiber.wait = "unwind";
    frame.phase = "undoing";
    if (!guard.keep) {
      this.undo(log, frame, { kind: "guard", frame });
      return;
    }
    (frame.parent ?? frame).log.push(...this.freed(log));
    this.tails.push(frame);
  }

  /** The tail of a guard begins, in place of what it guarded: the generated code is unwound to there. */
  tail(frame: Frame): void {
    const { cause, fiber } = frame;
    if (cause?.kind !== "guard" || fiber === undefined) return;
    if (fiber.stop) {
      fiber.stop = false; // something around has been interrupted meanwhile
      fiber.wait = "stopped";
      frame.phase = "dead";
      return;
    }
    const isOwn = frame.kind === "workflow" || frame.kind === "branch" || frame.kind === "each";
    if (isOwn) {
      frame.phase = "closed";
      frame.cause = undefined;
      if (frame.kind === "workflow" && this.cancelling && !frame.sealed) {
        fiber.wait = "stopped"; // the operator's cancel, which has waited for this undo, comes before the tail
        return;
      }
      fiber.frame = frame;
    } else {
      if (frame.kind === "scope") this.note("left", frame.path, frame, { scope: true });
      this.remove(frame);
      if (frame.parent !== undefined) fiber.frame = frame.parent;
    }
    fiber.thrown = new Interrupt(frame, cause.guard, cause.value);
    this.wake(fiber);
  }

  /** A lock got lost: its work is undone without it. */
  #lost(frame: Frame, error: AnyError): void {
    const { fiber, parent } = frame;
    if (fiber === undefined || parent === undefined) return;
    parent.log.push(...this.collect(frame));
    fiber.frame = parent;
    fiber.wait = "";
    this.remove(frame);
    this.raise(fiber, error);
  }

  /** An error has left a block beside: it is that of what the block stands beside. */
  #escaped(frame: Frame, error: AnyError): void {
    const around = frame.parent;
    if (around === undefined) return;
    this.#besideEnded(frame);
    if (around.phase === "active" && around.fiber !== undefined)
      this.#raiseFrom(around, around.fiber, error);
  }

  /* -- errors */

  raise(fiber: Fiber, error: AnyError): void {
    this.#raiseFrom(fiber.frame, fiber, error);
  }

  /** The handler is searched from the inside out; what it guards is crossed by the error. */
  #raiseFrom(frame: Frame, fiber: Fiber, error: AnyError): void {
    for (const each of this.outward(frame)) {
      const guard =
        each.phase === "active" ? each.guards.find((one) => catches(one, error)) : undefined;
      if (guard !== undefined) {
        this.fire(each, guard, error);
        return;
      }
      if (each === fiber.base) break;
    }
    const { base } = fiber;
    if (base.entry !== undefined) {
      fiber.wait = "stopped";
      this.undoFailed(base, error);
    } else this.interrupt(base, { kind: "error", value: error });
  }
}

function catches(guard: Armed, error: AnyError): boolean {
  if (guard.kind !== "catch") return false;
  return guard.errors === "any" ? error.is !== CANCELLED : guard.errors.includes(error.is);
}

/** Compares places: the first difference decides. */
export function before(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

interface Sorted {
  readonly armed: readonly Armed[];
  readonly ignored: readonly string[];
  readonly slas: readonly Sla[];
}

/** What generated code says of its guards. Of several with one label, the later ones have a number behind their name. */
function sorted(given: Guards<Frame>): Sorted {
  const armed: Armed[] = [];
  const ignored: string[] = [];
  const slas: Sla[] = [];
  for (const [name, guard] of Object.entries(given)) {
    if (guard.kind === "ignore") ignored.push(guard.type);
    else if (guard.kind === "sla") slas.push(guard);
    else {
      const when = guard.kind === "on" ? guard.when : undefined;
      armed.push({
        index: armed.length,
        name,
        label: name.replace(/ #\d+$/, ""),
        kind: guard.kind,
        type: guard.kind === "on" ? guard.type : "",
        errors: guard.kind === "catch" ? guard.errors : [],
        amount: "amount" in guard ? guard.amount : 0,
        when: (value) => when?.(value as never) ?? true,
        keep: "keep" in guard && guard.keep,
        block: "block" in guard ? (guard.block as Armed["block"]) : undefined,
      });
    }
  }
  return { armed, ignored, slas };
}
