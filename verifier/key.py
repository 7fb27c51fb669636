"""The verifying key: everything that the verifier knows before it sees a proof.

Degrees, chunk layout and proof length are derived from it, never taken from a proof (trap P1).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from eth_hash.auto import keccak

from circuits.air.bus import ARITY_MAX
from circuits.air.chip import ChipError, System
from circuits.air.shape import Layout, Shape, lay_out, stack_columns
from circuits.air.tape import Tape
from circuits.field import R
from circuits.json_guard import parse_json
from verifier.errors import KeyFileError
from verifier.pairing import G2Point, is_valid_g2

KEY_TAG = b"plasmaperps/key/v1"
CHALLENGE_COUNT = ARITY_MAX + 2
# Bounds on what a key file may ask for; far above any shape, far below what exhausts memory.
LOG_CHUNK_MAX = 28
COLUMNS_MAX = 1 << 14
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class ChipKey:
    """One chip as the verifier sees it."""

    name: str
    log_height: int
    main_columns: int
    helper_columns: int
    zero_values: tuple[int, ...]
    tape: Tape

    @property
    def columns(self) -> int:
        return self.main_columns + self.helper_columns

    @cached_property
    def degree(self) -> int:
        return max(self.tape.degrees(), default=0)

    def to_bytes(self) -> bytes:
        counts = (
            self.log_height,
            self.main_columns,
            self.helper_columns,
            len(self.zero_values),
        )
        zeros = b"".join(value.to_bytes(32, "big") for value in self.zero_values)
        return _text(self.name) + _counts(*counts) + zeros + self.tape.to_bytes()


@dataclass(frozen=True)
class Setup:
    """The powers of tau that commitments are made with.

    `tau_g2` is [tau]_2 as ((x.c0, x.c1), (y.c0, y.c1)); `source_hash` pins the ceremony file.
    """

    tau_g2: G2Point
    source_hash: bytes
    insecure: bool


@dataclass(frozen=True)
class VerifyingKey:
    """Chips in their fixed order, public word names, chunk length and setup."""

    shape_name: str
    log_chunk: int
    chips: tuple[ChipKey, ...]
    public_names: tuple[str, ...]
    pubdata_chip: int
    single_row_chips: tuple[int, ...]
    setup: Setup

    @cached_property
    def layout(self) -> Layout:
        return stack_columns(
            tuple(chip.log_height for chip in self.chips),
            tuple(chip.main_columns for chip in self.chips),
            tuple(chip.helper_columns for chip in self.chips),
            self.log_chunk,
        )

    @cached_property
    def rounds(self) -> int:
        """Variables of the first sumcheck: the highest chip's."""
        return max(chip.log_height for chip in self.chips)

    @cached_property
    def round_degree(self) -> int:
        """Constraint degree plus one for the equality factor; at least 3 for published words."""
        return max(3, 1 + max(chip.degree for chip in self.chips))

    @cached_property
    def columns(self) -> int:
        return sum(chip.columns for chip in self.chips)

    @cached_property
    def constraints(self) -> int:
        return sum(chip.tape.constraints for chip in self.chips)

    @cached_property
    def digest(self) -> bytes:
        """keccak256 of the canonical bytes: the identity of circuit, shape and setup."""
        (x0, x1), (y0, y1) = self.setup.tau_g2
        parts = [KEY_TAG, _text(self.shape_name), _counts(self.log_chunk, len(self.chips))]
        parts += [chip.to_bytes() for chip in self.chips]
        parts += [_counts(len(self.public_names)), *map(_text, self.public_names)]
        parts += [_counts(self.pubdata_chip, len(self.single_row_chips), *self.single_row_chips)]
        parts += [value.to_bytes(32, "big") for value in (x0, x1, y0, y1)]
        parts += [self.setup.source_hash, _counts(int(self.setup.insecure))]
        return keccak(b"".join(parts))


def _counts(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "big") for value in values)


def _text(text: str) -> bytes:
    data = text.encode()
    return _counts(len(data)) + data


def make_key(system: System, shape: Shape, setup: Setup) -> VerifyingKey:
    """Key of a system in one shape.

    Raises: ChipError when the shape does not fit the system.
    """
    lay_out(system, shape)
    names = [chip.name for chip in system.chips]
    return VerifyingKey(
        shape.name,
        shape.log_chunk,
        tuple(
            ChipKey(
                chip.name,
                shape.log_height(chip.name),
                len(chip.columns),
                chip.helper_count,
                chip.zero_values,
                chip.tape,
            )
            for chip in system.chips
        ),
        system.public_names,
        names.index(system.pubdata_chip),
        tuple(names.index(name) for name in system.single_row_chips),
        setup,
    )


