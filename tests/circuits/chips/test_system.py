from typing import Any

import pytest

from circuits.air.lint import lint
from circuits.air.shape import lay_out
from circuits.chips.costs import costs
from circuits.chips.system import (
    CHIPS,
    SHAPE_M,
    SHAPE_S,
    SHAPES,
    choose_shape,
    fingerprints,
    fits,
    margin_system,
)
from circuits.chips.words import statement_word
from circuits.statement import PUBLIC_WORDS
from tests.support.batches import rich_forgery


def test_lint_has_no_findings() -> None:
    assert lint(margin_system()) == []


def test_every_chip_is_documented_with_its_soundness() -> None:
    for chip in CHIPS:
        assert "    Soundness" in (type(chip).__doc__ or ""), chip.name


def test_the_system_is_compiled_once() -> None:
    assert margin_system() is margin_system()
    assert [chip.name for chip in margin_system().chips] == [chip.name for chip in CHIPS]


def test_columns_stay_within_what_the_proof_can_carry() -> None:
    """Each column is 32 bytes of proof; most of the 19 kB is these."""
    columns = sum(chip.cells_per_row for chip in margin_system().chips)
    assert columns <= 376
    assert margin_system().degree == 7


def test_cells_of_signature_hash_and_command() -> None:
    figures = costs(margin_system())
    assert figures["signature"] <= 616
    assert figures["hash"] <= 94
    assert figures["signature with its hashes"] == figures["signature"] + figures["hash"]
    assert figures["transfer"] <= 956
    assert figures["withdraw"] <= 952


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_shapes_lay_out(shape: Any) -> None:
    layout = lay_out(margin_system(), shape)
    assert len(layout.pieces) == sum(chip.cells_per_row for chip in margin_system().chips)
    assert shape.log_height("range16") == 16, "its rows are the 16-bit numbers, no more"


def test_the_smallest_shape_that_fits_is_chosen() -> None:
    rows = {name: len(cells[0]) for name, cells in rich_forgery().cells.items()}
    assert choose_shape(rows) is SHAPE_S
    assert choose_shape(rows | {"command": 512}) is SHAPE_S
    assert choose_shape(rows | {"command": 513}) is SHAPE_M
    assert choose_shape(rows | {"command": 4097}) is None
    assert fits(rows, SHAPE_M)
    assert not fits(rows | {"batch": 2}, SHAPE_M)


def test_fingerprints_are_as_pinned(pinned: Any) -> None:
    pinned.check("fingerprints", fingerprints(margin_system()))


def test_public_words_are_named() -> None:
    assert statement_word("old_root").value == PUBLIC_WORDS.index("old_root")
    with pytest.raises(ValueError, match="not in tuple"):
        statement_word("colour")
