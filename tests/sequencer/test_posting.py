"""The arguments of the L1 calls."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circuits.errors import StatementError
from circuits.exchange.apply import Command
from circuits.exchange.bodies import Queued
from circuits.exchange.transactions.forced_close import ForcedClose
from circuits.exchange.transactions.set_mode import SetMode
from sequencer.engine import Engine
from sequencer.errors import BatchError
from sequencer.posting import QueueCall, queue_calls, submit_batch
from tests.support.exchange import (
    DOMAIN,
    OFF_CURVE,
    deposit,
    owner_of,
    public_key_of,
    register,
)

NOT_TAKEN = "expected a deposit or register_key, got {}, which the Queue contract does not take"


def sealed() -> Engine:
    engine = Engine(DOMAIN, 1, 2)
    engine.handle(Command(1, register(1)))
    engine.handle(Command(2, deposit(1, 5)))
    return engine


def test_a_batch_is_posted_as_words_pubdata_and_proof() -> None:
    statement = sealed().seal().statement
    call = submit_batch(statement, b"\x01\x02")
    assert call.words == statement.words()
    assert len(call.words) == 20
    assert call.pubdata == statement.pubdata
    assert call.proof == b"\x01\x02"


def test_a_bad_statement_is_not_posted() -> None:
    statement = replace(sealed().seal().statement, account_count=2)
    with pytest.raises(StatementError, match=r"^pubdata: expected 14 words by the counts"):
        submit_batch(statement, b"\x01")


def test_no_proof_is_not_posted() -> None:
    with pytest.raises(BatchError) as caught:
        submit_batch(sealed().seal().statement, b"")
    assert str(caught.value) == "batch 1: expected a proof, got no bytes"


def test_requests_become_queue_calls() -> None:
    requests = [register(1, OFF_CURVE), deposit(1, 7), register(2), register(1)]
    assert queue_calls(requests) == [
        QueueCall("registerKey", OFF_CURVE, owner_of(1)),
        QueueCall("deposit", (1, 7), owner_of(1)),
        QueueCall("registerKey", public_key_of(2), owner_of(2)),
        QueueCall("rotateKey", (1, *public_key_of(1)), owner_of(1)),
    ]


@pytest.mark.parametrize(
    ("requests", "message"),
    [
        (
            [deposit(1, 7)],
            "L1 request 0: expected a key for account 1, or an account below, got 1",
        ),
        (
            [register(1), register(3)],
            "L1 request 1: expected a key for account 2, or an account below, got 3",
        ),
        (
            [register(1), replace(deposit(1, 7), owner=9)],
            f"L1 request 1: expected owner {owner_of(1):#042x}, got {9:#042x}",
        ),
        (
            [register(1), ForcedClose(1, owner_of(1), 0)],
            f"L1 request 1: {NOT_TAKEN.format('forced_close')}",
        ),
        (
            [SetMode(1)],
            f"L1 request 0: {NOT_TAKEN.format('set_mode')}",
        ),
    ],
)
def test_requests_that_the_queue_would_number_otherwise(
    requests: list[Queued], message: str
) -> None:
    with pytest.raises(BatchError) as caught:
        queue_calls(requests)
    assert str(caught.value) == message
