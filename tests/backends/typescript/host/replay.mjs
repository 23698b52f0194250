// Gives recorded inputs to the TypeScript of a workflow: node replay.mjs FOLDER < cases. Prints, for each case, what each
// turn has led to: the commands and the audit records, or why the input was refused.
//
// A case is {module, workflow, version, instance, child, inputs, timesAttempts}; the first input is `started`.

import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { read } from './stdin.mjs';

const folder = path.resolve(process.argv[2]);
const load = (file) => import(pathToFileURL(path.join(folder, file)).href);

async function replayed(given, { Instance, Misfit }) {
  const { module, workflow, version, instance, child, inputs, timesAttempts } = given;
  const { definitions } = await load(module);
  const out = [];
  const info = { workflow, version, instance, child };
  const send = (command) => out.push(command);
  const run = new Instance(definitions[workflow], { info, timesAttempts, send });
  let defect;
  const turns = [];
  for (const input of inputs) {
    let refused;
    if (input.kind === 'started') {
      run.start(input.at, input.data).catch((error) => {
        if (error instanceof Misfit) refused = 'wrong-input';
        else if (error.name !== 'Failure') defect = error;
      });
    } else refused = run.deliver(input);
    await run.idle();
    turns.push({ out: out.splice(0), ...(refused && { refused }) });
    if (defect !== undefined) return { turns, defect: String(defect.stack) };
  }
  return { turns };
}

const results = [];
const runtimes = new Map();
for (const given of await read()) {
  if (!runtimes.has(given.runtime)) runtimes.set(given.runtime, await load(given.runtime));
  results.push(await replayed(given, runtimes.get(given.runtime)));
}
process.stdout.write(JSON.stringify(results));
