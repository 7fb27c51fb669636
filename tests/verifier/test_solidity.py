"""The writer of Solidity code: how it cuts, labels, refuses and compares, and the chips' code."""

from __future__ import annotations

import json
import math
import random
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.air.describe import seeded_point
from circuits.chips.system import SHAPES
from circuits.field import R
from sequencer.l1.abi import load_artifact
from sequencer.l1.deploy import numbered_parts
from sequencer.proving import packaged_key
from tests.conftest import VECTORS
from tests.support.constraint_parts import (
    PartInputs,
    inputs_from,
    numbered_labels,
    sums_by_contract,
    sums_by_tape,
)
from tests.support.machine import Machine
from tests.support.toy_system import toy_key, toy_shape
from verifier import solidity
from verifier.key import VerifyingKey, load_key, save_key
from verifier.solidity import (
    PART_BYTES_MAX,
    constraint_labels,
    main,
    render,
    split_parts,
)

ROOT = Path(__file__).resolve().parents[2]
KEYS = ROOT / "verifier" / "keys"
GENERATED = ROOT / "contracts" / "src" / "generated"
CODE_BYTES_MAX = 24_576
PARTS = numbered_parts("Constraints")
TOY = toy_key(toy_shape())
LONGEST = max(
    solidity._block_bytes(TOY, chip, i, i + 1)
    for chip in TOY.chips
    for i in range(chip.tape.constraints)
)


@cache
def margin_key() -> VerifyingKey:
    return packaged_key("S")


@cache
def part_sizes(key: VerifyingKey) -> list[int]:
    """What the writer thinks the parts take."""
    return [
        sum(solidity._block_bytes(key, key.chips[chip], first, last) for chip, first, last in part)
        for part in split_parts(key)
    ]


def constraints_in_order(parts: list[list[solidity.Block]]) -> list[tuple[int, int]]:
    return [
        (chip, number)
        for part in parts
        for chip, first, last in part
        for number in range(first, last)
    ]


def all_constraints(key: VerifyingKey) -> list[tuple[int, int]]:
    return [
        (number, constraint)
        for number, chip in enumerate(key.chips)
        for constraint in range(chip.tape.constraints)
    ]


# Cutting


def test_parts_hold_every_constraint_once_and_in_order() -> None:
    assert constraints_in_order(split_parts(margin_key())) == all_constraints(margin_key())


@given(room=st.integers(LONGEST, 4 * LONGEST))
def test_any_room_is_filled_in_order_and_not_exceeded(room: int) -> None:
    with patch.object(solidity, "PART_BYTES_MAX", room):
        parts = split_parts(TOY)
    assert constraints_in_order(parts) == all_constraints(TOY)
    for part in parts:
        assert part
        used = sum(
            solidity._block_bytes(TOY, TOY.chips[chip], first, last) for chip, first, last in part
        )
        assert used <= room


def test_parts_fit_and_are_not_more_than_needed() -> None:
    sizes = part_sizes(margin_key())
    assert max(sizes) <= PART_BYTES_MAX
    assert len(sizes) <= math.ceil(sum(sizes) / PART_BYTES_MAX) + 1


def test_estimates_are_close_to_what_the_compiler_makes() -> None:
    """The frame around the counted instructions stays within the room left for it."""
    for name, estimate in zip(PARTS, part_sizes(margin_key()), strict=True):
        size = load_artifact(name).code_size
        assert 0.9 * estimate <= size <= estimate + CODE_BYTES_MAX - PART_BYTES_MAX
        assert size <= CODE_BYTES_MAX


def test_more_parts_than_the_verifier_calls_are_refused() -> None:
    key = replace(TOY, shape_name="Toy")
    with patch.object(solidity, "PART_BYTES_MAX", LONGEST):
        count = len(split_parts(key))
        with patch.object(solidity, "PARTS_MAX", count):
            assert len(render(key, numbered_labels(key))) == count + 1
        message = rf"^constraint contracts: expected at most {count - 1}, got {count}$"
        with (
            patch.object(solidity, "PARTS_MAX", count - 1),
            pytest.raises(ValueError, match=message),
        ):
            render(key, numbered_labels(key))
    assert solidity.PARTS_MAX == 4


def test_a_constraint_that_fits_no_contract_is_refused() -> None:
    with (
        patch.object(solidity, "PART_BYTES_MAX", LONGEST - 1),
        pytest.raises(ValueError, match=r"^chip step: constraint 3 fits no contract$"),
    ):
        split_parts(TOY)


def test_a_shape_whose_name_is_no_contract_s_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^shape: expected a name .*, got 'toy-4-3'$"):
        render(TOY, numbered_labels(TOY))


# Text


def test_every_constraint_is_labelled_before_its_code() -> None:
    key = margin_key()
    wanted = [
        f"{chip.name}/{label}"
        for chip, labels in zip(key.chips, constraint_labels(key), strict=True)
        for label in labels
    ]
    text = "".join((GENERATED / f"{name}.sol").read_text() for name in PARTS)
    found = re.findall(r"// (\S+/.+)\n\s+sum := addmod", text)
    assert found == wanted
    assert len(found) == key.constraints


