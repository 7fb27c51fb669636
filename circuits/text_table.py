"""Plain tables for people: aligned columns, numbers with digits in groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

SHOWN_DIGITS_MAX = 18
TOKEN_DECIMALS = 6


def aligned(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """The lines of a table: the first column to the left, all others to the right."""
    table = [list(headings), *([shown(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if number == 0 else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]


def shown(value: object) -> str:
    """A cell of a table: integers in groups of three, seconds with two decimals."""
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if type(value) is int else str(value)


def short(value: object) -> str:
    """A value in one line of prose: a field element or hash by its ends."""
    if isinstance(value, int) and len(str(value)) > SHOWN_DIGITS_MAX:
        text = hex(value)
        return f"{text[:8]}…{text[-6:]}"
    return str(value)


def tokens(units: int) -> str:
    """Token units as people read them."""
    whole, part = divmod(units, 10**TOKEN_DECIMALS)
    return f"{whole:,}.{part:0{TOKEN_DECIMALS}d}"
