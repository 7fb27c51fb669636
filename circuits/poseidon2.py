"""Poseidon2 over Fr, width 4: permutation, sponge and the feed-forward 4-ary tree node.

The instance is the one shared by HorizenLabs, Barretenberg and gnark-crypto: 8 full rounds
around 56 partial ones, S-box x^5. All its numbers live in `poseidon2_t4.json`.

Source: ePrint 2023/323; constants as named in the data file.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from circuits.field import R

WIDTH = 4
RATE = 3
ALPHA = 5
FULL_ROUNDS = 8
PARTIAL_ROUNDS = 56
ROUNDS = FULL_ROUNDS + PARTIAL_ROUNDS

# Domain tags of the sponge; 0 is left to the published sponge without one.
TAG_HEADER = 1
TAG_IDENTITY = 2
TAG_COMMAND = 3
TAG_CHALLENGE = 4
TAG_POSITION = 5
TAG_AGENT_KEY = 6
TAG_VAULT_SHARE = 7
TAG_VAULT_TERMS = 8
TAG_VAULT_LEDGER = 9
TAG_MARKET_TERMS = 10
TAG_MARKET_PRICES = 11
TAG_MARKET_BOOK = 12
TAG_ORDER = 13
TAG_TRIGGER = 14
TAG_FEE_TERMS = 15
TAG_CONTROLS = 16
TAG_ORACLE_SIGNER = 17
TAG_QUOTE = 18
TAG_GOVERNED = 19

Lanes = tuple[int, int, int, int]
PermuteMany = Callable[[Sequence[Lanes]], Sequence[Lanes]]
"""The permutation of many states, none of which depends on another's result."""

DATA_PATH = Path(__file__).with_name("poseidon2_t4.json")


def load_data() -> dict[str, Any]:
    """The data file as parsed JSON, with its source, hash and known answers."""
    data: dict[str, Any] = json.loads(DATA_PATH.read_text(encoding="ascii"))
    return data


def _words(texts: Sequence[str]) -> tuple[int, ...]:
    return tuple(int(text, 16) for text in texts)


_DATA = load_data()

