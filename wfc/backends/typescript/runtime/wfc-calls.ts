// Calls, the point of no return, locks and undo.

import {
  BaseFrame,
  Interrupt,
  asFailure,
  fitting,
  masked,
  outward,
  undoOf,
  type Call,
  type CallSpec,
  type Entry,
  type Kind,
  type Step,
  type UndoBody,
  type Undoing,
} from './wfc-frame.js';
import { Misfit } from './wfc-parse.js';
import {
  Failure,
  system,
  type CallData,
  type LockState,
  type OperatorAction,
  type Outcome,
  type Resource,
} from './wfc-host.js';
import type { Frame } from './wfc-runtime.js';
import { compare, type AnyError } from './wfc-values.js';

/** A frame that calls, locks and undoes. */
export abstract class CallFrame extends BaseFrame {
  /** A frame inside this one. */
  abstract child(kind: Kind): Frame;

  /* -- calls */

  /** Calls and waits for the answer. `id` is the number of the call in its node. */
  async do<R>(id: string, call: Call<R>): Promise<R> {
    this.check();
    const place = `${this.at}/${id}`;
    const visit = this.run.visit([place, ...this.iteration].join('/'));
    const key = this.#key(id, call, [place, ...this.iteration, visit].join('/'));
    const step: Step = { kind: 'step', path: place, name: call.name, key, state: 'started', body: undefined };
    if (call.undo !== undefined) this.#remember(step);
    if (call.pivot === true) this.hold(1, true);
    try {
      for (;;) {
        this.note('called', { operation: call.name, key });
        const outcome = await this.#ask(key, call);
        const answer = await this.#take(step, call, outcome);
        if (answer === undefined) continue;
        if (call.pivot === true) this.#seal(step);
        this.check();
        return answer.value;
      }
    } catch (error) {
      if (error instanceof Interrupt && step.state === 'started') this.#forget(step);
      if (call.optional !== true || this.undoing !== undefined || !(error instanceof Failure)) throw error;
      this.note('raised', { operation: call.name, error: error.error.is, optional: true });
      return undefined as R;
    } finally {
      if (call.pivot === true) this.hold(-1, true);
    }
  }

