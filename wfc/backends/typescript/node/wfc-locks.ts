// Locks in memory: first come, first served, and each request gets all of its resources together.

import type { Resource } from "../wfc-runtime/wfc-runtime.js";
import type { Clock } from "./wfc-clock.js";

/** Who asks for resources. */
export interface Holder {
  /** Whether its leases are renewed. One that has broken down loses its locks when they run out. */
  readonly lives: boolean;
  granted(lock: string): void;
  lost(lock: string): void;
}

interface Request {
  readonly holder: Holder;
  readonly lock: string;
  readonly resources: readonly Resource[];
}

interface Held extends Request {
  endLease: () => void;
}

/** The resources of a process. Requests name theirs in rank order, and all are granted at once: nobody waits in a circle. */
export class Locks {
  readonly #clock: Clock;
  #held: Held[] = [];
  #waiting: Request[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ask(holder: Holder, lock: string, resources: readonly Resource[]): void {
    this.#waiting.push({ holder, lock, resources });
    this.#grant();
  }

  /** Gives resources back, or no longer asks for them. */
  release(holder: Holder, lock: string): void {
    const isMeant = (each: Request): boolean => each.holder === holder && each.lock === lock;
    for (const each of this.#held) if (isMeant(each)) each.endLease();
    this.#held = this.#held.filter((each) => !isMeant(each));
    this.#waiting = this.#waiting.filter((each) => !isMeant(each));
    this.#grant();
  }

  /** Renews nothing more. */
  stop(): void {
    for (const each of this.#held) each.endLease();
    this.#held = [];
    this.#waiting = [];
  }

  /** Who came first gets first: one that waits keeps its resources from all behind it. */
  #grant(): void {
    const wanted = new Set<string>();
    for (const request of [...this.#waiting]) {
      const names = request.resources.map(nameOf);
      const isFree = request.resources.every((each) => this.#taken(nameOf(each)) < each.capacity);
      if (isFree && !names.some((name) => wanted.has(name))) this.#hold(request);
      else for (const name of names) wanted.add(name);
    }
  }

  #hold(request: Request): void {
    const held = { ...request, endLease: () => undefined };
    this.#waiting = this.#waiting.filter((each) => each !== request);
    this.#held.push(held);
    this.#lease(held);
    request.holder.granted(request.lock);
  }

  /** The lease is renewed while its holder lives. */
  #lease(held: Held): void {
    const shortest = Math.min(...held.resources.map(({ leaseMs }) => leaseMs));
    if (!Number.isFinite(shortest)) return;
    held.endLease = this.#clock.at(this.#clock.now() + shortest, () => {
      if (held.holder.lives) {
        this.#lease(held);
        return;
      }
      this.release(held.holder, held.lock);
      held.holder.lost(held.lock);
    });
  }

  #taken(name: string): number {
    return this.#held.flatMap(({ resources }) => resources).filter((each) => nameOf(each) === name)
      .length;
  }
}

const nameOf = ({ name, key }: Resource): string => `${name}\0${key}`;
