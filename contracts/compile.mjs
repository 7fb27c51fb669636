// Compiles every contract to one JSON artifact: `node compile.mjs [--check | --serve]`.
//
// A source tree is compiled in full but lazily: a contract whose artifact already records the hash
// of its sources, the compiler and the settings is left alone. `--check` recompiles everything and
// fails on any difference with what is on disk, writing nothing. `--serve` answers one line of JSON
// {sources: {file: text}, contracts: {name: file}} on stdin with one line {artifacts} or {problem}, so
// that tests compile generated code as it is compiled here.
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import readline from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const MANIFEST = JSON.parse(fs.readFileSync(path.join(ROOT, "contracts/package.json"), "utf8"));
const FORMAT = 1;

// Constraint code is straight-line assembly that already reuses every value; the Yul optimizer would
// unfold the reuse (four times the size), so only the peephole optimizer runs there.
const OPTIMIZED = { enabled: true, runs: 200 };
const STRAIGHT_LINE = { enabled: false, details: { peephole: true, jumpdestRemover: true, yul: false } };

function settings(contract) {
  return {
    optimizer: contract.startsWith("Constraints") ? STRAIGHT_LINE : OPTIMIZED,
    evmVersion: "prague",
    metadata: { bytecodeHash: "none", appendCBOR: false },
  };
}

// Why a contract has no artifact: what its author must mend.
class Problem extends Error {}

function fail(message, exitCode = 1) {
  process.stderr.write(`compile: ${message}\n`);
  process.exit(exitCode);
}

function solidityFiles(folder) {
  const found = [];
  for (const entry of fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true })) {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) found.push(...solidityFiles(name));
    else if (name.endsWith(".sol")) found.push(name);
  }
  return found.sort();
}

// Names of the deployable contracts of one file; libraries, interfaces and abstract contracts have no artifact.
function contractNames(text) {
  return [...text.matchAll(/^contract\s+(\w+)/gm)].map((match) => match[1]);
}

// The file and everything it imports, as {source unit name: text}.
function closure(file, gathered = {}) {
  if (gathered[file] !== undefined) return gathered;
  const full = path.join(ROOT, file);
  if (!fs.existsSync(full)) fail(`${file}: expected a source file, got none`);
  const text = fs.readFileSync(full, "utf8");
  gathered[file] = text;
  for (const match of text.matchAll(/^\s*import\s[^"']*["']([^"']+)["']/gm)) {
    closure(path.posix.join(path.posix.dirname(file), match[1]), gathered);
  }
  return gathered;
}

function sourcesDigest(sources) {
  const hash = createHash("sha256");
  for (const name of Object.keys(sources).sort()) {
    hash.update(`${name}\0${Buffer.byteLength(sources[name])}\0${sources[name]}`);
  }
  return hash.digest("hex");
}

let compiler;
async function solc() {
  if (compiler === undefined) {
    const pinned = MANIFEST.devDependencies.solc;
    const loaded = await import("solc").catch(() => null);
    const version = loaded === null ? "none" : loaded.default.version();
    if (!version.startsWith(`${pinned}+`)) {
      fail(`solc: expected ${pinned} (run npm ci in contracts), got ${version}`);
    }
    compiler = loaded.default;
  }
  return compiler;
}

async function build(job) {
  const sources = Object.fromEntries(
    Object.entries(job.sources).map(([name, content]) => [name, { content }]),
  );
  const outputSelection = {
    [job.file]: { [job.contract]: ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] },
  };
  const input = {
    language: "Solidity",
    sources,
    settings: { ...settings(job.contract), outputSelection },
  };
  const solidity = await solc();
  const output = JSON.parse(solidity.compile(JSON.stringify(input)));
  // Warnings too; one of them is about code above the limit of EIP-170.
  const problems = (output.errors ?? []).filter((problem) => problem.severity !== "info");
  if (problems.length) throw new Problem(problems.map((problem) => problem.formattedMessage).join("\n"));
  const { abi, evm } = output.contracts[job.file][job.contract];
  const size = evm.deployedBytecode.object.length / 2;
  if (evm.bytecode.object.includes("__$")) {
    throw new Problem(`${job.contract}: expected internal libraries only, got one that must be linked`);
  }
  return {
    format: FORMAT,
    contract: job.contract,
    compiler: solidity.version(),
    settings: settings(job.contract),
    sourcesSha256: job.digest,
    deployedBytecodeSize: size,
    abi,
    bytecode: `0x${evm.bytecode.object}`,
  };
}

function isCurrent(artifact, job) {
  return (
    artifact !== null &&
    artifact.format === FORMAT &&
    artifact.sourcesSha256 === job.digest &&
    artifact.compiler.startsWith(`${MANIFEST.devDependencies.solc}+`) &&
    JSON.stringify(artifact.settings) === JSON.stringify(settings(job.contract))
  );
}

function jobsOf(sourceFolder) {
  const jobs = new Map();
  for (const file of solidityFiles(sourceFolder)) {
    const sources = closure(file);
    for (const contract of contractNames(sources[file])) {
      if (jobs.has(contract)) fail(`${file}: contract ${contract} already in ${jobs.get(contract).file}`);
      jobs.set(contract, { contract, file, sources, digest: sourcesDigest(sources) });
    }
  }
  return jobs;
}

function readArtifact(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : null;
}

async function compileTree({ sources, artifacts }, checking) {
  const folder = path.join(ROOT, artifacts);
  const jobs = jobsOf(sources);
  const differences = [];
  fs.mkdirSync(folder, { recursive: true });
  for (const job of jobs.values()) {
    const file = path.join(folder, `${job.contract}.json`);
    const before = readArtifact(file);
    if (!checking && isCurrent(before && JSON.parse(before), job)) continue;
    const after = `${JSON.stringify(await build(job), null, 1)}\n`;
    if (before === after) continue;
    differences.push(`${artifacts}/${job.contract}.json`);
    if (checking) continue;
    fs.writeFileSync(`${file}.part`, after);
    fs.renameSync(`${file}.part`, file);
  }
  for (const name of fs.readdirSync(folder)) {
    if (!name.endsWith(".json") || jobs.has(name.slice(0, -5))) continue;
    differences.push(`${artifacts}/${name}`);
    if (!checking) fs.rmSync(path.join(folder, name));
  }
  return differences;
}

async function compileAll(checking) {
  const differences = [];
  for (const tree of MANIFEST.plasmaperps.trees) differences.push(...(await compileTree(tree, checking)));
  if (checking && differences.length) throw new Problem(`differs from its sources: ${differences.join(", ")}`);
  process.stdout.write(differences.map((name) => `${name}\n`).join(""));
}

async function answer(request) {
  const artifacts = [];
  for (const [contract, file] of Object.entries(request.contracts)) {
    const digest = sourcesDigest(request.sources);
    artifacts.push(await build({ contract, file, sources: request.sources, digest }));
  }
  return { artifacts };
}

async function serve() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const reply = await answer(JSON.parse(line)).catch((error) => {
      if (error instanceof Problem) return { problem: error.message };
      throw error;
    });
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }
}

const MODES = { "": () => compileAll(false), "--check": () => compileAll(true), "--serve": serve };
const given = process.argv.slice(2);
const mode = given.length < 2 ? MODES[given[0] ?? ""] : undefined;
if (mode === undefined) fail(`expected no argument, --check or --serve, got ${given}`, 2);
await mode().catch((error) => {
  if (error instanceof Problem) fail(error.message);
  throw error;
});
