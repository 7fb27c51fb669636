"""Deposits and key registrations: outcomes, and what the contracts can never have queued."""

from __future__ import annotations

import pytest

from circuits.exchange.errors import QueueGuaranteeBroken
from circuits.exchange.events import Outcome
from circuits.exchange.leaves import Account
from circuits.exchange.state import State
from circuits.exchange.transactions.deposit import Deposit
from circuits.exchange.transactions.register_key import RegisterKey
from circuits.field import R
from tests.support.exchange import (
    DOMAIN,
    OFF_CURVE,
    account_key_of,
    applied,
    deposit,
    funded,
    owner_of,
    register,
    tried,
)

UNIT = 10**12
# A generator of the points of order 8 is not needed: these two have order 1 and 2.
SMALL_ORDER = [(0, 1), (0, R - 1)]


def test_a_deposit_opens_an_account_without_a_key() -> None:
    state = applied(State(DOMAIN), deposit(9, 3))
    assert state.accounts.get(9) == Account(owner_of(9), cash=3 * UNIT)
    assert state.custody == 3


def test_a_deposit_keeps_key_and_nonce() -> None:
    before = funded(1)
    after = applied(before, deposit(1, 5))
    assert after.accounts.get(1) == before.accounts.get(1).with_cash(1005 * UNIT)


def test_a_registration_opens_an_account_with_eight_times_the_key() -> None:
    state = applied(State(DOMAIN), register(4))
    assert state.accounts.get(4) == Account(owner_of(4), account_key_of(4))


@pytest.mark.parametrize("key", [OFF_CURVE, (0, 0), *SMALL_ORDER])
@pytest.mark.parametrize("exists", [False, True])
def test_a_bad_key_is_an_outcome_and_changes_nothing(key: tuple[int, int], exists: bool) -> None:
    state = funded(1) if exists else State(DOMAIN)
    receipt = tried(state, register(1, key))
    assert receipt.is_accepted
    assert receipt.outcome is Outcome.INVALID_KEY
    assert receipt.state.accounts == state.accounts
    assert receipt.event.cleared_key is None
    assert receipt.event.before is receipt.event.after is state.accounts.get(1)


def test_a_point_with_a_small_part_registers_its_large_part() -> None:
    x, y = register(1).key_x, register(1).key_y
    # Adding the point of order two mirrors both coordinates; eight times that point is the same.
    state = applied(State(DOMAIN), register(1, (R - x, R - y)))
    assert state.accounts.get(1).key == account_key_of(1)


OWNER = owner_of(1)
BROKEN = [
    (Deposit(0, OWNER, 1), "account: expected 1..16777215, got 0"),
    (Deposit(2**24, OWNER, 1), "account: expected 1..16777215, got 16777216"),
    (RegisterKey(0, OWNER, 1, 1), "account: expected 1..16777215, got 0"),
    (Deposit(2, -1, 1), "owner: expected a 160-bit address, got -1"),
    (Deposit(2, 2**160, 1), f"owner: expected a 160-bit address, got {2**160}"),
    (
        Deposit(1, OWNER + 1, 1),
        f"owner of account 1: expected {OWNER:#042x}, got {OWNER + 1:#042x}",
    ),
    (
        RegisterKey(1, OWNER + 1, 1, 1),
        f"owner of account 1: expected {OWNER:#042x}, got {OWNER + 1:#042x}",
    ),
    (Deposit(1, OWNER, 0), "deposit amount: expected 1..18446744073709551615, got 0"),
    (Deposit(1, OWNER, 2**64), f"deposit amount: expected 1..{2**64 - 1}, got {2**64}"),
    (Deposit(1, OWNER, 2**64 - 1000), f"custody: expected at most {2**64 - 1}, got {2**64}"),
    (RegisterKey(1, OWNER, R, 1), f"key_x: expected below {R}, got {R}"),
    (RegisterKey(1, OWNER, 1, R), f"key_y: expected below {R}, got {R}"),
    (RegisterKey(1, OWNER, 1, -1), f"key_y: expected below {R}, got -1"),
]


@pytest.mark.parametrize(("request_", "message"), BROKEN, ids=[text for _, text in BROKEN])
def test_requests_that_the_contracts_cannot_have_queued(
    request_: Deposit | RegisterKey, message: str
) -> None:
    with pytest.raises(QueueGuaranteeBroken) as caught:
        tried(funded(1), request_)
    assert str(caught.value) == message


def test_bounds_that_still_hold() -> None:
    state = applied(State(DOMAIN), Deposit(2**24 - 1, 2**160 - 1, 2**64 - 1))
    assert state.custody == 2**64 - 1
    assert state.accounts.get(2**24 - 1).cash == (2**64 - 1) * UNIT


def test_cash_that_no_leaf_can_hold() -> None:
    rich = State(DOMAIN).with_account(1, Account(OWNER, cash=2**111 - UNIT))
    with pytest.raises(QueueGuaranteeBroken, match=r"^cash: expected below 2\^111, got 2596"):
        tried(rich, deposit(1, 1))
    nearly = rich.accounts.get(1).with_cash(2**111 - UNIT - 1)
    assert tried(rich.with_account(1, nearly), deposit(1, 1)).is_accepted
