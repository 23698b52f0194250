// Undo: the mirror of the order of doing. A list is undone newest first, the branches of a fork side by side.

import { Base } from "./wfc-base.js";
import type { Frame } from "./wfc-frame.js";
import {
  entry,
  type Calling,
  type Entry,
  type Letter,
  type Then,
  type UndoBody,
} from "./wfc-state.js";
import type { AnyError } from "./wfc-values.js";

const UNATTENDED = "unattended";
const DONE: Readonly<Partial<Record<Entry["kind"], string>>> = {
  child: "child undone",
  again: "redriven",
};

export const queueOf = (call: Calling | undefined): string => {
  const exhausted = call?.policy?.exhausted ?? "fail";
  if (exhausted === "fail") return UNATTENDED;
  return "park" in exhausted ? exhausted.park : exhausted.deadLetter;
};

/** The part of a turn that undoes. */
export abstract class Undos extends Base {
  /** Undoes a log, then goes on. What is around waits for that: an undo is never interrupted. */
  undo(log: Entry[], parent: Frame | undefined, then: Then): void {
    const frame = this.add({ kind: "undo list" }, parent);
    frame.rest = log;
    frame.following = then;
    this.#next(frame);
  }

  /** Undoes the newest entry that is left. */
  #next(frame: Frame): void {
    for (let each = frame.rest.pop(); each !== undefined; each = frame.rest.pop()) {
      switch (each.kind) {
        case "call":
        case "region":
        case "again":
          if (each.undo?.body !== undefined) {
            this.#run(frame, each, each.undo.body);
            return;
          }
          if (each.undo !== undefined) this.#inDoubt(each);
          break;
        case "child":
          this.sendAlone(frame, each);
          return;
        case "held":
          frame.rest.push(entry("release", { key: each.key }), ...each.log);
          break;
        case "release":
          this.unlock(each.key);
          break;
        case "fork": {
          const branches = each.branches.filter((branch) => branch.length > 0);
          if (branches.length > 0) {
            this.#fork(frame, branches, each.limit);
            return;
          }
        }
      }
    }
    const { following } = frame;
    this.remove(frame);
    if (following !== undefined) this.#ended(following);
  }

  /** Undoes some branches side by side. */
  undoBranches(
    branches: readonly (readonly Entry[])[],
    limit: number,
    parent: Frame,
    then: Then,
  ): void {
    this.undo([entry("fork", { branches, limit })], parent, then);
  }

  #fork(frame: Frame, branches: readonly (readonly Entry[])[], limit: number): void {
    const fork = this.add({ kind: "undo fork" }, frame);
    fork.logs = [...branches];
    fork.limit = limit;
    this.#more(fork);
  }

  /** Where a bound holds branches back, the last ones go first. */
  #more(fork: Frame): void {
    const started: (readonly Entry[])[] = [];
    while (fork.logs.length > 0 && fork.children.length + started.length < fork.limit) {
      started.push(fork.logs.pop() ?? []);
    }
    const lists = started.map((log) => {
      const inner = this.add({ kind: "undo list" }, fork);
      inner.rest = [...log];
      inner.following = { kind: "list", frame: fork };
      return inner;
    });
    for (const inner of lists) this.#next(inner);
  }

  /** An undo has ended. */
  #ended(then: Then): void {
    switch (then.kind) {
      case "guard":
        this.tails.push(then.frame);
        return;
      case "step":
        this.resumed.push(then.fiber);
        return;
      case "branch":
        this.branchEnded(then.frame, then.index);
        return;
      case "losers":
        this.losersUndone(then.frame);
        return;
      case "list": {
        const { frame } = then;
        if (frame.logs.length > 0) this.#more(frame);
        else if (frame.children.length === 0) {
          this.remove(frame);
          if (frame.parent !== undefined) this.#next(frame.parent);
        }
        return;
      }
      case "letter":
        this.flag();
        return;
      case "failed":
        this.failed();
        return;
      case "child":
        this.undoneChild();
    }
  }

  /** Whether an undo is left to a person, or is being tried again. */
  flag(): void {
    const letters = [...this.letters.values()].some((letter) => letter.entry !== undefined);
    this.incomplete =
      letters || [...this.frames.values()].some((frame) => frame.following?.kind === "letter");
  }

  /* -- one compensation */

  /** Starts a compensation: a token that reads what was stored when the thing completed. */
  #run(frame: Frame, each: Entry, body: UndoBody): void {
    const inner = this.undoFrame(frame, each);
    this.ready.push(
      this.begin(inner, each.key, inner.iteration.length, async () => {
        await body(inner);
        this.undoDone(inner);
      }),
    );
  }

  /** What a compensation runs in. */
  undoFrame(frame: Frame, each: Entry): Frame {
    const inner = this.add({ kind: "undo" }, frame);
    inner.entry = each;
    inner.source = each.source;
    return inner;
  }

  /** A compensation has done its work. */
  undoDone(frame: Frame): void {
    const done = entryOf(frame);
    this.note(DONE[done.kind] ?? "undone", done.path, undefined, {
      operation: done.name,
      key: done.key,
    });
    if (this.letters.get(done.key)?.entry !== undefined) this.letters.delete(done.key);
    this.#finish(frame);
  }

  /** A compensation has failed: a dead letter is written, and undo goes on with what is older. */
  undoFailed(frame: Frame, error: AnyError): void {
    const failed = entryOf(frame);
    const { last } = frame;
    this.freed(this.collect(frame));
    if (failed.kind === "again") {
      if (last !== undefined) this.forwardLetter(last, error);
      this.#finish(frame);
      return;
    }
    const errors = frame.errors.at(-1) === error ? frame.errors : [...frame.errors, error];
    this.incomplete = true;
    this.note("undo failed", failed.path, undefined, {
      operation: failed.name,
      key: failed.key,
      error: error.is,
    });
    this.letter({
      key: failed.key,
      queue: queueOf(last),
      path: failed.path,
      operation: last?.target ?? failed.name,
      args: last?.args ?? [],
      pii: last?.pii ?? [],
      errors,
      attempts: last?.attempt ?? 0,
      name: failed.name,
      entry: failed,
    });
    this.#finish(frame);
  }

  /** The dead letter of a call that was given up; the process has gone on without it. */
  forwardLetter(call: Calling, error: AnyError): void {
    const { key, path, target, args, pii, attempt, kind, policy } = call;
    const letter = {
      key,
      queue: queueOf(call),
      path,
      operation: target,
      args,
      pii,
      attempts: attempt,
    };
    this.letter({ ...letter, errors: [error], name: target, kind, policy });
  }

  #finish(frame: Frame): void {
    this.forget(frame.fiber);
    this.remove(frame);
    if (frame.parent !== undefined) this.#next(frame.parent);
  }

  /** Nobody knows whether the call had its effect, and its undo needs the answer: a person has to look. */
  #inDoubt(each: Entry): void {
    const { path, name, key } = each;
    this.incomplete = true;
    this.note("undo failed", path, undefined, { operation: name, key, error: "in doubt" });
    const empty = { args: [], pii: [], errors: [], attempts: 0 };
    this.letter({
      key,
      queue: UNATTENDED,
      path,
      operation: name,
      ...empty,
      name,
      entry: each,
      doubt: true,
    });
  }

  /** Repeats the forward call of a dead letter; the instance has gone on, so that nothing else changes. */
  callAgain(letter: Letter): void {
    this.letters.delete(letter.key);
    const frame = this.add({ kind: "undo list" }, undefined);
    frame.following = { kind: "letter" };
    this.sendAlone(
      frame,
      entry("again", { path: letter.path, name: letter.name, key: letter.key }),
      letter,
    );
  }

  /**
   * Runs the compensation of a dead letter again, with the same key. `answer` is what the call in doubt would have
   * answered, where its undo needs that.
   */
  redrive(letter: Letter, again: Entry, answer: unknown): void {
    this.letters.delete(letter.key);
    for (const place of [...this.visits.keys()]) {
      if (place.startsWith(`${again.key}/undo`)) this.visits.delete(place); // its calls have the keys they had before
    }
    const body = letter.doubt === true ? again.undo?.from?.(answer) : undefined;
    const done: Entry =
      body === undefined ? again : { ...again, kind: "call", state: "done", undo: { body } };
    this.undo([done], undefined, { kind: "letter" });
  }
}

function entryOf(frame: Frame): Entry {
  if (frame.entry === undefined) throw new Error("nothing is undone here");
  return frame.entry;
}
