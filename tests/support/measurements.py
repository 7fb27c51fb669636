"""Measurements with round figures."""

from __future__ import annotations

from prover.bench.measure import Measurement, Run
from prover.bench.setting import Setting
from prover.executor_options import ExecutorKind
from prover.kernel_choice import Kernels

SETTING = Setting(2, Kernels.SCALAR, ExecutorKind.INLINE, 0, 1.25, 1.75)


def proof(units: int, core_seconds: float, *, verified: bool = True) -> Measurement:
    """A proof in two repeats, the second one faster."""
    runs = tuple(
        Run(
            {"witness": 0.25 * wall, "commit": 0.75 * wall, "verify": 0.5},
            {"witness": 0.25 * core_seconds, "commit": 0.75 * core_seconds, "verify": 0.5},
            512.0,
        )
        for wall in (4.0, 2.0)
    )
    return Measurement("yardstick", "trade", units, runs, verified)


def single(name: str, units: int, seconds: float) -> Measurement:
    """One stage, one repeat."""
    run = Run({"compute": seconds}, {"compute": seconds}, 64.0)
    return Measurement(name, "element", units, (run,), True)
