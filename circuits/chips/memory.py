"""Offline memory: commands read and write account headers as cells of one bus."""

from circuits.air.builder import Builder
from circuits.air.expr import Operand
from circuits.chips.buses import HEADER

HeaderWords = tuple[Operand, Operand, Operand]
"""Identity, nonce and cash of an account; all three are zero while it is absent."""


def access(
    b: Builder,
    account: Operand,
    time: Operand,
    before: HeaderWords,
    after: HeaderWords,
    gap: Operand,
    times: Operand = 1,
) -> None:
    """Read the header of an account as `before` and leave it as `after` at step `time`.

    Soundness: assumes that the caller ranges `gap` (16 bits do, since no shape has room for 2^16
    commands) and that steps are small integers, which the clock chain counts from 1. Then an
    access takes a cell that was written at an earlier step.
    The leaf chip starts and ends one cell per account, so the accesses of an account form one
    chain in the order of time and each finds what the one before it left. Two accesses to one
    account in one step cannot both find an earlier cell, so the bus would not balance. Only the
    leaf chip starts a cell, hence the account is below 2^24.
    """
    b.receive(HEADER, account, time - 1 - gap, *before, times=times)
    b.send(HEADER, account, time, *after, times=times)
