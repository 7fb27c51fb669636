"""Which twin of the field kernels a process uses. Reading this imports no kernel."""

import os
from enum import StrEnum

VARIABLE = "PLASMAPERPS_KERNELS"


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


def available() -> list[Kernels]:
    """What this processor runs, slowest first."""
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    return [
        kernels
        for kernels, wanted in _FEATURES.items()
        if all(features.get(feature, False) for feature in wanted)
    ]


def choose(asked: str = "") -> Kernels:
    """The twin that is asked for; else the one the environment names; else the fastest.

    Raises: ValueError for a name that is unknown or that this processor does not run.
    """
    usable = available()
    named = asked or os.environ.get(VARIABLE, "")
    if not named:
        return usable[-1]
    # The emulation is made of vectors of eight words, which any x86-64 code generator splits up.
    if named == Kernels.IFMA_EMULATED and Kernels.FMA in usable:
        return Kernels.IFMA_EMULATED
    if named not in usable:
        place = "" if asked else f"{VARIABLE}: "
        raise ValueError(f"{place}expected {' or '.join(usable)}, got {named}")
    return Kernels(named)
