"""An exchange with two priced markets, a liquidity vault and accounts of any equity, and commands
after each of which the books must still balance.
"""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from circuits.exchange.addresses import (
    CONTROLS_ADDRESS,
    book_address,
    share_address,
    trigger_address,
    vault_ledger_address,
    vault_terms_address,
)
from circuits.exchange.apply import Receipt
from circuits.exchange.bodies import Body, Signed
from circuits.exchange.draft import Draft
from circuits.exchange.errors import RejectReason
from circuits.exchange.events import Outcome
from circuits.exchange.guide import SCAN
from circuits.exchange.leaves import (
    Controls,
    MarketTerms,
    Mode,
    Order,
    Side,
    Trigger,
    VaultLedger,
    VaultShare,
    VaultTerms,
)
from circuits.exchange.limits import TRIGGER_SLOT_FIRST
from circuits.exchange.risk import Totals, find_position, totals
from circuits.exchange.state import State
from circuits.exchange.transactions.list_market import ListMarket
from circuits.exchange.transactions.place import Place
from circuits.exchange.transactions.set_fees import SetFees
from circuits.exchange.transactions.set_vault import SetVault
from circuits.exchange.transactions.vault_deposit import VaultDeposit
from circuits.exchange.transactions.vault_redeem import VaultRedeem
from circuits.exchange.units import CASH_PER_UNIT, CashUnits, TokenUnits
from tests.support.drafts import written
from tests.support.exchange import EXPIRY_MS, deposit, owner_of, register
from tests.support.invariants import check_state
from tests.support.listed import (
    FEE,
    FEES,
    HOUR,
    MARKET,
    TERMS,
    UNSIGNED,
    account_of,
    after,
    listed,
    played,
    priced,
    tick,
    with_account,
    with_book,
    with_leaves,
)
from tests.support.positions import change_position

VAULT, CAROL, DAVE, EVE = 5, 6, 7, 8
OTHER = 9
"""The second market."""

UNIT = CASH_PER_UNIT

LOT = 3000
"""Token units of a lot at the mark of 1000 ticks."""

GTT, IOC, POST_ONLY = 0, 1, 3

VAULT_TERMS = VaultTerms(
    leverage_cap_ppm=2_000_000,
    exposure_cap=600_000,
    skew_cap=500_000,
    epoch_ms=HOUR,
    unwind_ppm=1_000,
    quote_spread_ppm=10_000,
    quote_step_ppm=5_000,
    quote_skew_ppm=100_000,
    quote_size=10,
    quote_layers=2,
)


@cache
def exchange() -> State:
    """Both markets at 1000 ticks; nobody has a position, the vault has no cash."""
    state = listed()
    for account in (VAULT, CAROL, DAVE, EVE):
        state = after(state, register(account))
    for account in (CAROL, DAVE, EVE):
        state = after(state, deposit(account, 1_000_000))
    for body in (
        SetVault(VAULT, VAULT_TERMS),
        SetFees(FEES._replace(vault_account=VAULT)),
        ListMarket(OTHER, TERMS),
    ):
        state = after(state, body)
    state = priced(state=state)
    return after(state, tick(1000, 1000, 1000, time_ms=state.time_ms, market=OTHER))


def holding(state: State, account: int, equity: int, *, entry: int = 1000, **sizes: int) -> State:
    """The state in which the account has this equity, in cash units, and pushes these positions.

    `size` is of MARKET, `other` of OTHER; no cash comes from anywhere, so sums are not custody.
    """
    draft = Draft(state, SCAN)
    lots_worth = 0
    for market, size in ((MARKET, sizes.get("size", 0)), (OTHER, sizes.get("other", 0))):
        if size:
            quote = cast(MarketTerms, draft.terms(market)).quote_per_tick_lot
            change_position(draft, account, market, size, entry, quote)
            book, prices = draft.book(market), draft.prices(market)
            interest = book.open_interest + max(size, 0)
            draft.put(book_address(market), book._replace(open_interest=interest))
            lots_worth += size * (prices.mark_price * quote * UNIT - prices.funding_index)
    header = draft.known(account)
    draft.put_account(account, header.with_cash(CashUnits(equity - lots_worth)))
    return with_leaves(state, written(draft))


def facing(victim: int, equity: int, size: int = 100, other: int = CAROL) -> State:
    """A victim with a position in MARKET against a wealthy account with the opposite one."""
    state = holding(exchange(), victim, equity, size=size)
    return holding(state, other, 10_000_000 * UNIT, size=-size)


def signed_as(transaction: Any) -> Signed:
    """The transaction under a signature for tests in which all hold."""
    return Signed(transaction, UNSIGNED)


def order(
    state: State,
    account: int,
    side: int,
    price: int,
    size: int,
    *,
    time_in_force: int = GTT,
    reduce_only: int = 0,
    good_until_ms: int = EXPIRY_MS,
    market: int = MARKET,
) -> Body:
    """A signed order under the account's next nonce."""
    nonce = account_of(state, account).nonce + 1
    fields = (market, side, time_in_force, reduce_only, price, size, good_until_ms)
    return signed_as(Place(account, nonce, EXPIRY_MS, 0, *fields))


