"""What benchmarks print: tables for people, and one JSON object for scripts."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from prover.bench.machine import cpu_model, package_version
from prover.bench.measure import VERIFY, Measurement, Run
from prover.bench.setting import Setting
from prover.kernel_choice import Kernels

if TYPE_CHECKING:
    # Only their figures are shown; importing them would choose the kernels too early.
    from prover.bench.deaths import Deaths
    from prover.bench.proving import Task
    from prover.bench.soak import Soak
    from prover.bench.start import Start

# Cheaper units than this, in milliseconds, are shown in nanoseconds.
_NANOSECONDS_BELOW_MS = 1e-2


def lines(job: str, setting: Setting, measurements: Sequence[Measurement]) -> Iterator[str]:
    """Everything for people: the setting, each proof by stage, then all measurements together."""
    yield setting_line(job, setting)
    yield f"kernels ready after {setting.start_seconds:.1f} s"
    staged = [each for each in measurements if len(each.best.seconds) > 1]
    for measurement in staged:
        yield from _stage_lines(measurement)
    if len(measurements) > 1 or not staged:
        yield from _summary_lines(measurements)
    if len({each.units for each in measurements}) > 1:
        yield growth_line(measurements)


def setting_line(job: str, setting: Setting) -> str:
    """What ran, how, and on what."""
    threads = "1 thread" if setting.threads == 1 else f"{setting.threads} threads"
    place = setting.executor.value
    if setting.workers:
        place += f" with {setting.workers} worker{'' if setting.workers == 1 else 's'}"
    return f"{job}: {threads}, {setting.kernels} kernels, {place}, on {cpu_model()}"


def _stage_lines(measurement: Measurement) -> Iterator[str]:
    """One measurement by stage, with the figures that follow from it."""
    best = measurement.best
    yield ""
    yield f"{measurement.units:,} {measurement.unit}s"
    rows = [_stage_row(best, stage) for stage in best.seconds if stage != VERIFY]
    rows.append(["all", f"{best.total_seconds:.3f}", "", f"{best.total_core_seconds:.3f}"])
    rows += [_stage_row(best, stage) for stage in best.seconds if stage == VERIFY]
    yield from _table(("stage", "seconds", "share", "core seconds"), rows)
    yield f"  all repeats: {_repeats(measurement)} s"
    yield f"  {summary(measurement)}"


def _repeats(measurement: Measurement) -> str:
    return ", ".join(f"{run.total_seconds:.3f}" for run in measurement.runs)


def summary(measurement: Measurement) -> str:
    """Cost, rate, memory and verdict in one line."""
    return (
        f"{cost_text(measurement.core_ms_per_unit)} of core time per {measurement.unit}, "
        f"{_rate(measurement.units_per_second)} {measurement.unit}s per second, "
        f"peak {measurement.peak_mib:,.0f} MiB, {'' if measurement.verified else 'NOT '}verified"
    )


def _summary_lines(measurements: Sequence[Measurement]) -> Iterator[str]:
    """Several measurements, a line each."""
    yield ""
    unit = measurements[0].unit
    yield from _table(
        ("", f"{unit}s", "seconds", f"core time per {unit}", f"{unit}s per second", "peak MiB"),
        [
            [
                each.name,
                f"{each.units:,}",
                _repeats(each),
                cost_text(each.core_ms_per_unit),
                _rate(each.units_per_second),
                f"{each.peak_mib:,.0f}",
            ]
            for each in measurements
        ],
    )


def growth_line(measurements: Sequence[Measurement]) -> str:
    """How the core time grows from the smallest to the largest size."""
    small = min(measurements, key=lambda each: each.units)
    large = max(measurements, key=lambda each: each.units)
    units = large.units / small.units
    cost = large.best.total_core_seconds / small.best.total_core_seconds
    slope, _ = linear_fit(measurements)
    exponent = math.log(cost) / math.log(units)
    return (
        f"{units:,.3g} times the {large.unit}s cost {cost:,.3g} times the core time "
        f"(exponent {exponent:.2f}); {cost_text(1e3 * slope)} for each {large.unit} more"
    )


def linear_fit(measurements: Sequence[Measurement]) -> tuple[float, float]:
    """Least-squares slope and intercept, in core seconds, of the cost against the units."""
    count = len(measurements)
    mean_x = sum(each.units for each in measurements) / count
    mean_y = sum(each.best.total_core_seconds for each in measurements) / count
    spread = sum((each.units - mean_x) ** 2 for each in measurements)
    joint = sum(
        (each.units - mean_x) * (each.best.total_core_seconds - mean_y) for each in measurements
    )
    slope = joint / spread
    return slope, mean_y - slope * mean_x


def cost_text(cost_ms: float) -> str:
    """Milliseconds, or nanoseconds where those would be all zeros."""
    if cost_ms < _NANOSECONDS_BELOW_MS:
        return f"{1e6 * cost_ms:,.1f} ns"
    return f"{cost_ms:,.2f} ms"


def json_line(job: str, setting: Setting, measurements: Sequence[Measurement]) -> str:
    """Everything as one object; its own figures are those of the largest measurement."""
    largest = max(measurements, key=lambda each: each.units)
    document = {
        "job": job,
        **_figures(largest),
        **_how(setting),
        "start_seconds": round(setting.start_seconds, 3),
        "start_core_seconds": round(setting.start_core_seconds, 3),
        "measurements": [{"name": each.name} | _figures(each) for each in measurements],
    }
    return json.dumps(document | _machine())


def soak_json_line(setting: Setting, found: Soak) -> str:
    """The memory of a soak as one object."""
    document = {
        "job": "soak",
        "size": len(found.resident_mib),
        **_how(setting),
        "early_mib": round(found.early_mib, 1),
        "late_mib": round(found.late_mib, 1),
        "growth_percent": round(found.growth_percent, 2),
    }
    return json.dumps(document | _machine())


def death_lines(task: Task, shape_name: str, found: Deaths) -> Iterator[str]:
    """A line for each stage in which a worker died."""
    yield f"{task.size:,} {task.unit}s, shape {shape_name}: all proofs equal"
    yield ""
    rows = [
        [str(stage), f"{each.undisturbed_seconds:.3f}", f"{each.seconds:.3f}", f"{each.ratio:.2f}"]
        for stage, each in found.by_stage.items()
    ]
    yield from _table(("killed in", "seconds without", "with", "times"), rows)


def deaths_json_line(setting: Setting, task: Task, found: Deaths) -> str:
    """What deaths cost, as one object."""
    deaths = found.by_stage.items()
    document = {
        "job": "deaths",
        "size": task.size,
        "unit": task.unit,
        **_how(setting),
        "undisturbed_seconds": {str(stage): round(e.undisturbed_seconds, 3) for stage, e in deaths},
        "seconds": {str(stage): round(each.seconds, 3) for stage, each in deaths},
        "worst_ratio": round(found.worst, 3),
    }
    return json.dumps(document | _machine())


def start_json_line(kernels: Kernels, found: Start) -> str:
    """Both starts as one object."""
    document = {
        "job": "start",
        "kernels": kernels.value,
        "cold_seconds": round(found.cold_seconds, 2),
        "warm_seconds": round(found.warm_seconds, 2),
        "cold_compiled": found.cold_compiled,
        "warm_compiled": found.warm_compiled,
    }
    return json.dumps(document | _machine())


def _how(setting: Setting) -> dict[str, object]:
    return {
        "threads": setting.threads,
        "kernels": setting.kernels.value,
        "executor": setting.executor.value,
        "workers": setting.workers,
    }


def _machine() -> dict[str, object]:
    return {"cpu": cpu_model(), "version": package_version()}


def _figures(measurement: Measurement) -> dict[str, object]:
    return {
        "size": measurement.units,
        "unit": measurement.unit,
        "seconds": {name: round(value, 6) for name, value in measurement.best.seconds.items()},
        "core_ms_per_unit": float(f"{measurement.core_ms_per_unit:.5g}"),
        "units_per_second": float(f"{measurement.units_per_second:.5g}"),
        "peak_mib": round(measurement.peak_mib, 1),
        "verified": measurement.verified,
        "runs": [round(run.total_seconds, 6) for run in measurement.runs],
    }


def _stage_row(run: Run, stage: str) -> list[str]:
    share = "" if stage == VERIFY else f"{100 * run.seconds[stage] / run.total_seconds:.0f} %"
    return [stage, f"{run.seconds[stage]:.3f}", share, f"{run.core_seconds[stage]:.3f}"]


def _rate(rate: float) -> str:
    return f"{rate:,.1f}" if rate < 1e5 else f"{rate / 1e6:,.2f} million"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines of a table: the first column to the left, all others to the right."""
    table = [headings, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        first, *others = zip(row, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]
        yield "  " + "  ".join(cells).rstrip()
