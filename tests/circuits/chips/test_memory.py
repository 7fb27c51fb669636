"""The order of accesses, seen in whole batches."""

from tests.support import exchange
from tests.support.batches import Forgery, batch_of, rich_forgery


def test_gaps_count_the_steps_between_accesses() -> None:
    forgery = Forgery.honest(
        batch_of(
            exchange.deposit(1, 10),
            exchange.deposit(2, 10),
            exchange.deposit(1, 10),
            exchange.deposit(1, 10),
        )
    )
    assert forgery.cells["deposit"][-1] == [0, 1, 1, 0]
    assert [forgery.value("leaf", "time_last", row) for row in range(2)] == [4, 2]
    assert forgery.failing() == set()


def test_an_access_cannot_read_an_older_cell() -> None:
    """Skipping the access before leaves that one's cell unread and reads another one twice."""
    forgery = Forgery.honest(
        batch_of(exchange.deposit(1, 10), exchange.deposit(1, 20), exchange.deposit(1, 30))
    )
    forged = forgery.with_added("deposit", "gap", 2, 1)
    assert forged.answered().failing() == {"bus header"}


def test_an_access_cannot_read_its_own_or_a_later_cell() -> None:
    forged = rich_forgery().with_cell("transfer", "gap", 0, -1).answered()
    assert forged.failing() == {"bus header", "bus range16"}


def test_what_one_access_left_is_what_the_next_one_finds() -> None:
    forged = rich_forgery().with_added("withdraw", "cash", 0, 10**12).answered()
    assert forged.failing() == {"bus header"}
