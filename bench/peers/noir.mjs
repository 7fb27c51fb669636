// Compiles a Noir package and solves its witness: `node noir.mjs FOLDER INPUTS`.
//
// Writes program.json and witness.gz into FOLDER, as `bb` reads them. The last line on stdout is
// the returned word of `main`.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";

// These packages have a build for node only as CommonJS.
const require = createRequire(import.meta.url);
const { compile_program: compile, createFileManager } = require("@noir-lang/noir_wasm");
const { Noir } = require("@noir-lang/noir_js");

const [folder, inputs] = process.argv.slice(2);
const quiet = () => {};
try {
  const { program } = await compile(createFileManager(folder), undefined, quiet, quiet);
  fs.writeFileSync(path.join(folder, "program.json"), JSON.stringify(program));
  const solved = await new Noir(program).execute(JSON.parse(fs.readFileSync(inputs, "utf8")));
  fs.writeFileSync(path.join(folder, "witness.gz"), solved.witness);
  process.stdout.write(`${solved.returnValue}\n`);
} catch (error) {
  process.stderr.write(`${String(error.message ?? error).replace(/\s+/g, " ")}\n`);
  process.exit(1);
}
