"""Rollup: the whole day of a venue on the embedded chain, and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sequencer.l1.abi import load_artifact
from sequencer.l1.contracts import CustodyState
from tests.contracts.support.venue import ALICE, BOB, day_of_the_venue, embedded

if TYPE_CHECKING:
    from tests.conftest import Pinned

CONTRACTS = ("Custody", "Queue", "Settlement", "TestToken")


def test_a_day_of_the_venue_ends_with_matching_books() -> None:
    rollup, _ = day_of_the_venue(embedded())
    state = rollup.settlement_state()
    assert (state.next_batch_number, state.queue_cursor, state.settled_total) == (3, 5, 2_300)
    assert state.sequencer_epoch == rollup.deployment.sequencer_epoch == 1
    assert rollup.custody_state() == CustodyState(3_000, 700, 300, 2_700, 2_700)
    assert rollup.custody_state().matches
    assert (rollup.claimable(ALICE.address), rollup.claimable(BOB.address)) == (0, 400)
    assert rollup.token_balance(ALICE.address) == 10_000 - 3_000 + 300
    assert [entry.account for entry in rollup.queue_entries()] == [1, 2, 2, 1, 2]


def test_gas_and_code_sizes_are_as_pinned(pinned: Pinned) -> None:
    _, gas = day_of_the_venue(embedded())
    sizes = {name: load_artifact(name).code_size for name in CONTRACTS}
    pinned.check("contract_costs", {"gas": gas, "code_bytes": sizes})
