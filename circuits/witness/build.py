"""The whole witness of a batch: statement chips from its trace, look-up tables from demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from circuits.air.bus import Bus
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
from circuits.chips.buses import HASH, WIDE
from circuits.chips.signature_trace import Request
from circuits.chips.system import CHIPS, SHAPES, choose_shape, margin_system
from circuits.chips.trace import Trace
from circuits.errors import WitnessError
from circuits.exchange.addresses import header_address
from circuits.exchange.events import Event
from circuits.merkle import TouchedNode
from circuits.statement import Statement
from circuits.witness.file import Witness
from circuits.witness.look_ups import LookUps, look_ups, range_counts
from circuits.witness.record import make_trace, margin_events
from circuits.witness.table import CellColumns, Table, split_cells


def fill_hashes(asked: LookUps) -> Mapping[str, Any]:
    """The columns of all permutations that are asked for, one by one."""
    return poseidon2.fill(asked.as_mapping())


def fill_wide(asked: LookUps) -> Mapping[str, Any]:
    """The columns of all wide numbers that are asked for, one by one."""
    return bits.fill(asked.as_mapping())


@dataclass(frozen=True, slots=True)
class Fills:
    """How the tables of curve points and those of look-ups are filled, the costly ones."""

    signatures: Callable[[Sequence[Request]], Mapping[str, Mapping[str, Any]]] = signature.fill
    hashes: Callable[[LookUps], Mapping[str, Any]] = fill_hashes
    wide: Callable[[LookUps], Mapping[str, Any]] = fill_wide


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
        Table(chip.name, heights[chip.name], cells[chip.name]) for chip in margin_system().chips
    )
    return Witness(statement, chosen.name, tables)


def fill_cells(
    trace: Trace, publics: Sequence[int], fills: Fills = PLAIN_FILLS
) -> dict[str, CellColumns]:
    """Every chip's cells by chip name; look-up tables hold what is looked up."""
    system = margin_system()
    filled: dict[str, Mapping[str, Any]] = {
        name: fill(trace) for name, fill in STATEMENT_FILLS.items()
    }
    leaves = [header_address(account.account_id) for account in trace.accounts]
    filled["tree"] = tree.fill(trace.nodes, leaves)
    filled |= fills.signatures(command.signature_requests(trace))
    cells = {name: split_cells(CHIP_BY_NAME[name], columns) for name, columns in filled.items()}

    def asked(bus: Bus) -> LookUps:
        return look_ups(system, bus, cells, publics)

    def add(name: str, columns: Mapping[str, Any]) -> None:
        cells[name] = split_cells(CHIP_BY_NAME[name], columns)

    add("poseidon2", fills.hashes(asked(HASH)))
    add("wide", fills.wide(asked(WIDE)))
    add("range16", range16.fill(range_counts(system, cells, publics)))
    return cells
