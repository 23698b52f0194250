// The instance in hand, and what every part of a turn does with it.

import { Frame, type Armed, type Place } from "./wfc-frame.js";
import type { AuditRecord, Command, Host, WorkflowEvent } from "./wfc-host.js";
import {
  entry,
  type Calling,
  type Cause,
  type Entry,
  type Fiber,
  type Letter,
  type Timer,
} from "./wfc-state.js";
import type { AnyError } from "./wfc-values.js";

/** An event in the inbox. */
export type Heard = WorkflowEvent;

/**
 * The lowest part of a `Run`. The others stand one upon another: undo, joins, guards, attempts, calls, turns. What a lower
 * one needs of a higher one is named here, or where it is first needed.
 */
export abstract class Base {
  readonly host: Host;
  now = 0;
  status: "running" | "done" | "failed" = "running";
  error: AnyError | undefined;
  incomplete = false;
  cancelling = false;
  alarm: number | undefined;
  readonly frames = new Map<number, Frame>();
  readonly fibers = new Map<number, Fiber>();
  stopping: Frame[] = [];
  inbox: Heard[] = [];
  readonly visits = new Map<string, number>();
  readonly letters = new Map<string, Letter>();
  log: readonly Entry[] = [];
  /** Tokens that may run, in this order. */
  ready: Fiber[] = [];
  /** Frames whose guard has fired and that are undone: their tails may begin. */
  tails: Frame[] = [];
  /** Tokens whose `undo` step has ended. */
  resumed: Fiber[] = [];
  /** Forks in which everything has ended. */
  joined: Frame[] = [];
  /** The first instant to come that a timer of this turn waits for. */
  armed: number | undefined;
  readonly #audits: boolean;
  #serial = 0;
  #outbox: Command[] = [];

  constructor(host: Host, audits: boolean) {
    this.host = host;
    this.#audits = audits;
  }

  /* -- what higher parts supply */

  /** An error leaves the place where a token stands. */
  abstract raise(fiber: Fiber, error: AnyError): void;
  /** Stops everything inside a frame. */
  abstract interrupt(frame: Frame, cause: Cause): void;
  /** A branch of a fork has come to an end. */
  abstract branchEnded(frame: Frame, index: number): void;
  /** The branches that did not win have been undone. */
  abstract losersUndone(frame: Frame): void;
  /** Everything has been undone: the instance fails. */
  abstract failed(): void;
  /** A completed child has undone itself. */
  abstract undoneChild(): void;
  /** Sends a call that no program has written: a completed child undoes itself, a forward call is repeated. */
  abstract sendAlone(frame: Frame, entry: Entry, letter?: Letter): void;
  /** A token goes on with generated code, when it is its turn. */
  abstract begin(
    frame: Frame,
    undo: string,
    undoDepth: number,
    body: (fiber: Fiber) => Promise<void>,
  ): Fiber;

  /* -- the tree of frames */

  /** A number that nothing else in this instance has. */
  serial(): number {
    this.#serial += 1;
    return this.#serial;
  }

  *outward(frame: Frame): Generator<Frame> {
    for (let each: Frame | undefined = frame; each !== undefined; each = each.parent) yield each;
  }

  /** A frame and all frames in it. */
  *inside(frame: Frame): Generator<Frame> {
    yield frame;
    for (const child of [...frame.children]) yield* this.inside(child);
  }

  add(place: Place, parent: Frame | undefined, fiber?: Fiber): Frame {
    const source = place.source ?? fiber?.position ?? 0;
    const frame = new Frame(this.self, this.serial(), parent, fiber, { ...place, source });
    this.frames.set(frame.id, frame);
    parent?.children.push(frame);
    return frame;
  }

  protected abstract get self(): Frame["run"];

  /** Takes a frame without children out of the tree. */
  remove(frame: Frame): void {
    this.frames.delete(frame.id);
    if (frame.parent !== undefined)
      frame.parent.children = frame.parent.children.filter((child) => child !== frame);
    this.stopping = this.stopping.filter((each) => each !== frame);
  }

  has(fiber: Fiber | undefined): fiber is Fiber {
    return fiber !== undefined && this.fibers.get(fiber.id) === fiber;
  }

  forget(fiber: Fiber | undefined): void {
    if (fiber !== undefined) this.fibers.delete(fiber.id);
  }

  /** The tokens that stand inside a frame, in order of their beginning. */
  fibersInside(frame: Frame): Fiber[] {
    const found = new Set<Fiber>();
    for (const inner of this.inside(frame)) {
      if (this.has(inner.fiber) && inner.fiber.frame === inner) found.add(inner.fiber);
    }
    return [...found].sort((a, b) => a.id - b.id);
  }

  arm(owner: Frame | Fiber, timer: Timer): void {
    owner.due.push(timer);
    if (timer.at > this.now && (this.armed === undefined || timer.at < this.armed))
      this.armed = timer.at;
  }

  /** A token goes on. */
  wake(fiber: Fiber): void {
    fiber.wait = "";
    fiber.call = undefined;
    fiber.due = [];
    this.ready.push(fiber);
  }

  /** The node at which a frame stands. */
  path(frame: Frame): string {
    for (const each of this.outward(frame)) {
      if (each.node !== "") return each.node;
      if (each.path !== "") return each.path;
    }
    return "";
  }

  /* -- logs */

