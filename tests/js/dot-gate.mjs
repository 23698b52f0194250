// Draws dot files with Graphviz itself (compiled to WebAssembly): node dot-gate.mjs FILE...
// Prints [{"file", "labels", "errors"}]: every line of text that stands in the picture.

import { readFileSync } from "node:fs";
import process from "node:process";
import { instance } from "@viz-js/viz";
import { JSDOM } from "jsdom";

const viz = await instance();
const told = process.argv.slice(2).map((file) => {
  const drawn = viz.render(readFileSync(file, "utf8"), { format: "svg" });
  const errors = drawn.errors.filter((error) => error.level !== "warning").map((error) => error.message);
  if (drawn.status !== "success") return { file, labels: [], errors };
  const { document } = new JSDOM(drawn.output, { contentType: "image/svg+xml" }).window;
  const labels = [...document.querySelectorAll("text")].map((text) => text.textContent);
  return { file, labels, errors, injected: document.querySelectorAll("script, a, image").length };
});
process.stdout.write(`${JSON.stringify(told)}\n`);
