"""Orders that promise what nothing backs: they move no price, and anybody may ask them to leave."""

from __future__ import annotations

import pytest

from circuits.exchange.backing import lack_of
from circuits.exchange.draft import Draft
from circuits.exchange.errors import RejectReason
from circuits.exchange.guide import SCAN
from circuits.exchange.leaves import MarketPrices
from circuits.exchange.oracle_price import best_prices
from circuits.exchange.steps import Dropped, OrderName
from circuits.exchange.transactions.expire import Expire
from circuits.exchange.transactions.funding_sample import FundingSample
from circuits.exchange.transactions.withdraw import Withdraw
from circuits.exchange.units import TokenUnits
from tests.support.exchange import EXPIRY_MS
from tests.support.market import (
    ANN,
    ASK,
    BID,
    BOB,
    CAT,
    LOT_UNITS,
    MARK,
    QUOTE,
    TRADER_UNITS,
    Scene,
    signed,
)

LOTS = 5
NEEDED_UNITS = LOTS * LOT_UNITS // 10


def withdraw(scene: Scene, account: int, units: int) -> None:
    scene.do(signed(Withdraw(account, scene.nonce(account), EXPIRY_MS, TokenUnits(units))))


def lack(scene: Scene, slot: int) -> RejectReason | None:
    draft = Draft(scene.state, SCAN)
    return lack_of(draft, 0, draft.order(0, slot), scene.time_ms)


def prices(scene: Scene) -> MarketPrices:
    return Draft(scene.state, SCAN).prices(0)


def heads(scene: Scene) -> tuple[int, int]:
    return best_prices(Draft(scene.state, SCAN), 0, scene.time_ms)


@pytest.mark.parametrize("left", [NEEDED_UNITS, NEEDED_UNITS - 1, 0])
def test_an_order_needs_its_own_margin_as_long_as_it_rests(left: int) -> None:
    scene = Scene()
    slot = scene.rest(ANN, BID, MARK, LOTS)
    withdraw(scene, ANN, TRADER_UNITS - left)
    if left == NEEDED_UNITS:
        assert lack(scene, slot) is None
        assert heads(scene) == (MARK, 0)
        assert scene.reason(Expire(0, slot)) is RejectReason.NOT_DUE
        return
    assert lack(scene, slot) is RejectReason.INSUFFICIENT_MARGIN
    assert heads(scene) == (0, 0)
    dropped = Dropped(0, OrderName(ANN, 0, 1), RejectReason.INSUFFICIENT_MARGIN)
    assert scene.do(Expire(0, slot)) == (dropped,)


def test_an_order_without_margin_moves_neither_funding_nor_mark() -> None:
    """Rest a bid far above the index, take the cash out, and let the sample come."""
    scene = Scene()
    scene.rest(ANN, BID, MARK + 15, LOTS)
    scene.rest(BOB, ASK, MARK + 17, LOTS)
    honest = Scene()
    honest.state = scene.state
    withdraw(scene, ANN, TRADER_UNITS)
    for each in (scene, honest):
        each.time_ms += 20_000
        each.set_prices(next_sample_ms=each.time_ms)
        each.do(FundingSample(0))
    assert (prices(honest).premium_sum, prices(honest).mark_price) == (15, MARK + 15)
    assert (prices(scene).premium_sum, prices(scene).mark_price) == (0, MARK)


def test_positions_come_before_the_order() -> None:
    scene = Scene()
    scene.trade(ANN, BOB, 10)
    slot = scene.rest(ANN, BID, MARK - 1, LOTS)
    own = LOTS * (MARK - 1) * QUOTE // 10
    scene.set_cash(ANN, -10 * LOT_UNITS + LOT_UNITS + own)
    assert lack(scene, slot) is None
    scene.set_cash(ANN, -10 * LOT_UNITS + LOT_UNITS + own - 1)
    assert lack(scene, slot) is RejectReason.INSUFFICIENT_MARGIN


def test_an_order_that_reduces_needs_a_position_and_no_margin() -> None:
    scene = Scene()
    scene.trade(ANN, BOB, 10)
    slot = scene.rest(ANN, ASK, MARK + 1, LOTS, reduce_only=1)
    scene.set_cash(ANN, -20 * LOT_UNITS)
    assert lack(scene, slot) is None
    scene.set_cash(ANN, TRADER_UNITS)
    scene.trade(CAT, ANN, 10)
    assert lack(scene, slot) is RejectReason.REDUCE_ONLY
    dropped = Dropped(0, OrderName(ANN, 0, 2), RejectReason.REDUCE_ONLY)
    assert scene.do(Expire(0, slot)) == (dropped,)


def test_who_cannot_be_valued_is_not_counted_and_not_removed() -> None:
    scene = Scene(market_count=2)
    scene.trade(ANN, BOB, 10, market=1)
    slot = scene.rest(ANN, BID, MARK, LOTS)
    scene.set_prices(1, valid_until_ms=scene.time_ms)
    assert lack(scene, slot) is RejectReason.PRICE_STALE
    assert heads(scene) == (0, 0)
    assert scene.reason(Expire(0, slot)) is RejectReason.NOT_DUE
