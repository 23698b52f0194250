// A world in simulated time for generated workflows: the JavaScript of `wfc/simulation/world.py` and `services.py`.
//
// It keeps the clock, delivers what is due in the order of one instant, runs children and detached workflows, keeps
// breakers, limits and locks, and routes events by key. A model says how services answer.

export const START = 946_684_800_000; // 2000-01-01T00:00:00Z
const FAILURES = ['Timeout', 'Unavailable'];
const SYSTEM = ['Timeout', 'Unavailable', 'Invalid', 'LockTimeout', 'LockLost', 'AlreadyRunning'];
const pair = (instance, call) => `${instance}\0${call}`;

export class World {
  /** `model.answer(send, world, instance)` is {kind, value, delay, sent}, or nothing for a workflow that runs for real. */
  constructor(runtime, definitions, model, now = START) {
    Object.assign(this, { runtime, definitions, model, now });
    this.running = new Map();
    this.records = [];
    this.attempts = [];
    this.letters = [];
    this.emitted = [];
    this.measured = [];
    this.refusals = [];
    this.services = new Services(this);
    this.locks = new Locks(this);
    this.due = [];
    this.dropped = new Set();
    this.alarms = new Map();
    this.serial = 0;
    this.steps = 0;
  }

  /* -- what is due */

  /** Does something at an instant, in the order of what falls on it; its number, to drop it again. */
  later(at, rank, act) {
    this.serial += 1;
    this.due.push({ at, rank, serial: this.serial, act });
    return this.serial;
  }

  /** Delivers an input at an instant. */
  input(instance, given) {
    return this.later(given.at, this.runtime.rank(given), () => this.deliver(instance, given));
  }

  /** Something from outside, where events have their place. */
  act(at, what) {
    return this.later(at, 5, what);
  }

  drop(number) {
    this.dropped.add(number);
  }

