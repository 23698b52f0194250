// The one workflow: an instance of generated code on Temporal. It feeds the runtime, and `hands` do what that asks for.
//
// Whatever comes (answers, events, the time, operators) is an input. Inputs that are there together are taken in the order
// of one instant. What comes from outside comes as a signal, and whoever sent it asks by a query whether it was taken: an
// update would come before or after an answer of the same moment, depending on whether a worker has just been started.

import {
  ApplicationFailure,
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  log,
  setHandler,
  workflowInfo,
} from "@temporalio/workflow";
import {
  Instance,
  Misfit,
  Rank,
  rank,
  type Command,
  type EventSpec,
  type Frame,
  type Input,
  type Operation,
  type Parse,
  type Refusal,
  type Workflow,
  type WorkflowEvent,
} from "../wfc-runtime/wfc-runtime.js";
import { Hands, type Home } from "./wfc-hands.js";
import * as wire from "./wfc-wire.js";
import { pack, unpack, type Begin } from "./wfc-wire.js";

export { interceptors } from "./wfc-guard.js";

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

/** The `definitions` of generated files; those of several processes may be spread into one object. */
export type Definitions = Readonly<Record<string, AnyWorkflow>>;

type Unstamped<T> = T extends { readonly at: number } ? Omit<T, "at"> : never;
/** An input that is told the time when it is its turn. */
export type Given = Unstamped<Input>;

interface Waiting {
  readonly rank: number;
  /** Under which whoever told it asks what has become of it. */
  readonly id?: string | undefined;
  readonly read: () => Given;
}

/** Why something is not taken. */
interface No {
  readonly reason: string;
  readonly text: string;
}

const OPENING = 1_000; // records that one answer of a query holds at most
const REMEMBERED = 500; // of what was told from outside it is known whether it was taken

/** The workflow to be exported as `default` from the file that the worker is given. */
export function hosted(definitions: Definitions): (begin: Begin) => Promise<unknown> {
  return async (begin) => {
    const found = new Process(definitions, begin);
    CancellationScope.current().cancelRequested.catch(() => {
      found.cancelled();
    });
    // What is under way is ended by the process itself, and its undo must not be cancelled.
    return CancellationScope.nonCancellable(() => found.run());
  };
}

/** An instance. Its id is that of the Temporal workflow, its type that of the workflow in the source. */
class Process implements Home {
  readonly begin: Begin;
  readonly definitions: Definitions;
  readonly workflow: AnyWorkflow;
  readonly instance: Instance<unknown, unknown>;
  readonly id: string;
  /** Its parent has asked it to stop. */
  wasStopped = false;
  readonly #hands: Hands;
  readonly #records: unknown[] = [];
  #out: Command[] = [];
  #arrived: Waiting[] = [];
  readonly #taken = new Map<string, No | undefined>();
  #reached = 0;
  #broken: { readonly defect: unknown } | undefined;
  #isReleased = false;
  #hasWarned = false;

  constructor(definitions: Definitions, begin: Begin) {
    const { format, workflow: name, version, instance, parent } = begin;
    if (format !== wire.FORMAT)
      throw new Error(
        `this worker reads instances in format ${String(wire.FORMAT)}, not ${String(format)}`,
      );
    const workflow = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
    if (workflow?.version !== version)
      throw new Error(
        `this worker has no version ${String(version)} of \`${name}\`: start one that has it`,
      );
    if (begin.stored !== undefined && begin.stored !== null)
      throw new Error("an instance that `wfc run` has stored cannot go on in TypeScript");
    if (begin.simulated === true) throw new Error("generated code does not run simulations");
    this.begin = begin;
    this.definitions = definitions;
    this.workflow = workflow;
    this.id = instance;
    this.#hands = new Hands(this);
    const isChild = parent !== undefined && parent !== null;
    const send = (command: Command): void => {
      this.#out.push(command);
    };
    const info = { workflow: name, version, instance, child: isChild };
    this.instance = new Instance(workflow as Workflow<unknown, unknown>, {
      info,
      timesAttempts: true,
      send,
    });
    this.#listen();
  }

