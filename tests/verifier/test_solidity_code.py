"""Generated assembly against the tape itself: same values for any tape, input and cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.air.expr import ACTIVE, ROW, Expr, challenge, column, constant, public
from circuits.air.tape import ADD, EMIT, MUL, SUB, Tape, compile_tape
from circuits.field import R
from tests.support.constraint_parts import (
    PartInputs,
    inputs_from,
    key_of_tapes,
    numbered_labels,
    part_names,
    sums_by_contract,
    sums_by_tape,
)
from tests.support.machine import Machine
from tests.support.solc import MISSING_REASON, Solc, solc_is_missing
from verifier import solidity
from verifier.key import CHALLENGE_COUNT, VerifyingKey
from verifier.solidity import render

pytestmark = pytest.mark.skipif(solc_is_missing(), reason=MISSING_REASON)

PUBLICS = 2
EDGES = (0, 1, 2, R - 1, R - 2, 2**128)
words = st.one_of(st.sampled_from(EDGES), st.integers(0, R - 1))
# Compiling takes a tenth of a second, so one example stands for several tapes and inputs.
few_examples = settings(max_examples=max(5, settings().max_examples // 5))


@st.composite
def any_tapes(draw: Callable[..., Any]) -> Tape:
    """Valid tapes that no compiler would write: values read late, twice, never, or as they are."""
    columns = draw(st.integers(1, 4))
    constants = tuple(sorted(draw(st.sets(words, max_size=4))))
    base = columns + 2 + len(constants) + CHALLENGE_COUNT + PUBLICS
    code: list[tuple[int, int, int, int]] = []
    temporaries = emitted = 0

    def operand() -> int:
        recent = st.integers(max(base, base + temporaries - 3), base + temporaries - 1)
        return draw(st.one_of(recent, st.integers(0, base - 1)) if temporaries else recent_leaf)

    recent_leaf = st.integers(0, base - 1)
    for _ in range(draw(st.integers(0, 30))):
        op = draw(st.sampled_from([ADD, SUB, MUL, MUL, EMIT]))
        if op == EMIT:
            code.append((EMIT, emitted, operand(), 0))
            emitted += 1
            continue
        target = draw(st.integers(max(0, temporaries - 4), temporaries))
        code.append((op, target, operand(), operand()))
        temporaries = max(temporaries, target + 1)
    code.append((EMIT, emitted, operand(), 0))
    tape = Tape(columns, CHALLENGE_COUNT, PUBLICS, constants, temporaries, emitted + 1, tuple(code))
    tape.validate()
    return tape


@st.composite
def any_keys(draw: Callable[..., Any]) -> VerifyingKey:
    tapes = draw(st.lists(any_tapes(), min_size=1, max_size=3))
    return key_of_tapes(tapes, [[draw(words) for _ in range(t.constraints)] for t in tapes])


def check(
    solc: Solc,
    key: VerifyingKey,
    inputs: list[PartInputs],
    part_bytes_max: int = solidity.PART_BYTES_MAX,
) -> int:
    """Compare all sums with the tapes'; returns the number of parts."""
    with patch.multiple(solidity, PART_BYTES_MAX=part_bytes_max, PARTS_MAX=99):
        files = render(key, numbered_labels(key))
        artifacts = solc.compile_files(
            {name: text for name, text in files.items() if name.startswith("Constraints")}
        )
        machine = Machine()
        names = [f"Constraints{number}" for number in range(len(artifacts))]
        assert set(names) == set(part_names(artifacts))
        parts = [machine.deploy_artifact(artifacts[name]) for name in names]
        for each in inputs:
            assert sums_by_contract(machine, parts, key, each) == sums_by_tape(key, each)
        return len(parts)


def drawn_inputs(key: VerifyingKey, data: st.DataObject, count: int) -> list[PartInputs]:
    return [inputs_from(key, lambda: data.draw(words)) for _ in range(count)]


@pytest.mark.slow
@given(key=any_keys(), data=st.data(), room=st.integers(700, 3000))
@few_examples
def test_any_tape_in_any_cut_gives_its_own_values(
    solc: Solc, key: VerifyingKey, data: st.DataObject, room: int
) -> None:
    check(solc, key, drawn_inputs(key, data, 2), room)


def key_of(roots: list[Expr], columns: int = 3, zeros: list[int] | None = None) -> VerifyingKey:
    tape = compile_tape(roots, columns, CHALLENGE_COUNT, PUBLICS, R)
    return key_of_tapes([tape], [zeros or [0] * len(roots)])


def nested(depth: int, left: bool) -> Expr:
    """Operations nested on one side, each with new leaves on the other."""
    value: Expr = column(0)
    for number in range(depth):
        other = column(number % 3) + number
        value = value * other - ROW if left else other * value - challenge(number % 3)
        value = value if left else ACTIVE - value
    return value


def balanced(depth: int, first: int = 0) -> Expr:
    if depth == 0:
        return column(first % 3) + first
    half = 1 << depth - 1
    return balanced(depth - 1, first) * balanced(depth - 1, first + half)


LONG = 2**200 + 9
SHARED = column(0) * column(1)
EXPRESSIONS: dict[str, list[Expr]] = {
    "nested on the left": [nested(40, True)],
    "nested on the right": [nested(40, False)],
    "balanced": [balanced(6)],
    "zero subtracted": [column(0) - 0 * column(1), 0 - column(1), column(0) - column(0)],
    "edge constants": [
        column(0) * 0 + 1, column(0) * (R - 1), column(1) - (R - 1), column(1) + 0,
        constant(0) - column(2), constant(R - 1) * column(2) - 1,
    ],
    "leaves": [
        column(0), constant(0), constant(R - 1), ROW, ACTIVE,
        challenge(CHALLENGE_COUNT - 1), public(PUBLICS - 1),
    ],
    "one long constant often": [
        column(0) * LONG + LONG, column(1) - LONG, (column(2) + LONG) * (column(1) + LONG),
    ],
    "a value of several constraints": [
        SHARED + 1, SHARED, SHARED, SHARED * SHARED * SHARED, SHARED - SHARED * column(2),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", EXPRESSIONS)
@pytest.mark.parametrize("cut", [False, True], ids=["one part", "one constraint a part"])
def test_expressions_give_their_values(solc: Solc, name: str, cut: bool, rng: Any) -> None:
    roots = EXPRESSIONS[name]
    key = key_of(roots, zeros=[rng.choice([0, rng.randrange(R)]) for _ in roots])
    inputs = [inputs_from(key, draw) for draw in (
        lambda: rng.randrange(R), lambda: rng.choice(EDGES), lambda: 0, lambda: R - 1,
    )]  # fmt: skip
    chip = key.chips[0]
    sizes = [solidity._block_bytes(key, chip, i, i + 1) for i in range(len(roots))]
    parts = check(solc, key, inputs, max(sizes)) if cut else check(solc, key, inputs)
    assert parts == 1 or cut
    if cut and len(roots) > 1:
        assert parts > 1


def test_a_value_read_late_outlives_the_memory_it_came_from(solc: Solc, rng: Any) -> None:
    """Given a cut after which only the last constraint reads a value of the first, the memory that
    it was made from serves others in between, so it must have been computed before.
    """
    halves = [column(number % 3) + number for number in range(1, 5)]
    early, *others = [half * half for half in halves]
    key = key_of([early + column(1), *others, early])
    cut = [[(0, 0, 1)], [(0, 1, 5)]]
    with patch.object(solidity, "split_parts", lambda key: cut):
        assert check(solc, key, [inputs_from(key, lambda: rng.randrange(R))]) == 2