  #sorted() {
    this.due = this.due.filter((each) => !this.dropped.delete(each.serial));
    this.due.sort((a, b) => a.at - b.at || a.rank - b.rank || a.serial - b.serial);
    return this.due;
  }

  /** The next instant at which something is due. */
  next() {
    return this.#sorted()[0]?.at;
  }

  /** Delivers everything due up to an instant, which it then is. */
  async runUntil(at) {
    for (let next = this.next(); next !== undefined && next <= at; next = this.next()) {
      const { at: moment, act } = this.due.shift();
      this.now = Math.max(this.now, moment);
      this.steps += 1;
      if (this.steps > 200_000) throw new Error('a run that goes on without end');
      await act();
    }
    this.now = Math.max(this.now, at);
  }

  /** Lets time pass; everything due on the way happens. */
  async advance(milliseconds) {
    await this.runUntil(this.now + milliseconds);
  }

  /* -- inputs */

  /** Gives an input to an instance and does what it asks for; why it is refused, if it is. */
  async deliver(instance, given) {
    const running = this.running.get(instance);
    if (given.kind === 'answered') {
      const failed = given.how === 'system' && FAILURES.includes(given.value);
      this.services.ended(instance, given.call, given.attempt, failed);
    }
    const refused = running === undefined ? 'not-running' : running.instance.deliver(given);
    if (refused !== undefined) {
      this.refusals.push([instance, refused]);
      return refused;
    }
    await running.instance.idle();
    await this.#take(running);
    return undefined;
  }

  /** Does what a turn has asked for. */
  async #take(running) {
    if (running.defect !== undefined) throw running.defect;
    const commands = running.out.splice(0);
    const records = commands.filter(({ kind }) => kind === 'record').map(({ record }) => record);
    this.records.push(...records);
    for (const { kind, detail } of records) {
      if (kind === 'attempt failed') this.services.failed(running.id, detail.call, detail.error);
    }
    for (const command of commands) await this.#obey(running, command);
  }

  /** Begins an instance; why it is refused, if it is. */
  async #begin(instance, workflow, data, child) {
    if (this.running.has(instance)) return 'already-running';
    const definition = this.definitions[workflow];
    const running = { id: instance, workflow, out: [], stopped: false, parent: undefined, undoer: undefined };
    const info = { workflow, version: definition.version, instance, child };
    running.instance = new this.runtime.Instance(definition, { info, send: (command) => running.out.push(command) });
    let refused;
    running.instance.start(this.now, data).then(
      (value) => { running.done = { value }; },
      (error) => {
        if (error instanceof this.runtime.Misfit) refused = 'wrong-input';
        else if (error instanceof this.runtime.Failure) running.done = { error: error.error };
        else running.defect = error;
      },
    );
    await running.instance.idle();
    await Promise.resolve();
    if (refused !== undefined) {
      this.refusals.push([instance, refused]);
      return refused;
    }
    running.key = definition.key === undefined ? instance.split('/').at(-1) : definition.key(definition.parse(data));
    this.running.set(instance, running);
    await this.#take(running);
    return undefined;
  }

  /** Starts an instance from outside; its id, and why it is refused, if it is. */
  async start(workflow, data, key) {
    const definition = this.definitions[workflow];
    let shown = key;
    if (definition.key !== undefined) {
      try {
        shown = String(definition.key(definition.parse(data)));
      } catch (misfit) {
        if (!(misfit instanceof this.runtime.Misfit)) throw misfit;
      }
    }
    const instance = `${workflow}/${shown || '1'}`;
    return [instance, await this.#begin(instance, workflow, data, false)];
  }

  /** Delivers an event to every running instance it is meant for; why none took it, if none did. */
  async send(type, data) {
    let refused = 'not-running';
    let taken = false;
    for (const [instance, running] of [...this.running]) {
      const spec = this.definitions[running.workflow].events[type];
      let meant = running.instance.status === 'running';
      try {
        meant &&= spec === undefined || (spec.key !== undefined && spec.key(spec.parse(data)) === running.key);
      } catch (misfit) {
        if (!(misfit instanceof this.runtime.Misfit)) throw misfit;
        return 'wrong-event';
      }
      if (!meant) continue;
      const why = await this.deliver(instance, { kind: 'event', at: this.now, event: { type, data } });
      taken ||= why === undefined;
      refused = why ?? refused;
    }
    return taken ? undefined : refused;
  }

  /** An operator acts on an instance, on its parked step or on its dead letter. */
  async operator(instance, action, key = '', value = undefined) {
    return this.deliver(instance, { kind: 'operator', at: this.now, action, key, value });
  }

  /* -- commands */

  async #obey(running, command) {
    const { id } = running;
    switch (command.kind) {
      case 'record': return;
      case 'send': await this.services.send(id, command); return;
      case 'stop': this.#stop(id, command.call, command.attempt); return;
      case 'alarm': {
        const old = this.alarms.get(id);
        if (old !== undefined) this.drop(old);
        this.alarms.delete(id);
        if (command.at !== undefined) this.alarms.set(id, this.input(id, { kind: 'time', at: command.at }));
        return;
      }
      case 'lock': this.locks.ask(id, command); return;
      case 'unlock': this.locks.release(id, command.lock); return;
      case 'emitted': this.#emit(command.event); return;
      case 'measured': this.measured.push([command.metric, command.value]); return;
      case 'dead letter': this.letters.push({ instance: id, ...command.letter }); return;
      case 'ended': this.#ended(running, command); return;
      default: throw new Error(command.kind);
    }
  }

  /** An attempt has been sent: it is answered as the model says. */
  reply(instance, send) {
    this.attempts.push({ at: this.now, instance, send });
    if (send.what === 'undo') {
      const child = this.running.get(send.key);
      if (child === undefined) { // the model answered for it: there is nothing to undo
        this.#answer(instance, send, 'value', undefined, true);
        return undefined;
      }
      child.undoer = [instance, send.call, send.attempt];
      this.act(this.now, async () => {
        const refused = await this.deliver(send.key, { kind: 'undone', at: this.now });
        if (refused !== undefined) this.#answer(instance, send, 'system', 'Unavailable', false);
      });
      return undefined;
    }
    const found = this.model.answer(send, this, instance);
    if (found === undefined) return this.#child(instance, send);
    if (found.kind === 'hangs') return undefined;
    const { kind: how, value, delay = 0, sent = true } = found;
    const { call, attempt } = send;
    const at = this.now + delay;
    const number = this.input(instance, { kind: 'answered', at, call, attempt, how, value, sent, chance: this.model.chance() });
    if (send.what === 'task') this.services.tasks.set(pair(instance, call), number);
    return undefined;
  }

  /** A workflow runs for real. */
  async #child(instance, send) {
    const detached = send.what === 'start';
    let refused = this.running.get(send.key)?.instance.status === 'running';
    if (!refused) {
      this.running.delete(send.key);
      refused = (await this.#begin(send.key, send.target, send.args[0], !detached)) !== undefined;
    }
    if (!refused && !detached) {
      const child = this.running.get(send.key);
      child.parent = [instance, send.call, send.attempt];
      if (child.instance.status !== 'running') this.#tellParent(child);
      return;
    }
    this.#answer(instance, send, refused ? 'system' : 'value', refused ? 'AlreadyRunning' : undefined, false);
  }

  #answer(instance, { call, attempt }, how, value, sent, incomplete = false) {
    const chance = this.model.chance();
    this.input(instance, { kind: 'answered', at: this.now, call, attempt, how, value, sent, chance, incomplete });
  }

  #ended(running, command) {
    if (command.how === 'undone') {
      if (running.undoer === undefined) return;
      const [instance, call, attempt] = running.undoer;
      running.undoer = undefined;
      this.#answer(instance, { call, attempt }, 'value', undefined, true, command.incomplete);
      return;
    }
    running.end = command;
    if (running.parent !== undefined) this.#tellParent(running);
  }

  #tellParent(child) {
    const [instance, call, attempt] = child.parent;
    const { how, value, incomplete } = child.end;
    const name = how === 'failed' ? value.is : '';
    let told = ['error', value, true];
    if (how === 'done') told = ['value', value, true];
    else if (name === 'OperatorCancel' && child.stopped) told = ['cancelled', undefined, true];
    else if (name === 'OperatorCancel') told = ['system', 'Unavailable', false];
    else if (SYSTEM.includes(name)) told = ['system', name, false];
    this.#answer(instance, { call, attempt }, ...told, incomplete);
  }

  /** Asks an attempt to stop. A child cancels itself; a task is withdrawn; a service goes on and is not heard. */
  #stop(instance, call, attempt) {
    const task = this.services.tasks.get(pair(instance, call));
    this.services.tasks.delete(pair(instance, call));
    if (task !== undefined) this.drop(task);
    this.services.stopped(instance, call, attempt);
    for (const [id, running] of this.running) {
      if (running.parent?.[0] !== instance || running.parent[1] !== call) continue;
      running.stopped = true;
      this.input(id, { kind: 'operator', at: this.now, action: 'cancel' });
    }
  }

  /** A fact is heard by other instances, after this turn. */
  #emit(event) {
    this.emitted.push(event);
    for (const [id, running] of this.running) {
      const spec = this.definitions[running.workflow].events[event.type];
      if (spec?.key === undefined || running.instance.status !== 'running') continue;
      if (spec.key(event.data) === running.key) this.input(id, { kind: 'event', at: this.now, event });
    }
  }

  /** An attempt that is not sent, for the breaker of the service is open. */
  refuse(instance, send) {
    this.#answer(instance, send, 'system', 'Unavailable', false);
  }

  /** Something that waits for its turn may be sent then. */
  wakeServices(at) {
    this.later(at, 6, () => this.services.pump());
  }

  /** A call that had to wait for its turn is sent. */
  sentNow(instance, { call, attempt }) {
    this.input(instance, { kind: 'sent', at: this.now, call, attempt });
  }

  grant(instance, lock) {
    this.input(instance, { kind: 'locked', at: this.now, lock, state: 'granted' });
  }
}

