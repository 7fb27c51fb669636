"""A whole exchange under random hands: everything that must hold does, after every command."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from circuits.exchange.apply import Command
from circuits.exchange.bodies import Body
from circuits.exchange.transactions.oracle_tick import OracleTick, Quote
from circuits.exchange.transactions.redeem_request import VaultRedeemRequest
from circuits.exchange.transactions.transfer import Transfer
from circuits.exchange.transactions.vault_deposit import VaultDeposit
from circuits.exchange.transactions.withdraw import Withdraw
from circuits.exchange.units import TokenUnits
from sequencer.due_work import DueWork
from sequencer.sim.checks import changes_of
from sequencer.sim.promises import before, require_kept
from tests.support.exchange import EXPIRY_MS, owner_of
from tests.support.market import (
    ANN,
    BOB,
    CAT,
    DAN,
    FOK,
    GTT,
    INSURANCE,
    IOC,
    LP_VAULT,
    MARK,
    POST_ONLY,
    TRADER_UNITS,
    UNSIGNED,
    Scene,
    signed,
)

MARKETS = (0, 1)
DUE_COMMANDS_MAX = 500
ACCOUNTS = st.sampled_from([ANN, BOB, CAT, DAN])
SIDES = st.sampled_from([0, 1])
SIZES = st.sampled_from([2, 50, 5_000, 100_000, 400_000])
"""Lots; a trader has margin for a million at first, so the largest lead to liquidations."""

AMOUNTS = st.sampled_from([1, 10**6, TRADER_UNITS // 4, TRADER_UNITS])
MOVES_PPM = st.sampled_from([-200_000, -90_000, -30_000, -2_000, 0, 2_000, 30_000, 90_000, 200_000])


class ExchangeMachine(RuleBasedStateMachine):
    """Traders, an oracle, time, and a venue that does what is due after each of them."""

    @initialize()
    def open(self) -> None:
        self.scene = Scene(trader_count=4, market_count=len(MARKETS))
        self.due = DueWork(self.scene.state)
        self.prices = [MARK] * len(MARKETS)
        self.run(VaultDeposit(ANN, owner_of(ANN), TokenUnits(TRADER_UNITS), LP_VAULT))

    def run(self, body: Body) -> None:
        """One command; `Scene` looks at the whole state, and then at what was promised."""
        scene = self.scene
        earlier = before(scene.state, Command(scene.time_ms, body))
        receipt = scene.run(body)
        self.due.record(receipt)
        if receipt.event is not None:
            entries = receipt.state.leaves.entries()
            require_kept(earlier, receipt, changes_of(receipt.event, entries))

    def settle(self) -> None:
        """All that is due, as the venue finds it."""
        for _ in range(DUE_COMMANDS_MAX):
            command = self.due.next(self.scene.state, self.scene.time_ms)
            if command is None:
                return
            self.run(command.body)
        raise AssertionError(f"expected an end of what is due, got {DUE_COMMANDS_MAX} commands")

    def act(self, body: Body) -> None:
        self.run(body)
        self.settle()

    @rule(
        account=ACCOUNTS,
        side=SIDES,
        distance=st.integers(-4, 4),
        size=SIZES,
        market=st.sampled_from(MARKETS),
        time_in_force=st.sampled_from([GTT, GTT, GTT, IOC, FOK, POST_ONLY]),
        reduce_only=st.sampled_from([0, 0, 0, 1]),
    )
    def place(
        self, account: int, side: int, distance: int, size: int, market: int, **fields: Any
    ) -> None:
        price = max(1, self.prices[market] * (1000 + distance) // 1000)
        self.act(self.scene.place(account, side, price, size, market=market, **fields))

    @rule(pair=st.permutations([ANN, BOB, CAT, DAN]), size=st.sampled_from([300_000, 900_000]))
    def lever(self, pair: list[int], size: int) -> None:
        """Two accounts take large positions against each other, and the price begins to go."""
        self.tick(0, 0, 3)
        buyer, seller = pair[:2]
        for account, side in ((seller, 1), (buyer, 0)):
            self.act(self.scene.place(account, side, self.prices[0], size))

    @rule(steps=st.integers(1, 4), move_ppm=st.sampled_from([-90_000, 90_000]))
    def go(self, steps: int, move_ppm: int) -> None:
        """The price goes one way without a halt."""
        for _ in range(steps):
            self.tick(move_ppm, 0, 3)

    @rule(account=ACCOUNTS, price_ppm=MOVES_PPM, source=SIDES, direction=SIDES, side=SIDES)
    def wait_for_a_price(self, account: int, price_ppm: int, **fields: int) -> None:
        price = self.prices[0] * (10**6 + price_ppm) // 10**6
        self.act(self.scene.trigger(account, price, **fields))

    @rule(account=ACCOUNTS)
    def cancel_all(self, account: int) -> None:
        self.act(self.scene.cancel_all(account))

    @rule(move_ppm=MOVES_PPM, market=st.sampled_from(MARKETS), signers=st.integers(2, 3))
    def tick(self, move_ppm: int, market: int, signers: int) -> None:
        """Prices of one market move, those of the other are said again."""
        self.scene.time_ms += 2_000
        self.settle()
        moved = self.prices[market] * (10**6 + move_ppm) // 10**6
        self.prices[market] = min(max(moved, MARK // 10), MARK * 10)
        for each in MARKETS:
            price, time_ms = self.prices[each], self.scene.time_ms
            quotes = tuple(Quote(one, price, time_ms, UNSIGNED) for one in range(signers))
            self.act(OracleTick(each, quotes))

    @rule(wait_ms=st.sampled_from([1, 5_000, 61_000, 3_600_000]))
    def pass_time(self, wait_ms: int) -> None:
        self.scene.time_ms += wait_ms
        self.settle()

    @rule(account=ACCOUNTS, amount=AMOUNTS)
    def withdraw(self, account: int, amount: int) -> None:
        nonce = self.scene.nonce(account)
        self.act(signed(Withdraw(account, nonce, EXPIRY_MS, TokenUnits(amount))))

    @rule(account=ACCOUNTS, to=st.sampled_from([ANN, BOB, LP_VAULT, INSURANCE]), amount=AMOUNTS)
    def transfer(self, account: int, to: int, amount: int) -> None:
        nonce = self.scene.nonce(account)
        self.act(signed(Transfer(account, nonce, EXPIRY_MS, to, TokenUnits(amount))))

    @rule(account=ACCOUNTS, amount=AMOUNTS)
    def buy_shares(self, account: int, amount: int) -> None:
        self.act(VaultDeposit(account, owner_of(account), TokenUnits(amount), LP_VAULT))

    @rule(account=ACCOUNTS, shares=st.sampled_from([1, 10**9, 10**14, 10**15]))
    def redeem(self, account: int, shares: int) -> None:
        nonce = self.scene.nonce(account)
        self.act(signed(VaultRedeemRequest(account, nonce, EXPIRY_MS, LP_VAULT, shares)))


ExchangeMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, print_blob=True, deadline=None
)
TestExchangeMachine = ExchangeMachine.TestCase
