"""What a plan stores, derives and extrapolates, and how far."""

from circuits.air.tape import EMIT, MUL, Tape
from circuits.chips.system import margin_system
from circuits.field import R
from prover.kernels.plan import make_plan
from prover.kernels.program import BLOCK, DOT
from prover.kernels.program import MUL as PRODUCT
from tests.support.toy_system import toy_system


def plan_of(chip, rng):
    weights = [rng.randrange(R) for _ in chip.zero_values]
    challenges = [rng.randrange(R) for _ in range(chip.tape.challenges)]
    publics = [rng.randrange(R) for _ in range(chip.tape.publics)]
    main = len(chip.columns)
    return make_plan(chip.tape, main, challenges, publics, weights, chip.zero_values)


def test_columns_that_enter_linearly_are_not_extrapolated(rng):
    # c0 * c0 and c1 as constraints: c1 is part of the rest.
    tape = Tape(2, 0, 0, (), 1, 2, ((MUL, 0, 0, 0), (EMIT, 0, 4, 0), (EMIT, 1, 1, 0)))
    plan = make_plan(tape, 2, [], [], [3, 5], [0, 0])
    assert (plan.points.end - plan.points.begin) // BLOCK == 2  # c0 and 3 c0
    assert plan.stored == 2  # c0 and the rest
    assert plan.points.helpers == -1
    assert plan.degree == 2


def test_terms_of_low_degree_have_their_own_points(rng):
    plan = plan_of(margin_system().chip("signature_windows"), rng)
    points = plan.points
    assert (plan.degree, points.low_degree) == (6, 4)
    assert points.begin < points.end_high < points.end
    assert len(points.low) + len(points.high) < 1.5 * len(points.both)


def test_the_plan_takes_far_fewer_products_than_the_tape(rng):
    tapes = products = 0
    for chip in margin_system().chips:
        plan = plan_of(chip, rng)
        ops = plan.points.both[:, 0]
        products += int((ops == PRODUCT).sum()) + int((ops == DOT).sum()) / 2
        # Each constraint is also multiplied by its weight.
        tapes += sum(1 for each in chip.tape.code if each[0] in (MUL, EMIT))
    assert products < 0.5 * tapes


def test_pads_are_the_operands_of_a_row_of_zeros(rng):
    chip = toy_system().chip("squares")
    plan = plan_of(chip, rng)
    # Nothing but its own row number and constants is left of a row without cells.
    at_0, at_1, at_5 = (plan.pads_at(number) for number in (0, 1, 5))
    assert [(a + 5 * (b - a)) % R for a, b in zip(at_0, at_1, strict=True)] == at_5
