"""A batch is posted once: what is out of place is found before anything is sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circuits.statement import Statement
from sequencer.l1 import devkeys
from sequencer.l1.contracts import Rollup
from sequencer.l1.errors import L1Rejected, OutOfPlace
from sequencer.l1.port import Signer
from sequencer.settling import Settled, settle
from tests.contracts.support.venue import ALICE, PROOF, deployed, embedded, fund, next_statement

SEQUENCER = devkeys.sequencer()


@pytest.fixture(scope="module")
def rollup() -> Rollup:
    """A venue whose verifier accepts every proof, with two L1 requests and one settled batch."""
    rollup = deployed(embedded())
    fund(rollup, ALICE, 100)
    rollup.register_key(ALICE, 5, 6)
    rollup.deposit(ALICE, 1, 60)
    settle(rollup, SEQUENCER, next_statement(rollup, queue_count=1), PROOF)
    return rollup


@pytest.fixture
def following(rollup: Rollup) -> Statement:
    """What comes next."""
    return next_statement(rollup, queue_count=1, new_root=78)


def sent(rollup: Rollup) -> int:
    return rollup.l1.nonce(SEQUENCER.address)


def refusal(rollup: Rollup, statement: Statement, signer: Signer = SEQUENCER) -> str:
    before = sent(rollup)
    with pytest.raises(OutOfPlace) as caught:
        settle(rollup, signer, statement, PROOF)
    assert sent(rollup) == before
    return str(caught.value)


def test_a_batch_is_settled_once() -> None:
    rollup = deployed(embedded())
    statement = next_statement(rollup, new_root=77)
    first = settle(rollup, SEQUENCER, statement, PROOF)
    assert first.receipt is not None
    assert (first.batch.batch_number, first.batch.new_root) == (1, 77)
    assert first.batch.block_number == first.receipt.block_number
    assert rollup.settlement_state().root == 77
    before = sent(rollup)
    assert settle(rollup, SEQUENCER, statement, PROOF) == Settled(first.batch, None)
    assert sent(rollup) == before
    assert list(rollup.accepted_batches()) == [first.batch]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"sequencer_epoch": 3}, "sequencer epoch: expected 1, got 3"),
        ({"batch_number": 3}, "batch number: expected 2, got 3"),
        ({"batch_number": 0}, "batch number: expected 2, got 0"),
        ({"old_root": 5}, "old root: expected 77, got 5"),
        ({"old_root": 1 << 200}, f"old root: expected 0x4d, got {hex(1 << 200)}"),
        ({"queue_cursor_before": 0}, "queue cursor: expected 1, got 0"),
    ],
)
def test_a_statement_out_of_place(
    rollup: Rollup, following: Statement, changes: dict[str, int], line: str
) -> None:
    assert refusal(rollup, replace(following, **changes)) == line  # type: ignore[arg-type]


def test_a_statement_of_another_venue(rollup: Rollup, following: Statement) -> None:
    domain = rollup.deployment.domain
    line = refusal(rollup, replace(following, domain=domain + 1))
    assert line == f"domain: expected {hex(domain)}, got {hex(domain + 1)}"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"new_root": 9}, "new root: expected 77, got 9"),
        ({"queue_cursor_before": 7}, "queue cursor: expected 1, got 8"),
        ({"time_last_ms": 2**47}, "last time in ms: expected "),
        ({"deposit_total": 9}, "deposits: expected 0, got 9"),
        ({"withdrawal_total": 9}, "withdrawals: expected 0, got 9"),
    ],
)
def test_another_batch_was_settled_under_the_number(
    rollup: Rollup, changes: dict[str, int], line: str
) -> None:
    (settled,) = rollup.accepted_batches()
    queue = (rollup.queue_entries()[0].head, rollup.queue_entries()[0].owner, 5, 6)
    statement = replace(
        next_statement(rollup),
        batch_number=1,
        new_root=settled.new_root,
        queue_cursor_before=0,
        queue_count=1,
        time_first_ms=0,
        time_last_ms=settled.time_last_ms,
        pubdata=queue,
    )
    assert settle(rollup, SEQUENCER, statement, PROOF).receipt is None
    changed = replace(statement, **changes)  # type: ignore[arg-type]
    place = f"batch 1, settled in block {settled.block_number}: "
    assert refusal(rollup, changed).startswith(place + line)


def test_another_s_secret(rollup: Rollup, following: Statement) -> None:
    line = refusal(rollup, following, ALICE)
    assert line == f"address of the secret: expected {SEQUENCER.address}, got {ALICE.address}"


def test_an_error_of_the_contract_is_named(rollup: Rollup, following: Statement) -> None:
    before = sent(rollup)
    late = replace(following, time_last_ms=following.time_last_ms + 10**6)
    with pytest.raises(L1Rejected, match="TimeInFuture"):
        settle(rollup, SEQUENCER, late, PROOF)
    assert sent(rollup) == before
