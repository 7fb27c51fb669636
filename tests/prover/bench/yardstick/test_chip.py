"""The trade chip alone, with drivers on its buses."""

import random
from functools import cache

import pytest

from circuits.air.lint import lint
from circuits.field import R
from prover.bench.yardstick.chip import LINKS
from prover.bench.yardstick.system import yardstick_system
from tests.support.breaker import assert_every_constraint_breakable
from tests.support.harness import Harness, rows_of
from tests.support.yardstick import PlainTrade, PlainWitness, honest_trades, trades_of

TRADES = 2


@cache
def witness() -> PlainWitness:
    return PlainWitness.of(trades_of(TRADES).domain, honest_trades(TRADES))


@pytest.fixture(scope="module")
def harness() -> Harness:
    cells = {"trade": witness().cells["trade"]}
    return Harness.honest_cells([yardstick_system().chip("trade")], cells, witness().words)


def test_trades_are_accepted(harness: Harness) -> None:
    assert harness.failures() == []
    assert lint(harness.system) == []


def test_random_numbers_of_64_bits_are_accepted(rng: random.Random) -> None:
    numbers = [0, (1 << 64) - 1, *(rng.getrandbits(64) for _ in range(LINKS - 2))]
    trade = PlainTrade.signed(5, (rng.randrange(1, R >> 8), 3), numbers)
    assert PlainWitness.of(5, [trade]).failing() == set()


def test_every_constraint_is_needed(harness: Harness) -> None:
    chip, rows = harness.system.chip("trade"), rows_of(harness.tables["trade"])
    breaks = assert_every_constraint_breakable(chip, rows, harness.publics, R)
    assert list(breaks) == ["buyer is not the seller"]


LAST = LINKS - 1
EXPECTED = {
    "buyer[0]": {"trade/buyer is not the seller", "bus hash", "bus signature"},
    "buyer[1]": {"bus hash", "bus signature"},
    "seller[0]": {"trade/buyer is not the seller", "bus hash", "bus signature"},
    "seller[1]": {"bus hash", "bus signature"},
    "inverse_difference": {"trade/buyer is not the seller"},
    **{f"links[{k}]": {"bus hash"} for k in range(LINKS)},
    "links[9]": {"bus hash", "bus signature"},
    f"links[{LAST}]": {"bus hash", "bus signature", "bus published"},
    **{f"numbers[{k}].{limb}": {"bus hash"} for k in range(LINKS) for limb in range(4)},
}


def test_every_column_is_listed(harness: Harness) -> None:
    assert set(EXPECTED) == {each.name for each in harness.system.chip("trade").columns}


@pytest.mark.parametrize("column", EXPECTED)
def test_every_cell_is_bound(harness: Harness, column: str) -> None:
    assert harness.tampered("trade", column, 1, 5).failing() == EXPECTED[column]


@pytest.mark.parametrize("limb", range(4))
@pytest.mark.parametrize("value", [1 << 16, R - 1])
def test_a_limb_beyond_16_bits_is_found(harness: Harness, limb: int, value: int) -> None:
    tampered = harness.tampered("trade", f"numbers[3].{limb}", 0, value)
    assert tampered.failing() == {"bus range16", "bus hash"}


def test_nobody_trades_with_himself() -> None:
    trade = PlainTrade.signed(5, (3, 3), range(LINKS))
    assert PlainWitness.of(5, [trade]).failing() == {"trade/buyer is not the seller"}


def test_chains_start_at_the_domain(harness: Harness) -> None:
    moved = PlainWitness.of(witness().words[0] + 1, honest_trades(TRADES))
    assert moved.failing() == {"bus hash"}
