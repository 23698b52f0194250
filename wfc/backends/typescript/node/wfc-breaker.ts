// The breaker of a service: cockatiel's, with the counting and the probes that the language promises.

import {
  CircuitState,
  circuitBreaker,
  handleType,
  type CircuitBreakerPolicy,
  type IBreaker,
} from "cockatiel";
import type { Policy } from "../wfc-runtime/wfc-runtime.js";

/** What an attempt says of its service. `unknown`: it was stopped before anything was known. */
export type Verdict = "failed" | "answered" | "unknown";

type Numbers = NonNullable<Policy["breaker"]>;

/** Tells cockatiel of a failure. Nobody else sees it. */
class Outage extends Error {
  override readonly name = "Outage";
}

/** Counts failures within a time; consecutive ones of one call count once. */
class Tally implements IBreaker {
  state: unknown;
  readonly #numbers: Numbers;
  #failures: { readonly at: number; readonly call: string }[] = [];

  constructor(numbers: Numbers) {
    this.#numbers = numbers;
  }

  note(call: string): void {
    const now = Date.now();
    if (this.#failures.at(-1)?.call !== call) this.#failures.push({ at: now, call });
    this.#failures = this.#failures.filter(({ at }) => at > now - this.#numbers.withinMs);
  }

  clear(): void {
    this.#failures = [];
  }

  success(state: CircuitState): void {
    if (state === CircuitState.HalfOpen) this.clear();
  }

  failure(state: CircuitState): boolean {
    if (state !== CircuitState.Closed || this.#failures.length < this.#numbers.failures)
      return false;
    this.clear();
    return true;
  }
}

/** What cockatiel tells of a breaker that is open or being probed. */
interface Saved {
  readonly ownState: Readonly<Record<string, unknown>>;
}

/** Open, it lets nothing through until its time is over; then one attempt is a probe. */
export class Breaker {
  readonly #numbers: Numbers;
  readonly #tally: Tally;
  #policy: CircuitBreakerPolicy;

  constructor(numbers: Numbers) {
    this.#numbers = numbers;
    this.#tally = new Tally(numbers);
    this.#policy = this.#made(undefined);
  }

  /**
   * Lets an attempt through, or not: then there is no answer. Else the answer is settled once the verdict has been taken
   * in. An undo always passes; if the breaker is open, it is a probe.
   */
  pass(call: string, isUndo: boolean, verdict: Promise<Verdict>): Promise<void> | undefined {
    if (isUndo && this.#policy.state !== CircuitState.Closed) this.#policy = this.#readyToProbe();
    // cockatiel would let an attempt wait for the probe, and then send it.
    if (this.#policy.state === CircuitState.HalfOpen) return undefined;
    const policy = this.#policy;
    const isProbe = policy.state !== CircuitState.Closed;
    const way = { passed: false };
    const over = policy.execute(async () => {
      way.passed = true;
      const found = await verdict;
      if (found === "failed") {
        if (this.#policy.state === CircuitState.Closed) this.#tally.note(call);
        throw new Outage();
      }
      // A probe that was stopped has shown nothing: the next attempt is the probe.
      if (found === "unknown" && isProbe && this.#policy === policy)
        this.#policy = this.#readyToProbe();
    });
    const settled = over.catch(() => undefined);
    return way.passed ? settled : undefined;
  }

  /** Something has reached the service although the breaker was not asked. */
  close(): void {
    if (this.#policy.state === CircuitState.Closed) return;
    this.#tally.clear();
    this.#policy = this.#made(undefined);
  }

  get isOpen(): boolean {
    return this.#policy.state !== CircuitState.Closed;
  }

  #made(initialState: unknown): CircuitBreakerPolicy {
    const { probeMs } = this.#numbers;
    return circuitBreaker(handleType(Outage), {
      halfOpenAfter: probeMs,
      breaker: this.#tally,
      initialState,
    });
  }

  /** The same breaker, still open, with its time over. */
  #readyToProbe(): CircuitBreakerPolicy {
    const { ownState } = this.#policy.toJSON() as Saved;
    return this.#made({ ownState: { ...ownState, openedAt: 0 } });
  }
}
