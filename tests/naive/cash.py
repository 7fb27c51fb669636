"""Deposits, withdrawals, transfers, keys: what happens to accounts outside the books."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

from circuits.edwards import Point, clear_cofactor
from circuits.exchange.errors import RejectReason
from circuits.exchange.events import Kind, Outcome
from tests.naive.double_entry import OUTSIDE, UNIT, custody, portfolio, post
from tests.naive.health import CASH_BOUND, has_stale_price, totals_of
from tests.naive.world import (
    CONSERVATIVE,
    FROZEN,
    INSURANCE,
    USER,
    VAULT,
    Agent,
    Holder,
    World,
    require,
)

TRADE, CANCEL = 1, 2
FOR_AGENTS = {
    Kind.PLACE: TRADE,
    Kind.MODIFY: TRADE,
    Kind.BATCH: TRADE,
    Kind.PLACE_TRIGGER: TRADE,
    Kind.CANCEL: TRADE | CANCEL,
    Kind.CANCEL_ALL: TRADE | CANCEL,
}
SUB_ACCOUNTS = range(2**23, 2**24)


@lru_cache(maxsize=4096)
def cleared(key: Point) -> Point | None:
    """Eight times a point, None where that is no key."""
    return clear_cofactor(key)


def authorise(world: World, command: Any) -> None:
    """Whether the key may sign this now; its nonce is used up."""
    holder = world.account(command.account, RejectReason.UNKNOWN_ACCOUNT)
    slot = getattr(command, "key_slot", 0)
    agent = world.agents.get((command.account, slot - 1)) if slot else None
    if slot == 0:
        require(holder.key is not None, RejectReason.NO_KEY)
    else:
        require(agent is not None and agent.key is not None, RejectReason.UNKNOWN_AGENT)
        assert agent
        require(world.now <= agent.expiry_ms, RejectReason.AGENT_EXPIRED)
        require(bool(agent.scope & FOR_AGENTS[command.KIND]), RejectReason.AGENT_SCOPE)
    require(world.now <= command.expiry_ms, RejectReason.EXPIRED)
    last = agent.nonce if agent else holder.nonce
    require(command.nonce > last, RejectReason.NONCE_NOT_INCREASING)
    operations = getattr(command, "operations", (None,))
    for each in (command, *filter(None, operations)):
        for name, bits in each.WIDTHS:
            in_range = 0 <= getattr(each, name) < 2**bits
            require(in_range, RejectReason.FIELD_OUT_OF_RANGE)
    used = command.nonce + max(len(operations), 1) - 1
    require(used < 2**48, RejectReason.FIELD_OUT_OF_RANGE)
    if agent:
        world.agents[command.account, slot - 1] = agent._replace(nonce=used)
    else:
        world.change_account(command.account, nonce=used)


def open_account(world: World, account: int, owner: int) -> None:
    if account not in world.accounts:
        world.accounts[account] = Holder(owner)


def credit(world: World, command: Any) -> None:
    """What arrived on L1 becomes cash."""
    open_account(world, command.account, command.owner)
    post(world, OUTSIDE, command.account, command.amount * UNIT)


def apply_deposit(world: World, command: Any) -> None:
    credit(world, command)


def apply_register_key(world: World, command: Any) -> Outcome:
    key = cleared((command.key_x, command.key_y))
    if key is None:
        return Outcome.INVALID_KEY
    open_account(world, command.account, command.owner)
    world.change_account(command.account, key=key)
    return Outcome.APPLIED


def check_payer(world: World, account: int) -> None:
    kind = world.accounts[account].kind
    require(kind not in (VAULT, INSURANCE), RejectReason.ACCOUNT_KIND)


def check_margin(world: World, account: int, amount: Fraction) -> None:
    """Whether the account can do without an amount."""
    left = portfolio(world, account).without(amount)
    require(not has_stale_price(world, left), RejectReason.PRICE_STALE)
    sums = totals_of(world, left)
    needed = sums.maintenance + sums.buffer
    if world.mode == CONSERVATIVE:
        needed = max(needed, sums.initial)
    require(sums.equity >= needed, RejectReason.INSUFFICIENT_MARGIN)
    require(abs(left.cash(world)) < CASH_BOUND, RejectReason.CASH_OUT_OF_BOUNDS)


def pay(world: World, payer: int, to: Any, amount: int) -> None:
    """Move token units that the payer can do without."""
    check_margin(world, payer, amount * UNIT)
    if to != OUTSIDE:
        more = portfolio(world, to).without(-amount * UNIT)
        require(abs(more.cash(world)) < CASH_BOUND, RejectReason.CASH_OUT_OF_BOUNDS)
    else:
        require(amount <= custody(world), RejectReason.CASH_OUT_OF_BOUNDS)
    post(world, payer, to, amount * UNIT)


def withdraw(world: World, account: int, amount: int) -> None:
    check_payer(world, account)
    require(amount != 0, RejectReason.AMOUNT_ZERO)
    pay(world, account, OUTSIDE, amount)


def apply_withdraw(world: World, command: Any) -> None:
    require(world.mode != FROZEN, RejectReason.MODE_FORBIDS)
    withdraw(world, command.account, command.amount)


def apply_forced_withdraw(world: World, command: Any) -> None:
    world.account(command.account, RejectReason.UNKNOWN_ACCOUNT)
    withdraw(world, command.account, command.amount)


def apply_transfer(world: World, command: Any) -> None:
    require(world.mode != FROZEN, RejectReason.MODE_FORBIDS)
    check_payer(world, command.account)
    require(command.amount != 0, RejectReason.AMOUNT_ZERO)
    require(command.to != command.account, RejectReason.TRANSFER_TO_SELF)
    world.account(command.to, RejectReason.UNKNOWN_RECIPIENT)
    pay(world, command.account, command.to, command.amount)


def apply_adjust_isolated(world: World, command: Any) -> None:
    require(world.mode != FROZEN, RejectReason.MODE_FORBIDS)
    main, sub = world.accounts[command.account], world.accounts.get(command.sub)
    kinds = {main.kind} | ({sub.kind} if sub else set())
    require(kinds == {USER}, RejectReason.ACCOUNT_KIND)
    require(command.amount != 0, RejectReason.AMOUNT_ZERO)
    require(command.direction <= 1, RejectReason.BAD_ENUM)
    require(command.sub != command.account, RejectReason.TRANSFER_TO_SELF)
    if sub is None:
        is_new = command.direction == 0 and command.sub in SUB_ACCOUNTS
        require(is_new, RejectReason.UNKNOWN_RECIPIENT)
        sub = world.accounts[command.sub] = Holder(main.owner, main.key)
    require(sub.owner == main.owner, RejectReason.OWNER_DIFFERS)
    goes_down = command.account not in SUB_ACCOUNTS and command.sub in SUB_ACCOUNTS
    if command.direction == 1 and not goes_down:
        require(sub.key == main.key, RejectReason.OWNER_DIFFERS)
    ways = [(command.account, command.sub), (command.sub, command.account)]
    pay(world, *ways[command.direction], command.amount)


def apply_set_agent(world: World, command: Any) -> None:
    require(command.agent <= 7, RejectReason.BAD_ENUM)
    require(1 <= command.scope <= 3, RejectReason.BAD_ENUM)
    key = cleared((command.key_x, command.key_y))
    require(key is not None, RejectReason.INVALID_AGENT_KEY)
    before = world.agents.get((command.account, command.agent))
    world.agents[command.account, command.agent] = Agent(
        key, command.scope, command.agent_expiry_ms, before.nonce if before else 0
    )


def apply_revoke_agent(world: World, command: Any) -> None:
    agent = world.agents.get((command.account, command.agent))
    require(agent is not None and agent.key is not None, RejectReason.UNKNOWN_AGENT)
    assert agent
    world.agents[command.account, command.agent] = agent._replace(key=None, scope=0)


def apply_set_referrer(world: World, command: Any) -> None:
    require(world.accounts[command.account].referrer == 0, RejectReason.REFERRER_SET)
    require(command.referrer != command.account, RejectReason.TRANSFER_TO_SELF)
    world.account(command.referrer, RejectReason.UNKNOWN_RECIPIENT)
    world.change_account(command.account, referrer=command.referrer)
