// Duties of the host on Node, with the real cockatiel and short real times: node host.mjs FOLDER.

import assert from 'node:assert/strict';
import { World, definitions, node, report, runtime, sleep, until } from './world.mjs';

const never = () => new Promise(() => undefined);
const down = () => Promise.reject(new Error('down'));
/** Time that a timer of Node may be early by the clock. */
const EARLY = 2;

async function thrown(value) {
  const world = new World({ 's.a': () => { throw value; } });
  assert.equal(await world.run('Plain', { id: 'x' }), 'failed: Unavailable');
  assert.deepEqual(world.calls.map(({ name }) => name), ['s.a', 's.u']);
  const [{ error, detail }] = world.of('attempt failed');
  assert.equal(error, 'Unavailable');
  return detail;
}

await report({
  async 'a policy of three attempts makes three, with one key'() {
    const world = new World({ 's.thrice': down });
    assert.equal(await world.run('Thrice', { id: 'x' }), 'failed: Unavailable');
    assert.deepEqual(world.calls.map(({ attempt }) => attempt), [1, 2, 3]);
    assert.equal(new Set(world.calls.map(({ key }) => key)).size, 1);
  },
  async 'pauses grow as the policy says, and nothing is taken off by itself'() {
    const world = new World({ 's.thrice': down }, { chance: () => 1 });
    await world.run('Thrice', { id: 'x' });
    const [one, two, three] = world.calls.map(({ at }) => at);
    assert.ok(two - one >= 40 - EARLY, `${two - one}`);
    assert.ok(three - two >= 80 - EARLY, `${three - two}`);
  },
  async 'jitter takes off what chance says'() {
    for (const [chance, least, most] of [[0, 1_000, 60_000], [1, 500, 980]]) {
      const world = new World({ 's.uneven': (id, _, count) => (count === 1 ? down() : id) }, { chance: () => chance });
      assert.equal(await world.run('Uneven', { id: 'x' }), 'x');
      const [one, two] = world.calls.map(({ at }) => at);
      assert.ok(two - one >= least - EARLY && two - one < most, `${chance}: ${two - one}`);
    }
  },
  async 'a business error is not tried again, however it is thrown'() {
    for (const error of [new runtime.Failure({ is: 'Broken', reason: 'r' }), { is: 'Broken', reason: 'r' }]) {
      const world = new World({ 's.thrice': () => { throw error; } });
      assert.equal(await world.run('Thrice', { id: 'x' }), 'failed: Broken');
      assert.equal(world.calls.length, 1);
    }
  },
  async 'whatever is thrown, the call has failed, with a detail'() {
    assert.equal(await thrown(undefined), 'undefined');
    assert.equal(await thrown(null), 'null');
    assert.equal(await thrown('text'), "'text'");
    assert.equal(await thrown(new TypeError('fetch failed')), 'TypeError: fetch failed');
    assert.match(await thrown({ a: { b: { c: 1 } } }), /a: \{ b: \[Object\] \}/);
    assert.match(await thrown(new Proxy({}, { has() { throw new Error('no'); }, getPrototypeOf() { throw new Error('no'); } })), /cannot be looked at/);
    assert.match(await thrown(Object.create({ get is() { throw new Error('no'); } })), /cannot be looked at/);
    assert.equal((await thrown(new Error('x'.repeat(5000)))).length, 501);
    assert.match(await thrown(Symbol('s')), /Symbol\(s\)/);
  },
  async 'an answer that does not fit, an undeclared error and a missing activity are system errors'() {
    let world = new World({ 's.a': () => 5 });
    assert.equal(await world.run('Plain', { id: 'x' }), 'failed: Invalid');
    world = new World({ 's.a': () => { throw { is: 'Rejected' }; } });
    assert.equal(await world.run('Plain', { id: 'x' }), 'failed: Invalid');
    world = new World({}, { activities: {} });
    assert.equal(await world.run('Plain', { id: 'x' }), 'failed: Unavailable');
    assert.equal(world.of('in doubt').length, 0);
  },
  async 'an activity that does not answer times out; its late answer changes nothing, and is told'() {
    const seen = [];
    const world = new World({ 's.short': async (id, { signal }) => {
      signal.addEventListener('abort', () => seen.push('asked to stop'));
      await sleep(700);
      return id;
    } });
    assert.equal(await world.run('Late', { id: 'x' }), 'other x');
    assert.deepEqual(seen, ['asked to stop']);
    assert.equal(world.of('attempt failed')[0].error, 'Timeout');
    await until(() => world.notices.length > 0);
    assert.deepEqual(world.notices.map(({ kind }) => kind), ['late']);
  },
  async 'an activity that never answers holds nobody up'() {
    const world = new World({ 's.short': never });
    assert.equal(await world.run('Late', { id: 'x' }), 'other x');
  },
  async 'a call that is asked to stop and works all the same is undone'() {
    const world = new World({ 's.a': async (id, { signal }) => {
      await until(() => signal.aborted);
      await sleep(30);
      return id;
    } });
    const { end } = await world.begin('Stopped', { id: 'x' });
    await until(() => world.calls.length === 1);
    assert.equal(await world.host.event('Stop', { id: 'x', reason: 'r' }), undefined);
    assert.equal(await end, 'stopped: r');
    assert.deepEqual(world.calls.map(({ name }) => name), ['s.a', 's.u']);
  },
  async 'a call that says it has stopped leaves nothing to undo; one that dies on the way is in doubt'() {
    for (const [error, names] of [[new node.Stopped(), ['s.a']], [new DOMException('aborted', 'AbortError'), ['s.a', 's.u']]]) {
      const world = new World({ 's.a': (_, { signal }) => new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => { reject(error); });
      }) });
      const { end } = await world.begin('Stopped', { id: 'x' });
      await until(() => world.calls.length === 1);
      await world.host.event('Stop', { id: 'x', reason: 'r' });
      assert.equal(await end, 'stopped: r');
      assert.deepEqual(world.calls.map(({ name }) => name), names);
    }
  },
  async 'a request that was not sent leaves no doubt'() {
    const world = new World({ 's.a': () => { throw new node.NotSent('no route'); } });
    assert.equal(await world.run('Plain', { id: 'x' }), 'failed: Unavailable');
    assert.deepEqual(world.calls.map(({ name }) => name), ['s.a']);
    assert.equal(world.of('attempt failed')[0].detail, 'NotSent: no route');
  },
  async 'a long pause ends when its call is no longer wanted'() {
    const world = new World({ 's.patient': down });
    const begun = Date.now();
    const { end } = await world.begin('Pausing', { id: 'x' });
    await until(() => world.kinds().includes('attempt failed'));
    await world.host.event('Stop', { id: 'x', reason: 'r' });
    assert.equal(await end, 'stopped: r');
    assert.ok(Date.now() - begun < 30_000);
  },
  async 'a breaker is shared by all instances: it opens, lets one probe through, and closes'() {
    let works = false;
    let release = () => undefined;
    const world = new World({ 'fused.a': (id) => (works ? new Promise((resolve) => { release = () => { resolve(id); }; }) : down()) });
    for (const id of ['1', '2', '3']) assert.equal(await world.run('Fused', { id }), 'failed: Unavailable');
    assert.equal(world.host.isOpen('fused'), true);
    assert.equal(await world.run('Fused', { id: '4' }), 'failed: Unavailable');
    assert.equal(world.called('fused.a').length, 3);
    assert.equal(world.of('attempt failed').at(-1).detail, 'the breaker is open');
    await sleep(1_050);
    works = true;
    const probe = await world.begin('Fused', { id: '5' });
    await until(() => world.called('fused.a').length === 4);
    // One beside the probe is refused at once; it does not wait for the probe.
    assert.equal(await world.run('Fused', { id: '6' }), 'failed: Unavailable');
    release();
    assert.equal(await probe.end, '5');
    assert.equal(world.host.isOpen('fused'), false);
    const last = await world.begin('Fused', { id: '7' });
    await until(() => world.called('fused.a').length === 5);
    release();
    assert.equal(await last.end, '7');
  },
  async 'a probe that fails opens the breaker for another while'() {
    const world = new World({ 'fused.a': down });
    for (const id of ['1', '2', '3']) await world.run('Fused', { id });
    await sleep(1_050);
    await world.run('Fused', { id: '4' });
    assert.equal(world.called('fused.a').length, 4);
    await world.run('Fused', { id: '5' });
    assert.equal(world.called('fused.a').length, 4);
    await sleep(1_050);
    await world.run('Fused', { id: '6' });
    assert.equal(world.called('fused.a').length, 5);
  },
  async 'a probe that times out is a failure too'() {
    const world = new World({ 'fused.a': never });
    await Promise.all(['1', '2', '3'].map((id) => world.run('Fused', { id })));
    assert.equal(world.host.isOpen('fused'), true);
    await sleep(1_050);
    await world.run('Fused', { id: '4' });
    await world.run('Fused', { id: '5' });
    assert.equal(world.called('fused.a').length, 4);
  },
  async 'consecutive attempts of one call count once for the breaker'() {
    const world = new World({ 'fused.twice': down });
    for (const id of ['1', '2']) await world.run('Twice', { id });
    assert.equal(world.called('fused.twice').length, 4);
    assert.equal(world.host.isOpen('fused'), false);
    await world.run('Twice', { id: '3' });
    assert.equal(world.host.isOpen('fused'), true);
    assert.equal(world.called('fused.twice').length, 5);
  },
  async 'business errors and wrong answers do not open a breaker'() {
    const world = new World({ 'fused.a': (id) => { if (id > '2') return 5; throw { is: 'Broken', reason: 'r' }; } });
    for (const id of ['1', '2', '3', '4']) await world.run('Fused', { id });
    assert.equal(world.host.isOpen('fused'), false);
  },
  async 'an undo passes an open breaker, and closes it'() {
    let fails = false;
    const world = new World({ 'fused.a': (id) => (fails ? down() : id), 's.a': async (id) => {
      fails = true;
      for (const each of ['1', '2', '3']) await world.run('Fused', { id: each });
      assert.equal(world.host.isOpen('fused'), true);
      return id;
    } });
    assert.equal(await world.run('Undone', { id: 'x' }), 'failed: Rejected');
    assert.equal(world.called('fused.back').length, 1);
    assert.equal(world.host.isOpen('fused'), false);
  },
  async 'hosts do not share breakers, and none is there before it is used'() {
    const one = new World({ 'fused.a': down });
    for (const id of ['1', '2', '3']) await one.run('Fused', { id });
    const other = new World();
    assert.equal(other.host.isOpen('fused'), false);
    assert.equal(await other.run('Fused', { id: 'x' }), 'x');
  },
  async 'a limit holds for all instances together'() {
    const world = new World();
    await Promise.all(['1', '2', '3', '4', '5'].map((id) => world.run('Slow', { id })));
    const at = world.called('slowly.a').map((call) => call.at);
    assert.equal(at.length, 5);
    assert.ok(at[2] - at[0] >= 200 - EARLY && at[4] - at[2] >= 200 - EARLY, at.map((each) => each - at[0]).join());
  },
  async 'at most two at once; the time of an attempt begins when it is sent'() {
    let now = 0;
    let most = 0;
    const world = new World({ 'narrow.a': async () => {
      now += 1;
      most = Math.max(most, now);
      await sleep(300);
      now -= 1;
    } });
    const ends = await Promise.all(['1', '2', '3', '4', '5', '6'].map((id) => world.run('Narrow', { id })));
    assert.deepEqual(new Set(ends), new Set(['undefined']));
    assert.equal(most, 2);
  },
  async 'an attempt that reports lives on; one that falls silent fails'() {
    const world = new World({ 's.beating': async (id, { heartbeat }) => {
      for (let i = 0; i < (id === 'good' ? 5 : 1); i += 1) {
        await sleep(250);
        heartbeat();
      }
      if (id === 'bad') await never();
      return id;
    } });
    assert.deepEqual(await Promise.all([world.run('Beats', { id: 'good' }), world.run('Beats', { id: 'bad' })]), ['good', 'failed: Timeout']);
  },
  async 'one instance at a time holds a lock, also beyond its lease while it lives'() {
    let inside = 0;
    let most = 0;
    const world = new World({ 's.a': async (id) => {
      inside += 1;
      most = Math.max(most, inside);
      await sleep(250);
      inside -= 1;
      return id;
    } });
    assert.deepEqual(await Promise.all(['1', '2', '3'].map((id) => world.run('Locked', { id }))), ['undefined', 'undefined', 'undefined']);
    assert.equal(most, 1);
    assert.deepEqual(world.called('s.a').map(({ args }) => args[0]), ['1', '2', '3']);
    assert.deepEqual(world.notices, []);
  },
  async 'an instance that has broken down loses its lock when the lease runs out'() {
    const broken = { name: 'Broken', version: 1, audit: true, events: {}, parse: (input) => input, run: (wf) => wf.lock([{ name: 'book', key: 'b', rank: 20, capacity: 1, leaseMs: 100 }], 1_000, () => Promise.reject(new RangeError('a bug'))) };
    const world = new World();
    const { result } = await world.host.start(broken, {});
    await assert.rejects(result, /a bug/);
    assert.equal(world.host.status('Broken/x'), undefined);
    assert.equal(await world.run('Locked', { id: '1' }), 'undefined');
    assert.deepEqual(world.notices.map(({ kind }) => kind), ['defect', 'lock']);
  },
  async 'an event finds its instance by key, once, and is refused where nobody can take it'() {
    const world = new World();
    const one = await world.begin('Waits', { id: '1' });
    const two = await world.begin('Waits', { id: '2' });
    assert.equal(await world.host.event('Told', { id: '2', word: 'hello' }), undefined);
    assert.equal(await two.end, 'hello');
    assert.equal(await world.host.event('Told', { id: '2', word: 'again' }), 'not-running');
    assert.equal(await world.host.event('Told', { id: '1' }), 'wrong-event');
    assert.equal(await world.host.event('Nothing', {}), 'unknown-event');
    assert.equal(await world.host.event('toString', {}), 'unknown-event');
    assert.equal(world.host.status(one.instance), 'running');
    await world.host.operate(one.instance, 'cancel');
    assert.equal(await one.end, 'failed: OperatorCancel');
  },
  async 'a fact that one instance emits is heard by another'() {
    const world = new World();
    const { end } = await world.begin('Hears', { id: 'h' });
    await world.run('Tells', { id: 't', other: 'h' });
    assert.equal(await end, 'from t');
  },
  async 'a child answers its parent, and undoes itself when the parent fails'() {
    const world = new World();
    assert.equal(await world.run('Parent', { id: 'fine' }), 'child fine');
    assert.equal(await world.run('Parent', { id: 'undo' }), 'failed: Rejected');
    assert.deepEqual(world.calls.map(({ name, args }) => `${name} ${args[0]}`), ['s.a child fine', 's.a child undo', 's.u child undo']);
    assert.ok(world.kinds().includes('child undone'));
    await sleep(20);
    assert.equal(world.records.map(({ instance }) => instance).filter((id) => world.host.status(id) !== undefined).length, 0);
  },
  async 'a failing child fails its parent with its error'() {
    const world = new World({ 's.a': () => { throw { is: 'Broken', reason: 'child' }; } });
    assert.equal(await world.run('Parent', { id: 'x' }), 'failed: Broken');
  },
  async 'a task waits for its answer, takes one, and is withdrawn when nobody wants it'() {
    const world = new World();
    const one = await world.begin('Asked', { id: '1' });
    const two = await world.begin('Asked', { id: '2' });
    const three = await world.begin('Asked', { id: '3' });
    const task = (instance) => world.host.tasks.find((each) => each.instance === instance);
    const first = task(one.instance);
    assert.deepEqual([first.operation, first.args, first.assign], ['s.ask', ['1'], [{ is: 'role', name: 'clerk' }]]);
    assert.equal(await world.host.answer(first.id, 'yes'), 'wrong-value');
    assert.equal(await world.host.refuse(first.id, { is: 'Timeout' }), 'wrong-value');
    assert.equal(task(one.instance).id, first.id);
    const told = await Promise.all([world.host.answer(first.id, true), world.host.answer(first.id, false)]);
    assert.deepEqual(told, [undefined, 'unknown-call']);
    assert.equal(await one.end, 'true');
    const withdrawn = task(two.instance);
    await world.host.event('Stop', { id: '2', reason: 'r' });
    assert.equal(await two.end, 'false');
    assert.equal(await world.host.answer(withdrawn.id, true), 'unknown-call');
    assert.equal(await world.host.refuse(task(three.instance).id, { is: 'Rejected' }), undefined);
    assert.equal(await three.end, 'failed: Rejected');
    assert.deepEqual(world.host.tasks, []);
  },
  async 'a parked step waits for an operator: again, supplied or raised'() {
    const world = new World({ 's.parks': (id, _, count) => (count > 3 ? id : down()) });
    const parked = async (id) => {
      const { instance, end } = await world.begin('Parked', { id });
      await until(() => world.host.unattended.some((open) => open.instance === instance));
      return { instance, end, open: world.host.unattended.find((open) => open.instance === instance) };
    };
    const [one, two, three] = [await parked('1'), await parked('2'), await parked('3')];
    assert.equal(one.open.kind, 'parked');
    assert.equal(await world.host.operate(one.instance, 'supply', 'nothing', 'x'), 'unknown-step');
    assert.equal(await world.host.operate(one.instance, 'supply', one.open.key, 7), 'wrong-value');
    assert.equal(await world.host.operate(one.instance, 'supply', one.open.key, 'given'), undefined);
    assert.equal(await one.end, 'given');
    assert.equal(await world.host.operate(two.instance, 'raise', two.open.key, { is: 'Broken', reason: 'r' }), undefined);
    assert.equal(await two.end, 'failed: Broken');
    assert.equal(await world.host.operate(three.instance, 'retry', three.open.key), undefined);
    assert.equal(await three.end, '3');
  },
  async 'a dead letter is written, and redriven after the end of its instance, which is forgotten then'() {
    const world = new World({ 's.letter': (id, _, count) => (count > 1 ? id : down()) });
    const { instance, end } = await world.begin('Letter', { id: 'x' });
    assert.equal(await end, 'given up');
    assert.deepEqual(world.letters.map(({ queue, operation }) => [queue, operation]), [['letters', 's.letter']]);
    const [open] = world.host.unattended;
    assert.equal(await world.host.operate(instance, 'retry', open.key), undefined);
    await until(() => world.kinds().includes('redriven'));
    await until(() => world.host.status(instance) === undefined);
  },
  async 'what the sinks of the program throw stops nothing'() {
    const bad = () => { throw new Error('full'); };
    const notices = [];
    const world = new World({}, { onAudit: bad, onMeasure: () => Promise.reject(new Error('later')), onNotice: (notice) => { notices.push(notice); bad(); } });
    assert.equal(await world.run('Plain', { id: 'x' }), 'x');
    await sleep(10);
    assert.deepEqual(new Set(notices.map(({ kind }) => kind)), new Set(['sink']));
    assert.ok(notices.some(({ text }) => text === 'Error: later'));
  },
  async 'one instance of a key runs at a time, and a wrong input starts nothing'() {
    const world = new World();
    const both = await Promise.allSettled([world.host.startByName('Waits', { id: '1' }), world.host.startByName('Waits', { id: '1' })]);
    assert.deepEqual(both.map(({ status, reason }) => reason?.reason ?? status), ['fulfilled', 'already-running']);
    await assert.rejects(world.host.startByName('Waits', { id: 5 }), { reason: 'wrong-input' });
    await assert.rejects(world.host.startByName('Unknown', {}), { reason: 'unknown-workflow' });
    await assert.rejects(world.host.startByName('constructor', {}), { reason: 'unknown-workflow' });
    assert.equal(world.host.status('Waits/5'), undefined);
    world.host.stop();
  },
  async 'a secret reaches the activity, and no record'() {
    const world = new World();
    assert.equal(await world.run('Secretly', { id: 'x' }), 'the token');
    assert.ok(!JSON.stringify(world.records).includes('the token'));
    const without = new World({}, { secrets: {} });
    assert.equal(await without.run('Secretly', { id: 'x' }), 'failed: Unavailable');
    assert.equal(without.calls.length, 0);
  },
  async 'a record that looks like a secret is none'() {
    const world = new World({ 's.read': async (letter) => letter.secret });
    assert.equal(await world.run('Openly', { id: 'token' }), 'token');
    assert.equal(await world.run('Openly', { id: 'unknown' }), 'unknown');
  },
  async 'a failed workflow that nobody waits for does not end the process'() {
    const world = new World({ 's.a': down });
    await world.host.startByName('Plain', { id: 'x' });
    await until(() => world.kinds().includes('failed'));
    assert.equal(definitions.Plain.audit, true);
  },
  async 'a stopped host waits for nothing and calls nothing more'() {
    const world = new World({ 's.thrice': down });
    await world.begin('Thrice', { id: 'x' });
    await until(() => world.calls.length === 1);
    world.host.stop();
    await sleep(200);
    assert.equal(world.calls.length, 1);
  },
});
