"""Deposit: a credited L1 entry, which may create the account."""

from typing import Any

from circuits.air.builder import Builder
from circuits.air.chip import Chip
from circuits.air.columns import U16, U24, U32, U48, U64, Bit, Columns, Field, Given
from circuits.chips.buses import QUEUED
from circuits.chips.memory import access
from circuits.chips.trace import Trace
from circuits.chips.words import NO_KEY, lookup_identity
from circuits.exchange.events import Deposited, Kind, Outcome
from circuits.exchange.units import CASH_PER_UNIT
from circuits.field import R, batch_inverse


class DepositChip(Chip):
    """One deposit: credit of the account, with an identity if it was absent.

    Soundness: `fresh` is [old identity = 0], bound both ways. The queue contract assigns each
    account to one owner for good and accepts amounts above zero only; an account that exists has
    the owner it was created with. The credited cash is ranged by the leaf chip.
    """

    name = "deposit"

    class Cols(Columns):
        step: Given[U32]
        account: Given[U24]
        amount: U64
        owner: Field
        fresh: Bit
        old_identity: Field
        inverse_identity: Field
        new_identity: Field
        nonce: Given[U48]
        cash: Field
        gap: U16

    def constrain(self, c: Any, b: Builder) -> None:
        b.receive(
            QUEUED,
            c.step,
            Kind.DEPOSIT.value,
            c.account,
            c.amount,
            c.owner,
            *NO_KEY,
            Outcome.APPLIED.value,
        )
        b.assert_zero("fresh means no identity", c.fresh * c.old_identity)
        b.assert_eq(
            "not fresh means an identity", (c.old_identity + c.fresh) * c.inverse_identity, 1
        )
        b.assert_zero(
            "identity kept unless fresh", (1 - c.fresh) * (c.new_identity - c.old_identity)
        )
        lookup_identity(b, NO_KEY, c.owner, c.new_identity, times=c.fresh)
        access(
            b,
            c.account,
            c.step,
            before=(c.old_identity, c.nonce, c.cash),
            after=(c.new_identity, c.nonce, c.cash + c.amount * CASH_PER_UNIT),
            gap=c.gap,
        )


def fill(trace: Trace) -> dict[str, Any]:
    """One row per deposit, in the order of steps."""
    rows = list(trace.of(Deposited))
    identities = [event.before.identity if event.before else 0 for _, event in rows]
    return {
        "step": [event.step for _, event in rows],
        "account": [event.account_id for _, event in rows],
        "amount": [event.amount for _, event in rows],
        "owner": [event.owner for _, event in rows],
        "fresh": [int(event.before is None) for _, event in rows],
        "old_identity": identities,
        "inverse_identity": batch_inverse([identity or 1 for identity in identities]),
        "new_identity": [event.after.identity for _, event in rows],
        "nonce": [event.after.nonce for _, event in rows],
        "cash": [event.before.cash % R if event.before else 0 for _, event in rows],
        "gap": [step.gaps[0] for step, _ in rows],
    }
