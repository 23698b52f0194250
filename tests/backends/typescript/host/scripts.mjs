// Plays scripts in simulated time: node scripts.mjs FOLDER < cases. Prints what each run has led to.
//
// A case is {runtime, module, workflow, data, until, samples, replies, delays, counted, acts}: answers as the simulator's
// `Scripted` gives them, what is not said answered with samples; acts are {at, kind, name, value}, so long after the start.

import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { read } from './stdin.mjs';
import { START, World } from './world.mjs';

const folder = path.resolve(process.argv[2]);
const load = (file) => import(pathToFileURL(path.join(folder, file)).href);

/** Answers attempt by attempt; the last answer stays, unless it says how often it comes. */
class Scripted {
  constructor({ samples, replies, delays, counted }) {
    Object.assign(this, { samples, replies, delays, counted, turns: new Map() });
  }

  answer({ target }) {
    const replies = this.replies[target] ?? [];
    const turn = this.turns.get(target) ?? 0;
    this.turns.set(target, turn + 1);
    const scripted = replies.length > 0 && (turn < replies.length || !this.counted.includes(target));
    const sample = target in this.samples ? { kind: 'value', value: this.samples[target], delay: 0 } : undefined;
    const found = scripted ? replies[Math.min(turn, replies.length - 1)] : sample;
    if (found === undefined || !(target in this.delays)) return found;
    return { ...found, delay: found.delay || this.delays[target] };
  }

  chance() {
    return 0.5;
  }
}

async function act(world, instance, { kind, name, value }) {
  if (kind === 'event') {
    await world.send(name, value);
    return;
  }
  if (kind === 'cancel') {
    await world.operator(instance, 'cancel');
    return;
  }
  for (const [id, running] of world.running) {
    for (const { key, operation, of } of running.instance.unattended) {
      if (operation !== name && of !== name) continue;
      await world.operator(id, kind, key, value);
      return;
    }
  }
}

async function played(given) {
  const { definitions } = await load(given.module);
  const world = new World(await load(given.runtime), definitions, new Scripted(given));
  const [instance, refused] = await world.start(given.workflow, given.data);
  if (refused === undefined) {
    await world.advance(0);
    for (const each of given.acts) {
      await world.runUntil(Math.max(START + each.at, world.now));
      await act(world, instance, each);
      await world.advance(0);
    }
    await world.runUntil(START + given.until);
  }
  const ends = Object.fromEntries([...world.running].map(([id, { instance: each, end }]) => [id, [each.status, end?.value]]));
  const { records, letters, emitted, measured } = world;
  return { refused, records, letters, emitted, measured, ends };
}

const results = [];
for (const given of await read()) {
  results.push(await played(given).catch((defect) => ({ defect: String(defect.stack) })));
}
process.stdout.write(JSON.stringify(results));
