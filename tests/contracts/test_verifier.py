"""The verifier contract of the toy system: what it accepts, and every refusal, as in Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from prover.prove import prove
from prover.reference import ReferenceBackend
from sequencer.l1.errors import L1Rejected, L1Reverted
from tests.contracts.support.verifiers import (
    DeployedVerifier,
    assert_same_arguments,
    compiled,
)
from tests.support.known_tau import check_with
from tests.support.machine import Machine
from tests.support.solc import MISSING_REASON, Solc, solc_is_missing
from tests.support.toy_system import (
    TAU,
    ToyWitness,
    toy_bases,
    toy_key,
    toy_shape,
    toy_system,
    toy_witness,
)
from tests.tampers import Claim, Tamper, tampers
from verifier import opening
from verifier.errors import VerificationError
from verifier.verify import verify

pytestmark = pytest.mark.skipif(solc_is_missing(), reason=MISSING_REASON)

KEY = toy_key(replace(toy_shape(), name="Toy"))
OTHER_SHAPES = (
    toy_shape(log_steps=0, log_words=0),
    toy_shape(log_steps=3, log_words=5),
    toy_shape(log_steps=5, log_chunk=5),
)
WITNESSES = {
    "usual": toy_witness([3, 5, 0, 15, 3], [1, 4], [2, 9, 9]),
    "full": toy_witness(list(range(16)), range(8), [1, 2, 3, 4]),
    "empty": toy_witness([], []),
}
Artifacts = dict[str, dict[str, Any]]

TAMPERS = tampers(KEY, len(WITNESSES["usual"].pubdata))


def proven(key: Any, witness: ToyWitness) -> Claim:
    backend = ReferenceBackend(toy_bases(1 << key.log_chunk))
    proof = prove(key, toy_system(), witness.words, witness.pubdata, witness.tables, backend)
    return Claim(key, witness.words, witness.pubdata, proof)


@cache
def claim_of(name: str = "usual") -> Claim:
    return proven(KEY, WITNESSES[name])


def deployed(artifacts: Artifacts) -> DeployedVerifier:
    machine = Machine()
    *parts, name = sorted(artifacts)
    addresses = tuple(machine.deploy_artifact(artifacts[part]) for part in parts)
    return DeployedVerifier(machine, machine.deploy_artifact(artifacts[name], addresses), addresses)


@pytest.fixture(scope="module")
def artifacts(solc: Solc) -> Artifacts:
    return compiled(solc, KEY, toy_system())


@pytest.fixture(scope="module")
def verifier(artifacts: Artifacts) -> DeployedVerifier:
    return deployed(artifacts)


@pytest.fixture(scope="module")
def renamed(solc: Solc) -> DeployedVerifier:
    """The verifier of a key that differs in its name alone, thus in its digest."""
    return deployed(compiled(solc, replace(KEY, shape_name="Toyx"), toy_system()))


@pytest.fixture
def known_tau(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets Python check the opening with the toy's secret, hundreds of times in seconds."""
    monkeypatch.setattr(opening, "pairing_check", check_with(TAU))


def refusal(verifier: DeployedVerifier, claim: Claim) -> tuple[str, dict[str, Any]]:
    with pytest.raises(L1Rejected) as caught:
        verifier.verify(claim)
    return caught.value.error_name, caught.value.arguments


@pytest.mark.parametrize("name", WITNESSES)
def test_a_true_claim_is_accepted(verifier: DeployedVerifier, name: str) -> None:
    verifier.verify(claim_of(name))


@pytest.mark.parametrize("shape", OTHER_SHAPES, ids=[shape.name for shape in OTHER_SHAPES])
def test_true_claims_of_other_shapes_are_accepted(solc: Solc, shape: Any) -> None:
    key = toy_key(replace(shape, name="Other"))
    verifier = deployed(compiled(solc, key, toy_system()))
    claim = proven(key, toy_witness([6], [0], [2]))
    verifier.verify(claim)
    last = claim.proof[-1:] == b"\0"
    spoilt = replace(claim, proof=claim.proof[:-1] + (b"\1" if last else b"\0"))
    assert refusal(verifier, spoilt)[0] == "PointNotOnCurve"


@pytest.mark.usefixtures("known_tau")
@pytest.mark.parametrize("tamper", TAMPERS, ids=[tamper.name for tamper in TAMPERS])
def test_a_tamper_is_refused_as_in_python(
    verifier: DeployedVerifier, renamed: DeployedVerifier, tamper: Tamper
) -> None:
    changed = tamper.apply(claim_of())
    name, arguments = refusal(renamed if tamper.part == "key" else verifier, changed)
    with pytest.raises(VerificationError) as caught:
        verify(changed.key, changed.words, changed.pubdata, changed.proof)
    assert name == type(caught.value).__name__ == tamper.error.__name__
    assert_same_arguments(KEY, caught.value, arguments)


