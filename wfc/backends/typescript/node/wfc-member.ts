// One instance in a host: takes its inputs one after another, and hands on what each turn asks for.

import {
  Failure,
  Instance,
  Misfit,
  rank,
  type Command,
  type EventSpec,
  type Frame,
  type Info,
  type Input,
  type Parse,
  type Refusal,
  type Send,
  type Workflow,
} from "../wfc-runtime/wfc-runtime.js";
import type { Clock } from "./wfc-clock.js";
import type { Holder } from "./wfc-locks.js";
import type { Flight } from "./wfc-traffic.js";

/** A workflow of any type. */
export interface AnyWorkflow {
  readonly name: string;
  readonly version: number;
  readonly audit: boolean;
  readonly events: Readonly<Record<string, EventSpec>>;
  readonly parse: Parse<unknown>;
  readonly key?: (input: never) => string | number;
  readonly run: (wf: Frame, input: never) => Promise<unknown>;
}

type Unstamped<T> = T extends { readonly at: number } ? Omit<T, "at"> : never;
/** An input that is told the time when it is its turn. */
export type Given = Unstamped<Input>;

/** The attempt that waits for an instance. */
export interface Caller {
  readonly member: Member;
  readonly send: Send;
}

/** An attempt of an activity under way. */
export interface Underway {
  readonly send: Send;
  readonly abort: AbortController;
  flight: Flight | undefined;
  /** When it was sent. */
  at: number;
  /** Ended, or no longer waited for. */
  isOver: boolean;
}

interface Waiting {
  readonly given: Given;
  readonly since: number;
  readonly done: (refusal: Refusal | undefined) => void;
}

/** What a member needs of its host. */
export interface Home {
  readonly clock: Clock;
  /** Does what a turn has asked for. */
  obey(member: Member, commands: readonly Command[]): Promise<void>;
  /** The code of a workflow has a defect: the instance goes no further. */
  broke(member: Member, defect: unknown): void;
  lost(member: Member, lock: string): void;
}

/** An instance, and what its host knows of it. */
export class Member implements Holder {
  readonly id: string;
  readonly workflow: AnyWorkflow;
  /** By which events find it. */
  readonly key: string | number;
  readonly isChild: boolean;
  readonly underway = new Map<string, Underway>();
  readonly children: Member[] = [];
  /** When the last turn was. */
  at = 0;
  parent: Caller | undefined;
  undoer: Caller | undefined;
  /** Its parent has asked it to stop. */
  wasStopped = false;
  end: Extract<Command, { readonly kind: "ended" }> | undefined;
  dropAlarm: () => void = () => undefined;
  isBroken = false;
  readonly #home: Home;
  readonly #instance: Instance<unknown, unknown>;
  #out: Command[] = [];
  #queue: Waiting[] = [];
  #isWorking = false;
  #turning: Promise<unknown> = Promise.resolve();

  constructor(home: Home, workflow: AnyWorkflow, info: Info, key: string | number) {
    this.#home = home;
    this.id = info.instance;
    this.workflow = workflow;
    this.key = key;
    this.isChild = info.child === true;
    const send = (command: Command): void => {
      this.#out.push(command);
    };
    this.#instance = new Instance(workflow as Workflow<unknown, unknown>, { info, send });
  }

  get status(): "running" | "done" | "failed" | "broken" {
    return this.isBroken ? "broken" : this.#instance.status;
  }

  /** Whether the answer of a person does not fit what waits for it. */
  misfits(call: string, attempt: number, how: "value" | "error", value: unknown): boolean {
    return this.#instance.misfit(call, attempt, how, value) !== undefined;
  }

  get lives(): boolean {
    return !this.isBroken;
  }

  get unattended(): Instance<unknown, unknown>["unattended"] {
    return this.#instance.unattended;
  }

  view(name: string): unknown {
    return this.#instance.view(name);
  }

  /** Begins. A wrong input is told at once; the result comes when all has been done that the last turn asks for. */
  async start(
    input: unknown,
  ): Promise<{ readonly result: Promise<unknown> } | { readonly misfit: string }> {
    const begun: { misfit?: string } = {};
    this.#isWorking = true;
    this.at = this.#home.clock.now();
    const ended = this.#instance.start(this.at, input);
    const watched = ended.catch((error: unknown) => {
      if (error instanceof Misfit) begun.misfit = error.message;
      else if (!(error instanceof Failure)) this.#breakDown(error);
    });
    await this.#instance.idle();
    await Promise.race([watched, Promise.resolve()]);
    if (begun.misfit !== undefined) return { misfit: begun.misfit };
    this.#turning = this.#home.obey(this, this.#out.splice(0));
    await this.#turning;
    void this.#work();
    const result = watched.then(async () => {
      await this.#turning;
      return ended;
    });
    result.catch(() => undefined);
    return { result };
  }

  /** Delivers an input when it is its turn; why it is refused, if it is. */
  async deliver(given: Given): Promise<Refusal | undefined> {
    return new Promise<Refusal | undefined>((resolve) => {
      this.#queue.push({ given, since: this.#home.clock.now(), done: resolve });
      if (!this.#isWorking) void this.#work();
    });
  }

  granted(lock: string): void {
    void this.deliver({ kind: "locked", lock, state: "granted" });
  }

  lost(lock: string): void {
    this.#home.lost(this, lock);
    void this.deliver({ kind: "locked", lock, state: "lost" });
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const turn = this.#turn(next.given);
      this.#turning = turn;
      next.done(await turn);
    }
    this.#isWorking = false;
  }

  /** Of all that has come at one instant, what the order of one instant puts first. */
  #next(): Waiting | undefined {
    const [first] = this.#queue;
    if (first === undefined) return undefined;
    let found = first;
    const order = (given: Given): number => rank({ ...given, at: 0 });
    for (const each of this.#queue) {
      if (each.since === first.since && order(each.given) < order(found.given)) found = each;
    }
    this.#queue = this.#queue.filter((each) => each !== found);
    return found;
  }

  async #turn(given: Given): Promise<Refusal | undefined> {
    if (this.isBroken) return "not-running";
    this.at = this.#home.clock.now();
    const refusal = this.#instance.deliver({ ...given, at: this.at });
    await this.#instance.idle();
    await this.#home.obey(this, this.#out.splice(0));
    return refusal;
  }

  #breakDown(defect: unknown): void {
    this.isBroken = true;
    this.dropAlarm();
    this.#home.broke(this, defect);
  }
}
