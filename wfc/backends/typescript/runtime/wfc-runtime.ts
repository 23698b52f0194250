// Runtime of generated workflows: guards, branches, and instances as hosts see them.

import { CallFrame } from './wfc-calls.js';
import { Interrupt, asFailure, type Entry, type Kind } from './wfc-frame.js';
import type * as G from './wfc-guards.js';
import type { Parse } from './wfc-parse.js';
import { Failure, type Host, type Input } from './wfc-host.js';
import { Run, type Armed, type EventSpec, type TimerRank, type Waiter } from './wfc-run.js';
import type { Settled } from './wfc-values.js';

export * from './wfc-decimal.js';
export { detached, undoBy, undoWith, type Call, type Undo, type UndoBody } from './wfc-frame.js';
export * from './wfc-guards.js';
export type { Parse } from './wfc-parse.js';
export { Misfit } from './wfc-parse.js';
export * as parse from './wfc-parse.js';
export * from './wfc-host.js';
export * from './wfc-run.js';
export type { AnyError, Assignee, Dictionary, Secret, Settled, SystemError, Tagged } from './wfc-values.js';
export * as val from './wfc-values.js';

interface Branch {
  readonly frame: Frame;
  won: boolean;
  end?:
    | { readonly kind: 'value'; readonly value: unknown }
    | { readonly kind: 'error'; readonly error: Failure }
    | { readonly kind: 'stopped' };
}
type Body = (wf: Frame) => Promise<unknown>;

/** One active region, guarded thing, branch or block. Generated code waits only on it. */
export class Frame extends CallFrame {
  child(kind: Kind): Frame {
    return new Frame(this.run, this, kind);
  }

  /** The whole log of a completed instance. */
  takeLog(): () => Promise<void> {
    const outer = new Frame(this.run, undefined, {});
    outer.completed(this);
    return () => outer.undoAll();
  }

  /* -- guards */

  /**
   * Runs `body` under guards. One that ends it undoes what it crosses, then the caller goes on.
   * With a path the body is a scope; without one it belongs to the region around.
   */
  async guard<T, const S extends G.Guards<Frame>>(
    path: string,
    guards: S,
    body: (wf: Frame) => Promise<T>,
  ): Promise<G.Left<T, S>> {
    this.check();
    const frame = this.child(path === '' ? {} : { path, region: true });
    frame.guards = guards;
    const armed: Armed[] = [];
    const disarm = frame.#arm(armed);
    try {
      frame.check();
      const value = await body(frame);
      // The end of an instance first offers the inbox to the workflow's own guards.
      if (this.parent === undefined && path === '') this.run.drain(armed);
      frame.check();
      await disarm();
      frame.leave();
      this.completed(frame);
      return { by: 'done', value };
    } catch (error) {
      await disarm();
      const found = frame.handler(error);
      if (found === undefined) {
        this.log.push(...frame.entries());
        throw frame.cause(error);
      }
      this.note('guard fired', { guard: found.name }, frame.at);
      if (found.keep) this.log.push(...frame.entries());
      else await frame.undoAll();
      this.check();
      return { by: found.name, value: found.value } as unknown as G.Left<T, S>;
    } finally {
      this.children.delete(frame);
    }
  }

  /** Waits for guards, with nothing else to do. */
  async await<const S extends G.Guards<Frame>>(guards: S): Promise<G.Fired<S>> {
    const forever = (): void => undefined;
    return (await this.guard('', guards, (wf) => wf.suspend<never>(forever, forever))) as G.Fired<S>;
  }

