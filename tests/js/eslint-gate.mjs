// Lints the TypeScript of a folder as the strictest of users would: node eslint-gate.mjs FOLDER
// The folder has a tsconfig.json. Prints {"files": N, "problems": [{"file", "line", "rule", "message"}]} and exits 1 if
// there are problems. A comment that disables a rule is one.

import process from "node:process";
import { ESLint } from "eslint";
import tseslint from "typescript-eslint";

const [folder] = process.argv.slice(2);
const eslint = new ESLint({
  cwd: folder,
  allowInlineConfig: false,
  overrideConfigFile: true,
  overrideConfig: [
    ...tseslint.configs.strictTypeChecked,
    ...tseslint.configs.stylisticTypeChecked,
    { languageOptions: { parserOptions: { project: "tsconfig.json", tsconfigRootDir: folder } } },
    { linterOptions: { reportUnusedDisableDirectives: "error" } },
  ].map((config) => ({ ...config, files: ["**/*.ts"] })),
});
const results = await eslint.lintFiles(["**/*.ts"]);
const problems = results.flatMap(({ filePath, messages }) =>
  messages.map(({ line, ruleId, message }) => ({ file: filePath, line, rule: ruleId ?? "", message })),
);
process.stdout.write(`${JSON.stringify({ files: results.length, problems }, null, 2)}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
