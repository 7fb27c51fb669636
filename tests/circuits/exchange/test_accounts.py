"""The persistent account map against a plain dictionary."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.exchange.accounts import AccountMap
from circuits.exchange.state import Account

IDS = st.one_of(
    st.integers(1, 600),
    st.sampled_from([255, 256, 257, 65535, 65536, 65537, 2**24 - 1]),
    st.integers(1, 2**24 - 1),
)


@settings(print_blob=True)
@given(updates=st.lists(st.tuples(IDS, st.integers(0, 9))))
def test_map_holds_what_a_dictionary_holds(updates: list[tuple[int, int]]) -> None:
    accounts, plain = AccountMap(), {}
    for account_id, owner in updates:
        accounts = accounts.with_account(account_id, Account(owner))
        plain[account_id] = Account(owner)
    assert list(accounts.items()) == sorted(plain.items())
    assert list(accounts) == sorted(plain)
    assert len(accounts) == len(plain)


def test_an_update_leaves_the_old_map_alone() -> None:
    empty = AccountMap()
    first = empty.with_account(70_000, Account(1))
    second = first.with_account(70_000, Account(2)).with_account(70_001, Account(3))
    assert (len(empty), len(first), len(second)) == (0, 1, 2)
    assert first.get(70_000) == Account(1)
    assert second.get(70_000) == Account(2)
    assert first.get(70_001) is None


def test_equality_is_by_content() -> None:
    forward = AccountMap().with_account(1, Account(1)).with_account(300, Account(2))
    backward = AccountMap().with_account(300, Account(2)).with_account(1, Account(1))
    assert forward == backward
    assert forward != forward.with_account(1, Account(9))
    assert forward != {1: Account(1), 300: Account(2)}
    assert repr(AccountMap().with_account(1, Account(1))).startswith("AccountMap({1: Account(owner")


@pytest.mark.parametrize("account_id", [-1, 0, 2**24])
def test_ids_that_no_account_can_have(account_id: int) -> None:
    assert AccountMap().get(account_id) is None
    with pytest.raises(ValueError, match=f"^account id: expected 1..16777215, got {account_id}$"):
        AccountMap().with_account(account_id, Account(1))
