"""Accounts and their identity."""

from __future__ import annotations

from circuits.exchange.state import NO_KEY, Account, State
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


def test_a_cached_identity_does_not_tell_accounts_apart() -> None:
    hashed, fresh = Account(7), Account(7)
    assert hashed.identity
    assert hashed == fresh
    assert hash(hashed) == hash(fresh)
    assert not fresh.has_key


def test_a_batch_starts_at_step_zero() -> None:
    state = State(DOMAIN, time_ms=5, step=3)
    assert state.at_batch_start() == State(DOMAIN, time_ms=5)
