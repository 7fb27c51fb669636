"""Batches that lie: events that never happened, with a tree, a statement and chips to match."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from circuits.exchange.addresses import header_address
from circuits.exchange.commit import header_leaf
from circuits.exchange.events import Event, Withdrawn
from circuits.exchange.leaves import Account
from circuits.exchange.limits import ACCOUNT_MAX
from circuits.exchange.pubdata import publish
from circuits.exchange.transactions.authority import digest_of
from circuits.exchange.transactions.withdraw import Withdraw
from circuits.exchange.units import CASH_PER_UNIT, CashUnits
from circuits.signature import sign
from circuits.statement import Statement
from circuits.witness.record import accesses, make_trace
from sequencer.batcher import Batch
from tests.support import exchange
from tests.support.batches import Forgery, batch_of


def forged_batch(
    batch: Batch, events: Sequence[Event], leaves: dict[int, int] | None = None
) -> tuple[Statement, Forgery]:
    """A statement and a witness for events that need not follow the rules.

    The tree holds the headers that the events leave, unless told otherwise.
    """
    tree = batch.previous_tree.copy()
    after = {account: new for event in events for account, _, new in accesses(event)}
    new_leaves = {
        header_address(account): header_leaf(new.identity, new.nonce, new.cash)
        for account, new in after.items()
    }
    nodes = tree.update_many(new_leaves | (leaves or {}))
    state = batch.state
    for account, new in after.items():
        if account <= ACCOUNT_MAX:
            state = state.with_account(account, new)
    published = publish(events, state)
    accounts, markets, books, system = tree.region_roots()
    statement = replace(
        batch.statement,
        new_root=tree.root,
        root_accounts=accounts,
        root_markets=markets,
        root_books=books,
        root_system=system,
        time_first_ms=events[0].time_ms,
        time_last_ms=events[-1].time_ms,
        command_count=len(events),
        queue_count=len(published.requests),
        withdrawal_count=len(published.withdrawals),
        account_count=len(published.accounts),
        deposit_total=published.deposit_total,
        withdrawal_total=published.withdrawal_total,
        pubdata=published.words,
    )
    return statement, Forgery.of_trace(make_trace(statement, events, nodes))


def failing(batch: Batch, events: Sequence[Event]) -> set[str]:
    return forged_batch(batch, events)[1].failing()


def with_cash(account: Account, difference: int) -> Account:
    return account.with_cash(CashUnits(account.cash + difference))


def next_withdrawal(batch: Batch, amount: int, nonce: int, step: int) -> Withdrawn:
    """A well-signed withdrawal of account 1 after the batch, which the rules never saw."""
    order = Withdraw(1, nonce, exchange.EXPIRY_MS, amount)
    digest = digest_of(order, exchange.DOMAIN)
    before = batch.state.accounts.get(1)
    assert before is not None
    return Withdrawn(
        step=step,
        time_ms=batch.statement.time_last_ms,
        transaction=order,
        signature=sign(exchange.secret_of(1), digest),
        digest=digest,
        before=before,
        after=with_cash(before, -amount * CASH_PER_UNIT).with_nonce(nonce),
    )


@cache
def small_batch() -> Batch:
    """Account 1 withdraws, then pays account 2."""
    return batch_of(
        exchange.withdraw(1, 3, 100),
        exchange.transfer(1, 4, 2, 50),
        state=exchange.funded(2),
    )