  /** What has been done inside a frame, as one log; the frames inside, and the tokens that began in them, go. */
  collect(frame: Frame): Entry[] {
    const log = [...frame.log];
    const beside = [...frame.beside];
    for (const inner of [...frame.children]) {
      const { fork } = inner;
      const entries = this.collect(inner);
      if (fork !== undefined)
        this.addBranches(
          log,
          fork.limit,
          fork.branches.map((branch) => branch.log),
        );
      else if (inner.kind === "beside") beside.push(entries);
      else if (inner.kind === "lock" && inner.held !== "")
        log.push(entry("held", { key: inner.held, log: entries }));
      else log.push(...entries);
      if (this.has(inner.fiber) && inner.fiber.base === inner) this.forget(inner.fiber);
      this.remove(inner);
    }
    frame.log = [];
    frame.beside = [];
    if (frame.kind === "slot") frame.parent?.fork?.branches[frame.number]?.log.push(...log);
    const full = beside.filter((entries) => entries.length > 0);
    return full.length > 0 ? [entry("fork", { branches: [log, ...full] })] : log;
  }

  addBranches(log: Entry[], limit: number, branches: readonly (readonly Entry[])[]): void {
    if (branches.some((branch) => branch.length > 0)) {
      log.push(entry("fork", { branches: branches.map((branch) => [...branch]), limit }));
    }
  }

  /** A log without locks: those held are given back, for what has been done under them stays done. */
  freed(log: readonly Entry[]): Entry[] {
    return log.flatMap((each) => {
      if (each.kind === "held") {
        this.unlock(each.key);
        return this.freed(each.log);
      }
      if (each.kind !== "fork") return [each];
      return [
        entry("fork", {
          branches: each.branches.map((branch) => this.freed(branch)),
          limit: each.limit,
        }),
      ];
    });
  }

  /** The keys of everything in a log that could be undone. */
  keysIn(log: readonly Entry[]): string[] {
    return log.flatMap((each) => [
      ...(["call", "region", "child"].includes(each.kind) && each.state !== "started"
        ? [each.key]
        : []),
      ...this.keysIn(each.log),
      ...each.branches.flatMap((branch) => this.keysIn(branch)),
    ]);
  }

  /** Writes a record about what can no longer be undone, by key. */
  keep(
    kind: string,
    path: string,
    log: readonly Entry[],
    frame: Frame,
    detail: Record<string, unknown> = {},
  ): void {
    const keeps = this.keysIn(log);
    this.note(kind, path, frame, keeps.length > 0 ? { ...detail, keeps } : detail);
  }

  unlock(lock: string): void {
    this.command({ kind: "unlock", lock });
  }

  /* -- what is told */

  command(command: Command): void {
    this.#outbox.push(command);
  }

  /** The end of a turn: what it has led to goes out. */
  flush(): void {
    for (const command of this.#outbox.splice(0)) this.host.send(command);
  }

  /** Writes an audit record. */
  note(
    kind: string,
    path: string,
    frame?: Frame,
    detail: Readonly<Record<string, unknown>> = {},
  ): void {
    if (!this.#audits) return;
    const iteration =
      frame !== undefined && frame.iteration.length > 0 ? { iteration: frame.iteration } : {};
    const { instance } = this.host.info;
    const record: AuditRecord = {
      at: this.now,
      instance,
      kind,
      path,
      detail: { ...detail, ...iteration },
    };
    this.command({ kind: "record", record });
  }

  /** Writes a dead letter, which stays open until an operator has dealt with it. What is personal is hidden. */
  letter(letter: Letter): void {
    this.letters.set(letter.key, letter);
    const { queue, key, path, operation, errors, attempts } = letter;
    const args = letter.pii.reduce<unknown>(
      (shown, place) => masked(shown, place.split(".")),
      letter.args,
    );
    const shown = {
      queue,
      key,
      path,
      operation,
      args: args as readonly unknown[],
      errors,
      attempts,
    };
    this.command({ kind: "dead letter", letter: shown });
    this.note("dead letter", path, undefined, { queue, key, operation });
  }

  /* -- small questions */

  /** Whether the interrupting guards of a frame wait: inside, something is being undone or passes a pivot. */
  holds(frame: Frame): boolean {
    for (const inner of this.frames.values())
      if (inner.following !== undefined && this.#within(inner, frame)) return true;
    for (const fiber of this.fibers.values())
      if (fiber.call?.pivot === true && this.#within(fiber.frame, frame)) return true;
    return false;
  }

  #within(inner: Frame, outer: Frame): boolean {
    for (const each of this.outward(inner)) if (each === outer) return true;
    return false;
  }

  visit(place: string): number {
    const number = (this.visits.get(place) ?? 0) + 1;
    this.visits.set(place, number);
    return number;
  }
}

export const interrupting = (guard: Armed): boolean =>
  guard.block === undefined &&
  (guard.kind === "on" || guard.kind === "after" || guard.kind === "at");

/** How often a call has been sent, in all its rounds: the number that an answer must carry. */
export const numberOf = (call: Calling): number => call.attempt + (call.round - 1) * 1_000_000;

function masked(value: unknown, path: readonly string[]): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return "***";
  if (Array.isArray(value))
    return value.map((item: unknown, i) =>
      head === "*" || head === String(i) ? masked(item, rest) : item,
    );
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      head === "*" || head === key ? masked(item, rest) : item,
    ]),
  );
}
