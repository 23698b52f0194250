// Reads the machine of a process without wfc, as any language could: where each state leads, and what undoes what.
//
//   wfc compile examples/order-fulfillment/order-fulfillment.wf --out build/demo
//   node examples/order-fulfillment/read-the-machine.mjs build/demo/order-fulfillment.state-machine.json
//
// Two rules are all there is to know: an object says what it is under "is", and what says nothing is left out.

import { readFileSync } from "node:fs";
import process from "node:process";

const READS = "1"; // the version of the format

/** Everything inside a step or a list of steps, whatever blocks it lies in; without the parts named in `except`. */
function* inside(part, except = []) {
  if (Array.isArray(part)) {
    for (const each of part) yield* inside(each, except);
  } else if (typeof part === "object" && part !== null) {
    yield part;
    for (const [name, each] of Object.entries(part))
      if (!except.includes(name)) yield* inside(each, except);
  }
}

/** The names that the arrows of a node lead to. An arrow stays in its region: those of branches lead nowhere here. */
function leads(node) {
  const steps =
    node.is === "scope" ? (node.region.guards ?? []) : [node.steps ?? [], node.guards ?? []];
  const gotos = [...inside(steps, ["region", "undo"])].filter((each) => each.is === "goto");
  return [
    ...new Set([
      ...(node.next === undefined ? [] : [node.next]),
      ...gotos.map((each) => each.target),
    ]),
  ];
}

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: node read-the-machine.mjs PROCESS.state-machine.json");
  process.exit(2);
}
const machine = JSON.parse(readFileSync(file, "utf8"));
if (machine.is !== "machine" || String(machine.format) !== READS) {
  console.error(`${file}: this reads machines of format ${READS}`);
  process.exit(1);
}

const [workflow] = machine.workflows;
console.log(`${machine.process}, version ${workflow.version}`);
console.log("\nWhere each state leads:");
for (const node of inside(workflow.region, ["undo"])) {
  if (node.is !== "state" && node.is !== "scope") continue;
  if (node.implicit) continue; // a frame that the compiler drew
  const ways = leads(node);
  console.log(`  ${node.path}: ${ways.length > 0 ? ways.join(", ") : "an end"}`);
}

console.log("\nWhat undoes what:");
const undoneBy = new Map();
for (const call of inside(machine.workflows, ["undo"])) {
  if (call.is !== "do" || call.effect !== "reversible") continue;
  const undos = [...inside(call.undo?.steps ?? [])]
    .filter((step) => step.is === "do")
    .map((step) => step.target);
  undoneBy.set(call.target, undos);
}
for (const [operation, undos] of undoneBy)
  console.log(`  ${operation}: ${undos.join(", ") || "its own undos"}`);
