"""Barretenberg's Solidity verifier over a setup of our own, run in an EVM.

`bb verify` knows [tau]_2 of the public ceremony alone. The contract that `bb` writes for a
verifying key names the same point as four constants; with those of the development setup it is the
peer's own verifier for the proofs that are made here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.peers.tools import HERE, run
from circuits.cli_support import CommandFailed, ExitCode, bad_input
from verifier.pairing import G2Point

# [tau]_2 of Aztec's ceremony, in the order of EIP-197: imaginary parts first.
CEREMONY_WORDS = (
    "260e01b251f6f1c7e7ff4e580791dee8ea51d87a358e038b4efe30fac09383c1",
    "0118c4d5b837bcc2bc89b5b398b5974e9f5944073b32078b7e231fec938883b0",
    "04fc6369f7110fe3d25156c1bb9a72859cf2a04641f99ba4ee413c80da6a5fe4",
    "22febda3c0c0632a56475b4214e5615e11e6dd3f96e6cea2854a87d4dacc5e55",
)
_CONTRACT = "HonkVerifier"
_VERIFY = "verify(bytes,bytes32[])"
_CALLER = "0x" + "11" * 20
_GAS_LIMIT = 2**32
_WORD_BYTES = 32
_POINT_BYTES = 64
_GENERATOR = (1).to_bytes(32, "big") + (2).to_bytes(32, "big")


def with_setup(source: str, tau_g2: G2Point, place: str) -> str:
    """The contract's text with [tau]_2 replaced. Raises: CommandFailed unless it is there once."""
    (x_real, x_imaginary), (y_real, y_imaginary) = tau_g2
    own = (x_imaginary, x_real, y_imaginary, y_real)
    for ceremony, word in zip(CEREMONY_WORDS, own, strict=True):
        if source.count(ceremony) != 1:
            raise bad_input(place, f"word {ceremony}", "once", f"{source.count(ceremony)} times")
        source = source.replace(ceremony, f"{word:064x}")
    return source


def linked(artifact: dict[str, Any], addresses: dict[str, str]) -> bytes:
    """Creation code with the addresses of its libraries filled in."""
    code = bytearray.fromhex(artifact["object"].replace("_", "0").replace("$", "0"))
    for file in artifact["linkReferences"].values():
        for library, places in file.items():
            for place in places:
                start = place["start"]
                code[start : start + place["length"]] = bytes.fromhex(addresses[library][2:])
    return bytes(code)


class SolidityVerifier:
    """A deployed verifier contract of one program."""

    def __init__(self, source_path: Path, tau_g2: G2Point) -> None:
        """Compile and deploy the contract that `bb write_solidity_verifier` wrote. Cost: 2 s."""
        import pyrevm

        source = with_setup(source_path.read_text(encoding="utf-8"), tau_g2, str(source_path))
        own, artifacts_path = (source_path.with_name(name) for name in ("Own.sol", "Own.json"))
        own.write_text(source, encoding="utf-8")
        run(["node", HERE / "solidity.mjs", own, artifacts_path], folder=HERE)
        artifacts = json.loads(artifacts_path.read_text(encoding="utf-8"))
        contract = artifacts[_CONTRACT]
        libraries = {name for file in contract["linkReferences"].values() for name in file}
        self._evm = pyrevm.EVM(gas_limit=_GAS_LIMIT, spec_id="PRAGUE")
        self._evm.set_balance(_CALLER, 10**30)
        addresses = {name: self._deploy(linked(artifacts[name], {})) for name in libraries}
        self._address = self._deploy(linked(contract, addresses))

    def _deploy(self, code: bytes) -> str:
        return str(self._evm.deploy(_CALLER, code))

    def accepts(self, proof: bytes, public_words: bytes) -> bool:
        """True if the contract returns true; False if it reverts."""
        from eth_abi import encode
        from eth_hash.auto import keccak

        starts = range(0, len(public_words), _WORD_BYTES)
        words = [public_words[start : start + _WORD_BYTES] for start in starts]
        data = keccak(_VERIFY.encode())[:4] + encode(["bytes", "bytes32[]"], [proof, words])
        try:
            output = self._evm.message_call(_CALLER, self._address, calldata=data)
        except RuntimeError as error:
            if "Revert" not in str(error):
                raise
            return False
        return int.from_bytes(output, "big") == 1

    def check(self, proof: bytes, public_words: bytes, place: str) -> None:
        """Raises: CommandFailed unless the proof holds and two changes of it are refused."""
        if not self.accepts(proof, public_words):
            raise CommandFailed(f"{place}: the proof is refused", ExitCode.VERIFICATION_FAILED)
        for change in changes(proof, public_words):
            if self.accepts(*change):
                message = f"{place}: expected the refusal of a changed proof, got acceptance"
                raise CommandFailed(message, ExitCode.VERIFICATION_FAILED)


def changes(proof: bytes, public_words: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """A wrong public word, which the sumcheck refuses, and a wrong last point, for the pairing."""
    wrong_word = public_words[:-1] + bytes([public_words[-1] ^ 1])
    wrong_point = proof[:-_POINT_BYTES] + _GENERATOR
    return ((proof, wrong_word), (wrong_point, public_words))
