"""Whole batches that lie: each is consistent in all but one thing, and fails there and only there.

The forger writes events that never happened, a tree and a statement to match, fills every chip
from them, and answers every look-up that is true.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from circuits.air.check import BusImbalance
from circuits.chips.trace import Header, TouchedAccount
from circuits.exchange.commit import build_tree, header_index, header_leaf
from circuits.exchange.events import (
    Deposited,
    Event,
    KeyRegistered,
    Outcome,
    Transferred,
    Withdrawn,
)
from circuits.exchange.limits import ACCOUNT_MAX
from circuits.exchange.pubdata import publish
from circuits.exchange.state import Account, State
from circuits.exchange.transactions.authority import digest_of
from circuits.exchange.transactions.transfer import Transfer
from circuits.exchange.transactions.withdraw import Withdraw
from circuits.exchange.units import CASH_PER_UNIT, CashUnits
from circuits.merkle import SparseTree
from circuits.signature import sign
from circuits.statement import Statement
from circuits.witness.record import accesses, make_trace
from sequencer.batcher import Batch
from tests.support import exchange
from tests.support.batches import Forgery, batch_of, rich_batch, rich_forgery


def forged_batch(
    batch: Batch, events: Sequence[Event], leaves: dict[int, int] | None = None
) -> tuple[Statement, Forgery]:
    """A statement and a witness for events that need not follow the rules.

    The tree holds the headers that the events leave, unless told otherwise.
    """
    tree = batch.previous_tree.copy()
    after = {account: new for event in events for account, _, new in accesses(event)}
    new_leaves = {
        header_index(account): header_leaf(new.identity, new.nonce, new.cash)
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


@pytest.fixture(scope="module")
def small() -> Batch:
    """Account 1 withdraws, then pays account 2."""
    return batch_of(
        exchange.withdraw(1, 3, 100),
        exchange.transfer(1, 4, 2, 50),
        state=exchange.funded(2),
    )


def test_the_forger_s_tools_are_honest(small: Batch) -> None:
    for batch in (small, rich_batch()):
        statement, forgery = forged_batch(batch, batch.events)
        assert statement == batch.statement
        assert forgery.failures() == []


def test_a_deposit_credits_more_than_was_paid_in() -> None:
    batch = batch_of(exchange.deposit(1, 10))
    (event,) = batch.events
    assert isinstance(event, Deposited)
    forged = replace(event, after=with_cash(event.after, 5 * CASH_PER_UNIT))
    assert failing(batch, [forged]) == {"bus header", "bus leaf_chain"}


def test_a_larger_deposit_than_custody_took() -> None:
    """All chips agree on 15; the contract's total and words say 10."""
    batch = batch_of(exchange.deposit(1, 10))
    (event,) = batch.events
    assert isinstance(event, Deposited)
    larger = replace(event, amount=15, after=with_cash(event.after, 5 * CASH_PER_UNIT))
    forgery = forged_batch(batch, [larger])[1].with_public("deposit_total", 10)
    assert forgery.failing() == {"bus leaf_chain"}
    words = forgery.cells["pubdata"][0]
    told = [batch.statement.pubdata[0], *words[1:]]
    assert forgery.with_table("pubdata", [told]).failing() == {
        "bus leaf_chain", "bus published",
    }


def test_a_transfer_creates_cash(small: Batch) -> None:
    withdrawal, transfer = small.events
    assert isinstance(transfer, Transferred)
    forged = replace(transfer, recipient_after=with_cash(transfer.recipient_after, 1))
    assert failing(small, [withdrawal, forged]) == {"bus header", "bus leaf_chain"}
    moved = replace(
        transfer,
        recipient_after=with_cash(transfer.recipient_after, 1),
        sender_after=with_cash(transfer.sender_after, -1),
    )
    assert failing(small, [withdrawal, moved]) == {"bus header"}


def test_a_withdrawal_is_counted_twice(small: Batch) -> None:
    """Two rows for one command: authority, header and clock know of one only."""
    forgery = Forgery.honest(small)
    assert forgery.with_repeated_row("withdraw", 0).answered().failing() == {
        "bus authorized", "bus header", "bus published", "bus withdrawal_chain",
    }


