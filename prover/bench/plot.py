"""Charts of measurements as PNG: seconds by stage, and cost against size."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from prover.bench.measure import VERIFY, Measurement
from prover.bench.report import cost_text, linear_fit

DPI = 150
# Distinct without colour too: dark and light alternate.
_COLOURS = (
    "#1b4965", "#62b6cb", "#5f0f40", "#fb8b24", "#2d6a4f", "#95d5b2", "#6d597a",
)  # fmt: skip
_GREY = "#555555"
_LINE = "#c1121f"
_NOT_COUNTED = "#bbbbbb"


def draw(path: Path, title: str, measurements: Sequence[Measurement]) -> None:
    """Write one chart for all measurements of a command.

    One proof: its stages. Proofs of several sizes: core time per unit by stage, and its growth.
    Jobs of a single stage: the cost per unit of each.
    """
    if len(measurements[0].best.seconds) == 1:
        figure = _costs(measurements)
    elif len(measurements) == 1:
        figure = _stages(measurements[0])
    else:
        figure = _growth(measurements)
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    figure.savefig(path, dpi=DPI, format="png")


def _stages(measurement: Measurement) -> Figure:
    """Horizontal bars, the first stage on top."""
    figure, axes = _figure(8, 4)
    seconds = measurement.best.seconds
    names = list(seconds)
    colours = [_NOT_COUNTED if n == VERIFY else c for n, c in _coloured(names)]
    bars = axes.barh(names, list(seconds.values()), color=colours)
    total = measurement.best.total_seconds
    for bar, name in zip(bars, names, strict=True):
        share = "not counted" if name == VERIFY else f"{100 * seconds[name] / total:.0f} %"
        axes.annotate(
            f"{seconds[name]:.2f} s  ({share})",
            (bar.get_width(), bar.get_y() + bar.get_height() / 2),
            xytext=(4, 0), textcoords="offset points", va="center", fontsize=8, color=_GREY,
        )  # fmt: skip
    axes.invert_yaxis()
    axes.set_xlim(right=1.22 * max(seconds.values()))
    axes.set_xlabel(
        f"seconds for {measurement.units:,} {measurement.unit}s; all but verify {total:.2f} s, "
        f"{cost_text(measurement.core_ms_per_unit)} of core time per {measurement.unit}"
    )
    axes.grid(axis="x", alpha=0.3)
    axes.tick_params(axis="y", length=0)
    return figure


def _growth(measurements: Sequence[Measurement]) -> Figure:
    """Left the stages per unit, stacked for each size; right the core time against the size."""
    measurements = sorted(measurements, key=lambda each: each.units)
    figure = Figure(figsize=(10.5, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes in (left, right):
        _plain(axes)
    _stacked(left, measurements)
    _line(right, measurements)
    return figure


def _stacked(axes: Axes, measurements: Sequence[Measurement]) -> None:
    stages = [stage for stage in measurements[0].best.seconds if stage != VERIFY]
    labels = [f"{each.units:,}" for each in measurements]
    bottoms = [0.0] * len(measurements)
    for stage, colour in _coloured(stages):
        heights = [1e3 * each.best.core_seconds[stage] / each.units for each in measurements]
        axes.bar(labels, heights, 0.5, bottom=bottoms, color=colour, label=stage)
        bottoms = [a + b for a, b in zip(bottoms, heights, strict=True)]
    unit = measurements[0].unit
    axes.set_xlabel(f"{unit}s in the proof")
    axes.set_ylabel(f"milliseconds of core time per {unit}")
    axes.grid(axis="y", alpha=0.3)
    handles, names = axes.get_legend_handles_labels()
    axes.legend(
        handles[::-1], names[::-1], fontsize=8, frameon=False,
        loc="center left", bbox_to_anchor=(1.0, 0.5),
    )  # fmt: skip
    axes.set_xlim(-0.75, len(labels) - 0.25)


def _line(axes: Axes, measurements: Sequence[Measurement]) -> None:
    unit = measurements[0].unit
    sizes = [each.units for each in measurements]
    costs = [each.best.total_core_seconds for each in measurements]
    slope, intercept = linear_fit(measurements)
    fitted = [intercept + slope * size for size in sizes]
    axes.plot(
        sizes, fitted, color=_LINE, linewidth=1,
        label=f"{intercept:.2g} s + {cost_text(1e3 * slope)} per {unit}",
    )  # fmt: skip
    axes.plot(sizes, costs, "o", color=_COLOURS[0], label="measured, best repeat")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_xlabel(f"{unit}s in the proof")
    axes.set_ylabel("core seconds, all but verify")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, frameon=False, loc="upper left")


def _costs(measurements: Sequence[Measurement]) -> Figure:
    """Bars of the core time per unit."""
    figure, axes = _figure(7, 1.6 + 0.4 * len(measurements))
    names = [each.name for each in measurements]
    costs_ns = [1e6 * each.core_ms_per_unit for each in measurements]
    bars = axes.barh(names, costs_ns, color=_COLOURS[0])
    for bar, each in zip(bars, measurements, strict=True):
        axes.annotate(
            cost_text(each.core_ms_per_unit),
            (bar.get_width(), bar.get_y() + bar.get_height() / 2),
            xytext=(4, 0), textcoords="offset points", va="center", fontsize=8, color=_GREY,
        )  # fmt: skip
    axes.invert_yaxis()
    axes.set_xlim(0, 1.2 * max(costs_ns))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_xlabel(f"nanoseconds of core time per {measurements[0].unit}")
    axes.grid(axis="x", alpha=0.3)
    axes.tick_params(axis="y", length=0)
    return figure


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    _plain(axes)
    return figure, axes


def _plain(axes: Axes) -> None:
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def _coloured(stages: Sequence[str]) -> list[tuple[str, str]]:
    """Every stage with its colour, the same in every chart."""
    return list(zip(stages, cycle(_COLOURS), strict=False))
