"""The yardstick in plain integers: a second way to its witness, and one that can lie.

`PlainWitness.of` fills the tables from trades that need not be honest and answers every look-up
that is true, as a forger would; what then still fails is what stops the forgery.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from circuits.air.builder import RANGE16
from circuits.air.bus import Bus
from circuits.air.check import ConstraintFailure, check, evaluate
from circuits.air.chip import System
from circuits.air.columns import FULL_BITS
from circuits.chips import bits, poseidon2, range16, signature
from circuits.chips.buses import HASH, WIDE
from circuits.chips.signature_trace import Request
from circuits.field import R, inverse
from circuits.poseidon2 import permute
from circuits.signature import account_key, sign
from circuits.witness.table import CellLists, Table, pack_table
from prover.bench.yardstick.chip import LINK_IV, LINKS, LINKS_PER_PARTY, TradeChip
from prover.bench.yardstick.system import CHIPS, yardstick_system
from prover.bench.yardstick.trades import Trades, account_secrets, make_trades
from tests.support.harness import TRUTHS, cells_of

SEED = 7
LIMB = 1 << 16


@cache
def trades_of(count: int) -> Trades:
    return make_trades(count, SEED)


@dataclass(frozen=True, slots=True)
class PlainTrade:
    """One trade as somebody claims it; `links` and `requests` may be false."""

    secrets: tuple[int, int]
    numbers: tuple[int, ...]
    links: tuple[int, ...]
    requests: tuple[Request, Request]

    @classmethod
    def signed(
        cls, domain: int, secrets: tuple[int, int], numbers: Sequence[int], wrong_link: int = -1
    ) -> PlainTrade:
        """A trade signed over its links; the one named is wrong and all later ones follow it."""
        links, link = [], domain
        for k, number in enumerate(numbers):
            key = account_key(secrets[k // LINKS_PER_PARTY])
            link = (permute((link, number, key[k % 2], LINK_IV))[0] + (k == wrong_link)) % R
            links.append(link)
        digests = links[LINKS_PER_PARTY - 1 :: LINKS_PER_PARTY]
        buyer, seller = (
            (account_key(secret), digest, sign(secret, digest))
            for secret, digest in zip(secrets, digests, strict=True)
        )
        return cls(secrets, tuple(numbers), tuple(links), (buyer, seller))

    def columns(self) -> dict[str, Any]:
        """Logical columns of its row, without the numbers' limbs."""
        buyer, seller = map(account_key, self.secrets)
        return {
            "buyer": [[word] for word in buyer],
            "seller": [[word] for word in seller],
            "inverse_difference": [inverse((buyer[0] - seller[0]) % R or 1)],
            "links": [[link] for link in self.links],
        }

    def limbs(self) -> list[list[int]]:
        """Four limbs of every number; the highest holds whatever is beyond the others."""
        return [
            [number >> 16 * k & LIMB - 1 if k < 3 else number >> 48]
            for number in self.numbers
            for k in range(4)
        ]


def honest_trades(count: int) -> list[PlainTrade]:
    """The trades of `trades_of`, signed by the plain functions."""
    trades, secrets = trades_of(count), account_secrets(count, SEED)
    return [
        PlainTrade.signed(
            trades.domain, (secrets[2 * k], secrets[2 * k + 1]), trades.numbers[k].tolist()
        )
        for k in range(count)
    ]


@dataclass(frozen=True)
class PlainWitness:
    """Cells of every chip by name, and the statement."""

    cells: dict[str, CellLists]
    words: tuple[int, ...]

    @classmethod
    def of(cls, domain: int, trades: Sequence[PlainTrade]) -> PlainWitness:
        requests = [request for trade in trades for request in trade.requests]
        chips = {chip.name: chip for chip in CHIPS}
        filled: Mapping[str, Mapping[str, Any]] = signature.fill(requests)
        cells = {name: cells_of(chips[name], columns) for name, columns in filled.items()}
        rows = [_row(trade) for trade in trades]
        cells["trade"] = [list(column) for column in zip(*rows, strict=True)]
        cells["pubdata"] = [[trade.links[LINKS - 1] for trade in trades]]
        return cls(cells, (domain,)).answered()

    def answered(self) -> PlainWitness:
        """Every look-up that is true is answered; the others stay open."""
        cells = {
            name: each
            for name, each in self.cells.items()
            if name not in ("poseidon2", "wide", "range16")
        }
        chips = {chip.name: chip for chip in CHIPS}
        hashes = poseidon2.fill(dict(self._asked(HASH, cells)))
        cells["poseidon2"] = cells_of(chips["poseidon2"], hashes)
        cells["wide"] = cells_of(chips["wide"], bits.fill(dict(self._asked(WIDE, cells))))
        counts = [0] * range16.HEIGHT
        for (value,), count in self._asked(RANGE16, cells).items():
            counts[value] += count
        cells["range16"] = [counts]
        return replace(self, cells=cells)

    def _asked(self, bus: Bus, cells: Mapping[str, CellLists]) -> Counter[Any]:
        """How often each true tuple of a table is looked up."""
        found: Counter[Any] = Counter()
        for chip in yardstick_system().chips:
            for each in chip.interactions:
                if each.bus is not bus or each.sign < 0 or chip.name not in cells:
                    continue
                columns = cells[chip.name]
                values = evaluate(each.values, columns, self.words, R, len(columns[0]))
                found.update(row for row in zip(*values, strict=True) if TRUTHS[bus.name](row))
        return found

    @property
    def pubdata(self) -> tuple[int, ...]:
        return tuple(self.cells["pubdata"][0])

    def with_cell(self, chip: str, column: str, row: int, value: int) -> PlainWitness:
        """One physical cell changed."""
        names = [each.name for each in yardstick_system().chip(chip).columns]
        columns = [list(each) for each in self.cells[chip]]
        columns[names.index(column)][row] = value % R
        return replace(self, cells=self.cells | {chip: columns})

    def failing(self) -> set[str]:
        """Names of what fails: "chip/constraint" or "bus name"."""
        return failing(self.cells, self.words)

    def tables(self, system: System) -> dict[str, Table]:
        """Typed tables, in the column widths of a system."""
        return {
            chip.name: pack_table(chip.name, chip.columns, self.cells[chip.name])
            for chip in system.chips
        }


def failing(cells: Mapping[str, CellLists], words: Sequence[int]) -> set[str]:
    """What the checker finds in whole tables of the yardstick, by name."""
    heights = {name: len(each[0]) for name, each in cells.items()}
    return {
        f"{each.chip}/{each.constraint}"
        if isinstance(each, ConstraintFailure)
        else f"bus {each.bus}"
        for each in check(yardstick_system(), cells, heights, words)
    }


def widened(system: System, column: str) -> System:
    """The same constraints with one column of the trade chip committed at full width.

    A forger may commit what it likes; the widths of columns are no part of a key.
    """
    chips = []
    for chip in system.chips:
        columns = tuple(
            replace(each, bits=FULL_BITS) if (chip.name, each.name) == ("trade", column) else each
            for each in chip.columns
        )
        chips.append(replace(chip, columns=columns))
    return replace(system, chips=tuple(chips))


def _row(trade: PlainTrade) -> list[int]:
    zeros = {"numbers": [[0]] * LINKS}
    cells = cells_of(TradeChip(), trade.columns() | zeros)
    limbs = trade.limbs()
    return [column[0] for column in [*cells[: -len(limbs)], *limbs]]