def test_a_withdrawal_is_paid_twice(small: Batch) -> None:
    """The second payment has a published word, a position and a place in the total of its own."""
    forgery = Forgery.honest(small)
    forged = (
        forgery.with_repeated_row("withdraw", 0)
        .with_added("withdraw", "position", 1, 1)
        .with_added("withdraw", "total", 1, 100)
        .with_public("withdrawal_count", 2)
        .with_public("withdrawal_total", 200)
        .with_added("leaf", "position", 0, 1)
        .with_added("leaf", "position", 1, 1)
    )
    words = forgery.cells["pubdata"][0]
    forged = forged.with_table("pubdata", [[words[0], *words]])
    assert forged.answered().failing() == {"bus authorized", "bus header", "bus leaf_chain"}


def test_a_withdrawal_takes_more_than_there_is(small: Batch) -> None:
    first, second = small.events
    assert isinstance(second, Transferred)
    too_much = next_withdrawal(small, 1000, nonce=5, step=3)
    assert too_much.after.cash < 0
    assert failing(small, [first, second, too_much]) == {"bus wide"}


def test_time_goes_backwards() -> None:
    batch = rich_batch()
    events = list(batch.events)
    events[7] = replace(events[7], time_ms=events[6].time_ms - 1)
    assert failing(batch, events) == {"bus range16"}


def test_a_command_runs_after_its_expiry() -> None:
    order = Withdraw(1, 3, exchange.EXPIRY_MS - 5, 100)
    batch = batch_of(exchange.signed(order), state=exchange.funded(1))
    (event,) = batch.events
    assert failing(batch, [replace(event, time_ms=order.expiry_ms)]) == set()
    assert failing(batch, [replace(event, time_ms=order.expiry_ms + 1)]) == {"bus range16"}


def test_the_times_of_the_statement_are_not_those_of_the_commands(small: Batch) -> None:
    forgery = Forgery.honest(small)
    later = forgery.with_public("time_last_ms", small.statement.time_last_ms + 1)
    assert later.answered().failing() == {"bus clock"}
    earlier = forgery.with_public("time_first_ms", small.statement.time_first_ms - 1)
    assert earlier.answered().failing() == {"bus clock"}


@pytest.mark.parametrize("nonce", [4, 3, 0])
def test_a_nonce_is_used_again(small: Batch, nonce: int) -> None:
    again = next_withdrawal(small, 1, nonce=nonce, step=3)
    assert failing(small, [*small.events, again]) == {"bus range16"}
    honest = next_withdrawal(small, 1, nonce=5, step=3)
    assert failing(small, [*small.events, honest]) == set()


def test_a_signed_command_is_replayed(small: Batch) -> None:
    """The same order and signature once more, from the header that it left."""
    withdrawal = small.events[0]
    assert isinstance(withdrawal, Withdrawn)
    after = small.state.accounts.get(1)
    assert after is not None
    replayed = replace(
        withdrawal,
        step=3,
        time_ms=small.statement.time_last_ms,
        before=after,
        after=with_cash(after, -100 * CASH_PER_UNIT).with_nonce(3),
    )
    assert failing(small, [*small.events, replayed]) == {"bus range16"}


def transfer_to_self() -> tuple[Batch, Transferred]:
    """Account 1 pays itself, and the credit does not see the debit."""
    batch = batch_of(exchange.withdraw(1, 3, 100), state=exchange.funded(1))
    before = batch.state.accounts.get(1)
    assert before is not None
    order = Transfer(1, 4, exchange.EXPIRY_MS, 1, 50)
    digest = digest_of(order, exchange.DOMAIN)
    debited = with_cash(before, -50 * CASH_PER_UNIT).with_nonce(4)
    return batch, Transferred(
        step=2,
        time_ms=batch.statement.time_last_ms,
        transaction=order,
        signature=sign(exchange.secret_of(1), digest),
        digest=digest,
        sender_before=before,
        sender_after=debited,
        recipient_before=debited,
        recipient_after=with_cash(debited, 50 * CASH_PER_UNIT),
    )