def placed(state: State, account: int, side: int, price: int, size: int, **options: int) -> State:
    """The state once such an order has been accepted."""
    return done(state, order(state, account, side, price, size, **options)).state


def done(state: State, body: Body, time_ms: int | None = None) -> Receipt:
    """A command that must be accepted and leave the books balanced."""
    receipt = played(state, body, state.time_ms if time_ms is None else time_ms)
    assert receipt.rejected is None, receipt.rejected
    require_balance(state, receipt.state)
    return receipt


def refused(state: State, body: Body, time_ms: int | None = None) -> RejectReason:
    """Why a command is refused, and nothing has changed."""
    receipt = played(state, body, state.time_ms if time_ms is None else time_ms)
    assert receipt.rejected is not None, receipt.event
    assert receipt.state is state
    return receipt.rejected.reason


def outcome(state: State, body: Body, time_ms: int | None = None) -> Outcome | None:
    """The outcome of a queued command that changed nothing."""
    receipt = done(state, body, time_ms)
    assert receipt.state.leaves == state.leaves
    return receipt.outcome


def total_cash(state: State) -> int:
    return sum(account.cash for _, account in state.accounts.items())


def require_balance(before: State, state: State) -> None:
    """Cash moved only as custody did, and everything else is as it must be in any state."""
    moved = total_cash(state) - total_cash(before)
    assert moved == (state.custody - before.custody) * UNIT
    # What `holding` conjured up is taken from the fee account, so that sums are custody again.
    conjured = total_cash(state) - state.custody * UNIT
    check_state(with_account(state, FEE, cash=cash_of(state, FEE) - conjured))
    check_shares(state)


def check_shares(state: State) -> None:
    """The ledger of the liquidity vault is the sum of its shares, the queue is all that wait."""
    leaves = {
        address: leaf
        for address, leaf in state.leaves.items()
        if isinstance(leaf, VaultShare) and leaf.vault == VAULT
    }
    book = ledger(state)
    assert book.total_shares == sum(leaf.shares for leaf in leaves.values())
    assert book.pending_shares == sum(leaf.pending for leaf in leaves.values())
    assert all(0 <= leaf.pending <= leaf.shares > 0 for leaf in leaves.values())
    address, last, waiting = book.queue_head, 0, []
    while address:
        waiting.append(address)
        last, address = address, leaves[address].next
    assert book.queue_tail == last
    assert sorted(waiting) == [address for address, leaf in leaves.items() if leaf.pending]


def sums(state: State, account: int) -> Totals:
    """The totals of an account at the state's own time."""
    return totals(Draft(state, SCAN), account, account_of(state, account), state.time_ms)


def size_of(state: State, account: int, market: int = MARKET) -> int:
    """The signed size of a position, 0 for none."""
    return find_position(Draft(state, SCAN), account, account_of(state, account), market)[1]


def cash_of(state: State, account: int) -> int:
    return account_of(state, account).cash


def orders_of(state: State, account: int) -> list[Order]:
    """What an account rests, by price."""
    found = [leaf for _, leaf in state.leaves.items() if isinstance(leaf, Order)]
    return sorted((each for each in found if each.account == account), key=lambda each: each.price)


def with_vault_terms(state: State, **changes: int) -> State:
    address = vault_terms_address(VAULT)
    leaf = state.leaves.get(address)
    assert isinstance(leaf, VaultTerms)
    return with_leaves(state, {address: leaf._replace(**changes)})


def with_trigger(state: State, account: int, trigger_price: int) -> State:
    """The state in which a trigger waits for a mark at or above a price."""
    leaf = Trigger(account, 0, 1, Side.BID, 0, 0, 0, 0, trigger_price, 1, 1, 2**40, 0, 0)
    state = with_leaves(state, {trigger_address(MARKET, TRIGGER_SLOT_FIRST): leaf})
    state = with_account(state, account, triggers=1)
    return with_book(state, mark_up=TRIGGER_SLOT_FIRST)


def frozen(state: State) -> State:
    controls = state.leaves.get(CONTROLS_ADDRESS)
    assert isinstance(controls, Controls)
    return with_leaves(state, {CONTROLS_ADDRESS: controls._replace(mode=Mode.FROZEN)})


def into_vault(account: int, amount: int) -> VaultDeposit:
    """A deposit from L1 into the liquidity vault."""
    return VaultDeposit(account, owner_of(account), TokenUnits(amount), VAULT)


def redeeming(account: int, shares: int) -> VaultRedeem:
    """A redemption asked for on L1."""
    return VaultRedeem(account, owner_of(account), VAULT, shares)


def ledger(state: State) -> VaultLedger:
    """The liquidity vault's."""
    leaf = state.leaves.get(vault_ledger_address(VAULT))
    assert isinstance(leaf, VaultLedger)
    return leaf


def shares_of(state: State, account: int) -> VaultShare:
    """What an account holds in the first place of its bitmap."""
    leaf = state.leaves.get(share_address(account, 0))
    assert isinstance(leaf, VaultShare)
    return leaf
