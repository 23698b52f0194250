// Prints, as JSON, the tokens that VS Code's own reader of TextMate grammars finds in a file: [line, from, to, scopes].
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(import.meta.url);
const oniguruma = require("vscode-oniguruma");
const textmate = require("vscode-textmate");

// SCOPE SOURCE GRAMMAR...
const [scope, sourcePath, ...grammarPaths] = process.argv.slice(2);
const grammars = new Map(
  grammarPaths.map((path) => [JSON.parse(readFileSync(path, "utf8")).scopeName, path]),
);
await oniguruma.loadWASM(readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")).buffer);
const registry = new textmate.Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
    createOnigString: (text) => new oniguruma.OnigString(text),
  }),
  loadGrammar: async (name) =>
    grammars.has(name) ? textmate.parseRawGrammar(readFileSync(grammars.get(name), "utf8"), grammars.get(name)) : null,
});
const grammar = await registry.loadGrammar(scope);
const found = [];
let stack = textmate.INITIAL;
for (const [number, line] of readFileSync(sourcePath, "utf8").split("\n").entries()) {
  const { tokens, ruleStack } = grammar.tokenizeLine(line, stack);
  for (const { startIndex, endIndex, scopes } of tokens) found.push([number + 1, startIndex, endIndex, scopes]);
  stack = ruleStack;
}
console.log(JSON.stringify(found));