def test_a_transfer_to_self() -> None:
    """The credit would have to read what the debit of the same step wrote: a gap of -1."""
    batch, transfer = transfer_to_self()
    assert failing(batch, [batch.events[0], transfer]) == {"bus range16"}


def test_a_transfer_to_self_that_doubles_the_amount() -> None:
    batch, transfer = transfer_to_self()
    doubled = replace(
        transfer,
        recipient_before=transfer.sender_before,
        recipient_after=with_cash(transfer.sender_before, 50 * CASH_PER_UNIT),
    )
    forgery = forged_batch(batch, [batch.events[0], doubled])[1]
    read_again = forgery.with_cell("transfer", "to_gap", 0, 0).answered()
    assert read_again.failing() == {"bus header", "bus leaf_chain"}


def test_an_account_is_touched_twice() -> None:
    """Two leaves for one account, each with one of two withdrawals of the same cash."""
    state = exchange.funded(1, amount=100)
    batch = batch_of(exchange.withdraw(1, 1, 100), state=state)
    (first,) = batch.events
    assert isinstance(first, Withdrawn)
    order = Withdraw(1, 2, exchange.EXPIRY_MS, 100)
    digest = digest_of(order, exchange.DOMAIN)
    second = replace(
        first,
        step=2,
        transaction=order,
        signature=sign(exchange.secret_of(1), digest),
        digest=digest,
        after=first.after.with_nonce(2),
    )
    statement, _ = forged_batch(batch, [first, second])
    trace = make_trace(statement, [first, second], batch.touched_nodes)
    (last,) = trace.accounts
    # Both accesses read the cell of step 0, and both cells that they leave are closed.
    one = TouchedAccount(
        1,
        last.before,
        Header(first.after.identity, 1, first.after.cash),
        last.old_leaf,
        header_leaf(first.after.identity, 1, first.after.cash),
        time_last=1,
    )
    two = replace(last, new_leaf=header_leaf(second.after.identity, 2, second.after.cash))
    *words, head, cash, identity = publish([first, second], batch.state).words
    assert head == 1 + (1 << 24)
    forged_words = (*words, head, cash, identity, 1 + (2 << 24), cash, identity)
    statement = replace(
        statement,
        account_count=2,
        pubdata=forged_words,
        new_root=batch.statement.new_root,
        root_accounts=batch.statement.root_accounts,
    )
    steps = (trace.steps[0], replace(trace.steps[1], gaps=(1,)))
    forgery = Forgery.of_trace(
        replace(trace, statement=statement, accounts=(one, two), steps=steps)
    )
    assert forgery.failing() == {"bus range16", "bus node"}


def test_an_untouched_sibling_is_changed(small: Batch) -> None:
    """Account 3, which no command names, grows in a corner of the tree."""
    rich = header_leaf(5, 0, 10**30)
    forgery = forged_batch(small, small.events, leaves={header_index(1) + 1: rich})[1]
    assert forgery.failing() == {"tree/child 1 is kept"}


def test_a_sibling_is_changed_and_called_touched(small: Batch) -> None:
    rich = header_leaf(5, 0, 10**30)
    forgery = forged_batch(small, small.events, leaves={header_index(1) + 1: rich})[1]
    levels = forgery.cells["tree"][0]
    names = [row for row, level in enumerate(levels) if level == 1]
    row = next(row for row in names if forgery.value("tree", "new[1]", row) == rich)
    assert forgery.with_cell("tree", "touched[1]", row, 1).failing() == {"bus node"}


def queue_rows_exchanged(forgery: Forgery, first: int, second: int) -> Forgery:
    positions = [forgery.value("queue", "position", row) for row in (first, second)]
    forgery = forgery.with_cell("queue", "position", first, positions[1])
    forgery = forgery.with_cell("queue", "position", second, positions[0])
    words = list(forgery.cells["pubdata"][0])
    one, two = (slice(4 * row, 4 * row + 4) for row in (first, second))
    words[one], words[two] = words[two], words[one]
    return forgery.with_table("pubdata", [words])


def test_queue_entries_run_in_another_order() -> None:
    """The published words keep the order of L1, the steps do not."""
    assert queue_rows_exchanged(rich_forgery(), 1, 2).failing() == {"bus clock"}