def test_no_line_of_the_parts_depends_on_shape_or_setup() -> None:
    for name in SHAPES:
        files = render(packaged_key(name), constraint_labels(packaged_key(name)))
        for part in PARTS:
            assert files[f"{part}.sol"] == (GENERATED / f"{part}.sol").read_text()


@pytest.mark.parametrize("insecure", [True, False])
def test_the_contract_says_whether_its_setup_is_secret(insecure: bool) -> None:
    key = replace(TOY, shape_name="Toy", setup=replace(TOY.setup, insecure=insecure))
    text = render(key, numbered_labels(key))["VerifierToy.sol"]
    found = re.search(r"function insecure\(\) [\w ()]+{\s+return (\w+);", text)
    assert found is not None
    assert found[1] == str(insecure).lower()
    assert f"key.digest = 0x{key.digest.hex()};" in text


# Writing and comparing


def written(folder: Path, *options: str) -> int:
    return main([str(folder), str(KEYS / "S.json"), *options])


def test_check_accepts_what_was_written_and_finds_every_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert written(tmp_path) == 0
    assert written(tmp_path, "--check") == 0
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted([*(f"{part}.sol" for part in PARTS), "VerifierS.sol"])
    assert capsys.readouterr() == ("", "")

    for name in names:
        path = tmp_path / name
        text = path.read_text()
        for changed in (text + "\n", text.replace("1", "2", 1), "", None):
            path.unlink() if changed is None else path.write_text(changed)
            assert written(tmp_path, "--check") == 1
            assert (path.read_text() if path.exists() else None) == changed
            assert capsys.readouterr().err.endswith(f"got others: ['{name}']\n")
        path.write_text(text)

    stray = tmp_path / "Constraints9.sol"
    stray.write_text("")
    assert written(tmp_path, "--check") == 1
    assert stray.exists()
    assert written(tmp_path) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_keys_of_other_constraints_do_not_share_contracts(tmp_path: Path) -> None:
    with (
        patch.object(solidity, "constraint_labels", numbered_labels),
        pytest.raises(
            ValueError, match=r"^Constraints0\.sol: expected the same constraints for every key$"
        ),
    ):
        solidity.main([str(tmp_path), str(KEYS / "S.json"), str(changed_key(tmp_path))])
    assert not list(tmp_path.glob("*.sol"))


def changed_key(folder: Path) -> Path:
    """A key in which one constraint differs, as a file."""
    key = load_key(KEYS / "M.json")
    chip = key.chips[0]
    (op, target, _, right), *rest = chip.tape.code
    tape = replace(chip.tape, code=((op, target, right, right), *rest))
    path = folder / "changed.json"
    path.write_text(save_key(replace(key, chips=(replace(chip, tape=tape), *key.chips[1:]))))
    return path


# The chips' own constraints


@pytest.fixture(scope="module")
def deployed_parts() -> tuple[Machine, list[str]]:
    machine = Machine()
    return machine, [machine.deploy(load_artifact(name).creation()) for name in PARTS]


def test_the_deployed_parts_give_the_tapes_values(
    deployed_parts: tuple[Machine, list[str]], rng: random.Random
) -> None:
    key = margin_key()
    for draw in (lambda: rng.randrange(R), lambda: rng.choice((0, 1, R - 1))):
        inputs = inputs_from(key, draw)
        assert sums_by_contract(*deployed_parts, key, inputs) == sums_by_tape(key, inputs)


@pytest.mark.parametrize("chip", [chip.name for chip in margin_key().chips])
def test_the_deployed_parts_give_the_chip_s_fingerprint(
    deployed_parts: tuple[Machine, list[str]], chip: str
) -> None:
    """Given the inputs of circuits.air.describe.fingerprint_chip, for one chip at a time: the parts
    weigh its constraints by powers of the fold that begin where the chips before it end, and take
    off what a padding row has.
    """
    key = margin_key()
    number = [each.name for each in key.chips].index(chip)
    tape = key.chips[number].tape
    seeds = seeded_point(
        f"fingerprint/{chip}", tape.columns + 2 + tape.challenges + tape.publics + 1, R
    )
    columns, (row, active, *rest), fold = seeds[: tape.columns], seeds[tape.columns : -1], seeds[-1]
    inputs = PartInputs(
        fold=fold,
        challenges=tuple(rest[: tape.challenges]),
        publics=tuple(rest[tape.challenges :]),
        rows=tuple((row, active) if i == number else (0, 1) for i in range(len(key.chips))),
        columns=tuple(
            tuple(columns) if i == number else (0,) * each.columns
            for i, each in enumerate(key.chips)
        ),
    )
    sums, _ = sums_by_contract(*deployed_parts, key, inputs)
    before = sum(each.tape.constraints for each in key.chips[:number])
    zeros = sum(pow(fold, i, R) * value for i, value in enumerate(key.chips[number].zero_values))
    got = sums[number] * pow(fold, -before, R) + (1 - active) * zeros
    pinned = json.loads((VECTORS / "fingerprints.json").read_text())
    assert hex(got % R) == pinned[chip]
