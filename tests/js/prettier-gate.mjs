// Looks whether prettier would change files: node prettier-gate.mjs FILE...
// Prints {"files": N, "problems": [{"file", "line", "ours", "theirs"}]}, the first difference of each, and exits 1 if there
// are problems. The settings are those that the README beside the outputs names.

import { readFileSync } from "node:fs";
import process from "node:process";
import { format } from "prettier";

const problems = [];
const files = process.argv.slice(2);
for (const file of files) {
  const text = readFileSync(file, "utf8");
  const made = await format(text, { filepath: file, printWidth: 100 });
  if (made === text) continue;
  const [ours, theirs] = [text.split("\n"), made.split("\n")];
  const line = ours.findIndex((each, i) => each !== theirs[i]);
  problems.push({
    file,
    line: line + 1,
    ours: ours.slice(line, line + 4),
    theirs: theirs.slice(line, line + 4),
  });
}
process.stdout.write(`${JSON.stringify({ files: files.length, problems }, null, 2)}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
