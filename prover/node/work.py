"""A node's work on margin batches: keys and setups loaded once, each batch proven and verified."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter

from circuits.chips.system import margin_system
from circuits.errors import CircuitError, WitnessError
from circuits.statement import from_json
from circuits.witness.file import Witness
from prover.backend import Circuit
from prover.cluster.errors import CheckpointMismatch, StoreMismatch
from prover.errors import RuleBroken
from prover.executor_options import ExecutorOptions
from prover.executors import Executor, Setups
from prover.memory import needed_bytes, require_memory
from prover.node.core import FailureKind, ProvenBatch
from prover.node.errors import StoreUnavailable
from prover.node.jobs import Job
from prover.node.port import WitnessRefused
from prover.node.workers import WorkFolder
from prover.prove import Stage, StageClock
from prover.proving import (
    load_margin_key,
    margin_job,
    require_development,
    setup_file,
    verify_proof,
)
from verifier.cli import PACKAGED_KEYS
from verifier.errors import KeyFileError
from verifier.key import VerifyingKey
from verifier.verify import verify

Keys = Mapping[str, VerifyingKey]
"""Verifying keys by the names of their shapes."""


def load_keys(key_paths: tuple[Path, ...], srs_path: Path | None) -> Keys:
    """These keys, or all packaged ones, once it is known that the setup fits all of them.

    Raises: KeyFileError, also for a key of other chips and for two keys of one shape; SrsError,
    SetupMismatch and SetupTooShort when setup and keys do not fit; OSError.
    """
    keys: dict[str, VerifyingKey] = {}
    for path in key_paths or sorted(PACKAGED_KEYS.glob("*.json")):
        key = load_margin_key(path)
        if key.shape_name in keys:
            shape = f"shape {key.shape_name}"
            raise KeyFileError(str(path), "shape", "another one for each key", f"{shape} again")
        keys[key.shape_name] = key
    setups = Setups()
    for key in keys.values():
        if srs_path is None:
            require_development(key)
        else:
            setups.of(key, srs_path)
    return keys


def require_some_memory(keys: Keys, options: ExecutorOptions) -> None:
    """Refuse a machine that is too small for full batches of any shape, before workers start.

    Raises: NotEnoughMemory.
    """
    circuits = [Circuit(key, margin_system()) for key in keys.values()]
    require_memory(min(circuits, key=needed_bytes), options=options)


class MarginWork:
    """Proves the shapes that it has keys for.

    `srs_path`: the setup of all keys; None for keys over the development setup, which is made once
    and kept. `work_folder`: that of the executor.
    """

    def __init__(
        self, keys: Keys, srs_path: Path | None, executor: Executor, work_folder: WorkFolder
    ) -> None:
        self._keys = dict(keys)
        self._srs_path = srs_path
        self._executor = executor
        self._work_folder = work_folder
        self._setup_files: dict[int, Path] = {}

    @property
    def shapes(self) -> tuple[str, ...]:
        return tuple(self._keys)

    def prove(self, job: Job, witness: Path, observe: Callable[[Stage], None]) -> ProvenBatch:
        """See `port.Work`. Raises: ClusterError as well."""
        try:
            loaded = Witness.load(witness, margin_system())
        except WitnessError as error:
            raise WitnessRefused(FailureKind.WITNESS, str(error)) from None
        except OSError as error:
            if error.errno == errno.ENOMEM:
                raise
            # Its hash was compared a moment ago, so the store has gone away since.
            raise StoreUnavailable(str(witness), "a file that can be read", str(error)) from error
        key = self._keys[loaded.shape_name]
        # What its workers hold already is not free any more, so they are not counted again.
        require_memory(Circuit(key, margin_system()), loaded.heights)
        clock = StageClock()

        def watch(stage: Stage) -> None:
            clock(stage)
            observe(stage)

        name = self._work_folder.name(job)
        proving = margin_job(key, loaded, self._setup_file(key), name)
        try:
            proof = self._executor.prove(proving, watch)
        except (CheckpointMismatch, StoreMismatch):
            # What an earlier attempt left is damaged or of another version.
            self._work_folder.forget(job)
            raise
        start = perf_counter()
        try:
            verify_proof(key, loaded, proof)
        except RuleBroken as error:
            raise WitnessRefused(FailureKind.RULE, str(error)) from None
        cells = sum(chip.columns * loaded.heights[chip.name] for chip in key.chips)
        return ProvenBatch(proof, dict(clock.seconds), perf_counter() - start, cells)

    def check(self, job: Job, statement: str, proof: bytes) -> None:
        """See `port.Work`."""
        try:
            parsed = from_json(statement)
        except CircuitError as error:
            raise WitnessRefused(FailureKind.WITNESS, str(error)) from None
        verify(self._keys[job.shape_name], parsed.words(), parsed.pubdata, proof)

    def _setup_file(self, key: VerifyingKey) -> Path:
        if key.log_chunk not in self._setup_files:
            self._setup_files[key.log_chunk] = setup_file(key, self._srs_path, _ignore)
        return self._setup_files[key.log_chunk]


def _ignore(count: int) -> None:
    """Making the development setup shows no progress here."""
