"""A node's work on margin batches: keys and setups loaded once, each batch proven and verified."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter

from circuits.chips.system import margin_system
from circuits.errors import CircuitError, WitnessError
from circuits.statement import from_json
from circuits.witness.file import Witness
from prover import srs_tools
from prover.backend import Circuit
from prover.errors import RuleBroken, SetupTooShort
from prover.kernels import warm
from prover.memory import needed_bytes, require_memory
from prover.node.core import FailureKind, ProvenBatch
from prover.node.errors import StoreUnavailable
from prover.node.jobs import Job
from prover.node.port import WitnessRefused
from prover.prove import Stage, StageClock
from prover.proving import prove_witness, verify_proof
from prover.srs_tools import Srs
from verifier.cli import PACKAGED_KEYS
from verifier.key import VerifyingKey, load_key
from verifier.srs import SrsError
from verifier.verify import verify


class MarginWork:
    """Proves the shapes that it has keys for.

    `srs_path`: the setup of all keys; None for keys over the development setup, which is made once
    and kept.
    """

    def __init__(self, keys: Mapping[str, VerifyingKey], srs_path: Path | None) -> None:
        self._keys = dict(keys)
        self._srs_path = srs_path
        self._setups: dict[int, Srs] = {}

    @staticmethod
    def of_files(key_paths: tuple[Path, ...], srs_path: Path | None) -> MarginWork:
        """Work with these keys, or with all packaged ones.

        Raises: KeyFileError; SrsError and SetupTooShort when setup and keys do not fit; OSError.
        """
        keys = [load_key(path) for path in key_paths or sorted(PACKAGED_KEYS.glob("*.json"))]
        work = MarginWork({key.shape_name: key for key in keys}, srs_path)
        for key in keys:
            if srs_path is not None:
                work._setup(key)
            elif key.setup != srs_tools.development_setup():
                expected = f"the setup with source hash {key.setup.source_hash.hex()}"
                raise SrsError("--srs", f"key of shape {key.shape_name}", expected, "none")
        return work

    @property
    def shapes(self) -> tuple[str, ...]:
        return tuple(self._keys)

    def require_some_memory(self) -> None:
        """Refuse a machine that is too small for full batches of any shape.

        Raises: NotEnoughMemory.
        """
        circuits = [Circuit(key, margin_system()) for key in self._keys.values()]
        require_memory(min(circuits, key=needed_bytes))

    def warm(self) -> None:
        """Compile what is not compiled yet, so that no lease runs meanwhile."""
        margin_system()
        warm()

    def prove(self, job: Job, witness: Path, observe: Callable[[Stage], None]) -> ProvenBatch:
        """See `port.Work`."""
        try:
            loaded = Witness.load(witness, margin_system())
        except WitnessError as error:
            raise WitnessRefused(FailureKind.WITNESS, str(error)) from None
        except OSError as error:
            # Its hash was compared a moment ago, so the store has gone away since.
            raise StoreUnavailable(str(witness), "a file that can be read", str(error)) from error
        key = self._keys[loaded.shape_name]
        require_memory(Circuit(key, margin_system()), loaded.heights)
        clock = StageClock()

        def watch(stage: Stage) -> None:
            clock(stage)
            observe(stage)

        proof = self._make_proof(key, loaded, watch)
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

    def _make_proof(
        self, key: VerifyingKey, witness: Witness, observe: Callable[[Stage], None]
    ) -> bytes:
        """Where proofs are made: in this process. The caller verifies."""
        return prove_witness(key, witness, self._setup(key), observe)

    def _setup(self, key: VerifyingKey) -> Srs:
        """The powers that a key stands on; one setup serves all keys of a venue."""
        log_size = key.log_chunk if self._srs_path is None else 0
        if log_size not in self._setups:
            self._setups[log_size] = self._load_setup(key)
        found = self._setups[log_size]
        if found.setup != key.setup:
            place = f"source hash for the key of shape {key.shape_name}"
            hashes = key.setup.source_hash.hex(), found.source_hash.hex()
            raise SrsError(self._srs_path or "development setup", place, *hashes)
        if len(found.bases) < 1 << key.log_chunk:
            expected = f"at least 2^{key.log_chunk} powers for shape {key.shape_name}"
            raise SetupTooShort(str(self._srs_path), expected, len(found.bases))
        return found

    def _load_setup(self, key: VerifyingKey) -> Srs:
        if self._srs_path is not None:
            return srs_tools.load(self._srs_path)
        return srs_tools.development(key.log_chunk, _ignore)


def _ignore(count: int) -> None:
    """Making the development setup shows no progress here."""
