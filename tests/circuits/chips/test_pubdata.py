import pytest

from tests.support.batches import break_every_constraint, rich_batch, rich_forgery


def test_every_constraint_is_needed() -> None:
    break_every_constraint("pubdata")


@pytest.mark.parametrize("row", range(43))
def test_every_published_word_is_bound(row: int) -> None:
    assert rich_forgery().with_added("pubdata", "word", row, 1).failing() == {"bus published"}


def test_the_column_is_the_published_data() -> None:
    assert tuple(rich_forgery().cells["pubdata"][0]) == rich_batch().statement.pubdata
    assert rich_forgery().height("pubdata") == 43


def test_no_word_can_be_left_out_added_or_moved() -> None:
    forgery = rich_forgery()
    assert forgery.without_row("pubdata", 42).failing() == {"bus published"}
    assert forgery.with_repeated_row("pubdata", 42).failing() == {"bus published"}
    assert forgery.with_swapped_rows("pubdata", 0, 4).failing() == {"bus published"}
