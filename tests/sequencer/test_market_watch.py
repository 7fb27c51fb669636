"""What is due by time, price and trigger comes in a fixed order, and once."""

from __future__ import annotations

import pytest

from circuits.exchange.addresses import vault_ledger_address
from circuits.exchange.bodies import Body
from circuits.exchange.leaves import MarketStatus, Mode, Side, VaultLedger
from circuits.exchange.limits import PPM, QUOTE_LIFE_MS
from circuits.exchange.state import State
from circuits.exchange.transactions.expire import Expire
from circuits.exchange.transactions.fire_trigger import FireTrigger
from circuits.exchange.transactions.funding_sample import FundingSample
from circuits.exchange.transactions.funding_settle import FundingSettle
from circuits.exchange.transactions.halt import Halt
from circuits.exchange.transactions.resume import Resume
from circuits.exchange.transactions.set_mode import SetMode
from circuits.exchange.transactions.set_vault import SetVault
from circuits.exchange.transactions.update_market import UpdateMarket
from circuits.exchange.transactions.vault_quote import VaultQuote
from circuits.exchange.transactions.vault_settle_epoch import VaultSettleEpoch
from tests.support.distress import (
    CAROL,
    DAVE,
    OTHER,
    UNIT,
    VAULT,
    VAULT_TERMS,
    exchange,
    holding,
    into_vault,
    ledger,
    order,
    redeeming,
)
from tests.support.due import Venue
from tests.support.exchange import EXPIRY_MS, deposit
from tests.support.listed import (
    BOB,
    HOUR,
    MARKET,
    MINUTE,
    START,
    TERMS,
    with_account,
    with_leaves,
    with_prices,
    with_trigger,
)

SAMPLES: list[Body] = [FundingSample(MARKET), FundingSample(OTHER)]
SETTLEMENTS: list[Body] = [FundingSettle(MARKET), FundingSettle(OTHER)]
QUOTES: list[Body] = [VaultQuote(MARKET), VaultQuote(OTHER)]


def both(**changes: int) -> State:
    """Both markets with other prices."""
    return with_prices(with_prices(exchange(), **changes), OTHER, **changes)


def lasting(**changes: int) -> State:
    """Prices that never end in both markets."""
    return both(valid_until_ms=EXPIRY_MS, **changes)


def test_the_minute_and_the_hour_of_every_market() -> None:
    venue = Venue(lasting())
    to_minute_ms = START + MINUTE - venue.state.time_ms
    assert venue.next(to_minute_ms - 1) is None
    assert venue.next(to_minute_ms) == SAMPLES[0]
    assert venue.take_all(to_minute_ms) == SAMPLES
    assert venue.next(MINUTE - 1) is None
    assert venue.take_all(MINUTE) == SAMPLES
    assert venue.take_all(3 * HOUR) == [*SAMPLES, *SETTLEMENTS]


def test_what_was_sampled_is_settled_before_the_next_minute() -> None:
    venue = Venue(lasting(next_sample_ms=START + HOUR))
    by_market = [SETTLEMENTS[0], SAMPLES[0], SETTLEMENTS[1], SAMPLES[1]]
    assert venue.take_all(HOUR) == by_market


def test_a_delisted_market_needs_nothing() -> None:
    venue = Venue(with_prices(exchange(), status=MarketStatus.DELISTED))
    assert venue.take_all(MINUTE) == [FundingSample(OTHER), Halt(OTHER)]


def test_a_price_that_ends_halts_and_ticks_that_agree_resume() -> None:
    venue = Venue(both(next_sample_ms=EXPIRY_MS, valid_until_ms=START + TERMS.price_valid_ms))
    assert venue.next(TERMS.price_valid_ms - 1 - (venue.state.time_ms - START)) is None
    assert venue.take_all(TERMS.price_valid_ms) == [Halt(MARKET), Halt(OTHER)]
    for _ in range(TERMS.cooldown_ticks):
        assert venue.next() is None
        venue.tick()
    assert venue.next() == Resume(MARKET)
    assert venue.next(TERMS.price_valid_ms) is None
    venue.tick()
    assert venue.take() == Resume(MARKET)
    assert venue.next() is None


def test_an_armed_trigger_fires() -> None:
    venue = Venue(with_trigger(exchange(), 0, 1, 995))
    assert venue.next() is None
    venue.tick(990)
    assert venue.take() == FireTrigger(MARKET, 0, 1)
    assert venue.next() is None


def test_an_order_past_its_expiry_is_taken_out() -> None:
    venue = Venue(exchange())
    now_ms = venue.state.time_ms
    for lasts_ms in (3, 9):
        body = order(venue.state, DAVE, Side.BID, 900, 5, good_until_ms=now_ms + lasts_ms)
        assert venue.give(body).is_accepted
    assert venue.next(3) is None
    assert venue.take(4) == Expire(MARKET, 1)
    assert venue.next() is None
    assert venue.give(order(venue.state, CAROL, Side.ASK, 900, 5)).is_accepted
    assert venue.next(6) is None