  /** Whether a parent may still ask it to undo itself. */
  get #isKept(): boolean {
    const { parent } = this.begin;
    return parent !== undefined && parent !== null && !this.#isReleased;
  }

  /** Goes on until the instance has ended and all it has asked for is done. */
  async run(): Promise<unknown> {
    await this.#open();
    for (;;) {
      await condition(
        () => this.#arrived.length > 0 || this.#broken !== undefined || this.#isOver(),
      );
      this.#warn();
      if (this.#broken !== undefined) throw this.#broken.defect;
      if (this.#arrived.length === 0) break;
      await this.#batch();
    }
    await this.#hands.release();
    return this.#end();
  }

  async #open(): Promise<void> {
    const data = unpack(this.begin.data);
    try {
      this.workflow.parse(data);
    } catch (misfit) {
      if (!(misfit instanceof Misfit)) throw misfit;
      await this.#hands.didNotStart(misfit.message);
      throw ApplicationFailure.nonRetryable(misfit.message, "wrong-input");
    }
    this.instance.start(this.now, data).catch((error: unknown) => {
      // An instance that has failed says so by its status.
      if (this.instance.status === "running") this.#broken = { defect: error };
    });
    await this.instance.idle();
    this.#adopt();
  }

  #isOver(): boolean {
    const { instance } = this;
    if (instance.status === "running" || !instance.rests || this.#hands.isBusy) return false;
    // Dead letters stay open until someone acts, and with them the instance: what undoes them is code under way.
    if (instance.look.letters.length > 0) return false;
    return !(this.#isKept && instance.status === "done" && instance.keeps);
  }

  /** Takes what has come since, in the order of one instant. */
  async #batch(): Promise<void> {
    const batch = this.#arrived.sort((a, b) => a.rank - b.rank);
    this.#arrived = [];
    for (const { id, read } of batch) {
      if (id === undefined) await this.#take(read);
      else if (!this.#taken.has(id)) this.#taken.set(id, await this.#take(read));
    }
    for (const id of [...this.#taken.keys()].slice(0, -REMEMBERED)) this.#taken.delete(id);
  }

  /** One turn. What cannot be read is refused, and nothing stops. */
  async #take(read: () => Given): Promise<No | undefined> {
    let given: Given;
    try {
      given = read();
    } catch (error) {
      if (error instanceof ApplicationFailure)
        return { reason: error.type ?? "", text: error.message };
      return { reason: "malformed", text: `what was sent cannot be read: ${String(error)}` };
    }
    const refusal = this.instance.deliver({ ...given, at: this.now });
    await this.instance.idle();
    this.#adopt();
    return refusal === undefined ? undefined : { reason: refusal, text: WHY[refusal] };
  }

  /** What a turn has led to. */
  #adopt(): void {
    const out = this.#out;
    this.#out = [];
    for (const command of out)
      if (command.kind === "record") this.#records.push(pack(command.record));
    this.#hands.obey(out);
  }

  #warn(): void {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    if (!continueAsNewSuggested || this.#hasWarned) return;
    this.#hasWarned = true;
    const text = "its history has become long: generated code cannot go on in a new run";
    log.warn(`${this.id}: ${text}`, { historyLength });
  }

  /* -- inputs */

  /** The recorded time, which never goes back. */
  get now(): number {
    return Math.max(this.#reached, Date.now());
  }

  reached(at: number): void {
    this.#reached = Math.max(this.#reached, at);
  }

  arrive(given: Given): void {
    this.#arrived.push({ rank: rank({ ...given, at: 0 }), read: () => given });
  }

  /** Somebody cancels the Temporal workflow: that is an operator's cancel. */
  cancelled(): void {
    if (this.instance.status === "running") this.arrive({ kind: "operator", action: "cancel" });
    else this.#isReleased = true;
  }

  /* -- what comes from outside */

  #listen(): void {
    this.#hear(wire.EVENT, Rank.events, eventOf);
    this.#hear(wire.OPERATE, Rank.operators, operationOf);
    this.#hear(wire.ANSWER_TASK, Rank.values, (told: TaskTold) => this.#hands.answerOf(told));
    this.#hear(wire.MIGRATE, Rank.operators, () => {
      const text = "an instance that runs as TypeScript cannot go on in another version";
      throw ApplicationFailure.nonRetryable(text, "no-migration");
    });
    setHandler(defineSignal(wire.STOP), () => {
      this.wasStopped = true;
      this.arrive({ kind: "operator", action: "cancel" });
    });
    setHandler(defineSignal<[unknown]>(wire.CHILD), (told) => {
      if (isChildEnd(told)) this.#hands.childEnded(told);
    });
    setHandler(defineSignal<[unknown]>(wire.UNDO), (undoer) => {
      if (!isParent(undoer)) return;
      this.#hands.undoer = undoer;
      this.arrive({ kind: "undone" });
    });
    setHandler(defineSignal(wire.RELEASE), () => {
      this.#isReleased = true;
    });
    setHandler(defineQuery(wire.STATUS), () => this.#status());
    setHandler(defineQuery<wire.Taken, [string]>(wire.TAKEN), (id) =>
      this.#taken.has(id) ? (this.#taken.get(id) ?? {}) : null,
    );
    setHandler(defineQuery<unknown[], [number]>(wire.RECORDS), (known) =>
      this.#records.slice(known, known + OPENING),
    );
  }

  /** Something is told from outside. It is read when it is its turn. */
  #hear(name: string, order: number, read: (told: never) => Given): void {
    setHandler(defineSignal<[unknown]>(name), (told) => {
      const id = has(told, "id") && typeof told.id === "string" ? told.id : undefined;
      this.#arrived.push({ rank: order, id, read: () => read(told as never) });
    });
  }

  /* -- what is told */

  #status(): unknown {
    const { begin, instance, workflow } = this;
    const { now, value, error, places, waits, parked, letters } = instance.look;
    return {
      instance: this.id,
      workflow: workflow.name,
      process: this.#process,
      version: workflow.version,
      status: instance.status,
      value: instance.status === "done" ? (value ?? null) : null,
      error: pack(error),
      places,
      waits,
      now,
      tasks: this.#hands.openTasks,
      parked,
      letters: letters.map(({ key, queue, operation, name, attempts, errors }) => {
        const told = operation === "" ? name : operation;
        return { key, queue, operation: told, attempts, errors: pack(errors) };
      }),
      machine: begin.machine,
    };
  }

  /** The name of the process, if who started it has told it. */
  get #process(): string {
    return workflowInfo().typedSearchAttributes.get(wire.PROCESS) ?? this.workflow.name;
  }

  #end(): unknown {
    const { status, look } = this.instance;
    if (status === "done") return look.value;
    const error = look.error ?? { is: "Unavailable" };
    throw ApplicationFailure.nonRetryable(wire.toldOf(error), error.is, pack(error));
  }
}

