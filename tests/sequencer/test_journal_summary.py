"""What a look at a whole journal tells."""

from __future__ import annotations

import pytest

from sequencer.errors import JournalDamaged
from sequencer.journal_format import segment_name
from sequencer.journal_summary import JournalSummary, summarise
from sequencer.snapshot import save_snapshot
from tests.support.crashing_disk import CrashingDisk, File
from tests.support.exchange import DOMAIN
from tests.support.journals import command_list, started, write


def test_a_journal_in_figures() -> None:
    disk = CrashingDisk()
    durable = started(disk, epoch=3)
    write(durable, command_list(9))
    assert durable.sealed is not None
    save_snapshot(disk, durable.sealed, disk.names()[-1])
    segment = [name for name in disk.names() if name.startswith("journal-")][-1]
    size = len(disk.read(segment))
    disk.files[segment].content += b"torn"
    damaged = f"snapshot-{99:020d}.state"
    disk.files[damaged] = File(b"damaged")
    found = summarise(disk)
    (error,) = found.snapshot_errors
    assert str(error) == f"{damaged}: expected at least 160 bytes, got 7 bytes"
    assert found == JournalSummary(
        domain=DOMAIN,
        segment_count=3,
        command_count=9,
        seal_count=2,
        last_sequence=14,
        epoch=3,
        head=durable.journal.head,
        segment=segment,
        offset=size,
        torn_bytes=4,
        snapshots=(durable.sealed.name,),
        snapshot_errors=(error,),
    )


def test_a_folder_without_a_record() -> None:
    for disk in (CrashingDisk(), CrashingDisk({segment_name(1): File(b"PPJ")})):
        with pytest.raises(JournalDamaged) as caught:
            summarise(disk)
        assert str(caught.value) == (
            f"{segment_name(1)}: byte 0: journal: expected at least one record, got none"
        )
