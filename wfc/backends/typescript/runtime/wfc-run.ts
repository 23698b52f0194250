// One instance of a workflow: takes one input a turn and sends commands. No clock, no chance, no input or output.

import { numberOf } from "./wfc-base.js";
import { given, said } from "./wfc-calls.js";
import { Fibers } from "./wfc-fibers.js";
import type { Frame } from "./wfc-frame.js";
import type { Answered, Host, Input, Operation, Refusal, WorkflowEvent } from "./wfc-host.js";
import { Misfit, type Parse } from "./wfc-parse.js";
import { Rank, type Calling, type Fiber, type Timer } from "./wfc-state.js";
import { CANCELLED, before } from "./wfc-stops.js";

export interface EventSpec {
  readonly mode: "buffered" | "latest" | "transient";
  readonly parse: Parse<unknown>;
  readonly key?: (data: never) => string | number;
}

export interface Options {
  readonly events: Readonly<Record<string, EventSpec>>;
  /** Off: no audit records are made. */
  readonly audit: boolean;
}

const SMALL = 100; // frames and tokens of an instance whose timers are all looked through after a turn

/** The place of an input among all that falls on one instant. A host that has several delivers them in this order. */
export function rank(input: Input): number {
  switch (input.kind) {
    case "operator":
    case "undone":
      return Rank.operators;
    case "answered":
      return input.how === "value" ? Rank.values : Rank.errors;
    case "locked":
      return input.state === "granted" ? Rank.grants : Rank.errors;
    case "sent":
    case "beat":
      return Rank.values;
    case "event":
      return Rank.events;
    case "time":
      return Rank.deadlines;
  }
}

/** Something that waits for an operator: a call, or the undo `of` one. */
export interface Open {
  readonly kind: "parked" | "dead letter";
  readonly key: string;
  readonly operation: string;
  readonly of: string;
}

interface Due {
  readonly timer: Timer;
  readonly depth: number;
  readonly source: readonly number[];
  readonly iteration: readonly number[];
  readonly frame?: Frame;
  readonly fiber?: Fiber;
}

/** The turns of one instance: one input, then tokens run until everything waits. */
export class Run extends Fibers {
  readonly options: Options;
  views: Readonly<Record<string, () => unknown>> = {};
  root: Frame | undefined;
  value: unknown;
  /** What happens when the instance has ended. */
  onEnd: () => void = () => undefined;
  #turning: Promise<void> | undefined;
  readonly #queue: (() => Promise<void>)[] = [];

  constructor(host: Host, options: Options) {
    super(host, options.audit);
    this.options = options;
  }

  protected get self(): this {
    return this;
  }

  /* -- turns */