/** What all instances share: breakers and limits. */
class Services {
  constructor(world) {
    this.world = world;
    this.tasks = new Map();
    this.services = new Map();
    this.calls = new Map();
  }

  #service({ target }) {
    const name = target.slice(0, Math.max(0, target.lastIndexOf('.')));
    if (!this.services.has(name)) {
      const breaker = { failures: [], opened: undefined, probing: '' };
      this.services.set(name, { waiting: [], sent: [], flying: new Set(), breaker });
    }
    return this.services.get(name);
  }

  /** Sends an attempt, now or when it is its turn. */
  send(instance, send) {
    const service = this.#service(send);
    this.calls.set(pair(instance, send.call), send);
    if (send.breaker !== undefined && !send.undo && !this.#letsThrough(service, instance, send)) {
      this.world.refuse(instance, send);
      return undefined;
    }
    if (send.limit === undefined && send.concurrency === undefined) return this.world.reply(instance, send);
    service.waiting.push([instance, send]);
    return this.pump();
  }

  #letsThrough({ breaker }, instance, send) {
    if (breaker.opened === undefined) return true;
    if (breaker.probing !== '' || this.world.now < breaker.opened + send.breaker.probeMs) return false;
    breaker.probing = `${instance}/${send.call}`;
    return true;
  }

  /** Sends what may be sent now. A child that is started on the way is waited for at the end. */
  async pump() {
    const begun = [];
    for (const service of this.services.values()) {
      while (service.waiting.length > 0) {
        const [instance, send] = service.waiting[0];
        if (send.concurrency !== undefined && service.flying.size >= send.concurrency) break;
        if (send.limit !== undefined) {
          const { count, perMs } = send.limit;
          while (service.sent.length > 0 && service.sent[0] <= this.world.now - perMs) service.sent.shift();
          if (service.sent.length >= Math.max(1, count)) {
            this.world.wakeServices(service.sent[0] + perMs);
            break;
          }
        }
        service.waiting.shift();
        service.sent.push(this.world.now);
        service.flying.add(pair(instance, send.call));
        this.world.sentNow(instance, send);
        begun.push(this.world.reply(instance, send));
      }
    }
    await Promise.all(begun);
  }

  /** An attempt has been answered, by an error of the system or not: what reaches a service closes its breaker. */
  ended(instance, call, attempt, failed) {
    const send = this.calls.get(pair(instance, call));
    if (send?.attempt !== attempt) return;
    this.#land(instance, send);
    const { breaker } = this.#service(send);
    const probe = send.undo || breaker.probing === `${instance}/${call}`;
    if (breaker.opened !== undefined && probe && !failed) Object.assign(breaker, { opened: undefined, probing: '', failures: [] });
  }

  /** An attempt is no longer waited for. */
  stopped(instance, call, attempt) {
    const send = this.calls.get(pair(instance, call));
    if (send?.attempt !== attempt) return;
    this.#land(instance, send);
    const { breaker } = this.#service(send);
    if (breaker.probing === `${instance}/${call}`) breaker.probing = ''; // the next attempt is the probe
  }

  #land(instance, send) {
    const service = this.#service(send);
    service.flying.delete(pair(instance, send.call));
    service.waiting = service.waiting.filter(([other, each]) => other !== instance || each !== send);
    if (service.waiting.length > 0) void this.pump();
  }

  /** An attempt has failed: consecutive ones of one call count once. */
  failed(instance, call, error) {
    const send = this.calls.get(pair(instance, call));
    if (send?.breaker === undefined || !FAILURES.includes(error)) return;
    const { breaker } = this.#service(send);
    const { failures, withinMs } = send.breaker;
    const { now } = this.world;
    const name = `${instance}/${call}`;
    if (breaker.opened !== undefined) {
      if (breaker.probing === name || send.undo) Object.assign(breaker, { opened: now, probing: '' });
      return;
    }
    if (breaker.failures.at(-1)?.[1] !== name) breaker.failures.push([now, name]);
    breaker.failures = breaker.failures.filter(([at]) => at > now - withinMs);
    if (breaker.failures.length >= failures) Object.assign(breaker, { opened: now, failures: [] });
  }
}

/** Resources with their capacity: first come, first served, and each request gets all of its own together. */
class Locks {
  constructor(world) {
    this.world = world;
    this.held = new Map();
    this.waiting = [];
  }

  ask(instance, lock) {
    this.waiting.push([instance, lock]);
    this.#grant();
  }

  release(instance, lock) {
    this.held.delete(pair(instance, lock));
    this.waiting = this.waiting.filter(([other, each]) => other !== instance || each.lock !== lock);
    this.#grant();
  }

  #grant() {
    const wanted = new Set();
    for (const each of [...this.waiting]) {
      const [instance, lock] = each;
      const names = lock.resources.map(({ name, key }) => pair(name, key));
      const free = lock.resources.every(({ name, key, capacity }) => this.#taken(name, key) < capacity);
      if (free && !names.some((name) => wanted.has(name))) {
        this.waiting = this.waiting.filter((other) => other !== each);
        this.held.set(pair(instance, lock.lock), lock);
        this.world.grant(instance, lock.lock);
      } else for (const name of names) wanted.add(name);
    }
  }

  #taken(name, key) {
    return [...this.held.values()].flatMap((lock) => lock.resources).filter((one) => one.name === name && one.key === key).length;
  }
}
