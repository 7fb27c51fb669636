"""Options that the benchmarks share, and how their results are shown."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from circuits.cli_support import CommandFailed, ExitCode, bad_input, naming, one_line_errors
from prover.bench.setting import AUTO, KERNEL_NAMES, Setting, prepare
from prover.cli_options import ExecutorChoice, executor_options
from prover.executor_options import ExecutorKind

if TYPE_CHECKING:
    from prover.bench.measure import Measurement

COUNT = click.IntRange(1)
# The signature rows of more trades are more than the largest development setup has powers.
TRADES_MAX = 1 << 19
Command = Callable[..., None]


class NumberList(click.ParamType):
    """Numbers with commas between them: from 1 to a highest one, or some of a fixed choice."""

    name = "numbers"

    def __init__(self, highest: int, known: Sequence[int] = ()) -> None:
        self._highest = highest
        self._known = known

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Each number once. Raises: click.BadParameter."""
        texts = str(value).split(",")
        numbers = [int(text) if text.isdecimal() else 0 for text in texts]
        if self._known and not set(numbers) <= set(self._known):
            self.fail(f"expected some of {','.join(map(str, self._known))}, got {value!r}")
        if not all(1 <= number <= self._highest for number in numbers):
            expected = f"numbers from 1 to {self._highest:,} with commas between them"
            self.fail(f"expected {expected}, got {value!r}")
        return tuple(dict.fromkeys(numbers))


class Report:
    """Where a command hands its measurements: text, chart, JSON line, and the verdict."""

    def __init__(self, setting: Setting, as_json: bool, plot_path: Path | None) -> None:
        self.setting = setting
        self._as_json = as_json
        self._plot_path = plot_path

    def show(
        self, job: str, measurements: Sequence[Measurement], remarks: Iterable[str] = ()
    ) -> None:
        """Raises: CommandFailed when a result was wrong."""
        from prover.bench import report

        for line in (*report.lines(job, self.setting, measurements), *remarks):
            click.echo(line)
        try:
            if self._plot_path is not None:
                from prover.bench.plot import draw

                with naming(self._plot_path):
                    draw(self._plot_path, report.setting_line(job, self.setting), measurements)
                click.echo(f"chart in {self._plot_path}")
        finally:
            # Also when the chart cannot be written: measuring took longer than drawing.
            if self._as_json:
                click.echo(report.json_line(job, self.setting, measurements))
        wrong = [each for each in measurements if not each.verified]
        if wrong:
            raise CommandFailed(_verdict(job, wrong), ExitCode.VERIFICATION_FAILED)


def _verdict(job: str, wrong: Sequence[Measurement]) -> str:
    """What is wrong, and where."""
    if problems := [each.problem for each in wrong if each.problem]:
        return "; ".join(problems)
    names = ", ".join(each.name for each in wrong)
    return f"{job}: expected the right result, got another one for {names}"


def input_errors() -> dict[type[Exception], ExitCode]:
    """What each expected error means to a script."""
    from circuits.errors import CircuitError
    from prover.errors import FalseStatementAccepted, ProverError
    from verifier.errors import KeyFileError, VerificationError
    from verifier.srs import SrsError

    usage = (CircuitError, ProverError, KeyFileError, SrsError)
    false = dict.fromkeys((VerificationError, FalseStatementAccepted), ExitCode.VERIFICATION_FAILED)
    return false | dict.fromkeys(usage, ExitCode.USAGE)


def with_setting(command: Command) -> Command:
    """Add what says how a benchmark runs; the command gets the `Setting` that comes of it."""

    @wraps(command)
    def prepared(
        threads: int | None, kernels: str, choice: ExecutorChoice, **arguments: Any
    ) -> None:
        setting = prepare(threads, kernels, choice)
        with one_line_errors(input_errors()):
            command(setting, **arguments)

    return _with(
        prepared,
        click.option(
            "--threads", type=COUNT,
            help="Threads of the kernels, which workers share: one for each of them at least, "
            "one for each core at most.  [default: PLASMAPERPS_THREADS, or all cores]",
        ),
        click.option(
            "--kernels", type=click.Choice(KERNEL_NAMES),
            default=AUTO, show_default=True,
            help="Which twins of the kernels run; auto takes the fastest of this machine.",
        ),
        executor_options,
    )  # fmt: skip


def makes_no_proof(command: Command) -> Command:
    """Above `with_report`: refuse workers for a benchmark that gives them nothing to do."""

    @wraps(command)
    def inline(executor: str, **arguments: Any) -> None:
        if executor != ExecutorKind.INLINE:
            wanted = f"{ExecutorKind.INLINE}, as this job makes no proof"
            raise CommandFailed(f"--executor: expected {wanted}, got {executor}", ExitCode.USAGE)
        command(executor=executor, **arguments)

    return inline


def with_report(command: Command) -> Command:
    """Add the options of `with_setting`, --json and --plot; the command gets a `Report`."""

    @with_setting
    @wraps(command)
    def reporting(
        setting: Setting, as_json: bool, plot_path: Path | None, **arguments: Any
    ) -> None:
        command(Report(setting, as_json, plot_path), **arguments)

    @wraps(reporting)
    def checked(plot_path: Path | None, **arguments: Any) -> None:
        with one_line_errors():
            _check_plot(plot_path)
        reporting(plot_path=plot_path, **arguments)

    return _with(
        checked,
        click.option("--json", "as_json", is_flag=True, help="End with the JSON object."),
        click.option(
            "--plot", "plot_path", type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE.png", help="Draw the result. Needs the extra `plot`.",
        ),
    )  # fmt: skip


def _with(command: Command, *options: Callable[[Command], Command]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def _check_plot(path: Path | None) -> None:
    """Before the work rather than after it: the chart can be drawn and written."""
    if path is None:
        return
    import prover.bench.plot  # noqa: F401  # only whether it can be imported

    if not path.parent.is_dir():
        raise bad_input(path, "folder", "an existing folder", path.parent)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise bad_input(path, "chart", "a file that can be written", "one that cannot")
