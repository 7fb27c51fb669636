"""The witness of the yardstick, as typed columns made by array operations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuits.chips.bits import LIMB_BITS, LIMBS, WideChip
from circuits.chips.poseidon2 import Poseidon2Chip
from circuits.chips.pubdata import PubdataChip
from circuits.chips.range16 import HEIGHT, Range16Chip
from circuits.chips.signature import CHALLENGE_IV, SignatureChip
from circuits.chips.signature_trace import HALF_BITS
from circuits.edwards import SUBGROUP_ORDER
from circuits.field import R
from circuits.witness.table import Table, pack_table, split_cells
from prover.bench.yardstick.chip import LINKS, LINKS_PER_PARTY, PARTIES, TradeChip
from prover.bench.yardstick.system import CHIPS, PERMUTATIONS
from prover.bench.yardstick.trades import Trades, link_inputs, party_points
from prover.kernels import fr, poseidon2
from prover.witness_fills import fill_signatures

_CHIP_BY_NAME = {chip.name: chip for chip in CHIPS}
_WIDE_BYTES = LIMBS * LIMB_BITS // 8
_NUMBER_LIMBS = 4


@dataclass(frozen=True, slots=True)
class YardstickWitness:
    """What prove() takes: public words, published words, and the tables by chip name."""

    words: tuple[int, ...]
    pubdata: tuple[int, ...]
    tables: dict[str, Table]

    @property
    def heights(self) -> dict[str, int]:
        return {name: table.height for name, table in self.tables.items()}


def build_witness(trades: Trades) -> YardstickWitness:
    """All tables of the yardstick.

    Raises: ConstraintError for a signature that does not hold.
    Cost: 22 permutations and two signatures a trade, and about as much again to write them down.
    """
    points = party_points(trades.keys)
    permutations = _Permutations(len(trades) * PERMUTATIONS)
    links = _links(trades, points, permutations)
    made = _signature_tables(trades, links)
    made["trade"] = _trade_table(trades, points, links)
    signatures = made[SignatureChip.name]
    _challenges(signatures, permutations)
    made[Poseidon2Chip.name] = permutations.table()
    made[WideChip.name] = _wide_table(signatures)
    published = _plain(links[-1])
    made[PubdataChip.name] = Table(PubdataChip.name, len(trades), (published,))
    made[Range16Chip.name] = _range_table(made)
    tables = {chip.name: made[chip.name] for chip in CHIPS}
    return YardstickWitness((trades.domain,), tuple(fr.to_ints(links[-1])), tables)


class _Permutations:
    """The rows of the permutation chip, filled from the top; each is looked up once.

    A row that repeats another is as good as one with a higher count.
    """

    def __init__(self, rows: int) -> None:
        columns = poseidon2.WIDTH + poseidon2.SBOX_COUNT
        self._cells = np.empty((columns, rows, 4), dtype=np.uint64)
        self._filled = 0

    def add(self, states: np.ndarray) -> np.ndarray:
        """Trace states uint64[n, 4, 4] and return the permuted ones, both in Montgomery form."""
        count = len(states)
        rows = slice(self._filled, self._filled + count)
        self._filled += count
        permuted, sbox = poseidon2.trace_cells(states)
        for lane in range(poseidon2.WIDTH):
            self._cells[lane, rows] = _plain(states[:, lane])
        self._cells[poseidon2.WIDTH :, rows] = sbox
        return permuted

    def table(self) -> Table:
        counts = np.ones(self._filled, dtype=np.uint32)
        return Table(Poseidon2Chip.name, self._filled, (*self._cells, counts))


def _links(trades: Trades, points: np.ndarray, permutations: _Permutations) -> list[np.ndarray]:
    """The chain of every trade, one array uint64[n, 4] per link in Montgomery form."""
    links = [fr.constant(trades.domain)]
    for number in range(LINKS):
        states = link_inputs(links[-1], points, trades.numbers, number)
        links.append(permutations.add(states)[:, 0].copy())
    return links[1:]


def _signature_tables(trades: Trades, links: list[np.ndarray]) -> dict[str, Table]:
    signed = np.stack(links[LINKS_PER_PARTY - 1 :: LINKS_PER_PARTY], axis=1)
    digests = fr.to_ints(signed.reshape(-1, 4))
    filled = fill_signatures(list(zip(trades.keys, digests, trades.signatures, strict=True)))
    tables = {}
    for name, columns in filled.items():
        chip = _CHIP_BY_NAME[name]
        tables[name] = pack_table(name, chip.Cols.physical, split_cells(chip, columns))
    return tables


def _trade_table(trades: Trades, points: np.ndarray, links: list[np.ndarray]) -> Table:
    difference = fr.sub(points[:, 0, 0].copy(), points[:, 1, 0].copy())
    coordinates = [points[:, party, axis] for party in range(PARTIES) for axis in range(2)]
    full = (*coordinates, fr.batch_inverse(difference), *links)
    limbs = trades.numbers.astype("<u8").view("<u2").reshape(len(trades), LINKS * _NUMBER_LIMBS)
    narrow = np.ascontiguousarray(limbs.T)
    return Table(TradeChip.name, len(trades), (*map(_plain, full), *narrow))


def _challenges(signatures: Table, permutations: _Permutations) -> None:
    """The permutation of every signature's challenge."""
    cells = _columns(signatures)
    words = [fr.to_montgomery(cells[name]) for name in ("r_x", "key[0]", "digest")]
    iv = np.broadcast_to(fr.constant(CHALLENGE_IV), words[0].shape)
    permutations.add(np.stack((*words, iv), axis=1))


