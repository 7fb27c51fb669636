"""The file layer on a real disk: what each operation leaves behind, and its two locks."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from sequencer.journal_files import LOCK_NAME, JournalFolder


@pytest.fixture
def folder(tmp_path: Path) -> JournalFolder:
    return JournalFolder.make(tmp_path / "venue" / "journal")


def test_a_folder_is_made_once(folder: JournalFolder) -> None:
    folder.create("segment", b"").close()
    assert JournalFolder.make(folder.path).names() == ["segment"]


def test_a_segment_grows_and_is_read_from_anywhere(folder: JournalFolder) -> None:
    segment = folder.create("segment", b"first")
    assert folder.read("segment") == b"first"
    segment.append(b" and second")
    assert folder.read("segment", 6) == b"and second"
    assert folder.read("segment", 100) == b""
    segment.close()


def test_a_segment_is_created_once(folder: JournalFolder) -> None:
    folder.create("segment", b"first").close()
    with pytest.raises(FileExistsError):
        folder.create("segment", b"other")
    assert folder.read("segment") == b"first"


def test_a_write_that_the_kernel_cuts_short_goes_on(
    folder: JournalFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_write, synced = os.write, []
    monkeypatch.setattr(os, "write", lambda to, content: whole_write(to, bytes(content[:3])))
    monkeypatch.setattr(os, "fdatasync", synced.append)
    segment = folder.create("segment", b"0123456789")
    segment.append(b"abcd")
    assert folder.read("segment") == b"0123456789abcd"
    assert len(synced) == 2
    segment.close()


def test_new_and_removed_names_are_synced_with_their_folder(
    folder: JournalFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    own = folder.path.stat().st_ino
    folder.create("segment", b"first").close()
    assert synced == [own]
    folder.remove("segment")
    assert synced == [own, own]
    JournalFolder.make(folder.path / "below")
    assert synced == [own, own, own]


def test_a_segment_is_held_while_its_writer_lives(folder: JournalFolder) -> None:
    segment = folder.create("segment", b"")
    assert folder.is_held("segment")
    segment.close()
    assert not folder.is_held("segment")


def test_a_segment_that_cannot_be_written_is_let_go(
    folder: JournalFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space left"):
            folder.create("segment", b"content")
    assert not folder.is_held("segment")


def test_the_guard_keeps_others_out(folder: JournalFolder) -> None:
    def try_lock() -> None:
        with open(folder.path / LOCK_NAME, "rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)

    with folder.guard(), pytest.raises(BlockingIOError):
        try_lock()
    try_lock()


def test_cut_remove_and_save(folder: JournalFolder) -> None:
    folder.create("segment", b"0123456789").close()
    folder.truncate("segment", 4)
    folder.sync("segment")
    assert folder.read("segment") == b"0123"
    folder.save("snapshot", b"one")
    folder.save("snapshot", b"two")
    assert folder.read("snapshot") == b"two"
    folder.remove("segment")
    assert folder.names() == ["snapshot"]
    assert [folder.exists(name) for name in ("segment", "snapshot")] == [False, True]
