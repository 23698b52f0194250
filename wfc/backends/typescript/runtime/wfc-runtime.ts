// Runtime of generated workflows: what their files import, and instances as hosts see them.

import type { Frame } from "./wfc-frame.js";
import { Failure, type Host, type Input, type Refusal } from "./wfc-host.js";
import { look, type Look } from "./wfc-look.js";
import type { Parse } from "./wfc-parse.js";
import { Run, type EventSpec, type Open } from "./wfc-run.js";

export * from "./wfc-decimal.js";
export { detached, undoBy, undoWith, type Frame } from "./wfc-frame.js";
export * from "./wfc-guards.js";
export type { Look } from "./wfc-look.js";
export type { Parse } from "./wfc-parse.js";
export { Misfit } from "./wfc-parse.js";
export * as parse from "./wfc-parse.js";
export * from "./wfc-host.js";
export { rank, type EventSpec, type Open } from "./wfc-run.js";
export { Rank, type Call, type Undo, type UndoBody } from "./wfc-state.js";
export type {
  AnyError,
  Assignee,
  Dictionary,
  Secret,
  Settled,
  SystemError,
  Tagged,
} from "./wfc-values.js";
export * as val from "./wfc-values.js";

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
  readonly workflow: Workflow<I, R>;
  readonly #run: Run;

  constructor(workflow: Workflow<I, R>, host: Host) {
    this.workflow = workflow;
    this.#run = new Run(host, { events: workflow.events, audit: workflow.audit });
  }

  /** Runs to the end. Throws a `Misfit` for a wrong input, and a `Failure` after everything has been undone. */
  async start(at: number, given: unknown): Promise<R> {
    const { name, version, parse, run } = this.workflow;
    const input = parse(given);
    return new Promise<R>((resolve, reject) => {
      this.#run.onDefect = reject;
      this.#run.onEnd = () => {
        const { error } = this.#run;
        if (this.#run.status === "done") resolve(this.#run.value as R);
        else reject(new Failure(error ?? { is: "Unavailable" }));
      };
      this.#run.start(at, { workflow: name, version }, (wf) => run(wf, input));
    });
  }

  /** Takes an input, or says why it is refused. */
  deliver(input: Input): Refusal | undefined {
    return this.#run.deliver(input);
  }

  /** Why an input would be refused now. */
  refusal(input: Input): Refusal | undefined {
    return this.#run.refusal(input);
  }

  /** Why the answer of a person would not do, if it would not. */
  misfit(
    call: string,
    attempt: number,
    how: "value" | "error",
    value: unknown,
  ): string | undefined {
    return this.#run.misfit(call, attempt, how, value);
  }

  /** Waits until the turns that have begun are over. */
  async idle(): Promise<void> {
    await this.#run.idle();
  }

  /** What an operator may see to: parked steps and dead letters. */
  get unattended(): readonly Open[] {
    return this.#run.unattended;
  }

  /** Whether nothing goes on any more, not even the undo of what an operator has asked for. */
  get rests(): boolean {
    return this.#run.frames.size === 0 && this.#run.fibers.size === 0;
  }

  /** Whether a completed child can still undo something. */
  get keeps(): boolean {
    return this.#run.log.length > 0;
  }

  /** Where it stands and what it has ended with, for people. */
  get look(): Look {
    return look(this.#run);
  }

  get status(): "running" | "done" | "failed" {
    return this.#run.status;
  }

  view(name: string): unknown {
    return this.#run.view(name);
  }
}