# Eight rows of four and 56 single words, in the order of use.
FULL_ROUND_CONSTANTS = tuple(_words(row) for row in _DATA["full_round_constants"])
PARTIAL_ROUND_CONSTANTS = _words(_DATA["partial_round_constants"])
# The same as 64 rows of four, lanes 1..3 of a partial round being zero.
ROUND_CONSTANTS = (
    *FULL_ROUND_CONSTANTS[: FULL_ROUNDS // 2],
    *((constant, 0, 0, 0) for constant in PARTIAL_ROUND_CONSTANTS),
    *FULL_ROUND_CONSTANTS[FULL_ROUNDS // 2 :],
)
# The internal matrix is all ones plus this diagonal.
INTERNAL_DIAGONAL = _words(_DATA["internal_diagonal"])


def is_full_round(round_index: int) -> bool:
    """True if all four lanes pass the S-box in this round of 0..63."""
    return not FULL_ROUNDS // 2 <= round_index < FULL_ROUNDS // 2 + PARTIAL_ROUNDS


def external_linear(state: Sequence[Any]) -> tuple[Any, Any, Any, Any]:
    """The matrix of full rounds, on any values that know + and * by an int; not reduced.

    Source: ePrint 2023/323 section 5.1, matrix M4 in eight additions.
    """
    first, second, third, fourth = state
    upper = first + second
    lower = third + fourth
    upper_mixed = second * 2 + lower
    lower_mixed = fourth * 2 + upper
    out_fourth = lower * 4 + lower_mixed
    out_second = upper * 4 + upper_mixed
    return lower_mixed + out_second, out_second, upper_mixed + out_fourth, out_fourth


def internal_linear(state: Sequence[Any]) -> tuple[Any, Any, Any, Any]:
    """The matrix of partial rounds, on any values that know + and * by an int; not reduced."""
    first, second, third, fourth = state
    total = first + second + third + fourth
    return (
        first * INTERNAL_DIAGONAL[0] + total,
        second * INTERNAL_DIAGONAL[1] + total,
        third * INTERNAL_DIAGONAL[2] + total,
        fourth * INTERNAL_DIAGONAL[3] + total,
    )


def _full_rounds(
    a: int, b: int, c: int, d: int, constants: Sequence[tuple[int, ...]]
) -> tuple[int, int, int, int]:
    for constant_a, constant_b, constant_c, constant_d in constants:
        a += constant_a
        b += constant_b
        c += constant_c
        d += constant_d
        square = a * a % R
        a = square * square * a % R
        square = b * b % R
        b = square * square * b % R
        square = c * c % R
        c = square * square * c % R
        square = d * d % R
        d = square * square * d % R
        a, b, c, d = external_linear((a, b, c, d))
    return a, b, c, d


def permute(state: Sequence[int]) -> Lanes:
    """The permutation of four field elements.

    Cost: 488 multiplications and 400 reductions. The rounds are written out because trees and
    signatures spend nearly all their time here. Sums stay unreduced until the next product, and
    x^5 is reduced twice instead of three times.
    """
    a, b, c, d = external_linear(state)
    a, b, c, d = _full_rounds(a, b, c, d, FULL_ROUND_CONSTANTS[: FULL_ROUNDS // 2])
    diagonal_a, diagonal_b, diagonal_c, diagonal_d = INTERNAL_DIAGONAL
    for constant in PARTIAL_ROUND_CONSTANTS:
        a += constant
        square = a * a % R
        a = square * square * a % R
        total = a + b + c + d
        a = (a * diagonal_a + total) % R
        b = (b * diagonal_b + total) % R
        c = (c * diagonal_c + total) % R
        d = (d * diagonal_d + total) % R
    a, b, c, d = _full_rounds(a, b, c, d, FULL_ROUND_CONSTANTS[FULL_ROUNDS // 2 :])
    return a % R, b % R, c % R, d % R


def permute_each(states: Sequence[Lanes]) -> list[Lanes]:
    """`permute` of every state, one by one: what a `PermuteMany` does, without its speed."""
    return [permute(state) for state in states]


def sponge_iv(tag: int, length: int) -> int:
    """What the capacity lane starts with: the word count above 64 bits of domain tag.

    Source: the sponge of Noir and zemse/poseidon2-evm, whose tag is 0.
    """
    return (length << 64) + tag


def hash_words(tag: int, words: Sequence[int]) -> int:
    """Hash any number of field elements under a domain tag.

    Assumes: every word canonical (a word and itself plus R hash alike), tag < 2**64.
    """
    a = b = c = 0
    d = sponge_iv(tag, len(words))
    if not words:
        return permute((a, b, c, d))[0]
    for start in range(0, len(words), RATE):
        block = words[start : start + RATE]
        a += block[0]
        if len(block) > 1:
            b += block[1]
        if len(block) > 2:
            c += block[2]
        a, b, c, d = permute((a, b, c, d))
    return a


def hash_each(
    tag: int, messages: Sequence[Sequence[int]], permute_many: PermuteMany = permute_each
) -> list[int]:
    """`hash_words` of messages of one length, a block of all of them at a time.

    Assumes: what `hash_words` does. Raises: ValueError for messages of different lengths.
    """
    lengths = {len(words) for words in messages}
    if len(lengths) > 1:
        raise ValueError(f"messages: expected one length, got {sorted(lengths)}")
    length = max(lengths, default=0)
    states: Sequence[Lanes] = [(0, 0, 0, sponge_iv(tag, length))] * len(messages)
    for start in range(0, max(length, 1), RATE):
        states = permute_many(
            [
                _absorb(state, words[start : start + RATE])
                for state, words in zip(states, messages, strict=True)
            ]
        )
    return [state[0] for state in states]


def _absorb(state: Lanes, block: Sequence[int]) -> Lanes:
    first, second, third = (*block, 0, 0, 0)[:RATE]
    return (state[0] + first) % R, (state[1] + second) % R, (state[2] + third) % R, state[3]


def node(first: int, second: int, third: int, fourth: int) -> int:
    """Hash of a 4-ary tree node: the permuted first child plus the first child.

    The feed-forward makes the permutation one-way, so no sponge block can imitate a node.
    """
    return (permute((first, second, third, fourth))[0] + first) % R


def node_each(children: Sequence[Lanes], permute_many: PermuteMany = permute_each) -> list[int]:
    """`node` of every four children."""
    return [
        (state[0] + four[0]) % R
        for state, four in zip(permute_many(children), children, strict=True)
    ]
