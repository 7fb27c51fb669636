"""Batches that a contract must refuse, tried on a running venue; each says how it was refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from circuits.exchange.apply import Command
from circuits.exchange.bodies import Queued
from circuits.exchange.units import CASH_PER_UNIT
from circuits.statement import ACCOUNT_WORDS, Statement, domain
from sequencer.batcher import Batch
from sequencer.engine import Engine
from sequencer.l1.contracts import Rollup
from sequencer.l1.errors import L1Rejected
from sequencer.l1.port import address_word
from sequencer.venue import post_batch

FLIPPED_PROOF_BYTE = "flipped_proof_byte"
CHANGED_PUBLISHED_WORD = "changed_published_word"
REPLAYED_BATCH = "replayed_batch"
OTHER_CHAIN_ID = "other_chain_id"

FOREIGN_CHAIN_ID = 1
"""The chain of the proof that is made for another chain."""


class ForgeryAccepted(Exception):
    """The contracts took what they must refuse."""


@dataclass(frozen=True, slots=True)
class Refused:
    """One forgery and the contract's error for each way in which it was tried."""

    name: str
    errors: tuple[L1Rejected, ...]


def refused(name: str, *attempts: Callable[[], object]) -> Refused:
    """Try all ways of a forgery.

    Raises: ForgeryAccepted when one succeeds; L1Error for anything but a contract's refusal.
    """
    errors = []
    for attempt in attempts:
        try:
            attempt()
        except L1Rejected as rejected:
            errors.append(rejected)
        else:
            raise ForgeryAccepted(f"{name}: expected a refusal by the contracts, got none")
    return Refused(name, tuple(errors))


def try_flipped_byte(rollup: Rollup, statement: Statement, proof: bytes) -> Refused:
    """Post a batch with one bit of its proof changed, in the middle: among the column values."""
    changed = bytearray(proof)
    changed[len(proof) // 2] ^= 1
    return refused(FLIPPED_PROOF_BYTE, lambda: post_batch(rollup, statement, bytes(changed)))


def try_changed_word(rollup: Rollup, statement: Statement, proof: bytes) -> Refused:
    """Post a batch that publishes one token unit more for its last account.

    Nothing but the proof speaks against it: the contract reads no account's cash.
    """
    pubdata = list(statement.pubdata)
    pubdata[len(pubdata) - ACCOUNT_WORDS + 1] += CASH_PER_UNIT
    changed = replace(statement, pubdata=tuple(pubdata))
    return refused(CHANGED_PUBLISHED_WORD, lambda: post_batch(rollup, changed, proof))


def try_replay(rollup: Rollup, statement: Statement, proof: bytes) -> Refused:
    """Post an accepted batch once more."""
    return refused(REPLAYED_BATCH, lambda: post_batch(rollup, statement, proof))


def foreign_batch(rollup: Rollup, request: Queued, time_ms: int) -> Batch:
    """A sound first batch of one L1 request, in all but its domain as this venue would have it."""
    foreign = domain(FOREIGN_CHAIN_ID, address_word(rollup.deployment.settlement))
    engine = Engine(foreign, rollup.deployment.sequencer_epoch, batch_commands_max=1)
    engine.handle(Command(time_ms, request))
    return engine.seal()


def try_foreign(rollup: Rollup, statement: Statement, proof: bytes) -> Refused:
    """Post a sound proof for another chain: as it is, then with this chain's domain written in.

    Assumes: the venue has accepted no batch yet.
    """
    renamed = replace(statement, domain=rollup.deployment.domain)
    return refused(
        OTHER_CHAIN_ID,
        lambda: post_batch(rollup, statement, proof),
        lambda: post_batch(rollup, renamed, proof),
    )
