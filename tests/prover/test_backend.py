"""One suite over both backends: each operation against its formula on plain integers."""

import pytest

from circuits.air.describe import fingerprint_chip, seeded_point
from circuits.field import R, inverse
from prover.backend import Circuit
from prover.compiled.backend import KernelBackend
from prover.errors import SetupTooShort
from prover.kernels import fr
from prover.kernels.cells import expand
from prover.kernels.msm import points_from_ints
from prover.reference import Fr, ReferenceBackend
from tests.support.curve import generator_multiple
from tests.support.toy_system import (
    TAU,
    toy_bases,
    toy_key,
    toy_shape,
    toy_system,
    toy_witness,
)
from verifier.logup import challenge_inputs

KEY = toy_key(toy_shape())
LENGTH = 1 << KEY.log_chunk
BACKENDS = {
    "reference": ReferenceBackend(toy_bases(LENGTH)),
    "kernels": KernelBackend(points_from_ints(toy_bases(LENGTH))),
}
MAKE = {"reference": Fr, "kernels": fr.from_ints}
READ = {"reference": lambda values: [int(value) for value in values], "kernels": fr.to_ints}


@pytest.fixture(params=list(BACKENDS))
def kind(request):
    return request.param


@pytest.fixture
def backend(kind):
    return BACKENDS[kind]


@pytest.fixture
def polynomial(kind, rng):
    values = [rng.randrange(R) for _ in range(8)]
    return values, MAKE[kind](values)


def test_commit(backend, polynomial):
    values, f = polynomial
    value = sum(c * pow(TAU, i, R) for i, c in enumerate(values)) % R
    assert backend.commit(f) == generator_multiple(value)


def test_a_zero_polynomial_commits_to_infinity(backend, kind):
    assert backend.commit(MAKE[kind]([0, 0, 0, 0])) == (0, 0)


def test_fold(backend, kind, polynomial):
    values, f = polynomial
    assert READ[kind](backend.fold(f, 9)) == [
        (-8 * values[j] + 9 * values[j + 1]) % R for j in range(0, 8, 2)
    ]


def value_of(coefficients, x):
    return sum(c * pow(x, i, R) for i, c in enumerate(coefficients)) % R


def test_evaluate(backend, polynomial, rng):
    values, f = polynomial
    x = rng.randrange(R)
    assert backend.evaluate(f, x) == value_of(values, x)


def test_divide_sum_takes_polynomials_of_any_length(backend, kind, polynomial, rng):
    values, f = polynomial
    x, y = rng.randrange(R), rng.randrange(R)
    quotient = READ[kind](backend.divide_sum(iter([(3, f), (R - 1, MAKE[kind]([1, 2]))]), x))
    total = [3 * v - s for v, s in zip(values, [1, 2, 0, 0, 0, 0, 0, 0], strict=True)]
    assert len(quotient) == 7
    difference = value_of(total, y) - value_of(total, x)
    assert value_of(quotient, y) == difference * inverse(y - x) % R


def test_divide_pairs_takes_polynomials_of_any_length(backend, kind, polynomial, rng):
    values, f = polynomial
    a, b, c, d, r, s, y = (rng.randrange(R) for _ in range(7))
    short = [5, 7]
    terms = [(f, r, a, b), (MAKE[kind](short), s, c, d)]
    found = READ[kind](backend.divide_pairs(iter(terms), 10))
    assert len(found) == 10
    expected = sum(
        weight * (value_of(g, y) - value_of(g, x)) * inverse(y - x)
        for g, x, weight in ((values, r, a), (values, -r, b), (short, s, c), (short, -s, d))
    )
    assert value_of(found, y) == expected % R


