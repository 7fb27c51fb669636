"""Constraint contracts on a machine: what they must return, by the tapes, and what they return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from circuits.air.tape import Tape, evaluate_tape
from circuits.field import R
from tests.support.machine import Machine
from tests.support.toy_system import toy_key, toy_shape
from verifier import solidity
from verifier.key import CHALLENGE_COUNT, ChipKey, VerifyingKey
from verifier.transcript import words_to_bytes


@dataclass(frozen=True, slots=True)
class PartInputs:
    """Everything that the constraints of all chips depend on."""

    fold: int
    challenges: tuple[int, ...]
    publics: tuple[int, ...]
    rows: tuple[tuple[int, int], ...]  # row and activity of each chip
    columns: tuple[tuple[int, ...], ...]  # column values of each chip

    def words(self, weight: int) -> list[int]:
        """As a part reads them."""
        return [
            self.fold, weight, *self.challenges, *self.publics,
            *(word for pair in self.rows for word in pair),
            *(word for values in self.columns for word in values),
        ]  # fmt: skip


def inputs_from(key: VerifyingKey, draw: Any) -> PartInputs:
    """Inputs whose words are drawn one by one."""
    return PartInputs(
        fold=draw(),
        challenges=tuple(draw() for _ in range(CHALLENGE_COUNT)),
        publics=tuple(draw() for _ in key.public_names),
        rows=tuple((draw(), draw()) for _ in key.chips),
        columns=tuple(tuple(draw() for _ in range(chip.columns)) for chip in key.chips),
    )


def sums_by_tape(key: VerifyingKey, inputs: PartInputs) -> tuple[list[int], int]:
    """sum_i weight_i (C_i - (1 - active) C_i(0)) of every chip, and the weight after all."""
    weight, sums = 1, []
    for chip, (row, active), columns in zip(key.chips, inputs.rows, inputs.columns, strict=True):
        values = evaluate_tape(
            chip.tape, columns, row, active, inputs.challenges, inputs.publics, R
        )
        total = 0
        for value, zero in zip(values, chip.zero_values, strict=True):
            total = (total + weight * (value - (1 - active) * zero)) % R
            weight = weight * inputs.fold % R
        sums.append(total)
    return sums, weight


def sums_by_contract(
    machine: Machine, parts: Sequence[str], key: VerifyingKey, inputs: PartInputs
) -> tuple[list[int], int]:
    """The same from deployed parts, added up as the verifier does it."""
    weight, sums = 1, [0] * len(key.chips)
    for address, blocks in zip(parts, solidity.split_parts(key), strict=True):
        output = machine.call(address, words_to_bytes(inputs.words(weight)))
        weight, *found = (
            int.from_bytes(output[start : start + 32], "big") for start in range(0, len(output), 32)
        )
        for (chip, _, _), value in zip(blocks, found, strict=True):
            sums[chip] = (sums[chip] + value) % R
    return sums, weight


def part_names(artifacts: Mapping[str, Any]) -> list[str]:
    """Names of the constraint contracts in order."""
    return [name for name in sorted(artifacts) if name.startswith("Constraints")]


def key_of_tapes(tapes: Sequence[Tape], zero_values: Sequence[Sequence[int]]) -> VerifyingKey:
    """A key whose chips are made of the tapes alone."""
    chips = tuple(
        ChipKey(f"chip{number}", 1, tape.columns, 0, tuple(zeros), tape)
        for number, (tape, zeros) in enumerate(zip(tapes, zero_values, strict=True))
    )
    names = tuple(f"word{number}" for number in range(tapes[0].publics))
    return VerifyingKey("Tapes", 8, chips, names, 0, (), toy_key(toy_shape()).setup)


def numbered_labels(key: VerifyingKey) -> list[tuple[str, ...]]:
    """A name for every constraint."""
    return [tuple(f"number {i}" for i in range(chip.tape.constraints)) for chip in key.chips]
