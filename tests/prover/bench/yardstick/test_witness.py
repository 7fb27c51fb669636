"""The yardstick's witness made by arrays satisfies every chip, and says what the plain one says."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from circuits.errors import ConstraintError
from circuits.signature import verify
from prover.bench.yardstick.system import CHIPS, key_for, yardstick_system
from prover.bench.yardstick.trades import make_trades
from prover.bench.yardstick.witness import build_witness
from prover.witness import check_tables
from tests.support.yardstick import PlainWitness, failing, honest_trades, trades_of

# Filled from what is looked up, so rows may repeat or come in another order.
TABLES = ("poseidon2", "wide")


@pytest.mark.parametrize("count", [1, 3])
def test_the_witness_satisfies_every_chip_and_fits_the_key(count: int) -> None:
    witness = build_witness(trades_of(count))
    cells = {name: table.cells() for name, table in witness.tables.items()}
    assert failing(cells, witness.words) == set()
    heights = check_tables(key_for(count), yardstick_system(), witness.tables, witness.pubdata)
    assert heights == [witness.heights[chip.name] for chip in CHIPS]


def test_cells_are_those_of_the_plain_witness() -> None:
    count = 2
    plain = PlainWitness.of(trades_of(count).domain, honest_trades(count))
    witness = build_witness(trades_of(count))
    assert (witness.words, witness.pubdata) == (plain.words, plain.pubdata)
    for name, table in witness.tables.items():
        cells = table.cells()
        if name in TABLES:
            assert Counter(zip(*cells, strict=True)) == Counter(
                zip(*plain.cells[name], strict=True)
            )
        else:
            assert cells == plain.cells[name], name


def test_signatures_are_real_and_accounts_distinct() -> None:
    trades = trades_of(3)
    plain = honest_trades(3)
    assert len(set(trades.keys)) == len(trades.keys) == 6
    for number, trade in enumerate(plain):
        for party, (key, digest, signature) in enumerate(trade.requests):
            assert trades.keys[2 * number + party] == key
            assert trades.signatures[2 * number + party] == signature
            assert verify(key, digest, signature) is None


def test_a_seed_decides_the_trades() -> None:
    assert make_trades(2, 1).signatures == make_trades(2, 1).signatures
    first, second = make_trades(1, 1), make_trades(1, 2)
    assert first.domain != second.domain
    assert not set(first.keys) & set(second.keys)


def test_a_number_changed_after_signing_has_no_witness() -> None:
    trades = trades_of(2)
    numbers = trades.numbers.copy()
    numbers[1, 0] ^= np.uint64(1)
    with pytest.raises(ConstraintError, match="signature 2: expected "):
        build_witness(replace(trades, numbers=numbers))
