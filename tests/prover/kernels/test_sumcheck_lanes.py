"""The lane twins of sumcheck rounds and helper columns give the words of the scalar ones."""

import random

import numpy as np
import pytest

from circuits.chips.system import margin_system
from circuits.field import R
from prover.compiled.columns import ChipColumns
from prover.compiled.zerocheck import ChipRows
from prover.interactions import group_ends, interaction_tape
from prover.kernels import fr, logup_lanes, logup_rows, sumcheck, sumcheck_lanes
from prover.kernels.cells import places_of
from prover.kernels.equality import SplitEquality
from prover.kernels.plan import make_plan
from prover.kernels.program import BLOCK, value_program
from prover.kernels.scalar import limbs
from prover.kernels.tape import RowState

CHIPS = {
    chip.name: chip
    for chip in margin_system().chips
    if chip.name in ("wide", "poseidon2", "signature_windows", "command", "tree", "leaf")
}
ROWS = [7, 16, 2 * BLOCK + 21, 4 * BLOCK]


def _columns(rng, chip, rows):
    columns = []
    for physical in (*chip.columns, *chip.helper_columns):
        top = min(2**physical.bits, R) - 1
        cells = [rng.choice([0, 1, top, rng.randint(0, top)]) for _ in range(rows)]
        if physical.bits == 256:
            columns.append(np.array([limbs(x) for x in cells], dtype=np.uint64).reshape(-1, 4))
        else:
            columns.append(np.array(cells, dtype=f"u{max(physical.bits, 8) // 8}"))
    return columns


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("name", CHIPS)
def test_rounds(name, rows):
    chip, rng = CHIPS[name], random.Random(f"{name}/{rows}")
    words, challenges, weights = (
        [rng.randrange(R) for _ in range(count)]
        for count in (chip.tape.publics, chip.tape.challenges, chip.tape.constraints)
    )
    plan = make_plan(chip.tape, len(chip.columns), challenges, words, weights, chip.zero_values)
    columns = _columns(rng, chip, rows)
    state = RowState(rows - 1, 5, 32, 1)
    twins = [ChipRows(ChipColumns.of(rows, columns), plan, state) for _ in range(2)]
    kernels = (sumcheck.round_sums, sumcheck_lanes.round_sums)
    pairs = (rows + 1) // 2
    for _ in range(4):
        wanted = np.array([rng.random() < 0.7 for _ in range(max(plan.degree, 1) + 1)])
        point = [rng.randrange(R) for _ in range((pairs - 1).bit_length())]
        challenge = rng.randrange(R)
        sums = []
        for twin, kernel in zip(twins, kernels, strict=True):
            jobs = twin.jobs(SplitEquality.of(point), wanted)
            sums.append([kernel(*job) for job in jobs])
            twin.finish()
            twin.bind(challenge)
        for scalar, vector in zip(*sums, strict=True):
            assert (scalar == vector).all()
        pairs = (pairs + 1) // 2


def _rounds(name, rows, kernel, weights):
    """Sums of two rounds over all rows; weights(point) gives those of the pairs."""
    chip, rng = CHIPS[name], random.Random(f"{name}/{rows}")
    words, challenges, factors = (
        [rng.randrange(R) for _ in range(count)]
        for count in (chip.tape.publics, chip.tape.challenges, chip.tape.constraints)
    )
    plan = make_plan(chip.tape, len(chip.columns), challenges, words, factors, chip.zero_values)
    columns = ChipColumns.of(rows, _columns(rng, chip, rows))
    chip_rows = ChipRows(columns, plan, RowState.start(rows))
    wanted = np.ones(max(plan.degree, 1) + 1, dtype=bool)
    point, sums = [rng.randrange(R) for _ in range(9)], []
    for bits in (8, 7):
        parts = [kernel(*job) for job in chip_rows.jobs(weights(point[:bits]), wanted)]
        sums.append([sum(each) % R for each in zip(*map(fr.to_ints, parts), strict=True)])
        chip_rows.finish()
        chip_rows.bind(point[8])
    return sums


@pytest.mark.parametrize("rows", [427, 428])
def test_weights_of_rounds_may_be_split_anywhere(rows):
    """Four high rows; one high row over a low part that lanes do not divide, and over a whole."""
    pairs = (rows + 1) // 2
    splits = [
        SplitEquality.of,
        lambda point: SplitEquality(fr.eq_table(point[:6]), fr.eq_table(point[6:])),
        lambda point: SplitEquality(fr.eq_table(point)[:pairs], fr.constant(1)),
    ]
    expected = _rounds("command", rows, sumcheck.round_sums, SplitEquality.of)
    assert any(any(sums) for sums in expected)
    for kernel in (sumcheck.round_sums, sumcheck_lanes.round_sums):
        for weights in splits:
            assert _rounds("command", rows, kernel, weights) == expected


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("name", CHIPS)
@pytest.mark.parametrize("vanishing", [False, True])
@pytest.mark.parametrize("start", [0, 3])
def test_helper_columns(name, rows, vanishing, start):
    chip, rng = CHIPS[name], random.Random(f"{name}/{rows}")
    words = [rng.randrange(R) for _ in range(chip.tape.publics)]
    tape = interaction_tape(chip, len(words), R)
    challenges = [0 if vanishing else rng.randrange(R) for _ in range(tape.challenges)]
    program = value_program(tape, challenges, words)
    columns = _columns(rng, chip, rows)[: len(chip.columns)]
    places = np.ascontiguousarray(places_of(columns)[program.columns])
    state = RowState.start(rows)
    ends = np.array(group_ends(chip), dtype=np.int64)
    found = []
    for module in (logup_rows, logup_lanes):
        out = np.zeros((len(ends), rows, 4), dtype=np.uint64)
        done = module.helper_rows(
            start, rows, out, places, program.program, state.full, state.scalars(), ends
        )
        found.append((done, out))
    assert found[0][0] == found[1][0]
    if found[0][0]:
        assert (found[0][1] == found[1][1]).all()
        assert not found[1][1][:, :start].any()
