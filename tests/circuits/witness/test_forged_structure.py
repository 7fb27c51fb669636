"""Whole batches that lie about state and queue: consistent in all but one thing, they fail there.

The forger writes events that never happened, a tree and a statement to match, fills every chip
from them, and answers every look-up that is true.
"""

from dataclasses import replace

import pytest

from circuits.air.check import BusImbalance
from circuits.chips.trace import Header, TouchedAccount
from circuits.exchange.addresses import header_address
from circuits.exchange.commit import build_tree, header_leaf
from circuits.exchange.events import (
    Deposited,
    KeyRegistered,
    Outcome,
    Withdrawn,
)
from circuits.exchange.leaves import Account
from circuits.exchange.limits import ACCOUNT_MAX
from circuits.exchange.pubdata import publish
from circuits.exchange.state import State
from circuits.exchange.transactions.authority import digest_of
from circuits.exchange.transactions.withdraw import Withdraw
from circuits.merkle import SparseTree
from circuits.signature import sign
from circuits.witness.record import make_trace
from sequencer.batcher import Batch
from tests.support import exchange
from tests.support.batches import Forgery, batch_of, rich_forgery
from tests.support.forging import failing, forged_batch, small_batch


@pytest.fixture(scope="module")
def small() -> Batch:
    return small_batch()


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
    forgery = forged_batch(small, small.events, leaves={header_address(1) + 1: rich})[1]
    assert forgery.failing() == {"tree/child 1 is kept"}


def test_a_sibling_is_changed_and_called_touched(small: Batch) -> None:
    rich = header_leaf(5, 0, 10**30)
    forgery = forged_batch(small, small.events, leaves={header_address(1) + 1: rich})[1]
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
    batch = batch_of(exchange.deposit(1, 10), exchange.deposit(1, 20), exchange.deposit(2, 30))
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
    leaves = {header_address(1): header_leaf(*_header(batch.state, 1))}
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
    nodes = tree.update_many({header_address(beyond): leaf})
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
        ("poseidon2", "count", "bus hash"),
        ("wide", "count", "bus wide"),
        ("range16", "count", "bus range16"),
        ("signature_table", "count[1]", "bus signature_entry"),
        ("base_table", "count_low", "bus base_entry"),
        ("base_table", "count_high", "bus base_high_entry"),
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
