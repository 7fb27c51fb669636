"""Tapes: the same values as the expressions, few temporaries, exact bytes, nothing broken runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.air.expr import Expr, Op, column, constant, public, walk
from circuits.air.tape import ADD, EMIT, MUL, SUB, Tape, compile_tape, evaluate_tape, run_tape
from tests.support.expressions import (
    CHALLENGES,
    COLUMNS,
    INPUTS,
    PUBLICS,
    expressions,
    value_of,
)

MODULUS = 97
X, Y, Z = column(0), column(1), column(2)
roots_of_tapes = st.lists(expressions(), max_size=4)


def tape_of(roots: Sequence[Expr]) -> Tape:
    return compile_tape(list(roots), COLUMNS, CHALLENGES, PUBLICS, MODULUS)


def evaluate_at_inputs(tape: Tape) -> list[int]:
    def values(op: Op, count: int) -> list[int]:
        return [INPUTS[op, index] for index in range(count)]

    return evaluate_tape(
        tape, values(Op.COLUMN, COLUMNS), INPUTS[Op.ROW, 0], INPUTS[Op.ACTIVE, 0],
        values(Op.CHALLENGE, CHALLENGES), values(Op.PUBLIC, PUBLICS), MODULUS,
    )  # fmt: skip


@given(roots=roots_of_tapes)
def test_a_tape_has_the_values_of_its_expressions(roots: list[Expr]) -> None:
    values = [value % MODULUS for value in evaluate_at_inputs(tape_of(roots))]
    assert values == [value_of(root, INPUTS) % MODULUS for root in roots]


@given(roots=roots_of_tapes)
def test_a_tape_has_the_degrees_of_its_expressions(roots: list[Expr]) -> None:
    assert tape_of(roots).degrees() == tuple(root.degree for root in roots)


@given(roots=roots_of_tapes)
def test_every_inner_node_is_computed_once(roots: list[Expr]) -> None:
    inner = [node for node in walk(roots) if not node.is_leaf]
    assert tape_of(roots).operations == len(inner)


@given(roots=roots_of_tapes)
def test_bytes_round_trip(roots: list[Expr]) -> None:
    tape = tape_of(roots)
    assert Tape.from_bytes(tape.to_bytes()) == tape


def test_a_dead_temporary_is_used_again() -> None:
    chain = X
    for power in range(2, 30):
        chain = chain * Y + power
    assert tape_of([chain, chain - 1]).temporaries == 1
    assert tape_of([X * Y + Y * Z]).temporaries == 2
    kept = X * Y
    assert tape_of([kept + Z, kept - Z]).temporaries == 2


def test_a_root_may_be_a_leaf_or_occur_twice() -> None:
    product = X * Y
    tape = tape_of([public(1), product, product, constant(99)])
    assert tape.operations == 1
    assert evaluate_at_inputs(tape) == [20, 11 * 18 % MODULUS, 11 * 18 % MODULUS, 2]


def test_constants_are_reduced_sorted_and_single() -> None:
    tape = tape_of([X * 5 + Y * (5 + MODULUS) + Z * -1 + 3])
    assert tape.constants == (3, 5, MODULUS - 1)


def test_the_form_of_a_tape() -> None:
    """Columns, ROW, ACTIVE, constants, challenges, public words, temporaries; EMIT ends a root."""
    tape = compile_tape([(X - 7) * public(0), X + Y], 2, 1, 1, MODULUS)
    assert (tape.row_operand, tape.active_operand, tape.constant_base) == (2, 3, 4)
    assert (tape.challenge_base, tape.public_base, tape.temporary_base) == (5, 6, 7)
    assert tape.code == (
        (SUB, 0, 0, 4), (MUL, 0, 7, 6), (EMIT, 0, 7, 0), (ADD, 0, 0, 1), (EMIT, 1, 7, 0),
    )  # fmt: skip


def test_run_tape_works_in_any_ring() -> None:
    """Given strings for values, the tape writes the formula."""
    tape = compile_tape([(X - Y) * 2], 2, 0, 0, MODULUS)
    found: dict[int, object] = {}
    run_tape(
        tape,
        ["x", "y", "row", "active", "2"],
        found.__setitem__,
        lambda a, b: f"({a} * {b})",
        lambda a, b: f"({a} + {b})",
        lambda a, b: f"({a} - {b})",
    )
    assert found == {0: "((x - y) * 2)"}


@pytest.mark.parametrize(
    ("columns", "challenges", "publics", "message"),
    [
        (2, 2, 2, "tape columns: expected 3, got 2"),
        (3, 1, 2, "tape challenges: expected 2, got 1"),
        (3, 2, 3, "tape publics: expected 2, got 3"),
    ],
)
def test_inputs_of_another_length_are_refused(
    columns: int, challenges: int, publics: int, message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        evaluate_tape(tape_of([X]), [0] * columns, 0, 1, [0] * challenges, [0] * publics, MODULUS)


SOUND = Tape(2, 0, 0, (5,), 2, 1, ((ADD, 0, 0, 1), (MUL, 1, 5, 4), (EMIT, 0, 6, 0)))

BROKEN = {
    "operand never written": (
        replace(SOUND, code=((ADD, 0, 0, 6), *SOUND.code[1:])),
        "tape: instruction 0: operand not written before",
    ),
    "operand written later": (
        replace(SOUND, code=(SOUND.code[1], SOUND.code[0], SOUND.code[2])),
        "tape: instruction 0: operand not written before",
    ),
    "operand beyond the temporaries": (
        replace(SOUND, code=(*SOUND.code[:2], (EMIT, 0, 7, 0))),
        "tape: instruction 2: operand not written before",
    ),
    "target beyond the temporaries": (
        replace(SOUND, code=((ADD, 2, 0, 1), *SOUND.code[1:])),
        "tape: instruction 0: expected a temporary below 2, got 2",
    ),
    "unknown operation": (
        replace(SOUND, code=((4, 0, 0, 1), *SOUND.code[1:])),
        "tape: instruction 0: expected an operation up to 3, got 4",
    ),
    "constraint emitted twice": (
        replace(SOUND, code=(*SOUND.code, SOUND.code[2])),
        "tape: instruction 3: expected constraint 1, got 0",
    ),
    "constraint skipped": (
        replace(SOUND, code=(*SOUND.code[:2], (EMIT, 1, 6, 0))),
        "tape: instruction 2: expected constraint 0, got 1",
    ),
    "emission with a second operand": (
        replace(SOUND, code=(*SOUND.code[:2], (EMIT, 0, 6, 1))),
        "tape: instruction 2: expected constraint 0, got 0",
    ),
    "constraint missing": (
        replace(SOUND, code=SOUND.code[:2]),
        "tape: expected 1 constraints, got 0",
    ),
    "more constraints than stated": (
        replace(SOUND, constraints=0),
        "tape: expected 0 constraints, got 1",
    ),
    "temporaries that nothing uses": (
        replace(SOUND, temporaries=2**32 - 1),
        "tape: expected 4294967295 temporaries in use, got 2",
    ),
}


@pytest.mark.parametrize(("tape", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_tape_is_refused(tape: Tape, message: str) -> None:
    SOUND.validate()
    with pytest.raises(ValueError, match="tape") as caught:
        Tape.from_bytes(tape.to_bytes())
    assert str(caught.value) == message


def test_bytes_of_another_length_are_refused() -> None:
    data = SOUND.to_bytes()
    for length in range(len(data)):
        with pytest.raises(
            ValueError, match=rf"^tape: expected (at least 28|108) bytes, got {length}$"
        ):
            Tape.from_bytes(data[:length])
    with pytest.raises(ValueError, match=r"^tape: expected 108 bytes, got 109$"):
        Tape.from_bytes(data + b"\0")


@given(data=st.data())
def test_no_bytes_do_more_than_be_refused(data: st.DataObject) -> None:
    """Given a tape with bytes changed, it is refused or another tape that runs."""
    changed = bytearray(SOUND.to_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    try:
        tape = Tape.from_bytes(bytes(changed))
    except ValueError:
        return
    assert tape.to_bytes() == changed
    if max(tape.columns, tape.challenges, tape.publics) < 1000:
        values = ([0] * tape.columns, 0, 1, [0] * tape.challenges, [0] * tape.publics)
        assert len(evaluate_tape(tape, *values, MODULUS)) == tape.constraints
