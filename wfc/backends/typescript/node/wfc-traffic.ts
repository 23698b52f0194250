// What all instances of a process share when they call: one breaker, one limit, one queue for each service.

import type { Send } from "../wfc-runtime/wfc-runtime.js";
import { Breaker, type Verdict } from "./wfc-breaker.js";
import type { Clock } from "./wfc-clock.js";

/** An attempt on its way, or waiting for its turn. */
export interface Flight {
  readonly send: Send;
  /** Gives the breaker its verdict. */
  readonly settle: (verdict: Verdict) => void;
  /** When the breaker has taken it in. */
  readonly settled: Promise<void>;
  readonly go: (waited: boolean) => void;
}

interface Service {
  breaker: Breaker | undefined;
  waiting: Flight[];
  /** When the last attempts were sent. */
  sent: number[];
  readonly flying: Set<Flight>;
  wake: (() => void) | undefined;
}

/** Sends attempts, within what policies allow. */
export class Traffic {
  readonly #clock: Clock;
  readonly #services = new Map<string, Service>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sends an attempt, now or when it is its turn. Without an answer it is not sent: the breaker is open. */
  send(call: string, send: Send, go: (waited: boolean) => void): Flight | undefined {
    const service = this.#service(send);
    let settle: (verdict: Verdict) => void = () => undefined;
    const verdict = new Promise<Verdict>((resolve) => {
      settle = resolve;
    });
    let settled: Promise<void> | undefined = Promise.resolve();
    if (send.breaker !== undefined) {
      service.breaker ??= new Breaker(send.breaker);
      settled = service.breaker.pass(call, send.undo, verdict);
    }
    if (settled === undefined) return undefined;
    const flight = { send, settle, settled, go };
    if (send.limit === undefined && send.concurrency === undefined) go(false);
    else {
      service.waiting.push(flight);
      this.#pump(service);
    }
    return flight;
  }

  /** An attempt has been answered, or is no longer waited for. */
  async over(flight: Flight, verdict: Verdict): Promise<void> {
    const service = this.#service(flight.send);
    service.flying.delete(flight);
    service.waiting = service.waiting.filter((each) => each !== flight);
    flight.settle(verdict);
    await flight.settled;
    if (flight.send.breaker === undefined && flight.send.undo && verdict === "answered")
      service.breaker?.close();
    this.#pump(service);
  }

  /** Whether the breaker of a service is open. */
  isOpen(service: string): boolean {
    return this.#services.get(service)?.breaker?.isOpen ?? false;
  }

  /** Sends nothing more. */
  stop(): void {
    for (const service of this.#services.values()) {
      service.wake?.();
      service.waiting = [];
    }
  }

  #service({ target }: Send): Service {
    const name = serviceOf(target);
    const made = this.#services.get(name) ?? {
      breaker: undefined,
      waiting: [],
      sent: [],
      flying: new Set<Flight>(),
      wake: undefined,
    };
    this.#services.set(name, made);
    return made;
  }

  /** Sends what may be sent now, in the order in which it came. */
  #pump(service: Service): void {
    service.wake?.();
    service.wake = undefined;
    for (let next = service.waiting[0]; next !== undefined; next = service.waiting[0]) {
      const { concurrency, limit } = next.send;
      if (concurrency !== undefined && service.flying.size >= concurrency) return;
      const now = this.#clock.now();
      if (limit !== undefined) {
        service.sent = service.sent.filter((at) => at > now - limit.perMs);
        const oldest = service.sent[0];
        if (oldest !== undefined && service.sent.length >= Math.max(1, limit.count)) {
          service.wake = this.#clock.at(oldest + limit.perMs, () => {
            this.#pump(service);
          });
          return;
        }
      }
      service.waiting.shift();
      service.sent.push(now);
      service.flying.add(next);
      next.go(true);
    }
  }
}

/** The service of an operation: all but the last part of its name. */
export const serviceOf = (target: string): string =>
  target.slice(0, Math.max(0, target.lastIndexOf(".")));
