// Turns every TypeScript file of a folder into JavaScript, without a look at its types: node transpile.mjs FOLDER.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';

const [, , folder, modules] = process.argv;
const ts = createRequire(path.join(modules, 'typescript', 'package.json'))('typescript');
const compilerOptions = { target: 'es2022', module: 'es2022', verbatimModuleSyntax: true };

for (const name of readdirSync(folder, { recursive: true })) {
  if (!name.endsWith('.ts')) continue;
  const file = path.join(folder, name);
  const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), { compilerOptions });
  writeFileSync(file.replace(/\.ts$/, '.js'), outputText);
}
