"""Tables filled by kernels are those that the chips fill, cell for cell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuits.air.check import check
from circuits.chips import signature
from circuits.chips.signature_trace import OFFSET, Request
from circuits.chips.system import margin_system
from circuits.edwards import COFACTOR, IDENTITY, SUBGROUP_ORDER, Point, multiply, negate
from circuits.errors import ConstraintError, CurveError, FieldError
from circuits.field import R
from circuits.poseidon2 import permute
from circuits.signature import Signature, account_key, challenge, sign
from circuits.witness import build as build_module
from circuits.witness.build import CHIP_BY_NAME, build
from circuits.witness.file import Witness
from circuits.witness.look_ups import LookUps
from circuits.witness.table import pack_words, split_cells
from prover.witness_fills import KERNEL_FILLS, fill_hashes, fill_signatures, fill_wide
from sequencer.batcher import Batch
from tests.support import exchange
from tests.support.batches import batch_of, rich_batch

REQUEST = (account_key(5), 17, sign(5, 17))


def both(batch: Batch) -> tuple[Witness, Witness]:
    parts = (batch.statement, batch.events, batch.touched_nodes)
    return build(*parts), build(*parts, fills=KERNEL_FILLS)


@pytest.mark.parametrize(
    "batch", [rich_batch, lambda: batch_of(exchange.deposit(1, 5))], ids=["rich", "unsigned"]
)
def test_witnesses_are_equal(batch: object) -> None:
    assert callable(batch)
    plain, filled = both(batch())
    assert (plain.statement, plain.shape_name) == (filled.statement, filled.shape_name)
    for expected, table in zip(plain.tables, filled.tables, strict=True):
        assert (expected.name, expected.height) == (table.name, table.height)
        for wanted, column in zip(expected.columns, table.columns, strict=True):
            assert (wanted.dtype, wanted.shape) == (column.dtype, column.shape)
            assert np.array_equal(wanted, column), table.name


def test_the_witness_satisfies_every_chip() -> None:
    batch = rich_batch()
    _, witness = both(batch)
    cells = {table.name: table.cells() for table in witness.tables}
    assert check(margin_system(), cells, witness.heights, batch.statement.words()) == []


def look_ups_of(rows: list[tuple[int, ...]], counts: list[int]) -> LookUps:
    """Look-ups as the witness packs them."""
    words = pack_words([word for row in rows for word in row])
    assert words is not None
    return LookUps(words.reshape(len(rows), -1, 4), np.array(counts, dtype=np.int64))


def assert_equal_cells(name: str, plain: object, filled: object) -> None:
    """Both fills of a chip give the same columns of the same types."""
    wanted, found = (split_cells(CHIP_BY_NAME[name], columns) for columns in (plain, filled))
    for expected, column in zip(wanted, found, strict=True):
        assert (expected.dtype, expected.shape) == (column.dtype, column.shape)
        assert np.array_equal(expected, column)


STATES = [(0, 0, 0, 0), (1, 2, 3, 4), (R - 1,) * 4, (5, 0, 0, R - 1)]
OUTPUTS = [permute(state) for state in STATES]
HASHES = [(*STATES[k], OUTPUTS[k][0]) for k in (1, 0, 2, 3)]


def test_hashes_are_those_of_the_chip() -> None:
    asked = look_ups_of(HASHES, [3, 1, 2, 1])
    filled = fill_hashes(asked)
    assert_equal_cells("poseidon2", build_module.fill_hashes(asked), filled)
    assert filled["count"].tolist() == [3, 1, 2, 1]


@pytest.mark.parametrize("place", range(len(HASHES)))
def test_a_wrong_output_is_refused_alike(place: int) -> None:
    rows = [list(row) for row in HASHES]
    rows[place][-1] ^= 1
    asked = look_ups_of([tuple(row) for row in rows], [1] * len(rows))
    with pytest.raises(ConstraintError) as plain:
        build_module.fill_hashes(asked)
    with pytest.raises(ConstraintError) as filled:
        fill_hashes(asked)
    assert str(filled.value) == str(plain.value)


def test_wide_numbers_are_those_of_the_chip() -> None:
    rows = [(0, 0), (1, 2**112 - 1), (0, 2**128 - 1), (1, 0), (0, 2**112), (0, 0x1234 << 64)]
    asked = look_ups_of(rows, [1, 2, 3, 4, 5, 2**31])
    assert_equal_cells("wide", build_module.fill_wide(asked), fill_wide(asked))


@pytest.mark.parametrize("row", [(0, 2**128), (1, 2**112), (1, 2**128), (0, R - 1)])
def test_a_number_too_wide_is_refused_alike(row: tuple[int, int]) -> None:
    asked = look_ups_of([(1, 5), row, (0, 2**200)], [1, 1, 1])
    with pytest.raises(ConstraintError) as plain:
        build_module.fill_wide(asked)
    with pytest.raises(ConstraintError) as filled:
        fill_wide(asked)
    assert str(filled.value) == str(plain.value)


def test_signatures_of_every_number_of_rows() -> None:
    """None, fewer than eight, eight, and a few more."""
    requests = [
        (account_key(secret), digest, sign(secret, digest))
        for secret, digest in zip(range(5, 16), [0, R - 1, *range(9)], strict=True)
    ]
    for count in (0, 1, 7, 8, 11):
        plain, filled = signature.fill(requests[:count]), fill_signatures(requests[:count])
        assert list(plain) == list(filled)
        for name, columns in plain.items():
            assert_equal_cells(name, columns, filled[name])


def assert_refused_alike(requests: list[Request], error: type[Exception]) -> str:
    """What both fills say."""
    with pytest.raises(error) as plain:
        signature.fill(requests)
    with pytest.raises(error) as filled:
        fill_signatures(requests)
    assert str(filled.value) == str(plain.value)
    return str(plain.value)


# The identity satisfies the equation of a forger, but neither as a key nor as a commitment has it
# an image. A product through the identity comes out as (0, 0), whatever the commitment is.
@pytest.mark.parametrize("key", [IDENTITY, (0, R - 1), (0, 0)])
@pytest.mark.parametrize("point", [IDENTITY, (0, 0)])
def test_a_key_without_an_image_is_refused_alike(key: Point, point: Point) -> None:
    message = assert_refused_alike([REQUEST, (key, 3, Signature(*point, 0))], CurveError)
    assert message.startswith("image: ")


@pytest.mark.parametrize("others", [0, 9])
@pytest.mark.parametrize("point", [IDENTITY, (0, 0)])
def test_a_product_that_is_the_identity_is_refused_alike(point: Point, others: int) -> None:
    secret, digest = 9, 5
    key = account_key(secret)
    h = challenge(point, key, digest)
    s = h * COFACTOR * secret % SUBGROUP_ORDER
    requests = [REQUEST] * others + [(key, digest, Signature(*point, s))]
    message = assert_refused_alike(requests, ConstraintError)
    assert message.startswith("windowed product: ")


def test_a_key_that_makes_an_entry_the_identity_is_refused_alike() -> None:
    """The product itself would be one, though not this commitment."""
    key = negate(multiply(OFFSET, -pow(5, -1, SUBGROUP_ORDER) % SUBGROUP_ORDER))
    assert_refused_alike([REQUEST, (key, 3, Signature(*REQUEST[2].r_point, 7))], FieldError)


def test_a_signature_that_does_not_hold_is_refused_alike() -> None:
    key, digest, sound = REQUEST
    requests = [REQUEST, (key, digest, replace(sound, s=sound.s + 1)), ((0, 0), digest, sound)]
    message = assert_refused_alike(requests, ConstraintError)
    assert message.startswith("signature 1: ")


def test_no_rows_stand_for_a_key_off_the_curve() -> None:
    _, digest, sound = REQUEST
    with pytest.raises(ConstraintError):
        fill_signatures([((3, 5), digest, sound)])
