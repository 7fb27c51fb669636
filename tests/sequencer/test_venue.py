"""The venue on an embedded chain: owners, L1 requests, the clock, and batches posted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circuits.exchange.apply import Command
from circuits.exchange.bodies import Queued
from circuits.exchange.transactions.deposit import Deposit
from circuits.exchange.transactions.register_key import RegisterKey
from circuits.exchange.transactions.set_mode import SetMode
from sequencer.batcher import Batch
from sequencer.engine import Engine
from sequencer.errors import BatchError
from sequencer.l1.contracts import Rollup
from sequencer.l1.embedded import EmbeddedL1
from sequencer.l1.port import address_word
from sequencer.proving import packaged_key
from sequencer.venue import (
    open_venue,
    owners_of,
    post_batch,
    post_requests,
    trader,
    verification_gas,
    wait_for,
)
from tests.contracts.support.venue import GENESIS_TIME_S, deployed
from tests.support.exchange import public_key_of


def owner_word(account: int) -> int:
    return address_word(trader(account).address)


def requests() -> list[Queued]:
    return [
        RegisterKey(1, owner_word(1), *public_key_of(1)),
        Deposit(1, owner_word(1), 70),
        RegisterKey(2, owner_word(2), *public_key_of(2)),
        RegisterKey(1, owner_word(1), *public_key_of(3)),
        Deposit(2, owner_word(2), 5),
        Deposit(1, owner_word(1), 8),
    ]


def chain() -> EmbeddedL1:
    funded = [signer.address for signer in owners_of(requests()).values()]
    return EmbeddedL1(genesis_time_s=GENESIS_TIME_S, funded=funded)


@pytest.fixture
def rollup() -> Rollup:
    """A venue whose verifier accepts every proof, with the requests in its queue."""
    rollup = deployed(chain())
    steps: list[int] = []
    post_requests(rollup, requests(), owners_of(requests()), steps.append)
    assert sum(steps) == len(requests())
    return rollup


def sealed(rollup: Rollup, time_ms: int) -> Batch:
    engine = Engine(rollup.deployment.domain, rollup.deployment.sequencer_epoch, 99)
    for request in requests():
        engine.handle(Command(time_ms, request))
    return engine.seal()


def test_owners_are_the_development_keys() -> None:
    assert owners_of(requests()) == {owner_word(1): trader(1), owner_word(2): trader(2)}
    foreign = replace(requests()[0], owner=5)
    with pytest.raises(BatchError) as caught:
        owners_of([*requests(), foreign])
    assert str(caught.value) == (
        f"owner of account 1: expected {trader(1).address} (development), got 0x{5:040x}"
    )


def test_requests_that_the_queue_does_not_take_have_no_owners() -> None:
    with pytest.raises(BatchError) as caught:
        owners_of([*requests(), SetMode(0)])
    assert str(caught.value).startswith("L1 request 6: expected a deposit or register_key, got set")


def test_the_queue_holds_the_requests_and_takes_their_batch(rollup: Rollup) -> None:
    entries = rollup.queue_entries()
    assert [(entry.account, entry.amount) for entry in entries] == [
        (request.account, request.amount if isinstance(request, Deposit) else 0)
        for request in requests()
    ]
    assert rollup.custody_state().deposited == 83
    batch = sealed(rollup, rollup.l1.time_s() * 1000 + 90_500)
    wait_for(rollup.l1, batch.statement.time_last_ms)
    assert rollup.l1.time_s() * 1000 == batch.statement.time_last_ms + 500
    assert verification_gas(rollup, batch.statement, b"\x01") > 21_000
    post_batch(rollup, batch.statement, b"\x01")
    state = rollup.settlement_state()
    assert (state.root, state.queue_cursor, state.settled_total) == (batch.new_root, 6, 83)


def test_the_clock_never_goes_back(rollup: Rollup) -> None:
    before = rollup.l1.time_s()
    wait_for(rollup.l1, before * 1000)
    assert rollup.l1.time_s() == before


@pytest.mark.parametrize("shape_name", ["S", "M"])
def test_packaged_keys_and_contracts_belong_together(shape_name: str) -> None:
    key = packaged_key(shape_name)
    rollup = open_venue(chain(), key)
    assert rollup.deployment.key_digest == key.digest


def test_a_contract_of_another_key_is_refused() -> None:
    key = replace(packaged_key("S"), setup=replace(packaged_key("S").setup, source_hash=bytes(32)))
    with pytest.raises(BatchError, match=r"^key digest of contract VerifierS: expected "):
        open_venue(chain(), key)
