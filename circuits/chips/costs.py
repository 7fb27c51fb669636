"""What signatures, hashes and commands cost in committed cells, counted from the chips."""

from circuits.air.chip import System
from circuits.chips.buses import HASH, SIGNATURE, WIDE
from circuits.chips.signature_trace import TABLE_ROWS, WINDOW_ROWS


def costs(system: System) -> dict[str, int]:
    """Cells of one signature, hash and command of each kind, helper columns included.

    A command counts its own rows and all rows that answer their look-ups, except for the tables
    of 16-bit numbers and of the base point. Accounts and tree nodes, which the commands of a batch
    share, are counted on their own. Equal look-ups share a row in practice, so a batch needs fewer
    cells than this.
    """
    rows = {chip.name: chip.cells_per_row for chip in system.chips}
    signature = (
        rows["signature"]
        + WINDOW_ROWS * rows["signature_windows"]
        + TABLE_ROWS * rows["signature_table"]
        + _lookups(system, "signature", WIDE.name) * rows["wide"]
    )
    hashing = _lookups(system, "signature", HASH.name) * rows["poseidon2"]

    def row(chip: str) -> int:
        return (
            rows[chip]
            + _lookups(system, chip, WIDE.name) * rows["wide"]
            + _lookups(system, chip, HASH.name) * rows["poseidon2"]
            + _lookups(system, chip, SIGNATURE.name) * (signature + hashing)
        )

    return {
        "signature": signature,
        "signature with its hashes": signature + hashing,
        "hash": rows["poseidon2"],
        "transfer": row("command") + row("transfer"),
        "withdraw": row("command") + row("withdraw"),
        "deposit": row("queue") + row("deposit"),
        "register_key": row("queue") + row("register"),
        "touched account": row("leaf"),
        "touched tree node": row("tree"),
    }


def _lookups(system: System, chip: str, *buses: str) -> int:
    """How often a row of a chip asks on some buses, at most."""
    return sum(each.sign > 0 and each.bus.name in buses for each in system.chip(chip).interactions)
