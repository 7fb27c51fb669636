"""Forty well-signed commands that take an empty exchange to trades, agents and vault shares.

In batches of four, the first two and the last one hold margin commands on plain accounts alone.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from circuits.exchange.apply import Command
from circuits.exchange.bodies import Body, Signed
from circuits.exchange.leaves import Side, VaultTerms
from circuits.exchange.transactions.authority import digest_of
from circuits.exchange.transactions.batch import Batch, CancelOperation, PlaceOperation
from circuits.exchange.transactions.cancel import Cancel
from circuits.exchange.transactions.forced_withdraw import ForcedWithdraw
from circuits.exchange.transactions.list_market import ListMarket
from circuits.exchange.transactions.modify import Modify
from circuits.exchange.transactions.oracle_tick import OracleTick
from circuits.exchange.transactions.place import Place
from circuits.exchange.transactions.place_trigger import PlaceTrigger
from circuits.exchange.transactions.redeem_request import VaultRedeemRequest
from circuits.exchange.transactions.set_agent import SetAgent
from circuits.exchange.transactions.set_fees import SetFees
from circuits.exchange.transactions.set_oracle_signers import SetOracleSigners
from circuits.exchange.transactions.set_referrer import SetReferrer
from circuits.exchange.transactions.set_vault import SetVault
from circuits.exchange.transactions.transfer import Transfer
from circuits.exchange.transactions.vault_deposit import VaultDeposit
from circuits.exchange.transactions.withdraw import Withdraw
from circuits.exchange.units import TokenUnits
from circuits.signature import public_key, sign
from tests.support.exchange import DOMAIN, EXPIRY_MS, deposit, owner_of, register, secret_of
from tests.support.listed import (
    ALICE,
    BOB,
    FEE,
    FEES,
    INSURANCE,
    MARKET,
    START,
    TERMS,
    quote,
    signer_point,
)

DAY_BATCH = 4
VAULT, CAROL, DAVE = 5, 6, 7
AGENT_SECRET = 4242
CAPS = VaultTerms(2_000_000, 10**9, 10**9, 60_000, 1_000, 500, 200, 100, 5, 1)
GTT = 0


def signed(transaction: Any, secret: int | None = None) -> Signed:
    secret = secret_of(transaction.account) if secret is None else secret
    return Signed(transaction, sign(secret, digest_of(transaction, DOMAIN)))


def place(account: int, nonce: int, side: Side, price: int, key_slot: int = 0) -> Signed:
    fields = (MARKET, side, GTT, 0, price, 10, EXPIRY_MS)
    secret = AGENT_SECRET if key_slot else None
    return signed(Place(account, nonce, EXPIRY_MS, key_slot, *fields), secret)


def tick(price: int, time_ms: int) -> OracleTick:
    return OracleTick(MARKET, tuple(quote(signer, price + signer, time_ms) for signer in range(3)))


def bodies() -> list[Body]:
    units = TokenUnits(1_000)
    agent = public_key(AGENT_SECRET)
    operations = (
        PlaceOperation(MARKET, Side.BID, GTT, 0, 980, 10, EXPIRY_MS),
        CancelOperation(0, 1),
    )
    trigger = (MARKET, Side.ASK, 1, 1, 0, 1, 900, 890, 5, EXPIRY_MS)
    modified = (0, 4, MARKET, Side.BID, GTT, 0, 981, 10, EXPIRY_MS)
    return [
        *(register(account) for account in (FEE, INSURANCE, ALICE, BOB)),
        *(deposit(account, 1_000_000) for account in (FEE, INSURANCE, ALICE, BOB)),
        SetFees(FEES),
        SetOracleSigners(2, tuple(signer_point(signer) for signer in range(3))),
        ListMarket(MARKET, TERMS),
        register(VAULT),
        SetVault(VAULT, CAPS),
        tick(1000, START + 13),
        place(ALICE, 1, Side.BID, 1001),
        place(BOB, 1, Side.ASK, 1001),
        signed(SetAgent(ALICE, 2, EXPIRY_MS, 0, 1, EXPIRY_MS, *agent)),
        place(ALICE, 1, Side.BID, 990, key_slot=1),
        place(BOB, 2, Side.ASK, 1010),
        signed(Cancel(BOB, 3, EXPIRY_MS, 0, 0, 2)),
        VaultDeposit(ALICE, owner_of(ALICE), TokenUnits(5_000), VAULT),
        signed(PlaceTrigger(ALICE, 3, EXPIRY_MS, 0, *trigger)),
        tick(1002, START + 22),
        signed(Cancel(ALICE, 2, EXPIRY_MS, 1, 1, 1), AGENT_SECRET),
        signed(Batch(ALICE, 4, EXPIRY_MS, 0, operations[:1])),
        place(BOB, 4, Side.ASK, 1020),
        signed(Withdraw(BOB, 5, EXPIRY_MS, units)),
        signed(Transfer(BOB, 6, EXPIRY_MS, FEE, units)),
        signed(Modify(ALICE, 5, EXPIRY_MS, 0, *modified)),
        signed(SetReferrer(BOB, 7, EXPIRY_MS, FEE)),
        signed(VaultRedeemRequest(ALICE, 6, EXPIRY_MS, VAULT, 1_000)),
        ForcedWithdraw(ALICE, owner_of(ALICE), units),
        place(BOB, 8, Side.ASK, 981),
        tick(1001, START + 33),
        signed(Cancel(BOB, 9, EXPIRY_MS, 0, 0, 4)),
        signed(Batch(BOB, 10, EXPIRY_MS, 0, operations)),
        register(CAROL),
        deposit(CAROL, 500),
        register(DAVE),
        signed(Transfer(CAROL, 1, EXPIRY_MS, DAVE, TokenUnits(200))),
    ]


@cache
def day_commands() -> tuple[Command, ...]:
    """The commands, a millisecond apart; the rules accept all of them."""
    return tuple(Command(START + place, body) for place, body in enumerate(bodies()))
