"""The transcript: its formula, golden values for every reader of it, and that reading absorbs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from circuits.field import Q, R
from tests.conftest import Pinned
from verifier.errors import HeightPadding, PointNotOnCurve, ScalarNotCanonical
from verifier.transcript import (
    INFINITY,
    LABEL_EVALUATIONS,
    LABEL_FOLDS,
    LABEL_HEIGHTS,
    LABEL_HELPERS,
    LABEL_MAIN,
    LABEL_NEGATED,
    LABEL_OPENING,
    LABEL_QUOTIENT,
    LABEL_REDUCTION,
    LABEL_ROUND,
    LABEL_STATEMENT,
    PROTOCOL_TAG,
    ProofReader,
    ProofWriter,
    Transcript,
    heights_to_bytes,
    is_on_curve,
    words_to_bytes,
)

GENERATOR = (1, 2)
KEY_DIGEST = bytes(range(32))
scalars = st.lists(st.integers(0, R - 1), max_size=5)


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def test_the_chain_is_the_documented_one() -> None:
    transcript = Transcript()
    state = keccak(b"plasmaperps/proof/v1")
    transcript.absorb(b"main", b"some data")
    state = keccak(state + b"main" + (9).to_bytes(4, "big") + b"some data")
    state = keccak(state + b"\x01")
    assert transcript.challenge() == int.from_bytes(state, "big") % R
    state = keccak(state + b"\x01")
    assert transcript.challenge() == int.from_bytes(state, "big") % R


def test_the_statement_is_absorbed_with_all_its_lengths() -> None:
    transcript, words, pubdata = Transcript(), (5, R - 1), (7, 8, 9)
    transcript.absorb_statement(KEY_DIGEST, words, pubdata)
    data = KEY_DIGEST + b"".join(map(word, (2, 5, R - 1, 3)))
    data += keccak(b"".join(map(word, pubdata)))
    expected = Transcript()
    expected.absorb(LABEL_STATEMENT, data)
    assert transcript.challenge() == expected.challenge()


def test_labels_are_four_bytes_and_distinct() -> None:
    labels = [
        LABEL_STATEMENT, LABEL_HEIGHTS, LABEL_MAIN, LABEL_HELPERS, LABEL_ROUND, LABEL_EVALUATIONS,
        LABEL_REDUCTION, LABEL_FOLDS, LABEL_NEGATED, LABEL_QUOTIENT, LABEL_OPENING,
    ]  # fmt: skip
    assert {len(label) for label in labels} == {4}
    assert len(set(labels)) == len(labels)


def golden_steps() -> list[dict[str, Any]]:
    """One of each kind of message, with the state's consequence after each."""
    steps: list[dict[str, Any]] = []
    transcript = Transcript()

    def absorb(label: bytes, data: bytes) -> None:
        transcript.absorb(label, data)
        steps.append({"absorb": label.decode(), "data": "0x" + data.hex()})

    def squeeze(count: int) -> None:
        steps.extend({"challenge": f"0x{transcript.challenge():064x}"} for _ in range(count))

    squeeze(1)
    statement = words_to_bytes((2, 5, R - 1, 3)) + keccak(words_to_bytes((7, 8, 9)))
    absorb(LABEL_STATEMENT, KEY_DIGEST + statement)
    absorb(LABEL_HEIGHTS, heights_to_bytes((1, 0, 65536, 2**32 - 1)))
    absorb(LABEL_MAIN, words_to_bytes((*GENERATOR, *INFINITY)))
    squeeze(2)
    absorb(LABEL_HELPERS, words_to_bytes(GENERATOR))
    squeeze(4)
    for label in (LABEL_ROUND, LABEL_EVALUATIONS, LABEL_REDUCTION, LABEL_NEGATED):
        absorb(label, words_to_bytes(range(7)))
        squeeze(1)
    absorb(LABEL_FOLDS, b"")
    absorb(LABEL_QUOTIENT, words_to_bytes(INFINITY))
    absorb(LABEL_OPENING, words_to_bytes((1, Q - 2)))
    squeeze(3)
    return steps


def test_golden_transcript(pinned: Pinned) -> None:
    """The file is read by the tests of the Solidity verifier as well."""
    steps = golden_steps()
    pinned.check("transcript", {"tag": "0x" + PROTOCOL_TAG.hex(), "steps": steps})