def save_key(key: VerifyingKey) -> str:
    """The key as JSON text, stable to the byte."""
    document = {
        "plasmaperps": "verifying key",
        "version": 1,
        "digest": key.digest.hex(),
        "shape": key.shape_name,
        "log_chunk": key.log_chunk,
        "public_words": list(key.public_names),
        "pubdata_chip": key.pubdata_chip,
        "single_row_chips": list(key.single_row_chips),
        "setup": {
            "insecure": key.setup.insecure,
            "source_hash": key.setup.source_hash.hex(),
            "tau_g2": [str(value) for pair in key.setup.tau_g2 for value in pair],
        },
        "chips": [
            {
                "name": chip.name,
                "log_height": chip.log_height,
                "main_columns": chip.main_columns,
                "helper_columns": chip.helper_columns,
                "zero_values": [str(value) for value in chip.zero_values],
                "tape": chip.tape.to_bytes().hex(),
            }
            for chip in key.chips
        ],
    }
    return json.dumps(document, indent=1) + "\n"


def load_key(path: Path) -> VerifyingKey:
    """Read a key file: exactly the text that save_key writes, checked against its own digest.

    Raises: KeyFileError naming the place, what was expected and what was found.
    """
    name = str(path)
    try:
        text = path.read_text(encoding="utf-8")
        document = parse_json(text)
    except OSError as error:
        raise KeyFileError(name, "file", "a readable file", error.strerror) from None
    except ValueError as error:
        raise KeyFileError(name, "file", "a verifying key in JSON", error) from None
    if not isinstance(document, dict) or document.get("plasmaperps") != "verifying key":
        raise KeyFileError(name, "file", "a verifying key", "another kind of document")
    if document.get("version") != 1:
        raise KeyFileError(name, "version", 1, document.get("version"))
    try:
        key = _key_from(document)
        digest, stated = key.digest.hex(), document["digest"]
    except KeyError as error:
        raise KeyFileError(name, "content", f"a field {error}", "none") from None
    except (TypeError, ValueError, IndexError, OverflowError, ChipError) as error:
        raise KeyFileError(name, "content", "a complete verifying key", repr(error)) from None
    if digest != stated:
        raise KeyFileError(name, "digest", stated, digest)
    if save_key(key) != text:
        raise KeyFileError(name, "file", "the one form that save_key writes", "another form")
    if not is_valid_g2(key.setup.tau_g2):
        raise KeyFileError(name, "tau_g2", "a point of the subgroup of G2", key.setup.tau_g2)
    return key


def _key_from(document: dict) -> VerifyingKey:
    x0, x1, y0, y1 = (int(value) for value in document["setup"]["tau_g2"])
    if any(not 0 <= value < 1 << 256 for value in (x0, x1, y0, y1)):
        raise ValueError("tau_g2: expected coordinates of 32 bytes")
    shape_name, log_chunk = str(document["shape"]), int(document["log_chunk"])
    if not 1 <= log_chunk <= LOG_CHUNK_MAX:
        raise ValueError(f"log_chunk: expected 1 to {LOG_CHUNK_MAX}, got {log_chunk}")
    public_names = tuple(str(word) for word in document["public_words"])
    chips = tuple(_chip_from(each, log_chunk, len(public_names)) for each in document["chips"])
    for name in (shape_name, *public_names, *(chip.name for chip in chips)):
        if not _NAME.fullmatch(name):
            raise ValueError(f"expected a name of up to 64 letters and digits, got {name[:80]!r}")
    single = tuple(int(number) for number in document["single_row_chips"])
    pubdata = int(document["pubdata_chip"])
    if any(not 0 <= number < len(chips) for number in (pubdata, *single)):
        raise ValueError("chip number out of range")
    source_hash = bytes.fromhex(document["setup"]["source_hash"])
    if len(source_hash) != 32:
        raise ValueError(f"source_hash: expected 32 bytes, got {len(source_hash)}")
    if not isinstance(document["setup"]["insecure"], bool):
        raise ValueError("insecure: expected true or false")
    return VerifyingKey(
        shape_name,
        log_chunk,
        chips,
        public_names,
        pubdata,
        single,
        Setup(((x0, x1), (y0, y1)), source_hash, document["setup"]["insecure"]),
    )


def _chip_from(document: dict, log_chunk: int, public_count: int) -> ChipKey:
    zeros = tuple(int(value) for value in document["zero_values"])
    tape = Tape.from_bytes(bytes.fromhex(document["tape"]))
    chip = ChipKey(
        str(document["name"]),
        int(document["log_height"]),
        int(document["main_columns"]),
        int(document["helper_columns"]),
        zeros,
        tape,
    )
    if not 1 <= chip.main_columns <= COLUMNS_MAX or not 0 <= chip.helper_columns <= COLUMNS_MAX:
        raise ValueError(
            f"chip {chip.name}: expected 1 to {COLUMNS_MAX} columns, "
            f"got {chip.main_columns} and {chip.helper_columns}"
        )
    counts = (tape.columns, tape.challenges, tape.publics, tape.constraints)
    wanted = (chip.columns, CHALLENGE_COUNT, public_count, len(zeros))
    if counts != wanted:
        raise ValueError(f"chip {chip.name}: expected tape counts {wanted}, got {counts}")
    if not 0 <= chip.log_height <= log_chunk:
        raise ValueError(f"chip {chip.name}: log height {chip.log_height} out of range")
    if any(not 0 <= value < R for value in (*zeros, *tape.constants)):
        raise ValueError(f"chip {chip.name}: expected constants below r")
    return chip
