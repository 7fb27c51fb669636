"""Canonical bytes of a state: pinned, round trip, and nothing else decodes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.exchange.accounts import AccountMap
from circuits.exchange.limits import ACCOUNT_MAX, AMOUNT_MAX, CASH_OFFSET, NONCE_MAX, OWNER_MAX
from circuits.exchange.state import Account, State
from circuits.field import R
from sequencer.errors import SnapshotError
from sequencer.state_codec import ACCOUNT_BYTES, HEAD_BYTES, decode_state, encode_state
from tests.support.exchange import DOMAIN, funded

ACCOUNTS = st.builds(
    Account,
    st.integers(0, OWNER_MAX),
    st.tuples(st.integers(0, R - 1), st.integers(0, R - 1)),
    st.integers(0, NONCE_MAX),
    st.integers(-CASH_OFFSET, CASH_OFFSET - 1),
)


def state_of(accounts: dict[int, Account], time_ms: int = 0, custody: int = 0) -> State:
    account_map = AccountMap()
    for account_id, account in accounts.items():
        account_map = account_map.with_account(account_id, account)
    return State(DOMAIN, time_ms, 0, custody, account_map)


@given(
    st.dictionaries(st.integers(1, ACCOUNT_MAX), ACCOUNTS, max_size=5),
    st.integers(0, 2**48 - 1),
    st.integers(0, AMOUNT_MAX),
)
def test_a_state_reads_back(accounts: dict[int, Account], time_ms: int, custody: int) -> None:
    state = state_of(accounts, time_ms, custody)
    encoded = encode_state(state)
    assert decode_state(encoded) == state
    turned = dict(reversed(accounts.items()))
    assert encode_state(state_of(turned, time_ms, custody)) == encoded


def test_a_state_byte_by_byte() -> None:
    state = state_of({258: Account(3, (4, 5), 6, -1)}, time_ms=1, custody=2)
    assert encode_state(state) == b"".join(
        value.to_bytes(width, "big")
        for value, width in [
            (DOMAIN, 28), (1, 6), (2, 8), (1, 3),
            (258, 3), (3, 20), (4, 32), (5, 32), (6, 6), (2**111 - 1, 14),
        ]
    )  # fmt: skip


def test_an_account_without_a_key_and_without_cash_stays() -> None:
    state = state_of({1: Account(9)})
    assert decode_state(encode_state(state)) == state
    assert not decode_state(encode_state(state)).accounts.get(1).has_key


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:10], "state: expected at least 45 bytes, got 10"),
        (lambda data: data[:-1], "state: expected 259 bytes for 2 accounts, got 258"),
        (lambda data: data + b"\0", "state: expected 259 bytes for 2 accounts, got 260"),
        (
            lambda data: (
                data[:HEAD_BYTES] + data[-ACCOUNT_BYTES:] + data[HEAD_BYTES:-ACCOUNT_BYTES]
            ),
            "account id: expected above 2, got 1",
        ),
        (
            lambda data: data[:HEAD_BYTES] + bytes(3) + data[HEAD_BYTES + 3 :],
            "account id: expected above 0, got 0",
        ),
    ],
)
def test_other_bytes_are_refused(change: object, message: str) -> None:
    encoded = encode_state(replace(funded(2), step=0))
    with pytest.raises(SnapshotError) as caught:
        decode_state(change(encoded))
    assert str(caught.value) == message
