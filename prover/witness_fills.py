"""The costly tables of a witness, filled by compiled kernels: cell for cell as the chips do."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from circuits.chips.poseidon2 import fill as fill_permutations
from circuits.chips.signature import (
    CHALLENGE_IV,
    SignatureChip,
    SignatureTableChip,
    SignatureWindowsChip,
)
from circuits.chips.signature_columns import (
    WINDOW_POINTS,
    columns_of_requests,
    table_numbers,
    window_numbers,
)
from circuits.chips.signature_trace import DIGITS, ROWS_PER_HALF, Request
from circuits.edwards import IDENTITY, Point
from circuits.errors import ConstraintError
from circuits.field import R
from circuits.poseidon2 import Lanes
from circuits.witness.build import Fills
from prover.kernels import edwards_windows, fr, poseidon2
from prover.kernels.edwards_windows import WindowPoints

_AXES = ("x", "y")
_SUM = WINDOW_POINTS.index("sum")


def trace_permutations(inputs: Sequence[Lanes]) -> tuple[list[Lanes], np.ndarray]:
    """Outputs of permutations, and per S-box its column of plain integers, uint64[88, n, 4]."""
    out, cells = poseidon2.trace_cells(poseidon2.from_lanes(inputs))
    return poseidon2.to_lanes(out), cells


def fill_signatures(requests: Sequence[Request]) -> dict[str, dict[str, Any]]:
    """What `circuits.chips.signature.fill` gives, with points as packed columns.

    Raises: ConstraintError for a signature that does not hold.
    Cost: about 7,300 multiplications a signature, split over all threads.
    """
    negated = [(-key[0] % R, key[1]) for key, _, _ in requests]
    states, h = _challenges(requests)
    scalars = [(signature.s, each) for (_, _, signature), each in zip(requests, h, strict=True)]
    points = edwards_windows.trace(
        fr.from_ints(word for point in negated for word in point).reshape(-1, 2, 4),
        fr.from_montgomery(fr.from_ints(s for s, _ in scalars)),
        fr.from_montgomery(fr.from_ints(h)),
    )
    ends = _points(points.windows[_SUM, :, -1])
    results = ends[2 * ROWS_PER_HALF - 1 :: 2 * ROWS_PER_HALF]
    for number, ((_, _, signature), result) in enumerate(zip(requests, results, strict=True)):
        if result != signature.r_point:
            raise ConstraintError(f"signature {number}", signature.r_point, result)
    middles = ends[ROWS_PER_HALF - 1 :: 2 * ROWS_PER_HALF]
    return {
        SignatureChip.name: columns_of_requests(requests, states, scalars, middles),
        SignatureWindowsChip.name: window_numbers(scalars) | _window_points(points),
        SignatureTableChip.name: table_numbers(scalars) | _table_points(points, negated),
    }


KERNEL_FILLS = Fills(
    signatures=fill_signatures,
    permutations=partial(fill_permutations, trace_many=trace_permutations),
)


def _challenges(requests: Sequence[Request]) -> tuple[list[Lanes], list[int]]:
    """The challenge sponge of each signature after its first block, and its result."""
    states = poseidon2.permute_many(
        [(*signature.r_point, key[0], CHALLENGE_IV) for key, _, signature in requests]
    )
    absorbed = [
        ((state[0] + key[1]) % R, (state[1] + digest) % R, state[2], state[3])
        for state, (key, digest, _) in zip(states, requests, strict=True)
    ]
    return states, [state[0] for state in poseidon2.permute_many(absorbed)]


def _window_points(points: WindowPoints) -> dict[str, Any]:
    columns: dict[str, Any] = {
        f"{name}_{axis}": points.windows[kind, k]
        for kind, name in enumerate(WINDOW_POINTS)
        for k, axis in enumerate(_AXES)
    }
    # A row starts where the one before it ends, and the first of a signature at the identity.
    start = np.roll(points.windows[_SUM, :, -1], 1, axis=1)
    start[:, :: 2 * ROWS_PER_HALF] = 0
    for k in range(2):
        start[k, :: 2 * ROWS_PER_HALF, 0] = IDENTITY[k]
    return columns | {"start": start}


def _table_points(points: WindowPoints, negated: Sequence[Point]) -> dict[str, Any]:
    base = points.entries[0]
    by_signature = base.reshape(2, -1, DIGITS, 4)
    after = np.concatenate((by_signature[:, :, 1:], points.fourth[:, :, None]), axis=2)
    columns: dict[str, Any] = {
        "base": base,
        "next": after.reshape(base.shape),
        "negated": [[point[k] for point in negated for _ in range(DIGITS)] for k in range(2)],
    }
    return columns | {f"entry_{axis}": points.entries[1:, k] for k, axis in enumerate(_AXES)}


def _points(coordinates: np.ndarray) -> list[Point]:
    """Points of plain coordinates uint64[2, n, 4]."""
    x, y = ([int.from_bytes(row.tobytes(), "little") for row in axis] for axis in coordinates)
    return list(zip(x, y, strict=True))
