// One instance of a workflow: takes one input a turn and sends commands. No clock, no chance, no input or output.

import type {
  CallData,
  Host,
  Input,
  LockState,
  OperatorAction,
  Outcome,
  Resource,
  WorkflowEvent,
} from './wfc-host.js';
import { Misfit, type Parse } from './wfc-parse.js';

export interface Waiter<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** At one instant: `after` and `at`, then `wait`, then `also` and `every`, then `sla`. */
export type TimerRank = 0 | 1 | 2 | 3;

/** A place in the tree of what is active: decides who comes first, and whether guards are held back. */
export interface Place {
  readonly depth: number;
  readonly source: readonly number[];
  readonly iteration: readonly number[];
  /** Interrupting guards wait: a pivot is in flight inside, or something inside is being undone. */
  readonly held: boolean;
  /** Interrupting guards are gone for good, or one has fired. */
  readonly closed: boolean;
}

export interface Timer {
  readonly at: number;
  readonly rank: TimerRank;
  readonly place: Place;
  readonly index: number;
  readonly fire: () => void;
}

export interface Armed {
  readonly place: Place;
  readonly index: number;
  readonly type: string;
  readonly interrupting: boolean;
  readonly when: (data: unknown) => boolean;
  readonly fire: (data: unknown) => void;
}

export interface EventSpec {
  readonly mode: 'buffered' | 'latest' | 'transient';
  readonly parse: Parse<unknown>;
  readonly key: (data: never) => string | number;
}

export interface Options {
  readonly events: Readonly<Record<string, EventSpec>>;
  /** Off: no audit records are made. */
  readonly audit: boolean;
}

