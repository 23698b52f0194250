// Runs a chart under XState: a host with one way in and one out. It knows no workflow.

import {
  assign,
  createActor,
  createMachine,
  enqueueActions,
  type Actor,
  type AnyStateMachine,
} from "xstate";
import { ACTIONS, RAISING } from "./wfc-xstate-actions.js";
import * as calls from "./wfc-xstate-calls.js";
import { evaluate } from "./wfc-xstate-expressions.js";
import { GUARDS } from "./wfc-xstate-guards.js";
import type { Params, Told } from "./wfc-xstate-params.js";
import * as st from "./wfc-xstate-state.js";
import type { Command, Fields, Outcome, State, Tables } from "./wfc-xstate-types.js";

export { Misfit } from "./wfc-xstate-forms.js";
export type {
  AuditRecord,
  Command,
  Fields,
  Outcome,
  Send,
  State,
  Value,
} from "./wfc-xstate-types.js";

/** What XState needs to run a chart: every action, guard and delay that one can name. */
function tables(p: st.Program): Parameters<AnyStateMachine["provide"]>[0] {
  const actions: Record<string, unknown> = {};
  for (const [name, work] of Object.entries(ACTIONS)) {
    actions[`wfc.${name}`] = assign(({ context, event }, params: Params | undefined) => {
      const s = st.copy(context as State);
      work(p, s, params ?? {}, event as Told);
      return s;
    });
  }
  for (const [name, work] of Object.entries(RAISING)) {
    actions[`wfc.${name}`] = enqueueActions(
      ({ context, event, enqueue }, params: Params | undefined) => {
        const s = st.copy(context as State);
        const raised = work(p, s, params ?? {}, event as Told);
        if (raised !== undefined) s.failing += 1;
        enqueue.assign(s as never);
        if (raised === undefined) return;
        const [at, error] = raised;
        enqueue.raise({ type: `fail.${String(error["is"])}`, at, error } as never);
      },
    );
  }
  const guards = Object.fromEntries(
    Object.entries(GUARDS).map(([name, ask]) => [
      `wfc.${name}`,
      (
        { context, event }: { context: unknown; event: unknown },
        params: Params | undefined,
      ): boolean => ask(p, context as State, params ?? {}, event as Told),
    ]),
  );
  const delays = Object.fromEntries(
    Object.entries(p.tables.timers).map(([name, timer]) => [
      name,
      ({ context }: { context: unknown }): number => {
        const due = (context as State).timers[name];
        // What falls on one instant is told apart by a fraction, which the clock of a run reads.
        return due === undefined
          ? Infinity
          : Math.max(0, due.at - p.now) + (timer.order + 1) / (p.timers + 2);
      },
    ]),
  );
  return { actions, guards, delays } as never;
}

/* -------------------------------------------------------------------------------------------- run */

/** What a run needs of the world. `now` never goes back; `alarm` asks to call `time` when an instant is reached. */
export interface Host {
  now(): number;
  alarm(at: number | undefined): void;
  command(command: Command): void;
}

interface Waiting {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

export type Refused =
  | "already-running"
  | "not-running"
  | "unknown-call"
  | "unknown-event"
  | "wrong-event"
  | "wrong-value";
const [VALUES, EVENTS] = [3, 5]; // among all that falls on one instant

/** One instance of a chart. */
export class Run {
  readonly id: string;
  readonly machine: AnyStateMachine;
  readonly actor: Actor<AnyStateMachine>;
  readonly #program: st.Program;
  readonly #host: Host;
  readonly #waiting = new Map<number, Waiting>();
  #serial = 0;
  #told = 0;
  #turn = 0;

  /** Starts a chart; throws a Misfit if the input does not fit. Without an `id` it is the workflow's name and key. */
  constructor(chart: unknown, input: unknown, host: Host, id?: string) {
    const tableOf = (chart as { readonly meta: { readonly wfc: Tables } }).meta.wfc;
    const program = new st.Program(tableOf);
    program.now = host.now();
    this.#program = program;
    this.#host = host;
    const data = program.forms.fields(tableOf.params, input);
    const key =
      tableOf.key === null
        ? "1"
        : String(evaluate(tableOf.key, { ...program.env({}), params: data }));
    this.id = id ?? `${tableOf.workflow}/${key}`;
    this.machine = createMachine(chart as never).provide(
      tables(program),
    ) as unknown as AnyStateMachine;
    program.turn += 1;
    this.actor = createActor(this.machine, {
      input: { id: this.id, data },
      clock: {
        setTimeout: (fire: (...args: unknown[]) => void, delay: number) => this.#wait(fire, delay),
        clearTimeout: (timer: number) => this.#waiting.delete(timer),
      },
    });
    this.actor.subscribe({ error: () => undefined }); // what goes wrong is thrown at whoever gave the input
    this.actor.start();
    this.#flush();
    this.#rest();
  }

  get state(): State {
    return this.actor.getSnapshot().context as State;
  }

