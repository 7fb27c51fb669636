"""A whole run: planned and signed chunk by chunk, and measured with nothing else at work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import IO

from circuits.cli_support import atomic_write
from circuits.exchange.apply import Command
from circuits.exchange.commit import build_tree
from circuits.exchange.json_form import TimedBody, encode_line
from circuits.exchange.state import State
from prover.kernels.poseidon2 import permute_many
from prover.signatures import warm
from sequencer.errors import ReplayDiffers
from sequencer.sim.checks import Checker, audit
from sequencer.sim.measured import NS, MeasuredRun
from sequencer.sim.plan import Plan
from sequencer.sim.planner import Observer, Planned, Planner
from sequencer.sim.sums import Sums
from sequencer.sim.tally import Tally

CHUNK_COMMANDS = 1_000
"""Commands that are planned and signed before they are measured."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """A finished run. `skipped_count` accepted commands were in the journal already."""

    plan: Plan
    tally: Tally
    measured: MeasuredRun
    skipped_count: int
    plan_seconds: float
    sign_seconds: float
    due_seconds: float
    is_conserved: bool


def simulate(
    plan: Plan,
    *,
    journal: Path | None = None,
    out: Path | None = None,
    is_checked: bool = False,
    advance: Callable[[int], None] = lambda count: None,
    acknowledged: Callable[[int], None] = lambda count: None,
) -> Simulated:
    """Run a plan from its first command to its last, or from where `journal` ends.

    `advance` is told how many commands were handled since the last call, `acknowledged` how many
    accepted ones are durable, after every commit.
    Raises: CheckFailed; ReplayDiffers when applying twice leads elsewhere; BatchError for the
    journal of another run; JournalError; OSError.
    """
    warm()
    tally = Tally()
    observers: list[Observer] = [tally, Checker()] if is_checked else [tally]
    planner = Planner(plan, observers)
    with ExitStack() as stack:
        lines = None
        if out is not None:
            lines = LineWriter(plan, stack.enter_context(atomic_write(out, text=True)))
        folder = journal or Path(stack.enter_context(TemporaryDirectory(prefix="plasmaperps-")))
        measured = MeasuredRun(folder, plan.header.domain, plan.start_ms, acknowledged)
        stack.callback(measured.close)
        skipped = measured.durable_count
        plan_seconds, sign_seconds = _run(planner, measured, lines, advance)
        measured.finish()
    _require_same_root(planner.state, measured)
    if is_checked:
        audit(measured.state)
    return Simulated(
        plan=plan,
        tally=tally,
        measured=measured,
        skipped_count=skipped,
        plan_seconds=plan_seconds,
        sign_seconds=sign_seconds,
        due_seconds=planner.due_ns / NS,
        is_conserved=is_conserved(measured.state),
    )


class LineWriter:
    """Writes commands as a file that `plasmaperps op run-file` applies."""

    def __init__(self, plan: Plan, stream: IO[str]) -> None:
        self._stream = stream
        self._time_ms = plan.start_ms
        stream.write(plan.header.encode() + "\n")

    def write(self, commands: Iterable[Command]) -> None:
        """Write the next commands."""
        for command in commands:
            after_ms = command.time_ms - self._time_ms
            self._time_ms = command.time_ms
            self._stream.write(encode_line(TimedBody(after_ms, command.body)) + "\n")


def is_conserved(state: State) -> bool:
    """Whether all cash is exactly what custody holds, and the lots of every market sum to zero."""
    sums = Sums()
    sums.add((address, None, leaf) for address, leaf in state.leaves.items())
    return sums.is_conserved(state)


def _run(
    planner: Planner,
    measured: MeasuredRun,
    lines: LineWriter | None,
    advance: Callable[[int], None],
) -> tuple[float, float]:
    """All chunks; the seconds that planning and signing them took."""
    plan_seconds = sign_seconds = 0.0
    skipped = measured.durable_count
    while True:
        started = perf_counter()
        planned = planner.commands(CHUNK_COMMANDS)
        plan_seconds += perf_counter() - started
        if not planned:
            return plan_seconds, sign_seconds
        first = place_after(planned, skipped)
        skipped -= sum(each.is_accepted for each in planned[:first])
        if first < len(planned) or lines is not None:
            started = perf_counter()
            signed = planner.keyring.sign([each.command for each in planned])
            sign_seconds += perf_counter() - started
            if lines is not None:
                lines.write(signed.commands)
        if first < len(planned):
            measured.apply(signed, signed.commands[first:])
            _require_same_state(planner, measured)
        advance(len(planned))


def place_after(planned: list[Planned], accepted_count: int) -> int:
    """The place right after so many accepted commands, or the end if there are fewer."""
    if accepted_count == 0:
        return 0
    for place, each in enumerate(planned, 1):
        accepted_count -= each.is_accepted
        if accepted_count == 0:
            return place
    return len(planned)


def _require_same_state(planner: Planner, measured: MeasuredRun) -> None:
    if measured.state.leaves != planner.state.leaves:
        raise ReplayDiffers("state after a chunk", "the state as planned", "another state")


def _require_same_root(state: State, measured: MeasuredRun) -> None:
    """Check the root of the measured run against that of the whole planned state."""
    planned = build_tree(state, permute_many).root
    if measured.root != planned:
        raise ReplayDiffers("state root", f"{planned:#x} as planned", f"{measured.root:#x}")