interface EventTold extends WorkflowEvent {
  readonly at?: number;
}

interface OperationTold {
  readonly action: Operation["action"];
  readonly key?: string;
  readonly value?: unknown;
}

export interface TaskTold {
  readonly key: string;
  readonly kind: "value" | "error";
  readonly value?: unknown;
}

const eventOf = ({ type, data }: EventTold): Given => ({
  kind: "event",
  event: { type, data: unpack(data) },
});

const operationOf = ({ action, key = "", value }: OperationTold): Given => ({
  kind: "operator",
  action,
  key,
  value: unpack(value),
});

const WHY: Readonly<Record<Refusal, string>> = {
  "not-running": "the instance has ended",
  "unknown-event": "this workflow hears no such event",
  "wrong-event": "the data of the event do not fit",
  "unknown-call": "nothing waits for this answer",
  "unknown-lock": "nothing waits for this lock",
  "unknown-step": "nothing waits for an operator under this key",
  "wrong-value": "the value does not fit",
  "point-of-no-return": "it is past the point of no return",
  "goes-back-in-time": "time does not go back",
};

const has = <K extends string>(told: unknown, ...names: K[]): told is Record<K, unknown> =>
  typeof told === "object" && told !== null && names.every((name) => name in told);

/* Whether something that only workflows tell is what they tell: anyone can send a signal. */

const isChildEnd = (told: unknown): told is wire.ChildEnd =>
  has(told, "id", "call", "attempt", "outcome");

const isParent = (told: unknown): told is wire.Parent =>
  Array.isArray(told) && typeof told[0] === "string" && typeof told[2] === "number";