  /** Arms everything in one turn; the result disarms it and stops the blocks that still run. */
  #arm(armed: Armed[]): () => Promise<void> {
    const timers = new Set<string>();
    const due: { at: number; quiet: boolean; fire: () => void }[] = [];
    const blocks = new Map<Frame, Waiter<undefined> | undefined>();
    const busy = new Set<string>();
    const schedule = (at: number, rank: TimerRank, index: number, fire: () => void): void => {
      const id = this.timer(at, rank, index, () => {
        timers.delete(id);
        fire();
      });
      timers.add(id);
    };
    const beside = (name: string, body: Body): void => {
      if (busy.has(name)) return;
      busy.add(name);
      const frame = this.child({});
      blocks.set(frame, undefined);
      this.beside.push(frame.log);
      const place = this.beside.length - 1;
      this.note('guard fired', { guard: name });
      this.run.spawn(
        async () => {
          try {
            await body(frame);
          } catch (error) {
            if (!(error instanceof Interrupt)) this.interrupt('', asFailure(error));
          }
        },
        () => {
          this.beside[place] = frame.entries();
          busy.delete(name);
          const waiter = blocks.get(frame);
          blocks.delete(frame);
          this.children.delete(frame);
          waiter?.resolve(undefined);
        },
      );
    };
    const tick = (name: string, start: number, amount: number, number: number, block: (n: number) => Body): void => {
      schedule(start + number * amount, 2, Object.keys(this.guards).indexOf(name), () => {
        const missed = Math.floor((this.now - start) / amount);
        const reached = Math.max(number, missed);
        beside(name, block(reached));
        tick(name, start, amount, reached + 1, block);
      });
    };
    for (const [index, [name, guard]] of Object.entries(this.guards).entries()) {
      const listen = (type: string, interrupting: boolean, when: Armed['when'], fire: Armed['fire']): void => {
        armed.push(this.run.arm({ place: this, index, type, interrupting, when, fire }));
      };
      switch (guard.kind) {
        case 'catch':
          break;
        case 'ignore':
          listen(guard.type, false, () => true, () => {
            this.note('event dropped', { type: guard.type });
          });
          break;
        case 'sla':
          if (guard.warnMs !== undefined) {
            schedule(this.now + guard.warnMs, 3, index, () => {
              this.note('sla warned', { sla: guard.name });
            });
          }
          schedule(this.now + guard.withinMs, 3, index, () => {
            this.note('sla breached', { sla: guard.name });
          });
          break;
        case 'every':
          if (guard.amount > 0) {
            tick(name, this.now, guard.amount, 1, (number) => (wf) => guard.block(wf, number as never));
          }
          break;
        case 'on': {
          const holds = (data: unknown): boolean => guard.when?.(data as never) ?? true;
          if ('quiet' in guard) {
            listen(
              guard.type,
              false,
              (data) => !busy.has(name) && holds(data),
              (data) => {
                beside(name, (wf) => guard.block(wf, data as never));
              },
            );
          } else {
            listen(guard.type, true, holds, (data) => {
              this.interrupt(name, data);
            });
          }
          break;
        }
        case 'at':
        case 'after': {
          const at = guard.kind === 'at' ? guard.amount : this.now + guard.amount;
          const quiet = 'quiet' in guard;
          const fire = (): void => {
            if (quiet) beside(name, (wf) => guard.block(wf, undefined as never));
            else if (!this.closed) this.interrupt(name);
          };
          if (at <= this.now) due.push({ at, quiet, fire });
          else schedule(at, quiet ? 2 : 0, index, fire);
          break;
        }
      }
    }
    this.run.drain(armed);
    for (const { fire } of due.sort((a, b) => Number(a.quiet) - Number(b.quiet) || a.at - b.at)) {
      if (!this.closed) fire();
    }
    let disarmed = false;
    return async () => {
      if (disarmed) return;
      disarmed = true;
      for (const guard of armed) this.run.disarm(guard);
      for (const id of timers) this.run.stopTimer(id);
      for (const frame of [...blocks.keys()]) {
        frame.interrupt('end');
        if (blocks.has(frame)) await this.run.block<undefined>((waiter) => blocks.set(frame, waiter));
      }
    };
  }

  /* -- branches */

  /** Branches side by side. */
  async parallel<const B extends Readonly<Record<string, Body>>>(
    join: G.All,
    branches: B,
  ): Promise<{ readonly [K in keyof B]: Awaited<ReturnType<B[K]>> }>;
  async parallel<const B extends Readonly<Record<string, Body>>>(
    join: G.First,
    branches: B,
  ): Promise<Awaited<ReturnType<B[keyof B]>>>;
  async parallel<const B extends Readonly<Record<string, Body>>>(
    join: G.Some,
    branches: B,
  ): Promise<{ readonly [K in keyof B]?: Awaited<ReturnType<B[K]>> }>;
  async parallel<const B extends Readonly<Record<string, Body>>>(
    join: G.EverySettled,
    branches: B,
  ): Promise<{ readonly [K in keyof B]: Settled<Awaited<ReturnType<B[K]>>> }>;
  async parallel(join: G.Join, branches: Readonly<Record<string, Body>>): Promise<unknown> {
    const names = Object.keys(branches);
    const base = this.at;
    const frames = names.map((name, source) => {
      const path = [base, name].filter((part) => part !== '').join('.');
      return this.child({ path, region: true, branch: true, source });
    });
    const ends = await this.#fork(join, Number.POSITIVE_INFINITY, frames, Object.values(branches));
    if (join.join === 'first') return ends.find((end) => end !== undefined)?.value;
    const fields = names.map((name, i) => [name, ends[i]] as const);
    return Object.fromEntries(fields.flatMap(([name, end]) => (end === undefined ? [] : [[name, end.value]])));
  }

  /** One iteration an item, at most so many at once; values in the order of the items. */
  async forEach<I, T>(
    path: string,
    items: readonly I[],
    join: G.All | G.Some,
    limit: number,
    body: (wf: Frame, item: I, index: number) => Promise<T>,
  ): Promise<readonly T[]>;
  async forEach<I, T>(
    path: string,
    items: readonly I[],
    join: G.First,
    limit: number,
    body: (wf: Frame, item: I, index: number) => Promise<T>,
  ): Promise<T | undefined>;
  async forEach<I, T>(
    path: string,
    items: readonly I[],
    join: G.EverySettled,
    limit: number,
    body: (wf: Frame, item: I, index: number) => Promise<T>,
  ): Promise<readonly Settled<T>[]>;
  async forEach<I>(
    path: string,
    items: readonly I[],
    join: G.Join,
    limit: number,
    body: (wf: Frame, item: I, index: number) => Promise<unknown>,
  ): Promise<unknown> {
    const frames = items.map((_, iteration) => this.child({ path, region: true, branch: true, iteration }));
    const bodies = items.map((item, i) => (wf: Frame) => body(wf, item, i));
    const ends = await this.#fork(join, Math.max(1, limit), frames, bodies);
    const given = ends.flatMap((end) => (end === undefined ? [] : [end.value]));
    return join.join === 'first' ? given[0] : given;
  }

  async #fork(
    join: G.Join,
    limit: number,
    frames: readonly Frame[],
    bodies: readonly Body[],
  ): Promise<({ readonly value: unknown } | undefined)[]> {
    this.check();
    const branches: Branch[] = frames.map((frame) => ({ frame, won: false }));
    const logs: Entry[][] = frames.map(() => []);
    this.log.push({ kind: 'fork', limit, branches: logs });
    const all = join.join === 'all' || join.join === 'settled';
    const asked = join.join === 'some' ? Math.max(1, join.count) : 1;
    const need = all ? bodies.length : Math.min(asked, bodies.length);
    let over = false;
    let reason: Failure | undefined;
    const stop = (): void => {
      over = true;
      for (const { frame, end } of branches) if (end === undefined) frame.interrupt('join');
    };
    const tolerated = (): boolean =>
      join.join === 'settled' || branches.filter((each) => each.end?.kind === 'error').length <= bodies.length - need;
    const run = async (branch: Branch, body: Body, i: number): Promise<void> => {
      const log = logs[i] ?? [];
      const outer = this.child({});
      try {
        const value = await body(branch.frame);
        branch.frame.leave();
        outer.completed(branch.frame);
        branch.end = { kind: 'value', value };
        branch.won = !over;
        log.push(...outer.log);
        if (!all && branch.won && branches.filter((each) => each.won).length >= need) stop();
      } catch (error) {
        log.push(...branch.frame.entries());
        if (error instanceof Interrupt) {
          branch.end = { kind: 'stopped' };
          return;
        }
        const failure = asFailure(error);
        branch.end = { kind: 'error', error: failure };
        if (over) return;
        this.note('raised', { error: failure.error.is }, branch.frame.path);
        if (tolerated()) await this.undoEntries(log.splice(0));
        else {
          reason = failure;
          stop();
        }
      } finally {
        this.children.delete(outer);
      }
    };
    await this.crowd(limit, branches, (branch, i) => run(branch, bodies[i] ?? none, i), () => !over && this.pending() === undefined);
    for (const { frame } of branches) this.children.delete(frame);
    this.check();
    if (reason !== undefined) throw reason;
    const losers = logs.filter((_, i) => branches[i]?.won !== true);
    await this.undoBranches(losers, limit);
    this.check();
    return branches.map(({ end, won }) => {
      const value = end?.kind === 'value' && won ? { value: end.value } : undefined;
      if (join.join !== 'settled') return value;
      if (value !== undefined) return { value: { is: 'Ok', ...value } };
      return end?.kind === 'error' ? { value: { is: 'Failed', error: end.error.error } } : undefined;
    });
  }
}

