"""The yardstick on Barretenberg's native UltraHonk prover, the `bb` program inside @aztec/bb.js."""

from __future__ import annotations

import json
import platform
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.peers import crs
from bench.peers.evm_check import SolidityVerifier
from bench.peers.report import Measurement
from bench.peers.tools import (
    HERE,
    PACKAGES,
    own_peak_mib,
    package_version,
    require_memory,
    require_packages,
    run,
)
from bench.peers.trades import grumpkin_trades, noir_inputs, noir_public_word
from circuits.cli_support import CommandFailed, ExitCode, bad_input, progress
from prover.srs_tools import Srs

NAME = "barretenberg"
PACKAGE = "@aztec/bb.js"
# Keccak transcript, no zero-knowledge: the cheapest proof that `bb` makes for an EVM.
_TARGET = ("--verifier_target", "evm-no-zk")
# How the multi-scalar multiplications run: as shipped, and with the newer code that `bb` keeps
# behind a variable. The better of the two counts.
VARIANTS: dict[str, dict[str, str]] = {"default": {}, "BB_MSM_NEW": {"BB_MSM_NEW": "1"}}
PACKAGES_NEEDED = (PACKAGE, "@noir-lang/noir_wasm", "@noir-lang/noir_js", "solc")

_SYSTEMS = {"linux": "linux", "darwin": "macos"}
_PROCESSORS = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_PEAK = re.compile(r"\(mem: ([0-9.]+) MiB\)")
_WORD_BYTES = 32
# Measured: 1,380 bytes for each row of the padded circuit, and what the program itself takes.
_ROW_BYTES = 1400
_PROGRAM_MIB = 64
# More rows than `bb` adds to the gates that it counts.
_ROWS_ADDED = 16


def binary(system: str, processor: str) -> Path:
    """Where @aztec/bb.js keeps `bb` for a system. Raises: CommandFailed where there is none."""
    place, built = _SYSTEMS.get(system), _PROCESSORS.get(processor.lower())
    if place is None or built is None:
        expected = "Linux or macOS on x86-64 or ARM64"
        message = f"{NAME}: expected {expected}, got {system} on {processor}"
        raise CommandFailed(message, ExitCode.USAGE)
    return PACKAGES / PACKAGE / "build" / f"{built}-{place}" / "bb"


def needed_mib(log_size: int) -> int:
    """Memory of a proof of 2^log_size rows."""
    return _PROGRAM_MIB + (_ROW_BYTES << log_size) // (1 << 20)


def gates_in(output: str) -> int:
    """The number of gates that `bb gates` prints."""
    start = output.find('{"functions"')
    try:
        listed = json.loads(output[start:])["functions"][0]["circuit_size"]
    except (ValueError, LookupError, TypeError):
        raise bad_input("bb gates", "output", "a circuit size", repr(output[:80])) from None
    return int(listed)