  /** Begins the instance. */
  start(
    at: number,
    about: Readonly<Record<string, unknown>>,
    body: (wf: Frame) => Promise<unknown>,
  ): void {
    this.#turn(at, () => {
      this.note("started", "", undefined, about);
      const id = this.serial();
      const root = this.add({ kind: "workflow" }, undefined);
      this.root = root;
      const fiber = this.makeFiber(id, root, "", 0, async () => {
        this.value = await this.caught(fiber, () => body(root));
        await this.closing(fiber);
        this.#completed(fiber);
      });
      this.ready.push(fiber);
      return Promise.resolve();
    });
  }

  /** Takes an input, or says why it is refused. */
  deliver(input: Input): Refusal | undefined {
    const refused = this.refusal(input);
    if (refused !== undefined) return refused;
    this.#turn(input.at, () => this.#hand(input));
    return undefined;
  }

  /** When nothing is left to do in this turn. */
  async idle(): Promise<void> {
    await this.#turning;
  }

  #turn(at: number, work: () => Promise<void>): void {
    this.#queue.push(async () => {
      this.now = Math.max(this.now, at);
      this.refuel();
      await work();
      await this.#settle();
      this.#setAlarm();
      this.flush();
    });
    this.#turning ??= this.#turns();
  }

  async #turns(): Promise<void> {
    try {
      for (
        let next = this.#queue.shift();
        next !== undefined && !this.defect;
        next = this.#queue.shift()
      )
        await next();
    } catch (defect) {
      this.broken(defect);
    }
    this.#turning = undefined;
  }

  /** Runs until everything waits and nothing is due. */
  async #settle(): Promise<void> {
    for (;;) {
      await this.#runOn();
      if (this.status === "running" && this.inbox.length > 0 && this.offer()) continue;
      if (!this.#fireDue()) return;
    }
  }

  /** Runs until everything waits. What an undo has held back comes before the tail that follows it. */
  async #runOn(): Promise<void> {
    for (;;) {
      this.burn(20); // guards that fire at once can lead to each other for ever, without a step between
      for (let fiber = this.ready.shift(); fiber !== undefined; fiber = this.ready.shift()) {
        if (this.has(fiber) && fiber.wait === "") await this.step(fiber);
      }
      if (this.finishStops() || this.#cancel()) continue;
      if (this.tails.length + this.resumed.length + this.joined.length === 0) return;
      if ((this.inbox.length > 0 && this.offer()) || this.#fireDue(0)) continue; // what was due before this instant
      const fork = this.joined.shift();
      if (fork !== undefined) {
        if (this.frames.has(fork.id)) this.join(fork);
        continue;
      }
      const frame = this.tails.shift();
      if (frame !== undefined) {
        this.tail(frame);
        continue;
      }
      const fiber = this.resumed.shift();
      if (fiber !== undefined) this.#resume(fiber);
    }
  }

  /** A token goes on behind its `undo` step, unless something around it has been interrupted meanwhile. */
  #resume(fiber: Fiber): void {
    if (!fiber.stop) {
      this.wake(fiber);
      return;
    }
    fiber.stop = false;
    fiber.wait = "stopped";
  }

  /** An operator's cancel waits until nothing is being undone. */
  #cancel(): boolean {
    const { root } = this;
    if (!this.cancelling || this.status !== "running" || root === undefined) return false;
    if (!["active", "closed", "closing"].includes(root.phase) || this.holds(root)) return false;
    this.cancelling = false;
    if (root.sealed) return false;
    this.interrupt(root, { kind: "error", value: { is: CANCELLED } });
    return true;
  }

  /* -- one input */

  /** Why an input would be refused; it changes nothing. */
  refusal(input: Input): Refusal | undefined {
    if (input.at < this.now) return "goes-back-in-time";
    switch (input.kind) {
      case "answered":
        return this.#answerRefusal(input);
      case "sent":
      case "beat":
        return this.#caller(input.call, input.attempt) === undefined ? "unknown-call" : undefined;
      case "locked": {
        if (this.#locker(input.lock) !== undefined) return undefined;
        return input.state === "granted" || this.#heldBy(input.lock) === undefined
          ? "unknown-lock"
          : undefined;
      }
      case "operator":
        return this.#operatorRefusal(input);
      case "undone":
        return this.status === "done" && this.host.info.child === true && this.frames.size === 0
          ? undefined
          : "not-running";
      case "event":
        return this.#eventRefusal(input.event);
      case "time":
        return undefined;
    }
  }

  /** What a person answers and what does not fit is refused to them; the task still waits. */
  #answerRefusal({ call, attempt, how, value }: Answered): Refusal | undefined {
    const waits = this.#caller(call, attempt);
    if (waits === undefined) return "unknown-call";
    if (waits.call.kind !== "task" || (how !== "value" && how !== "error")) return undefined;
    return "wrong" in said(waits.call, how, value) ? "wrong-value" : undefined;
  }

  #eventRefusal({ type, data }: WorkflowEvent): Refusal | undefined {
    if (this.status !== "running") return "not-running";
    const spec = this.#spec(type);
    if (spec === undefined) return "unknown-event";
    try {
      spec.parse(data);
      return undefined;
    } catch (error) {
      if (error instanceof Misfit) return "wrong-event";
      throw error;
    }
  }

  #operatorRefusal(input: Operation): Refusal | undefined {
    const { action, key = "" } = input;
    if (action === "cancel") {
      if (this.status !== "running") return "not-running";
      const passing = [...this.fibers.values()].some((fiber) => fiber.call?.pivot === true);
      return this.root?.sealed === true || passing ? "point-of-no-return" : undefined;
    }
    const letter = this.letters.get(key);
    if (letter !== undefined) {
      return action === "raise" || (action === "retry" && letter.doubt === true)
        ? "wrong-value"
        : undefined;
    }
    const call = this.#parked(key)?.call;
    if (call === undefined) return "unknown-step";
    return "wrong" in given(call, input) ? "wrong-value" : undefined;
  }

  #spec(type: string): EventSpec | undefined {
    return Object.hasOwn(this.options.events, type) ? this.options.events[type] : undefined;
  }

  /** The call that waits for the answer of an attempt, with its token. */
  #caller(
    id: string,
    attempt: number,
  ): { readonly fiber: Fiber; readonly call: Calling } | undefined {
    for (const fiber of this.fibers.values()) {
      const { call } = fiber;
      if (call?.id !== id || numberOf(call) !== attempt) continue;
      return ["sent", "queued", "stopping"].includes(call.state) ? { fiber, call } : undefined;
    }
    return undefined;
  }

  /** Why an answer does not fit the call that waits for it. */
  misfit(id: string, attempt: number, how: "value" | "error", value: unknown): string | undefined {
    const call = this.#caller(id, attempt)?.call;
    if (call === undefined) return undefined;
    const read = said(call, how, value);
    return "wrong" in read ? read.wrong : undefined;
  }

  #parked(key: string): Fiber | undefined {
    return [...this.fibers.values()].find(
      ({ call }) => call?.state === "parked" && call.key === key,
    );
  }

  /** What an operator may see to: parked steps and dead letters. */
  get unattended(): readonly Open[] {
    const parked = [...this.fibers.values()].flatMap(({ call }): Open[] =>
      call?.state === "parked"
        ? [{ kind: "parked", key: call.key, operation: call.target, of: call.target }]
        : [],
    );
    const letters = [...this.letters.values()].map(({ key, operation, name }): Open => {
      return { kind: "dead letter", key, operation, of: name };
    });
    return [...parked, ...letters];
  }

  #locker(lock: string): Fiber | undefined {
    return [...this.fibers.values()].find((fiber) => fiber.wait === "lock" && fiber.lock === lock);
  }

  #heldBy(lock: string): Frame | undefined {
    return [...this.frames.values()].find((frame) => frame.held === lock);
  }

  /** Decides which guard or waiting step an input belongs to, and lets it have it. */
  async #hand(input: Input): Promise<void> {
    while (this.#fireDue(rank(input))) await this.#runOn(); // what was due before this input has its turn first
    const isCancel = input.kind === "operator" && input.action === "cancel";
    if (this.status !== "running" && (input.kind === "event" || isCancel)) {
      this.note("late answer", ""); // what was due before it has ended the instance
      return;
    }
    switch (input.kind) {
      case "answered": {
        const found = this.#caller(input.call, input.attempt);
        if (found === undefined)
          this.note("late answer", "", undefined, { call: input.call }); // its time was over
        else this.answered(found.fiber, found.call, input);
        return;
      }
      case "sent":
      case "beat": {
        const found = this.#caller(input.call, input.attempt);
        if (found === undefined) return;
        if (input.kind === "sent") this.sent(found.fiber, found.call);
        else this.beat(found.fiber, found.call);
        return;
      }
      case "locked":
        this.#locked(input.lock, input.state);
        return;
      case "event":
        this.#event(input.event);
        return;
      case "operator":
        this.#operator(input);
        return;
      case "undone": {
        const log = [...this.log];
        this.log = [];
        this.undo(log, undefined, { kind: "child" });
        return;
      }
      case "time":
        return;
    }
  }

  #event({ type, data }: WorkflowEvent): void {
    const spec = this.#spec(type);
    const event = { type, data: spec?.parse(data) };
    this.note("event received", "", undefined, { type });
    const taker = this.taker(event);
    if (spec?.mode === "latest") this.inbox = this.inbox.filter((other) => other.type !== type);
    if (taker !== undefined) this.hear(event, taker.frame, taker.guard);
    else if (spec?.mode === "transient") this.note("event dropped", "", undefined, { type });
    else this.inbox.push(event);
  }

  #locked(lock: string, state: "granted" | "lost"): void {
    if (state === "granted") {
      const fiber = this.#locker(lock);
      if (fiber === undefined) this.unlock(lock);
      else this.granted(fiber);
      return;
    }
    const frame = this.#heldBy(lock);
    if (frame === undefined) {
      const fiber = this.#locker(lock);
      if (fiber !== undefined) this.#notGranted(fiber);
      return;
    }
    frame.held = "";
    this.note("lock lost", this.path(frame), frame, { lock });
    if (frame.phase === "active")
      this.interrupt(frame, { kind: "error", value: { is: "LockLost" } });
  }

  #operator(input: Operation): void {
    const { action, key = "", value } = input;
    if (action === "cancel") {
      this.cancelling = true;
      return;
    }
    const letter = this.letters.get(key);
    if (letter === undefined) {
      const fiber = this.#parked(key);
      const call = fiber?.call;
      if (fiber === undefined || call === undefined) {
        this.note("late answer", "", undefined, { key }); // a deadline of this very moment was faster
        return;
      }
      const read = given(call, input);
      this.operate(fiber, call, action, "value" in read ? read.value : undefined);
    } else if (letter.entry === undefined) {
      if (action === "retry") this.callAgain(letter);
      else this.letters.delete(letter.key); // somebody has seen to it; the instance has gone on
    } else if (action === "supply" && letter.doubt !== true) {
      this.letters.delete(letter.key); // somebody has undone it by hand
      this.note("undone", letter.path, undefined, {
        operation: letter.name,
        key: letter.key,
        by: "operator",
      });
      this.flag();
    } else this.redrive(letter, letter.entry, value);
  }

  /* -- time */

  /** All timers that are due, first by time, then by the order of one instant. */
  #timers(): Due[] {
    const found: Due[] = [];
    const look = (
      due: readonly Timer[],
      { depth, source, iteration }: Pick<Due, "depth" | "source" | "iteration">,
      owner: { frame: Frame } | { fiber: Fiber },
    ): void => {
      for (const each of due)
        if (each.at <= this.now) found.push({ timer: each, depth, source, iteration, ...owner });
    };
    for (const frame of this.frames.values()) look(frame.due, frame, { frame });
    for (const fiber of this.fibers.values()) {
      const { depth, source, iteration } = fiber.frame;
      look(fiber.due, { depth, source: [...source, fiber.position], iteration }, { fiber });
    }
    return found.sort(
      (a, b) =>
        a.timer.at - b.timer.at ||
        a.timer.rank - b.timer.rank ||
        b.depth - a.depth ||
        before(a.source, b.source) ||
        a.timer.index - b.timer.index ||
        before(a.iteration, b.iteration),
    );
  }

  /** Fires the first timer that is due; `earlier`: only what comes before such an input at this instant. */
  #fireDue(earlier?: number): boolean {
    for (const { timer: due, frame, fiber } of this.#timers()) {
      if (earlier !== undefined && due.at === this.now && due.rank >= earlier) continue;
      if (frame !== undefined) {
        const guard = due.what === "guard" ? frame.guards[due.index] : undefined;
        if (guard !== undefined && guard.block === undefined && (frame.sealed || this.holds(frame)))
          continue;
        this.fireTimer(frame, due);
      } else if (fiber !== undefined) this.#fiberTimer(fiber, due);
      return true;
    }
    return false;
  }

  #fiberTimer(fiber: Fiber, due: Timer): void {
    if (fiber.wait === "call" && fiber.call !== undefined) this.callTimer(fiber, fiber.call, due);
    else if (fiber.wait === "lock") this.#notGranted(fiber);
    else this.wake(fiber);
  }

  /** The time for a lock is over, or it is known that there will be none. */
  #notGranted(fiber: Fiber): void {
    const { lock, frame } = fiber;
    fiber.lock = "";
    this.unlock(lock);
    this.note("raised", this.path(frame), frame, { error: "LockTimeout" });
    fiber.due = [];
    fiber.wait = "";
    this.raise(fiber, { is: "LockTimeout" });
  }

  /** The first instant to come at which something is due. */
  #first(): number | undefined {
    let first: number | undefined;
    for (const { due } of [...this.frames.values(), ...this.fibers.values()]) {
      for (const { at } of due)
        if (at > this.now && (first === undefined || at < first)) first = at;
    }
    return first;
  }

  /**
   * The host is told of the next instant at which something is due. In a large instance it may be one at which nothing is
   * due any more: looking through all timers after each turn would cost more than waking up in vain.
   */
  #setAlarm(): void {
    if (this.status !== "running" && this.fibers.size === 0) return;
    let at = this.armed;
    const known = this.alarm !== undefined && this.alarm > this.now;
    if (!known || this.frames.size + this.fibers.size <= SMALL) at = this.#first();
    else if (at === undefined || (this.alarm !== undefined && this.alarm < at)) at = this.alarm;
    if (at === this.alarm) return;
    this.alarm = at;
    this.command({ kind: "alarm", at });
  }

  /* -- the end */

  #completed(fiber: Fiber): void {
    fiber.wait = "ended";
    this.status = "done";
    const keeps = this.keysIn(this.log);
    const isChild = this.host.info.child === true;
    if (!isChild) this.log = [];
    this.#report("completed", !isChild && keeps.length > 0 ? { keeps } : {});
    this.command({ kind: "ended", how: "done", value: this.value, incomplete: this.incomplete });
    this.onEnd();
  }

  failed(): void {
    this.status = "failed";
    this.log = [];
    this.#report("failed", { error: this.error?.is });
    this.command({ kind: "ended", how: "failed", value: this.error, incomplete: this.incomplete });
    this.onEnd();
  }

  /** The completion record lists what nobody has heard. Nothing goes on but what operators have asked for. */
  #report(kind: string, detail: Readonly<Record<string, unknown>>): void {
    const asked = [...this.frames.values()].filter(
      (frame) => frame.parent === undefined && frame.following?.kind === "letter",
    );
    const kept = new Set(asked.flatMap((frame) => [...this.inside(frame)]));
    for (const frame of [...this.frames.values()])
      if (!kept.has(frame)) this.frames.delete(frame.id);
    for (const fiber of [...this.fibers.values()])
      if (!kept.has(fiber.frame)) this.fibers.delete(fiber.id);
    this.stopping = this.stopping.filter((frame) => this.frames.has(frame.id));
    this.cancelling = false;
    this.tails = [];
    this.resumed = [];
    this.joined = [];
    const unconsumed = this.inbox.map((event) => event.type);
    const left = unconsumed.length > 0 ? { unconsumed } : {};
    this.note(kind, "", undefined, {
      ...detail,
      ...left,
      ...(this.incomplete ? { incomplete: true } : {}),
    });
    if (this.alarm === undefined) return;
    this.alarm = undefined;
    this.command({ kind: "alarm", at: undefined });
  }

  undoneChild(): void {
    this.command({ kind: "ended", how: "undone", incomplete: this.incomplete });
  }

  /** What a view shows as of the last turn. */
  view(name: string): unknown {
    return Object.hasOwn(this.views, name) ? this.views[name]?.() : undefined;
  }
}
