// A host in simulated time for the tests: services answer as a script says, one input at a time.

const RETRIED = new Set(['Timeout', 'Unavailable']);

/** Starts a workflow in a world where `answers` says what operations do: a function of (args, attempt, world). */
export class World {
  constructor(runtime, definitions, answers = {}, start = 946_684_800_000) {
    Object.assign(this, { runtime, definitions, answers, now: start });
    this.seq = 0;
    this.due = [];
    this.records = [];
    this.calls = [];
    this.letters = [];
    this.emitted = [];
    this.measured = [];
    this.locks = new Map();
    this.instances = new Map();
  }

  at(ms, act) {
    const entry = { at: this.now + ms, seq: (this.seq += 1), act };
    this.due.push(entry);
    return entry;
  }

  start(name, input, instance = `${name}/1`) {
    const world = this;
    const host = { info: { workflow: name, version: 1, instance }, send: (command) => world.take(run, command) };
    const run = { instance: undefined, timers: new Map(), stops: new Map(), done: undefined };
    run.instance = new this.runtime.Instance(this.definitions[name], host);
    this.instances.set(instance, run);
    run.result = run.instance.start(this.now, input).then(
      (value) => (run.done = { value }),
      (failure) => (run.done = failure instanceof this.runtime.Failure ? { error: failure.error } : { defect: failure }),
    );
    return run;
  }

  take(run, command) {
    const deliver = (input) => run.instance.deliver({ at: this.now, ...input });
    switch (command.kind) {
      case 'record': this.records.push(command.record); return;
      case 'letter': this.letters.push(command.letter); return;
      case 'emit': this.emitted.push(command.event); return;
      case 'measure': this.measured.push([command.metric, command.value]); return;
      case 'arm': run.timers.set(command.id, this.at(command.at - this.now, () => deliver({ kind: 'fired' }))); return;
      case 'disarm': this.drop(run.timers.get(command.id)); return;
      case 'lock': this.lock(run, command, deliver); return;
      case 'unlock': this.unlock(command.id); return;
      case 'cancel': run.stops.get(command.id)?.(); return;
      case 'call': this.call(run, command, deliver); return;
      default: throw new Error(command.kind);
    }
  }

  drop(entry) {
    this.due = this.due.filter((other) => other !== entry);
  }

  lock(run, { id, locks, waitMs }, deliver) {
    const free = () => locks.every(({ name, key }) => ![...this.locks.values()].flat().includes(`${name}(${key})`));
    const grant = () => {
      this.locks.set(id, locks.map(({ name, key }) => `${name}(${key})`));
      deliver({ kind: 'lock', id, state: 'granted' });
    };
    if (free()) this.at(0, grant);
    else this.at(waitMs, () => (free() ? grant() : deliver({ kind: 'lock', id, state: 'timeout' })));
  }

  unlock(id) {
    this.locks.delete(id);
  }

  call(run, { id, key, call }, deliver) {
    const finish = (outcome) => {
      run.stops.delete(id);
      deliver({ kind: 'outcome', id, outcome });
    };
    if (call.kind === 'undo') {
      const child = this.instances.get(call.args[0]);
      void child.instance.undo(this.now).then(() => this.at(0, () => finish({ kind: 'value', value: undefined, attempts: 1 })));
      return;
    }
    if ((call.kind === 'workflow' || call.kind === 'start') && !(call.name in this.answers)) {
      const child = this.start(call.name, call.args[0], key);
      if (call.kind === 'start') {
        this.at(0, () => finish({ kind: 'value', value: undefined, attempts: 1 }));
        return;
      }
      run.stops.set(id, () => child.instance.deliver({ at: this.now, kind: 'cancel' }));
      void child.result.then(() => {
        const { value, error } = child.done;
        const outcome = error === undefined ? { kind: 'value', value, attempts: 1 }
          : error.is === 'OperatorCancel' ? { kind: 'cancelled' } : { kind: 'error', error, attempts: 1 };
        this.at(0, () => finish(outcome));
      });
      return;
    }
    this.attempt(run, { id, key, call }, 1, finish);
  }

  attempt(run, { id, key, call }, attempt, finish) {
    this.calls.push({ operation: call.name, args: call.args, key, attempt });
    const answer = this.answers[call.name]?.(call.args, this.calls.filter((c) => c.operation === call.name).length, key);
    const { after = 0, hangs = false, raises, value } = answer ?? {};
    const policy = call.policy;
    const end = () => {
      if (raises === undefined) return finish({ kind: 'value', value, attempts: attempt });
      const error = typeof raises === 'string' ? { is: raises } : raises;
      const system = ['Timeout', 'Unavailable', 'Invalid'].includes(error.is);
      const again = RETRIED.has(error.is) && (policy?.attempts === 'forever' || attempt < (policy?.attempts ?? 1));
      if (again) {
        const pause = Math.min(policy.backoffMs * policy.factor ** (attempt - 1), policy.maxMs);
        const entry = this.at(pause, () => this.attempt(run, { id, key, call }, attempt + 1, finish));
        run.stops.set(id, () => { this.drop(entry); this.at(0, () => finish({ kind: 'cancelled' })); });
        return undefined;
      }
      if (system) return finish({ kind: 'system', code: error.is, attempts: attempt, sent: true });
      return finish({ kind: 'error', error, attempts: attempt });
    };
    const limit = policy?.timeoutMs ?? Number.POSITIVE_INFINITY;
    if (hangs) {
      const entry = limit === Number.POSITIVE_INFINITY ? undefined : this.at(limit, () => finish({ kind: 'system', code: 'Timeout', attempts: attempt, sent: true }));
      run.stops.set(id, () => { this.drop(entry); this.at(Math.min(limit, 30_000), () => finish({ kind: 'silent' })); });
      return;
    }
    const entry = this.at(after, end);
    if (answer?.stops) run.stops.set(id, () => { this.drop(entry); this.at(0, () => finish({ kind: 'cancelled' })); });
  }

  async settle() {
    for (let i = 0; i < 60; i += 1) await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets time pass; everything due on the way happens. */
  async advance(ms) {
    const end = this.now + ms;
    for (;;) {
      await this.settle();
      const next = this.due.sort((a, b) => a.at - b.at || a.seq - b.seq)[0];
      if (next === undefined || next.at > end) break;
      this.drop(next);
      this.now = Math.max(this.now, next.at);
      next.act();
    }
    this.now = end;
    await this.settle();
  }

  async send(run, type, data) {
    await this.advance(0);
    const refusal = run.instance.deliver({ at: this.now, kind: 'event', event: { type, data } });
    await this.advance(0);
    return refusal;
  }

  async operator(run, input) {
    await this.advance(0);
    const refusal = run.instance.deliver({ at: this.now, ...input });
    await this.advance(0);
    return refusal;
  }

  get undone() {
    return this.records.filter((record) => record.kind === 'undone').map((record) => record.detail.operation);
  }

  get path() {
    return this.records.filter((record) => record.kind === 'entered').map((record) => record.path);
  }

  called(operation) {
    return this.calls.filter((call) => call.operation === operation);
  }
}
