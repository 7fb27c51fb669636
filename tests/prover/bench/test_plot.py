"""Charts: a readable PNG for every kind of measurement."""

import struct
from pathlib import Path

import pytest

from prover.bench.plot import draw
from tests.support.measurements import proof, single

CASES = {
    "stages": [proof(100, 3.5)],
    "growth": [proof(400, 9.0), proof(100, 3.0), proof(200, 5.0)],
    "costs": [single("fr_mul", 1000, 25e-6), single("fr_add", 1000, 4e-6)],
}


@pytest.mark.parametrize("case", CASES)
def test_a_chart_is_a_png_of_some_size_and_not_blank(case: str, tmp_path: Path) -> None:
    path = tmp_path / "chart"
    draw(path, "yardstick: 2 threads", CASES[case])
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    assert width >= 900
    assert height >= 300
    # A blank image of this size compresses to far less.
    assert len(data) > 8_000
