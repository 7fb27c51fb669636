"""The costly tables of a witness, filled by compiled kernels: cell for cell as the chips do.

Everything here is an array of whole columns. Cells are plain integers, packed as uint64[n, 4].
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from circuits.chips.bits import LIMBS, NARROW_BITS, WIDE_BITS
from circuits.chips.signature import (
    SignatureChip,
    SignatureTableChip,
    SignatureWindowsChip,
)
from circuits.chips.signature_columns import WINDOW_POINTS
from circuits.chips.signature_trace import DIGITS, ROWS_PER_HALF, Request
from circuits.edwards import IDENTITY, SUBGROUP_ORDER
from circuits.errors import ConstraintError, FieldError
from circuits.field import R
from circuits.witness.build import Fills
from circuits.witness.look_ups import LookUps, rows_as_bytes
from circuits.witness.table import integers
from prover.kernels import edwards_windows, fr, poseidon2
from prover.kernels.edwards_windows import WindowPoints
from prover.signature_cells import borrows, halves, table_numbers, window_numbers
from prover.signatures import challenge_sponges, request_words

_AXES = ("x", "y")
_SUM = WINDOW_POINTS.index("sum")
_ROWS = 2 * ROWS_PER_HALF


def fill_permutations(hashes: LookUps, permutations: LookUps) -> Mapping[str, Any]:
    """What `circuits.witness.build.fill_permutations` gives.

    Raises: ConstraintError when a demanded output is not that of the permutation.
    Cost: 576 multiplications a row, split over all threads.
    """
    demands = (hashes, permutations)
    asked = [rows_as_bytes(each.words[:, : poseidon2.WIDTH]) for each in demands]
    rows = {key: row for row, key in enumerate(dict.fromkeys(asked[0] + asked[1]))}
    inputs = np.frombuffer(b"".join(rows), dtype=np.uint64).reshape(-1, poseidon2.WIDTH, 4)
    states = fr.to_montgomery(inputs.reshape(-1, 4)).reshape(inputs.shape)
    permuted, sbox = poseidon2.trace_cells(states)
    outputs = _plain(permuted)
    counts = []
    for keys, each in zip(asked, demands, strict=True):
        places = np.fromiter((rows[key] for key in keys), dtype=np.int64, count=len(keys))
        _require_outputs(each, outputs[places])
        counts.append(np.bincount(places, each.counts, len(rows)).astype(np.uint32))
    return {
        "inputs": _columns(inputs),
        "sbox": sbox,
        "count_hash": counts[0],
        "count_permute": counts[1],
    }


def fill_wide(asked: LookUps) -> Mapping[str, Any]:
    """What `circuits.witness.build.fill_wide` gives.

    Raises: ConstraintError for a value that the table cannot offer.
    """
    is_narrow = asked.words[:, 0, 0].astype(np.uint8)
    values = np.ascontiguousarray(asked.words[:, 1], dtype="<u8")
    limbs = values.view("<u2").reshape(len(values), -1)
    too_wide = limbs[:, LIMBS:].any(axis=1) | (is_narrow * limbs[:, LIMBS - 1] > 0)
    (wrong,) = np.nonzero(too_wide)
    if len(wrong):
        bits = NARROW_BITS if is_narrow[wrong[0]] else WIDE_BITS
        (value,) = integers(values[wrong[:1]])
        raise ConstraintError("wide look-up", f"a number below 2^{bits}", value)
    return {
        "limbs": list(limbs[:, :LIMBS].T),
        "narrow": is_narrow,
        "count": asked.counts.astype(np.uint32),
    }


def fill_signatures(requests: Sequence[Request]) -> dict[str, dict[str, Any]]:
    """What `circuits.chips.signature.fill` gives.

    Raises: ConstraintError for a signature that does not hold, FieldError for one whose
    commitment has x = 0.
    Cost: about 6,500 multiplications a signature, split over all threads.
    """
    words = request_words(requests)
    r_x, r_y, key_x, key_y, digest, s = words
    elements = [fr.to_montgomery(each) for each in words[:5]]
    r_points, keys = np.stack(elements[:2], axis=1), np.stack(elements[2:4], axis=1)
    states, challenges = challenge_sponges(r_points, keys, elements[4])
    h = fr.from_montgomery(challenges)
    negated = np.stack((fr.sub(fr.zeros(len(s)), elements[2]), elements[3]), axis=1)
    points = edwards_windows.trace(negated, s, h)
    ends = points.windows[_SUM, :, -1]
    _require_results(requests, np.stack((r_x, r_y)), ends[:, _ROWS - 1 :: _ROWS])
    (zeros,) = np.nonzero(~r_x.any(axis=1))
    if len(zeros):
        raise FieldError(f"batch_inverse[{zeros[0]}]", "a non-zero field element", 0)
    columns = {
        "key": [key_x, key_y],
        "digest": digest,
        "r": [r_x, r_y],
        "inverse_r_x": fr.from_montgomery(fr.batch_inverse(elements[0])),
        "state": _columns(_plain(states)),
        "middle": ends[:, ROWS_PER_HALF - 1 :: _ROWS],
        "s_borrow": borrows(s, SUBGROUP_ORDER - 1),
        "h_borrow": borrows(h, R - 1),
    }
    columns["s_high"], columns["s_low"] = halves(s)
    columns["h_high"], columns["h_low"] = halves(h)
    return {
        SignatureChip.name: columns,
        SignatureWindowsChip.name: window_numbers(s, h) | _window_points(points),
        SignatureTableChip.name: table_numbers(s, h) | _table_points(points, _plain(negated)),
    }


KERNEL_FILLS = Fills(fill_signatures, fill_permutations, fill_wide)


def _plain(elements: np.ndarray) -> np.ndarray:
    """Elements of any shape as cells."""
    return fr.from_montgomery(elements.reshape(-1, 4)).reshape(elements.shape)


def _columns(rows: np.ndarray) -> np.ndarray:
    """Cells [n, k, 4] of n rows as k columns."""
    return np.ascontiguousarray(rows.swapaxes(0, 1))


def _points(cells: np.ndarray, row: int) -> tuple[int, ...]:
    """Row `row` of cells [n, k, 4] as k integers."""
    return tuple(integers(cells[row]))


def _require_outputs(demand: LookUps, outputs: np.ndarray) -> None:
    """Raises: ConstraintError naming the first tuple whose end is not the output."""
    wanted = demand.words[:, poseidon2.WIDTH :]
    outputs = outputs[:, : wanted.shape[1]]
    (wrong,) = np.nonzero((wanted != outputs).any(axis=(1, 2)))
    if len(wrong):
        row = wrong[0]
        inputs = _points(demand.words[:, : poseidon2.WIDTH], row)
        raise ConstraintError(
            f"permutation of {inputs}", _points(outputs, row), _points(wanted, row)
        )


def _require_results(
    requests: Sequence[Request], commitments: np.ndarray, results: np.ndarray
) -> None:
    """Raises: ConstraintError naming the first signature whose product is not its commitment."""
    (wrong,) = np.nonzero((commitments != results).any(axis=(0, 2)))
    if len(wrong):
        number = wrong[0]
        result = _points(results.swapaxes(0, 1), number)
        raise ConstraintError(f"signature {number}", requests[number][2].r_point, result)


def _window_points(points: WindowPoints) -> dict[str, Any]:
    columns: dict[str, Any] = {
        f"{name}_{axis}": points.windows[kind, k]
        for kind, name in enumerate(WINDOW_POINTS)
        for k, axis in enumerate(_AXES)
    }
    # A row starts where the one before it ends, and the first of a signature at the identity.
    start = np.roll(points.windows[_SUM, :, -1], 1, axis=1)
    start[:, ::_ROWS] = 0
    for k in range(2):
        start[k, ::_ROWS, 0] = IDENTITY[k]
    return columns | {"start": start}


def _table_points(points: WindowPoints, negated: np.ndarray) -> dict[str, Any]:
    base = points.entries[0]
    by_signature = base.reshape(2, -1, DIGITS, 4)
    after = np.concatenate((by_signature[:, :, 1:], points.fourth[:, :, None]), axis=2)
    columns: dict[str, Any] = {
        "base": base,
        "next": after.reshape(base.shape),
        "negated": np.repeat(_columns(negated), DIGITS, axis=1),
    }
    return columns | {f"entry_{axis}": points.entries[1:, k] for k, axis in enumerate(_AXES)}
