"""Derived figures and texts, and the fingerprint that every reader of a tape must reproduce."""

from __future__ import annotations

import hashlib
from typing import Any

from circuits.air.builder import CHALLENGE_COUNT, Builder
from circuits.air.chip import compile_chip
from circuits.air.columns import Field
from circuits.air.describe import (
    buses_table,
    chips_table,
    describe_chip,
    fingerprint_chip,
    layout_figures,
    seeded_point,
)
from circuits.air.expr import Op
from circuits.air.shape import Shape, lay_out
from circuits.field import R
from tests.support.chips import make_chip
from tests.support.counter_chips import PUBLIC_NAMES, counter_system
from tests.support.expressions import value_of

SHAPE = Shape("tiny", (("counter", 2), ("digits", 2), ("ends", 0)), 3)


def test_a_chip_as_text() -> None:
    assert describe_chip(counter_system().chip("counter")) == "\n".join(
        [
            "counter: One addition to the total.",
            "",
            "  columns          4",
            "  helpers          1",
            "  cells_per_row    5",
            "  constraints      4",
            "  interactions     3",
            "  degree           4",
            "  operations       33",
            "  multiplications  16",
            "  temporaries      6",
            "",
            "  columns",
            "    flag                     1 bit    bit",
            "    step                     8 bit",
            "    before                   field",
            "    after                    field",
            "",
            "  constraints",
            "    flag is a bit (degree 2)",
            "    step is odd (degree 3)",
            "    after (degree 1)",
            "    logup[0]: small#0, total#0, total#1 (degree 4)",
            "",
            "  interactions",
            "    lookup   small#0 (1 values, times at most 1)",
            "    receive  total#0 (2 values, times at most 1)",
            "    send     total#1 (2 values, times at most 1)",
        ]
    )


def test_a_provider_may_count_to_anything() -> None:
    text = describe_chip(counter_system().chip("digits"))
    assert text.endswith("    provide  small#0 (1 values, times at most any)")


def test_the_table_of_chips() -> None:
    lines = chips_table(counter_system(), SHAPE).split("\n")
    assert lines[0] == (
        "| chip | rows | columns | helpers | constraints | interactions | degree | operations "
        "| a row is |"
    )
    assert lines[1] == "|---|---|---|---|---|---|---|---|---|"
    assert lines[3] == "| digits | 2^2 | 1 | 1 | 1 | 1 | 2 | 8 | A number below the height. |"
    assert len(lines) == 5


def test_the_table_of_buses() -> None:
    assert buses_table(counter_system()) == "\n".join(
        [
            "| bus | number | kind | values | sent or looked up by | received or provided by |",
            "|---|---|---|---|---|---|",
            "| small | 2 | table | 1 | counter | digits |",
            "| total | 3 | channel | 2 | counter, ends | counter, ends |",
        ]
    )


def test_the_figures_of_a_layout() -> None:
    system = counter_system()
    assert layout_figures(system, lay_out(system, SHAPE)) == {
        "main_chunks": 3, "helper_chunks": 2, "columns": 9, "log_chunk": 3,
    }  # fmt: skip


def test_seeded_points_are_hashes() -> None:
    first, second = (hashlib.sha512(f"label/{index}".encode()).hexdigest() for index in range(2))
    assert seeded_point("label", 2, R) == [int(first, 16) % R, int(second, 16) % R]


def test_a_fingerprint_is_the_fold_of_all_constraints_at_the_seeded_point() -> None:
    """Given the constraints as expressions, the fold of their values is the tape's fingerprint."""
    for chip in counter_system().chips:
        columns = len(chip.columns) + chip.helper_count
        count = columns + 2 + CHALLENGE_COUNT + len(PUBLIC_NAMES)
        *point, fold = seeded_point(f"fingerprint/{chip.name}", count + 1, R)
        leaves = [
            *((Op.COLUMN, index) for index in range(columns)),
            (Op.ROW, 0),
            (Op.ACTIVE, 0),
            *((Op.CHALLENGE, index) for index in range(CHALLENGE_COUNT)),
            *((Op.PUBLIC, index) for index in range(len(PUBLIC_NAMES))),
        ]
        inputs = dict(zip(leaves, point, strict=True))
        values = [value_of(each.expr, inputs) for each in chip.constraints]
        expected = sum(value * pow(fold, power, R) for power, value in enumerate(values)) % R
        assert fingerprint_chip(chip, R) == expected


def test_fingerprints_are_pinned() -> None:
    found = {chip.name: hex(fingerprint_chip(chip, R)) for chip in counter_system().chips}
    assert found == {
        "counter": "0x2e94c47f34f7127569b854935b2e6b0ced59f199bf1902b92b49086752e368e0",
        "digits": "0x2ae7bdeb8984ed5b8776291b92c0722b51271a88abdd79520ded69f0575c6ced",
        "ends": "0x4339470b115d4392f4ee9b1c9e8a5a7ed4febbb80dc9e02276ebf1d546b3957",
    }


def test_a_fingerprint_changes_with_any_constraint() -> None:
    def fingerprint_of(factor: int, offset: int, *, swap: bool) -> int:
        def constrain(c: Any, b: Builder) -> None:
            pair = [("square", c.x * c.x * factor), ("sum", c.x + c.y + offset)]
            for name, expr in reversed(pair) if swap else pair:
                b.assert_zero(name, expr)

        chip = make_chip("toy", {"x": Field, "y": Field}, constrain)
        return fingerprint_chip(compile_chip(chip, 0, R), R)

    variants = [(1, 1, False), (2, 1, False), (1, 2, False), (1, 1, True)]
    assert len({fingerprint_of(a, b, swap=swap) for a, b, swap in variants}) == len(variants)
