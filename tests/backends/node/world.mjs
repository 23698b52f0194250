// What the tests of the host share: a host with scripted activities, and what became of everything.

import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

const folder = path.resolve(process.argv[2]);
const load = (file) => import(pathToFileURL(path.join(folder, file)).href);

export const runtime = await load('wfc-runtime/wfc-runtime.js');
export const node = await load('wfc-node/wfc-node.js');
export const definitions = {};
const NAMES = ['plain', 'thrice', 'uneven', 'beats', 'fused', 'twice', 'slow', 'narrow', 'secretly', 'openly', 'parked', 'undone', 'stopped', 'pausing', 'late', 'locked', 'asked', 'letter', 'loose', 'parent', 'waits', 'tells', 'hears'];
for (const name of NAMES) Object.assign(definitions, (await load(`${name}.workflow.js`)).definitions);

export const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const OPERATIONS = {
  s: ['a', 'thrice', 'uneven', 'short', 'patient', 'beating', 'parks', 'letter', 'u', 'open', 'read'],
  fused: ['a', 'b', 'twice', 'back'],
  slowly: ['a'],
  narrow: ['a'],
};

/** A host whose activities answer with their first argument, unless `answers` has a function for them. */
export class World {
  constructor(answers = {}, settings = {}) {
    this.calls = [];
    this.records = [];
    this.notices = [];
    this.letters = [];
    this.measured = [];
    const activities = {};
    for (const [service, names] of Object.entries(OPERATIONS)) {
      const entries = names.map((name) => [name, (...args) => this.#call(`${service}.${name}`, answers, args)]);
      activities[service] = Object.fromEntries(entries);
    }
    this.host = new node.NodeHost({
      workflows: definitions,
      activities,
      secrets: { token: 'the token' },
      onAudit: (record) => this.records.push(record),
      onDeadLetter: (instance, letter) => this.letters.push({ instance, ...letter }),
      onMeasure: (metric) => this.measured.push(metric),
      onNotice: (notice) => this.notices.push(notice),
      ...settings,
    });
  }

  #call(name, answers, given) {
    const args = given.slice(0, -1);
    const context = given.at(-1);
    const count = this.called(name).length + 1;
    this.calls.push({ name, args, at: Date.now(), key: context.key, attempt: context.attempt });
    return answers[name] === undefined ? args[0] : answers[name](args[0], context, count);
  }

  called(name) {
    return this.calls.filter((call) => call.name === name);
  }

  /** Starts a workflow; its result as text: the value, or the name of the error. */
  async begin(name, input) {
    const { instance, result } = await this.host.startByName(name, input);
    const end = result.then((value) => String(value), (error) => (error instanceof runtime.Failure ? `failed: ${error.error.is}` : `defect: ${String(error)}`));
    return { instance, end };
  }

  async run(name, input) {
    return (await this.begin(name, input)).end;
  }

  /** Kinds of audit records, of one instance or of all. */
  kinds(instance) {
    return this.records.filter((record) => instance === undefined || record.instance === instance).map(({ kind }) => kind);
  }

  of(kind) {
    return this.records.filter((record) => record.kind === kind).map(({ detail }) => detail);
  }
}

/** Waits until something holds, and fails if it never does. */
export async function until(test, what = 'what is waited for') {
  for (let i = 0; i < 400; i += 1) {
    if (test()) return;
    await sleep(10);
  }
  throw new Error(`${what} did not come: ${test.toString()}`);
}

/** Runs each case; prints {name: what went wrong or null}. */
export async function report(cases) {
  const names = Object.keys(cases);
  const told = await Promise.all(names.map(async (name) => {
    try {
      await cases[name]();
      return [name, null];
    } catch (error) {
      return [name, error instanceof Error ? error.stack : String(error)];
    }
  }));
  process.stdout.write(JSON.stringify(Object.fromEntries(told)));
}
