"""The example day's first batch, proven once and kept in the cache folder, on any chain."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from circuits.chips.system import SHAPE_S
from circuits.cli_support import atomic_write
from circuits.statement import Statement
from prover.cache_folder import cache_folder
from sequencer.apply_file import apply_file
from sequencer.batch_files import witness_of
from sequencer.batcher import Batch
from sequencer.command_file import CommandFile, load_command_file
from sequencer.demo import example_file
from sequencer.demo_run import GENESIS_TIME_S
from sequencer.l1.contracts import Rollup
from sequencer.l1.embedded import EmbeddedL1
from sequencer.l1.port import L1
from sequencer.proving import packaged_key
from sequencer.venue import open_venue, owners_of, post_requests, wait_for
from tests.tampers import Claim
from verifier.key import VerifyingKey
from verifier.transcript import words_to_bytes

BATCH_COMMANDS = 300


@dataclass(frozen=True, slots=True)
class MarginDay:
    """A venue that waits for its first batch, the batch's statement and its proof."""

    rollup: Rollup
    statement: Statement
    proof: bytes

    @property
    def claim(self) -> Claim:
        """What the verifier is asked."""
        return Claim(margin_key(), self.statement.words(), self.statement.pubdata, self.proof)


@cache
def margin_key() -> VerifyingKey:
    return packaged_key(SHAPE_S.name)


@cache
def day_file() -> CommandFile:
    return load_command_file(example_file())


def day_owners() -> Iterable[str]:
    """Addresses that pay for gas."""
    return [owner.address for owner in owners_of(day_file().requests).values()]


def waiting_venue(l1: L1) -> Rollup:
    """The day's contracts and L1 requests on a fresh chain that the owners have funds on."""
    rollup = open_venue(l1, margin_key())
    requests = day_file().requests
    post_requests(rollup, requests, owners_of(requests), lambda count: None)
    return rollup


def margin_day() -> MarginDay:
    """The day on an embedded chain, where the batch may be posted at once.

    Cost: seven seconds, and fifteen more when the proof is not in the cache folder.
    """
    rollup = waiting_venue(EmbeddedL1(genesis_time_s=GENESIS_TIME_S, funded=day_owners()))
    applied = apply_file(
        day_file(),
        epoch=rollup.deployment.sequencer_epoch,
        base_time_ms=rollup.l1.time_s() * 1000,
        batch_commands_max=BATCH_COMMANDS,
        advance=lambda count: None,
    )
    batch = applied.batches[0]
    wait_for(rollup.l1, batch.statement.time_last_ms)
    return MarginDay(rollup, batch.statement, _proof_of(batch))


def _proof_of(batch: Batch) -> bytes:
    """From the cache folder, where it lies under its key and statement."""
    key, statement = margin_key(), batch.statement
    content = words_to_bytes((*statement.words(), *statement.pubdata))
    name = hashlib.sha256(key.digest + content).hexdigest()
    path = cache_folder("test-proofs") / f"{name}.proof"
    if path.exists():
        return path.read_bytes()
    from prover.srs_tools import development
    from sequencer.proving import BatchProver

    prover = BatchProver(key, development(key.log_chunk, lambda count: None))
    proof = prover.prove(witness_of(batch), lambda stage: None).proof
    with atomic_write(path) as stream:
        stream.write(proof)
    return proof
