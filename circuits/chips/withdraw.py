"""Withdraw: authorised collateral out of an account, payable on L1 to its owner."""

from typing import Any

from circuits.air.builder import Builder
from circuits.air.chip import Chip
from circuits.air.columns import U16, U24, U32, U48, U64, Columns, Field, Given
from circuits.chips.buses import AUTHORIZED, PUBLISHED, WIDE, WITHDRAWAL_CHAIN
from circuits.chips.memory import access
from circuits.chips.trace import Trace
from circuits.exchange.events import Kind, Withdrawn
from circuits.exchange.limits import ACCOUNT_BITS, OWNER_BITS
from circuits.exchange.units import CASH_PER_UNIT
from circuits.field import R


class WithdrawChip(Chip):
    """One withdrawal: debit of the account, the nonce raised, one published word.

    Soundness: as for a transfer. The owner is below 2^160, because it is hashed into the identity
    and the queue chip ranged it before that, so the published word unpacks in one way; an amount
    of 2^64 would exceed all custody. The chain gives each withdrawal a word of its own and sums
    the amounts; rows times 2^64 is far below r, so the sum does not wrap.
    """

    name = "withdraw"

    class Cols(Columns):
        step: Given[U32]
        account: Given[U24]
        nonce: Given[U48]
        nonce_gap: U48
        owner: Field
        identity: Field
        cash: Field
        gap: U16
        amount_minus_one: U64
        position: Given[U32]
        total: Given[U64]

    def constrain(self, c: Any, b: Builder) -> None:
        amount = c.amount_minus_one + 1
        b.receive(
            AUTHORIZED,
            c.step,
            Kind.WITHDRAW.value,
            c.account,
            c.nonce,
            c.identity,
            c.owner,
            amount * 2**ACCOUNT_BITS,
        )
        cash_after = c.cash - amount * CASH_PER_UNIT
        b.lookup(WIDE, 1, cash_after)
        access(
            b,
            c.account,
            c.step,
            before=(c.identity, c.nonce - 1 - c.nonce_gap, c.cash),
            after=(c.identity, c.nonce, cash_after),
            gap=c.gap,
        )
        b.receive(WITHDRAWAL_CHAIN, c.position, c.total)
        b.send(WITHDRAWAL_CHAIN, c.position + 1, c.total + amount)
        b.send(PUBLISHED, c.position, c.owner + amount * 2**OWNER_BITS)


def fill(trace: Trace) -> dict[str, Any]:
    """One row per withdrawal, in the order of steps."""
    rows = list(trace.of(Withdrawn))
    return {
        "step": [event.step for _, event in rows],
        "account": [event.transaction.account for _, event in rows],
        "nonce": [event.transaction.nonce for _, event in rows],
        "nonce_gap": [event.transaction.nonce - 1 - event.before.nonce for _, event in rows],
        "owner": [event.before.owner for _, event in rows],
        "identity": [event.before.identity for _, event in rows],
        "cash": [event.before.cash % R for _, event in rows],
        "gap": [step.gaps[0] for step, _ in rows],
        "amount_minus_one": [event.transaction.amount - 1 for _, event in rows],
        "position": [step.withdrawal_position for step, _ in rows],
        "total": [step.withdrawal_total for step, _ in rows],
    }
