"""A command file through the engine: refusals by line, batches in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from circuits.exchange.bodies import Body
from circuits.exchange.errors import RejectReason
from circuits.exchange.json_form import TimedBody, encode_line
from sequencer.apply_file import Applied, apply_file
from sequencer.command_file import Header, load_command_file
from sequencer.errors import BatchError, CommandFileError
from sequencer.follower import Follower
from sequencer.journal_files import JournalFolder
from tests.support.exchange import deposit, register, transfer

HEADER = Header(31337, 0x5E771E)
BODIES = [register(1), deposit(1, 50), transfer(1, 1, 1, 5), register(2), transfer(1, 1, 2, 5)]


def applied(
    path: Path, bodies: list[Body], batch_commands_max: int = 3, journal: Path | None = None
) -> Applied:
    lines = [HEADER.encode(), *(encode_line(TimedBody(10, body)) for body in bodies)]
    path.write_text("".join(line + "\n" for line in lines))
    steps: list[int] = []
    result = apply_file(
        load_command_file(path),
        epoch=1,
        base_time_ms=1000,
        batch_commands_max=batch_commands_max,
        advance=steps.append,
        journal=journal,
    )
    assert sum(steps) == len(bodies)
    return result


def test_refusals_name_their_line_and_join_no_batch(tmp_path: Path) -> None:
    result = applied(tmp_path / "day.jsonl", BODIES)
    (refusal,) = result.refusals
    assert (refusal.line, refusal.kind) == (4, "transfer")
    assert refusal.rejected.reason is RejectReason.TRANSFER_TO_SELF
    assert (result.command_count, result.accepted_count) == (5, 4)
    assert [batch.statement.command_count for batch in result.batches] == [3, 1]
    assert result.batches[0].statement.time_first_ms == 1010
    assert result.batches[1].statement.time_last_ms == 1050
    assert result.state == result.batches[1].state.at_batch_start()


def test_a_journal_holds_what_was_accepted(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    plain = applied(tmp_path / "day.jsonl", BODIES)
    journalled = applied(tmp_path / "day.jsonl", BODIES, journal=folder)
    assert [batch.statement for batch in journalled.batches] == [
        batch.statement for batch in plain.batches
    ]
    assert [str(refusal.rejected) for refusal in journalled.refusals] == [
        str(refusal.rejected) for refusal in plain.refusals
    ]
    assert journalled.state == plain.state
    follower = Follower(JournalFolder(folder), HEADER.domain)
    follower.poll()
    assert follower.engine.root == plain.batches[-1].new_root
    assert follower.engine.open_count == 0
    with pytest.raises(BatchError) as caught:
        applied(tmp_path / "day.jsonl", BODIES, journal=folder)
    assert str(caught.value).startswith(f"{folder}: expected a folder without a journal, got ")


def test_a_file_without_accepted_commands_has_no_batch(tmp_path: Path) -> None:
    result = applied(tmp_path / "day.jsonl", [transfer(1, 1, 2, 5)])
    assert (result.accepted_count, result.batches) == (0, ())


def test_a_request_that_no_queue_holds_names_its_line(tmp_path: Path) -> None:
    stranger = register(1)
    foreign = type(stranger)(1, stranger.owner + 1, stranger.key_x, stranger.key_y)
    path = tmp_path / "day.jsonl"
    with pytest.raises(CommandFileError) as caught:
        applied(path, [stranger, foreign])
    assert str(caught.value).startswith(f"{path}:3: ")
    assert (caught.value.line, caught.value.path) == (3, path)
