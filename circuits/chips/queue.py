"""The L1 queue: consumed entries in order, published with their outcomes."""

from typing import Any

from circuits.air.builder import Builder
from circuits.air.chip import Chip
from circuits.air.columns import U8, U24, U32, U48, U64, U128, Bit, Columns, Field, Given
from circuits.chips.buses import CLOCK, PUBLISHED, QUEUED, WIDE
from circuits.chips.trace import Trace
from circuits.exchange.events import Deposited, KeyRegistered, Kind
from circuits.exchange.limits import ACCOUNT_BITS, KIND_BITS, OWNER_BITS
from circuits.statement import QUEUE_WORDS

ACCOUNT_UNIT = 2**KIND_BITS
AMOUNT_UNIT = 2 ** (KIND_BITS + ACCOUNT_BITS)
OWNER_LOW_BITS = 128


class QueueChip(Chip):
    """One consumed L1 entry: when it ran and its four published words; another chip applies it.

    Soundness: the clock chain gives each entry the next four words in the order of steps, so none
    is skipped, repeated or reordered; the contract compares the words with its queue. That the
    words mean to the chips what they mean to the contract needs every packed field ranged:
    otherwise a deposit could pass as the registration of a key with an account of many bits, or
    an outcome could hide in the owner. The account is ranged here, because an entry that changes
    nothing reaches no leaf; so is the owner, in two parts. Kind and outcome are constants or
    bits of the chips that take QUEUED; the amount is ranged by the deposit chip and the constant
    0 otherwise.
    """

    name = "queue"

    class Cols(Columns):
        step: Given[U32]
        time_previous: Given[U48]
        elapsed: U48
        position: Given[U32]
        kind: Given[U8]
        account: U24
        amount: Given[U64]
        owner_low: Given[U128]
        owner_high: U32
        key: Field[2]
        outcome: Given[Bit]

    def constrain(self, c: Any, b: Builder) -> None:
        b.receive(CLOCK, c.step, c.time_previous, c.position)
        time = c.time_previous + c.elapsed
        b.send(CLOCK, c.step + 1, time, c.position + QUEUE_WORDS)
        b.lookup(WIDE, 0, c.owner_low)
        owner = c.owner_low + c.owner_high * 2**OWNER_LOW_BITS
        words = (
            c.kind + c.account * ACCOUNT_UNIT + c.amount * AMOUNT_UNIT,
            owner + c.outcome * 2**OWNER_BITS,
            *c.key,
        )
        for offset, word in enumerate(words):
            b.send(PUBLISHED, c.position + offset, word)
        b.send(QUEUED, c.step, c.kind, c.account, c.amount, owner, *c.key, c.outcome)


def fill(trace: Trace) -> dict[str, Any]:
    """One row per consumed entry, in the order of steps."""
    rows = list(trace.queued)
    keys = [
        (event.key_x, event.key_y) if isinstance(event, KeyRegistered) else (0, 0)
        for _, event in rows
    ]
    return {
        "step": [event.step for _, event in rows],
        "time_previous": [step.time_previous_ms for step, _ in rows],
        "elapsed": [step.elapsed_ms for step, _ in rows],
        "position": [step.queue_position for step, _ in rows],
        "kind": [
            int(Kind.DEPOSIT if isinstance(event, Deposited) else Kind.REGISTER_KEY)
            for _, event in rows
        ],
        "account": [event.account_id for _, event in rows],
        "amount": [event.amount if isinstance(event, Deposited) else 0 for _, event in rows],
        "owner_low": [event.owner % 2**OWNER_LOW_BITS for _, event in rows],
        "owner_high": [event.owner >> OWNER_LOW_BITS for _, event in rows],
        "key": [[key[lane] for key in keys] for lane in range(2)],
        "outcome": [
            int(event.outcome) if isinstance(event, KeyRegistered) else 0 for _, event in rows
        ],
    }
