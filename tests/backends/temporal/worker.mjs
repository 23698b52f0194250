// A worker for the program in a folder, whose services all lie outside: node worker.mjs FOLDER
// TEMPORAL_ADDRESS says where the server is, OUTSIDE where the services are: see tests/engine/outside.py.

import { existsSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

const [folder] = process.argv.slice(2);
const load = async (path) => import(pathToFileURL(join(folder, "build", path)).href);
const { NativeConnection, bundleWorkflowCode } = createRequire(join(folder, "package.json"))("@temporalio/worker");
const { NotSent, workerOf } = await load("workflows/wfc-temporal/wfc-worker.js");
const { fail } = await load("workflows/wfc-runtime/wfc-runtime.js");

async function ask(operation, args, { key }) {
  const instance = key.split("/").slice(0, 2).join("/");
  const headers = { "Idempotency-Key": key, "Content-Type": "application/json" };
  const body = JSON.stringify({ args, instance });
  let answer;
  try {
    answer = await fetch(`${process.env.OUTSIDE}/${operation}`, { method: "POST", headers, body });
  } catch (error) {
    throw new NotSent(String(error));
  }
  const told = await answer.json();
  if (answer.status === 422) throw fail(told);
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return told;
}

const service = (name) =>
  new Proxy({}, {
    get: (_, operation) => async (...given) => ask(`${name}.${operation}`, given.slice(0, -1), given.at(-1)),
  });

// Bundling takes seconds, so a worker that comes back takes the bundle of the one before it.
const codePath = join(folder, "bundle.js");
if (!existsSync(codePath)) {
  const { code } = await bundleWorkflowCode({ workflowsPath: join(folder, "build", "processes.js") });
  writeFileSync(codePath, code);
}
const connection = await NativeConnection.connect({ address: process.env.TEMPORAL_ADDRESS });
const worker = await workerOf({
  activities: new Proxy({}, { get: (_, name) => service(name) }),
  secrets: { token: "opened" },
  worker: { connection, workflowBundle: { codePath } },
});
process.stdout.write("working\n");
await worker.run();
