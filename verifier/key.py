"""The verifying key: everything that the verifier knows before it sees a proof.

Degrees, chunk layout and proof length are derived from it, never taken from a proof (trap P1).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from eth_hash.auto import keccak

from circuits.air.bus import ARITY_MAX
from circuits.air.chip import ChipError, System
from circuits.air.shape import Layout, Shape, lay_out, stack_columns
from circuits.air.tape import Tape
from circuits.field import R
from verifier.errors import KeyFileError
from verifier.pairing import G2Point, is_valid_g2

KEY_TAG = b"plasmaperps/key/v1"
CHALLENGE_COUNT = ARITY_MAX + 2
LOG_HEIGHT_MAX = 28


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
        name = self.name.encode()
        counts = (len(name), self.log_height, self.main_columns, self.helper_columns)
        zeros = b"".join(value.to_bytes(32, "big") for value in self.zero_values)
        return _counts(*counts) + name + zeros + self.tape.to_bytes()


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
                chip.name, shape.log_height(chip.name), len(chip.columns), chip.helper_count,
                chip.zero_values, chip.tape,
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
    """Read a key file and check it against its own digest.

    Raises: KeyFileError naming the place, what was expected and what was found.
    """
    name = str(path)
    try:
        document = json.loads(path.read_text())
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise KeyFileError(name, "file", "a verifying key in JSON", error) from None
    if not isinstance(document, dict) or document.get("plasmaperps") != "verifying key":
        raise KeyFileError(name, "file", "a verifying key", "another kind of document")
    if document.get("version") != 1:
        raise KeyFileError(name, "version", 1, document.get("version"))
    try:
        key = _key_from(document)
        stated = str(document["digest"])
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, ChipError) as error:
        raise KeyFileError(name, "content", "a complete verifying key", repr(error)) from None
    if key.digest.hex() != stated:
        raise KeyFileError(name, "digest", stated, key.digest.hex())
    if not is_valid_g2(key.setup.tau_g2):
        raise KeyFileError(name, "tau_g2", "a point of the subgroup of G2", key.setup.tau_g2)
    return key


def _key_from(document: dict) -> VerifyingKey:
    x0, x1, y0, y1 = (int(value) for value in document["setup"]["tau_g2"])
    if any(not 0 <= value < 1 << 256 for value in (x0, x1, y0, y1)):
        raise ValueError("tau_g2: expected coordinates of 32 bytes")
    chips = []
    for each in document["chips"]:
        zeros = tuple(int(value) for value in each["zero_values"])
        tape = Tape.from_bytes(bytes.fromhex(each["tape"]))
        chip = ChipKey(
            str(each["name"]), int(each["log_height"]), int(each["main_columns"]),
            int(each["helper_columns"]), zeros, tape,
        )
        counts = (tape.columns, tape.challenges, tape.publics, tape.constraints)
        wanted = (
            chip.columns, CHALLENGE_COUNT, len(document["public_words"]), len(zeros),
        )
        if counts != wanted:
            raise ValueError(f"chip {chip.name}: expected tape counts {wanted}, got {counts}")
        if not 0 <= chip.log_height <= min(LOG_HEIGHT_MAX, int(document["log_chunk"])):
            raise ValueError(f"chip {chip.name}: log height {chip.log_height} out of range")
        if any(not 0 <= value < R for value in (*zeros, *tape.constants)):
            raise ValueError(f"chip {chip.name}: expected constants below r")
        chips.append(chip)
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
        str(document["shape"]), int(document["log_chunk"]), tuple(chips),
        tuple(str(word) for word in document["public_words"]), pubdata, single,
        Setup(((x0, x1), (y0, y1)), source_hash, document["setup"]["insecure"]),
    )
