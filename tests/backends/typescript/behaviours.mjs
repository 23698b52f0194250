// Runs the workflows of programs/behaviours.wf in simulated time: node behaviours.mjs FOLDER. Prints {name: what went wrong or null}.

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { World } from './host/world.mjs';

const folder = path.resolve(process.argv[2]);
const load = (file) => import(pathToFileURL(path.join(folder, file)).href);
const runtime = await load('wfc-runtime/wfc-runtime.js');
const definitions = {};
for (const file of await readdir(folder)) {
  if (file.endsWith('.workflow.js')) Object.assign(definitions, (await load(file)).definitions);
}

/** Answers with its first argument; `bad` raises, `slow` takes a minute. */
const plain = ([name]) => {
  if (name === 'bad') return { raises: { is: 'Broken', reason: 'bad' } };
  if (name === 'slow') return { after: 60_000, value: name };
  return { after: 10, value: name };
};
const ANSWERS = { 's.a': plain, 's.needs': plain, 's.retried': plain, 's.note': () => ({}), 's.u': () => ({}), 's.ask': () => ({ hangs: true }) };

/** A world in which operations answer as functions of their arguments and of how often they have been called say. */
class Told extends World {
  constructor(answers) {
    super(runtime, definitions, { chance: () => 0.5, answer: (send) => this.#answer(answers, send) });
  }

  #answer(answers, { target, args }) {
    if (!(target in answers)) return undefined;
    const { after: delay = 0, hangs = false, raises, value } = answers[target](args, this.called(target).length);
    if (hangs) return { kind: 'hangs' };
    if (raises === undefined) return { kind: 'value', value, delay };
    return typeof raises === 'string' ? { kind: 'system', value: raises, delay } : { kind: 'error', value: raises, delay };
  }

  /** Begins an instance of its own key. */
  async begin(name, input) {
    const [instance] = await this.start(name, input);
    await this.advance(0);
    return this.running.get(instance);
  }

  async hear(run, type, data) {
    await this.advance(0);
    const refused = await this.deliver(run.id, { kind: 'event', at: this.now, event: { type, data } });
    await this.advance(0);
    return refused;
  }

  async operate(run, action, key, value) {
    await this.advance(0);
    const refused = await this.operator(run.id, action, key, value);
    await this.advance(0);
    return refused;
  }

  called(operation) {
    const sent = this.attempts.map(({ send }) => send);
    return sent.filter(({ target }) => operation === undefined || target === operation);
  }

  get path() {
    return this.records.filter(({ kind, detail }) => kind === 'entered' && detail.scope !== true).map(({ path: at }) => at);
  }

  get undone() {
    return this.records.filter(({ kind }) => kind === 'undone').map(({ detail }) => detail.operation);
  }
}

const world = (more = {}) => new Told({ ...ANSWERS, ...more });
const undos = (w) => w.called('s.u').map((call) => call.args[0]);

const cases = {
  async 'a happy path answers, measures and emits'() {
    const w = world();
    const run = await w.begin('Sequence', { id: 'i' });
    await w.advance(1000);
    assert.deepEqual(run.done, { value: '123' });
    assert.deepEqual(w.path, ['A', 'B']);
    assert.deepEqual(w.measured, [['runs', 1]]);
    assert.deepEqual(w.emitted, [{ type: 'Finished', data: { id: 'i', total: 3 } }]);
    assert.deepEqual(w.called().map((c) => c.key), ['1', '2', '3'].map((n) => `Sequence/i/s.a/${n}`));
    assert.deepEqual(undos(w), []);
  },
  async 'an error undoes what was done, newest first'() {
    const w = world({ 's.a': ([name]) => (name === '3' ? plain(['bad']) : plain([name])) });
    const run = await w.begin('Sequence', { id: 'i' });
    await w.advance(1000);
    assert.deepEqual(run.done, { error: { is: 'Broken', reason: 'bad' } });
    assert.deepEqual(undos(w), ['2', '1']);
    assert.deepEqual(w.called('s.u').map((c) => c.key), ['Sequence/i/s.a/2/undo', 'Sequence/i/s.a/1/undo']);
  },
  async 'the host tries again, and a call in doubt is undone without its result'() {
    const w = world({ 's.retried': () => ({ raises: 'Unavailable' }) });
    const run = await w.begin('Retry', { id: 'i' });
    await w.advance(60_000);
    assert.equal(run.done.error.is, 'Unavailable');
    assert.equal(w.called('s.retried').length, 3);
    assert.deepEqual(undos(w), ['x']);
  },
  async 'a failing branch stops the others before anything is undone'() {
    const w = world();
    const run = await w.begin('Fork', { id: 'i' });
    await w.advance(120_000);
    assert.equal(run.done.error.is, 'Broken');
    const order = undos(w);
    assert.equal(order.at(-1), 'before');
    assert.deepEqual([...order].sort(), ['before', 'l1', 'r1'].concat(order.includes('l2') ? ['l2'] : []).sort());
  },
  async 'a deadline interrupts a scope, undoes it, then its tail runs'() {
    const w = world();
    const run = await w.begin('Deadline', { id: 'i' });
    await w.advance(3_599_000);
    assert.equal(run.done, undefined);
    await w.advance(2000);
    assert.deepEqual(run.done, { value: 'late' });
    assert.deepEqual(undos(w), ['1']);
    assert.deepEqual(w.path, ['Work.A', 'Late']);
  },
  async 'an event is taken when its condition holds, refused when it does not fit'() {
    const w = world();
    const run = await w.begin('Deadline', { id: 'i' });
    await w.advance(100);
    assert.equal(await w.hear(run, 'Stop', { id: 'i' }), 'wrong-event');
    assert.match(await w.hear(run, 'Ping', { id: 'i', n: 1 }), /unknown-event/);
    assert.equal(await w.hear(run, 'Stop', { id: 'i', reason: '' }), undefined);
    assert.equal(run.done, undefined);
    assert.equal(await w.hear(run, 'Stop', { id: 'i', reason: 'late' }), undefined);
    await w.advance(100);
    assert.deepEqual(run.done, { value: 'stopped: late' });
  },
  async 'guards beside run their blocks: events one at a time, ticks, ignored events'() {
    const w = world({ 's.note': () => ({ after: 1000 }) });
    const run = await w.begin('Guards', { id: 'i' });
    await w.advance(100);
    await w.hear(run, 'Ping', { id: 'i', n: 1 });
    await w.hear(run, 'Ping', { id: 'i', n: 2 });
    assert.equal(w.called('s.note').length, 1);
    await w.advance(3000);
    assert.equal(w.called('s.note').length, 2);
    await w.hear(run, 'Blip', { id: 'i' });
    await w.advance(36 * 60_000);
    assert.deepEqual(run.done, { value: 306 });
  },
  async 'joins: first, n of, settled, for each'() {
    const w = world();
    const run = await w.begin('Joins', { id: 'i' });
    await w.advance(300_000);
    assert.deepEqual(run.done, { value: 'a 2 true e32' });
    assert.deepEqual(undos(w), ['slow', 'slow', 'p']); // services that are asked to stop go on
  },
  async 'an undo inside a lock comes before its release, an exit leaves it'() {
    const w = world();
    const released = [];
    const release = w.locks.release.bind(w.locks);
    w.locks.release = (...lock) => { released.push(undos(w).length); release(...lock); };
    const run = await w.begin('Locked', { id: 'i' });
    await w.advance(1000);
    assert.equal(run.done.error.is, 'Broken');
    assert.deepEqual(undos(w), ['1']);
    assert.deepEqual(released, [1]);
    const other = world({ 's.a': () => ({ value: 'go' }) });
    const left = await other.begin('Locked', { id: 'i' });
    await other.advance(1000);
    assert.deepEqual(left.done, { value: 'left' });
    assert.equal(other.locks.held.size, 0);
  },
  async 'a lock that is not free in time is an error'() {
    const w = world();
    const shelf = { name: 'shelf', key: 'i', rank: 1, capacity: 1 };
    w.locks.held.set('other', { lock: 'l', resources: [shelf] });
    const run = await w.begin('Locked', { id: 'i' });
    await w.advance(31_000);
    assert.equal(run.done.error.is, 'LockTimeout');
  },
  async 'a pivot holds guards back, and what is older is final'() {
    const w = world({ 's.pay': () => ({ after: 5000, value: 'paid' }) });
    const run = await w.begin('Pivot', { id: 'i' });
    await w.advance(100);
    await w.hear(run, 'Stop', { id: 'i', reason: 'x' });
    assert.match(await w.operate(run, 'cancel'), /point-of-no-return/);
    await w.advance(6000);
    assert.deepEqual(run.done, { value: 'paid' });
    assert.deepEqual(undos(w), []);
    assert.ok(w.records.some((record) => record.kind === 'pivot'));
    assert.deepEqual(w.records.at(-1).detail.unconsumed, ['Stop']);
  },
  async 'a pivot that an operator gives up aborts as any other error'() {
    const w = world({ 's.pay': () => ({ raises: 'Unavailable' }) });
    const run = await w.begin('Pivot', { id: 'i' });
    await w.advance(100);
    const [step] = run.instance.unattended.map(({ key }) => key);
    await w.operate(run, 'raise', step, { is: 'Unavailable' });
    await w.advance(100);
    assert.deepEqual(run.done, { error: { is: 'Unavailable' } });
    assert.deepEqual(undos(w), ['1']);
  },
  async 'a parked step is tried again, or supplied with a value'() {
    const w = world({ 's.parks': (_, n) => (n < 3 ? { raises: 'Unavailable' } : { value: 'x' }) });
    const run = await w.begin('Parked', { id: 'i' });
    await w.advance(100);
    const [step] = run.instance.unattended.map(({ key }) => key);
    assert.equal(await w.operate(run, 'retry', 'nothing'), 'unknown-step');
    await w.operate(run, 'retry', step);
    assert.deepEqual(run.instance.unattended.map(({ key }) => key), [step]);
    await w.operate(run, 'supply', step, 'given');
    await w.advance(100);
    assert.deepEqual(run.done, { value: 'given' });
    assert.deepEqual(new Set(w.called('s.parks').map((call) => call.key)).size, 1);
  },
  async 'a dead letter hides what is personal'() {
    const w = world({ 's.letter': () => ({ raises: 'Unavailable' }) });
    const parcel = { id: 'p', weight: 2, email: 'ann@example.com' };
    const run = await w.begin('Letter', { id: 'i', parcel });
    await w.advance(100);
    assert.deepEqual(run.done, { value: 'the service could not be reached' });
    assert.deepEqual(JSON.parse(JSON.stringify(w.letters[0].args)), [{ ...parcel, email: '***' }]);
    assert.equal(w.letters[0].queue, 'letters');
  },
  async 'what comes in is looked at'() {
    const w = world();
    const [, refused] = await w.start('Letter', { id: 'i', parcel: { id: 'p', weight: 0, email: 'x' } });
    assert.equal(refused, 'wrong-input');
    const wrong = world({ 's.a': () => ({ value: 7 }) });
    const run = await wrong.begin('Sequence', { id: 'i' });
    await wrong.advance(100);
    assert.equal(run.done.error.is, 'Invalid');
    assert.deepEqual(undos(wrong), ['1']);
  },
  async 'a failed undo becomes a dead letter, the rest goes on, and a redrive clears the flag'() {
    let broken = true;
    const w = world({
      's.a': ([name]) => (name === '3' ? plain(['bad']) : plain([name])),
      's.u': ([name]) => (name === '2' && broken ? { raises: 'Unavailable' } : {}),
    });
    const run = await w.begin('Sequence', { id: 'i' });
    await w.advance(1000);
    assert.deepEqual(w.letters.map((letter) => [letter.operation, letter.args[0]]), [['s.u', '2']]);
    assert.deepEqual(w.undone, ['s.a']);
    assert.equal(run.end.incomplete, true);
    broken = false;
    assert.equal(await w.operate(run, 'retry', 'Sequence/i/s.a/2'), undefined);
    await w.advance(100);
    assert.deepEqual(w.undone, ['s.a', 's.a']);
    assert.deepEqual(run.instance.unattended, []);
  },
  async 'a child is undone through its parent'() {
    const w = world();
    const run = await w.begin('Parent', { id: 'i' });
    await w.advance(2000);
    assert.deepEqual(run.done, { error: { is: 'Rejected' } });
    assert.deepEqual(undos(w), ['after', 'c2', 'c1']);
    assert.ok(w.called('s.a').some((call) => call.key === 'Parent/i/Child/i/s.a/c1'));
  },
  async 'own undos, with stored values, in place of the log'() {
    const w = world({ 's.maybe': () => ({ value: { is: 'No' } }) });
    const run = await w.begin('Own', { id: 'i' });
    await w.advance(2000);
    assert.deepEqual(run.done, { error: { is: 'Rejected' } });
    assert.deepEqual(undos(w), ['call call', 'n', 'own i', 'second', 'last']);
  },
  async 'a guard with keep leaves what has been done to be undone later'() {
    const w = world();
    const run = await w.begin('Keep', { id: 'i' });
    await w.advance(2000);
    assert.equal(run.done.error.is, 'Rejected');
    assert.deepEqual(undos(w), ['t', 'kept']);
  },
  async 'an operator cancels: everything is undone'() {
    const w = world();
    const run = await w.begin('Deadline', { id: 'i' });
    await w.advance(1000);
    assert.equal(await w.operate(run, 'cancel'), undefined);
    await w.advance(1000);
    assert.deepEqual(run.done, { error: { is: 'OperatorCancel' } });
    assert.deepEqual(undos(w), ['1']);
    assert.equal(await w.operate(run, 'cancel'), 'not-running');
  },
  async 'events wait in the inbox; only the newest of a latest one'() {
    const w = world();
    const run = await w.begin('Gather', { id: 'i' });
    await w.hear(run, 'Card', { id: 'i', number: '1' });
    await w.hear(run, 'Ping', { id: 'i', n: 2 });
    await w.hear(run, 'Card', { id: 'i', number: '2' });
    await w.hear(run, 'Card', { id: 'i', number: '3' });
    await w.advance(1000);
    assert.deepEqual(run.done, { value: '123' });
  },
  async 'a value from the tail of a guard of a scope is that of the scope'() {
    const w = world();
    const run = await w.begin('Tail', { id: 'i' });
    await w.advance(1000);
    assert.deepEqual(run.done, { value: 'end caught bad' });
    assert.deepEqual(undos(w), ['1']);
  },
  async 'a turn without end is a defect, not a process that hangs'() {
    await assert.rejects(() => world().begin('Endless', { id: 'i' }), /goes round without ever waiting/);
    await assert.rejects(() => world().begin('Around', { id: 'i' }), /goes round without ever waiting/);
  },
  async 'decimal numbers are exact'() {
    const w = world({ 's.fetch': () => ({ value: { id: 'p', weight: 1, email: 'e', note: null } }) });
    const lines = [{ amount: '0.10', share: '3' }, { amount: '0.2', share: '1.5' }];
    const run = await w.begin('Values', { id: 'i', price: { amount: '10', share: '0.55' }, lines });
    await w.advance(100);
    assert.deepEqual(run.done, { value: '0.60 EUR 3.333333333333333333333333333333333 EUR 1.10 Fast true 0.20 EUR i 3' });
  },
};

const told = {};
for (const [name, run] of Object.entries(cases)) {
  try {
    await run();
    told[name] = null;
  } catch (error) {
    told[name] = String(error.stack ?? error);
  }
}
process.stdout.write(JSON.stringify(told, undefined, 2));
