"""A process that proves one wide table of random cells and prints its memory: `python FILE`.

The cells satisfy nothing, so the proof holds nothing; its memory is that of any such table.
"""

import json
import sys

import numpy as np

from circuits.air.bus import Bus
from circuits.air.chip import Chip, compile_system
from circuits.air.columns import U16, Bit, Columns, Field, Given
from circuits.air.expr import ROW
from circuits.air.shape import Shape
from circuits.field import R
from prover import kernels, memory, processes
from prover.backend import Circuit
from prover.compiled.backend import KernelBackend
from prover.prove import StageClock, prove
from prover.srs_tools import development
from tests.support.toy_system import ToyTable, toy_key, toy_shape
from verifier.key import make_key

LOG_ROWS = 14
LOG_CHUNK = 17
FULL_COLUMNS = 66
WORD = Bus("word", 1, 2)


class WideChip(Chip):
    """Full-width cells, some narrow ones, and look-ups with two helper columns."""

    name = "wide"

    class Cols(Columns):
        cells: Field[FULL_COLUMNS]
        small: Given[U16][8]
        flag: Bit[4]

    def constrain(self, c, b):
        for number in range(0, FULL_COLUMNS - 2, 3):
            x, y, z = c.cells[number : number + 3]
            b.assert_eq(f"product {number}", x * y * y, z)
        for number in range(8):
            b.send(WORD, c.small[number], c.cells[number], times=c.flag[number % 4])


class WordsChip(Chip):
    """One published word."""

    name = "words"

    class Cols(Columns):
        word: Field

    def constrain(self, c, b):
        b.receive(WORD, ROW, c.word)


def table(chip, height, draw):
    """Random cells of a chip's columns."""
    columns = []
    for physical in chip.columns:
        if physical.bits == 256:
            # Below 2^252, hence below r.
            column = draw.integers(0, 2**64, (height, 4), np.uint64)
            column[:, 3] >>= np.uint64(4)
        else:
            kind = {1: np.uint8, 16: np.uint16}[physical.bits]
            column = draw.integers(0, 2**physical.bits, height, kind)
        columns.append(column)
    return ToyTable(height, tuple(columns))


def main():
    system = compile_system((WideChip(), WordsChip()), ("one",), "words", ("words",), R)
    shape = Shape("wide", (("wide", LOG_ROWS), ("words", 0)), LOG_CHUNK)
    key = make_key(system, shape, toy_key(toy_shape()).setup)
    kernels.warm()
    # Made and kept before anything is measured; loaded again where it counts.
    development(LOG_CHUNK, lambda _: None)
    base = processes.resident_bytes()
    draw = np.random.default_rng(7)
    heights = {"wide": 1 << LOG_ROWS, "words": 1}
    tables = {chip.name: table(chip, heights[chip.name], draw) for chip in system.chips}
    bases = development(LOG_CHUNK, lambda _: None).bases
    plan = memory.plan(Circuit(key, system), heights)
    is_reset = processes.reset_peaks()
    clock = StageClock()
    prove(key, system, [5], [7], tables, KernelBackend(bases), clock)
    found = {
        "is_reset": is_reset,
        "measured": processes.peak_bytes() - base,
        "planned": plan.peak,
        "bound": plan.bound,
        "setup": plan.setup,
        "full_cells": (FULL_COLUMNS + key.chips[0].helper_columns) << LOG_ROWS,
        "seconds": clock.seconds,
        "stages": plan.stages,
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
