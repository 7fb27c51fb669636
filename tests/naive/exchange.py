"""A second implementation of the rules: slow, without links, indices or packing.

It shares with the first only the commands, the names of reasons and outcomes, and the terms that
governance sets. Signatures are taken to hold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from circuits.exchange.apply import Command
from circuits.exchange.bodies import Signed
from circuits.exchange.errors import RejectReason
from circuits.exchange.events import Kind, Outcome
from tests.naive import cash, distress, governance, oracle, orders, vaults
from tests.naive.matching import Taker, take
from tests.naive.order_book import clear, require_current
from tests.naive.views import View, view_of_world
from tests.naive.world import (
    ASK,
    BID,
    DELISTED,
    FEE,
    INSURANCE,
    Fill,
    Refused,
    World,
    require,
)

TIME_BOUND = 2**48
PRICE_MAX = 2**32 - 1
CURED_BY_THE_VENUE = (RejectReason.FUNDING_DUE, RejectReason.TRIGGER_DUE)


class NaiveReceipt(NamedTuple):
    """What became of a command."""

    accepted: bool
    reason: RejectReason | None
    outcome: Outcome | None
    fills: tuple[Fill, ...]


def apply_forced_close(world: World, command: Any) -> Outcome:
    holder = world.account(command.account, RejectReason.UNKNOWN_ACCOUNT)
    require(holder.kind not in (INSURANCE, FEE), RejectReason.ACCOUNT_KIND)
    market = world.market(command.market)
    require(market.status != DELISTED, RejectReason.MARKET_STATUS)
    require_current(world, command.market)
    require(world.now < market.valid_until_ms, RejectReason.PRICE_STALE)
    held = world.size(command.account, command.market)
    require(held != 0, RejectReason.NO_POSITION)
    band = market.terms.mark_band_ppm
    if held > 0:
        limit = -(-market.mark * (10**6 - band) // 10**6)
    else:
        limit = market.mark * (10**6 + band) // 10**6
    limit = min(max(limit, 1), PRICE_MAX)
    side = ASK if held > 0 else BID
    ending = take(world, Taker((command.account, 0, 0), command.market, side, limit, abs(held)))
    if not ending.filled:
        if ending.reason == RejectReason.MATCH_STEPS:
            return Outcome.MATCH_STEPS
        raise Refused(ending.reason or RejectReason.NO_LIQUIDITY)
    return Outcome.PARTIAL if ending.remaining else Outcome.APPLIED


def apply_forced_cancel_all(world: World, command: Any) -> None:
    world.account(command.account, RejectReason.UNKNOWN_ACCOUNT)
    clear(world, command.account)


def apply_request_liquidation(world: World, command: Any) -> Outcome:
    is_done = distress.request_liquidation(world, command)
    return Outcome.APPLIED if is_done else Outcome.PARTIAL


RULES: dict[Kind, Callable[[World, Any], Outcome | None]] = {
    Kind.DEPOSIT: cash.apply_deposit,
    Kind.REGISTER_KEY: cash.apply_register_key,
    Kind.TRANSFER: cash.apply_transfer,
    Kind.WITHDRAW: cash.apply_withdraw,
    Kind.FORCED_WITHDRAW: cash.apply_forced_withdraw,
    Kind.FORCED_CLOSE: apply_forced_close,
    Kind.FORCED_CANCEL_ALL: apply_forced_cancel_all,
    Kind.REQUEST_LIQUIDATION: apply_request_liquidation,
    Kind.VAULT_DEPOSIT: vaults.apply_vault_deposit,
    Kind.VAULT_REDEEM: vaults.apply_vault_redeem,
    Kind.LIST_MARKET: governance.apply_list_market,
    Kind.UPDATE_MARKET: governance.apply_update_market,
    Kind.SET_ORACLE_SIGNERS: governance.apply_set_oracle_signers,
    Kind.SET_FEES: governance.apply_set_fees,
    Kind.SET_VAULT: governance.apply_set_vault,
    Kind.SET_MODE: governance.apply_set_mode,
    Kind.ROTATE_SEQUENCER: governance.apply_rotate_sequencer,
    Kind.PLACE: orders.apply_place,
    Kind.CANCEL: orders.apply_cancel,
    Kind.CANCEL_ALL: orders.apply_cancel_all,
    Kind.MODIFY: orders.apply_modify,
    Kind.BATCH: orders.apply_batch,
    Kind.PLACE_TRIGGER: orders.apply_place_trigger,
    Kind.SET_AGENT: cash.apply_set_agent,
    Kind.REVOKE_AGENT: cash.apply_revoke_agent,
    Kind.SET_REFERRER: cash.apply_set_referrer,
    Kind.ADJUST_ISOLATED: cash.apply_adjust_isolated,
    Kind.VAULT_REDEEM_REQUEST: vaults.apply_redeem_request,
    Kind.ORACLE_TICK: oracle.apply_oracle_tick,
    Kind.EXPIRE: orders.apply_expire,
    Kind.TRIGGER: orders.apply_fire_trigger,
    Kind.FUNDING_SAMPLE: oracle.apply_funding_sample,
    Kind.FUNDING_SETTLE: oracle.apply_funding_settle,
    Kind.HALT: oracle.apply_halt,
    Kind.RESUME: oracle.apply_resume,
    Kind.CLEAR_ORDERS: distress.apply_clear_orders,
    Kind.LIQUIDATE: distress.apply_liquidate,
    Kind.TAKE_OVER: distress.apply_take_over,
    Kind.COVER_DEFICIT: distress.apply_cover_deficit,
    Kind.AUTO_DELEVERAGE: distress.apply_auto_deleverage,
    Kind.VAULT_QUOTE: vaults.apply_vault_quote,
    Kind.VAULT_SETTLE_EPOCH: vaults.apply_vault_settle_epoch,
}


class NaiveExchange:
    """The exchange, one command after the other."""

    def __init__(self) -> None:
        self.world = World()

    def apply(self, command: Command) -> NaiveReceipt:
        """Apply a command, or say why not and change nothing."""
        world = self.world
        before = world.snapshot()
        try:
            require(command.time_ms >= world.now, RejectReason.TIME_BACKWARDS)
            require(command.time_ms < TIME_BOUND, RejectReason.TIME_OUT_OF_RANGE)
            world.now = command.time_ms
            outcome = self._run(command.body)
        except Refused as refused:
            world.restore(before)
            return NaiveReceipt(False, refused.reason, None, ())
        fills, world.fills = world.fills, ()
        return NaiveReceipt(True, None, outcome, fills)

    def view(self) -> View:
        """All facts, to be compared with those of the first implementation's state."""
        return view_of_world(self.world)

    def _run(self, body: Any) -> Outcome:
        world = self.world
        if isinstance(body, Signed):
            cash.authorise(world, body.transaction)
            RULES[body.transaction.KIND](world, body.transaction)
            return Outcome.APPLIED
        if not body.KIND.is_queued:
            RULES[body.KIND](world, body)
            return Outcome.APPLIED
        before = world.snapshot()
        try:
            return RULES[body.KIND](world, body) or Outcome.APPLIED
        except Refused as refused:
            if refused.reason in CURED_BY_THE_VENUE:
                raise
            world.restore(before)
            return Outcome[refused.reason.name]
