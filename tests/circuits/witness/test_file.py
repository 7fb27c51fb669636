import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from circuits.air.chip import System
from circuits.chips.system import margin_system
from circuits.errors import WitnessError
from circuits.field import R
from circuits.witness import file as witness_file
from circuits.witness.build import build
from circuits.witness.file import MAGIC, Witness, circuit_digest
from circuits.witness.table import Table
from tests.support import exchange
from tests.support.batches import batch_of

SYSTEM = margin_system()


@pytest.fixture(scope="module")
def witness() -> Witness:
    batch = batch_of(exchange.transfer(1, 1, 2, 5), state=exchange.funded(2))
    return build(batch.statement, batch.events, batch.touched_nodes)


@pytest.fixture
def path(witness: Witness, tmp_path: Path) -> Path:
    target = tmp_path / "batch-1.witness"
    witness.save(target)
    return target


def sections(data: bytes) -> Iterator[tuple[str, int, int]]:
    """Name, start and end of the payload of every section."""
    position = len(MAGIC) + 4
    while position < len(data):
        name_end = position + 1 + data[position]
        name = data[position + 1 : name_end].decode()
        start = name_end + 8
        end = start + int.from_bytes(data[name_end:start], "big")
        yield name, start, end
        position = end + 32


def refusal(path: Path, data: bytes) -> str:
    """The one line that says what is wrong with these bytes."""
    path.write_bytes(data)
    with pytest.raises(WitnessError) as caught:
        Witness.load(path, SYSTEM)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert ": expected " in message
    assert ", got " in message
    return message.removeprefix(f"{path}: ")


def with_payload(data: bytes, section: str, payload: bytes) -> bytes:
    """The file with another payload under a right checksum."""
    name, start, end = next(each for each in sections(data) if each[0] == section)
    frame = witness_file._frame(name, payload)
    return data[: start - 9 - len(name)] + frame + data[end + 32 :]


def test_a_witness_comes_back_as_it_was(witness: Witness, path: Path) -> None:
    loaded = Witness.load(path, SYSTEM)
    assert (loaded.statement, loaded.shape_name) == (witness.statement, witness.shape_name)
    assert loaded.heights == witness.heights
    for ours, theirs in zip(witness.tables, loaded.tables, strict=True):
        for mine, other in zip(ours.columns, theirs.columns, strict=True):
            assert mine.dtype == other.dtype
            assert np.array_equal(mine, other)


def test_sections_are_header_statement_and_chips(path: Path) -> None:
    names = [name for name, _, _ in sections(path.read_bytes())]
    assert names == ["header", "statement", *(chip.name for chip in SYSTEM.chips)]


