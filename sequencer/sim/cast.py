"""Who takes part: the exchange's own accounts, the oracle, and traders of every sort."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from circuits.exchange.limits import OWNER_BITS, SUB_ACCOUNT_FIRST
from sequencer.sim.desk import Trader
from sequencer.sim.keys import KeyName
from sequencer.sim.plan import Plan

FEE_ACCOUNT, INSURANCE_ACCOUNT, VAULT_ACCOUNT = 1, 2, 3
"""The L1 queue counts accounts up, so the first ones are the exchange's own."""

TRADER_FIRST = 4
SIGNERS, QUORUM = 3, 2
AGENT_KEY_SLOT = 1


@dataclass(frozen=True, slots=True)
class Cast:
    """Everyone by what they do; `isolated` are sub-accounts of the first takers."""

    makers: tuple[Trader, ...]
    providers: tuple[Trader, ...]
    followers: tuple[Trader, ...]
    takers: tuple[Trader, ...]
    isolated: tuple[Trader, ...]

    @property
    def traders(self) -> tuple[Trader, ...]:
        """All who have an account of their own, by increasing account."""
        return self.makers + self.providers + self.followers + self.takers

    @property
    def agents(self) -> tuple[Trader, ...]:
        """Those whose orders an agent's key signs."""
        return tuple(trader for trader in self.traders if trader.key_slot)

    @property
    def key_names(self) -> list[KeyName]:
        """Every key that is needed."""
        own = [(account, 0) for account in (FEE_ACCOUNT, INSURANCE_ACCOUNT, VAULT_ACCOUNT)]
        return [
            *((0, signer) for signer in range(SIGNERS)),
            *own,
            *((trader.account, 0) for trader in self.traders),
            *((trader.account, AGENT_KEY_SLOT) for trader in self.agents),
        ]


def cast_of(plan: Plan) -> Cast:
    """Everyone of a run; every other maker and every eighth other trader has an agent."""
    count = plan.trader_count
    maker_count, provider_count = max(4, min(12, count // 20)), max(2, count // 25)
    follower_count = count * 3 // 10
    accounts = range(TRADER_FIRST, TRADER_FIRST + count)
    traders = [
        Trader(account, owner_of(account), _key_slot(account, account < TRADER_FIRST + maker_count))
        for account in accounts
    ]
    providers_from = maker_count + provider_count
    followers_from = providers_from + follower_count
    takers = tuple(traders[followers_from:])
    return Cast(
        makers=tuple(traders[:maker_count]),
        providers=tuple(traders[maker_count:providers_from]),
        followers=tuple(traders[providers_from:followers_from]),
        takers=takers,
        isolated=tuple(
            Trader(SUB_ACCOUNT_FIRST + taker.account, taker.owner, 0)
            for taker in takers[: max(2, count // 15)]
        ),
    )


def owner_of(account: int) -> int:
    """The L1 address that opened an account."""
    digest = blake2b(f"simulated owner {account}".encode(), digest_size=OWNER_BITS // 8).digest()
    return int.from_bytes(digest, "big")


def _key_slot(account: int, is_maker: bool) -> int:
    return AGENT_KEY_SLOT if account % (2 if is_maker else 8) == 0 else 0
