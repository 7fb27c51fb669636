"""Accounts that cannot keep what they have: liquidation, takeover, deleverage, deficits."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from circuits.exchange.errors import RejectReason
from tests.naive.double_entry import UNIT, cash_units, portfolio, post
from tests.naive.health import (
    CASH_BOUND,
    has_stale_price,
    hindrance,
    notional,
    totals,
    totals_of,
    zero_price,
)
from tests.naive.matching import Ending, Taker, crosses, exchange_lots, take
from tests.naive.order_book import (
    best,
    clear,
    order_count,
    require_current,
    trigger_count,
)
from tests.naive.world import ASK, BID, FROZEN, Refused, World, require

NO_FEE = Fraction(0)


def is_clear(world: World, account: int) -> bool:
    return order_count(world, account) + trigger_count(world, account) == 0


def apply_clear_orders(world: World, command: Any) -> None:
    require(world.mode != FROZEN, RejectReason.MODE_FORBIDS)
    world.account(command.account, RejectReason.UNKNOWN_ACCOUNT)
    sums = totals(world, command.account)
    require(sums.is_liquidatable, RejectReason.NOT_LIQUIDATABLE)
    require(not is_clear(world, command.account), RejectReason.NOTHING_DUE)
    clear(world, command.account)


def check_market(world: World, account: int, market: int) -> None:
    """Whether anything may be forced on an account in a market now."""
    require(world.mode != FROZEN, RejectReason.MODE_FORBIDS)
    world.account(account, RejectReason.UNKNOWN_ACCOUNT)
    require(not world.market(market).is_halted, RejectReason.MARKET_STATUS)
    require_current(world, market)
    totals(world, account)


def check_victim(world: World, account: int, market: int) -> int:
    """The position, once the account is found liquidatable and without orders."""
    check_market(world, account, market)
    require(is_clear(world, account), RejectReason.OPEN_ORDERS)
    size = world.size(account, market)
    require(size != 0, RejectReason.NO_POSITION)
    require(totals(world, account).is_liquidatable, RejectReason.NOT_LIQUIDATABLE)
    return size


def check_size(size: int, held: int) -> None:
    require(size <= abs(held), RejectReason.SIZE_TOO_LARGE)
    require(size > 0, RejectReason.SIZE_TOO_SMALL)


def closing_side(held: int) -> int:
    return ASK if held > 0 else BID


def liquidate(world: World, account: int, market: int, size: int) -> Ending:
    """Sell (or buy back) into the book at the zero price or better."""
    held = check_victim(world, account, market)
    check_size(size, held)
    limit = zero_price(world, account, market)
    taker = Taker((account, 0, 0), market, closing_side(held), limit, size, zero_price=limit)
    ending = take(world, taker)
    require(ending.steps > 0, RejectReason.NO_LIQUIDITY)
    return ending


def apply_liquidate(world: World, command: Any) -> None:
    liquidate(world, command.account, command.market, command.size)


def backstops(world: World) -> set[int]:
    assert world.fees is not None
    return {world.fees.insurance_account, world.fees.vault_account} - {0}


def apply_take_over(world: World, command: Any) -> None:
    account, number = command.account, command.market
    held = check_victim(world, account, number)
    check_size(command.size, held)
    allowed = backstops(world) - {account}
    require(command.backstop in allowed, RejectReason.NOT_BACKSTOP)
    sums, price = totals(world, account), zero_price(world, account, number)
    assert world.fees is not None
    is_insured = command.backstop == world.fees.insurance_account
    require(is_insured or sums.equity >= 0, RejectReason.NOT_BACKSTOP)
    fraction = Fraction(world.markets[number].terms.close_out_ppm, 10**6)
    side = closing_side(held)
    head = best(world, number, 1 - side)
    can_fill = head is not None and crosses(side, price, head.price)
    is_late = sums.equity < sums.maintenance * fraction or not can_fill
    require(is_late, RejectReason.TAKEOVER_EARLY)
    bought = command.size if side == BID else -command.size
    reason = hindrance(world, command.backstop, number, -bought, price, NO_FEE)
    require(reason is None, RejectReason.BACKSTOP_MARGIN)
    exchange_lots(world, number, account, command.backstop, bought, price)


def score(world: World, account: int, market: int) -> Fraction | None:
    """Profit times leverage; None for an account that nothing may be forced on."""
    held, terms = world.holdings[account, market], world.markets[market]
    owned = portfolio(world, account)
    equity = totals_of(world, owned).equity
    if account in backstops(world) or has_stale_price(world, owned):
        return None
    if not 0 < equity < CASH_BOUND:
        return None
    profit = held.size * terms.mark * terms.quote - held.entry_quote * UNIT
    return profit * notional(terms, held.size) / equity


def can_bear(world: World, account: int, market: int, size: int, price: int) -> bool:
    """Whether an account is worth something still after buying `size` lots."""
    after = portfolio(world, account).after(world, market, size, price, NO_FEE)
    return totals_of(world, after).equity >= 0


def apply_auto_deleverage(world: World, command: Any) -> None:
    account, number, other = command.account, command.market, command.counterparty
    held = check_victim(world, account, number)
    require(totals(world, account).equity < 0, RejectReason.NOT_BANKRUPT)
    against = world.size(other, number)
    require(against * held < 0, RejectReason.NO_POSITION)
    price, sign = zero_price(world, account, number), 1 if held > 0 else -1
    sizes = {
        who: sign * min(abs(held), abs(world.size(who, number)))
        for who in world.accounts
        if world.size(who, number) * held < 0
    }
    assert world.fees is not None
    insurance = world.fees.insurance_account
    if insurance != account:
        reason = hindrance(world, insurance, number, sizes[other], price, NO_FEE)
        require(reason is not None, RejectReason.BACKSTOP_AVAILABLE)
    scores = {who: score(world, who, number) for who in sizes}
    own = scores[other]
    require(own is not None, RejectReason.NOT_TOP_RANKED)
    bearing = {who for who, size in sizes.items() if can_bear(world, who, number, size, price)}
    require(other in bearing, RejectReason.COUNTERPARTY_MARGIN)
    others = [value for who, value in scores.items() if value is not None and who in bearing]
    require(own == max(others), RejectReason.NOT_TOP_RANKED)
    exchange_lots(world, number, account, other, -sizes[other], price)


def apply_cover_deficit(world: World, command: Any) -> None:
    require(world.mode != FROZEN, RejectReason.MODE_FORBIDS)
    world.account(command.account, RejectReason.UNKNOWN_ACCOUNT)
    insurance = world.fees.insurance_account if world.fees else 0
    is_short = not world.markets_of(command.account) and cash_units(world, command.account) < 0
    require(is_short and command.account != insurance, RejectReason.NO_DEFICIT)
    deficit = -portfolio(world, command.account).balance
    left = portfolio(world, insurance).without(deficit)
    totals(world, insurance)
    can_pay = left.cash(world) >= 0 and totals_of(world, left).is_healthy
    require(can_pay, RejectReason.INSURANCE_EMPTY)
    post(world, insurance, command.account, deficit)


def request_liquidation(world: World, command: Any) -> bool:
    """What anybody may ask for on L1: clear the target's orders, then liquidate it whole.

    Whether that closed the position, or left the target as it must be.
    """
    require(world.mode != FROZEN, RejectReason.MODE_FORBIDS)
    world.account(command.target, RejectReason.UNKNOWN_ACCOUNT)
    check_market(world, command.target, command.market)
    if not is_clear(world, command.target):
        sums = totals(world, command.target)
        require(sums.is_liquidatable, RejectReason.NOT_LIQUIDATABLE)
        clear(world, command.target)
    held = world.size(command.target, command.market)
    if not held:
        raise Refused(RejectReason.NO_POSITION)
    ending = liquidate(world, command.target, command.market, abs(held))
    return not ending.remaining or not totals(world, command.target).is_liquidatable
