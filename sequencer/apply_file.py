"""A whole command file through the engine: what the rules refused, and the sealed batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from circuits.exchange.apply import Receipt
from circuits.exchange.codec import kind_of
from circuits.exchange.errors import QueueGuaranteeBroken, Rejected
from circuits.exchange.state import State
from sequencer.batcher import Batch
from sequencer.command_file import FIRST_COMMAND_LINE, CommandFile
from sequencer.engine import Engine, run_commands
from sequencer.errors import CommandFileError


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
) -> Applied:
    """Apply every command of the file to an empty exchange and seal all that was accepted.

    `advance` is told how many commands were handled since the last call.
    Raises: CommandFileError for a time out of range, or an L1 request that no queue can hold.
    """
    engine = Engine(file.header.domain, epoch, batch_commands_max)
    refusals: list[Refusal] = []
    batches: list[Batch] = []
    lines = count(FIRST_COMMAND_LINE)
    line = FIRST_COMMAND_LINE - 1
    try:
        for output in run_commands(engine, file.commands(base_time_ms)):
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
            file.path, line + 1, error.place, error.expected, error.got
        ) from None
    return Applied(len(file.lines), tuple(refusals), tuple(batches), engine.state)
