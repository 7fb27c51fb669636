"""The witness on disk: what was written is read, and nothing else is taken for it."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from prover.cluster.errors import StoreMismatch
from prover.cluster.settings import ClusterSettings
from prover.cluster.shards import Span, plan_shards
from prover.cluster.store import COLUMNS, MANIFEST, TableSource, WitnessStore
from tests.support.toy_system import toy_key, toy_shape, toy_witness

KEY = toy_key(toy_shape())
WITNESS = toy_witness([3, 5, 0, 15, 3], [1, 4], [2, 9, 9])
NAMES = [chip.name for chip in KEY.chips]
STEP = NAMES.index("step")


def plan_of(witness, log_shards=1):
    heights = [witness.tables[name].height for name in NAMES]
    settings = ClusterSettings(rows_shared_min=3, log_shards=log_shards)
    return plan_shards(heights, [chip.log_height for chip in KEY.chips], settings)


PLAN = plan_of(WITNESS)


def persist(folder, witness=WITNESS, plan=PLAN):
    return WitnessStore.persist(folder / "witness", KEY, plan, witness.tables)


def refused(call) -> str:
    with pytest.raises(StoreMismatch) as caught:
        call()
    return str(caught.value)


def test_every_span_is_read_as_it_was_written(tmp_path):
    persist(tmp_path)
    store = WitnessStore.open(tmp_path / "witness", KEY, PLAN)
    source = TableSource(KEY, PLAN, WITNESS.tables)
    chips = [PLAN.whole(number) for number in range(len(NAMES))]
    for span in [*chips, *(part for whole in chips for part in whole.split(2))]:
        for read, given in zip(store.columns(span), source.columns(span), strict=True):
            assert read.dtype == given.dtype
            assert np.array_equal(read, given)
            assert read.flags.writeable
            assert type(read) is np.ndarray


def test_every_column_is_read_as_it_was_written(tmp_path):
    persist(tmp_path)
    store = WitnessStore.open(tmp_path / "witness", KEY, PLAN)
    source = TableSource(KEY, PLAN, WITNESS.tables)
    for number, chip in enumerate(KEY.chips):
        for column in range(chip.main_columns):
            read, given = store.column(number, column), source.column(number, column)
            assert read.dtype == given.dtype
            assert np.array_equal(read, given)
        with pytest.raises(IndexError):
            store.column(number, chip.main_columns)


def test_what_kernels_do_with_the_columns_does_not_reach_the_file(tmp_path):
    store = persist(tmp_path)
    store.columns(PLAN.whole(STEP))[0][:] = 77
    assert WitnessStore.open(tmp_path / "witness", KEY, PLAN).columns(PLAN.whole(STEP))[
        0
    ].tolist() == [
        0,
        1,
        2,
        3,
        4,
    ]


def test_the_same_witness_is_written_once(tmp_path):
    first = persist(tmp_path)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "witness").iterdir()}
    assert persist(tmp_path).digest == first.digest
    assert times == {path: path.stat().st_mtime_ns for path in (tmp_path / "witness").iterdir()}


def test_another_witness_is_refused_by_the_name_of_its_chip(tmp_path):
    first = persist(tmp_path)
    other = toy_witness([3, 5, 0, 15, 4], [1, 4], [2, 9, 9])
    text = refused(lambda: persist(tmp_path, other))
    assert f"{tmp_path / 'witness' / MANIFEST}: chip step: expected checksum " in text
    assert persist(tmp_path / "beside", other).digest != first.digest


def test_a_store_that_is_cut_otherwise_is_refused(tmp_path):
    persist(tmp_path)
    for plan in (plan_of(WITNESS, 2), plan_of(toy_witness([1] * 7, [1, 4], [2, 9, 9]))):
        text = refused(lambda plan=plan: WitnessStore.open(tmp_path / "witness", KEY, plan))
        assert "rows and tiles: expected " in text


@pytest.mark.parametrize("shard", [0, 1])
def test_a_flipped_bit_is_found_by_whoever_reads_its_shard(tmp_path, shard):
    persist(tmp_path)
    folder = tmp_path / "witness"
    start, _ = PLAN.rows(Span(STEP, shard, shard + 1))
    # The chip is the first one, and its first column holds two bytes a row.
    assert STEP == 0
    data = bytearray((folder / COLUMNS).read_bytes())
    data[2 * start] ^= 1
    (folder / COLUMNS).write_bytes(data)
    store = WitnessStore.open(folder, KEY, PLAN)
    text = refused(lambda: store.columns(Span(STEP, shard, shard + 1)))
    place = f"{folder / COLUMNS}: chip step, shard {shard}"
    assert text.startswith(f"{place}: expected checksum ")
    assert store.columns(Span(STEP, 1 - shard, 2 - shard))
    assert refused(lambda: store.column(STEP, 0)) == text


def test_a_bit_is_found_by_whoever_reads_a_column_of_its_chunk(tmp_path):
    persist(tmp_path)
    path = tmp_path / "witness" / COLUMNS
    chunks = [p.chunk for p in KEY.layout.pieces if p.chip == STEP]
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)
    store = WitnessStore.open(tmp_path / "witness", KEY, PLAN)
    seen = set()
    for column in range(KEY.chips[STEP].main_columns):
        seen.add(chunks[column] == chunks[0])
        if chunks[column] == chunks[0]:
            assert "chip step, shard 0: expected" in refused(lambda c=column: store.column(STEP, c))
        else:
            store.column(STEP, column)
    assert seen == {True, False}


def damaged(path):
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [Path.unlink, damaged, lambda path: path.write_bytes(b"half")],
    ids=["missing", "flipped bit", "cut"],
)
def test_damaged_columns_are_written_anew_for_the_same_witness_only(tmp_path, damage):
    persist(tmp_path)
    damage(tmp_path / "witness" / COLUMNS)
    other = toy_witness([3, 5, 0, 15, 4], [1, 4], [2, 9, 9])
    assert "chip step: expected checksum " in refused(lambda: persist(tmp_path, other))
    assert persist(tmp_path).columns(PLAN.whole(STEP))[0].tolist() == [0, 1, 2, 3, 4]
    store = WitnessStore.open(tmp_path / "witness", KEY, PLAN)
    assert store.columns(PLAN.whole(STEP))[0].tolist() == [0, 1, 2, 3, 4]


def test_a_file_of_another_size_is_named(tmp_path):
    store = persist(tmp_path)
    path = tmp_path / "witness" / COLUMNS
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:100])
    text = refused(lambda: store.columns(PLAN.whole(STEP)))
    assert text == f"{path}: expected {size} bytes, got 100"


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-5],
        lambda data: b"[]",
        lambda data: b'{"sha256": []}',
        lambda data: data.replace(b'"height": 5', b'"height": 6'),
        lambda data: data.replace(b'"<u2"', b'"<t2"'),
        lambda data: data[:40] + bytes([data[40] ^ 0x80]) + data[41:],
        lambda data: data.replace(
            json.loads(data)["chips"][STEP]["tiles"][0][0].encode(), b"0" * 64
        ),
    ],
    ids=["cut", "list", "no chips", "height", "type", "no text", "shard"],
)
def test_a_damaged_manifest_is_refused_and_written_anew(tmp_path, damage):
    persist(tmp_path)
    path = tmp_path / "witness" / MANIFEST
    whole = path.read_bytes()
    assert damage(whole) != whole
    path.write_bytes(damage(whole))
    text = refused(lambda: WitnessStore.open(tmp_path / "witness", KEY, PLAN))
    assert text == f"{path}: expected a manifest, got one that is damaged"
    assert persist(tmp_path).columns(PLAN.whole(STEP))[0].tolist() == [0, 1, 2, 3, 4]
    assert path.read_bytes() == whole


def test_a_witness_of_other_chips_is_another_witness(tmp_path):
    persist(tmp_path)
    path = tmp_path / "witness" / MANIFEST
    entries = json.loads(path.read_bytes())["chips"][:-1]
    sha256 = hashlib.sha256(json.dumps(entries).encode()).hexdigest()
    path.write_text(json.dumps({"chips": entries, "sha256": sha256}))
    text = refused(lambda: persist(tmp_path))
    assert f"{path}: chip {NAMES[-1]}: expected checksum " in text


def test_a_store_without_a_manifest_is_written_anew(tmp_path):
    persist(tmp_path)
    (tmp_path / "witness" / MANIFEST).unlink()
    (tmp_path / "witness" / COLUMNS).write_bytes(b"half")
    assert persist(tmp_path).columns(PLAN.whole(STEP))[0].tolist() == [0, 1, 2, 3, 4]
