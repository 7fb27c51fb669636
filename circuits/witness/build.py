"""The whole witness of a batch: statement chips from its trace, look-up tables from demand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.air.builder import RANGE16
from circuits.air.bus import Bus
from circuits.air.check import evaluate
from circuits.air.shape import Shape
from circuits.chips import (
    batch,
    bits,
    command,
    deposit,
    leaf,
    poseidon2,
    pubdata,
    queue,
    range16,
    register,
    signature,
    transfer,
    tree,
    withdraw,
)
from circuits.chips.buses import HASH, PERMUTE, WIDE
from circuits.chips.signature_trace import Request
from circuits.chips.system import CHIPS, SHAPES, choose_shape, margin_system
from circuits.chips.trace import Trace
from circuits.errors import WitnessError
from circuits.exchange.addresses import header_address
from circuits.exchange.events import Event
from circuits.merkle import TouchedNode
from circuits.statement import Statement
from circuits.witness.file import Witness
from circuits.witness.record import make_trace, margin_events
from circuits.witness.table import PackedCells, as_integers, pack_table, split_cells


@dataclass(frozen=True, slots=True)
class Fills:
    """How the tables of curve points and permutations are filled, the costly ones."""

    signatures: Callable[[Sequence[Request]], Mapping[str, Mapping[str, Any]]] = signature.fill
    permutations: Callable[
        [Mapping[poseidon2.HashDemand, int], Mapping[poseidon2.PermuteDemand, int]],
        Mapping[str, Any],
    ] = poseidon2.fill


PLAIN_FILLS = Fills()
STATEMENT_FILLS = {
    "leaf": leaf.fill,
    "command": command.fill,
    "transfer": transfer.fill,
    "withdraw": withdraw.fill,
    "queue": queue.fill,
    "deposit": deposit.fill,
    "register": register.fill,
    "pubdata": pubdata.fill,
    "batch": batch.fill,
}
CHIP_BY_NAME = {chip.name: chip for chip in CHIPS}


def build(
    statement: Statement,
    events: Sequence[Event],
    nodes: Sequence[TouchedNode],
    shape: Shape | None = None,
    fills: Fills = PLAIN_FILLS,
) -> Witness:
    """The witness of a sealed batch, in the smallest shape that holds it if none is given.

    `nodes` are the touched inner nodes of the state tree, as its update returned them.
    Raises: WitnessError for a command that no chip proves yet, or when a chip has more rows than
    its shape; ConstraintError when events or nodes contradict each other.
    Cost: about 5 ms per signed command with the plain fills.
    """
    proven = margin_events(statement.batch_number, events)
    cells = fill_cells(make_trace(statement, proven, nodes), statement.words(), fills)
    heights = {name: len(columns[0]) for name, columns in cells.items()}
    chosen = shape or choose_shape(heights) or list(SHAPES.values())[-1]
    for name, height in heights.items():
        capacity = 1 << chosen.log_height(name)
        if height > capacity:
            raise WitnessError(
                f"batch {statement.batch_number}",
                f"chip {name}",
                f"at most {capacity} rows in shape {chosen.name}",
                height,
            )
    tables = tuple(
        pack_table(chip.name, chip.columns, cells[chip.name]) for chip in margin_system().chips
    )
    return Witness(statement, chosen.name, tables)


def fill_cells(
    trace: Trace, publics: Sequence[int], fills: Fills = PLAIN_FILLS
) -> dict[str, PackedCells]:
    """Every chip's cells by chip name; look-up tables hold what is looked up."""
    filled: dict[str, Mapping[str, Any]] = {
        name: fill(trace) for name, fill in STATEMENT_FILLS.items()
    }
    leaves = [header_address(account.account_id) for account in trace.accounts]
    filled["tree"] = tree.fill(trace.nodes, leaves)
    filled |= fills.signatures(command.signature_requests(trace))
    cells = {name: split_cells(CHIP_BY_NAME[name], columns) for name, columns in filled.items()}

    def add(name: str, columns: Mapping[str, Any]) -> None:
        cells[name] = split_cells(CHIP_BY_NAME[name], columns)

    hashes, permutations = demand(HASH, cells, publics), demand(PERMUTE, cells, publics)
    add("poseidon2", fills.permutations(hashes, permutations))
    add("wide", bits.fill(demand(WIDE, cells, publics)))
    counts = np.zeros(range16.HEIGHT, dtype=np.uint32)
    for (value,), count in demand(RANGE16, cells, publics).items():
        counts[value] += count
    add("range16", range16.fill(counts))
    return cells


def demand(bus: Bus, cells: Mapping[str, PackedCells], publics: Sequence[int]) -> Counter[Any]:
    """How often each tuple of a table is looked up by the chips that are filled already."""
    system = margin_system()
    found: Counter[Any] = Counter()
    for chip in system.chips:
        asking = [each for each in chip.interactions if each.bus is bus and each.sign > 0]
        if not asking or chip.name not in cells:
            continue
        columns = as_integers(cells[chip.name])
        for each in asking:
            times, *values = evaluate(
                [each.times, *each.values], columns, publics, system.modulus, len(columns[0])
            )
            rows: Iterable[tuple[int, ...]] = zip(*values, strict=True)
            for count, row in zip(times, rows, strict=True):
                if count:
                    found[row] += count
    return found