@pytest.mark.usefixtures("known_tau")
@pytest.mark.parametrize("name", ["full", "empty"])
def test_tampers_of_other_claims_are_refused_as_in_python(
    verifier: DeployedVerifier, renamed: DeployedVerifier, name: str
) -> None:
    """Given an empty chain, some changes pass the sumcheck and meet the opening only."""
    claim = claim_of(name)
    for tamper in tampers(KEY, len(claim.pubdata)):
        changed = tamper.apply(claim)
        found, _ = refusal(renamed if tamper.part == "key" else verifier, changed)
        with pytest.raises(VerificationError) as caught:
            verify(changed.key, changed.words, changed.pubdata, changed.proof)
        assert found == type(caught.value).__name__, tamper.name


def test_a_proof_holds_for_its_own_statement_only(verifier: DeployedVerifier) -> None:
    usual, full = claim_of("usual"), claim_of("full")
    for part in ("words", "pubdata", "proof"):
        mixed = replace(usual, **{part: getattr(full, part)})
        assert refusal(verifier, mixed)[0] in ("SumcheckMismatch", "HeightFixed")


# The contract itself


def test_it_names_its_key_and_its_parts(verifier: DeployedVerifier) -> None:
    assert verifier.ask("keyDigest") == KEY.digest
    assert verifier.ask("insecure") is True
    assert tuple(verifier.ask("parts")) == verifier.parts


@pytest.mark.parametrize("count", [0, 2, 3])
def test_another_number_of_parts_is_refused(artifacts: Artifacts, count: int) -> None:
    machine = Machine()
    part = machine.deploy_artifact(artifacts["Constraints0"])
    with pytest.raises(L1Rejected) as caught:
        machine.deploy_artifact(artifacts["VerifierToy"], [part] * count)
    assert str(caught.value) == f"WrongPartCount(expected=1, got={count})"


@pytest.mark.parametrize("address", ["0x" + "00" * 20, "0x" + "12" * 20, "0x" + "00" * 19 + "05"])
def test_a_part_without_code_is_refused(artifacts: Artifacts, address: str) -> None:
    with pytest.raises(L1Rejected) as caught:
        Machine().deploy_artifact(artifacts["VerifierToy"], [address])
    assert str(caught.value) == "PartWithoutCode(part=0)"


def part_of(runtime: str) -> bytes:
    """Creation code of a contract with this code."""
    code = bytes.fromhex(runtime)
    return bytes.fromhex(f"60{len(code):02x}80600b6000396000f3") + code


PARTS_THAT_FAIL = {
    "reverts": "60006000fd",
    "returns nothing": "00",
    "returns a word less": "60a06000f3",
    "returns a word more": "60e06000f3",
    "runs out of gas": "5b600056",
}


@pytest.mark.parametrize("name", PARTS_THAT_FAIL)
def test_a_part_that_fails_stops_the_verifier(artifacts: Artifacts, name: str) -> None:
    machine = Machine()
    part = machine.deploy(part_of(PARTS_THAT_FAIL[name]))
    address = machine.deploy_artifact(artifacts["VerifierToy"], [part])
    verifier = DeployedVerifier(machine, address, (part,))
    with pytest.raises(L1Rejected) as caught:
        verifier.verify(claim_of(), gas=2_000_000)
    assert str(caught.value) == "PartFailed(part=0)"


def test_a_part_of_zeros_does_not_pass_for_constraints(artifacts: Artifacts) -> None:
    machine = Machine()
    part = machine.deploy(part_of("60c06000f3"))
    address = machine.deploy_artifact(artifacts["VerifierToy"], [part])
    verifier = DeployedVerifier(machine, address, (part,))
    assert refusal(verifier, claim_of())[0] == "SumcheckMismatch"


def gas_steps(verifier: DeployedVerifier) -> Iterator[int]:
    """Less gas than an accepted claim needs, finely enough to stop in every call."""
    enough = verifier.gas_of(claim_of())
    yield from range(enough - 200, enough // 3, -2_500)
    yield from range(enough // 3, 0, -25_000)


def test_without_enough_gas_nothing_is_accepted(verifier: DeployedVerifier) -> None:
    """Given any shortage, a precompile or a part that stops for want of gas is not taken for an
    answer; the rest of the gas suffices for a typed error where the call was large.
    """
    ends: Counter[str] = Counter()
    for gas in gas_steps(verifier):
        with pytest.raises((L1Rejected, L1Reverted)) as caught:
            verifier.verify(claim_of(), gas)
        error = caught.value
        ends[str(error) if isinstance(error, L1Rejected) else "out of gas"] += 1
    assert set(ends) <= {"PrecompileFailed(precompile=8)", "PartFailed(part=0)", "out of gas"}
    assert ends["PrecompileFailed(precompile=8)"] > 10
    # A call passes on all but a 64th of the gas, so that much more must be there.
    verifier.verify(claim_of(), verifier.gas_of(claim_of()) * 66 // 64)
