// Tokens as fibers of generated code: one runs at a time, until it waits. What that code waits for is here.

import { Calls } from "./wfc-calls.js";
import type { Frame, Place } from "./wfc-frame.js";
import type { Guards, Left } from "./wfc-guards.js";
import { Failure, type Resource } from "./wfc-host.js";
import { Fiber, Interrupt, Rank, entry, timer, type Entry, type Inner } from "./wfc-state.js";
import { compare } from "./wfc-values.js";

const FUEL = 1_000_000; // steps of one turn; a program that needs more goes round without waiting

/** The part of a turn that runs generated code. */
export abstract class Fibers extends Calls {
  /** What happens when generated code or a host is defect. */
  onDefect: (defect: unknown) => void = () => undefined;
  defect = false;
  #fuel = 0;
  #rested: () => void = () => undefined;

  /** A turn begins. */
  refuel(): void {
    this.#fuel = FUEL;
    this.armed = undefined;
  }

  burn(amount: number): void {
    this.#fuel -= amount;
    if (this.#fuel <= 0) throw new Error("the process goes round without ever waiting");
  }

  broken(defect: unknown): void {
    this.defect = true;
    this.onDefect(defect);
  }

  /* -- fibers */

  begin(
    frame: Frame,
    undo: string,
    undoDepth: number,
    body: (fiber: Fiber) => Promise<void>,
  ): Fiber {
    return this.makeFiber(this.serial(), frame, undo, undoDepth, (fiber) =>
      this.caught(fiber, () => body(fiber)),
    );
  }

  makeFiber(
    id: number,
    frame: Frame,
    undo: string,
    depth: number,
    body: (fiber: Fiber) => Promise<void>,
  ): Fiber {
    const made = new Fiber(id, frame, undo, depth, (fiber) => {
      body(fiber).then(
        () => {
          this.#rested();
        },
        (defect: unknown) => {
          this.broken(defect);
          this.#rested();
        },
      );
    });
    frame.fiber = made;
    this.fibers.set(id, made);
    return made;
  }

  async step(fiber: Fiber): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#rested = resolve;
      fiber.go();
    });
  }

  /** A token waits; what wakes it gives a value, or unwinds it to the guard that has fired. */
  rest<T>(fiber: Fiber, wait?: Fiber["wait"]): Promise<T> {
    if (wait !== undefined && fiber.wait === "") fiber.wait = wait;
    return new Promise<T>((resolve, reject) => {
      fiber.go = () => {
        const { thrown, value } = fiber;
        fiber.thrown = undefined;
        fiber.value = undefined;
        if (thrown === undefined) resolve(value as T);
        else reject(thrown);
      };
      this.#rested();
    });
  }

  /** A token goes on at once, unless it has been stopped. */
  async held(fiber: Fiber): Promise<void> {
    this.burn(1);
    if (fiber.wait !== "" || !this.has(fiber)) await this.rest(fiber);
  }

  /** Runs generated code: a `fail` in it leaves the place where its token stands. */
  async caught<T>(fiber: Fiber, body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const { frame } = fiber;
      this.note("raised", this.path(frame), frame, { error: error.error.is });
      this.raise(fiber, error.error);
      return this.rest<T>(fiber);
    }
  }

  /* -- what generated code waits for */

  /** Runs `body` under guards. */
  async guarded<T, const S extends Guards<Frame>>(
    around: Frame,
    place: Place,
    guards: S,
    body: (wf: Frame) => Promise<T>,
  ): Promise<Left<T, S>> {
    const fiber = token(around);
    const frame = this.open(fiber, around, place, guards);
    return this.#under(frame, async () => {
      await this.held(fiber);
      const value = await this.caught(fiber, () => body(frame));
      await this.closing(fiber);
      return value;
    });
  }

  /** Runs all of a region under its guards. */
  async whole<T, const S extends Guards<Frame>>(
    frame: Frame,
    guards: S,
    body: () => Promise<T>,
  ): Promise<Left<T, S>> {
    const fiber = token(frame);
    this.arming(frame, guards);
    return this.#under(frame, async () => {
      await this.held(fiber);
      return this.caught(fiber, body);
    });
  }

  async #under<T, S>(frame: Frame, body: () => Promise<T>): Promise<Left<T, S>> {
    try {
      return { by: "done", value: await body() };
    } catch (error) {
      if (!(error instanceof Interrupt) || error.target !== frame) throw error;
      return { by: frame.guards[error.guard]?.name, value: error.value } as unknown as Left<T, S>;
    }
  }

  /** The innermost frame of a token completes. */
  async closing(fiber: Fiber): Promise<void> {
    for (;;) {
      const how = this.close(fiber);
      if (how === "closed") return;
      if (how === "yields") this.ready.push(fiber);
      await this.rest(fiber, how === "waits" ? "closing" : undefined);
    }
  }

  async runBranch(
    fiber: Fiber,
    slot: Frame,
    { path, body }: Inner,
    iterates: boolean,
  ): Promise<void> {
    const region = this.open(fiber, slot, { kind: iterates ? "each" : "branch", path }, {});
    const value = await this.caught(fiber, () => body(region));
    await this.closing(fiber);
    fiber.wait = "ended";
    this.branchValue(slot, value);
  }

  /** Asks for all resources together, in order of rank, then key; when they are granted, the block begins. */
  async locked<T>(
    wf: Frame,
    locks: readonly Resource[],
    waitMs: number,
    body: (wf: Frame) => Promise<T>,
  ): Promise<T> {
    const fiber = token(wf);
    const resources = [...locks].sort((a, b) => a.rank - b.rank || compare(a.key, b.key));
    const patience = Math.max(1, waitMs); // a moment, so that a free lock can be granted
    fiber.lock = `l${String(fiber.id)}.${String(this.serial())}`;
    fiber.wait = "lock";
    this.arm(fiber, timer(this.now + patience, Rank.errors, "lock"));
    this.command({ kind: "lock", lock: fiber.lock, resources, waitMs: patience });
    const frame = await this.rest<Frame>(fiber);
    const value = await this.caught(fiber, () => body(frame));
    await this.closing(fiber);
    return value;
  }

  granted(fiber: Fiber): void {
    const { lock, frame: around } = fiber;
    fiber.lock = "";
    this.wake(fiber);
    const frame = this.open(fiber, around, { kind: "lock", path: around.place }, {});
    fiber.value = frame;
    frame.held = lock;
    this.note("lock granted", this.path(frame), frame, { lock });
  }

  pause(fiber: Fiber, at: number): void {
    fiber.wait = "wait";
    this.arm(fiber, timer(at, Rank.waits, "wait"));
  }

  /** Undoes what the region has done so far; whether there is something to wait for. */
  undoHere(fiber: Fiber): boolean {
    const log = this.#taken(fiber, (frame) =>
      frame.beside.length > 0
        ? [entry("fork", { branches: [frame.log, ...frame.beside] })]
        : frame.log,
    );
    if (log.length === 0) return false;
    fiber.wait = "undo";
    this.undo(log, fiber.frame, { kind: "step", fiber });
    return true;
  }

  /** Makes final what the region has done so far. */
  settle(fiber: Fiber): void {
    const log = this.#taken(fiber, (frame) => [...frame.log, ...frame.beside.flat()]);
    this.keep("settled", this.path(fiber.frame), log, fiber.frame);
  }

  /** The log of the region that a token is in, which is empty then. */
  #taken(fiber: Fiber, entries: (frame: Frame) => readonly Entry[]): Entry[] {
    let log: Entry[] = [];
    for (const frame of this.outward(fiber.frame)) {
      log = [...entries(frame), ...log];
      frame.log = [];
      frame.beside = [];
      if (frame.isRegion || frame === fiber.base) break;
    }
    return log;
  }
}

function token(frame: Frame): Fiber {
  if (frame.fiber === undefined) throw new Error("nothing runs here");
  return frame.fiber;
}