def _wide_table(signatures: Table) -> Table:
    """What every signature looks up of its scalars, one row each."""
    cells = _columns(signatures)
    numbers: list[int] = []
    for name, bound in (("h", R - 1), ("s", SUBGROUP_ORDER - 1)):
        bound_high, bound_low = divmod(bound, 1 << HALF_BITS)
        borrows = cells[f"{name}_borrow"].tolist()
        lows, highs = (_integers(cells[f"{name}_{half}"]) for half in ("low", "high"))
        for low, high, borrow in zip(lows, highs, borrows, strict=True):
            numbers.append(bound_low - low + (borrow << HALF_BITS))
            numbers.append(bound_high - high - borrow)
    numbers += _integers(cells["h_high"])
    data = b"".join(number.to_bytes(_WIDE_BYTES, "little") for number in numbers)
    limbs = np.frombuffer(data, dtype="<u2").reshape(-1, LIMBS)
    narrow = np.zeros(len(numbers), dtype=np.uint8)
    counts = np.ones(len(numbers), dtype=np.uint32)
    return Table(WideChip.name, len(numbers), (*np.ascontiguousarray(limbs.T), narrow, counts))


def _range_table(tables: dict[str, Table]) -> Table:
    """How often each 16-bit number is a limb; no other look-up of that table is made here."""
    counts = np.zeros(HEIGHT, dtype=np.int64)
    for name, table in tables.items():
        for physical, column in zip(_CHIP_BY_NAME[name].Cols.physical, table.columns, strict=True):
            if physical.rule == "u16":
                counts += np.bincount(column, minlength=HEIGHT)
    return Table(Range16Chip.name, HEIGHT, (counts.astype(np.uint32),))


def _columns(table: Table) -> dict[str, np.ndarray]:
    physical = _CHIP_BY_NAME[table.name].Cols.physical
    return {each.name: column for each, column in zip(physical, table.columns, strict=True)}


def _plain(elements: np.ndarray) -> np.ndarray:
    return fr.from_montgomery(np.ascontiguousarray(elements))


def _integers(cells: np.ndarray) -> list[int]:
    return [int.from_bytes(row.tobytes(), "little") for row in cells]
