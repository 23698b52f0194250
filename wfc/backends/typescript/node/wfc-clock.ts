// Real time.

const LONGEST = 2_147_483_647; // milliseconds: Node fires a longer timer at once

/** Tells the time, which never goes back here, and wakes up at an instant. */
export class Clock {
  #latest = 0;

  now(): number {
    this.#latest = Math.max(this.#latest, Date.now());
    return this.#latest;
  }

  /** Does something once an instant has been reached, however far it is; what it answers takes that back. */
  at(instant: number, act: () => void): () => void {
    let timer: ReturnType<typeof setTimeout>;
    const sleep = (): void => {
      const left = Math.min(LONGEST, Math.max(0, instant - this.now()));
      timer = setTimeout(() => {
        if (this.now() < instant) sleep();
        else act();
      }, left);
    };
    sleep();
    return () => {
      clearTimeout(timer);
    };
  }
}