def test_an_epoch_is_settled_for_those_who_wait() -> None:
    venue = Venue(lasting())
    assert venue.give(into_vault(DAVE, 10_000)).is_accepted
    # The vault has no collateral free, so that a redemption has to wait.
    venue = Venue(holding(venue.state, VAULT, 10_000 * UNIT, size=66))
    assert venue.next(VAULT_TERMS.epoch_ms) in SAMPLES
    assert venue.give(redeeming(DAVE, ledger(venue.state).total_shares // 2)).is_accepted
    assert ledger(venue.state).queue_head
    wait_ms = ledger(venue.state).next_epoch_ms - venue.state.time_ms
    due = venue.take_all(wait_ms)
    assert due[-1] == VaultSettleEpoch(VAULT)
    assert ledger(venue.state).next_epoch_ms == venue.state.time_ms + VAULT_TERMS.epoch_ms
    assert venue.next() is None


def test_the_vault_quotes_when_the_index_moves_and_when_its_orders_end() -> None:
    venue = Venue(lasting(next_sample_ms=EXPIRY_MS), is_quoting=True)
    assert venue.give(into_vault(DAVE, 100_000)).is_accepted
    assert [venue.take(), venue.take(), venue.take()] == [*QUOTES, None]
    assert venue.next(QUOTE_LIFE_MS - 1) is None
    assert venue.next(QUOTE_LIFE_MS) == QUOTES[0]
    venue.give(VaultQuote(MARKET))
    venue.tick()
    assert venue.take() is None
    # Half a spread of the index, and not a tick sooner.
    least = 1000 * VAULT_TERMS.quote_spread_ppm // (2 * PPM)
    venue.tick(1000 + least - 1)
    assert venue.take() is None
    venue.tick(1000 + least + 1)
    assert [venue.take(), venue.take()] == [QUOTES[0], None]
    assert venue.give(SetVault(VAULT, VAULT_TERMS)).is_accepted
    assert [venue.take(), venue.take(), venue.take()] == [*QUOTES, None]
    venue.tick(1000 + 3 * least)
    assert venue.give(SetMode(Mode.CONSERVATIVE)).is_accepted
    assert venue.next() is None


def test_a_refused_command_is_left_until_something_changes() -> None:
    venue = Venue(with_trigger(exchange(), 0, 1, 995), is_quoting=True)
    venue.tick(990)
    for body in (FireTrigger(MARKET, 0, 1), *QUOTES):
        assert venue.next() == body
        venue.refuse(body)
    assert venue.next() is None
    for body in (*SAMPLES, Halt(OTHER), Halt(MARKET)):
        assert venue.next(MINUTE) == body
        venue.refuse(body, MINUTE)
    assert venue.next(MINUTE) is None
    venue.give(deposit(BOB, 5))
    assert venue.next(MINUTE) is None
    venue.give(UpdateMarket(MARKET, MarketStatus.REDUCE_ONLY, TERMS))
    assert venue.next() == FireTrigger(MARKET, 0, 1)
    assert venue.next(MINUTE) == FundingSample(MARKET)


def test_a_refused_resumption_waits_for_a_tick() -> None:
    venue = Venue(with_prices(exchange(), halted=1, cooldown_count=3, pending=1000))
    assert venue.next() == Resume(MARKET)
    venue.refuse(Resume(MARKET))
    assert venue.next() is None
    venue.tick()
    assert venue.next() == Resume(MARKET)


def test_a_refused_expiry_is_not_named_again() -> None:
    venue = Venue(exchange())
    body = order(venue.state, DAVE, Side.BID, 900, 5, good_until_ms=venue.state.time_ms)
    assert venue.give(body).is_accepted
    assert venue.next(1) == Expire(MARKET, 1)
    venue.refuse(Expire(MARKET, 1), 1)
    assert venue.next(1) is None


def test_a_refused_epoch_waits_for_a_price() -> None:
    venue = Venue(lasting())
    state = with_leaves(
        venue.state,
        {vault_ledger_address(VAULT): VaultLedger(10, 5, 1, 1, venue.state.time_ms)},
    )
    venue = Venue(state)
    assert venue.next() == VaultSettleEpoch(VAULT)
    venue.refuse(VaultSettleEpoch(VAULT))
    assert venue.next() is None
    venue.tick()
    assert venue.next() == VaultSettleEpoch(VAULT)


@pytest.mark.parametrize("side", [Side.BID, Side.ASK])
def test_a_first_order_that_nothing_backs_is_taken_out(side: Side) -> None:
    venue = Venue(exchange())
    price = 990 if side == Side.BID else 1010
    for account in (DAVE, CAROL):
        assert venue.give(order(venue.state, account, side, price, 5)).is_accepted
    assert venue.take() is None
    venue = Venue(with_account(venue.state, DAVE, cash=0))
    assert venue.take() == Expire(MARKET, 1)
    assert venue.take() is None
    venue.tick()
    assert venue.take() is None
