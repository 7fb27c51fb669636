"""A venue in a process of its own, to be killed: it journals commands as fast as it can.

Usage: python -m tests.support.journal_child FOLDER COMMANDS. COMMANDS holds the canonical bytes of
commands, each after two bytes of length. After every commit the number of all commands that are
acknowledged so far goes to stdout as one line.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from circuits.exchange.apply import Command
from circuits.exchange.codec import decode_command, encode_command
from sequencer.engine import Engine
from sequencer.follower import Follower
from sequencer.journal_files import JournalFolder
from sequencer.replay import verified_before
from sequencer.snapshot import save_snapshot
from tests.support.exchange import DOMAIN
from tests.support.journals import BATCH_COMMANDS, settings


def save_commands(path: Path, commands: Iterable[Command]) -> None:
    encoded = [encode_command(command) for command in commands]
    path.write_bytes(b"".join(len(each).to_bytes(2, "big") + each for each in encoded))


def load_commands(path: Path) -> list[Command]:
    content = path.read_bytes()
    commands, start = [], 0
    while start < len(content):
        end = start + 2 + int.from_bytes(content[start : start + 2], "big")
        commands.append(decode_command(content[start + 2 : end]))
        start = end
    return commands


def handled_count(engine: Engine) -> int:
    """How many commands an engine holds whose batches were all sealed when they were full."""
    return (engine.position.batch_number - 1) * BATCH_COMMANDS + engine.open_count


def main(folder: Path, commands: list[Command]) -> None:
    files = JournalFolder(folder)
    follower = Follower(files, DOMAIN)
    durable = follower.resume(settings(), time_ms=1)
    if follower.sealed is not None:
        save_snapshot(files, follower.sealed, follower.reader.segment)
    count = handled_count(durable.engine)
    for command in commands[count:]:
        durable.handle(command, verified_before)
        if durable.is_commit_due(command.time_ms):
            count += len(durable.commit().receipts)
            os.write(1, f"{count}\n".encode())
    count += len(durable.commit().receipts)
    os.write(1, f"{count}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), load_commands(Path(sys.argv[2])))