  #key(id: string, call: CallSpec, otherwise: string): string {
    if (this.undoing !== undefined) {
      const { key, depth } = this.undoing;
      return [key, 'undo', ...(id === 'undo' ? [] : [id]), ...this.iteration.slice(depth)].join('/');
    }
    const own = `${call.name}/${call.key ?? otherwise}`;
    return call.kind === 'start' ? own : `${this.run.host.info.instance}/${own}`;
  }

  /** Sends a call. An interrupt asks it to stop and waits for what it says; a task is withdrawn at once. */
  async #ask(key: string, call: CallData): Promise<Outcome> {
    const id = this.run.serial('c');
    if (call.kind === 'task') {
      return this.suspend<Outcome>(
        (waiter) => {
          this.run.send(id, key, call, waiter);
        },
        () => {
          this.run.withdraw(id);
        },
      );
    }
    const stop = (): void => {
      this.run.cancel(id);
    };
    this.stops.add(stop);
    try {
      return await this.run.block<Outcome>((waiter) => {
        this.run.send(id, key, call, waiter);
      });
    } finally {
      this.stops.delete(stop);
    }
  }

  /** What an outcome does to the log; nothing when an operator asks for another round. */
  async #take<R>(step: Step, call: Call<R>, outcome: Outcome): Promise<{ readonly value: R } | undefined> {
    switch (outcome.kind) {
      case 'value':
        return this.#answered(step, call, outcome.value, outcome.attempts);
      case 'error': {
        const parse = Object.hasOwn(call.raises ?? {}, outcome.error.is) ? call.raises?.[outcome.error.is] : undefined;
        const error = parse === undefined ? undefined : fitting(parse, outcome.error);
        if (error === undefined) return this.#broken(step, call, outcome.attempts, `undeclared ${outcome.error.is}`);
        const partial = call.partial?.includes(error.is) === true;
        this.#end(step, call, partial || (outcome.doubt === true && call.keyed !== true));
        this.note('raised', { operation: call.name, error: error.is });
        this.check();
        if (call.policy?.only?.includes(error.is) === true) {
          return this.#exhausted(step, call, new Failure(error), outcome.attempts);
        }
        return this.#raise(call, new Failure(error), step.key, outcome.attempts);
      }
      case 'cancelled':
      case 'silent':
        this.#end(step, call, outcome.kind === 'silent');
        this.check();
        return this.#raise(call, system('Unavailable'), step.key, 1);
      case 'system':
        this.#end(step, call, outcome.sent);
        this.note('raised', { operation: call.name, error: outcome.code, sent: outcome.sent });
        this.check();
        return this.#exhausted(step, call, system(outcome.code, outcome.detail), outcome.attempts);
    }
  }

  #answered<R>(
    step: Step,
    call: Call<R>,
    value: unknown,
    attempts: number,
  ): Promise<{ readonly value: R } | undefined> {
    let result: R;
    try {
      result = call.parse(value);
    } catch (error) {
      if (!(error instanceof Misfit)) throw error;
      return this.#broken(step, call, attempts, error.message);
    }
    step.state = 'done';
    const undo = undoOf(call, step.key);
    const holds = undo?.holds?.(result) ?? undo?.when?.() ?? true;
    step.body = holds ? (undo?.stored?.(result) ?? undo?.blind?.()) : undefined;
    if (step.body === undefined) this.#forget(step);
    else this.#remember(step);
    this.note('answered', { operation: call.name, attempts });
    return Promise.resolve({ value: result });
  }

  /** An answer that does not fit its declared type. */
  async #broken<R>(
    step: Step,
    call: Call<R>,
    attempts: number,
    detail: string,
  ): Promise<{ readonly value: R } | undefined> {
    this.#end(step, call, true);
    this.note('raised', { operation: call.name, error: 'Invalid', detail });
    this.check();
    return this.#exhausted(step, call, system('Invalid', detail), attempts);
  }

  /** A call without a value: its entry goes, or stays in doubt. */
  #end<R>(step: Step, call: Call<R>, doubt: boolean): void {
    if (!doubt) {
      this.#forget(step);
      return;
    }
    step.state = 'doubt';
    const undo = undoOf(call, step.key);
    if (undo === undefined || !(undo.when?.() ?? true)) {
      this.#forget(step);
      return;
    }
    step.body = undo.blind?.();
    this.#remember(step);
  }

  /** Writes an entry to the log, unless it is there. */
  #remember(step: Step): void {
    if (this.undoing === undefined && !this.log.includes(step)) this.log.push(step);
  }

  #forget(step: Step): void {
    const place = this.log.indexOf(step);
    if (place >= 0) this.log.splice(place, 1);
  }

  async #exhausted<R>(
    step: Step,
    call: Call<R>,
    failure: Failure,
    attempts: number,
  ): Promise<{ readonly value: R } | undefined> {
    const exhausted = call.policy?.exhausted ?? 'fail';
    if (exhausted === 'fail' || this.undoing !== undefined) return this.#raise(call, failure, step.key, attempts);
    if ('deadLetter' in exhausted) {
      this.letter(exhausted.deadLetter, step.path, step.key, call, [failure.error], attempts);
      return this.#raise(call, failure, step.key, attempts);
    }
    this.note('parked', { operation: call.name, queue: exhausted.park });
    const action = await this.suspend<OperatorAction>(
      (waiter) => {
        this.run.askOperator(step.key, waiter);
      },
      () => {
        this.run.forgetOperator(step.key);
      },
    );
    if (action.kind === 'retry') return undefined;
    if (action.kind === 'supply') return this.#answered(step, call, action.value, attempts);
    return this.#raise(call, new Failure(action.error), step.key, attempts);
  }

  #raise(call: CallSpec, failure: Failure, key: string, attempts: number): never {
    if (this.undoing !== undefined) {
      this.undoing.last = { call, key, attempts };
      this.undoing.errors.push(failure.error);
    }
    throw failure;
  }

  letter(
    queue: string,
    path: string,
    key: string,
    call: CallSpec,
    errors: readonly AnyError[],
    attempts: number,
  ): void {
    const args = (call.pii ?? []).reduce<unknown>((shown, place) => masked(shown, place.split('.')), call.args);
    const { instance } = this.run.host.info;
    const letter = { instance, path, queue, key, operation: call.name, args: args as readonly unknown[], errors, attempts };
    this.run.host.send({ kind: 'letter', letter });
    this.note('dead letter', { queue, key, operation: call.name }, path);
  }

  /** Starts a detached workflow; goes on when it has been accepted. */
  async start(id: string, call: Call<undefined>): Promise<void> {
    await this.do(id, call);
  }

  /* -- pivot, settle */

  /** The point of no return: what is older can no longer be undone, and no guard ends it any more. */
  #seal(step: Step): void {
    const own = this.log.includes(step) ? [step] : [];
    for (const frame of outward(this)) {
      frame.log = [];
      frame.beside = [];
      frame.sealed = true;
    }
    this.log = own;
    this.note('pivot');
  }

  /** The frames of this region, from here outward. */
  *#region(): Generator<BaseFrame> {
    for (const frame of outward(this)) {
      yield frame;
      if (frame.kind.region === true) return;
    }
  }

  /** Makes final what this region has done so far. */
  settle(): void {
    for (const frame of this.#region()) frame.log = [];
    this.note('settled');
  }

  /** Undoes what this region has done so far. */
  async undo(): Promise<void> {
    this.check();
    const logs = [...this.#region()].map((frame) => {
      const { log } = frame;
      frame.log = [];
      return log;
    });
    await this.undoEntries(logs.reverse().flat());
    this.check();
  }

  /* -- locks */

  /** Holds resources around `body`; what an error undoes is undone before they are released. */
  async lock<T>(locks: readonly Resource[], waitMs: number, body: (wf: Frame) => Promise<T>): Promise<T> {
    this.check();
    const id = this.run.serial('l');
    const sorted = [...locks].sort((a, b) => a.rank - b.rank || compare(a.key, b.key));
    const shown = sorted.map(({ name, key }) => `${name}(${key})`).join(', ');
    const frame = this.child({});
    try {
      const state = await this.suspend<LockState>(
        (waiter) => {
          this.run.askLock(id, sorted, waitMs, (told) => {
            waiter.resolve(told);
          });
        },
        () => {
          this.run.unlock(id);
        },
      );
      if (state !== 'granted') {
        this.run.forgetLock(id);
        throw system('LockTimeout', shown);
      }
      this.note('lock granted', { locks: shown });
      let lost = false;
      this.run.onLock(id, () => {
        lost = true;
        this.note('lock lost', { locks: shown });
        frame.interrupt('', system('LockLost', shown));
      });
      try {
        return await body(frame);
      } catch (error) {
        const cause = frame.cause(error);
        if (!lost && !this.#kept(cause)) await frame.undoAll();
        throw cause;
      } finally {
        this.log.push(...frame.entries());
        if (lost) this.run.forgetLock(id);
        else this.run.unlock(id);
      }
    } finally {
      this.children.delete(frame);
    }
  }

  /** Whether the guard that will handle an error keeps what it crosses. */
  #kept(error: unknown): boolean {
    for (const frame of outward(this)) {
      if (frame.kind.branch === true) return false;
      const found = frame.handler(error);
      if (found !== undefined) return found.keep;
    }
    return false;
  }

  /* -- undo */

  /** Undoes everything that has been done in here. */
  async undoAll(): Promise<void> {
    const log = this.entries();
    this.log = [];
    this.beside = [];
    await this.undoEntries(log);
  }

  async undoEntries(log: Entry[]): Promise<void> {
    if (log.length === 0) return;
    this.hold(1);
    try {
      await this.undoLog(log);
    } finally {
      this.hold(-1);
    }
  }

  /** The mirror of the order of doing. */
  async undoLog(log: Entry[]): Promise<void> {
    for (let entry = log.pop(); entry !== undefined; entry = log.pop()) {
      if (entry.kind === 'fork') await this.undoBranches(entry.branches, entry.limit);
      else if (entry.kind === 'step') await this.undoStep(entry);
      else if (entry.body === undefined) await this.undoLog(entry.log);
      else await this.runUndo(entry.path, entry.path, entry.key, entry.body);
    }
  }

  /** Side by side; where the bound holds branches back, the last ones go first. */
  async undoBranches(logs: readonly Entry[][], limit: number): Promise<void> {
    const full = logs.filter((log) => log.length > 0).reverse();
    if (full.length > 0) await this.crowd(limit, full, (log) => this.undoLog(log));
  }

  async undoStep({ path, name, key, state, body }: Step): Promise<void> {
    if (body !== undefined) await this.runUndo(path, name, key, body);
    else if (state === 'doubt') this.failed(path, name, key, { key, depth: 0, errors: [] });
  }

  async runUndo(path: string, name: string, key: string, body: UndoBody): Promise<boolean> {
    const undoing: Undoing = { key, depth: this.iteration.length, errors: [] };
    const frame = this.child({ path, shield: true, undoing });
    try {
      await body(frame);
      this.note('undone', { operation: name, key }, path);
      return true;
    } catch (error) {
      const failure = asFailure(error);
      if (undoing.errors.at(-1) !== failure.error) undoing.errors.push(failure.error);
      this.failed(path, name, key, undoing);
      this.run.letters.set(key, () => this.runUndo(path, name, key, body));
      return false;
    } finally {
      this.children.delete(frame);
    }
  }

  failed(path: string, name: string, key: string, undoing: Undoing): void {
    const exhausted = undoing.last?.call.policy?.exhausted;
    const queue = typeof exhausted !== 'object' ? 'unattended' : 'park' in exhausted ? exhausted.park : exhausted.deadLetter;
    const call: CallSpec = undoing.last?.call ?? { kind: 'activity', name, args: [] };
    this.run.undoIncomplete = true;
    this.note('undo failed', { operation: name, key }, path);
    this.letter(queue, path, undoing.last?.key ?? key, call, undoing.errors, undoing.last?.attempts ?? 0);
  }

  /** Runs fibers, at most so many at once, and waits for all that have started. */
  async crowd<T>(
    limit: number,
    items: readonly T[],
    body: (item: T, index: number) => Promise<void>,
    goOn: () => boolean = () => true,
  ): Promise<void> {
    let started = 0;
    let running = 0;
    await this.run.block<undefined>((waiter) => {
      const next = (): void => {
        while (running < limit && started < items.length && goOn()) {
          const index = started;
          const item = items[index] as T;
          started += 1;
          running += 1;
          this.run.spawn(
            () => body(item, index),
            () => {
              running -= 1;
              next();
            },
          );
        }
        if (running === 0) waiter.resolve(undefined);
      };
      next();
    });
  }
}
