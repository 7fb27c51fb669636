"""Sums of pairs of points by the twin that this process uses.

`add_pairs` is that of `g1` or of `g1_lanes`: the same interface, but the second one writes loose
coordinates, so whoever hands them on makes them canonical with `g1.load_loose`.
"""

from prover.kernels.choice import KERNELS, Kernels

if KERNELS is Kernels.SCALAR:
    from prover.kernels.g1 import WORK_WORDS, add_pairs
else:
    from prover.kernels.g1_lanes import WORK_WORDS, add_pairs

__all__ = ["ROOM", "WORK_WORDS", "add_pairs"]

# Room that reference arrays need behind their last pair.
ROOM = 8
