// `parallel` and `for each`: branches side by side, and how they join.

import type { Frame } from "./wfc-frame.js";
import type { Join } from "./wfc-guards.js";
import type { Branch, Entry, Fiber, Fork, Inner } from "./wfc-state.js";
import { Undos } from "./wfc-undo.js";
import type { AnyError } from "./wfc-values.js";

/** The part of a turn that runs branches. */
export abstract class Joins extends Undos {
  /** Runs a branch to its end. */
  abstract runBranch(fiber: Fiber, slot: Frame, inner: Inner, iterates: boolean): Promise<void>;

  /** Starts the branches, or the first of the iterations. */
  branches(
    fiber: Fiber,
    join: Join,
    inner: readonly Inner[],
    joined: (fork: Fork) => unknown,
    limit?: number,
  ): void {
    const count = inner.length;
    const asked = join.join === "some" ? join.count : 1;
    const all = join.join === "all" || join.join === "settled";
    const frame = this.add({ kind: "fork" }, fiber.frame, fiber);
    const waiting = (): Branch => ({
      state: "waiting",
      slot: undefined,
      value: undefined,
      error: undefined,
      won: false,
      log: [],
    });
    const fork: Fork = {
      join: join.join,
      need: all ? count : Math.min(Math.max(1, asked), count),
      limit: limit ?? Number.POSITIVE_INFINITY,
      branches: inner.map(waiting),
      inner,
      iterates: limit !== undefined,
      joined,
      over: false,
      reason: undefined,
      started: 0,
      running: 0,
      won: 0,
      failed: 0,
    };
    frame.fork = fork;
    fiber.wait = "fork";
    this.#start(frame, fork);
    this.#check(frame, fork);
  }

  /** Starts as many branches as may run now, in order of declaration. */
  #start(frame: Frame, fork: Fork): void {
    while (!fork.over && fork.started < fork.branches.length && fork.running < fork.limit) {
      const index = fork.started;
      const branch = fork.branches[index];
      const inner = fork.inner[index];
      if (branch === undefined || inner === undefined) return;
      fork.started += 1;
      fork.running += 1;
      const slot = this.add(
        { kind: "slot", ...(fork.iterates ? { iteration: index } : { source: index }) },
        frame,
      );
      slot.number = index;
      const { undo = "", undoDepth = 0 } = frame.fiber ?? {};
      const fiber = this.begin(slot, undo, undoDepth, (own) =>
        this.runBranch(own, slot, inner, fork.iterates),
      );
      branch.state = "running";
      branch.slot = slot;
      this.ready.push(fiber);
    }
  }

  #branchOf(slot: Frame): { readonly frame: Frame; readonly fork: Fork; readonly branch: Branch } {
    const frame = slot.parent;
    const branch = frame?.fork?.branches[slot.number];
    if (frame?.fork === undefined || branch === undefined) throw new Error("no branch");
    return { frame, fork: frame.fork, branch };
  }

  /* -- how a branch ends */

  /** A branch has completed. */
  branchValue(slot: Frame, value: unknown): void {
    const { frame, fork, branch } = this.#branchOf(slot);
    branch.state = "value";
    branch.value = value;
    branch.log = this.collect(slot);
    fork.running -= 1;
    this.#gone(slot, branch);
    if (!fork.over) {
      branch.won = true;
      fork.won += 1;
      if ((fork.join === "first" || fork.join === "some") && fork.won >= fork.need)
        this.#stopOthers(fork);
    }
    this.#goOn(frame, fork);
  }

  /** An error has left a branch, in which everything has stopped. */
  branchError(slot: Frame, error: AnyError): void {
    const { frame, fork, branch } = this.#branchOf(slot);
    const log = this.collect(slot);
    branch.error = error;
    this.note("raised", this.path(slot), slot, { error: error.is });
    this.#gone(slot, branch);
    branch.log = log;
    fork.failed += 1;
    const tolerated = fork.join === "settled" || fork.failed <= fork.branches.length - fork.need;
    if (!fork.over && tolerated && log.length > 0) {
      branch.state = "undoing";
      branch.log = [];
      this.undo(log, frame, { kind: "branch", frame, index: slot.number });
      return;
    }
    branch.state = "failed";
    fork.running -= 1;
    if (!fork.over && !tolerated) {
      fork.reason = error;
      this.#stopOthers(fork);
    }
    this.#goOn(frame, fork);
  }

  /** A branch that was asked to stop has stopped. */
  branchStopped(slot: Frame): void {
    const { frame, fork, branch } = this.#branchOf(slot);
    branch.log = this.collect(slot);
    branch.state = "stopped";
    fork.running -= 1;
    this.#gone(slot, branch);
    this.#goOn(frame, fork);
  }

  #gone(slot: Frame, branch: Branch): void {
    branch.slot = undefined;
    this.forget(slot.fiber);
    this.remove(slot);
  }

  /** A branch whose error is tolerated has been undone. */
  branchEnded(frame: Frame, index: number): void {
    const { fork } = frame;
    const branch = fork?.branches[index];
    if (fork === undefined || branch === undefined) return;
    branch.state = "failed";
    fork.running -= 1;
    this.#goOn(frame, fork);
  }

  #stopOthers(fork: Fork): void {
    fork.over = true;
    for (const { state, slot } of fork.branches) {
      if (state === "running" && slot !== undefined) this.interrupt(slot, { kind: "stop" });
    }
  }

  /* -- the join */

  #goOn(frame: Frame, fork: Fork): void {
    // Something around the fork may have stopped it: then the branches end, and no join follows.
    if (!this.frames.has(frame.id) || frame.phase !== "active") return;
    this.#start(frame, fork);
    this.#check(frame, fork);
  }

  /** When all that were started have ended, the losers are undone. */
  #check(frame: Frame, fork: Fork): void {
    if (fork.running > 0 || !(fork.over || fork.started === fork.branches.length)) return;
    const losers =
      fork.reason !== undefined
        ? []
        : fork.branches.filter((each) => !each.won && each.log.length > 0);
    if (losers.length === 0) {
      this.joined.push(frame);
      return;
    }
    const logs = losers.map((branch): readonly Entry[] => branch.log);
    for (const branch of losers) branch.log = [];
    this.undoBranches(logs, fork.limit, frame, { kind: "losers", frame });
  }

  /** The join is complete. */
  losersUndone(frame: Frame): void {
    this.joined.push(frame);
  }

  /** The token behind the branches goes on, unless something around them has been interrupted meanwhile. */
  join(frame: Frame): void {
    const { fork, parent, fiber } = frame;
    if (
      frame.phase !== "active" ||
      fork === undefined ||
      parent === undefined ||
      fiber === undefined
    )
      return;
    this.addBranches(
      parent.log,
      fork.limit,
      fork.branches.map((branch) => branch.log),
    );
    this.remove(frame);
    if (fork.reason !== undefined) {
      fiber.wait = "";
      this.raise(fiber, fork.reason);
      return;
    }
    fiber.value = fork.joined(fork);
    this.wake(fiber);
  }
}
