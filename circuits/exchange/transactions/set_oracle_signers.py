"""SetOracleSigners: governance names who signs prices, and how many of them make one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.edwards import Point, clear_cofactor
from circuits.exchange.addresses import CONTROLS_ADDRESS, signer_address
from circuits.exchange.draft import Draft
from circuits.exchange.events import Kind, Outcome
from circuits.exchange.leaves import OracleSigner
from circuits.exchange.limits import SIGNERS_MAX
from circuits.exchange.transactions.authority import Context


@dataclass(frozen=True, slots=True)
class SetOracleSigners:
    """All signers, in the order of their numbers; each leaf stores eight times the point."""

    KIND: ClassVar[Kind] = Kind.SET_ORACLE_SIGNERS
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (("quorum", 8),)

    quorum: int
    keys: tuple[Point, ...]


def apply(draft: Draft, context: Context, request: SetOracleSigners) -> Outcome:
    """Replace all signers; a quorum is more than half of them, so two quorums share a signer."""
    count, quorum = len(request.keys), request.quorum
    if not 1 <= count <= SIGNERS_MAX or not quorum <= count < 2 * quorum:
        return Outcome.INVALID_TERMS
    cleared = [clear_cofactor(key) for key in request.keys]
    # Keys count as one if they differ by a point of small order: whoever has one has the other.
    if None in cleared or len(set(cleared)) < count:
        return Outcome.INVALID_TERMS
    controls = draft.controls()
    for signer, key in enumerate(cleared):
        if key is not None:
            draft.put(signer_address(signer), OracleSigner(*key))
    for signer in range(count, controls.signer_count):
        draft.put(signer_address(signer), None)
    draft.put(CONTROLS_ADDRESS, controls._replace(quorum=quorum, signer_count=count))
    return Outcome.APPLIED
