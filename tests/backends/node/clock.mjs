// The host over long times, with patched globals for a clock. A timer that is too long fires at once, as Node's does.

import assert from 'node:assert/strict';

const DAY = 86_400_000;
const LONGEST = 2 ** 31 - 1;
let now = Date.UTC(2026, 0, 1);
let serial = 0;
let timers = [];
globalThis.setTimeout = (act, ms = 0) => {
  serial += 1;
  timers.push({ id: serial, at: now + (ms > LONGEST ? 1 : Math.max(1, ms)), act });
  return serial;
};
globalThis.clearTimeout = (id) => {
  timers = timers.filter((each) => each.id !== id);
};
Date.now = () => now;

const { World, report } = await import('./world.mjs');

/** Lets everything happen that needs no time. */
const calm = async () => {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => { setImmediate(resolve); });
};

/** Lets time pass; timers fire on the way. */
async function pass(ms) {
  const end = now + ms;
  await calm();
  for (;;) {
    timers.sort((a, b) => a.at - b.at || a.id - b.id);
    const [next] = timers;
    if (next === undefined || next.at > end) break;
    timers = timers.slice(1);
    now = Math.max(now, next.at);
    next.act();
    await calm();
  }
  now = end;
}

const down = () => Promise.reject(new Error('down'));
const turns = [];
/** Cases share the clock, so they run one after another. */
const alone = (act) => async () => {
  const before = turns.at(-1);
  let done;
  turns.push(new Promise((resolve) => { done = resolve; }));
  await before;
  timers = [];
  try {
    await act();
  } finally {
    done();
  }
};

const cases = {
  async 'a deadline of forty days comes after forty days'() {
    const world = new World();
    const { end } = await world.begin('Waits', { id: 'x' });
    await pass(30 * DAY);
    assert.equal(world.host.status('Waits/x'), 'running');
    assert.ok(timers.every(({ at }) => at - now <= LONGEST));
    await pass(10 * DAY - 1);
    assert.equal(world.host.status('Waits/x'), 'running');
    await pass(1);
    assert.equal(await end, 'nobody');
    assert.equal(world.records.at(-1).at - world.records[0].at, 40 * DAY);
    assert.deepEqual(timers, []);
  },
  async 'failures that are long ago do not open a breaker'() {
    const world = new World({ 'fused.a': down });
    for (const id of ['1', '2']) await world.run('Fused', { id });
    await pass(60_001);
    for (const id of ['3', '4']) await world.run('Fused', { id });
    assert.equal(world.host.isOpen('fused'), false);
    await world.run('Fused', { id: '5' });
    assert.equal(world.host.isOpen('fused'), true);
  },
  async 'a breaker lets its probe through after its time, not before'() {
    const world = new World({ 'fused.a': down });
    for (const id of ['1', '2', '3']) await world.run('Fused', { id });
    await pass(999);
    await world.run('Fused', { id: '4' });
    assert.equal(world.calls.length, 3);
    await pass(1);
    await world.run('Fused', { id: '5' });
    assert.equal(world.calls.length, 4);
  },
  async 'a probe that is stopped shows nothing: the next attempt is the probe'() {
    let hangs = false;
    const world = new World({ 'fused.a': (id) => (hangs ? new Promise(() => undefined) : id > '3' ? id : down()) });
    for (const id of ['1', '2', '3']) await world.run('Fused', { id });
    await pass(1_000);
    hangs = true;
    const probe = await world.begin('Fused', { id: '4' });
    await calm();
    await world.host.operate(probe.instance, 'cancel');
    hangs = false;
    await calm();
    assert.equal(await world.run('Fused', { id: '5' }), '5');
    assert.equal(world.host.isOpen('fused'), false);
  },
  async 'pauses are exactly as long as the policy says'() {
    const world = new World({ 's.thrice': down });
    const { end } = await world.begin('Thrice', { id: 'x' });
    await pass(1_000);
    assert.equal(await end, 'failed: Unavailable');
    const at = world.calls.map((call) => call.at - world.calls[0].at);
    assert.deepEqual(at, [0, 40, 120]);
  },
  async 'a limit counts what was sent within its time'() {
    const world = new World();
    const ends = await Promise.all(['1', '2', '3', '4', '5'].map((id) => world.begin('Slow', { id })));
    await pass(10_000);
    await Promise.all(ends.map(({ end }) => end));
    assert.deepEqual(world.calls.map((call) => call.at - world.calls[0].at), [0, 0, 200, 200, 400]);
  },
  async 'time that goes back on the wall does not go back in the host'() {
    const world = new World();
    await world.begin('Waits', { id: 'x' });
    now -= 3_600_000;
    assert.equal(await world.host.event('Told', { id: 'x', word: 'late' }), undefined);
    await calm();
    now += 3_600_000;
    assert.deepEqual(world.kinds().at(-1), 'completed');
  },
};
await report(Object.fromEntries(Object.entries(cases).map(([name, act]) => [name, alone(act)])));
