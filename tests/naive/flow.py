"""Random commands of every kind, chosen by looking at the second implementation.

One seed gives one stream. Most commands make sense where the exchange stands, some are a little
off, and some have one field that is plainly wrong.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from dataclasses import replace
from fractions import Fraction
from typing import Any

from circuits.exchange.apply import Command
from circuits.exchange.bodies import Body, Signed
from circuits.exchange.events import Kind
from circuits.signature import Signature
from tests.naive import flow_governance, flow_orders, flow_owners, flow_venue
from tests.naive.double_entry import cash_units, portfolio
from tests.naive.exchange import NaiveExchange
from tests.naive.health import Totals, totals_of
from tests.naive.scenario import (
    BASE_PRICES,
    OTHER_POOL,
    POOL,
    SPARE_MARKET,
    START_MS,
    TRADERS,
    USDC,
    opening,
)

NO_SIGNATURE = Signature(0, 0, 0)
FOREVER_MS = 2**48 - 1

WEIGHTS: dict[Kind, float] = {
    Kind.DEPOSIT: 2.5,
    Kind.REGISTER_KEY: 0.3,
    Kind.TRANSFER: 2,
    Kind.WITHDRAW: 2,
    Kind.FORCED_WITHDRAW: 1,
    Kind.FORCED_CLOSE: 1.5,
    Kind.FORCED_CANCEL_ALL: 0.4,
    Kind.REQUEST_LIQUIDATION: 1.2,
    Kind.VAULT_DEPOSIT: 1.5,
    Kind.VAULT_REDEEM: 1,
    Kind.LIST_MARKET: 0.1,
    Kind.UPDATE_MARKET: 0.2,
    Kind.SET_ORACLE_SIGNERS: 0.1,
    Kind.SET_FEES: 0.15,
    Kind.SET_VAULT: 0.2,
    Kind.SET_MODE: 0.3,
    Kind.ROTATE_SEQUENCER: 0.1,
    Kind.PLACE: 45,
    Kind.CANCEL: 2.5,
    Kind.CANCEL_ALL: 0.4,
    Kind.MODIFY: 5,
    Kind.BATCH: 4,
    Kind.PLACE_TRIGGER: 6,
    Kind.SET_AGENT: 1,
    Kind.REVOKE_AGENT: 0.3,
    Kind.SET_REFERRER: 0.5,
    Kind.ADJUST_ISOLATED: 2,
    Kind.VAULT_REDEEM_REQUEST: 1.5,
    Kind.ORACLE_TICK: 12,
    Kind.EXPIRE: 1,
    Kind.TRIGGER: 0.7,
    Kind.FUNDING_SAMPLE: 0.5,
    Kind.FUNDING_SETTLE: 0.5,
    Kind.HALT: 0.5,
    Kind.RESUME: 0.5,
    Kind.CLEAR_ORDERS: 0.5,
    Kind.LIQUIDATE: 1,
    Kind.TAKE_OVER: 1,
    Kind.COVER_DEFICIT: 0.5,
    Kind.AUTO_DELEVERAGE: 0.7,
    Kind.VAULT_QUOTE: 2.5,
    Kind.VAULT_SETTLE_EPOCH: 0.7,
}

MAKERS: dict[Kind, Callable[[Any], Any]] = {
    **flow_orders.MAKERS,
    **flow_owners.MAKERS,
    **flow_venue.MAKERS,
    **flow_governance.MAKERS,
}


class Flow:
    """A stream for one exchange; `kinds` limits it to some kinds, the opening included."""

    def __init__(self, naive: NaiveExchange, seed: int, kinds: Collection[Kind] = WEIGHTS) -> None:
        self.naive = naive
        self.rng = random.Random(seed)
        insurance_units = self.rng.choice([1, USDC, 20 * USDC])
        self.opening = [body for body in opening(insurance_units) if body.KIND in kinds]
        self.kinds = [kind for kind in WEIGHTS if kind in kinds]
        self.weights = [WEIGHTS[kind] for kind in self.kinds]
        self.prices = {market: float(price) for market, price in BASE_PRICES.items()}
        self.wildness = self.rng.choice([0.02, 0.06, 0.15])
        self.now = START_MS
        self.planned: list[Callable[[], Any]] = []

    @property
    def world(self) -> Any:
        return self.naive.world

    def next(self) -> Command:
        """The next command."""
        if self.opening:
            return Command(START_MS, self.opening.pop(0))
        time_ms = self._time()
        self.now = time_ms
        return Command(time_ms, self._body())

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def _time(self) -> int:
        now = self.world.now
        draw = self.rng.random()
        if draw < 0.45:
            return now
        if draw < 0.92:
            return now + self.rng.randint(1, 1_500)
        if draw < 0.985:
            return now + self.rng.randint(2_000, 12_000)
        if draw < 0.996:
            return now + self.rng.randint(20_000, 120_000)
        if draw < 0.998:
            return now + self.rng.randint(200_000, 4_000_000)
        return self.rng.choice([now - 1, now + 60_000 - now % 60_000, now, 2**48, -1])

    def _body(self) -> Body:
        """Something due, most of the time that anything is; else something at random."""
        for _ in range(100):
            if self.planned and self.chance(0.8):
                return self._signed(self.planned.pop(0)())
            made = flow_venue.what_is_due(self) if self.chance(0.8) else None
            if made is None and self.chance(0.25):
                made = flow_venue.what_distress_asks_for(self)
            if made is None:
                kind = self.rng.choices(self.kinds, self.weights)[0]
                made = MAKERS[kind](self)
            if made is None or made.KIND not in self.kinds:
                continue
            if self.chance(0.06):
                made = self._spoiled(made)
            if self.chance(0.002):
                flow_orders.plan_a_flood(self)
            return self._signed(made)
        raise AssertionError("nothing to do")

    def _signed(self, made: Any) -> Body:
        return Signed(made, NO_SIGNATURE) if made.KIND.is_signed else made

    def _spoiled(self, made: Any) -> Any:
        """The same with one field at an end of its range; a signed one may be beyond it."""
        widths = [(name, bits) for name, bits in made.WIDTHS if bits < 128]
        if made.KIND.is_queued:
            fixed = ("account", "owner", "amount") if made.KIND.value < 16 else ()
            widths = [each for each in widths if each[0] not in fixed]
        if not widths:
            return made
        name, bits = self.rng.choice(widths)
        values = [0, 1, 2, 9]
        if name not in ("nonce", "epoch"):  # nothing could follow the highest
            values.append(2**bits - 1)
        if made.KIND.is_signed:
            values += [2**bits, -1]
        return replace(made, **{name: self.rng.choice(values)})

    def account(self) -> int:
        """Any account, rarely one that is not there."""
        if self.chance(0.02):
            return self.rng.choice([0, 15, 2**24 - 1])
        return self.rng.choice(list(self.world.accounts))

    def trader(self) -> int:
        """Mostly one of the traders; the last of them has no key. Vaults trade too."""
        if self.chance(0.06):
            return self.rng.choice([POOL, OTHER_POOL])
        if self.chance(0.1):
            return self.account()
        return self.rng.choice(TRADERS[:-1] if self.chance(0.9) else TRADERS)

    def market(self) -> int:
        """One of the markets that trade, or another."""
        if self.chance(0.03) or not self.world.markets:
            return self.rng.choice([SPARE_MARKET, SPARE_MARKET, 1023, 1024])
        return self.rng.choice(list(BASE_PRICES))

    def header(self, account: int) -> dict[str, int]:
        """The fields that every signed command starts with."""
        holder = self.world.accounts.get(account)
        nonce = holder.nonce if holder else 0
        return {
            "account": account,
            "nonce": nonce + self.rng.choice([1, 1, 1, 2, 50]) - (self.chance(0.02)),
            "expiry_ms": self.now - 1 if self.chance(0.01) else FOREVER_MS,
        }

    def trading_header(self, account: int) -> dict[str, int]:
        """The same where an agent may sign."""
        fields = self.header(account) | {"key_slot": 0}
        agents = [
            place
            for (who, place), agent in self.world.agents.items()
            if who == account and ((agent.key and agent.expiry_ms >= self.now) or self.chance(0.03))
        ]
        if agents and self.chance(0.3):
            place = self.rng.choice(agents)
            nonce = self.world.agents[account, place].nonce + self.rng.choice([1, 1, 3])
            fields |= {"key_slot": place + 1, "nonce": nonce}
        elif self.chance(0.01):
            fields["key_slot"] = self.rng.randint(1, 9)
        return fields

    def totals(self, account: int) -> Totals:
        return totals_of(self.world, portfolio(self.world, account))

    def cash(self, account: int) -> int:
        return cash_units(self.world, account)

    def spare_units(self, account: int) -> int:
        """Token units that the account could pay out, or could not by one."""
        sums = self.totals(account)
        spare = (sums.equity - sums.maintenance - sums.buffer) * 10**6
        units = int(max(spare, Fraction(0)))
        if self.chance(0.3):
            return max(units + self.rng.choice([0, 0, 1]), 0)
        return self.rng.randint(0, max(units, 1))
