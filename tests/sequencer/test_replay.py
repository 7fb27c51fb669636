"""Replay: the same exchange, and every way in which a sound journal can disagree with the rules."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circuits.exchange.apply import Command
from circuits.exchange.codec import encode_command
from circuits.exchange.transactions.authority import QuoteMessage, digest_of
from circuits.exchange.transactions.cancel_all import CancelAll
from circuits.exchange.transactions.deposit import Deposit
from circuits.signature import verify
from sequencer.batcher import Batch
from sequencer.engine import Engine, run_commands
from sequencer.errors import ReplayDiffers
from sequencer.journal_format import Record, RecordKind, Seal
from sequencer.replay import (
    NO_BATCH_BOUND,
    Replay,
    digest_of_event,
    seal_of,
    verified_before,
)
from sequencer.snapshot import Snapshot
from tests.support.crashing_disk import CrashingDisk
from tests.support.exchange import DOMAIN, signed, transfer
from tests.support.journals import (
    SEQUENCER_EPOCH,
    assert_same,
    command_list,
    records_of,
    started,
    uninterrupted,
    write,
)

COMMANDS = command_list(8)


def journal() -> list[Record]:
    disk = CrashingDisk()
    write(started(disk), COMMANDS)
    return records_of(disk)


RECORDS = journal()
FIRST_SEAL = next(number for number, each in enumerate(RECORDS) if each.kind is RecordKind.SEAL)
SEAL = Seal(1, SEQUENCER_EPOCH, 4, uninterrupted(COMMANDS[:4]).root)


def fresh(check: object = verified_before) -> Replay:
    return Replay(Engine(DOMAIN, 0, NO_BATCH_BOUND), check)


def difference(records: list[Record], check: object = verified_before) -> str:
    """What the last of the records is refused for, after the others were taken."""
    replay = fresh(check)
    for record in records[:-1]:
        replay.apply(record)
    with pytest.raises(ReplayDiffers) as caught:
        replay.apply(records[-1])
    return str(caught.value)


@pytest.mark.parametrize("check", [verify, verified_before])
def test_replay_gives_the_exchange_and_its_batches(check: object) -> None:
    replay = fresh(check)
    batches = [batch for record in RECORDS if (batch := replay.apply(record))]
    expected = uninterrupted(COMMANDS)
    assert_same(replay.engine, expected)
    live = [
        output
        for output in run_commands(Engine(DOMAIN, SEQUENCER_EPOCH, 4), COMMANDS)
        if isinstance(output, Batch)
    ]
    assert [batch.statement for batch in batches] == [batch.statement for batch in live]
    assert [batch.events for batch in batches] == [batch.events for batch in live]
    assert seal_of(batches[0]) == SEAL
    sequence = [record.sequence for record in RECORDS if record.kind is RecordKind.SEAL][-1]
    assert replay.sealed == Snapshot.of(expected, sequence)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_number": 2}, "batch number: expected 2, as recorded, got 1 from the rules"),
        ({"command_count": 5}, "commands: expected 5, as recorded, got 4 from the rules"),
        (
            {"new_root": 1},
            f"root: expected 0x1, as recorded, got {SEAL.new_root:#x} from the rules",
        ),
    ],
)
def test_a_seal_that_says_something_else(changes: dict[str, int], message: str) -> None:
    sealed = RECORDS[FIRST_SEAL]
    changed = replace(sealed, payload=replace(SEAL, **changes).encode())
    found = difference([*RECORDS[:FIRST_SEAL], changed])
    assert found == f"record {sealed.sequence}: {message}"


def test_a_seal_with_another_head() -> None:
    sealed = RECORDS[FIRST_SEAL]
    found = difference([*RECORDS[:FIRST_SEAL], replace(sealed, head=3)])
    assert found == (
        f"record {sealed.sequence}: journal head: expected 0x3, as recorded, "
        f"got {sealed.head:#x} from the rules"
    )


def test_a_seal_of_nothing_and_one_of_another_length() -> None:
    sealed = RECORDS[FIRST_SEAL]
    assert difference([sealed]) == (
        f"record {sealed.sequence}: expected a seal of an open batch, "
        "got open batch: expected at least one accepted command, got none"
    )
    assert difference([replace(sealed, payload=b"")]) == (
        f"record {sealed.sequence}: expected a seal of an open batch, "
        f"got seal, record {sealed.sequence}: expected 52 bytes, got 0"
    )


def command_record(command: Command) -> Record:
    return Record(RecordKind.COMMAND, command.time_ms, 3, 0, encode_command(command))


def test_commands_that_the_rules_do_not_take() -> None:
    prefix = [each for each in RECORDS[:FIRST_SEAL] if each.kind is RecordKind.COMMAND]
    accepted = "record 3: expected a command that the rules accept, got "
    late = command_record(Command(100, Deposit(1, 5, 5)))
    assert difference([*prefix, late]).startswith(accepted + "owner of account 1")
    twice = command_record(Command(100, transfer(1, 1, 2, 10**9)))
    assert difference([*prefix, twice]).startswith(accepted + "insufficient_margin")
    assert difference([replace(late, payload=b"\x0f")]).startswith(accepted + "byte 0")
    assert difference([replace(RECORDS[1], time_ms=11)]) == (
        "record 2: time_ms: expected 11, as recorded, got 10 from the rules"
    )


def test_a_signature_is_checked_when_it_is_asked_for() -> None:
    prefix = [each for each in RECORDS[:FIRST_SEAL] if each.kind is RecordKind.COMMAND]
    body = transfer(1, 9, 2, 5)
    forged = replace(body, signature=signed(replace(body.transaction, amount=6)).signature)
    record = command_record(Command(100, forged))
    assert difference([*prefix, record], verify).startswith(
        "record 3: expected a command that the rules accept, got signature_equation"
    )
    replay = fresh()
    for each in [*prefix, record]:
        replay.apply(each)
    assert replay.engine.open_count == 5


def test_only_the_digests_that_an_event_keeps_are_hashed() -> None:
    paid = transfer(1, 1, 2, 5).transaction
    assert digest_of_event(paid, DOMAIN) == digest_of(paid, DOMAIN)
    assert digest_of_event(QuoteMessage(1, 2, 3), DOMAIN) == 0
    assert digest_of_event(CancelAll(1, 1, 5, 0), DOMAIN) == 0
