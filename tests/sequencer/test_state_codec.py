"""Canonical bytes of a state: pinned, round trip, and nothing else decodes."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.exchange.addresses import header_address, prices_address
from circuits.exchange.leaf_map import LeafMap
from circuits.exchange.leaves import Account, Leaf, MarketPrices
from circuits.exchange.limits import AMOUNT_MAX
from circuits.exchange.places import kind_at
from circuits.exchange.state import State
from circuits.field import R
from sequencer.errors import SnapshotError
from sequencer.state_codec import HEAD_BYTES, decode_state, encode_state
from tests.support.exchange import DOMAIN, funded
from tests.support.leaves import any_leaf, any_state, places

HEADER_BYTES = 20 + 32 + 32 + 6 + 14 + 1 + 2 + 1 + 1 + 3 + 2


def state_of(leaves: dict[int, Leaf], time_ms: int = 0, custody: int = 0) -> State:
    return State(DOMAIN, time_ms, 0, custody, LeafMap().with_changes(leaves))


@given(
    st.sets(st.sampled_from(places()), max_size=12),
    st.integers(0, 2**32),
    st.integers(0, 2**48 - 1),
    st.integers(0, AMOUNT_MAX),
)
def test_a_state_reads_back(chosen: set[int], seed: int, time_ms: int, custody: int) -> None:
    rng = random.Random(seed)
    leaves = {place: any_leaf(kind_at(place), rng) for place in chosen}
    state = state_of(leaves, time_ms, custody)
    encoded = encode_state(state)
    assert decode_state(encoded) == state
    turned = dict(reversed(leaves.items()))
    assert encode_state(state_of(turned, time_ms, custody)) == encoded


def test_a_state_of_every_kind_of_leaf(rng: random.Random) -> None:
    state = any_state(rng, 1.0)
    assert decode_state(encode_state(state)) == state


def test_a_state_byte_by_byte() -> None:
    header = Account(3, (4, 5), 6, -1, 1, 7, 8, 9, 10, 11)
    prices = MarketPrices(1, 2, 3, 4, 1, 0, 5, 6, -7, -8, 9, 10, 11)
    state = state_of({prices_address(2): prices, header_address(258): header}, 1, 2)
    assert encode_state(state) == b"".join(
        value.to_bytes(width, "big")
        for value, width in [
            (DOMAIN, 28), (1, 6), (2, 8), (2, 4),
            (258 * 64, 4), (3, 20), (4, 32), (5, 32), (6, 6), (2**111 - 1, 14),
            (1, 1), (7, 2), (8, 1), (9, 1), (10, 3), (11, 2),
            (2**30 + 2 * 2**20 + 1, 4), (1, 4), (2, 4), (3, 6), (4, 6), (1, 1), (0, 1), (5, 1),
            (6, 4), (2**95 - 7, 12), (2**47 - 8, 6), (9, 2), (10, 6), (11, 6),
        ]
    )  # fmt: skip


def test_an_account_without_a_key_and_without_cash_stays() -> None:
    state = state_of({header_address(1): Account(9)})
    assert decode_state(encode_state(state)) == state
    assert not decode_state(encode_state(state)).accounts.get(1).has_key


LEAF_BYTES = 4 + HEADER_BYTES
SECOND = HEAD_BYTES + LEAF_BYTES


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:10], "state: expected at least 46 bytes, got 10"),
        (lambda data: data[:-1], f"leaf 128: expected {HEADER_BYTES} bytes of Account, got 113"),
        (
            lambda data: data[: SECOND + 3],
            "leaf address: expected 4 bytes of an address, got 3",
        ),
        (lambda data: data + b"\0", "state: expected 282 bytes for 2 leaves, got 283"),
        (
            lambda data: data[:HEAD_BYTES] + data[SECOND:] + data[HEAD_BYTES:SECOND],
            "leaf address: expected above 128, got 64",
        ),
        (
            lambda data: data[:HEAD_BYTES] + bytes(4) + data[HEAD_BYTES + 4 :],
            "leaf address: expected above 0, got 0",
        ),
        (
            lambda data: data[:HEAD_BYTES] + (1).to_bytes(4, "big") + data[HEAD_BYTES + 4 :],
            "leaf address: expected the address of a leaf, got 1",
        ),
        (
            lambda data: data[: HEAD_BYTES + 24] + R.to_bytes(32, "big") + data[HEAD_BYTES + 56 :],
            f"leaf 64: key_x: expected 0..{R - 1}, got {R}",
        ),
    ],
)
def test_other_bytes_are_refused(change: object, message: str) -> None:
    encoded = encode_state(replace(funded(2), step=0))
    with pytest.raises(SnapshotError) as caught:
        decode_state(change(encoded))
    assert str(caught.value) == message


def test_every_cut_is_refused(rng: random.Random) -> None:
    encoded = encode_state(any_state(rng, 0.1))
    for end in range(len(encoded)):
        with pytest.raises(SnapshotError):
            decode_state(encoded[:end])


def test_changed_bytes_are_another_state_or_none(rng: random.Random) -> None:
    encoded = encode_state(any_state(rng, 0.3))
    for position in range(len(encoded)):
        changed = bytearray(encoded)
        changed[position] ^= 1 << rng.randrange(8)
        try:
            other = decode_state(bytes(changed))
        except SnapshotError:
            continue
        assert encode_state(other) == changed
