// A host for a chart in one process: operations are functions, time is the clock on the wall. Nothing survives a crash.

import {
  Run,
  type AuditRecord,
  type Command,
  type Fields,
  type Host,
  type Outcome,
  type Send,
  type Value,
} from "./wfc-xstate.js";

declare function setTimeout(work: () => void, milliseconds: number): unknown;
declare function clearTimeout(timer: unknown): void;

/** What carries out an operation. It throws `{ is: 'CardDeclined', ... }` for an error that the operation declares. */
export type Operation = (
  args: readonly Value[],
  call: { readonly key: string; readonly attempt: number },
) => unknown;
export interface Ending {
  readonly kind: "done" | "failed";
  readonly value: Value; // the result, or the error
  readonly incomplete: boolean; // an undo is left to a person
}

const LONGEST = 2_147_483_647; // a timer of more milliseconds fires at once

/** Runs charts, each operation by a function of the table. */
export class LocalHost implements Host {
  readonly ended: Promise<Ending>;
  readonly run: Run;
  readonly #operations: ReadonlyMap<string, Operation>;
  readonly #told: (record: AuditRecord) => void;
  #end: (ending: Ending) => void = () => undefined;
  #timer: unknown = undefined;
  #last = 0;

  constructor(
    chart: unknown,
    input: Fields,
    operations: Readonly<Record<string, Operation>>,
    told: (record: AuditRecord) => void = () => undefined,
  ) {
    this.#operations = new Map(Object.entries(operations));
    this.#told = told;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.run = new Run(chart, input, this);
  }

  /** The wall's clock, which may be set back; this one never goes back. */
  now(): number {
    this.#last = Math.max(this.#last, Date.now());
    return this.#last;
  }

  alarm(at: number | undefined): void {
    clearTimeout(this.#timer);
    if (at === undefined) return;
    const wait = Math.max(0, at - this.now());
    this.#timer = setTimeout(
      () => {
        if (wait > LONGEST) this.alarm(at);
        else this.run.time();
      },
      Math.min(wait, LONGEST),
    );
  }

  command(command: Command): void {
    if (command.is === "record") this.#told(command.record);
    else if (command.is === "send") void this.#send(command.send);
    else if (command.is === "ended") this.#end(command);
  }

  async #send(send: Send): Promise<void> {
    const outcome = await this.#attempt(send);
    if (this.run.answer(send.call, send.attempt, outcome) === "wrong-value") {
      throw new TypeError(`the answer to \`${send.target}\` does not fit; the task still waits`);
    }
  }

  async #attempt(send: Send): Promise<Outcome> {
    const chance = Math.random();
    const operation = this.#operations.get(send.target);
    if (operation === undefined)
      return { kind: "system", value: "Unavailable", sent: false, chance };
    try {
      await undefined; // never answers inside `command`
      return {
        kind: "value",
        value: await operation(send.args, { key: send.key, attempt: send.attempt }),
        chance,
      };
    } catch (error) {
      if (typeof error === "object" && error !== null && "is" in error)
        return { kind: "error", value: error, chance };
      return { kind: "system", value: "Unavailable", sent: true, chance };
    }
  }
}
