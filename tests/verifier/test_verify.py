"""verify() on the toy statement: accepts its proof, refuses every tamper by the right name."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.field import Q, R
from prover.prove import prove
from prover.reference import ReferenceBackend
from tests.support.known_tau import check_with
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
from verifier import opening, pairing
from verifier import verify as verify_module
from verifier.errors import HeightFixed, PubdataLength, StatementLength, VerificationError
from verifier.proof import sections
from verifier.transcript import ProofReader
from verifier.verify import verify

WITNESS = toy_witness([3, 5, 0, 15, 3], [1, 4], [2, 9, 9])
KEY = toy_key(toy_shape())
TAMPERS = tampers(KEY, len(WITNESS.pubdata))


@cache
def claim_of(witness_name: str = "usual") -> Claim:
    witness: ToyWitness = {
        "usual": WITNESS,
        "full": toy_witness(list(range(16)), range(8), [1, 2, 3, 4]),
        "empty": toy_witness([], []),
    }[witness_name]
    backend = ReferenceBackend(toy_bases(1 << KEY.log_chunk))
    proof = prove(KEY, toy_system(), witness.words, witness.pubdata, witness.tables, backend)
    return Claim(KEY, witness.words, witness.pubdata, proof)


def check(claim: Claim) -> None:
    verify(claim.key, claim.words, claim.pubdata, claim.proof)


@pytest.fixture
def known_tau(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks the opening with the toy's secret, so that hundreds of proofs take seconds."""
    monkeypatch.setattr(opening, "pairing_check", check_with(TAU))


@pytest.mark.parametrize("name", ["usual", "full", "empty"])
def test_a_true_claim_is_accepted(name: str) -> None:
    check(claim_of(name))


@pytest.mark.parametrize("tamper", TAMPERS, ids=[tamper.name for tamper in TAMPERS])
@pytest.mark.usefixtures("known_tau")
def test_a_tamper_is_refused_by_its_error(tamper: Tamper) -> None:
    claim = claim_of()
    changed = tamper.apply(claim)
    assert changed != claim
    with pytest.raises(VerificationError) as caught:
        check(changed)
    assert type(caught.value) is tamper.error, caught.value


def test_tampers_reach_every_section_part_and_error() -> None:
    """Given the list, no section is without a change of value and one out of range."""
    assert len({tamper.name for tamper in TAMPERS}) == len(TAMPERS)
    assert {tamper.part for tamper in TAMPERS} == {"key", "words", "pubdata", "proof"}
    claim = claim_of()
    touched = set()
    for tamper in TAMPERS:
        changed = tamper.apply(claim).proof
        if len(changed) == len(claim.proof):
            touched |= {
                (section.offset_bytes, tamper.error)
                for section in sections(KEY)
                if claim.proof[section.offset_bytes :][: section.size_bytes]
                != changed[section.offset_bytes :][: section.size_bytes]
            }
    for section in sections(KEY):
        assert sum(offset == section.offset_bytes for offset, _ in touched) >= 2, section
    unreachable = {"DegenerateChallenge"}
    errors = {tamper.error.__name__ for tamper in TAMPERS}
    assert errors == {each.__name__ for each in VerificationError.__subclasses__()} - unreachable


@pytest.mark.parametrize("name", ["fold[0] another point", "open[0] negated"])
def test_the_pairing_itself_refuses(name: str) -> None:
    """Given no stand-in for the pairing, a wrong opening is refused all the same."""
    tamper = next(each for each in TAMPERS if each.name == name)
    with pytest.raises(tamper.error, match=r"^OpeningMismatch: pairing: expected 1, got 0$"):
        check(tamper.apply(claim_of()))


@pytest.mark.parametrize(
    ("words", "pubdata", "error", "message"),
    [
        (WITNESS.words[:-1], WITNESS.pubdata, StatementLength,
         "StatementLength: public words: expected 4, got 3"),
        (WITNESS.words, (*WITNESS.pubdata, 0), HeightFixed,
         "HeightFixed: height of words: expected 3, got 2"),
        (WITNESS.words, (0,) * 9, PubdataLength,
         "PubdataLength: published words: expected at most 8, got 9"),
    ],
)  # fmt: skip
def test_messages_carry_place_expectation_and_finding(
    words: tuple[int, ...], pubdata: tuple[int, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        verify(KEY, words, pubdata, claim_of().proof)
    assert str(caught.value) == message


@pytest.mark.parametrize("value", [-1, R, Q, 2**256, 2**300])
def test_integers_of_any_size_are_refused_not_crashed_on(value: int) -> None:
    claim = claim_of()
    for words, pubdata in (
        ((value, *claim.words[1:]), claim.pubdata),
        (claim.words, (value, *claim.pubdata[1:])),
    ):
        with pytest.raises(VerificationError, match=f"expected below {R}, got {value}$"):
            verify(KEY, words, pubdata, claim.proof)


def test_the_verifier_reads_exactly_the_sections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a recording reader, what verify() takes is what proof.sections() says, in order."""
    taken: list[tuple[bytes, int]] = []

    class RecordingReader(ProofReader):
        def _take(self, label: bytes, size: int) -> bytes:
            taken.append((label, size))
            return super()._take(label, size)

    monkeypatch.setattr(verify_module, "ProofReader", RecordingReader)
    check(claim_of())
    assert taken == [(section.label, section.size_bytes) for section in sections(KEY)]


@settings(max_examples=150)
@given(data=st.data())
def test_any_bytes_are_accepted_or_refused_by_a_verification_error(data: st.DataObject) -> None:
    """Given a proof with some bytes or words replaced, only its own bytes are accepted."""
    claim = claim_of()
    proof = bytearray(claim.proof)
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(proof) - 1))
        chunk = data.draw(
            st.one_of(
                st.binary(min_size=1, max_size=4),
                st.sampled_from([bytes(32), R.to_bytes(32, "big"), b"\xff" * 32, bytes(64)]),
            )
        )
        proof[position : position + len(chunk)] = chunk
    proof = proof[: len(claim.proof)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "pairing_check", check_with(TAU))
        try:
            verify(KEY, claim.words, claim.pubdata, bytes(proof))
        except VerificationError:
            return
    assert bytes(proof) == claim.proof


@given(proof=st.binary(max_size=200))
def test_bytes_of_another_length_are_refused(proof: bytes) -> None:
    with pytest.raises(VerificationError, match=r"^ProofLength: proof: expected 2720, got "):
        verify(KEY, WITNESS.words, WITNESS.pubdata, proof)


def test_the_stand_in_for_the_pairing_agrees_with_it() -> None:
    stand_in = check_with(TAU)
    witness = (1, 2)
    for left in (pairing.multi_scalar([witness], [TAU]), witness, (0, 0)):
        expected = pairing.pairing_check(left, witness, KEY.setup.tau_g2)
        assert stand_in(left, witness, KEY.setup.tau_g2) is expected
