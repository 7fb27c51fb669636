"""Vaults: shares, redemptions, and the quotes of the liquidity vault."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import Any

from circuits.exchange.errors import RejectReason
from circuits.exchange.events import Outcome
from tests.naive.cash import credit, open_account
from tests.naive.double_entry import CASH_UNIT, OUTSIDE, UNIT, portfolio, post
from tests.naive.health import has_stale_price, totals, totals_of
from tests.naive.order_book import remove, require_current
from tests.naive.orders import GTT, POST_ONLY, Ticket, place
from tests.naive.world import ACTIVE, FROZEN, NORMAL, Refused, Stake, World, require

VIRTUAL_SHARES = 10**6
SHARE_PLACES = 16
EPOCH_PAYMENTS_MAX = 16
QUOTE_LIFE_MS = 60_000
PRICE_MAX = 2**32 - 1


def share_count(world: World, vault: int) -> int:
    return sum(stake.shares for (_, where), stake in world.stakes.items() if where == vault)


def share_value(world: World, vault: int) -> Fraction:
    """What one share stands for at present prices."""
    equity = totals_of(world, portfolio(world, vault)).equity
    return (equity + UNIT) / (share_count(world, vault) + VIRTUAL_SHARES)


def apply_vault_deposit(world: World, command: Any) -> Outcome:
    before = world.snapshot()
    try:
        mint(world, command)
    except Refused as refused:
        world.restore(before)
        credit(world, command)
        return Outcome[refused.reason.name]
    return Outcome.APPLIED


def mint(world: World, command: Any) -> None:
    vault = command.vault
    is_vault = world.is_vault(vault) and vault != command.account
    require(is_vault, RejectReason.UNKNOWN_VAULT)
    equity = totals(world, vault).equity
    require(equity + UNIT > 0, RejectReason.WORTHLESS)
    minted = floor(command.amount * UNIT / share_value(world, vault))
    require(minted > 0, RejectReason.NO_SHARES)
    require(share_count(world, vault) + minted < 2**96, RejectReason.SHARES_BOUND)
    stake = world.stakes.get((command.account, vault))
    if stake is None:
        taken = {each.place for (who, _), each in world.stakes.items() if who == command.account}
        free = set(range(SHARE_PLACES)) - taken
        require(bool(free), RejectReason.TOO_MANY_SHARES)
        stake = Stake(0, 0, min(free))
    open_account(world, command.account, command.owner)
    world.stakes[command.account, vault] = stake._replace(shares=stake.shares + minted)
    post(world, OUTSIDE, vault, command.amount * UNIT)


def payout(world: World, vault: int, shares: int) -> Fraction:
    """What shares are paid: their part less the cost of unwinding theirs of the positions."""
    sums = totals(world, vault)
    unwinding = sums.gross * world.vaults[vault].terms.unwind_ppm / 10**6
    exact = shares * (sums.equity + UNIT - unwinding)
    exact /= share_count(world, vault) + VIRTUAL_SHARES
    return min(exact // CASH_UNIT * CASH_UNIT, sums.equity)


def can_pay(world: World, vault: int, amount: Fraction) -> bool:
    sums = totals(world, vault)
    return sums.equity - amount >= sums.initial


def redeem(world: World, account: int, vault: int, shares: int) -> None:
    require(world.is_vault(vault), RejectReason.UNKNOWN_VAULT)
    require(shares != 0, RejectReason.AMOUNT_ZERO)
    stake = world.stakes.get((account, vault))
    free = stake.shares - stake.pending if stake else 0
    require(stake is not None and shares <= free, RejectReason.INSUFFICIENT_SHARES)
    assert stake
    amount = payout(world, vault, shares)
    require(amount > 0, RejectReason.WORTHLESS)
    kept = world.vaults[vault]
    if not kept.queue and can_pay(world, vault, amount):
        burn(world, account, vault, stake._replace(shares=stake.shares - shares))
        post(world, vault, account, amount)
        return
    world.stakes[account, vault] = stake._replace(pending=stake.pending + shares)
    if account not in kept.queue:
        world.vaults[vault] = kept._replace(queue=(*kept.queue, account))


def burn(world: World, account: int, vault: int, stake: Stake) -> None:
    if stake.shares:
        world.stakes[account, vault] = stake
    else:
        del world.stakes[account, vault]


def apply_vault_redeem(world: World, command: Any) -> None:
    world.account(command.account, RejectReason.UNKNOWN_ACCOUNT)
    redeem(world, command.account, command.vault, command.shares)


def apply_redeem_request(world: World, command: Any) -> None:
    require(world.mode != FROZEN, RejectReason.MODE_FORBIDS)
    redeem(world, command.account, command.vault, command.shares)


def apply_vault_settle_epoch(world: World, command: Any) -> None:
    number = command.vault
    require(world.is_vault(number), RejectReason.UNKNOWN_VAULT)
    require(bool(world.vaults[number].queue), RejectReason.NOTHING_DUE)
    vault = world.vaults[number]
    require(world.now >= vault.next_epoch_ms, RejectReason.NOT_DUE)
    stale = has_stale_price(world, portfolio(world, number))
    require(not stale, RejectReason.PRICE_STALE)
    is_over = False
    for account in vault.queue[:EPOCH_PAYMENTS_MAX]:
        stake = world.stakes[account, number]
        amount = payout(world, number, stake.pending)
        if amount <= 0 or not can_pay(world, number, amount):
            is_over = True
            break
        burn(world, account, number, stake._replace(shares=stake.shares - stake.pending, pending=0))
        post(world, number, account, amount)
        queue = world.vaults[number].queue[1:]
        world.vaults[number] = world.vaults[number]._replace(queue=queue)
        is_over = not queue
    if is_over:
        later = world.now + vault.terms.epoch_ms
        world.vaults[number] = world.vaults[number]._replace(next_epoch_ms=later)


def apply_vault_quote(world: World, command: Any) -> None:
    require(world.mode == NORMAL, RejectReason.MODE_FORBIDS)
    vault = world.fees.vault_account if world.fees else 0
    require(vault != 0, RejectReason.UNKNOWN_VAULT)
    market = world.market(command.market)
    is_open = market.status == ACTIVE and not market.is_halted
    require(is_open, RejectReason.MARKET_STATUS)
    require_current(world, command.market)
    require(world.now < market.valid_until_ms, RejectReason.PRICE_STALE)
    sums = totals(world, vault)
    is_able = sums.is_healthy and sums.equity > 0
    require(is_able, RejectReason.INSUFFICIENT_MARGIN)
    held, terms = world.size(vault, command.market), world.vaults[vault].terms
    used = utilisation(sums.gross, sums.equity, terms.leverage_cap_ppm)
    for order in world.books.get(command.market, ()):
        if order.name[0] == vault:
            remove(world, command.market, order.name)
    for layer in range(terms.quote_layers):
        width = market.index * Fraction(terms.quote_spread_ppm + layer * terms.quote_step_ppm)
        half = ceil(width * (10**6 + used) / 10**12)
        lean = Fraction(market.index * terms.quote_skew_ppm * held, 10**6)
        middle = market.index - floor(lean / market.terms.open_interest_max)
        quote_layer(world, vault, command.market, (0, middle - half), held >= 0)
        quote_layer(world, vault, command.market, (1, middle + half), held <= 0)


def utilisation(gross: Fraction, equity: Fraction, cap_ppm: int) -> int:
    """Leverage as a fraction of what it may be, in parts per million."""
    if cap_ppm == 0:
        return 10**6
    return min(10**6, floor(gross / equity * Fraction(10**12, cap_ppm)))


def quote_layer(world: World, vault: int, market: int, quote: tuple[int, int], grows: bool) -> None:
    """One order of the vault, which may be refused without harm to the others."""
    side, price = quote
    if not 1 <= price <= PRICE_MAX:
        return
    nonce = world.accounts[vault].nonce + 1
    world.change_account(vault, nonce=nonce)
    size = world.vaults[vault].terms.quote_size
    force = POST_ONLY if grows else GTT
    until = world.now + QUOTE_LIFE_MS
    before = world.snapshot()
    try:
        place(world, Ticket((vault, 0, nonce), market, side, force, 0, price, size, until))
    except Refused:
        world.restore(before)
