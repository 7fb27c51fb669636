"""Proofs in hand, kept on the node's own disk until the job store has them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from circuits.cli_support import atomic_write
from circuits.json_guard import parse_json

SUFFIX = ".spooled"
FORMAT = "plasmaperps-spooled-proof"
VERSION = 2


@dataclass(frozen=True, slots=True)
class SpooledProof:
    """A proof that was verified, and the lease it was made under."""

    store_id: str
    job_id: int
    token: int
    witness_hash: str
    proof: bytes

    def to_json(self) -> str:
        """The file: one JSON object with a checksum over all else in it."""
        document: dict[str, Any] = {"format": FORMAT, "version": VERSION}
        document |= {name: getattr(self, name) for name in self.__slots__ if name != "proof"}
        document["proof"] = self.proof.hex()
        document["sha256"] = _checksum(document)
        return json.dumps(document, indent=1) + "\n"


class Spool:
    """A folder of proofs. Nodes of one machine may share it: every file belongs to one lease."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, spooled: SpooledProof) -> None:
        """Write a proof, whole or not at all. Raises: OSError."""
        with atomic_write(self._path(spooled), text=True) as stream:
            stream.write(spooled.to_json())

    def drop(self, spooled: SpooledProof) -> None:
        """Forget a proof that the store has, or does not want any more. Raises: OSError."""
        self._path(spooled).unlink(missing_ok=True)

    def found(self, store_id: str) -> Iterator[SpooledProof]:
        """Proofs for one store, the oldest job first; a file that is not sound is passed over."""
        for path in sorted(self.folder.glob(f"{store_id}-*{SUFFIX}")):
            spooled = self._read(path)
            if spooled is not None:
                yield spooled

    def _read(self, path: Path) -> SpooledProof | None:
        """A spooled proof; None when another node has just dropped it, or it is damaged."""
        try:
            spooled = _parsed(path.read_text(encoding="utf-8"))
            return spooled if self._path(spooled) == path else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _path(self, spooled: SpooledProof) -> Path:
        name = f"{spooled.store_id}-{spooled.job_id:06d}-{spooled.token:06d}{SUFFIX}"
        return self.folder / name


def _parsed(text: str) -> SpooledProof:
    """Raises: ValueError, KeyError, TypeError for a file that is not sound."""
    document = parse_json(text)
    checksum = document.pop("sha256") if isinstance(document, dict) else ""
    if checksum != _checksum(document):
        raise ValueError("checksum")
    if (document["format"], document["version"]) != (FORMAT, VERSION):
        raise ValueError("version")
    names = (name for name in SpooledProof.__slots__ if name != "proof")
    proof = bytes.fromhex(document["proof"])
    return SpooledProof(**{name: document[name] for name in names}, proof=proof)


def _checksum(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