  /** An attempt has ended. What does not fit is `Invalid`; a person's answer to a task is refused then. */
  answer(call: string, attempt: number, outcome: Outcome): Refused | undefined {
    const wrong = this.#awaited(call, attempt);
    if (wrong !== undefined) return wrong;
    if (calls.unfit(this.#program, this.state, call, outcome)) return "wrong-value";
    const failed = outcome.kind !== "value";
    return this.#take(failed ? VALUES - 1 : VALUES, () => {
      if (this.#awaited(call, attempt) !== undefined) this.#late({ call });
      else this.#outcome(call, calls.judge(this.#program, this.state, call, outcome));
    });
  }

  /** An attempt that had to wait has been sent, or is alive. */
  progress(call: string, attempt: number, what: "sent" | "beat"): Refused | undefined {
    const wrong = this.#awaited(call, attempt);
    if (wrong !== undefined) return wrong;
    return this.#take(VALUES, () => {
      if (this.#awaited(call, attempt) === undefined) this.#send({ type: "note", what, call });
    });
  }

  /** An event has come; throws a Misfit if it does not fit. */
  event(type: string, data: unknown): Refused | undefined {
    if (this.state.status !== "running") return "not-running";
    if (!this.#program.tables.listeners.some((each) => each.event === type)) return "unknown-event";
    const fields = this.#program.forms.event(type, data);
    return this.#take(EVENTS, () => {
      if (this.state.status !== "running") this.#late({});
      else this.#send({ type: `event.${type}`, event: type, data: fields });
    });
  }

  /** An operator cancels: everything is undone. */
  cancel(): Refused | undefined {
    if (this.state.status !== "running") return "not-running";
    return this.#take(1, () => {
      if (this.state.status !== "running") this.#late({});
      else this.#send({ type: "cancel" });
    });
  }

  /** Time has come to where the host's clock is. */
  time(): void {
    this.#take(Infinity, () => undefined);
  }

  /** Something that was due at this very instant was faster. A chart that has ended takes no event any more. */
  #late(detail: Fields): void {
    if (this.state.status === "running") this.#send({ type: "note", what: "late", detail });
    else if (this.#program.tables.audit) {
      const record = {
        at: this.#program.now,
        instance: this.id,
        kind: "late answer",
        path: "",
        detail,
      };
      this.#host.command({ is: "record", record });
    }
  }

  #awaited(id: string, attempt: number): Refused | undefined {
    const call = this.state.calls[id];
    const waits = call !== undefined && call.state !== "pause" && call.attempt === attempt;
    return waits ? undefined : "unknown-call";
  }

  /** Takes one input: what was due before it has its turn first, then everything that is due by now. */
  #take(rank: number, work: () => void): undefined {
    this.#program.now = Math.max(this.#program.now, this.#host.now());
    this.#fire(rank);
    work();
    this.#rest();
  }

  #rest(): void {
    this.#fire(Infinity);
    const due = this.#first();
    this.#host.alarm(due === undefined ? undefined : due.at);
  }

  #wait(fire: () => void, delay: number): number {
    this.#serial += 1;
    if (delay === Infinity) return this.#serial;
    const size = this.#program.timers + 2;
    const whole = Math.floor(delay);
    this.#waiting.set(this.#serial, {
      at: this.#program.now + whole,
      order: Math.round((delay - whole) * size) - 1,
      fire,
    });
    return this.#serial;
  }

  /** What is due first, and how it fires. */
  #first(): Waiting | undefined {
    const timers = [...this.#waiting].map(([key, each]) => ({
      ...each,
      fire: () => {
        this.#waiting.delete(key);
        this.#turnOver();
        each.fire();
        this.#flush();
      },
    }));
    const ofCalls = Object.values(this.state.dues).map((due) => ({
      at: due.at,
      order: due.order,
      fire: () => {
        this.#due(due.call, due.what);
      },
    }));
    return [...timers, ...ofCalls].reduce<Waiting | undefined>(
      (best, each) =>
        best === undefined || each.at < best.at || (each.at === best.at && each.order < best.order)
          ? each
          : best,
      undefined,
    );
  }

  #fire(rank: number): void {
    const ranks = Object.values(this.#program.tables.timers);
    const rankOf = (order: number): number =>
      ranks.find((timer) => timer.order === order)?.rank ?? 0;
    for (let due = this.#first(); due !== undefined; due = this.#first()) {
      if (due.at > this.#program.now || (due.at === this.#program.now && rankOf(due.order) >= rank))
        return;
      due.fire();
    }
  }

  #due(call: string, what: "timeout" | "overall" | "heartbeat" | "silence" | "pause"): void {
    if (what === "pause") {
      this.#send({ type: "note", what, call });
      return;
    }
    const flying = this.state.calls[call];
    if (flying === undefined) return;
    if (flying.state !== "pause") this.#host.command({ is: "stop", call, attempt: flying.attempt });
    this.#outcome(call, calls.expired(this.#program, this.state, call, what));
  }

  #outcome(call: string, verdict: calls.Verdict): void {
    const flying = this.state.calls[call];
    if (flying === undefined) return;
    const waited = flying.list === 0 && flying.state !== "stopping" && verdict.is !== "again";
    this.#send({ type: waited ? `answer.c${String(flying.site)}` : "outcome", call, verdict });
  }

  #turnOver(): void {
    this.#turn += 1;
    this.#program.turn = this.#turn + 1;
  }

  #send(event: Told): void {
    this.#turnOver();
    this.actor.send(event);
    this.#flush();
  }

  /** Tells the host what the turn has led to. */
  #flush(): void {
    const snapshot = this.actor.getSnapshot();
    if (snapshot.status === "error") throw snapshot.error;
    const { turn, out } = this.state;
    if (turn === this.#told) return;
    this.#told = turn;
    for (const command of out) this.#host.command(command);
  }
}
