"""The batch as a whole: where every chain starts and ends, by the public words."""

from typing import Any

from circuits.air.builder import Builder
from circuits.air.chip import Chip
from circuits.air.columns import U24, Columns
from circuits.chips.buses import CLOCK, HASH, LEAF_CHAIN, NODE, WITHDRAWAL_CHAIN
from circuits.chips.trace import Trace
from circuits.chips.words import statement_word as word
from circuits.exchange.units import CASH_PER_UNIT
from circuits.merkle import STATE_LEVELS
from circuits.statement import ACCOUNT_WORDS, QUEUE_WORDS, WITHDRAWAL_WORDS


class BatchChip(Chip):
    """The whole batch; there is exactly one row.

    Soundness: the verifier fixes the height at one. Each chain has one start and one end here,
    so the rows between are exactly as many as the counts say: a step, a published word or an
    account position cannot be used twice, because a chain only ever moves upwards. The cash
    changes of all accounts sum to deposits less withdrawals: each is below 2^112 in size and
    there are fewer than 2^32, so the equation holds over the integers. What the deposit rows
    credit needs no sum of its own: memory makes the cash changes of all accounts equal to what
    the commands credit less what they debit, transfers cancel, and the withdrawals are summed,
    so this one equation leaves the deposits no other total. The contract knows the totals, the
    roots and times of the batch before, and that all counts are below 2^32.
    """

    name = "batch"

    class Cols(Columns):
        last_account: U24

    def constrain(self, c: Any, b: Builder) -> None:
        queue_words = word("queue_count") * QUEUE_WORDS
        account_start = queue_words + word("withdrawal_count") * WITHDRAWAL_WORDS
        words_end = account_start + word("account_count") * ACCOUNT_WORDS

        b.send(CLOCK, 1, word("time_first_ms"), 0)
        b.receive(CLOCK, word("command_count") + 1, word("time_last_ms"), queue_words)
        b.send(WITHDRAWAL_CHAIN, queue_words, 0)
        b.receive(WITHDRAWAL_CHAIN, account_start, word("withdrawal_total"))
        b.send(LEAF_CHAIN, account_start, 0, 0)
        cash_change = (word("deposit_total") - word("withdrawal_total")) * CASH_PER_UNIT
        b.receive(LEAF_CHAIN, words_end, c.last_account, cash_change)

        b.send(NODE, STATE_LEVELS, 0, word("old_root"), word("new_root"))
        regions = tuple(
            word(name) for name in ("root_accounts", "root_markets", "root_books", "root_system")
        )
        b.lookup(HASH, *regions, word("new_root") - regions[0])


def fill(trace: Trace) -> dict[str, Any]:
    """The single row."""
    return {"last_account": [trace.accounts[-1].account_id if trace.accounts else 0]}
