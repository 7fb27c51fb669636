"""What traders do besides trading: they move cash, ask L1 for things, and care for vault shares."""

from __future__ import annotations

from collections.abc import Callable

from circuits.exchange.addresses import share_address
from circuits.exchange.bodies import Body
from circuits.exchange.leaves import VaultShare
from circuits.exchange.limits import SHARE_SLOTS
from circuits.exchange.transactions.adjust_isolated import FROM_SUB, TO_SUB, AdjustIsolated
from circuits.exchange.transactions.deposit import Deposit
from circuits.exchange.transactions.forced_cancel_all import ForcedCancelAll
from circuits.exchange.transactions.forced_close import ForcedClose
from circuits.exchange.transactions.forced_withdraw import ForcedWithdraw
from circuits.exchange.transactions.redeem_request import VaultRedeemRequest
from circuits.exchange.transactions.request_liquidation import RequestLiquidation
from circuits.exchange.transactions.transfer import Transfer
from circuits.exchange.transactions.vault_deposit import VaultDeposit
from circuits.exchange.transactions.vault_redeem import VaultRedeem
from circuits.exchange.transactions.withdraw import Withdraw
from circuits.exchange.units import TokenUnits
from sequencer.sim.cast import VAULT_ACCOUNT, Cast
from sequencer.sim.desk import Desk, Trader, unsigned
from sequencer.sim.markets import MARKETS, TOKEN

BROKE_TOKENS = 100
"""Below this a trader sends new money, some time."""

Errand = Callable[[Desk, Cast], Body | None]
"""One kind of errand: the command, or None when there is nothing to do."""


def pick(desk: Desk, traders: tuple[Trader, ...]) -> Trader:
    """Any of them."""
    return traders[desk.rng.randrange(len(traders))]


def some(desk: Desk, tokens: int) -> TokenUnits:
    """An amount up to so many tokens, at least one unit."""
    return TokenUnits(1 + desk.rng.randrange(tokens * TOKEN))


def transfer(desk: Desk, cast: Cast) -> Body | None:
    """A little cash to another trader."""
    sender, recipient = pick(desk, cast.takers), pick(desk, cast.traders)
    if sender == recipient:
        return None
    return unsigned(Transfer(*desk.owning(sender.account), recipient.account, some(desk, 50)))


def withdraw(desk: Desk, cast: Cast) -> Body | None:
    """A little cash out to L1."""
    trader = pick(desk, cast.traders)
    return unsigned(Withdraw(*desk.owning(trader.account), some(desk, 60)))


def adjust(desk: Desk, cast: Cast) -> Body | None:
    """More collateral behind an isolated position, or some of it back."""
    sub = pick(desk, cast.isolated)
    main = next(taker for taker in cast.takers if taker.owner == sub.owner)
    direction = FROM_SUB if desk.rng.randrange(3) == 0 else TO_SUB
    return unsigned(
        AdjustIsolated(*desk.owning(main.account), sub.account, direction, some(desk, 40))
    )


def request_redemption(desk: Desk, cast: Cast) -> Body | None:
    """Some of the own shares back into cash, under the account's key."""
    provider = pick(desk, cast.providers)
    shares = free_shares(desk, provider)
    if shares == 0:
        return None
    part = max(1, shares // (2 + desk.rng.randrange(10)))
    return unsigned(VaultRedeemRequest(*desk.owning(provider.account), VAULT_ACCOUNT, part))


def redeem(desk: Desk, cast: Cast) -> Body | None:
    """The same through L1; sometimes for more than there is."""
    provider = pick(desk, cast.providers)
    shares = free_shares(desk, provider) // (1 + desk.rng.randrange(8))
    return VaultRedeem(provider.account, provider.owner, VAULT_ACCOUNT, max(1, shares))


def invest(desk: Desk, cast: Cast) -> Body | None:
    """More money for the vault."""
    provider = pick(desk, cast.providers)
    return VaultDeposit(provider.account, provider.owner, some(desk, 20_000), VAULT_ACCOUNT)


def top_up(desk: Desk, cast: Cast) -> Body:
    """New money for a trader; more for one who lost everything."""
    trader = pick(desk, cast.traders)
    equity, gross = desk.worth(trader.account)
    is_broke = gross == 0 and equity < BROKE_TOKENS * TOKEN
    return Deposit(trader.account, trader.owner, some(desk, 20_000 if is_broke else 500))


def force_withdrawal(desk: Desk, cast: Cast) -> Body | None:
    """Cash out by way of L1; sometimes more than margin allows."""
    trader = pick(desk, cast.traders)
    tokens = 100 if desk.rng.randrange(4) else 10_000_000
    return ForcedWithdraw(trader.account, trader.owner, some(desk, tokens))


def force_some_close(desk: Desk, cast: Cast) -> Body | None:
    """The end of some position by way of L1."""
    return force_close(desk, pick(desk, cast.takers + cast.followers))


def force_close(desk: Desk, trader: Trader) -> Body:
    """The end of a position by way of L1."""
    positions = desk.positions(trader.account)
    market = positions[0].market if positions else MARKETS[-1].number
    return ForcedClose(trader.account, trader.owner, market)


def force_cancel(desk: Desk, cast: Cast) -> Body | None:
    """All orders off the books by way of L1."""
    trader = pick(desk, cast.takers)
    return ForcedCancelAll(trader.account, trader.owner)


def ask_for_liquidation(desk: Desk, cast: Cast) -> Body | None:
    """Somebody points at somebody else, mostly without reason."""
    trader, target = pick(desk, cast.takers), pick(desk, cast.followers)
    positions = desk.positions(target.account)
    market = positions[0].market if positions else MARKETS[0].number
    return RequestLiquidation(trader.account, trader.owner, target.account, market)


def free_shares(desk: Desk, provider: Trader) -> int:
    """Shares of the vault that do not wait in its queue."""
    bitmap = desk.header(provider.account).shares
    for bit in range(SHARE_SLOTS):
        if bitmap >> bit & 1:
            leaf = desk.leaf(share_address(provider.account, bit))
            assert isinstance(leaf, VaultShare)
            return leaf.shares - leaf.pending
    return 0


ERRANDS: tuple[tuple[int, Errand], ...] = (
    (18, transfer),
    (14, withdraw),
    (10, adjust),
    (12, request_redemption),
    (6, redeem),
    (8, invest),
    (18, top_up),
    (4, force_withdrawal),
    (4, force_some_close),
    (2, force_cancel),
    (4, ask_for_liquidation),
)
"""How often each is run, in percent."""
