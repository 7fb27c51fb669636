"""A verifier contract that was generated from a key, called without a venue around it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from circuits.air.chip import System
from sequencer.l1.abi import Artifact, load_artifact
from tests.support.machine import Machine
from tests.support.solc import Solc
from tests.tampers import Claim
from verifier.errors import VerificationError
from verifier.key import VerifyingKey
from verifier.solidity import render

# All verifiers have the same functions.
VERIFY: Artifact = load_artifact("VerifierS")


@dataclass(frozen=True, slots=True)
class DeployedVerifier:
    """A verifier and its constraint contracts on a bare machine."""

    machine: Machine
    address: str
    parts: tuple[str, ...]

    def verify(self, claim: Claim, gas: int | None = None) -> None:
        """Ask the contract. Raises: L1Rejected; L1Reverted."""
        self.machine.call(self.address, calldata(claim), gas)

    def gas_of(self, claim: Claim) -> int:
        """Gas of an accepted claim, without what a transaction pays for its data."""
        data = calldata(claim)
        self.machine.call(self.address, data)
        return self.machine.gas_of_last_call(data)

    def ask(self, function: str) -> Any:
        """Value of a function without arguments."""
        return self.machine.ask(VERIFY, self.address, function)


def calldata(claim: Claim) -> bytes:
    return VERIFY.call("verify", list(claim.words), list(claim.pubdata), claim.proof)


def compiled(solc: Solc, key: VerifyingKey, system: System) -> dict[str, dict[str, Any]]:
    """Artifacts of everything that is generated from a key."""
    labels = [tuple(constraint.name for constraint in chip.constraints) for chip in system.chips]
    return solc.compile_files(render(key, labels))


def assert_same_arguments(
    key: VerifyingKey, error: VerificationError, found: dict[str, Any]
) -> None:
    """What Solidity reports is what Python does: the number got, the one expected, and
    the place.
    """
    got = (found["x"], found["y"]) if "x" in found else found["got"]
    assert got == error.got
    wanted = found.get("expected")
    if wanted is not None:
        assert wanted == error.expected or str(error.expected) == f"at most {wanted}"
    if "label" in found:
        assert error.place == f"{found['label'].decode()}[{found['index']}]"
    elif "chip" in found:
        assert error.place == f"height of {key.chips[found['chip']].name}"
    elif "index" in found:
        number = re.fullmatch(r"published word (\d+)", error.place)
        if number:
            assert int(number[1]) == found["index"]
        else:
            assert error.place == f"public word {key.public_names[found['index']]}"
