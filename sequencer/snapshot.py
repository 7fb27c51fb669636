"""Snapshots: the exchange right after a seal, so that a start need not replay the whole journal.

Layout, all numbers big-endian
    "PPSNAP" and version (8), sequence of the seal (8), batch number (8), queue cursor (8),
    queue chain (32), journal head (32), root (32), state (state_codec), checksum (32)

Only the state after a seal is kept: a batch that is open then comes back by replay.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from struct import Struct

from circuits.exchange.commit import build_tree
from circuits.exchange.state import State
from prover.kernels.poseidon2 import permute_many
from sequencer.batcher import Position
from sequencer.engine import Engine
from sequencer.errors import SnapshotError
from sequencer.journal_files import JournalFiles
from sequencer.state_codec import decode_state, encode_state

MAGIC = b"PPSNAP\x00\x02"
CHECKSUM_BYTES = 32
_HEAD = Struct(">8sQQQ32s32s32s")
_NAME = re.compile(r"snapshot-(\d{20})\.state")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The exchange after the seal that is record `sequence` of the journal."""

    sequence: int
    position: Position
    root: int
    state: State

    @classmethod
    def of(cls, engine: Engine, sequence: int) -> Snapshot:
        """What the engine is now. Assumes: it has just sealed, and the seal has this sequence."""
        return cls(sequence, engine.position, engine.root, engine.state)

    @property
    def name(self) -> str:
        """The file of the snapshot; names sort as the snapshots follow one another."""
        return f"snapshot-{self.sequence:020d}.state"

    def encode(self) -> bytes:
        """The bytes of the file."""
        head = _HEAD.pack(
            MAGIC,
            self.sequence,
            self.position.batch_number,
            self.position.queue_cursor,
            self.position.queue_chain.to_bytes(32, "big"),
            self.position.journal_head.to_bytes(32, "big"),
            self.root.to_bytes(32, "big"),
        )
        content = head + encode_state(self.state)
        return content + _checksum(content)

    def engine(self, epoch: int, batch_commands_max: int) -> Engine:
        """An engine that goes on from here.

        Raises: SnapshotError when the state does not have the root that was recorded.
        Cost: one hash per leaf and tree node, which is nearly all of a start.
        """
        tree = build_tree(self.state, permute_many)
        if tree.root != self.root:
            raise SnapshotError(f"{self.name}: root", hex(self.root), hex(tree.root))
        return Engine.resume(self.state, tree, self.position, epoch, batch_commands_max)


def decode_snapshot(name: str, content: bytes) -> Snapshot:
    """Read a snapshot file.

    Raises: SnapshotError for any byte that is not as it was written.
    """
    if len(content) < _HEAD.size + CHECKSUM_BYTES:
        expected = f"at least {_HEAD.size + CHECKSUM_BYTES} bytes"
        raise SnapshotError(name, expected, f"{len(content)} bytes")
    body, checksum = content[:-CHECKSUM_BYTES], content[-CHECKSUM_BYTES:]
    if not body.startswith(MAGIC):
        expected = f"format and version {MAGIC.hex()}"
        raise SnapshotError(name, expected, body[: len(MAGIC)].hex())
    if checksum != (computed := _checksum(body)):
        raise SnapshotError(f"{name}: checksum", computed.hex(), checksum.hex())
    _, sequence, batch_number, queue_cursor, queue_chain, journal_head, root = _HEAD.unpack_from(
        body
    )
    position = Position(
        batch_number=batch_number,
        queue_cursor=queue_cursor,
        queue_chain=int.from_bytes(queue_chain, "big"),
        journal_head=int.from_bytes(journal_head, "big"),
    )
    state = decode_state(body[_HEAD.size :])
    snapshot = Snapshot(sequence, position, int.from_bytes(root, "big"), state)
    if snapshot.name != name:
        raise SnapshotError(f"{name}: file name", snapshot.name, name)
    return snapshot


def save_snapshot(files: JournalFiles, snapshot: Snapshot, segment: str) -> None:
    """Write a snapshot; `segment` is the one that was read last, or is being written.

    The journal is made durable first: after a power cut it may not end before its snapshot.
    """
    files.sync(segment)
    files.save(snapshot.name, snapshot.encode())


def snapshot_names(files: JournalFiles) -> list[str]:
    """The snapshots of a folder, the newest first."""
    return [name for name in reversed(files.names()) if _NAME.fullmatch(name)]


def _checksum(content: bytes) -> bytes:
    return blake2b(content, digest_size=CHECKSUM_BYTES).digest()
