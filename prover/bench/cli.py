"""`plasmaperps prover bench`: measure what proving costs here.

Kernels choose themselves when they are imported, so all that is heavy is imported by the commands,
after their options have been looked at.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from circuits.cli_support import CommandFailed, ExitCode, one_line_errors, progress
from prover.bench.options import (
    COUNT,
    TRADES_MAX,
    Command,
    NumberList,
    Report,
    input_errors,
    makes_no_proof,
    with_report,
    with_setting,
)
from prover.bench.setting import AUTO, KERNEL_NAMES, Setting, choose_kernels
from prover.termination import unwinding

if TYPE_CHECKING:
    from prover.bench.proving import Bench, Task

_WITNESS = click.Path(dir_okay=False, path_type=Path)
_WIDTHS = (1, 8, 16, 32, 64, 254)
# The last is compared with one a tenth of the way: of a single proof, with itself.
_PROOFS_MIN = 10
_REPEAT = click.option(
    "--repeat", type=COUNT, default=3, show_default=True,
    help="So often; the fastest counts and all are shown.",
)  # fmt: skip
_JSON = click.option("--json", "as_json", is_flag=True, help="End with the JSON object.")


def _look_for(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    """A file is looked for at once: kernels may have to be compiled before it is read."""
    if path is not None:
        with one_line_errors():
            path.open("rb").close()
    return path


@click.group()
@click.pass_context
def bench(context: click.Context) -> None:
    """Measure what proving costs on this machine, and check every result.

    The kernels are made ready first, which is not counted but shown. Of all repeats the fastest
    counts. Core time is processor time of all threads, and of all processes that this one
    started, workers and Ray included; for a proof it is everything from the witness to the
    opening, without verifying. With workers the first repeat waits until they have started.

    With --json the last line is one object with the fields job, size, unit, threads, kernels,
    executor, workers (0 for inline), seconds (by stage, of the fastest repeat), core_ms_per_unit,
    units_per_second, peak_mib (highest resident memory of all processes together), verified, runs
    (seconds of every repeat), start_seconds (kernels made ready), start_core_seconds (processor
    time until then, imports included), measurements (the same figures for each size or operation,
    by name), cpu and version. Its own figures are those of the largest measurement, the first of
    equal ones.

    \b
    Example:
      plasmaperps prover bench yardstick --trades 512 --threads 2 --json | tail -n 1
      plasmaperps prover bench msm --log-size 20 --threads 1
    """
    context.with_resource(unwinding())


@bench.command()
@click.option(
    "--log-size", type=click.IntRange(8, 24), default=18, show_default=True,
    help="Log2 of the number of elements.",
)  # fmt: skip
@_REPEAT
@makes_no_proof
@with_report
def field(report: Report, log_size: int, repeat: int) -> None:
    """Multiply, add and invert field elements in arrays.

    Every repeat is several passes over the array, and its times are those of one.

    \b
    Example:
      plasmaperps prover bench field --threads 1
    """
    from prover.bench.field import measure_field

    report.show("field", measure_field(log_size, repeat))


@bench.command()
@click.option(
    "--log-size", type=click.IntRange(8, 24), default=20, show_default=True,
    help="Log2 of the number of points.",
)  # fmt: skip
@click.option(
    "--bits", type=NumberList(max(_WIDTHS), _WIDTHS), default="254,16", show_default=True,
    metavar="LIST",
    help=f"Widths of the scalars, some of {','.join(map(str, _WIDTHS))}.",
)  # fmt: skip
@_REPEAT
@makes_no_proof
@with_report
def msm(report: Report, log_size: int, bits: tuple[int, ...], repeat: int) -> None:
    """Sum multiples of the points of the development setup, for random scalars.

    The first run of a size makes the setup, which takes a minute for 2^20 points and is kept.

    \b
    Example:
      plasmaperps prover bench msm --log-size 20 --bits 254,16 --threads 1
    """
    from prover.bench.msm import measure_msm, require_points
    from prover.srs_tools import development

    # Before a setup is made and kept that nothing here could use.
    require_points(1 << log_size)
    with progress("preparing the development setup", 1 << log_size) as advance:
        srs = development(log_size, advance).first(1 << log_size)
    measured = [measure_msm(srs, width, repeat) for width in bits]
    first, *others = measured
    remarks = [
        f"{each.name} costs {each.core_ms_per_unit / first.core_ms_per_unit:.3f} of {first.name}: "
        f"{first.core_ms_per_unit / each.core_ms_per_unit:.1f} times cheaper"
        for each in others
    ]
    report.show("msm", measured, remarks)


@bench.command()
@click.option(
    "--log-rows", type=click.IntRange(4, 20), default=12, show_default=True,
    help="Log2 of the number of rows.",
)  # fmt: skip
@_REPEAT
@makes_no_proof
@with_report
def tape(report: Report, log_rows: int, repeat: int) -> None:
    """Run the constraints of the margin system's largest chip over random rows.

    It is one point of a sumcheck round, which folds the rows in pairs; a unit is one operation on
    one pair of rows, so 2^n rows are 2^(n-1) of each operation.

    \b
    Example:
      plasmaperps prover bench tape --threads 1
    """
    from prover.bench.tape import measure_tape

    report.show("tape", [measure_tape(log_rows, repeat)])


@bench.command()
@click.option(
    "--trades", type=NumberList(TRADES_MAX), default="512", show_default=True, metavar="LIST",
    help="How many trades; several sizes with commas show the growth.",
)  # fmt: skip
@_REPEAT
@with_report
def yardstick(report: Report, trades: tuple[int, ...], repeat: int) -> None:
    """Prove trades of two signatures, 20 Poseidon2 permutations and 20 ranged 64-bit numbers each.

    The job that other proof systems are compared on: distinct accounts, real signatures, and the
    whole protocol to a proof that is verified. Its key is over the development setup.

    \b
    Example:
      plasmaperps prover bench yardstick --trades 512 --threads 2
      plasmaperps prover bench yardstick --trades 64,128,256,512 --plot growth.png
      plasmaperps prover bench yardstick --executor process --workers 2
    """
    from prover.bench.proving import measure_yardstick, opened

    with (
        progress("proving", len(trades) * repeat) as advance,
        opened(report.setting) as opened_bench,
    ):
        measured = [measure_yardstick(opened_bench, count, repeat, advance) for count in trades]
    report.show("yardstick", measured)


@bench.command()
@click.argument("witness", type=_WITNESS, callback=_look_for)
@_REPEAT
@with_report
def batch(report: Report, witness: Path, repeat: int) -> None:
    """Prove the batch of WITNESS under the packaged key of its shape; a unit is a command.

    \b
    Example:
      plasmaperps op run-file examples/margin_day.jsonl --out day
      plasmaperps prover bench batch day/batch-0001.witness
    """
    from prover.bench.proving import measure_batch, opened

    with progress("proving", repeat) as advance, opened(report.setting) as opened_bench:
        measured = measure_batch(opened_bench, witness, repeat, advance)
    report.show("batch", [measured])


_JOB = (
    click.option(
        "--witness", "path", type=_WITNESS, callback=_look_for,
        help="Batch to prove.  [default: a yardstick of --trades]",
    ),
    click.option(
        "--trades", type=click.IntRange(1, TRADES_MAX), default=8, show_default=True,
        help="Size of the yardstick.",
    ),
)  # fmt: skip


def _with_job(command: Command) -> Command:
    """Add --witness and --trades, for benchmarks that prove one thing again and again."""
    return _JOB[0](_JOB[1](command))


def _task_of(opened_bench: Bench, path: Path | None, trades: int) -> Task:
    """What those options ask for, with its setup made. Raises: NotEnoughMemory."""
    from prover.bench.proving import batch_task, yardstick_task

    if path is None:
        return yardstick_task(opened_bench, trades)
    return batch_task(opened_bench, path)


@bench.command()
@_with_job
@_JSON
@with_setting
def deaths(setting: Setting, path: Path | None, trades: int, as_json: bool) -> None:
    """Kill a worker in the middle of every stage, and compare with undisturbed proofs.

    Workers are processes or Ray actors of this machine, killed with SIGKILL. For every stage proofs
    without and with a death take turns, three of each. Each death is compared with the proof just
    before it, and the middle one of the three ratios counts. All proofs must be equal, and the
    first is verified. Ends with exit code 1 when a death in some stage more than doubled the time.
    The JSON object has the fields job, size, unit, threads, kernels, executor, workers,
    undisturbed_seconds and seconds (both by stage of the death), worst_ratio, cpu and version.

    \b
    Example:
      plasmaperps prover bench deaths --trades 512 --executor process --workers 2
    """
    from prover.bench import report
    from prover.bench.deaths import (
        RATIO_MAX,
        STAGES,
        WorkerWatch,
        measure_deaths,
        proof_count,
    )
    from prover.bench.proving import opened

    if not setting.workers:
        wanted = "process or ray, whose workers can be killed"
        message = f"--executor: expected {wanted}, got {setting.executor}"
        raise CommandFailed(message, ExitCode.USAGE)
    click.echo(report.setting_line("deaths", setting))
    watch = WorkerWatch()
    with (
        progress("proving", proof_count(STAGES)) as advance,
        opened(setting, watch) as opened_bench,
    ):
        task = _task_of(opened_bench, path, trades)
        job = task.build()
        found = measure_deaths(opened_bench.executor, watch, job, STAGES, advance)
    for line in report.death_lines(task, job.key.shape_name, found):
        click.echo(line)
    if as_json:
        click.echo(report.deaths_json_line(setting, task, found))
    if found.worst > RATIO_MAX:
        raise click.ClickException(
            f"deaths: expected at most {RATIO_MAX:g} times the undisturbed time, "
            f"got {found.worst:.2f} times"
        )


@bench.command()
@click.option(
    "--proofs", type=click.IntRange(_PROOFS_MIN), default=200, show_default=True,
    help="How many proofs.",
)  # fmt: skip
@_with_job
@_JSON
@with_setting
def soak(setting: Setting, proofs: int, path: Path | None, trades: int, as_json: bool) -> None:
    """Prove the same batch again and again and compare the resident memory.

    The memory after the last proof is compared with that after a tenth of them. All proofs must be
    equal, and the first is verified. Ends with exit code 1 when the memory grew by over 5 %.
    The JSON object has the fields job, size (proofs), threads, kernels, executor, workers,
    early_mib, late_mib, growth_percent, cpu and version.

    \b
    Example:
      plasmaperps prover bench soak --proofs 200 --witness day/batch-0001.witness
    """
    from prover.bench import report
    from prover.bench.proving import opened
    from prover.bench.soak import GROWTH_PERCENT_MAX, run_soak

    click.echo(report.setting_line("soak", setting))
    with progress("proving", proofs) as advance, opened(setting) as opened_bench:
        job = _task_of(opened_bench, path, trades).build()
        found = run_soak(opened_bench.executor, job, proofs, advance)
    click.echo(
        f"{proofs} equal proofs of shape {job.key.shape_name}: {found.early_mib:,.1f} MiB after "
        f"proof {found.early}, {found.late_mib:,.1f} MiB after the last, "
        f"{found.growth_percent:+.1f} %"
    )
    if as_json:
        click.echo(report.soak_json_line(setting, found))
    if not found.is_steady:
        raise click.ClickException(
            f"soak: expected memory to grow by at most {GROWTH_PERCENT_MAX:.0f} %, "
            f"got {found.growth_percent:.1f} %"
        )


@bench.command()
@click.option(
    "--kernels", type=click.Choice(KERNEL_NAMES),
    default=AUTO, show_default=True, help="Which twins of the kernels to start.",
)  # fmt: skip
@_JSON
def start(kernels: str, as_json: bool) -> None:
    """Start the kernels in new processes: with an empty cache folder, then with the filled one.

    The JSON object has the fields job, kernels, cold_seconds, warm_seconds, cold_compiled,
    warm_compiled, cpu and version.

    \b
    Example:
      plasmaperps prover bench start
    """
    from prover.bench import report
    from prover.bench.start import COLD_SECONDS_WANTED, WARM_SECONDS_WANTED, measure_start

    chosen = choose_kernels(kernels)
    with one_line_errors(input_errors()):
        found = measure_start()
    for name, seconds, compiled, wanted in (
        ("cold", found.cold_seconds, found.cold_compiled, COLD_SECONDS_WANTED),
        ("warm", found.warm_seconds, found.warm_compiled, WARM_SECONDS_WANTED),
    ):
        click.echo(
            f"{name}: {seconds:.1f} s, {compiled} functions compiled, {chosen} kernels "
            f"(wanted: at most {wanted:.0f} s)"
        )
    if as_json:
        click.echo(report.start_json_line(chosen, found))
    if found.warm_compiled or not found.cold_compiled:
        got = f"{found.cold_compiled}, then {found.warm_compiled}"
        message = f"start: expected functions compiled the first time only, got {got}"
        raise CommandFailed(message, ExitCode.REFUSED)
