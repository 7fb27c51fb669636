"""Every round of the first sumcheck against the reference, with chips that sleep and wake."""

import numpy as np
import pytest

from circuits.field import R
from prover.backend import Circuit
from prover.compiled.backend import KernelBackend
from prover.compiled.columns import ChipColumns
from prover.compiled.zerocheck import ChipRows
from prover.kernels import fr
from prover.kernels.equality import SplitEquality
from prover.kernels.msm import points_from_ints
from prover.kernels.plan import make_plan
from prover.kernels.program import BLOCK
from prover.kernels.scalar import limbs
from prover.kernels.sumcheck import CLASSES, HELPERS, REST, round_sums
from prover.kernels.tape import RowState
from prover.reference import ReferenceBackend
from prover.rounds import extend, value_at
from tests.support.row_values import folded_value
from tests.support.toy_system import toy_bases, toy_key, toy_shape, toy_system, toy_witness
from verifier.constraints import Batching, published_value
from verifier.logup import challenge_inputs

BATCHING = Batching(alpha=1001, beta=1003, fold=1005, tau=1007, sum_weight=1009, word_base=1011)


def backends(key):
    bases = toy_bases(1 << key.log_chunk)
    return KernelBackend(points_from_ints(bases)), ReferenceBackend(bases)


def started(backend, key, witness):
    trace = backend.load(Circuit(key, toy_system()), witness.tables)
    backend.helpers(trace, challenge_inputs(BATCHING.alpha, BATCHING.beta), witness.words)
    return backend.zerocheck(trace, BATCHING, witness.words)


@pytest.mark.parametrize("log_steps", [2, 4])
def test_rounds_and_evaluations_equal_the_reference(rng, log_steps):
    key = toy_key(toy_shape(log_steps=log_steps))
    witness = toy_witness([3, 5, 9], [0, 2], [7])
    kernels, reference = (started(each, key, witness) for each in backends(key))
    weight = BATCHING.sum_weight
    claim = weight * weight * published_value(witness.pubdata, BATCHING.word_base) % R
    for _ in range(key.rounds):
        values = kernels.round_values()
        assert values == reference.round_values()
        assert (values[0] + values[1]) % R == claim
        challenge = rng.randrange(R)
        for rounds in (kernels, reference):
            rounds.bind(challenge)
        claim = value_at(values, challenge)
    assert kernels.evaluations() == reference.evaluations()


def test_the_trace_is_left_as_it_was():
    key = toy_key(toy_shape())
    witness = toy_witness([3, 5, 9], [0, 2], [7])
    backend = backends(key)[0]
    trace = backend.load(Circuit(key, toy_system()), witness.tables)
    backend.helpers(trace, challenge_inputs(BATCHING.alpha, BATCHING.beta), witness.words)
    before = [[column.copy() for column in chip.columns] for chip in trace.chips]
    rounds = backend.zerocheck(trace, BATCHING, witness.words)
    for _ in range(key.rounds):
        rounds.round_values()
        rounds.bind(5)
    for chip, copies in zip(trace.chips, before, strict=True):
        for column, copy in zip(chip.columns, copies, strict=True):
            assert (column == copy).all()


class PlainRows:
    """Columns, ROW and ACTIVE of all rows as integers; columns and ACTIVE end with the rows."""

    def __init__(self, cells, state):
        self.cells, self.state = cells, state

    @property
    def pairs(self):
        return (len(self.cells[0]) + 1) // 2

    def leaves(self, row):
        state = self.state
        active = 1 if row < state.full else state.partial if row == state.full else 0
        columns = [column[row] if row < len(column) else 0 for column in self.cells]
        return [*columns, state.number_base + state.number_step * row, active]

    def at(self, pair, t):
        sides = zip(self.leaves(2 * pair), self.leaves(2 * pair + 1), strict=True)
        return [(even + t * (odd - even)) % R for even, odd in sides]

    def folded(self, challenge):
        leaves = [self.at(row, challenge) for row in range(self.pairs)]
        cells = [[each[column] for each in leaves] for column in range(len(self.cells))]
        return PlainRows(cells, self.state.bind(challenge))


def random_columns(rng, chip, rows):
    """Cells of a chip's columns, helpers included, and the typed columns that hold them."""
    cells, columns = [], []
    for physical in (*chip.columns, *chip.helper_columns):
        top = min(2**physical.bits, R) - 1
        cells.append([rng.randint(0, top) for _ in range(rows)])
        if physical.bits == 256:
            columns.append(np.array([limbs(x) for x in cells[-1]], dtype=np.uint64).reshape(-1, 4))
        else:
            columns.append(np.array(cells[-1], dtype=f"u{max(physical.bits, 8) // 8}"))
    return cells, ChipColumns.of(rows, columns)


@pytest.mark.parametrize("chip", toy_system().chips, ids=lambda chip: chip.name)
@pytest.mark.parametrize("rows", [1, 2, 5, 4 * BLOCK + 3])
@pytest.mark.parametrize("numbers", [None, [0, 1, 1, R - 1, 5]], ids=["any", "special"])
def test_four_rounds_of_a_part_of_the_rows_add_up_what_they_should(chip, rows, numbers, rng):
    """Challenges, words and weights may be any, also those with which terms vanish."""
    words, challenges, weights = (
        [rng.choice(numbers) if numbers else rng.randrange(R) for _ in range(count)]
        for count in (chip.tape.publics, chip.tape.challenges, chip.tape.constraints)
    )
    main = len(chip.columns)
    plan = make_plan(chip.tape, main, challenges, words, weights, chip.zero_values)
    cells, columns = random_columns(rng, chip, rows)
    # As if other rows came before: the row number starts at 32 and the last row is not active.
    state = RowState(rows - 1, 0, 32, 1)
    plain, part = PlainRows(cells, state), ChipRows(columns, plan, state)
    for _ in range(4):
        wanted = np.array([rng.random() < 0.7 for _ in range(max(plan.degree, 1) + 1)])
        point = [rng.randrange(R) for _ in range((plain.pairs - 1).bit_length())]
        parts = [fr.to_ints(round_sums(*job)) for job in part.jobs(SplitEquality.of(point), wanted)]
        part.finish()
        sums = [sum(each) % R for each in zip(*parts, strict=True)]
        equality = fr.to_ints(fr.eq_table(point))
        low = sums[CLASSES : CLASSES + plan.points.low_degree + 1]
        for t in map(int, np.flatnonzero(wanted)):
            found = sums[CLASSES + len(wanted) + t] + extend(sums[REST : REST + 2], t + 1)[t]
            found += extend(low, t + 1)[t] if low else 0
            expected = sum(
                equality[pair]
                * folded_value(
                    chip.tape, plain.at(pair, t), challenges, words, weights, chip.zero_values
                )
                for pair in range(plain.pairs)
            )
            assert found % R == expected % R
        for side in range(2):
            helpers = sum(sum(column[side::2]) for column in plain.cells[main:])
            assert sums[HELPERS + side] == helpers % R
        challenge = rng.randrange(R)
        plain = plain.folded(challenge)
        part.bind(challenge)
