// Type-checks TypeScript files as the strictest of users would: node tsc-gate.mjs FILE...
// Prints {"files": N, "problems": [{"file", "line", "column", "code", "message"}]} and exits 1 if there are problems.

import process from "node:process";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const options = {
  erasableSyntaxOnly: true,
  exactOptionalPropertyTypes: true,
  isolatedModules: true,
  lib: ["lib.es2022.d.ts"],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  noEmit: true,
  noFallthroughCasesInSwitch: true,
  noImplicitOverride: true,
  noPropertyAccessFromIndexSignature: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: true, // the types of Temporal's SDK are less strict
  strict: true,
  target: ts.ScriptTarget.ES2022,
  typeRoots: [fileURLToPath(new URL("node_modules/@types", import.meta.url))],
  types: ["node"],
  verbatimModuleSyntax: true,
};

function describe(diagnostic) {
  const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n");
  const found = { code: `TS${diagnostic.code}`, message };
  if (diagnostic.file === undefined) return { file: "", line: 0, column: 0, ...found };
  const { line, character } = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start ?? 0);
  return { file: diagnostic.file.fileName, line: line + 1, column: character + 1, ...found };
}

const files = process.argv.slice(2);
const program = ts.createProgram(files, options);
const problems = ts.getPreEmitDiagnostics(program).map(describe);
process.stdout.write(`${JSON.stringify({ files: files.length, problems }, null, 2)}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
