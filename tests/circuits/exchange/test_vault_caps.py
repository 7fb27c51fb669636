"""The caps of a vault at every fill: leverage, exposure and skew, at the bound and one beyond."""

from __future__ import annotations

import pytest

from circuits.exchange.errors import RejectReason
from circuits.exchange.leaves import Side
from circuits.exchange.state import State
from circuits.exchange.steps import Dropped, Ended, Filled
from tests.support.distress import (
    CAROL,
    DAVE,
    EVE,
    IOC,
    OTHER,
    UNIT,
    VAULT,
    cash_of,
    done,
    exchange,
    holding,
    order,
    placed,
    refused,
    size_of,
    with_vault_terms,
)
from tests.support.listed import ALICE, BOB, FEES, steps_of, with_account

BID, ASK = Side.BID, Side.ASK
OPEN = {"leverage_cap_ppm": 2**32 - 1, "exposure_cap": 2**64 - 1, "skew_cap": 2**64 - 1}
FEE_UNITS = 3_000 * 100 * FEES.taker_ppm // 10**6
"""What the vault pays to take 100 lots at 1000 ticks; its own share comes back only afterwards."""


def offered(equity: int, *, size: int = 0, other: int = 0, **caps: int) -> State:
    """The vault has this equity and these positions, and may take 100 lots at the mark."""
    state = with_vault_terms(exchange(), **(OPEN | caps))
    state = holding(state, VAULT, equity, size=size, other=other)
    state = holding(state, CAROL, 10**8 * UNIT, size=-size, other=-other)
    state = placed(state, DAVE, ASK, 1000, 100)
    return placed(state, EVE, BID, 999, 100)


def bought(state: State, size: int) -> int:
    """How many lots the vault holds after an order of this many."""
    body = order(state, VAULT, BID, 1000, size, time_in_force=IOC)
    return size_of(done(state, body).state, VAULT)


def is_capped(state: State, size: int = 100, side: int = BID) -> bool:
    """Whether a cap refuses an order, which no other rule does."""
    price = 1000 if side == BID else 999
    body = order(state, VAULT, side, price, size, time_in_force=IOC)
    without = with_vault_terms(state, **OPEN)
    done(without, order(without, VAULT, side, price, size, time_in_force=IOC))
    return refused(state, body) is RejectReason.VAULT_CAP


def test_leverage_at_the_bound_and_one_beyond() -> None:
    """100 lots are 300,000, at twice the equity 150,000 and the fee."""
    needed = (150_000 + FEE_UNITS) * UNIT
    assert bought(offered(needed, leverage_cap_ppm=2_000_000), 100) == 100
    assert is_capped(offered(needed - 1, leverage_cap_ppm=2_000_000))


def test_leverage_counts_all_markets() -> None:
    needed = (300_000 + FEE_UNITS) * UNIT
    cap = {"leverage_cap_ppm": 2_000_000, "other": -100}
    assert bought(offered(needed, **cap), 100) == 100
    assert is_capped(offered(needed - 1, **cap))


def test_exposure_at_the_bound_and_one_beyond() -> None:
    rich = 10**8 * UNIT
    assert bought(offered(rich, exposure_cap=300_000), 100) == 100
    assert is_capped(offered(rich, exposure_cap=299_999))
    held = {"size": 100, "other": 300}
    assert bought(offered(rich, exposure_cap=600_000, **held), 100) == 200
    assert is_capped(offered(rich, exposure_cap=599_999, **held))


def test_skew_at_the_bound_and_one_beyond() -> None:
    """It is what the positions do not balance: 100 long here and 40 short there are 60."""
    rich = 10**8 * UNIT
    assert bought(offered(rich, skew_cap=180_000, other=-40), 100) == 100
    assert is_capped(offered(rich, skew_cap=179_999, other=-40))
    assert bought(offered(rich, skew_cap=0, other=-100), 100) == 100


def test_the_caps_hold_for_shorts_too() -> None:
    rich = 10**8 * UNIT
    for cap in ("exposure_cap", "skew_cap"):
        state = offered(rich, **{cap: 300_000})
        body = order(state, VAULT, ASK, 999, 100, time_in_force=IOC)
        assert size_of(done(state, body).state, VAULT) == -100
        assert is_capped(offered(rich, **{cap: 299_999}), side=ASK)


@pytest.mark.parametrize("size", [-150, -100])
def test_what_only_reduces_needs_no_cap(size: int) -> None:
    none = {"leverage_cap_ppm": 0, "exposure_cap": 0, "skew_cap": 0}
    assert bought(offered(10**8 * UNIT, size=size, **none), 100) == size + 100


def test_a_flip_is_capped_even_if_it_ends_smaller() -> None:
    none = {"leverage_cap_ppm": 0, "exposure_cap": 0, "skew_cap": 0}
    assert is_capped(offered(10**8 * UNIT, size=-99, **none))


def test_a_flip_within_the_caps() -> None:
    assert bought(offered(10**8 * UNIT, size=-40, exposure_cap=180_000), 100) == 60
    assert is_capped(offered(10**8 * UNIT, size=-40, exposure_cap=179_999))


def test_caps_stop_an_order_between_two_fills() -> None:
    state = with_vault_terms(exchange(), **(OPEN | {"exposure_cap": 300_000}))
    state = holding(state, VAULT, 10**8 * UNIT)
    for account in (DAVE, EVE):
        state = placed(state, account, ASK, 1000, 60)
    receipt = done(state, order(state, VAULT, BID, 1000, 120, time_in_force=IOC))
    fill, end = steps_of(receipt)
    assert isinstance(fill, Filled)
    assert isinstance(end, Ended)
    assert (fill.size, end.remaining, end.reason) == (60, 60, RejectReason.VAULT_CAP)


def test_a_resting_order_of_a_vault_beyond_its_caps_is_dropped() -> None:
    state = holding(with_vault_terms(exchange(), **OPEN), VAULT, 10**8 * UNIT)
    state = placed(state, VAULT, BID, 1000, 100)
    state = with_vault_terms(state, exposure_cap=299_999)
    state = placed(state, EVE, BID, 999, 100)
    receipt = done(state, order(state, ALICE, ASK, 999, 100, time_in_force=IOC))
    dropped, fill = steps_of(receipt)
    assert isinstance(dropped, Dropped)
    assert isinstance(fill, Filled)
    assert (dropped.order.account, dropped.reason) == (VAULT, RejectReason.VAULT_CAP)
    assert fill.maker.account == EVE


def test_other_accounts_have_no_caps() -> None:
    state = with_account(offered(10**8 * UNIT), BOB, cash=15_150 * UNIT)
    body = order(state, BOB, BID, 1000, 100, time_in_force=IOC)
    assert cash_of(done(state, body).state, BOB) == (15_150 - 300_000 - FEE_UNITS) * UNIT
    assert size_of(done(state, body).state, BOB, OTHER) == 0
