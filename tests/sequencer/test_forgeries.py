"""Forgeries are reported as refused only when a contract refused them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from circuits.exchange.apply import Command
from circuits.exchange.transactions.register_key import RegisterKey
from circuits.statement import Statement
from sequencer.engine import Engine
from sequencer.forgeries import (
    ForgeryAccepted,
    Refused,
    foreign_batch,
    try_changed_word,
    try_flipped_byte,
    try_foreign,
    try_replay,
)
from sequencer.l1.contracts import Rollup
from sequencer.l1.port import address_word
from sequencer.venue import post_batch
from tests.contracts.support.venue import ALICE, deployed, embedded
from tests.support.exchange import public_key_of

PROOF = bytes(9)
REQUEST = RegisterKey(1, address_word(ALICE.address), *public_key_of(1))


@pytest.fixture
def rollup() -> Rollup:
    """A venue whose verifier accepts every proof, with one request in its queue."""
    rollup = deployed(embedded())
    rollup.register_key(ALICE, REQUEST.key_x, REQUEST.key_y)
    return rollup


def statement_of(rollup: Rollup) -> Statement:
    engine = Engine(rollup.deployment.domain, rollup.deployment.sequencer_epoch, 9)
    engine.handle(Command(rollup.l1.time_s() * 1000, REQUEST))
    return engine.seal().statement


@pytest.mark.parametrize("forge", [try_flipped_byte, try_changed_word])
def test_without_a_verifier_a_forgery_succeeds_and_says_so(
    rollup: Rollup, forge: Callable[[Rollup, Statement, bytes], Refused]
) -> None:
    with pytest.raises(ForgeryAccepted, match="expected a refusal by the contracts, got none"):
        forge(rollup, statement_of(rollup), PROOF)


def test_a_foreign_batch_differs_in_its_domain_alone(rollup: Rollup) -> None:
    time_ms = rollup.l1.time_s() * 1000
    foreign, own = foreign_batch(rollup, REQUEST, time_ms).statement, statement_of(rollup)
    words = zip(foreign.words(), own.words(), strict=True)
    differing = [number for number, (theirs, ours) in enumerate(words) if theirs != ours]
    assert (differing, foreign.pubdata) == ([0], own.pubdata)
    # The settlement's own check stops the first way, only a verifier the second.
    with pytest.raises(ForgeryAccepted, match="other_chain_id"):
        try_foreign(rollup, foreign, PROOF)


def test_a_replay_is_refused_by_its_number(rollup: Rollup) -> None:
    statement = statement_of(rollup)
    post_batch(rollup, statement, PROOF)
    found = try_replay(rollup, statement, PROOF)
    assert [error.error_name for error in found.errors] == ["WrongBatchNumber"]
    assert found.errors[0].arguments == {"expected": 2, "got": 1}
