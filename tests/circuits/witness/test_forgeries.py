"""Whole batches that lie about commands: consistent in all but one thing, they fail there.

The forger writes events that never happened, a tree and a statement to match, fills every chip
from them, and answers every look-up that is true.
"""

from dataclasses import replace

import pytest

from circuits.exchange.events import (
    Deposited,
    Transferred,
    Withdrawn,
)
from circuits.exchange.leaves import Account
from circuits.exchange.transactions.authority import digest_of
from circuits.exchange.transactions.transfer import Transfer
from circuits.exchange.transactions.withdraw import Withdraw
from circuits.exchange.units import CASH_PER_UNIT
from circuits.signature import sign
from sequencer.batcher import Batch
from tests.support import exchange
from tests.support.batches import Forgery, batch_of, rich_batch
from tests.support.forging import failing, forged_batch, next_withdrawal, small_batch, with_cash


@pytest.fixture(scope="module")
def small() -> Batch:
    return small_batch()


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
        "bus leaf_chain",
        "bus published",
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
        "bus authorized",
        "bus header",
        "bus published",
        "bus withdrawal_chain",
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
    return Transferred(3, time_ms, order, signature, digest, sender, after, recipient, recipient)


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
        "transfer/the recipient exists",
        "bus header",
        "bus hash",
    }
