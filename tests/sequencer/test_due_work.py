"""The index names what a search of the whole state finds, and nothing twice."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from circuits.exchange.addresses import CONTROLS_ADDRESS, prices_address
from circuits.exchange.apply import Receipt
from circuits.exchange.bodies import Body
from circuits.exchange.leaves import Controls, MarketPrices
from circuits.exchange.transactions.oracle_tick import OracleTick, Quote
from circuits.exchange.transactions.set_mode import SetMode
from circuits.exchange.transactions.vault_deposit import VaultDeposit
from circuits.exchange.transactions.vault_redeem import VaultRedeem
from circuits.exchange.units import TokenUnits
from sequencer.book_index import BookIndex
from sequencer.due_work import DueWork
from tests.support.due import accepted, everyday, rescues, sales, unsafe_accounts
from tests.support.exchange import deposit, owner_of
from tests.support.market import (
    INSURANCE,
    LP_VAULT,
    MARK,
    TRADER_FIRST,
    UNSIGNED,
    Scene,
)

TRADERS, MARKETS = range(TRADER_FIRST, TRADER_FIRST + 6), (0, 1)
HOUR_MS = 3_600_000


class Day:
    """A random day of a small exchange, with thin accounts and prices that jump."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.scene = Scene(len(TRADERS), len(MARKETS), check=False)
        for account in TRADERS:
            self.scene.set_cash(account, 5 * 10**6)
        self.scene.set_cash(INSURANCE, self.rng.choice((10**5, 10**7, 10**9)))
        self.scene.set_cash(LP_VAULT, self.rng.choice((10**6, 10**9)))
        self.scene.guide = BookIndex.of(self.scene.state)
        self.work = DueWork(self.scene.state)
        self.prices = dict.fromkeys(MARKETS, MARK)
        self.done: Counter[type] = Counter()

    def give(self, body: Body) -> Receipt:
        receipt = self.scene.run(body)
        self.work.record(receipt)
        return receipt

    def drain(self) -> None:
        """Apply all that is due, and see that a search finds nothing more."""
        for _ in range(400):
            command = self.work.next(self.scene.state, self.scene.time_ms)
            if command is None:
                return
            assert command.time_ms == self.scene.time_ms
            if self.give(command.body).is_accepted:
                self.done[type(command.body)] += 1
        raise AssertionError(f"expected an end, got {command}")

    def check(self) -> None:
        state, time_ms = self.scene.state, self.scene.time_ms
        assert accepted(state, time_ms, everyday(state, time_ms)) == []
        unsafe = unsafe_accounts(state)
        assert self.work._margins.unsafe == unsafe
        if unsafe:
            assert accepted(state, time_ms, sales(state)) == []

    def tick(self, market: int) -> None:
        time_ms = self.scene.time_ms
        quotes = tuple(Quote(each, self.prices[market], time_ms, UNSIGNED) for each in range(3))
        self.give(OracleTick(market, quotes))
        self.drain()

    def jump(self, market: int) -> None:
        move = self.rng.choice((0.002, 0.01, 0.02, 0.06)) * self.rng.choice((-1, 1))
        self.prices[market] = max(20, int(self.prices[market] * (1 + move)))
        self.tick(market)

    def keep_prices(self) -> None:
        """Ticks until the markets trade again, most of the time."""
        for market in MARKETS:
            while self.rng.randrange(8):
                prices = self.scene.state.leaves.get(prices_address(market))
                assert isinstance(prices, MarketPrices)
                if not prices.halted and prices.valid_until_ms > self.scene.time_ms + 9000:
                    break
                self.scene.time_ms += 1
                self.drain()
                self.tick(market)

    def order(self) -> None:
        rng, scene, market = self.rng, self.scene, self.rng.choice(MARKETS)
        price = max(1, int(self.prices[market] * rng.uniform(0.97, 1.03)))
        self.give(
            scene.place(
                rng.choice(TRADERS),
                rng.randrange(2),
                price,
                rng.randrange(2, 9000),
                market=market,
                time_in_force=rng.choice((0, 0, 0, 1, 3)),
                reduce_only=int(rng.randrange(6) == 0),
                good_until_ms=scene.time_ms + rng.choice((5000, 60_000, 10**9)),
            )
        )

    def stop_order(self) -> None:
        rng, market, direction = self.rng, self.rng.choice(MARKETS), self.rng.randrange(2)
        away = 1.01 if direction == 0 else 0.99
        self.give(
            self.scene.trigger(
                rng.choice(TRADERS),
                max(1, int(self.prices[market] * away)),
                market=market,
                direction=direction,
                source=rng.randrange(2),
                side=rng.randrange(2),
                price=self.prices[market],
                size=rng.randrange(2, 3000),
            )
        )

    def something_else(self) -> None:
        rng, account = self.rng, self.rng.choice(TRADERS)
        owner = owner_of(account)
        bodies: list[Body] = [
            self.scene.cancel_all(account),
            SetMode(rng.choice((0, 0, 0, 1, 2))),
            deposit(account, rng.randrange(1, 10**4)),
            VaultDeposit(account, owner, TokenUnits(rng.randrange(1, 10**6)), LP_VAULT),
            VaultRedeem(account, owner, LP_VAULT, rng.randrange(1, 10**12)),
        ]
        self.give(rng.choice(bodies))

    def step(self) -> None:
        rng = self.rng
        waits_ms = (0, 0, 1, 100, 1000, 3000, 8000)
        self.scene.time_ms += (
            rng.choice(waits_ms) if rng.randrange(40) else rng.choice((40_000, HOUR_MS))
        )
        self.drain()
        controls = self.scene.state.leaves.get(CONTROLS_ADDRESS)
        assert isinstance(controls, Controls)
        if controls.mode and rng.randrange(3) == 0:
            self.give(SetMode(0))
        self.keep_prices()
        choice = rng.randrange(12)
        if choice < 3:
            self.jump(rng.choice(MARKETS))
        elif choice < 9:
            self.order()
        elif choice == 9:
            self.stop_order()
        else:
            self.something_else()
        self.drain()
        self.check()

    def check_rescues(self) -> None:
        """After a price of every market, nobody can be helped any more."""
        for market in MARKETS:
            self.scene.time_ms += 1
            self.drain()
            self.tick(market)
        state = self.scene.state
        assert accepted(state, self.scene.time_ms, rescues(state)) == []


@pytest.mark.parametrize("seed", range(8))
def test_nothing_more_is_due_than_what_was_named(seed: int) -> None:
    day = Day(seed)
    day.drain()
    for number in range(120):
        day.step()
        if number % 7 == 0:
            day.check_rescues()
    rebuilt = DueWork(day.scene.state)
    rebuilt.next(day.scene.state, day.scene.time_ms)
    assert rebuilt._margins.unsafe == day.work._margins.unsafe


def test_the_days_have_seen_every_kind_of_work() -> None:
    seen: Counter[str] = Counter()
    for seed in range(5):
        day = Day(seed)
        for _ in range(220):
            day.step()
        seen.update({kind.__name__: count for kind, count in day.done.items()})
    wanted = {
        "AutoDeleverage", "ClearOrders", "Expire", "FireTrigger", "FundingSample",
        "FundingSettle", "Halt", "Liquidate", "Resume", "TakeOver", "VaultQuote",
    }  # fmt: skip
    assert wanted <= set(seen), seen