function before(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Innermost first, then source order, then the earlier iteration. */
function order(a: { place: Place; index: number }, b: { place: Place; index: number }): number {
  return (
    b.place.depth - a.place.depth ||
    before(a.place.source, b.place.source) ||
    a.index - b.index ||
    before(a.place.iteration, b.place.iteration)
  );
}

const RANKS = { cancel: 0, operator: 0, redrive: 0, event: 4, fired: 5 } as const;

function rank(input: Input): number {
  if (input.kind === 'outcome') return input.outcome.kind === 'value' ? 2 : 1;
  if (input.kind === 'lock') return input.state === 'granted' ? 3 : 1;
  return RANKS[input.kind];
}

/** The turns of one instance. The next input is taken only when every fiber waits. */
export class Run {
  readonly host: Host;
  readonly options: Options;
  now = 0;
  undoIncomplete = false;
  onCancel: () => void = () => undefined;
  /** Why an operator's cancel is refused, if it is. */
  refusesCancel: () => string | undefined = () => undefined;
  readonly letters = new Map<string, () => Promise<boolean>>();
  views: Readonly<Record<string, () => unknown>> = {};
  #runnable = 0;
  #ended = false;
  #serial = 0;
  #crash: (defect: unknown) => void = () => undefined;
  readonly #queue: Input[] = [];
  readonly #inbox: WorkflowEvent[] = [];
  readonly #outbox: WorkflowEvent[] = [];
  readonly #visits = new Map<string, number>();
  readonly #calls = new Map<string, Waiter<Outcome>>();
  readonly #timers = new Map<string, Timer>();
  readonly #locks = new Map<string, (state: LockState) => void>();
  readonly #operators = new Map<string, Waiter<OperatorAction>>();
  readonly #armed = new Set<Armed>();

  constructor(host: Host, options: Options) {
    this.host = host;
    this.options = options;
  }

  /** Runs a fiber to its end as the whole of what is going on. */
  async main<T>(at: number, body: () => Promise<T>): Promise<T> {
    this.now = Math.max(this.now, at);
    this.#runnable += 1;
    return new Promise<T>((resolve, reject) => {
      this.#crash = reject;
      const done = (): void => {
        this.#runnable -= 1;
      };
      body().finally(done).then(resolve, reject);
    });
  }

  /** Nothing more is taken. */
  finish(kind: string, detail: Readonly<Record<string, unknown>>): void {
    const left = this.#inbox.map((event) => event.type);
    const flag = this.undoIncomplete ? { undoIncomplete: true } : {};
    for (const id of this.#timers.keys()) this.host.send({ kind: 'disarm', id });
    this.#timers.clear();
    this.audit(kind, '', { ...detail, ...flag, ...(left.length > 0 ? { unconsumed: left } : {}) });
    this.#flush();
    this.#ended = true;
  }

  get finished(): boolean {
    return this.#ended;
  }

  /** Takes an input, or answers why it is refused. */
  deliver(input: Input): string | undefined {
    const refusal = this.#refusal(input);
    if (refusal !== undefined) {
      if (input.kind === 'event') this.audit('event refused', '', { type: input.event.type, refusal });
      return refusal;
    }
    this.#queue.push(input);
    this.#turn();
    return undefined;
  }

  #refusal(input: Input): string | undefined {
    if (input.kind === 'redrive') return this.letters.has(input.key) ? undefined : 'no such dead letter';
    if (input.kind === 'outcome') return this.#calls.has(input.id) ? undefined : 'nothing waits for this call';
    if (input.kind === 'lock') return this.#locks.has(input.id) ? undefined : 'nothing waits for this lock';
    if (this.#ended) return 'the instance has ended';
    if (input.kind === 'operator') return this.#operators.has(input.step) ? undefined : 'the step is not parked';
    if (input.kind === 'cancel') return this.refusesCancel();
    if (input.kind !== 'event') return undefined;
    const spec = this.#spec(input.event.type);
    if (spec === undefined) return 'nothing here listens to this event';
    try {
      spec.parse(input.event.data);
      return undefined;
    } catch (error) {
      if (error instanceof Misfit) return error.message;
      throw error;
    }
  }

  #spec(type: string): EventSpec | undefined {
    return Object.hasOwn(this.options.events, type) ? this.options.events[type] : undefined;
  }

  #turn(): void {
    while (this.#runnable === 0) {
      if (!this.#ended && (this.#offerInbox() || this.#runnable > 0)) continue;
      this.#flush();
      const input = this.#next();
      if (input !== undefined) {
        this.now = Math.max(this.now, input.at);
        this.#dispatch(input);
      } else if (!this.#fire()) return;
    }
  }

  /** The input that comes first: by time, then by kind, then by arrival. */
  #next(): Input | undefined {
    const [best] = this.#queue
      .map((input, i) => ({ input, i }))
      .sort((a, b) => a.input.at - b.input.at || rank(a.input) - rank(b.input) || a.i - b.i);
    if (best === undefined) return undefined;
    this.#queue.splice(best.i, 1);
    return best.input;
  }

  #dispatch(input: Input): void {
    switch (input.kind) {
      case 'outcome': {
        const waiter = this.#calls.get(input.id);
        this.#calls.delete(input.id);
        waiter?.resolve(input.outcome);
        return;
      }
      case 'fired':
        this.#fire();
        return;
      case 'lock':
        this.#locks.get(input.id)?.(input.state);
        return;
      case 'operator': {
        const waiter = this.#operators.get(input.step);
        this.#operators.delete(input.step);
        waiter?.resolve(input.action);
        return;
      }
      case 'redrive':
        this.#redrive(input.key);
        return;
      case 'cancel':
        this.onCancel();
        return;
      case 'event': {
        const { type } = input.event;
        const event = { type, data: this.#spec(type)?.parse(input.event.data) };
        this.audit('event received', '', { type });
        if (!this.#offer(event)) this.#keep(event);
        return;
      }
    }
  }

  #redrive(key: string): void {
    const again = this.letters.get(key);
    if (again === undefined) return;
    this.spawn(
      async () => {
        if (!(await again())) return;
        this.letters.delete(key);
        if (this.letters.size === 0) this.undoIncomplete = false;
      },
      () => undefined,
    );
  }

  /* -- events */

  #keep(event: WorkflowEvent): void {
    const mode = this.#spec(event.type)?.mode;
    if (mode === 'transient') {
      this.audit('event dropped', '', { type: event.type });
      return;
    }
    const older = mode === 'latest' ? this.#inbox.findIndex((other) => other.type === event.type) : -1;
    if (older >= 0) this.#inbox.splice(older, 1);
    this.#inbox.push(event);
  }

  /** Gives an event to the first armed guard that takes it. A guard that is held back hides those around it. */
  #offer(event: WorkflowEvent, among?: readonly Armed[]): boolean {
    const fits = [...(among ?? this.#armed)]
      .filter((guard) => guard.type === event.type && this.#armed.has(guard))
      .filter((guard) => !(guard.interrupting && guard.place.closed) && guard.when(event.data))
      .sort(order);
    const [taker] = fits;
    if (taker === undefined || (taker.interrupting && taker.place.held)) return false;
    this.audit('event consumed', '', { type: event.type });
    taker.fire(event.data);
    return true;
  }

  #offerInbox(among?: readonly Armed[]): boolean {
    for (const [i, event] of this.#inbox.entries()) {
      if (this.#offer(event, among)) {
        this.#inbox.splice(i, 1);
        return true;
      }
    }
    return false;
  }

  /** Lets guards take what the inbox already holds. */
  drain(guards: readonly Armed[]): void {
    while (this.#offerInbox(guards));
  }

  arm(guard: Armed): Armed {
    this.#armed.add(guard);
    return guard;
  }

  disarm(guard: Armed): void {
    this.#armed.delete(guard);
  }

  emit(event: WorkflowEvent): void {
    this.#outbox.push(event);
  }

  #flush(): void {
    for (const event of this.#outbox.splice(0)) this.host.send({ kind: 'emit', event });
  }

  /* -- time */

  /** Fires the first timer that is due and not held back, whichever the host had in mind. */
  #fire(): boolean {
    const [due] = [...this.#timers]
      .filter(([, timer]) => timer.at <= this.now && !(timer.rank === 0 && timer.place.held))
      .sort(([, a], [, b]) => a.at - b.at || a.rank - b.rank || order(a, b));
    if (due === undefined) return false;
    this.#timers.delete(due[0]);
    due[1].fire();
    return true;
  }

  timer(timer: Timer): string {
    const id = this.serial('t');
    this.#timers.set(id, timer);
    this.host.send({ kind: 'arm', id, at: timer.at });
    return id;
  }

  stopTimer(id: string): void {
    if (this.#timers.delete(id)) this.host.send({ kind: 'disarm', id });
  }

  /* -- fibers */

  /** Suspends the running fiber. When the last one waits, the turn is over. */
  block<T>(register: (waiter: Waiter<T>) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let open = true;
      const settle = (act: () => void): void => {
        if (!open) return;
        open = false;
        this.#runnable += 1;
        act();
      };
      register({
        resolve: (value) => {
          settle(() => {
            resolve(value);
          });
        },
        reject: (error) => {
          settle(() => {
            reject(error as Error);
          });
        },
      });
      this.#rest();
    });
  }

  /** Runs `body` as a fiber of its own; `ended` is called in the turn in which it ends. */
  spawn(body: () => Promise<void>, ended: () => void): void {
    this.#runnable += 1;
    body()
      .then(() => {
        ended();
        this.#rest();
      })
      .catch((defect: unknown) => {
        this.#crash(defect);
      });
  }

  #rest(): void {
    this.#runnable -= 1;
    if (this.#runnable !== 0) return;
    void Promise.resolve()
      .then(() => {
        this.#turn();
      })
      .catch((defect: unknown) => {
        this.#crash(defect);
      });
  }

  /* -- calls, locks, operators */

  /** Sends a call; the waiter gets its outcome. */
  send(id: string, key: string, call: CallData, waiter: Waiter<Outcome>): void {
    this.#calls.set(id, waiter);
    const { kind, name, args, policy, assign } = call;
    const data = { kind, name, args, ...(policy && { policy }), ...(assign && { assign }) };
    this.host.send({ kind: 'call', id, key, call: data });
  }

  /** Asks a call to stop; its outcome still comes. */
  cancel(id: string): void {
    this.host.send({ kind: 'cancel', id });
  }

  /** Asks a call to stop and does not wait for an answer. */
  withdraw(id: string): void {
    this.#calls.delete(id);
    this.cancel(id);
  }

  askLock(id: string, locks: readonly Resource[], waitMs: number, told: (state: LockState) => void): void {
    this.#locks.set(id, told);
    this.host.send({ kind: 'lock', id, locks, waitMs });
  }

  /** What happens when a lock that is held gets lost. */
  onLock(id: string, told: (state: LockState) => void): void {
    this.#locks.set(id, told);
  }

  unlock(id: string): void {
    if (this.#locks.delete(id)) this.host.send({ kind: 'unlock', id });
  }

  /** A lock that never was, or is gone. */
  forgetLock(id: string): void {
    this.#locks.delete(id);
  }

  askOperator(step: string, waiter: Waiter<OperatorAction>): void {
    this.#operators.set(step, waiter);
  }

  forgetOperator(step: string): void {
    this.#operators.delete(step);
  }

  get parked(): readonly string[] {
    return [...this.#operators.keys()];
  }

  serial(letter: string): string {
    this.#serial += 1;
    return `${letter}${String(this.#serial)}`;
  }

  visit(place: string): number {
    const visit = (this.#visits.get(place) ?? 0) + 1;
    this.#visits.set(place, visit);
    return visit;
  }

  audit(kind: string, path: string, detail?: Readonly<Record<string, unknown>>): void {
    if (!this.options.audit) return;
    const base = { at: this.now, instance: this.host.info.instance, kind, path };
    this.host.send({ kind: 'record', record: detail === undefined ? base : { ...base, detail } });
  }

  /** What a view shows as of the last turn. */
  view(name: string): unknown {
    return Object.hasOwn(this.views, name) ? this.views[name]?.() : undefined;
  }
}
