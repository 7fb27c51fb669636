"""Poseidon2: published vectors, and the constants regenerated from their own procedure."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits import poseidon2
from circuits.field import R
from circuits.poseidon2 import (
    ALPHA,
    FULL_ROUND_CONSTANTS,
    FULL_ROUNDS,
    INTERNAL_DIAGONAL,
    PARTIAL_ROUND_CONSTANTS,
    PARTIAL_ROUNDS,
    RATE,
    ROUND_CONSTANTS,
    ROUNDS,
    WIDTH,
    external_linear,
    hash_each,
    hash_words,
    internal_linear,
    is_full_round,
    load_data,
    node,
    node_each,
    permute,
    permute_each,
    sponge_iv,
)

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "poseidon2.json").read_text(encoding="ascii")
)
EXTERNAL_MATRIX = ((5, 7, 1, 3), (4, 6, 1, 1), (1, 3, 5, 7), (1, 1, 4, 6))

elements = st.integers(0, R - 1)
states = st.tuples(elements, elements, elements, elements)


def numbers(texts: Sequence[str]) -> list[int]:
    """Hexadecimal words of a vector file as ints."""
    return [int(text, 16) for text in texts]


def grain_bits(width: int, full_rounds: int, partial_rounds: int) -> Iterator[int]:
    """The self-shrinking Grain generator of the Poseidon papers for a 254-bit prime field.

    Source: ePrint 2019/458 appendix E; field code 1, S-box code 0 (x^alpha).
    """
    seed = f"{1:02b}{0:04b}{254:012b}{width:012b}{full_rounds:010b}{partial_rounds:010b}"
    register = [int(bit) for bit in seed] + [1] * 30

    def step() -> int:
        taps = (62, 51, 38, 23, 13, 0)
        bit = sum(register[tap] for tap in taps) % 2
        del register[0]
        register.append(bit)
        return bit

    for _ in range(160):
        step()
    while True:
        keep, bit = step(), step()
        if keep:
            yield bit


def naive_permute(state: Sequence[int]) -> list[int]:
    """The permutation by its definition: constants, S-boxes, full matrix products."""

    def product(matrix: Sequence[Sequence[int]], vector: Sequence[int]) -> list[int]:
        return [sum(m * v for m, v in zip(row, vector, strict=True)) % R for row in matrix]

    internal = [
        [1 + (INTERNAL_DIAGONAL[i] if i == j else 0) for j in range(WIDTH)] for i in range(WIDTH)
    ]
    lanes = product(EXTERNAL_MATRIX, state)
    for round_index, constants in enumerate(ROUND_CONSTANTS):
        lanes = [(lane + constant) % R for lane, constant in zip(lanes, constants, strict=True)]
        if is_full_round(round_index):
            lanes = product(EXTERNAL_MATRIX, [pow(lane, ALPHA, R) for lane in lanes])
        else:
            lanes = product(internal, [pow(lanes[0], ALPHA, R), *lanes[1:]])
    return lanes


class Linear:
    """A linear form in four unknowns that only knows + and * by an int, as the chips' Expr does."""

    def __init__(self, coefficients: Sequence[int]) -> None:
        self.coefficients = tuple(coefficients)

    def __add__(self, other: "Linear") -> "Linear":
        pairs = zip(self.coefficients, other.coefficients, strict=True)
        return Linear([left + right for left, right in pairs])

    def __mul__(self, factor: int) -> "Linear":
        return Linear([factor * coefficient for coefficient in self.coefficients])


UNKNOWNS = [Linear([int(i == j) for j in range(WIDTH)]) for i in range(WIDTH)]


def test_known_answers_of_the_data_file() -> None:
    answers = load_data()["known_answers"]
    assert len(answers) == 1
    for answer in answers:
        assert list(permute(numbers(answer["input"]))) == numbers(answer["output"])


def test_known_answer_is_the_published_one() -> None:
    """Source: barretenberg poseidon2_permutation tests, also protocol.md section 6."""
    assert permute((0, 1, 2, 3)) == (
        0x01BD538C2EE014ED5141B29E9AE240BF8DB3FE5B9A38629A9647CF8D76C01737,
        0x239B62E7DB98AA3A2A8F6A0D2FA1709E7A35959AA6C7034814D9DAA90CBAC662,
        0x04CBB44C61D928ED06808456BF758CBF0C18D1E15A7B6DBC8245FA7515D5E3CB,
        0x2E11C5CFF2A22C64D01304B778D78F6998EFF1AB73163A35603F54794C30847A,
    )