const none: Body = () => Promise.resolve(undefined);

/* -------------------------------------------------------------------------------------- instances */

/** A workflow as a host sees it. */
export interface Workflow<I, R> {
  readonly name: string;
  readonly version: number;
  /** Off: no audit records are made. */
  readonly audit: boolean;
  readonly events: Readonly<Record<string, EventSpec>>;
  /** The input: an object with a field per parameter. */
  readonly parse: Parse<I>;
  /** The key of an instance, if the workflow names one. */
  readonly key?: (input: I) => string | number;
  readonly run: (wf: Frame, input: I) => Promise<R>;
}

/** One run of a workflow under a host. */
export class Instance<I, R> {
  readonly run: Run;
  readonly workflow: Workflow<I, R>;
  #undo: () => Promise<void> = () => Promise.resolve();

  constructor(workflow: Workflow<I, R>, host: Host) {
    this.workflow = workflow;
    this.run = new Run(host, { events: workflow.events, audit: workflow.audit });
  }

  /** Runs to the end. Throws a `Misfit` for a wrong input, and a `Failure` after everything has been undone. */
  async start(at: number, given: unknown): Promise<R> {
    const input = this.workflow.parse(given);
    const root = new Frame(this.run, undefined, { path: '', region: true });
    this.run.onCancel = () => {
      root.interrupt('operator');
    };
    this.run.refusesCancel = () =>
      root.sealed || root.pivots > 0 ? 'the point of no return has been passed' : undefined;
    return this.run.main(at, async () => {
      this.run.audit('started', '', { workflow: this.workflow.name, version: this.workflow.version });
      try {
        const value = await this.workflow.run(root, input);
        root.check();
        this.#undo = root.takeLog();
        this.run.finish('completed', {});
        return value;
      } catch (error) {
        const failure = error instanceof Interrupt ? new Failure({ is: 'OperatorCancel' }) : asFailure(error);
        await root.undoAll();
        this.run.finish('failed', { error: failure.error.is });
        throw failure;
      }
    });
  }

  /** Takes an input, or answers why it is refused. */
  deliver(input: Input): string | undefined {
    return this.run.deliver(input);
  }

  /** Undoes a completed instance: a child, on behalf of its parent. */
  async undo(at: number): Promise<void> {
    const undo = this.#undo;
    this.#undo = () => Promise.resolve();
    await this.run.main(at, undo);
  }

  view(name: string): unknown {
    return this.run.view(name);
  }
}
