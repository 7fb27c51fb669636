"""The constraint interpreter on the margin system's chip with the most operations."""

from __future__ import annotations

import numpy as np

from circuits.air.chip import CompiledChip
from circuits.air.tape import evaluate_tape
from circuits.chips.system import margin_system
from circuits.field import R
from prover.bench.field import random_elements
from prover.bench.measure import Measurement, StopWatch
from prover.compiled.columns import ChipColumns
from prover.compiled.zerocheck import ChipRows, add_up
from prover.kernels import fr
from prover.kernels.equality import SplitEquality
from prover.kernels.plan import ChipPlan, make_plan
from prover.kernels.sumcheck import CLASSES, REST
from prover.kernels.tape import RowState
from prover.memory import require_room
from prover.rounds import extend

STAGE = "interpret"
# The first round of the sumcheck is not evaluated at 0 and 1, where it is known; one other point
# is enough to measure.
_POINT = 2
_CHECKED_ROWS = 32
_WEIGHT = 3
# The columns, and the numbers that they are drawn as.
_COPIES = 2
_CHALLENGE = 5


def biggest_chip() -> CompiledChip:
    """The chip whose rows take the most operations."""
    return max(margin_system().chips, key=lambda chip: chip.tape.operations)


def measure_tape(log_rows: int, repeat: int) -> Measurement:
    """One point of one sumcheck round over 2^log_rows random rows.

    A unit is one operation of the chip's tape on one pair of rows, whatever the prover makes of the
    tape. The same round over a few rows is compared with plain integers, and all repeats with each
    other. Raises: NotEnoughMemory.
    """
    chip = biggest_chip()
    require_room(f"memory for 2^{log_rows} rows", _COPIES * 32 * chip.tape.columns << log_rows)
    plan = make_plan(
        chip.tape, len(chip.columns), _challenges(chip), _publics(chip), _weights(chip),
        chip.zero_values,
    )  # fmt: skip
    few = _columns(chip, _CHECKED_ROWS)
    verified = _round(plan, few) == _expected(chip, few)
    columns = _columns(chip, 1 << log_rows)
    runs, sums = [], set()
    for _ in range(repeat):
        watch = StopWatch()
        watch.begin(STAGE)
        sums.add(_round(plan, columns))
        runs.append(watch.stop())
    units = chip.tape.operations << log_rows - 1
    return Measurement(chip.name, "operation", units, tuple(runs), verified and len(sums) == 1)


def _columns(chip: CompiledChip, rows: int) -> ChipColumns:
    """Random cells of full width in every column."""
    cells = random_elements(chip.tape.columns * rows, 1).reshape(chip.tape.columns, rows, 4)
    return ChipColumns.of(rows, list(cells))


def _publics(chip: CompiledChip) -> list[int]:
    return list(range(chip.tape.publics))


def _challenges(chip: CompiledChip) -> list[int]:
    return [_CHALLENGE] * chip.tape.challenges


def _weights(chip: CompiledChip) -> list[int]:
    return [pow(_WEIGHT, number, R) for number in range(chip.tape.constraints)]


def _round(plan: ChipPlan, columns: ChipColumns) -> int:
    """Sum over pairs of rows of the folded constraints at the point, with equality weights."""
    rows = ChipRows(columns, plan, RowState.start(columns.height))
    wanted = np.arange(plan.degree + 1) == _POINT
    sums = add_up(rows.jobs(SplitEquality.of(_point(columns.height)), wanted))
    low = sums[CLASSES : CLASSES + plan.points.low_degree + 1]
    value = sums[CLASSES + len(wanted) + _POINT] + extend(sums[REST : REST + 2], _POINT + 1)[_POINT]
    return (value + (extend(low, _POINT + 1)[_POINT] if low else 0)) % R


def _point(rows: int) -> list[int]:
    return [3 + bit for bit in range((rows // 2 - 1).bit_length())]


def _expected(chip: CompiledChip, columns: ChipColumns) -> int:
    cells = [
        [int.from_bytes(cell.tobytes(), "little") for cell in column] for column in columns.columns
    ]
    equality = fr.to_ints(fr.eq_table(_point(columns.height)))
    total = 0
    for pair, weight in enumerate(equality[: columns.height // 2]):
        even, odd = 2 * pair, 2 * pair + 1
        at_point = [(column[even] + _POINT * (column[odd] - column[even])) % R for column in cells]
        values = evaluate_tape(
            chip.tape, at_point, even + _POINT, 1, _challenges(chip), _publics(chip), R
        )
        total += weight * sum(w * v for w, v in zip(_weights(chip), values, strict=True))
    return total % R
