"""The yardstick on snarkjs: Groth16 in WebAssembly, over a circom program of the same statement."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.peers import groth16
from bench.peers.babyjubjub import circom_inputs, constants, public_word, signed_trades
from bench.peers.report import Measurement
from bench.peers.tools import (
    HERE,
    PACKAGES,
    package_version,
    pinned,
    require_memory,
    require_packages,
    run,
)
from circuits.cli_support import CommandFailed, ExitCode, bad_input

NAME = "snarkjs"
PACKAGES_NEEDED = ("snarkjs", "circom2")
VARIANT = "groth16"
# Two points of G1 and one of G2.
PROOF_BYTES = 256
# Measured: 4,900 bytes for each row of the domain, and what node itself takes.
_ROW_BYTES = 5000
_PROGRAM_MIB = 128
_CIRCOM = PACKAGES / "circom2" / "cli.js"
_COMMAND = ("node", PACKAGES / "snarkjs" / "build" / "cli.cjs")


def needed_mib(log_size: int) -> int:
    """Memory of a proof over a domain of 2^log_size rows."""
    return _PROGRAM_MIB + (_ROW_BYTES << log_size) // (1 << 20)


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled yardstick of one size with its witness and its key, all in one folder."""

    folder: Path
    trades: int
    rows: int
    log_size: int

    def prove(self, variant: str, threads: int) -> Measurement:
        """One measured `snarkjs groth16 prove` on so many cores, and the check of its proof.

        Raises: CommandFailed when snarkjs fails or refuses the proof.
        """
        files = ("main.zkey", "witness.wtns", "proof.json", "public.json")
        done = run(pinned([*_COMMAND, variant, "prove", *files], threads), folder=self.folder)
        self._check(variant)
        return Measurement(
            prover=NAME, variant=variant, trades=self.trades, threads=threads,
            seconds=done.seconds, core_seconds=done.core_seconds, rows=self.rows,
            log_size=self.log_size, proof_bytes=PROOF_BYTES, peak_mib=0.0, verified=True,
        )  # fmt: skip

    def _check(self, variant: str) -> None:
        """Raises: CommandFailed unless the proof holds, and not for another public word."""
        (self.folder / "wrong.json").write_text('["1"]', encoding="ascii")
        for public, holds in (("public.json", True), ("wrong.json", False)):
            if self._accepts(variant, public) is not holds:
                expected, got = ("acceptance", "refusal")[:: 1 if holds else -1]
                message = f"{NAME}, {self.trades} trades, {public}: expected {expected}, got {got}"
                raise CommandFailed(message, ExitCode.VERIFICATION_FAILED)

    def _accepts(self, variant: str, public: str) -> bool:
        """True if snarkjs accepts the proof for these public words, False if it finds it wrong."""
        try:
            _snarkjs(self.folder, variant, "verify", "key.json", public, "proof.json")
        except CommandFailed as error:
            if "Invalid proof" not in error.message:
                raise
            return False
        return True


class Snarkjs:
    """snarkjs and the circom compiler as installed; makes programs of several sizes ready."""

    def __init__(self, folder: Path) -> None:
        """Raises: CommandFailed when packages are missing."""
        require_packages(*PACKAGES_NEEDED)
        self._folder = folder
        self.version = ", ".join(f"{name} {package_version(name)}" for name in PACKAGES_NEEDED)

    def prepare(self, trades: int) -> Program:
        """Compile the circom program for so many trades, solve its witness and make its key.

        Cost: some two minutes for 11 trades. None of it is measured.
        Raises: CommandFailed when a tool fails or the program puts out another word than expected.
        """
        folder = self._folder / f"trades-{trades}"
        shutil.copytree(HERE / "circom", folder)
        (folder / "constants.circom").write_text(constants(), encoding="ascii")
        (folder / "main.circom").write_text(main_component(trades), encoding="ascii")
        run(["node", _CIRCOM, "main.circom", "--r1cs", "--wasm", "--O2"], folder=folder)
        r1cs = groth16.read_r1cs(folder / "main.r1cs")
        require_memory(f"{NAME}, {trades} trades", needed_mib(r1cs.log_size))
        drawn = signed_trades(trades)
        (folder / "inputs.json").write_text(json.dumps(circom_inputs(drawn)), encoding="ascii")
        calculator = "main_js/main.wasm"
        _snarkjs(folder, "wtns", "calculate", calculator, "inputs.json", "witness.wtns")
        _snarkjs(folder, "wtns", "export", "json", "witness.wtns", "witness.json")
        # Wire 0 is the one, wire 1 the only public word.
        got = json.loads((folder / "witness.json").read_text(encoding="ascii"))[1]
        expected = str(public_word(drawn))
        if got != expected:
            raise bad_input("circom/yardstick.circom", "public word", expected, got)
        groth16.write_zkey(r1cs, folder / "main.zkey", groth16.known_secrets())
        _snarkjs(folder, "zkey", "export", "verificationkey", "main.zkey", "key.json")
        return Program(folder, trades, r1cs.row_count, r1cs.log_size)


def _snarkjs(folder: Path, *arguments: str) -> None:
    run([*_COMMAND, *arguments], folder=folder)


def main_component(trades: int) -> str:
    """The text of main.circom."""
    return (
        'pragma circom 2.1.6;\n\ninclude "yardstick.circom";\n\n'
        f"component main = Yardstick({trades});\n"
    )
