"""The verifier's Solidity libraries against the Python functions that they mirror."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.field import Q, R, inverse
from sequencer.l1.abi import load_artifact
from sequencer.l1.errors import L1Rejected
from tests.conftest import VECTORS
from tests.contracts.support.venue import ARTIFACTS
from tests.contracts.support.verifiers import assert_same_arguments
from tests.support.curve import generator_multiple
from tests.support.machine import Machine
from tests.support.toy_system import TAU, toy_key, toy_shape
from verifier.errors import VerificationError
from verifier.key import VerifyingKey
from verifier.pairing import multi_scalar, pairing_check
from verifier.reduction import chunk_weights, combined_claim
from verifier.solidity import _chip_records
from verifier.sumcheck import activity, equality, next_claim, powers_at, row_number
from verifier.transcript import INFINITY, ProofReader, Transcript, words_to_bytes

LIBRARIES = load_artifact("VerifierLibraries", ARTIFACTS)
MACHINE = Machine()
ADDRESS = MACHINE.deploy(LIBRARIES.creation())
GENERATOR = (1, 2)
KEY = toy_key(toy_shape())

scalars = st.one_of(st.sampled_from([0, 1, R - 1]), st.integers(0, R - 1))
any_words = st.one_of(scalars, st.sampled_from([R, R + 1, Q - 1, Q, 2**256 - 1]))


def ask(function: str, *arguments: object) -> Any:
    return MACHINE.ask(LIBRARIES, ADDRESS, function, *arguments)


def refused(function: str, *arguments: object) -> tuple[str, dict[str, Any]]:
    with pytest.raises(L1Rejected) as caught:
        ask(function, *arguments)
    return caught.value.error_name, caught.value.arguments


# Transcript


def test_the_golden_transcript_is_reproduced() -> None:
    steps = json.loads((VECTORS / "transcript.json").read_text())["steps"]
    labels, sizes, data, challenges = [], [], b"", []
    for step in steps:
        message = bytes.fromhex(step.get("data", "0x")[2:])
        labels.append(step.get("absorb", "").encode().ljust(4, b"\0"))
        sizes.append(len(message))
        data += message
        challenges.append(int(step.get("challenge", "0x0"), 16))
    assert list(ask("transcript", labels, sizes, data)) == challenges


@given(
    digest=st.binary(min_size=32, max_size=32),
    words=st.lists(scalars, max_size=5),
    pubdata=st.lists(scalars, max_size=5),
)
def test_a_statement_begins_the_same_chain(
    digest: bytes, words: list[int], pubdata: list[int]
) -> None:
    seen = []

    class Spy(Transcript):
        def absorb(self, label: bytes, data: bytes) -> None:
            seen.append(data)
            super().absorb(label, data)

    spy = Spy()
    spy.absorb_statement(digest, words, pubdata)
    assert ask("afterStatement", seen[0]) == spy.challenge()


def same_reading(function: str, read: str, arguments: tuple[Any, ...], data: bytes) -> None:
    """Both accept and draw the same challenge, or both refuse by the same error."""
    reader = ProofReader(data)
    try:
        values = getattr(reader, read)(*arguments)
    except VerificationError as error:
        refusal = error
    else:
        answer = ask(function, *arguments, data)
        if function == "takeHeights":
            heights, answer = answer
            assert list(heights) == values
        assert answer == reader.challenge()
        return
    name, found = refused(function, *arguments, data)
    assert name == type(refusal).__name__
    assert_same_arguments(KEY, refusal, found)


@given(words=st.lists(any_words, max_size=9))
def test_scalars_are_read_alike(words: list[int]) -> None:
    same_reading("takeScalars", "read_scalars", (b"rnd1", len(words)), words_to_bytes(words))


@given(
    points=st.lists(
        st.one_of(
            st.integers(1, 50).map(generator_multiple),
            st.sampled_from([INFINITY, (0, Q), (Q, 0), (1, 2 + Q), (1 + Q, 2), (1, 3), (0, 1)]),
            st.tuples(any_words, any_words),
        ),
        max_size=4,
    )
)
def test_points_are_read_alike(points: list[tuple[int, int]]) -> None:
    data = words_to_bytes([value for point in points for value in point])
    same_reading("takePoints", "read_points", (b"main", len(points)), data)


@given(
    heights=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=17),
    filler=st.one_of(st.just(b""), st.binary(max_size=32)),
)
def test_heights_are_read_alike(heights: list[int], filler: bytes) -> None:
    packed = b"".join(height.to_bytes(4, "big") for height in heights)
    room = -len(packed) % 32
    data = packed + filler[:room].ljust(room, b"\0")
    same_reading("takeHeights", "read_heights", (len(heights),), data)


@given(words=st.lists(any_words, max_size=14))
def test_the_first_word_out_of_range_is_found(words: list[int]) -> None:
    expected = next((i for i, word in enumerate(words) if word >= R), len(words))
    assert ask("firstNotCanonical", words_to_bytes(words)) == expected


# Sumcheck and the functions of its point


@given(data=st.data(), rounds=st.integers(0, 4), degree=st.integers(1, 7), claim=scalars)
def test_sumchecks_give_the_same_claims(
    data: st.DataObject, rounds: int, degree: int, claim: int
) -> None:
    messages = [[data.draw(scalars) for _ in range(degree)] for _ in range(rounds)]
    proof = words_to_bytes([word for message in messages for word in message])
    reader, point, expected = ProofReader(proof), [], claim
    for message in messages:
        assert reader.read_scalars(b"rnd1", degree) == message
        point.append(reader.challenge())
        expected = next_claim(message, expected, point[-1], R)
    assert ask("runSumcheck", rounds, degree, claim, proof) == (tuple(point), expected)


@given(
    pairs=st.lists(st.tuples(scalars, scalars), min_size=1, max_size=8),
    data=st.data(),
    base=scalars,
)
def test_functions_of_the_point_are_alike(
    pairs: list[tuple[int, int]], data: st.DataObject, base: int
) -> None:
    point, other = ([pair[side] for pair in pairs] for side in (0, 1))
    start = data.draw(st.integers(0, len(point)))
    end = point[start:]
    height = data.draw(st.integers(0, 1 << len(end)))
    product = 1
    for x in point[:start]:
        product = product * x % R
    assert ask("pointFunctions", point, other, start, height, base) == (
        activity(height, end, R),
        row_number(end, R),
        powers_at(base, end, R),
        product,
        equality(other[start:], end, R),
    )


@given(values=st.lists(scalars, max_size=11), gamma=scalars)
def test_claims_are_weighed_alike(values: list[int], gamma: int) -> None:
    assert ask("combinedClaim", gamma, words_to_bytes(values)) == combined_claim(values, gamma)


@st.composite
def laid_out_keys(draw: Any) -> VerifyingKey:
    """The toy key with other heights and numbers of columns, of which only the layout matters."""
    log_chunk = draw(st.integers(1, 7))
    chips = tuple(
        replace(
            KEY.chips[0],
            log_height=draw(st.integers(0, log_chunk)),
            main_columns=draw(st.integers(1, 40)),
            helper_columns=draw(st.integers(0, 5)),
        )
        for _ in range(draw(st.integers(1, 5)))
    )
    return replace(KEY, log_chunk=log_chunk, chips=chips)


@given(key=laid_out_keys(), data=st.data())
def test_chunk_weights_are_alike(key: VerifyingKey, data: st.DataObject) -> None:
    point = [data.draw(scalars) for _ in range(key.rounds)]
    rho = [data.draw(scalars) for _ in range(key.log_chunk)]
    gamma = data.draw(scalars)
    layout = key.layout
    sizes = (
        len(key.chips), key.log_chunk, key.rounds, layout.main_chunks, layout.helper_chunks,
    )  # fmt: skip
    found = ask("chunkWeights", _chip_records(key), sizes, point, gamma, rho)
    assert list(found) == chunk_weights(key, point, gamma, rho)


# Inversion and the curve


@given(values=st.lists(st.integers(1, R - 1), max_size=9))
def test_all_inverses_are_found(values: list[int]) -> None:
    assert list(ask("invertAll", values)) == [inverse(value) for value in values]


@pytest.mark.parametrize("values", [[0], [5, 0, 7], [1, 2, R]])
def test_a_zero_has_no_inverse(values: list[int]) -> None:
    assert refused("invertAll", values) == ("DegenerateChallenge", {"got": 0})


@given(multiple=st.integers(0, 99), scalar=st.one_of(scalars, st.just(R)))
def test_points_are_scaled(multiple: int, scalar: int) -> None:
    point = generator_multiple(multiple)
    assert ask("addScaled", *point, scalar) == multi_scalar([point], [scalar])


@given(multiples=st.lists(st.integers(0, 99), max_size=4))
def test_points_are_added(multiples: list[int]) -> None:
    points = [generator_multiple(multiple) for multiple in multiples]
    data = words_to_bytes([value for point in points for value in point])
    assert ask("addAt", data) == generator_multiple(sum(multiples))


@pytest.mark.parametrize("point", [(1, 3), (Q, 0), (1 + Q, 2), (2**256 - 1, 2)])
def test_a_point_off_the_curve_fails_in_the_precompile(point: tuple[int, int]) -> None:
    """No such point gets that far in a proof; the check is there for all the same."""
    assert refused("addScaled", *point, 1) == ("PrecompileFailed", {"precompile": 7})
    assert refused("addAt", words_to_bytes(point)) == ("PrecompileFailed", {"precompile": 6})


(X0, X1), (Y0, Y1) = KEY.setup.tau_g2
TAU_G2 = (X1, X0, Y1, Y0)


def left_sum(multiple: int) -> tuple[int, ...]:
    return (*generator_multiple(multiple), 0, 0, 0)


@pytest.mark.parametrize("multiple", [0, 1, 77])
def test_the_pairing_holds_for_tau_times_the_witness_alone(multiple: int) -> None:
    witness = generator_multiple(multiple)
    data = words_to_bytes(witness)
    assert pairing_check(generator_multiple(multiple * TAU), witness, KEY.setup.tau_g2)
    ask("checkPairing", left_sum(multiple * TAU), TAU_G2, data)
    for wrong in (multiple * TAU + 1, -multiple * TAU or 5):
        error = ("OpeningMismatch", {"expected": 1, "got": 0})
        assert refused("checkPairing", left_sum(wrong), TAU_G2, data) == error


@pytest.mark.parametrize(
    "tau_g2", [(X0, X1, Y0, Y1), (X1, X0, Y1, Y0 + 1), (X1 + Q, X0, Y1, Y0), (1, 1, 1, 1)]
)
def test_a_pairing_without_answer_is_not_a_no(tau_g2: tuple[int, ...]) -> None:
    error = ("PrecompileFailed", {"precompile": 8})
    assert refused("checkPairing", left_sum(1), tau_g2, words_to_bytes(GENERATOR)) == error
