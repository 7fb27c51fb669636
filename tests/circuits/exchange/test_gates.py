"""A market may be read only while nothing in it is due."""

from __future__ import annotations

import pytest

from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.gates import (
    DOWN,
    LAST,
    MARK,
    TRIGGER_LISTS,
    UP,
    is_armed,
    require_current,
    require_funding,
    require_market,
)
from circuits.exchange.guide import SCAN
from circuits.exchange.leaves import MarketBook
from circuits.exchange.state import State
from tests.support.listed import (
    HOUR,
    MARKET,
    MINUTE,
    START,
    TERMS,
    listed,
    priced,
    prices_of,
    with_book,
    with_prices,
    with_trigger,
)


def verdict(state: State, time_ms: int = START) -> RejectReason | None:
    try:
        require_current(Draft(state, SCAN), MARKET, time_ms)
    except Rejected as rejected:
        return rejected.reason
    return None


def test_a_market_is_listed_or_not() -> None:
    draft = Draft(listed(), SCAN)
    assert require_market(draft, MARKET) == TERMS
    for market in (0, MARKET + 1, 1023, 1024, 2**20, -1):
        with pytest.raises(Rejected) as caught:
            require_market(draft, market)
        assert str(caught.value) == f"unknown_market: expected a listed market, got {market}"


@pytest.mark.parametrize(
    ("sample_ms", "settlement_ms"), [(START + MINUTE, START + HOUR), (START + HOUR, START + MINUTE)]
)
def test_funding_that_is_due(sample_ms: int, settlement_ms: int) -> None:
    """Whichever of the two comes first."""
    state = with_prices(listed(), next_sample_ms=sample_ms, next_settlement_ms=settlement_ms)
    assert verdict(state, START + MINUTE - 1) is None
    assert verdict(state, START + MINUTE) is RejectReason.FUNDING_DUE
    with pytest.raises(Rejected, match=f"^funding_due: expected a time before {START + MINUTE} ms"):
        require_funding(prices_of(state), MARKET, START + MINUTE)


def with_watched(state: State, last_trade: int = 500) -> State:
    return with_book(state, last_trade=last_trade)


@pytest.mark.parametrize(
    ("source", "direction", "trigger_price", "armed"),
    [
        (MARK, UP, 1001, False),
        (MARK, UP, 1000, True),
        (MARK, UP, 999, True),
        (MARK, DOWN, 999, False),
        (MARK, DOWN, 1000, True),
        (MARK, DOWN, 1001, True),
        (LAST, UP, 501, False),
        (LAST, UP, 500, True),
        (LAST, DOWN, 499, False),
        (LAST, DOWN, 500, True),
    ],
)
def test_an_armed_trigger(source: int, direction: int, trigger_price: int, armed: bool) -> None:
    book = MarketBook(last_trade=500)
    assert is_armed(prices_of(priced()), book, source, direction, trigger_price) is armed
    state = with_trigger(with_watched(priced()), source, direction, trigger_price)
    assert verdict(state) is (RejectReason.TRIGGER_DUE if armed else None)


@pytest.mark.parametrize("direction", [UP, DOWN])
def test_a_price_that_is_not_known_arms_nothing(direction: int) -> None:
    """Before the first tick and the first trade, however low or high the trigger."""
    for trigger_price in (0, 1, 2**32 - 1):
        state = with_trigger(listed(), MARK, direction, trigger_price)
        assert verdict(state) is None
        assert verdict(with_trigger(priced(), LAST, direction, trigger_price)) is None


def test_every_list_is_asked() -> None:
    """One armed trigger in any list is enough, beside three that are not."""
    idle = {(MARK, UP): 2000, (MARK, DOWN): 1, (LAST, UP): 2000, (LAST, DOWN): 1}
    state = with_watched(priced())
    for (source, direction), trigger_price in idle.items():
        state = with_trigger(state, source, direction, trigger_price)
    assert verdict(state) is None
    for source, direction in TRIGGER_LISTS:
        price = 1000 if source == MARK else 500
        armed = with_trigger(state, source, direction, price)
        assert verdict(armed) is RejectReason.TRIGGER_DUE


def test_funding_comes_before_triggers() -> None:
    state = with_trigger(priced(), MARK, UP, 1000)
    assert verdict(state, START + HOUR) is RejectReason.FUNDING_DUE


def test_the_message_names_the_trigger() -> None:
    state = with_trigger(priced(), MARK, UP, 900)
    with pytest.raises(Rejected) as caught:
        require_current(Draft(state, SCAN), MARKET, START)
    assert str(caught.value) == (
        "trigger_due: expected no armed trigger in market 7, got one at 900 ticks"
    )
