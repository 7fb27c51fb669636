"""Random expressions over all kinds of leaves, and their value by the definition."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from circuits.air.expr import ACTIVE, ROW, Expr, Op, challenge, column, constant, public

COLUMNS, CHALLENGES, PUBLICS = 3, 2, 2

Inputs = Mapping[tuple[Op, int], int]

# Some integer for every leaf but the constants.
INPUTS: Inputs = {
    **{(Op.COLUMN, index): 11 + 7 * index for index in range(COLUMNS)},
    **{(Op.CHALLENGE, index): 5 + 13 * index for index in range(CHALLENGES)},
    **{(Op.PUBLIC, index): 3 + 17 * index for index in range(PUBLICS)},
    (Op.ROW, 0): 19,
    (Op.ACTIVE, 0): 1,
}


def expressions(leaves_max: int = 8) -> st.SearchStrategy[Expr]:
    """Sums, differences and products of up to `leaves_max` leaves."""
    leaves = st.one_of(
        st.integers(0, COLUMNS - 1).map(column),
        st.integers(0, CHALLENGES - 1).map(challenge),
        st.integers(0, PUBLICS - 1).map(public),
        st.integers(-3, 100).map(constant),
        st.sampled_from([ROW, ACTIVE]),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda a, b: a + b, inner, inner),
            st.builds(lambda a, b: a - b, inner, inner),
            st.builds(lambda a, b: a * b, inner, inner),
        ),
        max_leaves=leaves_max,
    )


def value_of(expr: Expr, inputs: Inputs) -> int:
    """The integer that an expression stands for."""
    if expr.op is Op.CONSTANT:
        return expr.value
    if expr.left is None or expr.right is None:
        return inputs[expr.op, expr.value]
    left, right = value_of(expr.left, inputs), value_of(expr.right, inputs)
    if expr.op is Op.ADD:
        return left + right
    return left - right if expr.op is Op.SUB else left * right