@given(first=scalars, second=scalars)
def test_reader_and_writer_build_the_same_chain(first: list[int], second: list[int]) -> None:
    writer = ProofWriter()
    writer.absorb_statement(KEY_DIGEST, (1, 2), (3,))
    writer.write_heights([4, 5, 6])
    writer.write_scalars(LABEL_ROUND, first)
    drawn = [writer.challenge()]
    writer.write_points(LABEL_MAIN, [GENERATOR, INFINITY])
    writer.write_scalars(LABEL_EVALUATIONS, second)
    drawn.append(writer.challenge())

    reader = ProofReader(writer.to_bytes())
    reader.absorb_statement(KEY_DIGEST, (1, 2), (3,))
    assert reader.read_heights(3) == [4, 5, 6]
    assert reader.read_scalars(LABEL_ROUND, len(first)) == first
    found = [reader.challenge()]
    assert reader.read_points(LABEL_MAIN, 2) == [GENERATOR, INFINITY]
    assert reader.read_scalars(LABEL_EVALUATIONS, len(second)) == second
    found.append(reader.challenge())
    assert found == drawn


def read_heights(reader: ProofReader) -> object:
    return reader.read_heights(8)


def read_scalars(reader: ProofReader) -> object:
    return reader.read_scalars(LABEL_ROUND, 1)


@pytest.mark.parametrize("read", [read_heights, read_scalars])
def test_reading_absorbs_every_bit(read: Callable[[ProofReader], object]) -> None:
    """Given each low bit of 32 bytes flipped, the challenge after reading differs."""
    drawn = set()
    for position in range(33):
        data = bytearray(32)
        if position < 32:
            data[position] = 1
        reader = ProofReader(bytes(data))
        read(reader)
        drawn.add(reader.challenge())
    untouched = Transcript()
    assert len(drawn | {untouched.challenge()}) == 34


def test_reading_points_absorbs_them() -> None:
    drawn = set()
    for point in (GENERATOR, INFINITY, (1, Q - 2)):
        reader = ProofReader(words_to_bytes(point))
        assert reader.read_points(LABEL_MAIN, 1) == [point]
        drawn.add(reader.challenge())
    assert len(drawn) == 3


def test_reading_nothing_absorbs_its_label() -> None:
    reader, untouched = ProofReader(b""), Transcript()
    assert reader.read_points(LABEL_FOLDS, 0) == []
    assert reader.challenge() != untouched.challenge()


def statement_challenge(
    digest: bytes = KEY_DIGEST, words: tuple[int, ...] = (1, 2), pubdata: tuple[int, ...] = (3, 4)
) -> int:
    transcript = Transcript()
    transcript.absorb_statement(digest, words, pubdata)
    return transcript.challenge()


def test_every_part_of_the_statement_counts() -> None:
    variants = {
        statement_challenge(),
        statement_challenge(digest=bytes(32)),
        statement_challenge(words=(2, 1)),
        statement_challenge(words=(1, 2, 0)),
        statement_challenge(words=(1,)),
        statement_challenge(pubdata=(4, 3)),
        statement_challenge(pubdata=(3, 4, 0)),
        statement_challenge(pubdata=()),
        statement_challenge(words=(1, 2, 3), pubdata=(4,)),
    }
    assert len(variants) == 9


@pytest.mark.parametrize("value", [R, R + 1, Q - 1, 2**256 - 1])
def test_a_scalar_that_is_not_canonical_is_named(value: int) -> None:
    reader = ProofReader(words_to_bytes((R - 1, value)))
    with pytest.raises(ScalarNotCanonical) as caught:
        reader.read_scalars(LABEL_ROUND, 2)
    message = f"ScalarNotCanonical: rnd1[1]: expected below {R}, got {value}"
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "point",
    [(1, 3), (0, 1), (2, 0), (Q, 0), (0, Q), (1 + Q, 2), (1, 2 + Q), (Q, Q), (2**256 - 1, 2)],
)
def test_a_point_that_is_not_canonical_or_not_on_the_curve_is_named(
    point: tuple[int, int],
) -> None:
    reader = ProofReader(words_to_bytes((*GENERATOR, *point)))
    with pytest.raises(PointNotOnCurve) as caught:
        reader.read_points(LABEL_MAIN, 2)
    assert str(caught.value) == (f"PointNotOnCurve: main[1]: expected a curve point, got {point}")
    assert not is_on_curve(point)


@pytest.mark.parametrize("position", [12, 13, 31])
def test_padding_of_the_heights_is_zero(position: int) -> None:
    data = bytearray(32)
    data[position] = 2
    with pytest.raises(HeightPadding) as caught:
        ProofReader(bytes(data)).read_heights(3)
    got = 2 << 8 * (31 - position)
    assert str(caught.value) == f"HeightPadding: heights: expected 0, got {got}"


@given(heights=st.lists(st.integers(0, 2**32 - 1), max_size=20))
def test_heights_are_packed_eight_to_a_word(heights: list[int]) -> None:
    data = heights_to_bytes(heights)
    assert len(data) == 32 * -(-len(heights) // 8)
    assert ProofReader(data).read_heights(len(heights)) == heights
