"""The files of a job store: witnesses and statements by the witness's hash, proofs by their job.

A file appears whole or not at all, and nothing that is there is changed.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO

from circuits.cli_support import atomic_write
from prover.node.errors import FileDamaged
from prover.node.jobs import Job, ProofFile
from prover.node.patience import disk_error

_READ_BYTES = 1 << 20


class Origin(StrEnum):
    """Where a proof comes from: its lease's holder, or the spool of a node that is gone."""

    LEASE = "lease"
    SPOOL = "spool"


@dataclass(frozen=True, slots=True)
class StoreFiles:
    """Where the files of a store are, and how they come there."""

    folder: Path

    @property
    def _folders(self) -> tuple[Path, ...]:
        return tuple(self.folder / name for name in ("witnesses", "statements", "proofs"))

    def create(self) -> None:
        """Make the folders."""
        for each in self._folders:
            each.mkdir()

    def probe(self) -> None:
        """Make and remove a file in every folder. Raises: StoreUnavailable, which names it."""
        for folder in self._folders:
            try:
                with NamedTemporaryFile(dir=folder, prefix=".probe-"):
                    pass
            except OSError as error:
                raise disk_error(folder, OSError(error.errno, error.strerror)) from error

    def witness(self, witness_hash: str) -> Path:
        """The witness with this hash."""
        return self.folder / "witnesses" / f"{witness_hash}.witness"

    def statement(self, witness_hash: str) -> Path:
        """The statement of the witness with this hash."""
        return self.folder / "statements" / f"{witness_hash}.statement"

    def proof(self, name: str) -> Path:
        """The proof that a job names."""
        return self.folder / "proofs" / name

    def keep_witness(self, source: Path, witness_hash: str, statement: str) -> None:
        """Copy a witness and write its statement; a sound copy that is there stays.

        Raises: FileDamaged when the source has another hash by now; StoreUnavailable; OSError for
        the source.
        """
        target = self.witness(witness_hash)
        with source.open("rb") as reading, self._disk():
            if not target.exists() or file_hash(target) != witness_hash:
                _copy(reading, source, target, witness_hash)
            with atomic_write(self.statement(witness_hash), text=True) as stream:
                stream.write(statement)

    def keep_proof(self, job: Job, origin: Origin, token: int, proof: bytes) -> ProofFile:
        """Write a proof under a name that no other lease, origin or content has.

        Who publishes under a lease may therefore remove the file again when the lease turns out
        to be stale: nobody else has made it the job's. Raises: StoreUnavailable.
        """
        digest = hashlib.sha256(proof).hexdigest()
        kept = ProofFile(f"job-{job.id:06d}-{origin}-{token}-{digest[:12]}.proof", digest)
        with self._disk(), atomic_write(self.proof(kept.name)) as stream:
            stream.write(proof)
        return kept

    def checked_witness(self, job: Job) -> Path:
        """The witness of a job, once its hash was compared.

        Raises: FileDamaged; StoreUnavailable.
        """
        path = self.witness(job.witness_hash)
        with self._disk():
            found = file_hash(path) if self._is_there(path) else "no such file"
        if found != job.witness_hash:
            raise FileDamaged(str(path), f"SHA-256 {job.witness_hash}", found)
        return path

    def read_statement(self, job: Job) -> str:
        """The statement of a job, once its hash was compared.

        Raises: FileDamaged; StoreUnavailable.
        """
        path = self.statement(job.witness_hash)
        return self._checked(path, job.statement_hash).decode("utf-8")

    def read_proof(self, job: Job) -> bytes:
        """The proof of a proven job, once its hash was compared.

        Raises: FileDamaged; StoreUnavailable.
        """
        return self._checked(self.proof(job.proof_file), job.proof_hash)

    def drop(self, *paths: Path) -> None:
        """Remove files, as far as they are there. Raises: StoreUnavailable."""
        with self._disk():
            for path in paths:
                path.unlink(missing_ok=True)

    def has_witness(self, witness_hash: str) -> bool:
        """Whether witness and statement are there. Raises: StoreUnavailable."""
        with self._disk():
            return all(
                self._is_there(path)
                for path in (self.witness(witness_hash), self.statement(witness_hash))
            )

    def _checked(self, path: Path, digest: str) -> bytes:
        content, found = b"", "no such file"
        with self._disk():
            if self._is_there(path):
                content = path.read_bytes()
                found = hashlib.sha256(content).hexdigest()
        if found != digest:
            raise FileDamaged(str(path), f"SHA-256 {digest}", found)
        return content

    def _is_there(self, path: Path) -> bool:
        """Whether the file is there; not an answer while its folder is away."""
        if path.exists():
            return True
        path.parent.stat()
        return False

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise disk_error(self.folder, error) from error


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal. Raises: OSError."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _copy(reading: BinaryIO, source: Path, target: Path, witness_hash: str) -> None:
    digest = hashlib.sha256()
    with atomic_write(target) as writing:
        while piece := reading.read(_READ_BYTES):
            digest.update(piece)
            writing.write(piece)
        if digest.hexdigest() != witness_hash:
            raise FileDamaged(str(source), f"SHA-256 {witness_hash}", digest.hexdigest())