def peak_mib_in(output: str, inherited_mib: float) -> float:
    """The most memory that the log lines of `bb` name; 0 where they do not tell.

    A program starts with the peak of the one that started it, so a figure is only its own when it
    is larger than that.
    """
    peak = max((float(value) for value in _PEAK.findall(output)), default=0.0)
    return peak if peak > inherited_mib else 0.0


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled yardstick of one size with its witness, its key and a verifier of its proofs."""

    bb: Path
    folder: Path
    trades: int
    gates: int
    log_size: int
    verifier: SolidityVerifier

    def prove(self, variant: str, threads: int) -> Measurement:
        """One measured `bb prove` with the key at hand, and the check of its proof.

        Raises: CommandFailed when `bb` fails or the proof is refused.
        """
        folder = self.folder
        arguments: list[str | Path] = [
            self.bb, "prove", *_TARGET,
            "--bytecode_path", folder / "program.json", "--witness_path", folder / "witness.gz",
            "--vk_path", folder / "vk", "--crs_path", folder, "--output_path", folder,
        ]  # fmt: skip
        done = run(arguments, {**VARIANTS[variant], "HARDWARE_CONCURRENCY": str(threads)})
        proof = (folder / "proof").read_bytes()
        public_words = (folder / "public_inputs").read_bytes()
        self.verifier.check(proof, public_words, f"{NAME}, {self.trades} trades")
        return Measurement(
            prover=NAME, variant=variant, trades=self.trades, threads=threads,
            seconds=done.seconds, core_seconds=done.core_seconds, rows=self.gates,
            log_size=self.log_size, proof_bytes=len(proof),
            peak_mib=peak_mib_in(done.output, own_peak_mib()), verified=True,
        )  # fmt: skip


class Barretenberg:
    """`bb` as installed, which makes programs of several sizes ready in a folder."""

    def __init__(self, folder: Path) -> None:
        """Raises: CommandFailed when packages are missing or this system has no `bb`."""
        require_packages(*PACKAGES_NEEDED)
        self._folder = folder
        self._bb = binary(sys.platform, platform.machine())
        own_version = run([self._bb, "--version"]).output.strip()
        self.version = f"{PACKAGE} {package_version(PACKAGE)}, bb {own_version}"

    def prepare(self, trades: int) -> Program:
        """Compile the Noir program for so many trades, solve its witness and make its key.

        Cost: some 20 s for 152 trades, most of it in the Noir compiler. None of it is measured.
        Raises: CommandFailed when a tool fails or the program returns another word than expected.
        """
        folder = self._folder / f"trades-{trades}"
        self._compile(folder, trades)
        program: tuple[str | Path, ...] = ("--bytecode_path", folder / "program.json", *_TARGET)
        gates = gates_in(run([self._bb, "gates", *program]).output)
        log_size = (gates + _ROWS_ADDED - 1).bit_length()
        require_memory(f"{NAME}, {trades} trades", needed_mib(log_size))
        srs = _string_of(log_size)
        crs.write(srs, folder)
        run([self._bb, "write_vk", *program, "--crs_path", folder, "--output_path", folder])
        contract = folder / "Verifier.sol"
        key: tuple[str | Path, ...] = ("--vk_path", folder / "vk", *_TARGET)
        run([self._bb, "write_solidity_verifier", *key, "--output_path", contract])
        verifier = SolidityVerifier(contract, srs.tau_g2)
        return Program(self._bb, folder, trades, gates, _log_size_in(folder / "vk"), verifier)

    def _compile(self, folder: Path, trades: int) -> None:
        """Fill `folder` with the program, compiled, and its solved witness."""
        shutil.copytree(HERE / "noir", folder)
        size = f"pub global TRADES: u32 = {trades};\n"
        (folder / "src" / "size.nr").write_text(size, encoding="ascii")
        drawn = grumpkin_trades(trades)
        inputs = folder / "inputs.json"
        inputs.write_text(json.dumps(noir_inputs(drawn)), encoding="ascii")
        returned = run(["node", HERE / "noir.mjs", folder, inputs]).output.split()[-1]
        expected = hex(noir_public_word(drawn))
        if int(returned, 16) != int(expected, 16):
            raise bad_input("noir/src/main.nr", "returned word", expected, returned)


def _string_of(log_size: int) -> Srs:
    """The development string with so many powers. Raises: CommandFailed above the largest one."""
    from prover import srs_tools

    if log_size > srs_tools.LOG_SIZE_MAX:
        expected = f"at most 2^{srs_tools.LOG_SIZE_MAX} rows"
        raise bad_input(NAME, "circuit", expected, f"2^{log_size}")
    with progress("preparing the development setup", 1 << log_size) as advance:
        return srs_tools.development(log_size, advance)


def _log_size_in(key: Path) -> int:
    """The first word of a verifying key: log2 of the padded number of rows."""
    return int.from_bytes(key.read_bytes()[:_WORD_BYTES], "big")
