"""Field operations in arrays: measured, and compared with plain integers."""

import numpy as np
import pytest

from circuits.field import R
from prover.bench.field import PASSES, measure_field, random_elements
from prover.bench.measure import Run, StopWatch
from prover.kernels import fr


def test_operations_are_measured_and_right() -> None:
    found = measure_field(8, 2)
    assert [each.name for each in found] == ["fr_mul", "fr_add", "inverse"]
    for each in found:
        assert each.verified
        assert (each.units, each.unit, len(each.runs)) == (1 << 8, "element", 2)


def test_a_run_is_one_pass_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a clock that says one second for each repeat, whatever it does."""
    whole = Run({"compute": 1.0}, {"compute": 2.0}, 64.0)
    monkeypatch.setattr(StopWatch, "stop", lambda watch: whole)
    for each in measure_field(8, 1):
        assert each.runs == (Run({"compute": 1 / PASSES}, {"compute": 2 / PASSES}, 64.0),)
        assert each.units_per_second == pytest.approx(PASSES * 256)
        assert each.core_ms_per_unit == pytest.approx(1e3 * 2 / (PASSES * 256))


def test_a_wrong_operation_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fr, "mul", fr.add)
    assert [each.verified for each in measure_field(8, 1)] == [False, True, True]


def test_random_elements_are_below_r_and_seeded() -> None:
    elements = random_elements(100, 3)
    assert all(int.from_bytes(row.tobytes(), "little") < R for row in elements)
    assert np.array_equal(elements, random_elements(100, 3))
    assert len(np.unique(elements, axis=0)) == 100
