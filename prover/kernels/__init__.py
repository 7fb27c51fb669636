"""Compiled array arithmetic: BN254 fields, curve points and multi-scalar multiplication.

Importing this package imports Numba and points its on-disk cache at a folder named after a hash
of all files whose code or constants are compiled in. Numba notices changes in the file of a kernel
itself but in no other, so a kernel could otherwise keep running last week's multiplication. Each
choice of field arithmetic has a folder of its own.
"""

import hashlib
import os
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path

import llvmlite.binding as llvm
import numba
from numba import config as _numba_config

import circuits.edwards
import circuits.field
import circuits.poseidon2
from prover.cache_folder import cache_folder
from prover.kernels.choice import KERNELS, Kernels
from prover.kernels.parallel import run_jobs, run_rows, threads

__all__ = ["KERNELS", "is_warm", "run_jobs", "run_rows", "threads", "warm"]

# What has constants that are compiled in: moduli, curves, numbers of rounds.
_CONSTANTS = (circuits.edwards.__file__, circuits.field.__file__, circuits.poseidon2.__file__)
_CACHE_NAME = re.compile(f"[0-9a-f]{{16}}-({'|'.join(Kernels)})")
_UNUSED_MAX_S = 30 * 86_400.0


def _sources() -> list[Path]:
    """Every file that kernels are made of."""
    kernels = sorted(Path(__file__).parent.glob("*.py"))
    return [*kernels, *map(Path, _CONSTANTS)]


def _source_stamp() -> str:
    digest = hashlib.blake2b(digest_size=8)
    for source in _sources():
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _choose_cache() -> None:
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    base = Path(chosen) if chosen else cache_folder("kernels")
    _numba_config.CACHE_DIR = str(base / f"{_source_stamp()}-{KERNELS}")


_choose_cache()


def warm() -> None:
    """Compile, or load from the cache, every kernel of a witness and a proof once."""
    from prover.kernels import (
        cells,
        edwards_windows,
        fold,
        fr,
        logup,
        msm,
        opening,
        poseidon2,
        sumcheck_lanes,
        tape,
    )

    for module in (
        fr,
        cells,
        poseidon2,
        edwards_windows,
        msm,
        tape,
        logup,
        sumcheck_lanes,
        fold,
        opening,
    ):
        module.warm()
    # A cache that cannot be written has nothing to tell of.
    with suppress(OSError):
        if not is_warm():
            _forget_unused()
        _warm_mark().parent.mkdir(parents=True, exist_ok=True)
        _warm_mark().touch()


def is_warm() -> bool:
    """Whether `warm` has filled this cache, so that a proof has nothing left to compile."""
    return _warm_mark().is_file()


def _forget_unused() -> None:
    """Remove what other versions have compiled and not used for long; each is some 10 MB."""
    current = Path(_numba_config.CACHE_DIR)
    for folder in current.parent.iterdir():
        if folder != current and _CACHE_NAME.fullmatch(folder.name):
            used_s = max(path.stat().st_mtime for path in (folder, *folder.glob("warm-*")))
            if time.time() - used_s > _UNUSED_MAX_S:
                shutil.rmtree(folder, ignore_errors=True)


def _warm_mark() -> Path:
    # Numba takes nothing from its cache that another version or processor has left there.
    name = f"warm-{numba.__version__}-{llvm.get_host_cpu_name()}"
    return Path(_numba_config.CACHE_DIR) / name
