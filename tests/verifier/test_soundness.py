"""Cheating provers: each runs the protocol with a lie of its own, and no proof of them holds.

The reference prover commits to what it is told and answers every challenge honestly about it, so
a lie in a table, in padding or in a helper column reaches the verifier as the best proof that
there is. `LyingRounds` goes further and claims a column value that satisfies the constraints.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from circuits.field import R
from prover.backend import Circuit
from prover.prove import prove
from prover.reference import Fr, ReferenceBackend, ReferenceTrace, ReferenceZerocheck
from prover.rounds import message
from tests.support.known_tau import check_with
from tests.support.toy_system import (
    TAU,
    ToyWitness,
    toy_bases,
    toy_key,
    toy_shape,
    toy_system,
    toy_table,
    toy_witness,
)
from verifier import opening
from verifier.constraints import Batching, expected_claim, published_value
from verifier.errors import OpeningMismatch, SumcheckMismatch
from verifier.sumcheck import next_claim
from verifier.verify import verify

KEY = toy_key(toy_shape(log_steps=2, log_words=1, log_chunk=4))
NAMES = [chip.name for chip in KEY.chips]
# Three steps of four rows, one published word of two rows.
HONEST = toy_witness([1, 2, 3], [1], [3])
Edit = Callable[[ReferenceTrace], None]


def leave(trace: ReferenceTrace) -> None:
    """The edit of an honest prover."""


class CheatingBackend(ReferenceBackend):
    """Changes the columns after they were loaded, or the helpers after they were computed."""

    def __init__(self, main: Edit = leave, helper: Edit = leave) -> None:
        super().__init__(toy_bases(1 << KEY.log_chunk))
        self._main, self._helper = main, helper

    def load(self, circuit: Circuit, tables: Any) -> ReferenceTrace:
        trace = super().load(circuit, tables)
        self._main(trace)
        return trace

    def helpers(
        self, trace: ReferenceTrace, challenges: Sequence[int], words: Sequence[int]
    ) -> None:
        super().helpers(trace, challenges, words)
        self._helper(trace)


def proof_of(witness: ToyWitness, backend: ReferenceBackend) -> bytes:
    return prove(KEY, toy_system(), witness.words, witness.pubdata, witness.tables, backend)


def check(witness: ToyWitness, backend: ReferenceBackend) -> None:
    verify(KEY, witness.words, witness.pubdata, proof_of(witness, backend))


@pytest.fixture(autouse=True)
def known_tau(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "pairing_check", check_with(TAU))


def cell(trace: ReferenceTrace, chip: str, column: str, row: int, value: int) -> None:
    number = NAMES.index(chip)
    names = [each.name for each in toy_system().chips[number].columns]
    trace.columns[number][names.index(column)][row] = Fr(value % R)


def with_cells(witness: ToyWitness, chip: str, *cells: tuple[int, int, int]) -> ToyWitness:
    """Cells (column, row, value) of a table replaced."""
    columns = witness.tables[chip].cells()
    for column, row, value in cells:
        columns[column][row] = value
    return replace(witness, tables=witness.tables | {chip: toy_table(chip, columns)})


def test_an_honest_run_of_the_cheating_backend_is_accepted() -> None:
    check(HONEST, CheatingBackend())


BAD_TABLES = {
    "constraint broken in one row": with_cells(HONEST, "step", (3, 1, 5)),
    "constraint broken in a chip of one row": with_cells(HONEST, "ends", (0, 0, 3)),
    "multiplicity of a table": with_cells(HONEST, "squares", (0, 3, 3)),
    "message left out": with_cells(HONEST, "step", (7, 1, 0)),
    "message to another position": with_cells(HONEST, "step", (1, 1, 1)),
    "look-up of a false square": with_cells(HONEST, "extra", (1, 0, 10)),
    "multiplicity that is no bit": with_cells(HONEST, "extra", (2, 0, 3)),
    "published word": replace(HONEST, pubdata=(HONEST.pubdata[0] + 1,)),
    "word of the pubdata chip": with_cells(HONEST, "words", (0, 0, 5)),
    "public word": replace(HONEST, words=(*HONEST.words[:2], 5, HONEST.words[3])),
}


@pytest.mark.parametrize("witness", BAD_TABLES.values(), ids=BAD_TABLES)
def test_a_false_table_fails(witness: ToyWitness) -> None:
    with pytest.raises(SumcheckMismatch):
        check(witness, CheatingBackend())


def inert_row(trace: ReferenceTrace) -> None:
    """A step of value 2 beyond the height, with the inverse that the zero row has."""
    for column, value in (("index", 3), ("value", 2), ("next", 32), ("is_published", 1)):
        cell(trace, "step", column, 3, value)


def sending_row(trace: ReferenceTrace) -> None:
    """The same row with the helper that it would have below the height."""
    inert_row(trace)
    trace.active[0][3] = Fr(1)


def test_a_row_beyond_the_height_is_inert() -> None:
    """Given cells there that satisfy the constraints as zeros do, nothing is sent or claimed."""
    check(HONEST, CheatingBackend(inert_row))


def test_a_row_beyond_the_height_sends_nothing() -> None:
    with pytest.raises(SumcheckMismatch):
        check(HONEST, CheatingBackend(sending_row))


def broken_inert_row(trace: ReferenceTrace) -> None:
    inert_row(trace)
    cell(trace, "step", "next", 3, 33)


def word_beyond_the_height(trace: ReferenceTrace) -> None:
    cell(trace, "words", "word", 1, 1)


@pytest.mark.parametrize("edit", [broken_inert_row, word_beyond_the_height])
def test_a_row_beyond_the_height_keeps_its_constraints(edit: Edit) -> None:
    with pytest.raises(SumcheckMismatch):
        check(HONEST, CheatingBackend(edit))


def test_a_height_above_the_rows_fails() -> None:
    """Given an empty row counted as active, it must satisfy the constraints itself."""
    extra = HONEST.tables["extra"]
    cells = [[*column, 0] for column in extra.cells()]
    witness = replace(HONEST, tables=HONEST.tables | {"extra": toy_table("extra", cells)})
    with pytest.raises(SumcheckMismatch):
        check(witness, CheatingBackend())


@dataclass(frozen=True)
class Compensation:
    """Hides the imbalance of a false table: the helper sums get back what they lack."""

    chip: str
    row: int

    def __call__(self, trace: ReferenceTrace) -> None:
        systems = toy_system().chips
        total = sum(
            int(value)
            for chip, columns in zip(systems, trace.columns, strict=True)
            for column in columns[len(chip.columns) :]
            for value in column
        )
        helper = trace.columns[NAMES.index(self.chip)][-1]
        helper[self.row] = Fr((int(helper[self.row]) - total) % R)


@pytest.mark.parametrize(
    "place", [("step", 0), ("step", 3), ("squares", 0), ("words", 1), ("ends", 0), ("extra", 3)]
)
def test_an_unbalanced_bus_cannot_be_balanced_by_a_helper(place: tuple[str, int]) -> None:
    """Given a helper of any chip, on an active row or beyond, its own constraint sees it."""
    witness = with_cells(HONEST, "squares", (0, 5, 1))
    with pytest.raises(SumcheckMismatch):
        check(witness, CheatingBackend(helper=Compensation(*place)))


class LyingRounds(ReferenceZerocheck):
    """Answers every round honestly, then claims the one column value that satisfies the end."""

    def __init__(
        self, trace: ReferenceTrace, batching: Batching, words: Sequence[int],
        witness: ToyWitness, column: int,
    ) -> None:  # fmt: skip
        super().__init__(trace, batching, words)
        self._column, self._point = column, list[int]()
        self._heights = [witness.tables[name].height for name in NAMES]
        published = published_value(witness.pubdata, batching.word_base)
        self._claim = batching.sum_weight**2 * published % R
        self._values: list[int] = []

    def round_values(self) -> list[int]:
        self._values = super().round_values()
        return self._values

    def bind(self, challenge: int) -> None:
        self._claim = next_claim(message(self._values), self._claim, challenge, R)
        self._point.append(challenge)
        super().bind(challenge)

    def evaluations(self) -> list[int]:
        honest = super().evaluations()

        def at(value: int) -> tuple[int, list[int]]:
            values = [*honest[: self._column], value, *honest[self._column + 1 :]]
            return (
                expected_claim(
                    self._key, self._heights, self._words, values, self._point, self._batching
                ),
                values,
            )

        zero, one = at(0)[0], at(1)[0]
        root = (self._claim - zero) * pow(one - zero, -1, R) % R
        claim, lie = at(root)
        assert claim == self._claim
        assert lie != honest
        return lie


class LyingBackend(CheatingBackend):
    """A backend whose first sumcheck ends with a lie about one column."""

    def __init__(self, witness: ToyWitness, column: int) -> None:
        super().__init__()
        self._witness, self._column = witness, column

    def zerocheck(
        self, trace: ReferenceTrace, batching: Batching, words: Sequence[int]
    ) -> LyingRounds:
        return LyingRounds(trace, batching, words, self._witness, self._column)


def column_numbers() -> dict[str, int]:
    numbers, first = {}, 0
    for chip, compiled in zip(KEY.chips, toy_system().chips, strict=True):
        for offset, each in enumerate((*compiled.columns, *compiled.helper_columns)):
            numbers[f"{chip.name}.{each.name}"] = first + offset
        first += chip.columns
    return numbers


@pytest.mark.parametrize(
    "column", ["step.inverse", "step.logup[0]", "squares.count", "words.word", "ends.logup[0]"]
)
def test_a_lie_about_a_column_passes_the_constraints_and_fails_the_opening(column: str) -> None:
    witness = BAD_TABLES["constraint broken in one row"]
    with pytest.raises(OpeningMismatch):
        check(witness, LyingBackend(witness, column_numbers()[column]))


def test_a_lie_about_published_words_fails_the_opening() -> None:
    witness = BAD_TABLES["published word"]
    with pytest.raises(OpeningMismatch):
        check(witness, LyingBackend(witness, column_numbers()["words.word"]))
