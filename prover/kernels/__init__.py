"""Compiled array arithmetic: BN254 fields, curve points and multi-scalar multiplication.

Importing this package imports Numba and points its on-disk cache at a folder named after a hash
of the files in SHARED_SOURCES. Numba notices changes in the file of a kernel itself but not in
files whose code was compiled into it, so a kernel could otherwise keep running last week's
multiplication.
"""

import hashlib
import os
from pathlib import Path

from numba import config as _numba_config

from prover.cache_folder import cache_folder
from prover.kernels.parallel import run_jobs, run_rows, threads

__all__ = ["run_jobs", "run_rows", "threads", "warm"]

# Files with functions and constants that kernels in other files use.
SHARED_SOURCES = (
    "scalar.py",
    "wide.py",
    "cells.py",
    "program.py",
    "g1.py",
    "tape.py",
    "edwards.py",
)


def _source_stamp() -> str:
    digest = hashlib.blake2b(digest_size=8)
    for name in SHARED_SOURCES:
        digest.update(Path(__file__).with_name(name).read_bytes())
    return digest.hexdigest()


def _choose_cache() -> None:
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    base = Path(chosen) if chosen else cache_folder("kernels")
    _numba_config.CACHE_DIR = str(base / _source_stamp())


_choose_cache()


def warm() -> None:
    """Compile, or load from the cache, every kernel of a witness and a proof once."""
    from prover.kernels import (
        cells,
        edwards,
        edwards_windows,
        fold,
        fr,
        logup,
        msm,
        opening,
        poseidon2,
        sumcheck,
        tape,
    )

    for module in (
        fr,
        cells,
        poseidon2,
        edwards,
        edwards_windows,
        msm,
        tape,
        logup,
        sumcheck,
        fold,
        opening,
    ):
        module.warm()