def test_queue_entries_are_published_in_another_order() -> None:
    forgery = rich_forgery()
    words = list(forgery.cells["pubdata"][0])
    words[0:4], words[4:8] = words[4:8], words[0:4]
    assert forgery.with_table("pubdata", [words]).failing() == {"bus published"}


def test_a_queue_entry_is_skipped() -> None:
    """The words of all entries are there, but one of them never ran."""
    batch = batch_of(
        exchange.deposit(1, 10), exchange.deposit(1, 20), exchange.deposit(2, 30)
    )
    first, second, third = batch.events
    assert isinstance(third, Deposited)
    kept = [first, second]
    statement, _ = forged_batch(batch, kept)
    lost = publish([third], batch.state).requests[0].words
    words = (*statement.pubdata[:8], *lost, *statement.pubdata[8:])
    told = replace(
        statement, queue_count=3, pubdata=words, deposit_total=batch.statement.deposit_total
    )
    tree = batch.previous_tree.copy()
    leaves = {header_index(1): header_leaf(*_header(batch.state, 1))}
    forgery = Forgery.of_trace(make_trace(told, kept, tree.update_many(leaves)))
    assert forgery.failing() == {"bus clock", "bus leaf_chain", "bus published"}


def _header(state: State, account_id: int) -> Header:
    account = state.accounts.get(account_id)
    assert account is not None
    return Header(account.identity, account.nonce, account.cash)


def test_a_good_key_is_refused() -> None:
    batch = batch_of(exchange.register(1))
    (event,) = batch.events
    assert isinstance(event, KeyRegistered)
    refused = replace(event, cleared_key=None, after=None, outcome=Outcome.INVALID_KEY)
    assert failing(batch, [refused]) == {
        "register/small order means the identity",
        "register/no small order means another point",
    }


@pytest.mark.parametrize(
    ("key", "failing_constraints"),
    [
        (
            exchange.OFF_CURVE,
            {
                "register/small order means the identity",
                "register/no small order means another point",
            },
        ),
        ((0, 1), {"register/no small order means another point"}),
    ],
)
def test_a_bad_key_is_accepted(key: tuple[int, int], failing_constraints: set[str]) -> None:
    """The forger files an identity under eight times the point that the row doubles."""
    batch = batch_of(exchange.register(1, key))
    (event,) = batch.events
    assert isinstance(event, KeyRegistered)
    forgery = Forgery.honest(batch)
    cleared = tuple(forgery.value("register", f"eight_times[{lane}]", 0) for lane in range(2))
    account = Account(event.owner).with_key((cleared[0], cleared[1]))
    accepted = replace(event, cleared_key=cleared, after=account, outcome=Outcome.APPLIED)
    assert failing(batch, [accepted]) == failing_constraints


def test_an_account_beyond_24_bits() -> None:
    """Such a header would lie in the region of the markets. Queue and batch chip refuse it."""
    batch = batch_of(exchange.deposit(1, 10))
    (event,) = batch.events
    assert isinstance(event, Deposited)
    beyond = ACCOUNT_MAX + 1
    tree = SparseTree()
    leaf = header_leaf(event.after.identity, 0, event.after.cash)
    nodes = tree.update_many({header_index(beyond): leaf})
    accounts, markets, books, system = tree.region_roots()
    words = list(batch.statement.pubdata)
    words[0] += (beyond - 1) << 8
    words[4] += beyond - 1
    statement = replace(
        batch.statement,
        new_root=tree.root,
        root_accounts=accounts,
        root_markets=markets,
        root_books=books,
        root_system=system,
        pubdata=tuple(words),
    )
    trace = make_trace(statement, [replace(event, account_id=beyond)], nodes)
    forgery = Forgery.of_trace(trace)
    assert forgery.failing() == {"bus range16"}
    blamed = {
        chip
        for each in forgery.failures()
        if isinstance(each, BusImbalance)
        for chip, _, _ in each.places
    }
    assert blamed == {"queue", "batch"}


def test_an_amount_of_zero(small: Batch) -> None:
    for nothing in (
        next_withdrawal(small, 0, nonce=5, step=3),
        _empty_transfer(small),
    ):
        assert failing(small, [*small.events, nothing]) == {"bus range16"}


