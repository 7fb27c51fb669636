"""States, the view of their accounts, and the identity of an account."""

from __future__ import annotations

import pytest

from circuits.exchange.addresses import position_address
from circuits.exchange.leaves import NO_KEY, Account, Position
from circuits.exchange.state import State
from circuits.poseidon2 import TAG_IDENTITY, hash_words
from tests.support.exchange import DOMAIN, account_key_of


def test_identity_is_the_hash_of_key_and_owner() -> None:
    key = account_key_of(1)
    assert Account(7).identity == hash_words(TAG_IDENTITY, [0, 0, 7])
    assert Account(7, key).identity == hash_words(TAG_IDENTITY, [*key, 7])


def test_identity_follows_the_key_and_survives_cash_and_nonce() -> None:
    account = Account(7)
    bare = account.identity
    assert account.with_cash(5).with_nonce(9).identity == bare
    keyed = account.with_key(account_key_of(1))
    assert keyed.identity == Account(7, account_key_of(1)).identity != bare
    assert keyed.with_key(NO_KEY).identity == bare


def test_accounts_are_told_apart_by_content() -> None:
    hashed, fresh = Account(7), Account(7)
    assert hashed.identity
    assert hashed == fresh
    assert hash(hashed) == hash(fresh)
    assert not fresh.has_key
    assert fresh.with_key(account_key_of(1)).has_key


@pytest.mark.parametrize("field", Account._fields)
def test_a_plain_account_has_nothing_but_cash(field: str) -> None:
    account = Account(7, account_key_of(1), 5, -6)
    assert account.is_plain
    changed = account._replace(**{field: (1, 2) if field == "key" else 9})
    assert changed.is_plain == (field in {"owner", "key", "nonce", "cash"})


def test_a_batch_starts_at_step_zero() -> None:
    state = State(DOMAIN, time_ms=5, step=3)
    assert state.at_batch_start() == State(DOMAIN, time_ms=5)


def test_the_accounts_of_a_state_in_order() -> None:
    state = State(DOMAIN).with_account(300, Account(3)).with_account(2, Account(2))
    leaves = state.leaves.with_changes({position_address(2, 0): Position(0, 1, 1, 0, 0)})
    state = State(DOMAIN, leaves=leaves)
    assert list(state.accounts) == [2, 300]
    assert list(state.accounts.items()) == [(2, Account(2)), (300, Account(3))]
    assert len(state.accounts) == 2
    assert state.accounts.get(300) == Account(3)


def test_a_changed_account_leaves_the_state_before_alone() -> None:
    before = State(DOMAIN).with_account(5, Account(1))
    after = before.with_account(5, Account(2))
    assert before.accounts.get(5) == Account(1)
    assert after.accounts.get(5) == Account(2)
    assert after.accounts != before.accounts


@pytest.mark.parametrize("account_id", [-1, 0, 2**24])
def test_ids_that_no_account_can_have(account_id: int) -> None:
    assert State(DOMAIN).accounts.get(account_id) is None
    with pytest.raises(ValueError, match=f"^account id: expected 1..16777215, got {account_id}$"):
        State(DOMAIN).with_account(account_id, Account(1))


@pytest.mark.parametrize("account_id", [1, 2**24 - 1])
def test_the_first_and_the_last_account(account_id: int) -> None:
    state = State(DOMAIN).with_account(account_id, Account(1))
    assert list(state.accounts) == [account_id]