def test_a_truncated_file_names_the_section(path: Path) -> None:
    data = path.read_bytes()
    assert refusal(path, b"") == "start of file at byte 0: expected 8 more bytes, got 0"
    assert refusal(path, data[:10]) == "version at byte 8: expected 4 more bytes, got 2"
    for name, start, end in sections(data):
        # Before, in the middle of and after the payload; an empty table has no middle.
        for cut in {start - 1, (start + end) // 2, end, end + 31}:
            assert refusal(path, data[:cut]).startswith(f"section {name} at byte ")


def test_a_flipped_byte_is_found_in_its_section(path: Path) -> None:
    data = path.read_bytes()
    for name, start, end in sections(data):
        places = {end: f"section {name} checksum"}
        if end > start:
            places[(start + end) // 2] = f"section {name} checksum"
        for position, place in places.items():
            flipped = bytearray(data)
            flipped[position] ^= 0x40
            assert refusal(path, bytes(flipped)).startswith(place)


def test_a_file_of_another_kind_or_version(path: Path) -> None:
    data = path.read_bytes()
    assert refusal(path, b"PK" + data[2:]) == (
        "byte 0: expected a witness file (b'PPWITNES'), got b'PKWITNES'"
    )
    newer = data[: len(MAGIC)] + (2).to_bytes(4, "big") + data[len(MAGIC) + 4 :]
    assert refusal(path, newer) == "version: expected 1, got 2"


def test_a_renamed_missing_or_added_section(path: Path) -> None:
    data = path.read_bytes()
    renamed = data.replace(b"\x04leaf", b"\x04leav", 1)
    assert refusal(path, renamed).endswith("expected section leaf, got section b'leav'")
    assert refusal(path, data + b"\0").startswith(f"byte {len(data)}: expected the end of the file")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"shape": "XXL"}, "section header: shape: expected S or M, got XXL"),
        ({"shape": ["S"]}, "section header: shape: expected S or M, got ['S']"),
        ({"circuit": "00"}, f"circuit: expected {circuit_digest(SYSTEM).hex()}, got 00"),
        ({"rows": [["leaf", 1]]}, "section header: rows: expected ['range16'"),
        ({"rows": 7}, "section header: expected shape, circuit and rows in JSON"),
    ],
)
def test_a_header_that_does_not_belong(
    path: Path, change: dict[str, object], expected: str
) -> None:
    data = path.read_bytes()
    _, start, end = next(sections(data))
    header = json.loads(data[start:end]) | change
    assert expected in refusal(path, with_payload(data, "header", json.dumps(header).encode()))
    assert "JSON" in refusal(path, with_payload(data, "header", b"{"))


@pytest.mark.parametrize("rows", [-1, 2049])
def test_more_rows_than_the_shape_holds(path: Path, rows: int) -> None:
    data = path.read_bytes()
    _, start, end = next(sections(data))
    header = json.loads(data[start:end])
    header["rows"] = [[name, rows if name == "tree" else n] for name, n in header["rows"]]
    assert refusal(path, with_payload(data, "header", json.dumps(header).encode())) == (
        f"section header: rows of chip tree: expected 0..2048 in shape S, got {rows}"
    )


def test_a_section_of_another_length(path: Path) -> None:
    message = refusal(path, with_payload(path.read_bytes(), "batch", b"\0" * 5))
    assert message == "section batch: expected 3 bytes, got 5"


def test_a_statement_that_is_none(path: Path) -> None:
    message = refusal(path, with_payload(path.read_bytes(), "statement", b"{}"))
    assert message.startswith("section statement: format: expected ")


def test_a_cell_that_is_no_field_element(path: Path) -> None:
    data = path.read_bytes()
    _, start, end = next(each for each in sections(data) if each[0] == "pubdata")
    for number in (R, 2**256 - 1):
        payload = data[start : end - 32] + number.to_bytes(32, "little")
        row = (end - start) // 32 - 1
        assert refusal(path, with_payload(data, "pubdata", payload)) == (
            f"section pubdata: column word: row {row}: expected a field element below r, "
            "got a larger number"
        )
    largest = data[start : end - 32] + (R - 1).to_bytes(32, "little")
    path.write_bytes(with_payload(data, "pubdata", largest))
    assert Witness.load(path, SYSTEM).table("pubdata").cells()[0][-1] == R - 1


def test_the_digest_depends_on_every_chip() -> None:
    fewer = System(SYSTEM.chips[1:], SYSTEM.public_names, "pubdata", ("batch",), SYSTEM.modulus)
    assert circuit_digest(fewer) != circuit_digest(SYSTEM)


def test_a_failed_save_leaves_the_old_file_and_nothing_else(witness: Witness, path: Path) -> None:
    before = path.read_bytes()

    class Broken(np.ndarray):
        def tobytes(self, order: str | None = "C") -> bytes:
            raise MemoryError

    last = witness.tables[-1]
    columns = tuple(column.view(Broken) for column in last.columns)
    broken = Witness(
        witness.statement,
        witness.shape_name,
        (*witness.tables[:-1], Table(last.name, last.height, columns)),
    )
    with pytest.raises(MemoryError):
        broken.save(path)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]
