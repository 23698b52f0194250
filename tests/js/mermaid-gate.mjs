// Parses the mermaid pictures of Markdown pages with mermaid itself: node mermaid-gate.mjs FILE...
// Prints {"pictures": N, "problems": [{"file", "line", "message"}]} and exits 1 if there are problems.

import { readFileSync } from "node:fs";
import process from "node:process";
import { JSDOM } from "jsdom";
import { pictures } from "./pictures.mjs";

// mermaid cleans labels with the DOM even where it only parses, so a window must stand before it is loaded.
const { window } = new JSDOM("");
globalThis.window = window;
globalThis.document = window.document;
const { default: mermaid } = await import("mermaid");

// Where mermaid stops without an error: the picture then only says so itself.
const MAX_TEXT = 45_000;

async function complaint(picture) {
  if (picture.text === undefined) return "the block has no end";
  if (picture.text.length > MAX_TEXT) return `the picture has ${picture.text.length} characters, and mermaid stops soon`;
  try {
    await mermaid.parse(picture.text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

mermaid.initialize({ startOnLoad: false, maxEdges: 450 });
const problems = [];
let count = 0;
for (const file of process.argv.slice(2)) {
  for (const picture of pictures(readFileSync(file, "utf8"))) {
    count += 1;
    const message = await complaint(picture);
    if (message !== undefined) problems.push({ file, line: picture.line, message });
  }
}
process.stdout.write(`${JSON.stringify({ pictures: count, problems }, null, 2)}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