def _empty_transfer(batch: Batch) -> Transferred:
    accounts = batch.state.accounts
    sender, recipient = accounts.get(1), accounts.get(2)
    assert sender is not None
    assert recipient is not None
    order = Transfer(1, 5, exchange.EXPIRY_MS, 2, 0)
    digest = digest_of(order, exchange.DOMAIN)
    signature = sign(exchange.secret_of(1), digest)
    after = sender.with_nonce(5)
    time_ms = batch.statement.time_last_ms
    return Transferred(
        3, time_ms, order, signature, digest, sender, after, recipient, recipient
    )


def test_a_transfer_to_an_account_that_is_not_there(small: Batch) -> None:
    """A later deposit would create it; the cash would wait in an account without identity."""
    accounts = small.state.accounts
    sender = accounts.get(1)
    assert sender is not None
    order = Transfer(1, 5, exchange.EXPIRY_MS, 9, 20)
    digest = digest_of(order, exchange.DOMAIN)
    nobody = Account(exchange.owner_of(9))
    forged = Transferred(
        step=3,
        time_ms=small.statement.time_last_ms,
        transaction=order,
        signature=sign(exchange.secret_of(1), digest),
        digest=digest,
        sender_before=sender,
        sender_after=with_cash(sender, -20 * CASH_PER_UNIT).with_nonce(5),
        recipient_before=nobody,
        recipient_after=with_cash(nobody, 20 * CASH_PER_UNIT),
    )
    forgery = forged_batch(small, [*small.events, forged])[1]
    row = forgery.height("transfer") - 1
    as_absent = forgery.with_cell("transfer", "to_identity", row, 0).answered()
    assert as_absent.failing() == {
        "transfer/the recipient exists", "bus header", "bus hash",
    }


def test_a_row_beyond_the_height_sends_nothing() -> None:
    """Rows that are not active do not count: their receivers are left alone.

    That the proof system enforces it is shown per chip with activity 0 (tests.support.breaker).
    """
    for chip, failing_buses in {
        "command": {"bus clock", "bus authorized", "bus signature"},
        "withdraw": {"bus authorized", "bus header", "bus published", "bus withdrawal_chain"},
        "leaf": {"bus header", "bus node", "bus leaf_chain", "bus published"},
        "queue": {"bus clock", "bus queued", "bus published"},
    }.items():
        forgery = rich_forgery()
        cut = forgery.without_row(chip, forgery.height(chip) - 1).answered()
        assert cut.failing() == failing_buses


@pytest.mark.parametrize("times", [2, -1])
def test_a_multiplicity_is_forged(times: int) -> None:
    forgery = rich_forgery()
    existed = forgery.with_cell("leaf", "existed", 2, times).answered()
    assert "leaf/existed is a bit" in existed.failing()
    touched = forgery.with_cell("tree", "touched[3]", 0, times)
    assert {"tree/touched[3] is a bit"} <= touched.failing()
    valid = forgery.with_cell("register", "valid", 1, times).answered()
    assert {"register/valid is a bit", "bus header"} <= valid.failing()
    fresh = forgery.with_cell("deposit", "fresh", 1, times).answered()
    assert "deposit/fresh is a bit" in fresh.failing()


@pytest.mark.parametrize(
    ("table", "column", "bus"),
    [
        ("poseidon2", "count_hash", "bus hash"),
        ("poseidon2", "count_permute", "bus permute"),
        ("wide", "count", "bus wide"),
        ("range16", "count", "bus range16"),
        ("signature_table", "count[1]", "bus signature_entry"),
    ],
)
def test_a_table_counts_what_nobody_asked(table: str, column: str, bus: str) -> None:
    assert rich_forgery().with_added(table, column, 0, 1).failing() == {bus}
    assert rich_forgery().with_added(table, column, 0, -1).failing() == {bus}


def test_an_old_tree_of_another_exchange(small: Batch) -> None:
    """The old root of the statement is that of a state in which account 1 owns more."""
    richer = exchange.funded(2, amount=10**9)
    forgery = Forgery.honest(small).with_public("old_root", build_tree(richer).root)
    assert forgery.failing() == {"bus node"}
