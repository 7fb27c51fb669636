"""Sums of multiples of setup points: measured, and compared with the known secret."""

import numpy as np
import pytest

from prover import srs_tools
from prover.bench import msm as bench_msm
from prover.bench.msm import WIDTHS, measure_msm, random_column
from prover.srs_tools import Srs


@pytest.fixture(scope="module")
def srs(tmp_path_factory: pytest.TempPathFactory) -> Srs:
    path = tmp_path_factory.mktemp("setup") / "small.srs"
    return srs_tools.new_development(8, path, lambda _: None)


@pytest.mark.parametrize("bits", WIDTHS)
def test_every_width_is_measured_and_right(srs: Srs, bits: int) -> None:
    found = measure_msm(srs, bits, 2)
    assert found.verified
    assert (found.name, found.units, found.unit) == (f"{bits} bit", 256, "point")
    assert len(found.runs) == 2


def test_a_wrong_sum_is_found(srs: Srs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_msm, "msm", lambda bases, pieces: (1, 2))
    assert not measure_msm(srs, 8, 1).verified


@pytest.mark.parametrize("bits", [1, 8, 16, 32, 64])
def test_columns_use_their_width(bits: int) -> None:
    column = random_column(1 << 12, bits)
    assert column.max() < 1 << bits
    assert column.max() >= 1 << bits - 1
    assert column.dtype.itemsize == max(bits // 8, 1)


def test_full_columns_are_plain_integers() -> None:
    column = random_column(64, 254)
    assert column.shape == (64, 4)
    assert column.dtype == np.uint64
