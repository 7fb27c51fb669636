"""Two small chips that use both kinds of buses: for reports, tables and fingerprints."""

from __future__ import annotations

from typing import Any

from circuits.air.builder import Builder
from circuits.air.bus import Bus
from circuits.air.chip import System, compile_system
from circuits.air.columns import U8, Bit, Field, Given
from circuits.air.expr import ROW, public
from circuits.field import R
from tests.support.chips import make_chip

SMALL = Bus("small", 2, 1, is_table=True)
TOTAL = Bus("total", 3, 2)
PUBLIC_NAMES = ("first", "last")


def _count(c: Any, b: Builder) -> None:
    b.assert_zero("step is odd", c.flag * (c.step - 1) * (c.step - 3))
    b.assert_eq("after", c.after, c.before + c.step)
    b.lookup(SMALL, c.step, times=1 - c.flag)
    b.receive(TOTAL, ROW, c.before)
    b.send(TOTAL, ROW + 1, c.after)


def _ends(c: Any, b: Builder) -> None:
    b.send(TOTAL, 0, public(0))
    b.receive(TOTAL, c.count, public(1))


COUNTER = make_chip(
    "counter",
    {"flag": Bit, "step": Given[U8], "before": Field, "after": Field},
    _count,
    "One addition to the total.\n\nSteps are small or odd.",
)
DIGITS = make_chip(
    "digits",
    {"times": Field},
    lambda c, b: b.provide(SMALL, ROW, times=c.times),
    "A number below the height.",
)
ENDS = make_chip("ends", {"count": Field}, _ends, "First and last total.")


def counter_system() -> System:
    return compile_system((COUNTER, DIGITS, ENDS), PUBLIC_NAMES, "digits", ("ends",), R)


def counter_tables() -> dict[str, list[list[int]]]:
    """Steps 2, 3 and 1 from 10; the second is flagged, so it is odd and not looked up."""
    return {
        "counter": [[0, 1, 0], [2, 3, 1], [10, 12, 15], [12, 15, 16]],
        "digits": [[0, 1, 1, 0]],
        "ends": [[3]],
    }


PUBLICS = (10, 16)
HEIGHTS = {"counter": 3, "digits": 4, "ends": 1}
