"""Measure the yardstick on another prover and on this one, side by side.

Needs the packages of package-lock.json beside this file: `make bench-peers` installs them.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from circuits.cli_support import CommandFailed, ExitCode, one_line_errors, progress
from prover.bench.options import input_errors
from prover.bench.setting import AUTO, choose_kernels

if TYPE_CHECKING:
    from bench.peers.barretenberg import Barretenberg
    from bench.peers.report import Measurement
    from bench.peers.snarkjs import Snarkjs
    from bench.peers.tools import Machine

# Sizes that nearly fill 2^17, 2^18 and 2^19 rows of Barretenberg's circuit.
BARRETENBERG_TRADES = "37,75,152"
# The same for 2^17 rows of snarkjs.
SNARKJS_TRADES = "11"
_THREADS = (1, 2)
Counted = tuple[int, ...]


class Counts(click.ParamType):
    """Positive whole numbers with commas between them."""

    name = "counts"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        words = value.split(",")
        if not all(word.isascii() and word.isdecimal() and int(word) > 0 for word in words):
            self.fail(
                f"expected numbers from 1 with commas between them, got {value!r}", param, ctx
            )
        return tuple(dict.fromkeys(map(int, words)))


def _shared_options(command: Callable[..., None]) -> Callable[..., None]:
    options = (
        click.option(
            "--threads", type=Counts(),
            help="Threads of each prover; every number is measured.  "
            "[default: 1, and 2 where there are two cores]",
        ),
        click.option(
            "--repeat", type=click.IntRange(1), default=3, show_default=True,
            help="Repetitions; the best of them counts, on both sides.",
        ),
        click.option(
            "--own-trades", type=click.IntRange(1), default=512, show_default=True,
            help="Trades in one proof of this project's prover.",
        ),
        click.option(
            "--ours-json", type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Take this project's side from a file of --json lines instead of a run.",
        ),
        click.option("--alone", is_flag=True, help="Measure the other prover alone."),
        click.option("--json", "as_json", is_flag=True, help="Last line: one JSON object."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.group()
def main() -> None:
    """Measure the yardstick on another prover and on this one, in one run."""


@main.command()
@click.option(
    "--trades", type=Counts(), default=BARRETENBERG_TRADES, show_default=True,
    help="Trades in one proof of the peer; every number is measured, the best one counts.",
)  # fmt: skip
@_shared_options
def barretenberg(trades: Counted, threads: Counted | None, **options: object) -> None:
    """Barretenberg's native UltraHonk prover on its own Noir program."""
    with one_line_errors(input_errors()):
        from bench.peers.barretenberg import VARIANTS, Barretenberg

        variants = tuple(VARIANTS)
        _measure(Barretenberg, variants, trades, threads, **options)  # type: ignore[arg-type]


@main.command()
@click.option(
    "--trades", type=Counts(), default=SNARKJS_TRADES, show_default=True,
    help="Trades in one proof of the peer; every number is measured, the best one counts.",
)  # fmt: skip
@_shared_options
def snarkjs(trades: Counted, threads: Counted | None, **options: object) -> None:
    """Snarkjs' Groth16 prover in WebAssembly on a circom program."""
    with one_line_errors(input_errors()):
        from bench.peers.snarkjs import VARIANT, Snarkjs

        _measure(Snarkjs, (VARIANT,), trades, threads, **options)  # type: ignore[arg-type]


def _threads_on(machine: Machine, asked: tuple[int, ...] | None) -> tuple[int, ...]:
    """What is measured. Raises: CommandFailed when the machine has less cores."""
    if asked is None:
        return tuple(count for count in _THREADS if count <= machine.cores)
    if max(asked) > machine.cores:
        message = f"--threads: expected at most {machine.cores} on this machine, got {max(asked)}"
        raise CommandFailed(message, ExitCode.USAGE)
    return asked


def _measure(
    peer_class: type[Barretenberg | Snarkjs],
    variants: tuple[str, ...],
    trades: tuple[int, ...],
    asked_threads: tuple[int, ...] | None,
    repeat: int,
    own_trades: int,
    ours_json: Path | None,
    alone: bool,
    as_json: bool,
) -> None:
    """Let both sides take turns, then print the best of each and the ratios."""
    from bench.peers import own, report
    from bench.peers.tools import this_machine

    machine = this_machine()
    threads = _threads_on(machine, asked_threads)
    choose_kernels(AUTO)
    peers: list[Measurement] = []
    ours = own.load(ours_json) if ours_json else []
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as folder:
        peer = peer_class(Path(folder))
        with progress("compiling", len(trades)) as advance:
            programs = []
            for count in trades:
                programs.append(peer.prepare(count))
                advance(1)
        with progress("measuring", repeat * len(threads)) as advance:
            for _, count in itertools.product(range(repeat), threads):
                for program, variant in itertools.product(programs, variants):
                    peers.append(program.prove(variant, count))
                if not (alone or ours_json):
                    ours.append(own.prove(own_trades, count))
                advance(1)
    best_peers, best_ours = report.best_of_each(peers), report.best_of_each(ours)
    found = report.ratios(best_peers, best_ours)
    busy = "" if machine.is_idle else f", NOT IDLE: load {machine.load_at_start} at the start"
    ifma = "with" if machine.has_ifma else "without"
    click.echo(f"{machine.processor}, {machine.cores} cores, {ifma} AVX-512 IFMA{busy}")
    click.echo(f"{peer.version}; best of {repeat}")
    for line in (*report.table([*best_peers, *best_ours]), *report.verdicts(found)):
        click.echo(line)
    if best_ours and not found:
        click.echo(f"no ratio: {ours_json} has no measurement with these numbers of threads")
    if as_json:
        click.echo(report.as_json(machine, peer.version, [*best_peers, *best_ours], found))


if __name__ == "__main__":
    sys.exit(main())
