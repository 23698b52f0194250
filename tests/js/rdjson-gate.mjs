// Prints, as JSON, what the validator of reviewdog's Diagnostic Format says of each given file.
import { readFileSync } from "node:fs";
import { RDFormatValidator } from "@umbrelladocs/rdformat-validator";

const validator = new RDFormatValidator({ strictMode: true, allowExtraFields: false });
const found = {};
for (const path of process.argv.slice(2)) {
  const result = await validator.validateString(readFileSync(path, "utf8"));
  found[path] = result.errors ?? [];
  if (!result.valid && found[path].length === 0) found[path] = ["not valid"];
}
console.log(JSON.stringify(found));
