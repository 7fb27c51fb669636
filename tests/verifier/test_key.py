"""Verifying keys: what is derived, what the digest covers, and which files are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from circuits.air.chip import ChipError
from circuits.air.shape import Shape, lay_out
from circuits.air.tape import MUL
from circuits.field import Q, R
from tests.support.small_batch import SHAPE, small_key, small_setup, small_system
from verifier.errors import KeyFileError
from verifier.key import ChipKey, Setup, VerifyingKey, load_key, make_key, save_key

KEY = small_key()
CHIP = KEY.chips[0]
Document = dict[str, Any]


def test_a_key_is_made_of_its_system_and_shape() -> None:
    assert [chip.name for chip in KEY.chips] == ["sender", "pubdata", "batch"]
    assert [chip.log_height for chip in KEY.chips] == [2, 2, 0]
    assert [chip.tape for chip in KEY.chips] == [chip.tape for chip in small_system().chips]
    assert (KEY.pubdata_chip, KEY.single_row_chips) == (1, (2,))
    assert KEY.layout == lay_out(small_system(), SHAPE)
    assert (KEY.rounds, KEY.round_degree) == (2, 4)
    assert (KEY.columns, KEY.constraints) == (8, 4)
    assert KEY.chips[2].zero_values == (R - 8, 0)


def test_a_round_has_degree_three_for_the_published_words_alone() -> None:
    """Given chips of degree 1, published words times their powers need degree 3 still."""
    low = tuple(
        replace(chip, tape=replace(chip.tape, code=tuple(c for c in chip.tape.code if c[0] != MUL)))
        for chip in KEY.chips
    )
    assert replace(KEY, chips=low).round_degree == 3


def test_a_shape_that_does_not_fit_makes_no_key() -> None:
    with pytest.raises(ChipError, match="chip batch: expected a log height from 0 to 3, got None"):
        make_key(small_system(), Shape("small", (("sender", 2), ("pubdata", 2)), 3), KEY.setup)


def test_the_digest_is_pinned() -> None:
    assert KEY.digest.hex() == ("90a22119cf4efe4f5d1b173c21ff1d1e1133573edb78dcbf98d9208836abd939")


def chip_changes(chip: ChipKey) -> list[ChipKey]:
    tape = chip.tape
    return [
        replace(chip, name="Sender"),
        replace(chip, log_height=1),
        replace(chip, main_columns=1, helper_columns=2),
        replace(chip, zero_values=(1,)),
        replace(chip, zero_values=(0, 0)),
        replace(chip, tape=replace(tape, columns=tape.columns + 1)),
        replace(chip, tape=replace(tape, challenges=9)),
        replace(chip, tape=replace(tape, publics=19)),
        replace(chip, tape=replace(tape, constants=(3,))),
        replace(chip, tape=replace(tape, temporaries=9)),
        replace(chip, tape=replace(tape, constraints=2)),
        replace(chip, tape=replace(tape, code=tape.code[:-1])),
        replace(
            chip,
            tape=replace(tape, code=((1 - tape.code[0][0], *tape.code[0][1:]), *tape.code[1:])),
        ),
    ]


def key_changes() -> list[VerifyingKey]:
    setup = KEY.setup
    (x0, x1), (y0, y1) = setup.tau_g2
    setups = [
        replace(setup, insecure=False),
        replace(setup, source_hash=bytes(32)),
        replace(setup, tau_g2=((x1, x0), (y0, y1))),
        replace(setup, tau_g2=((x0, x1), (y0, Q - y1))),
    ]
    return [
        replace(KEY, shape_name="smaller"),
        replace(KEY, log_chunk=4),
        replace(KEY, chips=KEY.chips[:2]),
        replace(KEY, chips=(KEY.chips[1], KEY.chips[0], KEY.chips[2])),
        replace(KEY, public_names=KEY.public_names[:-1]),
        replace(KEY, public_names=(*KEY.public_names[:-2], "deposit", "total_withdrawal_total")),
        replace(KEY, pubdata_chip=0),
        replace(KEY, single_row_chips=()),
        replace(KEY, single_row_chips=(2, 2)),
        *(replace(KEY, setup=each) for each in setups),
        *(replace(KEY, chips=(each, *KEY.chips[1:])) for each in chip_changes(CHIP)),
    ]


def test_the_digest_covers_every_field() -> None:
    digests = [each.digest for each in (KEY, *key_changes())]
    assert len(set(digests)) == len(digests)
    # Each field of the three classes occurs among the changes.
    assert set(VerifyingKey.__dataclass_fields__) == {
        "shape_name", "log_chunk", "chips", "public_names", "pubdata_chip", "single_row_chips",
        "setup",
    }  # fmt: skip
    assert set(Setup.__dataclass_fields__) == {"tau_g2", "source_hash", "insecure"}
    assert set(ChipKey.__dataclass_fields__) == {
        "name", "log_height", "main_columns", "helper_columns", "zero_values", "tape",
    }  # fmt: skip


@pytest.mark.parametrize("insecure", [True, False])
def test_file_round_trip(tmp_path: Path, insecure: bool) -> None:
    key, path = small_key(insecure=insecure), tmp_path / "small.key"
    path.write_text(save_key(key), encoding="utf-8")
    loaded = load_key(path)
    assert loaded == key
    assert (loaded.digest, save_key(loaded)) == (key.digest, save_key(key))


def message_of(path: Path) -> str:
    with pytest.raises(KeyFileError) as caught:
        load_key(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert (caught.value.path, "\n" in message) == (str(path), False)
    return message.removeprefix(f"{path}: ")


def refusal(tmp_path: Path, text: str) -> str:
    path = tmp_path / "bad.key"
    path.write_text(text, encoding="utf-8")
    return message_of(path)


NO_JSON = "file: expected a verifying key in JSON, got "
OTHER_KIND = "file: expected a verifying key, got another kind of document"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", NO_JSON + "Expecting value: line 1 column 1 (char 0)"),
        ("[]", OTHER_KIND),
        ('{"plasmaperps": "proof"}', OTHER_KIND),
        ('{"plasmaperps": "verifying key"}', "version: expected 1, got None"),
        ('{"plasmaperps": "verifying key", "version": 2}', "version: expected 1, got 2"),
        ("[" * 10**6, NO_JSON + "expected at most 400 opening brackets, got 1000000"),
    ],
    ids=["empty", "list", "other kind", "no version", "other version", "deep"],
)
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, text: str, message: str) -> None:
    assert refusal(tmp_path, text) == message


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    absent = tmp_path / "absent.key"
    assert message_of(absent) == "file: expected a readable file, got No such file or directory"
    assert message_of(tmp_path) == "file: expected a readable file, got Is a directory"
    binary = tmp_path / "binary.key"
    binary.write_bytes(b'{"plasmaperps": "\xff"}')
    assert message_of(binary).startswith(
        "file: expected a verifying key in JSON, got 'utf-8' codec"
    )


def document() -> Document:
    parsed: Document = json.loads(save_key(KEY))
    return parsed


def changed(change: Callable[[Document], Any]) -> str:
    parsed = document()
    change(parsed)
    return json.dumps(parsed, indent=1) + "\n"


def put(*path: Any, value: Any) -> Callable[[Document], None]:
    """Set the value at a path of the document."""

    def change(parsed: Any) -> None:
        for step in path[:-1]:
            parsed = parsed[step]
        parsed[path[-1]] = value

    return change


FIELDS = ["digest", "shape", "log_chunk", "public_words", "pubdata_chip", "single_row_chips",
          "setup", "chips"]  # fmt: skip


@pytest.mark.parametrize("name", FIELDS)
def test_a_missing_field_is_named(tmp_path: Path, name: str) -> None:
    message = refusal(tmp_path, changed(lambda parsed: parsed.pop(name)))
    assert message == f"content: expected a field '{name}', got none"


@pytest.mark.parametrize("part", ["setup", "chips"])
def test_a_missing_field_of_a_part_is_named(tmp_path: Path, part: str) -> None:
    inner = document()[part]
    for name in inner[0] if part == "chips" else inner:

        def drop(parsed: Document, name: str = name) -> None:
            (parsed["chips"][0] if part == "chips" else parsed["setup"]).pop(name)

        message = refusal(tmp_path, changed(drop))
        assert message == f"content: expected a field '{name}', got none"


COMPLETE = "content: expected a complete verifying key, got "
WIDE = 2**256

MALFORMED: dict[str, tuple[Callable[[Document], None], str]] = {
    "tau of three numbers": (
        put("setup", "tau_g2", value=["1", "2", "3"]),
        COMPLETE + "ValueError('not enough values to unpack (expected 4, got 3)')",
    ),
    "tau out of bytes": (
        put("setup", "tau_g2", 2, value=str(WIDE)),
        COMPLETE + "ValueError('tau_g2: expected coordinates of 32 bytes')",
    ),
    "negative tau": (
        put("setup", "tau_g2", 2, value="-1"),
        COMPLETE + "ValueError('tau_g2: expected coordinates of 32 bytes')",
    ),
    "short source hash": (
        put("setup", "source_hash", value="00"),
        COMPLETE + "ValueError('source_hash: expected 32 bytes, got 1')",
    ),
    "insecure as a number": (
        put("setup", "insecure", value=1),
        COMPLETE + "ValueError('insecure: expected true or false')",
    ),
    "setup as a list": (
        put("setup", value=[]),
        COMPLETE + "TypeError('list indices must be integers or slices, not str')",
    ),
    "no chunk": (
        put("log_chunk", value=0),
        COMPLETE + "ValueError('log_chunk: expected 1 to 28, got 0')",
    ),
    "huge chunk": (
        put("log_chunk", value=2**40),
        COMPLETE + f"ValueError('log_chunk: expected 1 to 28, got {2**40}')",
    ),
    "infinite chunk": (
        put("log_chunk", value=float("inf")),
        COMPLETE + "OverflowError('cannot convert float infinity to integer')",
    ),
    "no such pubdata chip": (
        put("pubdata_chip", value=3),
        COMPLETE + "ValueError('chip number out of range')",
    ),
    "negative single row chip": (
        put("single_row_chips", value=[-1]),
        COMPLETE + "ValueError('chip number out of range')",
    ),
    "no chips": (put("chips", value=[]), COMPLETE + "ValueError('chip number out of range')"),
    "path as a shape name": (
        put("shape", value="../x"),
        COMPLETE + "ValueError(\"expected a name of up to 64 letters and digits, got '../x'\")",
    ),
    "surrogate as a chip name": (
        put("chips", 0, "name", value="\ud800"),
        COMPLETE
        + "ValueError(\"expected a name of up to 64 letters and digits, got '\\\\ud800'\")",
    ),
    "column too many": (
        put("chips", 0, "main_columns", value=3),
        COMPLETE
        + "ValueError('chip sender: expected tape counts (4, 10, 20, 1), got (3, 10, 20, 1)')",
    ),
    "negative columns": (
        lambda parsed: parsed["chips"][0].update(main_columns=-1, helper_columns=4),
        COMPLETE + "ValueError('chip sender: expected 1 to 16384 columns, got -1 and 4')",
    ),
    "columns without end": (
        put("chips", 0, "main_columns", value=2**33),
        COMPLETE + f"ValueError('chip sender: expected 1 to 16384 columns, got {2**33} and 1')",
    ),
    "public word less": (
        lambda parsed: parsed["public_words"].pop(),
        COMPLETE
        + "ValueError('chip sender: expected tape counts (3, 10, 19, 1), got (3, 10, 20, 1)')",
    ),
    "zero value more": (
        put("chips", 0, "zero_values", value=["0", "0"]),
        COMPLETE
        + "ValueError('chip sender: expected tape counts (3, 10, 20, 2), got (3, 10, 20, 1)')",
    ),
    "zero value not below r": (
        put("chips", 0, "zero_values", 0, value=str(R)),
        COMPLETE + "ValueError('chip sender: expected constants below r')",
    ),
    "chip higher than a chunk": (
        put("chips", 0, "log_height", value=4),
        COMPLETE + "ValueError('chip sender: log height 4 out of range')",
    ),
    "tape cut": (
        lambda parsed: parsed["chips"][0].update(tape=parsed["chips"][0]["tape"][:-2]),
        COMPLETE + "ValueError('tape: expected {tape} bytes, got {cut}')",
    ),
    "tape not in hexadecimal": (
        put("chips", 0, "tape", value="zz"),
        COMPLETE + "ValueError('non-hexadecimal number found in fromhex() arg at position 0')",
    ),
    "tape as a number": (
        put("chips", 0, "tape", value=1),
        COMPLETE + "TypeError('fromhex() argument must be str, not int')",
    ),
}


@pytest.mark.parametrize(("change", "message"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_key_is_refused(
    tmp_path: Path, change: Callable[[Document], None], message: str
) -> None:
    length = len(CHIP.tape.to_bytes())
    expected = message.replace("{tape}", str(length)).replace("{cut}", str(length - 1))
    assert refusal(tmp_path, changed(change)) == expected


def test_a_tape_constant_is_below_r(tmp_path: Path) -> None:
    tape = replace(CHIP.tape, constants=(*CHIP.tape.constants[:-1], R)).to_bytes().hex()
    message = refusal(tmp_path, changed(put("chips", 0, "tape", value=tape)))
    assert message == COMPLETE + "ValueError('chip sender: expected constants below r')"


@pytest.mark.parametrize(
    "change",
    [
        put("shape", value="other"),
        put("log_chunk", value=4),
        put("pubdata_chip", value=0),
        put("single_row_chips", value=[]),
        put("setup", "insecure", value=False),
        put("setup", "source_hash", value="00" * 32),
        put("setup", "tau_g2", 0, value="1"),
        put("public_words", 0, value="Domain"),
        put("chips", 0, "name", value="other"),
        put("chips", 0, "log_height", value=1),
        put("chips", 0, "zero_values", value=["1"]),
    ],
)
def test_a_changed_field_does_not_fit_the_digest(
    tmp_path: Path, change: Callable[[Document], None]
) -> None:
    message = refusal(tmp_path, changed(change))
    assert message.startswith(f"digest: expected {KEY.digest.hex()}, got ")


@pytest.mark.parametrize(
    "text",
    [
        save_key(KEY).rstrip("\n"),
        save_key(KEY).replace("\n ", "\n  ", 1),
        changed(put("comment", value="a note")),
        changed(put("log_chunk", value=3.5)),
        changed(put("log_chunk", value="3")),
        changed(put("version", value=True)),
        changed(put("pubdata_chip", value=True)),
        changed(put("chips", 0, "zero_values", value=["+0"])),
    ],
    ids=["cut", "spaced", "comment", "fraction", "text", "version", "boolean", "sign"],
)
def test_a_key_has_one_form(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, text) == (
        "file: expected the one form that save_key writes, got another form"
    )


@pytest.mark.parametrize("point", [((1, 2), (3, 4)), ((0, 0), (0, 0))])
def test_tau_must_be_a_point_of_the_group(tmp_path: Path, point: Any) -> None:
    key = replace(KEY, setup=replace(small_setup(), tau_g2=point))
    message = refusal(tmp_path, save_key(key))
    assert message == f"tau_g2: expected a point of the subgroup of G2, got {point}"


def test_long_garbage_is_cut_in_the_message(tmp_path: Path) -> None:
    message = refusal(tmp_path, changed(put("digest", value="x" * 10_000)))
    assert len(message) < 450
