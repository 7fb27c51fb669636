"""The Keccak transcript (protocol 3.1).

    absorb(label, data):  state = keccak256(state | label | len(data) as u32 | data)
    challenge():          state = keccak256(state | 0x01);  challenge = state mod r

Reading proof data absorbs it, and there is no other way to get at the data: a challenge can
therefore never miss a message that came before it (trap P16). The prover writes through the
mirror image, so both sides build the same chain.
"""

from __future__ import annotations

from collections.abc import Sequence

from eth_hash.auto import keccak

from circuits.field import Q, R
from verifier.errors import (
    HeightPadding,
    PointNotOnCurve,
    ScalarNotCanonical,
)

WORD_BYTES = 32
POINT_BYTES = 64
HEIGHTS_PER_WORD = 8
PROTOCOL_TAG = b"plasmaperps/proof/v1"

LABEL_STATEMENT = b"stmt"
LABEL_HEIGHTS = b"hght"
LABEL_MAIN = b"main"
LABEL_HELPERS = b"help"
LABEL_ROUND = b"rnd1"
LABEL_EVALUATIONS = b"eval"
LABEL_REDUCTION = b"rnd2"
LABEL_FOLDS = b"fold"
LABEL_NEGATED = b"negv"
LABEL_QUOTIENT = b"quot"
LABEL_OPENING = b"open"

Point = tuple[int, int]
INFINITY: Point = (0, 0)


def is_on_curve(point: Point) -> bool:
    """Canonical coordinates on y^2 = x^3 + 3, or exactly (0, 0) for the point at infinity."""
    x, y = point
    if x >= Q or y >= Q:
        return False
    return point == INFINITY or (y * y - x * x * x - 3) % Q == 0


def words_to_bytes(words: Sequence[int]) -> bytes:
    return b"".join(word.to_bytes(WORD_BYTES, "big") for word in words)


def heights_to_bytes(heights: Sequence[int]) -> bytes:
    """Eight heights of 32 bits to a word, in chip order, zero filled at the end."""
    packed = b"".join(height.to_bytes(4, "big") for height in heights)
    return packed + bytes(-len(packed) % WORD_BYTES)


class Transcript:
    """The hash chain itself."""

    def __init__(self) -> None:
        self._state = keccak(PROTOCOL_TAG)

    def absorb(self, label: bytes, data: bytes) -> None:
        self._state = keccak(self._state + label + len(data).to_bytes(4, "big") + data)

    def challenge(self) -> int:
        """Next challenge; its bias is below 2^-2 of one value and changes no bound."""
        self._state = keccak(self._state + b"\x01")
        return int.from_bytes(self._state, "big") % R

    def absorb_statement(
        self, key_digest: bytes, words: Sequence[int], pubdata: Sequence[int]
    ) -> None:
        """Step 0: key, public words and published words, each with its length."""
        self.absorb(
            LABEL_STATEMENT,
            key_digest
            + words_to_bytes((len(words), *words, len(pubdata)))
            + keccak(words_to_bytes(pubdata)),
        )


class ProofReader(Transcript):
    """Hands out proof data in order, checked for canonical form and absorbed."""

    def __init__(self, proof: bytes) -> None:
        super().__init__()
        self._proof = proof
        self._position = 0

    def _take(self, label: bytes, size: int) -> bytes:
        data = self._proof[self._position : self._position + size]
        self._position += size
        self.absorb(label, data)
        return data

    def read_heights(self, count: int) -> list[int]:
        """Raises: HeightPadding when the filler of the last word is not zero."""
        size = -(-count // HEIGHTS_PER_WORD) * WORD_BYTES
        data = self._take(LABEL_HEIGHTS, size)
        padding = int.from_bytes(data[4 * count :], "big")
        if padding:
            raise HeightPadding("heights", 0, padding)
        return [int.from_bytes(data[4 * i : 4 * i + 4], "big") for i in range(count)]

    def read_scalars(self, label: bytes, count: int) -> list[int]:
        """Raises: ScalarNotCanonical for the first word that is not below r."""
        data = self._take(label, count * WORD_BYTES)
        scalars = []
        for number in range(count):
            word = int.from_bytes(data[WORD_BYTES * number : WORD_BYTES * (number + 1)], "big")
            if word >= R:
                raise ScalarNotCanonical(f"{label.decode()}[{number}]", f"below {R}", word)
            scalars.append(word)
        return scalars

    def read_points(self, label: bytes, count: int) -> list[Point]:
        """Raises: PointNotOnCurve for the first point that is not canonical and on the curve."""
        data = self._take(label, count * POINT_BYTES)
        points = []
        for number in range(count):
            start = POINT_BYTES * number
            point = (
                int.from_bytes(data[start : start + WORD_BYTES], "big"),
                int.from_bytes(data[start + WORD_BYTES : start + POINT_BYTES], "big"),
            )
            if not is_on_curve(point):
                raise PointNotOnCurve(f"{label.decode()}[{number}]", "a curve point", point)
            points.append(point)
        return points


class ProofWriter(Transcript):
    """The prover's side: what it writes is absorbed and becomes the proof, in order."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def _put(self, label: bytes, data: bytes) -> None:
        self.absorb(label, data)
        self._parts.append(data)

    def write_heights(self, heights: Sequence[int]) -> None:
        self._put(LABEL_HEIGHTS, heights_to_bytes(heights))

    def write_scalars(self, label: bytes, scalars: Sequence[int]) -> None:
        self._put(label, words_to_bytes(scalars))

    def write_points(self, label: bytes, points: Sequence[Point]) -> None:
        self._put(label, words_to_bytes([value for point in points for value in point]))

    def to_bytes(self) -> bytes:
        return b"".join(self._parts)
