"""How much memory a proof takes, stage by stage, and how much there is.

What is held, with chunks of C = 2^log_chunk cells and full-width cells of 32 bytes:

    all stages     the tables as they came, narrow cells at their own width; from the helpers
                   until the combination also the helper columns
    commitments    the scalars of one pass as digits, which is one chunk or several small ones:
                   SCALAR_BYTES per active cell; and their references and points on the way into
                   buckets: THREAD_SCALAR_BYTES per active cell and thread. Where cells repeat,
                   also a copy of the bases and the sums that are added to it: 64 C, and 64 bytes
                   for each of those cells; what finds them comes before the digits and is less
    sumcheck       operands (see `kernels.plan`; about one per column) for half of the rows, then
                   beside them for a quarter: 16 + 8 bytes per operand and row
    reduction      per chip the weighted sum of its columns with its half beside it: 48 bytes a
                   row; then the combination of all chunks (32 C)
    opening        f and its folds (64 C), the quotient (32 C), one polynomial as plain integers
                   (32 C), and a commitment to C full-width cells

The bound, for up to BOUND_THREADS threads: the reference string, BYTES_PER_CELL for each
full-width cell, and for each narrow cell its own width and NARROW_EXTRA bytes, as it may become
an operand. The opening works on whole chunks however few cells there are, so a batch counts as at
least CHUNKS_MIN chunks of full-width cells.

The interpreter, its libraries and the compiled kernels come on top of both: BASE_BYTES. So do the
processes of a Ray that is started for the proof: RAY_BYTES.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from circuits.air.tape import Tape
from prover.backend import Circuit
from prover.errors import NotEnoughMemory
from prover.executor_options import ExecutorOptions
from prover.kernels.msm import PASS_ROWS
from prover.kernels.parallel import threads
from prover.kernels.plan import make_plan
from prover.memory_limits import available_bytes
from prover.processes import MIB, own_resident_bytes
from prover.prove import Stage

BASE_BYTES = 300 * MIB
# Measured: what its own processes hold beside shared pages, and its library in the coordinator.
RAY_BYTES = 460 * MIB
BYTES_PER_CELL = 120
NARROW_EXTRA = 32
CHUNKS_MIN = 8
BOUND_THREADS = 4

# The multi-scalar multiplication holds two bytes for each scalar and window that it reaches, at
# full width up to 46. A thread sorts the rows of one window, or of a part of it: per row a
# reference and an entry to sort (12 bytes), then half as many points with their references (34),
# and what buckets take. Where rows are many beside buckets, all parts in hand together are a third
# of the pairs of scalar and window, for full width about what BOUND_THREADS whole windows take.
SCALAR_BYTES = 48
THREAD_SCALAR_BYTES = 72
# Blocks of rows in the hands of one thread, for the widest chip.
_THREAD_BYTES = 4 * MIB
_CELL = 32
_POINT = 64


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Bytes of one proof beside BASE_BYTES.

    `stages` holds what each stage needs beside the setup and the tables.
    """

    setup: int
    tables: int
    stages: Mapping[Stage, int]
    bound: int

    @property
    def peak(self) -> int:
        """The most that is held at once."""
        return self.setup + self.tables + max(self.stages.values())


def plan(circuit: Circuit, heights: Mapping[str, int] | None = None) -> MemoryPlan:
    """What a proof of tables of these heights takes, or of full tables."""
    key = circuit.key
    if heights is None:
        heights = {chip.name: 1 << chip.log_height for chip in key.chips}
    cells = 1 << key.log_chunk
    narrow = narrow_bytes = full = helpers = operands = mixed = 0
    for chip, compiled in zip(key.chips, circuit.system.chips, strict=True):
        height = heights[chip.name]
        widths = [max(column.bits, 8) // 8 for column in compiled.columns]
        full += (widths.count(_CELL) + chip.helper_columns) * height
        helpers += _CELL * chip.helper_columns * height
        narrow += sum(1 for width in widths if width != _CELL) * height
        narrow_bytes += sum(width for width in widths if width != _CELL) * height
        stored = _stored_operands(chip.tape, chip.main_columns) if chip.log_height else 0
        operands += stored * height
        mixed += 48 * height
    in_pass = max(cells, PASS_ROWS)
    work = threads() * _THREAD_BYTES
    repeated = _POINT * (cells + min(in_pass, full))
    stages = {
        Stage.COMMIT: _commitment(min(in_pass, narrow + full)) + repeated + work,
        Stage.HELPERS: helpers + _commitment(min(in_pass, helpers // _CELL)) + work,
        Stage.SUMCHECK: helpers + 24 * operands + work,
        Stage.REDUCTION: helpers + max(mixed, _CELL * cells) + work,
        Stage.OPENING: 4 * _CELL * cells + _commitment(cells) + work,
    }
    setup = _POINT * cells
    bound = setup + BYTES_PER_CELL * max(full, CHUNKS_MIN * cells) + work
    bound += narrow_bytes + NARROW_EXTRA * narrow
    return MemoryPlan(setup, _CELL * full - helpers + narrow_bytes, stages, bound)


def needed_bytes(
    circuit: Circuit,
    heights: Mapping[str, int] | None = None,
    options: ExecutorOptions | None = None,
) -> int:
    """Memory of all processes that make one proof on this machine, see `plan`.

    `options` are those of an executor that is still to start. Each of its workers brings an
    interpreter and its kernels; the rows they hold are those that one process would hold.
    """
    base = BASE_BYTES
    if options is not None:
        base += options.local_workers * BASE_BYTES + options.starts_ray * RAY_BYTES
    return base + plan(circuit, heights).peak


def require_memory(
    circuit: Circuit,
    heights: Mapping[str, int] | None = None,
    options: ExecutorOptions | None = None,
) -> None:
    """Refuse work that would not fit, before it begins. Raises: NotEnoughMemory.

    What this process holds already counts as available, since the proof needs it or reuses it.
    """
    needed = needed_bytes(circuit, heights, options)
    require_room(f"memory for shape {circuit.key.shape_name}", needed)


def require_room(place: str, needed: int) -> None:
    """Refuse what takes so many bytes in all. Raises: NotEnoughMemory, which says `place`."""
    usable = usable_bytes()
    if usable is not None and usable < needed:
        remedy = "stop other work, raise a limit on memory, or use a larger machine"
        got = f"{usable // MIB:,} MiB available: {remedy}"
        raise NotEnoughMemory(place, f"{needed // MIB:,} MiB", got)


def usable_bytes() -> int | None:
    """What this process may take in all; None where the system does not say."""
    available = available_bytes()
    return None if available is None else available + (own_resident_bytes() or 0)


def _commitment(scalars: int) -> int:
    return scalars * (SCALAR_BYTES + THREAD_SCALAR_BYTES * min(threads(), BOUND_THREADS))


@lru_cache(maxsize=256)
def _stored_operands(tape: Tape, main_columns: int) -> int:
    # What a plan stores depends on no number that becomes known later.
    challenges, publics, weights = (
        [0] * count for count in (tape.challenges, tape.publics, tape.constraints)
    )
    return make_plan(tape, main_columns, challenges, publics, weights, weights).stored