@pytest.mark.parametrize("chip", toy_system().chips, ids=lambda chip: chip.name)
def test_eval_tape_reproduces_the_fingerprint(backend, chip):
    tape = chip.tape
    count = tape.columns + 2 + tape.challenges + tape.publics + 1
    inputs = seeded_point(f"fingerprint/{chip.name}", count, R)
    columns, (row, active, *rest) = inputs[: tape.columns], inputs[tape.columns :]
    challenges, publics, fold = rest[: tape.challenges], rest[tape.challenges : -1], rest[-1]
    values = backend.eval_tape(tape, columns, row, active, challenges, publics)
    folded = sum(value * pow(fold, i, R) for i, value in enumerate(values)) % R
    assert folded == fingerprint_chip(chip, R)


def test_chunks_hold_every_column_at_its_place(backend, kind):
    witness = toy_witness([3, 5, 0], [1], [2, 9])
    trace = backend.load(Circuit(KEY, toy_system()), witness.tables)
    cells = {}
    for number, chip in enumerate(KEY.chips):
        for column, values in enumerate(witness.tables[chip.name].cells()):
            cells[number, column] = values
    expected = [0] * KEY.layout.main_chunks
    for piece in KEY.layout.pieces:
        for row, value in enumerate(cells.get((piece.chip, piece.column), [])):
            expected[piece.chunk] += value * pow(TAU, piece.offset + row, R)
    points = backend.commit_chunks(trace, range(KEY.layout.main_chunks))
    assert points == [generator_multiple(value % R) for value in expected]

    backend.helpers(trace, challenge_inputs(12, 34), witness.words)
    weights = list(range(2, 2 + KEY.layout.chunks))
    at_tau = backend.evaluate(backend.combine(trace, weights), TAU)
    all_points = backend.commit_chunks(trace, range(KEY.layout.chunks))
    assert all_points[: len(points)] == points
    assert backend.commit(backend.combine(trace, weights)) == generator_multiple(at_tau)


def test_a_setup_that_is_too_short_is_refused():
    for short in (
        ReferenceBackend(toy_bases(LENGTH)[:-1]),
        KernelBackend(points_from_ints(toy_bases(LENGTH)[:-1])),
    ):
        with pytest.raises(SetupTooShort) as caught:
            short.load(Circuit(KEY, toy_system()), toy_witness([1], []).tables)
        assert str(caught.value) == "reference string: expected at least 64 powers, got 63"


def test_columns_over_read_only_bytes_are_taken(backend):
    witness = toy_witness([3, 5, 0], [1])
    for table in witness.tables.values():
        for column in table.columns:
            column.flags.writeable = False
    trace = backend.load(Circuit(KEY, toy_system()), witness.tables)
    assert len(backend.commit_chunks(trace, range(KEY.layout.main_chunks))) > 0


def test_a_vanishing_fingerprint_is_an_error(backend):
    witness = toy_witness([3], [])
    trace = backend.load(Circuit(KEY, toy_system()), witness.tables)
    # All powers of beta zero: every denominator is alpha, which is zero as well.
    with pytest.raises(ZeroDivisionError):
        backend.helpers(trace, [0] * 10, witness.words)


def test_kernels_and_reference_hold_the_same_columns():
    witness = toy_witness([3, 5, 0], [1], [2, 9])
    traces = {}
    for name, backend in BACKENDS.items():
        traces[name] = backend.load(Circuit(KEY, toy_system()), witness.tables)
        backend.helpers(traces[name], challenge_inputs(12, 34), witness.words)
    for number, chip in enumerate(KEY.chips):
        columns = traces["kernels"].chips[number]
        for column in range(chip.columns):
            whole = READ["reference"](traces["reference"].columns[number][column])
            cells = expand(columns.places, column, columns.height)
            assert fr.to_ints(cells) == whole[: columns.height]
            assert not any(whole[columns.height :])


def test_a_cell_above_the_modulus_is_named():
    witness = toy_witness([3], [])
    column = witness.tables["step"].columns[2]
    column[0] = [R >> 64 * k & 2**64 - 1 for k in range(4)]
    with pytest.raises(ValueError, match="chip step, column 2, row 0: not below 218882428718392"):
        BACKENDS["kernels"].load(Circuit(KEY, toy_system()), witness.tables)
