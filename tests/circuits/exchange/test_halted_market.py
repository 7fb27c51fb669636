"""A halted market: its mark is known to be off, so nothing new may rest on it anywhere."""

from __future__ import annotations

from circuits.exchange.errors import RejectReason
from circuits.exchange.steps import Dropped, Filled, OrderName
from circuits.exchange.transactions.withdraw import Withdraw
from circuits.exchange.units import TokenUnits
from tests.support.exchange import EXPIRY_MS
from tests.support.market import ANN, ASK, BID, BOB, CAT, DAN, IOC, MARK, Scene, signed


def test_only_those_who_reduce_trade() -> None:
    """Ann is long and wants out; Cat's bid would open a long, Bob's closes his short in part."""
    scene = Scene()
    scene.trade(ANN, BOB, 10)
    scene.rest(CAT, BID, MARK + 1, 10)
    scene.rest(BOB, BID, MARK, 30)
    scene.set_prices(halted=1)
    cat, bob = OrderName(CAT, 0, 1), OrderName(BOB, 0, 2)
    steps = scene.do(scene.place(ANN, ASK, MARK - 5, 10, time_in_force=IOC, reduce_only=1))
    assert steps[0] == Dropped(0, cat, RejectReason.REDUCE_ONLY)
    fill = steps[1]
    assert isinstance(fill, Filled)
    assert (fill.maker, fill.size, fill.price) == (bob, 10, MARK)
    assert (scene.size(ANN), scene.size(BOB), scene.size(CAT)) == (0, 0, 0)
    # What is left of Bob's order would open a position, so it left with the short.
    assert scene.orders(BID) == []


def test_nothing_is_paid_out_against_its_mark() -> None:
    scene = Scene()
    scene.trade(ANN, BOB, 10)
    scene.set_prices(halted=1)
    tried = Withdraw(ANN, scene.nonce(ANN), EXPIRY_MS, TokenUnits(1))
    assert scene.reason(signed(tried)) is RejectReason.PRICE_STALE
    scene.set_prices(halted=0)
    tried = Withdraw(ANN, scene.nonce(ANN), EXPIRY_MS, TokenUnits(1))
    assert scene.reason(signed(tried)) is None


def test_it_backs_no_order_and_no_fill_in_another_market() -> None:
    scene = Scene(market_count=2)
    scene.trade(ANN, BOB, 10)
    scene.rest(CAT, ASK, MARK, 10, market=1)
    scene.set_prices(halted=1)
    rest = scene.place(ANN, BID, MARK - 1, 10, market=1)
    take = scene.place(ANN, BID, MARK, 10, market=1, time_in_force=IOC)
    assert scene.reason(rest) is RejectReason.PRICE_STALE
    assert scene.reason(take) is RejectReason.PRICE_STALE
    assert scene.reason(scene.place(DAN, BID, MARK, 10, market=1, time_in_force=IOC)) is None
