import pytest

from circuits.chips import command
from circuits.signature import verify
from tests.support import exchange
from tests.support.batches import break_every_constraint, rich_batch, rich_forgery, trace_of


def test_every_constraint_is_needed() -> None:
    break_every_constraint("command")


def test_rows_are_the_signed_commands() -> None:
    forgery = rich_forgery()
    assert forgery.cells["command"][0] == [7, 8, 9, 10, 12, 13]
    assert [forgery.value("command", "kind", row) for row in range(6)] == [3, 4, 3, 4, 3, 4]


def test_requests_hold_the_signatures_of_the_batch() -> None:
    requests = command.signature_requests(trace_of(rich_batch()))
    assert len(requests) == 6
    for key, digest, signature in requests:
        assert verify(key, digest, signature) is None


@pytest.mark.parametrize(
    ("column", "failing"),
    [
        ("step", {"bus clock", "bus authorized"}),
        ("time_previous", {"bus clock", "bus hash"}),
        ("elapsed.0", {"bus clock", "bus hash"}),
        ("queue_position", {"bus clock"}),
        ("kind", {"bus authorized", "bus hash"}),
        ("account", {"bus authorized", "bus hash"}),
        ("nonce.0", {"bus authorized", "bus hash"}),
        ("expiry_slack.0", {"bus hash"}),
        ("payload", {"bus authorized", "bus hash"}),
        ("key[0]", {"bus signature", "bus hash"}),
        ("key[1]", {"bus signature", "bus hash"}),
        ("owner", {"bus authorized", "bus hash"}),
        ("identity", {"bus authorized", "bus hash"}),
        ("digest", {"bus signature", "bus hash"}),
    ],
)
def test_every_word_of_a_command_is_bound(column: str, failing: set[str]) -> None:
    forged = rich_forgery().with_added("command", column, 0, 1).answered()
    assert forged.failing() == failing


def test_a_signature_for_another_domain_does_not_count() -> None:
    forged = rich_forgery().with_public("domain", exchange.DOMAIN + 1).answered()
    assert forged.failing() == {"bus hash"}


def test_every_signature_is_taken_once() -> None:
    assert rich_forgery().without_row("command", 0).answered().failing() == {
        "bus clock",
        "bus authorized",
        "bus signature",
    }


def test_a_signature_of_another_key_does_not_open_the_identity() -> None:
    """The forger signs with its own key and says that it belongs to the account."""
    forgery = rich_forgery()
    for lane in range(2):
        own = forgery.value("command", f"key[{lane}]", 1)
        forgery = forgery.with_cell("command", f"key[{lane}]", 0, own)
    assert forgery.answered().failing() == {"bus hash", "bus signature"}
