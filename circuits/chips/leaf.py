"""Account leaves: where memory cells start and end, and what the batch publishes of them."""

from typing import Any

from circuits.air.builder import Builder
from circuits.air.chip import Chip
from circuits.air.columns import U24, U32, U48, Bit, Columns, Field, Given
from circuits.air.expr import Expr
from circuits.chips.buses import HASH, HEADER, LEAF_CHAIN, NODE, PUBLISHED, WIDE
from circuits.chips.trace import Trace
from circuits.exchange.limits import ACCOUNT_BITS, ACCOUNT_SLOTS, CASH_OFFSET, HEADER_SLOT
from circuits.field import R, batch_inverse
from circuits.poseidon2 import TAG_HEADER, sponge_iv
from circuits.statement import ACCOUNT_WORDS, QUEUE_WORDS

HEADER_IV = sponge_iv(TAG_HEADER, 3)


class LeafChip(Chip):
    """One account that the batch touches, in increasing order of accounts.

    Soundness: the chain fixes `previous`, and the gap to it is ranged, so accounts strictly rise
    as integers and each has one row; the batch chip ranges the last one below 2^24, hence all.
    An absent account is an empty leaf and a zero cell, and it is absent only before the batch:
    nothing deletes an account, and a leaf with identity 0 would be published like an absent one,
    so that the tree could not be rebuilt from the words. Nonce and cash at the end are those of
    the last access; the nonce was ranged by the command chip, the cash is ranged here, so both
    published words unpack in one way. `old_hash` is what the tree holds, and the header under it
    is the one that some earlier batch hashed, because the sponge is collision-resistant.
    """

    name = "leaf"

    class Cols(Columns):
        previous: Given[U24]
        gap: U32
        position: Given[U32]
        cash_sum: Field
        time_last: Given[U32]
        existed: Bit
        old_identity: Field
        old_nonce: Given[U48]
        old_cash: Field
        old_hash: Field
        new_identity: Field
        new_nonce: Given[U48]
        new_cash: Field
        new_hash: Field
        inverse_identity: Field

    def constrain(self, c: Any, b: Builder) -> None:
        account = c.previous + 1 + c.gap
        b.send(HEADER, account, 0, c.old_identity, c.old_nonce, c.old_cash)
        b.receive(HEADER, account, c.time_last, c.new_identity, c.new_nonce, c.new_cash)
        b.receive(NODE, 0, account * ACCOUNT_SLOTS + HEADER_SLOT, c.old_hash, c.new_hash)

        old_words = (c.old_identity, c.old_nonce, c.old_cash + CASH_OFFSET, HEADER_IV)
        b.lookup(HASH, *old_words, c.old_hash, times=c.existed)
        for name in ("old_identity", "old_nonce", "old_cash", "old_hash"):
            b.assert_zero(f"{name} of an absent account", (1 - c.existed) * getattr(c, name))
        new_words = (c.new_identity, c.new_nonce, c.new_cash + CASH_OFFSET, HEADER_IV)
        b.lookup(HASH, *new_words, c.new_hash)
        b.assert_eq("the account exists at the end", c.new_identity * c.inverse_identity, 1)
        _publish(c, b, account)


def _publish(c: Any, b: Builder, account: Expr) -> None:
    """The walk over all touched accounts: three words each, and the sum of cash changes."""
    b.receive(LEAF_CHAIN, c.position, c.previous, c.cash_sum)
    cash_sum = c.cash_sum + c.new_cash - c.old_cash
    b.send(LEAF_CHAIN, c.position + ACCOUNT_WORDS, account, cash_sum)
    b.send(PUBLISHED, c.position, account + c.new_nonce * 2**ACCOUNT_BITS)
    b.send(PUBLISHED, c.position + 1, c.new_cash + CASH_OFFSET)
    b.send(PUBLISHED, c.position + 2, c.new_identity)
    b.lookup(WIDE, 1, c.new_cash + CASH_OFFSET)


def fill(trace: Trace) -> dict[str, Any]:
    """One row per touched account."""
    statement, accounts = trace.statement, trace.accounts
    start = QUEUE_WORDS * statement.queue_count + statement.withdrawal_count
    previous = [0, *(each.account_id for each in accounts)][: len(accounts)]
    sums = [0]
    for each in accounts:
        sums.append((sums[-1] + each.after.cash - each.before.cash) % R)
    return {
        "previous": previous,
        "gap": [
            each.account_id - 1 - before for each, before in zip(accounts, previous, strict=True)
        ],
        "position": [start + ACCOUNT_WORDS * row for row in range(len(accounts))],
        "cash_sum": sums[:-1],
        "time_last": [each.time_last for each in accounts],
        "existed": [int(each.before.identity != 0) for each in accounts],
        "old_identity": [each.before.identity for each in accounts],
        "old_nonce": [each.before.nonce for each in accounts],
        "old_cash": [each.before.cash % R for each in accounts],
        "old_hash": [each.old_leaf for each in accounts],
        "new_identity": [each.after.identity for each in accounts],
        "new_nonce": [each.after.nonce for each in accounts],
        "new_cash": [each.after.cash % R for each in accounts],
        "new_hash": [each.new_leaf for each in accounts],
        "inverse_identity": batch_inverse([each.after.identity for each in accounts]),
    }
