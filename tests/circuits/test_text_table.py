"""Tables and numbers for people."""

from __future__ import annotations

import pytest

from circuits.text_table import aligned, short, tokens


def test_columns_line_up_and_lines_have_no_tail() -> None:
    rows = [("tree", 1_234, 0.5), ("leaf", 7, ""), ("all", True, 12.0)]
    assert aligned(("chip", "rows", "seconds"), rows) == [
        "chip   rows  seconds",
        "tree  1,234     0.50",
        "leaf      7",
        "all    True    12.00",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (10**17, "100000000000000000"),
        (10**18, "0xde0b6b…640000"),
        ("a name that is not a number", "a name that is not a number"),
    ],
)
def test_long_numbers_are_shown_by_their_ends(value: object, text: str) -> None:
    assert short(value) == text


def test_token_units_are_shown_as_tokens() -> None:
    assert tokens(1_234_000_005) == "1,234.000005"