def test_data_file_has_the_hash_it_states() -> None:
    data = load_data()
    full_words = [word for row in data["full_round_constants"] for word in row]
    words = numbers(
        data["internal_diagonal"]
        + full_words[: FULL_ROUNDS // 2 * WIDTH]
        + data["partial_round_constants"]
        + full_words[FULL_ROUNDS // 2 * WIDTH :]
    )
    assert len(words) == WIDTH + FULL_ROUNDS * WIDTH + PARTIAL_ROUNDS
    assert all(0 <= word < R for word in words)
    digest = hashlib.sha256(b"".join(word.to_bytes(32, "big") for word in words)).hexdigest()
    assert digest == data["sha256"]
    assert digest == "f68db22eb72695cd847d8e3368951f8088e7f1dec985d16f3a2daef18f100b2d"


def test_data_file_describes_the_instance_of_the_code() -> None:
    data = load_data()
    described = {
        name: data[name] for name in ("modulus", "width", "full_rounds", "partial_rounds", "alpha")
    }
    assert described == {
        "modulus": hex(R),
        "width": WIDTH,
        "full_rounds": FULL_ROUNDS,
        "partial_rounds": PARTIAL_ROUNDS,
        "alpha": ALPHA,
    }


def test_constants_come_from_the_grain_generator() -> None:
    """Given the generator's words, then the first 88 below r are the round constants in order of
    use, and the fifth group of four after them is the diagonal plus one."""
    bits = grain_bits(WIDTH, FULL_ROUNDS, PARTIAL_ROUNDS)

    def word() -> int:
        return int("".join(str(next(bits)) for _ in range(254)), 2)

    constants: list[int] = []
    while len(constants) < FULL_ROUNDS * WIDTH + PARTIAL_ROUNDS:
        candidate = word()
        if candidate < R:
            constants.append(candidate)
    expected = [
        *(constant for row in FULL_ROUND_CONSTANTS[:4] for constant in row),
        *PARTIAL_ROUND_CONSTANTS,
        *(constant for row in FULL_ROUND_CONSTANTS[4:] for constant in row),
    ]
    assert constants == expected
    groups = [[word() % R for _ in range(WIDTH)] for _ in range(5)]
    assert groups[4] == [entry + 1 for entry in INTERNAL_DIAGONAL]


def test_round_table_is_64_rows_of_four() -> None:
    assert len(ROUND_CONSTANTS) == ROUNDS == 64
    assert all(len(row) == WIDTH for row in ROUND_CONSTANTS)
    full = [index for index in range(ROUNDS) if is_full_round(index)]
    assert full == [0, 1, 2, 3, 60, 61, 62, 63]
    assert tuple(ROUND_CONSTANTS[index] for index in full) == FULL_ROUND_CONSTANTS
    partial_rows = ROUND_CONSTANTS[FULL_ROUNDS // 2 : -(FULL_ROUNDS // 2)]
    assert partial_rows == tuple((constant, 0, 0, 0) for constant in PARTIAL_ROUND_CONSTANTS)


def test_external_linear_is_the_published_matrix() -> None:
    rows = tuple(form.coefficients for form in external_linear(UNKNOWNS))
    assert rows == EXTERNAL_MATRIX


def test_internal_linear_is_ones_plus_the_diagonal() -> None:
    rows = [form.coefficients for form in internal_linear(UNKNOWNS)]
    assert rows == [
        tuple(1 + (INTERNAL_DIAGONAL[i] if i == j else 0) for j in range(WIDTH))
        for i in range(WIDTH)
    ]


@given(states)
def test_permutation_equals_its_definition(state: tuple[int, int, int, int]) -> None:
    assert list(permute(state)) == naive_permute(state)


@pytest.mark.parametrize("section", ["published_sponge", "published_sponge_two_blocks"])
def test_published_sponge_vectors(section: str) -> None:
    for case in VECTORS[section]["cases"]:
        assert hash_words(0, numbers(case["words"])) == int(case["hash"], 16)


def test_published_sponge_has_the_fifteen_vectors() -> None:
    lengths = [len(case["words"]) for case in VECTORS["published_sponge"]["cases"]]
    assert lengths == [1] * 5 + [2] * 5 + [3] * 5


def test_tagged_sponge_vectors() -> None:
    for case in VECTORS["tagged_sponge"]["cases"]:
        assert hash_words(case["tag"], numbers(case["words"])) == int(case["hash"], 16)


def test_tree_node_vectors() -> None:
    for case in VECTORS["tree_node"]["cases"]:
        assert node(*numbers(case["children"])) == int(case["hash"], 16)


def test_tags_differ() -> None:
    tags = {name: getattr(poseidon2, name) for name in dir(poseidon2) if name.startswith("TAG_")}
    assert sorted(tags.values()) == list(range(1, len(tags) + 1))
    # Those that chips and signatures know.
    proven = {"TAG_HEADER": 1, "TAG_IDENTITY": 2, "TAG_COMMAND": 3, "TAG_CHALLENGE": 4}
    assert tags.items() >= proven.items()


@given(st.integers(0, 2**64 - 1), st.lists(elements, max_size=7))
def test_sponge_equals_its_definition(tag: int, words: list[int]) -> None:
    padded = words + [0] * (-len(words) % RATE)
    blocks = [padded[start : start + RATE] for start in range(0, len(padded), RATE)] or [[0, 0, 0]]
    state = [0, 0, 0, sponge_iv(tag, len(words))]
    for block in blocks:
        absorbed = [lane + word for lane, word in zip(state, [*block, 0], strict=True)]
        state = naive_permute(absorbed)
    assert hash_words(tag, words) == state[0]


def test_length_and_tag_separate_equal_states() -> None:
    """Given inputs that pad to the same block, then length and tag keep their hashes apart."""
    hashes = {hash_words(tag, words) for tag in range(5) for words in ([], [0], [0, 0], [0, 0, 0])}
    assert len(hashes) == 20


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 6, 7])
def test_messages_hashed_together_hash_as_alone(length: int) -> None:
    messages = [[R - 1 - number * word for word in range(length)] for number in range(5)]
    assert hash_each(7, messages) == [hash_words(7, words) for words in messages]


def test_no_messages_have_no_hashes() -> None:
    assert hash_each(7, []) == []


def test_messages_of_two_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^messages: expected one length, got \[1, 2\]$"):
        hash_each(7, [[1], [1, 2]])


def test_nodes_hashed_together_hash_as_alone() -> None:
    children = [(0, 0, 0, 0), (R - 1, 1, 2, 3)]
    assert node_each(children) == [node(*four) for four in children]
    assert permute_each(children) == [permute(four) for four in children]
