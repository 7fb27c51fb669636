"""The costly tables of a witness, filled by compiled kernels: cell for cell as the chips do.

Everything here is an array of whole columns. Cells are plain integers, packed as uint64[n, 4].
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from circuits.chips.bits import LIMBS, NARROW_BITS, WIDE_BITS
from circuits.chips.signature import (
    BaseTableChip,
    SignatureChip,
    SignatureTableChip,
    SignatureWindowsChip,
)
from circuits.chips.signature_trace import (
    MULTIPLES_PER_ROW,
    OFFSET,
    ROWS_PER_HALF,
    START,
    TABLE_ROWS,
    WINDOW_ROWS,
    Request,
    multiply_windows,
)
from circuits.edwards import SUBGROUP_ORDER
from circuits.errors import ConstraintError
from circuits.field import R
from circuits.witness.build import Fills
from circuits.witness.look_ups import LookUps, rows_as_bytes
from circuits.witness.table import integers
from prover.kernels import edwards_windows, fr, poseidon2
from prover.signature_cells import (
    base_columns,
    base_summands,
    borrows,
    halves,
    multiple_summands,
    table_numbers,
    window_numbers,
)
from prover.signatures import challenge_sponges, request_words


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

    Raises: what that raises.
    Cost: about 7,000 multiplications a signature, split over all threads.
    """
    words = request_words(requests)
    r_x, r_y, key_x, key_y, digest, s = words
    elements = [fr.to_montgomery(each) for each in words[:5]]
    r_points, keys = np.stack(elements[:2], axis=1), np.stack(elements[2:4], axis=1)
    states, challenges = challenge_sponges(r_points, keys, elements[4])
    h = fr.from_montgomery(challenges)
    negated = np.stack((fr.sub(fr.zeros(len(s)), elements[2]), elements[3]), axis=1)
    made = edwards_windows.trace(negated, s, h, OFFSET, START)
    _require_results(requests, words[:2], made.results, h)
    columns = {
        "key": [key_x, key_y],
        "negated": made.negated,
        "digest": digest,
        "r": [r_x, r_y],
        "r_image": made.ends,
        "state": _columns(_plain(states)),
        "middle": made.starts[:, ROWS_PER_HALF::WINDOW_ROWS],
        "s_borrow": borrows(s, SUBGROUP_ORDER - 1),
        "h_borrow": borrows(h, R - 1),
    }
    columns["s_high"], columns["s_low"] = halves(s)
    columns["h_high"], columns["h_low"] = halves(h)
    windows = window_numbers(s, h)
    windows |= {
        "start": made.starts,
        "base": base_summands(windows["byte_s"]),
        "multiple": multiple_summands(made.multiples, windows["digit_h"]),
        "slope": made.slopes,
    }
    table = table_numbers(h) | {
        "first": made.multiples[:, ::MULTIPLES_PER_ROW],
        "negated": np.repeat(made.negated, TABLE_ROWS, axis=1),
        "slope": made.table_slopes,
    }
    return {
        SignatureChip.name: columns,
        SignatureWindowsChip.name: windows,
        SignatureTableChip.name: table,
        BaseTableChip.name: base_columns(s),
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
    requests: Sequence[Request], commitments: np.ndarray, results: np.ndarray, h: np.ndarray
) -> None:
    """Raises: what the plain fill does of the first product that is not its commitment.

    Zero stands for a product that met the identity, whatever the commitment is.
    """
    differs = (commitments != results).any(axis=(0, 2))
    (wrong,) = np.nonzero(differs | ~results[0].any(axis=1))
    if len(wrong):
        number = wrong[0]
        (key_x, key_y), _, signature = requests[number]
        (challenge,) = integers(h[number : number + 1])
        product = multiply_windows((-key_x % R, key_y), signature.s, challenge)
        raise ConstraintError(f"signature {number}", signature.r_point, product.result)
