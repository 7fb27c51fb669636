"""The rule of each command kind: one table, so that no kind can be applied without one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from circuits.exchange.events import Event, Kind, Outcome
from circuits.exchange.transactions import (
    adjust_isolated,
    auto_deleverage,
    batch,
    cancel,
    cancel_all,
    clear_orders,
    cover_deficit,
    deposit,
    expire,
    fire_trigger,
    forced_cancel_all,
    forced_close,
    forced_withdraw,
    funding_sample,
    funding_settle,
    halt,
    liquidate,
    list_market,
    modify,
    oracle_tick,
    place,
    place_trigger,
    redeem_request,
    register_key,
    request_liquidation,
    resume,
    revoke_agent,
    rotate_sequencer,
    set_agent,
    set_fees,
    set_mode,
    set_oracle_signers,
    set_referrer,
    set_vault,
    take_over,
    transfer,
    update_market,
    vault_deposit,
    vault_quote,
    vault_redeem,
    vault_settle_epoch,
    withdraw,
)

Rule = Callable[..., Event | Outcome | None]
"""Draft, context, the body, and for a signed one the signature; it writes to the draft and raises
Rejected. An event of its own is what a chip reads; else the steps in the draft tell all.
"""

MODULES: Mapping[Kind, Any] = {
    Kind.DEPOSIT: deposit,
    Kind.REGISTER_KEY: register_key,
    Kind.TRANSFER: transfer,
    Kind.WITHDRAW: withdraw,
    Kind.FORCED_WITHDRAW: forced_withdraw,
    Kind.FORCED_CLOSE: forced_close,
    Kind.FORCED_CANCEL_ALL: forced_cancel_all,
    Kind.REQUEST_LIQUIDATION: request_liquidation,
    Kind.VAULT_DEPOSIT: vault_deposit,
    Kind.VAULT_REDEEM: vault_redeem,
    Kind.LIST_MARKET: list_market,
    Kind.UPDATE_MARKET: update_market,
    Kind.SET_ORACLE_SIGNERS: set_oracle_signers,
    Kind.SET_FEES: set_fees,
    Kind.SET_VAULT: set_vault,
    Kind.SET_MODE: set_mode,
    Kind.ROTATE_SEQUENCER: rotate_sequencer,
    Kind.PLACE: place,
    Kind.CANCEL: cancel,
    Kind.CANCEL_ALL: cancel_all,
    Kind.MODIFY: modify,
    Kind.BATCH: batch,
    Kind.PLACE_TRIGGER: place_trigger,
    Kind.SET_AGENT: set_agent,
    Kind.REVOKE_AGENT: revoke_agent,
    Kind.SET_REFERRER: set_referrer,
    Kind.ADJUST_ISOLATED: adjust_isolated,
    Kind.VAULT_REDEEM_REQUEST: redeem_request,
    Kind.ORACLE_TICK: oracle_tick,
    Kind.EXPIRE: expire,
    Kind.TRIGGER: fire_trigger,
    Kind.FUNDING_SAMPLE: funding_sample,
    Kind.FUNDING_SETTLE: funding_settle,
    Kind.HALT: halt,
    Kind.RESUME: resume,
    Kind.CLEAR_ORDERS: clear_orders,
    Kind.LIQUIDATE: liquidate,
    Kind.TAKE_OVER: take_over,
    Kind.COVER_DEFICIT: cover_deficit,
    Kind.AUTO_DELEVERAGE: auto_deleverage,
    Kind.VAULT_QUOTE: vault_quote,
    Kind.VAULT_SETTLE_EPOCH: vault_settle_epoch,
}
"""The file of each kind: its fields, its rule, and what both mean."""

RULES: Mapping[Kind, Rule] = {kind: module.apply for kind, module in MODULES.items()}
"""The rule of each kind."""
