"""A whole command file through the engine: what the rules refused, and the sealed batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from circuits.chips.system import SHAPES
from circuits.exchange.apply import Command, Receipt
from circuits.exchange.codec import kind_of
from circuits.exchange.errors import QueueGuaranteeBroken, Rejected
from circuits.exchange.state import State
from sequencer.admission import Admission
from sequencer.batcher import Batch
from sequencer.command_file import FIRST_COMMAND_LINE, CommandFile
from sequencer.durable_engine import DurableEngine
from sequencer.engine import Engine, run_commands
from sequencer.errors import BatchError, CommandFileError
from sequencer.follower import Follower, WriterSettings
from sequencer.journal_files import JournalFolder
from sequencer.journal_reader import segment_names

SHAPE_LARGEST = list(SHAPES.values())[-1]
"""A batch is sealed before it outgrows every shape, however many commands were asked for."""

JOURNAL_EPOCH = 1
"""Fencing epoch of the first and only writer of a journal that a file run makes."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A command of the file that the rules refused, by its line."""

    line: int
    kind: str
    rejected: Rejected


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a file; `state` is the exchange after its last command."""

    command_count: int
    refusals: tuple[Refusal, ...]
    batches: tuple[Batch, ...]
    state: State

    @property
    def accepted_count(self) -> int:
        """Commands that are part of a batch."""
        return self.command_count - len(self.refusals)


def apply_file(
    file: CommandFile,
    *,
    epoch: int,
    base_time_ms: int,
    batch_commands_max: int,
    advance: Callable[[int], None],
    journal: Path | None = None,
) -> Applied:
    """Apply every command of the file to an empty exchange and seal all that was accepted.

    `advance` is told how many commands were handled since the last call. With a `journal` folder
    every accepted command and every seal is durable there before it is told.
    Raises: CommandFileError for a time out of range, or an L1 request that no queue can hold;
    BatchError for a folder that holds a journal already; JournalError.
    """
    admission = Admission()
    taken_line = FIRST_COMMAND_LINE - 1

    def taken(engine: Engine) -> Iterator[Command]:
        nonlocal taken_line
        for command in admission.ahead(engine, file.commands(base_time_ms)):
            taken_line += 1
            yield command

    if journal is None:
        engine = Engine(file.header.domain, epoch, batch_commands_max, SHAPE_LARGEST)
        outputs = run_commands(engine, taken(engine), admission.verify, admission.digest)
    else:
        settings = WriterSettings(JOURNAL_EPOCH, epoch, batch_commands_max)
        durable = _new_journal(journal, file.header.domain, settings, base_time_ms)
        engine = durable.engine
        outputs = _run_durably(durable, taken(engine), admission)
    refusals: list[Refusal] = []
    batches: list[Batch] = []
    lines = count(FIRST_COMMAND_LINE)
    try:
        for output in outputs:
            if isinstance(output, Receipt):
                line = next(lines)
                advance(1)
                if output.rejected is not None:
                    kind = kind_of(output.command.body).name.lower()
                    refusals.append(Refusal(line, kind, output.rejected))
            else:
                batches.append(output)
    except QueueGuaranteeBroken as error:
        raise CommandFileError(
            file.path, taken_line, error.place, error.expected, error.got
        ) from None
    return Applied(len(file.lines), tuple(refusals), tuple(batches), engine.state)


def _new_journal(
    folder: Path, domain: int, settings: WriterSettings, time_ms: int
) -> DurableEngine:
    """A writer at the start of a journal of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    files = JournalFolder(folder)
    if segment_names(files):
        raise BatchError(f"{folder}", "a folder without a journal", segment_names(files)[0])
    durable = Follower(files, domain).resume(settings, time_ms)
    durable.engine.shape = SHAPE_LARGEST
    return durable


def _run_durably(
    durable: DurableEngine, commands: Iterable[Command], admission: Admission
) -> Iterator[Receipt | Batch]:
    """As `run_commands`, but nothing comes out before it is on the disk."""
    time_ms = 0
    for command in commands:
        time_ms = command.time_ms
        durable.handle(command, admission.verify, admission.digest)
        if durable.is_commit_due(time_ms):
            yield from _told(durable)
    if durable.engine.open_count:
        durable.seal(time_ms)
    yield from _told(durable)
    durable.journal.close()


def _told(durable: DurableEngine) -> Iterator[Receipt | Batch]:
    found = durable.commit()
    yield from found.receipts
    yield from found.batches
