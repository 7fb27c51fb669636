"""The bytes of journal records: pinned, round trip, and every damage told apart from a torn end."""

from __future__ import annotations

import zlib
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequencer.errors import JournalDamaged, JournalError
from sequencer.journal_format import (
    CHECKSUM_BYTES,
    HEADER_BYTES,
    MAGIC,
    PAYLOAD_BYTES_MAX,
    Record,
    RecordKind,
    Seal,
    SegmentStart,
    decode_seal,
    decode_segment_start,
    encode_record,
    first_sequence_of,
    parse_record,
    segment_name,
)

SEGMENT = segment_name(1)
RECORD = Record(RecordKind.COMMAND, 0x010203040506, 9, 0xAB << 240, b"payload")
ENCODED = encode_record(RECORD)

RECORDS = st.builds(
    Record,
    st.sampled_from(RecordKind),
    st.integers(0, 2**48 - 1),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**256 - 1),
    st.binary(max_size=300),
)


def test_a_record_byte_by_byte() -> None:
    header = bytes.fromhex("00000007020102030405060000000000000009") + (b"\x00\xab" + bytes(30))
    framed = header + zlib.crc32(header).to_bytes(4, "big") + b"payload"
    assert framed + blake2b(framed, digest_size=16).digest() == ENCODED
    assert (HEADER_BYTES, CHECKSUM_BYTES, len(ENCODED)) == (55, 16, 78)


def test_the_other_payloads_byte_by_byte() -> None:
    start = SegmentStart(domain=3, epoch=2).encode()
    assert start == bytes(27) + b"\x03" + bytes(7) + b"\x02"
    seal = Seal(batch_number=1, sequencer_epoch=2, command_count=3, new_root=4).encode()
    assert (
        seal == bytes(7) + b"\x01" + bytes(7) + b"\x02" + bytes(3) + b"\x03" + bytes(31) + b"\x04"
    )
    assert MAGIC == b"PPJRNL\x00\x01"


@given(RECORDS, st.binary(max_size=90), st.binary(max_size=90))
def test_a_record_reads_back_where_it_stands(record: Record, before: bytes, after: bytes) -> None:
    encoded = encode_record(record)
    data = before + encoded + after
    parsed = parse_record(SEGMENT, 0, data, len(before))
    assert parsed == (record, len(before) + len(encoded))


@pytest.mark.parametrize("bit", range(8))
def test_every_flipped_bit_of_a_whole_record_is_damage(bit: int) -> None:
    for position in range(len(ENCODED)):
        data = bytearray(ENCODED)
        data[position] ^= 1 << bit
        with pytest.raises(JournalDamaged) as caught:
            parse_record(SEGMENT, 1000, bytes(data), 0)
        assert (caught.value.segment, caught.value.offset) == (SEGMENT, 1000)


def test_every_beginning_of_a_record_is_torn() -> None:
    for length in range(len(ENCODED)):
        assert parse_record(SEGMENT, 0, ENCODED[:length], 0) is None


@pytest.mark.parametrize("zeros", [1, 100, 600])
def test_a_record_that_ends_in_sectors_of_zeros_is_torn(zeros: int) -> None:
    assert parse_record(SEGMENT, 3, bytes(len(ENCODED) + zeros), 0) is None
    for length in range(len(ENCODED)):
        data = ENCODED[:length] + bytes(len(ENCODED) - length + zeros)
        assert parse_record(SEGMENT, 1024 - length, data, 0) is None


def test_zeros_that_begin_within_a_sector_are_damage() -> None:
    for length in range(4, len(ENCODED) - 1):
        data = ENCODED[:length] + bytes(len(ENCODED) - length)
        with pytest.raises(JournalDamaged):
            parse_record(SEGMENT, 1026, data, 0)


def test_zeros_before_a_later_record_are_damage() -> None:
    data = bytes(len(ENCODED)) + ENCODED
    with pytest.raises(JournalDamaged) as caught:
        parse_record(SEGMENT, 8, data, 0)
    check = zlib.crc32(bytes(51)).to_bytes(4, "big").hex()
    assert str(caught.value) == (f"{SEGMENT}: byte 8: header check: expected {check}, got 00000000")


def test_a_flipped_payload_byte_in_words() -> None:
    data = ENCODED.replace(b"payload", b"paylaod")
    computed = blake2b(data[:-16], digest_size=16).hexdigest()
    with pytest.raises(JournalDamaged) as caught:
        parse_record(SEGMENT, 63, data, 0)
    assert str(caught.value) == (
        f"{SEGMENT}: byte 63: checksum of record 9: expected {computed}, got {ENCODED[-16:].hex()}"
    )


def test_an_unknown_kind() -> None:
    fields = ENCODED[:4] + b"\x09" + ENCODED[5:51]
    framed = fields + zlib.crc32(fields).to_bytes(4, "big") + b"payload"
    with pytest.raises(JournalDamaged) as caught:
        parse_record(SEGMENT, 8, framed + blake2b(framed, digest_size=16).digest(), 0)
    assert str(caught.value) == (
        f"{SEGMENT}: byte 8: kind of record 9: expected segment 1, command 2, seal 3, got 9"
    )


@pytest.mark.parametrize("length", [PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MAX + 1])
def test_the_bound_of_a_payload(length: int) -> None:
    record = Record(RecordKind.COMMAND, 0, 1, 0, bytes(length))
    if length <= PAYLOAD_BYTES_MAX:
        assert parse_record(SEGMENT, 0, encode_record(record), 0) is not None
        return
    with pytest.raises(JournalError) as caught:
        encode_record(record)
    assert str(caught.value) == "payload: expected at most 1048576 bytes, got 1048577"


def test_names_of_segments() -> None:
    assert segment_name(1) == "journal-00000000000000000001.segment"
    assert first_sequence_of(segment_name(2**64 - 1)) == 2**64 - 1
    for name in ("journal.lock", "journal-1.segment", segment_name(1) + ".old", "x" + SEGMENT):
        assert first_sequence_of(name) is None


def test_payloads_of_another_length() -> None:
    with pytest.raises(JournalDamaged) as damaged:
        decode_segment_start(SEGMENT, 8, b"short")
    assert str(damaged.value) == f"{SEGMENT}: byte 8: segment record: expected 36 bytes, got 5"
    with pytest.raises(JournalError) as caught:
        decode_seal(RECORD)
    assert str(caught.value) == "seal, record 9: expected 52 bytes, got 7"
