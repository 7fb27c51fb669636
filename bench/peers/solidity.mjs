// Compiles one Solidity file: `node solidity.mjs SOURCE ARTIFACTS` writes each contract's creation
// code and the places where a library's address goes in: {name: {object, linkReferences}}.
import fs from "node:fs";
import process from "node:process";
import solc from "solc";

const [source, artifacts] = process.argv.slice(2);
const compiled = JSON.parse(
  solc.compile(
    JSON.stringify({
      language: "Solidity",
      sources: { [source]: { content: fs.readFileSync(source, "utf8") } },
      settings: {
        // One run: the contract has to fit below the limit of EIP-170.
        optimizer: { enabled: true, runs: 1 },
        evmVersion: "prague",
        outputSelection: { "*": { "*": ["evm.bytecode.object", "evm.bytecode.linkReferences"] } },
      },
    }),
  ),
);
const errors = (compiled.errors ?? []).filter((error) => error.severity === "error");
if (errors.length > 0) {
  process.stderr.write(`${errors[0].formattedMessage.replace(/\s+/g, " ")}\n`);
  process.exit(1);
}
const contracts = Object.entries(compiled.contracts[source]);
const written = Object.fromEntries(contracts.map(([name, contract]) => [name, contract.evm.bytecode]));
fs.writeFileSync(artifacts, JSON.stringify(written));
