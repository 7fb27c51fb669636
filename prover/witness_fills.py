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
    START,
    TABLE_ROWS,
    Request,
    multiply_windows,
)
from circuits.edwards import SUBGROUP_ORDER
from circuits.errors import ConstraintError
from circuits.field import R
from circuits.witness.build import Fills
from circuits.witness.look_ups import LookUps
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
from prover.signatures import challenge_hashes, request_words


def fill_hashes(asked: LookUps) -> Mapping[str, Any]:
    """What `circuits.witness.build.fill_hashes` gives.

    Raises: ConstraintError when a demanded output is not that of the permutation.
    Cost: 576 multiplications a row, split over all threads.
    """
    inputs, wanted = asked.words[:, : poseidon2.WIDTH], asked.words[:, poseidon2.WIDTH]
    states = fr.to_montgomery(np.ascontiguousarray(inputs).reshape(-1, 4)).reshape(inputs.shape)
    permuted, sbox = poseidon2.trace_cells(states)
    outputs = fr.from_montgomery(permuted[:, 0].copy())
    (wrong,) = np.nonzero((wanted != outputs).any(axis=1))
    if len(wrong):
        row = wrong[0]
        expected, got = integers(np.stack((outputs[row], wanted[row])))
        raise ConstraintError(f"hash of {tuple(integers(inputs[row]))}", expected, got)
    return {"inputs": _columns(inputs), "sbox": sbox, "count": asked.counts.astype(np.uint32)}


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
    Cost: about 4,300 multiplications a signature, split over all threads.
    """
    words = request_words(requests)
    r_x, _, key_x, key_y, digest, s = words
    elements = [fr.to_montgomery(each) for each in words[:5]]
    hashes = challenge_hashes(elements[0], elements[2], elements[4])
    high, h = halves(hashes)
    negated = np.stack((fr.sub(fr.zeros(len(s)), elements[2]), elements[3]), axis=1)
    made = edwards_windows.trace(negated, s, h, OFFSET, START)
    _require_results(requests, words[:2], made.results, h)
    columns = {
        "key": [key_x, key_y],
        "negated": made.negated,
        "digest": digest,
        "r_x": r_x,
        "r_image": made.ends,
        "s_borrow": borrows(s, SUBGROUP_ORDER - 1),
        "h_borrow": borrows(h, R - 1),
        "h_high": high,
        "h_low": h,
    }
    columns["s_high"], columns["s_low"] = halves(s)
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


KERNEL_FILLS = Fills(fill_signatures, fill_hashes, fill_wide)


def _columns(rows: np.ndarray) -> np.ndarray:
    """Cells [n, k, 4] of n rows as k columns."""
    return np.ascontiguousarray(rows.swapaxes(0, 1))


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
