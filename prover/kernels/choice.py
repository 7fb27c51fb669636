"""Which twin of the field kernels this process uses."""

import os
from enum import StrEnum

import llvmlite.binding as llvm


class Kernels(StrEnum):
    """What multiplies field elements in the block kernels, slowest first."""

    IFMA_EMULATED = "ifma-emulated"  # for tests: the code of ifma without its instruction
    SCALAR = "scalar"
    FMA = "fma"
    IFMA = "ifma"


_FEATURES: dict[Kernels, tuple[str, ...]] = {
    Kernels.SCALAR: (),
    Kernels.FMA: ("avx2", "fma"),
    Kernels.IFMA: ("avx512f", "avx512ifma"),
}
VARIABLE = "PLASMAPERPS_KERNELS"


def available() -> list[Kernels]:
    """What this processor runs, slowest first."""
    features = llvm.get_host_cpu_features()
    return [
        kernels
        for kernels, wanted in _FEATURES.items()
        if all(features.get(feature, False) for feature in wanted)
    ]


def choose() -> Kernels:
    """The fastest twin that the processor runs, or the one that the environment names.

    Raises: ValueError for a name that is unknown or that this processor does not run.
    """
    usable = available()
    asked = os.environ.get(VARIABLE, "")
    if not asked:
        return usable[-1]
    if asked == Kernels.IFMA_EMULATED and "x86" in llvm.get_default_triple():
        return Kernels.IFMA_EMULATED
    if asked not in usable:
        raise ValueError(f"{VARIABLE}: expected {' or '.join(usable)}, got {asked}")
    return Kernels(asked)


KERNELS = choose()
