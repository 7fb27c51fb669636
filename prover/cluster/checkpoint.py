"""What a coordinator has learnt of a proof, on disk: the answers of all workers, added up.

A proof is deterministic, so a coordinator that starts again runs it from the beginning and takes
from here what was answered already. The file is a line of JSON for the job, then one for every
answer, each behind the SHA-256 of all that came before it: a torn or damaged end is found, dropped
and computed again. For the same reason nothing waits until a line has reached the disk.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from circuits.cli_support import naming
from prover.cluster.errors import CheckpointMismatch
from prover.cluster.steps import FoldedRows, Partial, Pieces, Points, Rows, Sums
from verifier.transcript import Point

_SEPARATOR = b" "


class Checkpoint:
    """Answers by their number, appended in order.

    Raises: CheckpointMismatch when the file at `path` belongs to another job; OSError.
    """

    def __init__(self, path: Path, job: Mapping[str, str]) -> None:
        self._path = path
        self._answers: dict[int, tuple[str, Partial]] = {}
        self._ends: dict[int, tuple[int, bytes]] = {}
        self._chain = hashlib.sha256().digest()
        self._size = 0
        self._syncing: Future[None] | None = None
        self._syncer = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._file = open(path, "a+b")  # noqa: SIM115  # closed by close()
        try:
            self._read(job)
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        """Answers that the file holds."""
        return len(self._answers)

    def find(self, number: int, place: str) -> Partial | None:
        """The recorded answer to ask `number`; `place` is a digest of all steps up to it.

        Raises: CheckpointMismatch when the recorded one answered something else.
        """
        if number not in self._answers:
            return None
        recorded, answer = self._answers[number]
        if recorded != place:
            raise self._mismatch(f"answer {number}", place, recorded)
        return answer

    def append(self, number: int, place: str, answer: Partial) -> None:
        """Record an answer. It survives the process at once, the machine a moment later."""
        self._answers[number] = (place, answer)
        self._ends[number] = (self._size, self._chain)
        self._write({"number": number, "place": place, "answer": to_json(answer)})

    def truncate(self, number: int) -> None:
        """Forget the answer to ask `number` and all later ones."""
        later = [each for each in self._ends if each >= number]
        if later:
            self._size, self._chain = self._ends[min(later)]
            self._file.truncate(self._size)
        for each in later:
            del self._answers[each], self._ends[each]

    def close(self) -> None:
        """Wait until everything is on the disk."""
        self._syncer.shutdown(wait=True)
        if not self._file.closed:
            with naming(self._path), self._file:
                os.fsync(self._file.fileno())

    def _read(self, job: Mapping[str, str]) -> None:
        self._file.seek(0)
        lines = self._file.read().splitlines(keepends=True)
        header = self._take(lines[0]) if lines else None
        if header is None:
            self._file.truncate(0)
            self._write(dict(job))
            return
        for field, wanted in job.items():
            if header.get(field) != wanted:
                raise self._mismatch(field, wanted, header.get(field))
        for line in lines[1:]:
            before = (self._size, self._chain)
            record = self._take(line)
            if record is None:
                break
            number = int(record["number"])
            self._ends[number] = before
            self._answers[number] = (record["place"], from_json(record["answer"]))
        self._file.truncate(self._size)

    def _mismatch(self, place: str, expected: str, got: str | None) -> CheckpointMismatch:
        remedy = f"{got}; remove {self._path.parent} to start over"
        return CheckpointMismatch(f"{self._path}: {place}", expected, remedy)

    def _take(self, line: bytes) -> dict[str, Any] | None:
        """The content of the next line; None when its checksum does not hold."""
        stated, _, content = line.partition(_SEPARATOR)
        chain = hashlib.sha256(self._chain + content).digest()
        if chain.hex().encode() != stated or not content.endswith(b"\n"):
            return None
        self._chain = chain
        self._size += len(line)
        return json.loads(content)

    def _write(self, record: dict[str, Any]) -> None:
        content = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        self._chain = hashlib.sha256(self._chain + content).digest()
        line = self._chain.hex().encode() + _SEPARATOR + content
        with naming(self._path):
            self._file.seek(0, os.SEEK_END)
            self._file.write(line)
            self._file.flush()
            self._size += len(line)
            if self._syncing is None or self._syncing.done():
                if self._syncing is not None:
                    self._syncing.result()
                self._syncing = self._syncer.submit(os.fsync, self._file.fileno())


def to_json(answer: Partial) -> dict[str, Any]:
    """An answer as JSON; `Pieces` are too large to be recorded."""
    match answer:
        case Points(values):
            return {"points": [[f"{x:x}", f"{y:x}"] for x, y in values]}
        case Sums(by_chip):
            return {"sums": {chip: [f"{v:x}" for v in values] for chip, values in by_chip.items()}}
        case Rows(by_chip):
            return {
                "rows": {
                    chip: [[piece.first, piece.columns, piece.data.hex()] for piece in pieces]
                    for chip, pieces in by_chip.items()
                }
            }
        case Pieces():
            raise TypeError("expected points, sums or rows, got pieces of a polynomial")


def from_json(document: dict[str, Any]) -> Partial:
    """The answer that `to_json` wrote."""
    if "points" in document:
        points: list[Point] = [(int(x, 16), int(y, 16)) for x, y in document["points"]]
        return Points(tuple(points))
    if "sums" in document:
        sums = document["sums"].items()
        return Sums({int(chip): tuple(int(v, 16) for v in values) for chip, values in sums})
    return Rows(
        {
            int(chip): tuple(
                FoldedRows(first, columns, bytes.fromhex(data)) for first, columns, data in pieces
            )
            for chip, pieces in document["rows"].items()
        }
    )
