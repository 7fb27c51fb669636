"""Every way to spoil a proof, a statement or published words, with the error each must give.

The list knows a key and nothing of who verifies, so that the Python verifier and the contract are
held to the same errors. `tampers(key, published)` takes the number of published words; a tamper
maps a true claim to a false one that differs from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from circuits.field import Q, R
from verifier.errors import (
    HeightFixed,
    HeightPadding,
    HeightTooLarge,
    OpeningMismatch,
    PointNotOnCurve,
    ProofLength,
    PubdataLength,
    PublishedNotCanonical,
    ScalarNotCanonical,
    StatementLength,
    SumcheckMismatch,
    VerificationError,
    WordNotCanonical,
)
from verifier.key import VerifyingKey
from verifier.proof import Section, sections
from verifier.transcript import (
    INFINITY,
    LABEL_EVALUATIONS,
    LABEL_HEIGHTS,
    LABEL_HELPERS,
    LABEL_MAIN,
    LABEL_ROUND,
    POINT_BYTES,
    WORD_BYTES,
    Point,
)

GENERATOR: Point = (1, 2)
# 2 (1, 2) by the tangent of slope 3/4.
DOUBLE: Point = (
    (9 * pow(16, -1, Q) - 2) % Q,
    (3 * pow(4, -1, Q) * (3 - 9 * pow(16, -1, Q)) - 2) % Q,
)
# Sections whose change moves the challenges of the first sumcheck, or its claim.
BEFORE_CONSTRAINTS = {LABEL_HEIGHTS, LABEL_MAIN, LABEL_HELPERS, LABEL_ROUND, LABEL_EVALUATIONS}


@dataclass(frozen=True, slots=True)
class Claim:
    """What is handed to a verifier."""

    key: VerifyingKey
    words: tuple[int, ...]
    pubdata: tuple[int, ...]
    proof: bytes


@dataclass(frozen=True, slots=True)
class Tamper:
    """`part` is the field of the claim that `apply` changes; `error` is what verifying must say."""

    name: str
    part: str
    apply: Callable[[Claim], Claim]
    error: type[VerificationError]


def tampers(key: VerifyingKey, published: int) -> list[Tamper]:
    """All tampers of claims under this key with so many published words."""
    return [
        *_heights(key, published),
        *_points(key),
        *_scalars(key),
        *_lengths(),
        *_words(key),
        *_pubdata(key, published),
        Tamper("another key digest", "key", _rename_shape, SumcheckMismatch),
    ]


def _rename_shape(claim: Claim) -> Claim:
    return replace(claim, key=replace(claim.key, shape_name=claim.key.shape_name + "x"))


def _mismatch(section: Section) -> type[VerificationError]:
    return SumcheckMismatch if section.label in BEFORE_CONSTRAINTS else OpeningMismatch


# Heights


def _heights(key: VerifyingKey, published: int) -> Iterator[Tamper]:
    """Too many rows, other rows where the statement fixes them, filler that is not zero."""
    fixed = dict.fromkeys(key.single_row_chips, 1) | {key.pubdata_chip: published}
    for number, chip in enumerate(key.chips):
        capacity = 1 << chip.log_height
        for height in (capacity + 1, 2**32 - 1):
            yield _height(f"{chip.name} of {height} rows", number, height, HeightTooLarge)
        if number in fixed:
            for height in {fixed[number] - 1, fixed[number] + 1, 0, capacity} - {fixed[number]}:
                if 0 <= height <= capacity:
                    yield _height(f"{chip.name} of {height} rows", number, height, HeightFixed)
        else:
            apply = partial(_step_height, number=number, capacity=capacity)
            yield Tamper(f"one row more or less of {chip.name}", "proof", apply, SumcheckMismatch)
    if len(key.chips) % 8:
        for end, place in (
            ("first", 4 * len(key.chips)),
            ("last", sections(key)[0].size_bytes - 1),
        ):
            apply = partial(_put, offset=place, data=b"\x01")
            yield Tamper(f"{end} filler byte of the heights", "proof", apply, HeightPadding)


def _height(name: str, number: int, height: int, error: type[VerificationError]) -> Tamper:
    apply = partial(_put, offset=4 * number, data=height.to_bytes(4, "big"))
    return Tamper(f"height: {name}", "proof", apply, error)


def _step_height(claim: Claim, number: int, capacity: int) -> Claim:
    height = int.from_bytes(claim.proof[4 * number : 4 * number + 4], "big")
    other = height + 1 if height < capacity else height - 1
    return _put(claim, 4 * number, other.to_bytes(4, "big"))


def _put(claim: Claim, offset: int, data: bytes) -> Claim:
    proof = claim.proof[:offset] + data + claim.proof[offset + len(data) :]
    return replace(claim, proof=proof)


# Points


def _off_curve(point: Point) -> Point:
    return (point[0], (point[1] + 1) % Q)


def _swapped(point: Point) -> Point:
    x, y = point if point != INFINITY else GENERATOR
    return (y, x)


def _another(point: Point) -> Point:
    return DOUBLE if point == GENERATOR else GENERATOR


def _negated_point(point: Point) -> Point:
    return (point[0], Q - point[1]) if point != INFINITY else GENERATOR


def _infinity(point: Point) -> Point:
    return INFINITY if point != INFINITY else GENERATOR


BAD_POINTS: dict[str, Callable[[Point], Point]] = {
    "off the curve": _off_curve,
    "x + q": lambda point: (point[0] + Q, point[1]),
    "y + q": lambda point: (point[0], point[1] + Q),
    "x of all ones": lambda point: (2**256 - 1, point[1]),
    "coordinates swapped": _swapped,
}
OTHER_POINTS: dict[str, Callable[[Point], Point]] = {
    "another point": _another,
    "negated": _negated_point,
    "infinity": _infinity,
}


def _points(key: VerifyingKey) -> Iterator[Tamper]:
    for section in sections(key):
        if section.kind != "points":
            continue
        for number in sorted({0, section.count - 1} & set(range(section.count))):
            name = f"{section.label.decode()}[{number}]"
            offset = section.offset_bytes + POINT_BYTES * number
            for change, bad in BAD_POINTS.items():
                apply = partial(_change_point, offset=offset, change=bad)
                yield Tamper(f"{name} {change}", "proof", apply, PointNotOnCurve)
            for change, other in OTHER_POINTS.items():
                apply = partial(_change_point, offset=offset, change=other)
                yield Tamper(f"{name} {change}", "proof", apply, _mismatch(section))


def _change_point(claim: Claim, offset: int, change: Callable[[Point], Point]) -> Claim:
    x, y = (
        int.from_bytes(claim.proof[start : start + WORD_BYTES], "big")
        for start in (offset, offset + WORD_BYTES)
    )
    data = b"".join(value.to_bytes(WORD_BYTES, "big") for value in change((x, y)))
    return _put(claim, offset, data)


# Scalars

BAD_SCALARS: dict[str, Callable[[int], int]] = {
    "= r": lambda value: R,
    "+ r": lambda value: value + R,
    "= q - 1": lambda value: Q - 1,
    "= 2^256 - 1": lambda value: 2**256 - 1,
}
OTHER_SCALARS: dict[str, Callable[[int], int]] = {
    "+ 1": lambda value: (value + 1) % R,
    "negated": lambda value: -value % R or 1,
}


def _scalars(key: VerifyingKey) -> Iterator[Tamper]:
    rounds: dict[bytes, int] = {}
    for section in sections(key):
        if section.kind != "scalars":
            continue
        turn = rounds.setdefault(section.label, 0)
        rounds[section.label] += 1
        if section.label == LABEL_EVALUATIONS:
            numbers = _column_numbers(key)
        else:
            numbers = sorted({0, section.count - 1} & set(range(section.count)))
        for number in numbers:
            name = f"{section.label.decode()} message {turn} scalar {number}"
            offset = section.offset_bytes + WORD_BYTES * number
            for changes, error in (
                (BAD_SCALARS, ScalarNotCanonical), (OTHER_SCALARS, _mismatch(section)),
            ):  # fmt: skip
                for change, function in changes.items():
                    apply = partial(_change_scalar, offset=offset, change=function)
                    yield Tamper(f"{name} {change}", "proof", apply, error)


def _column_numbers(key: VerifyingKey) -> list[int]:
    """First main column, first helper and last column of every chip."""
    numbers, first = set(), 0
    for chip in key.chips:
        numbers |= {first, first + chip.columns - 1}
        if chip.helper_columns:
            numbers.add(first + chip.main_columns)
        first += chip.columns
    return sorted(numbers)


def _change_scalar(claim: Claim, offset: int, change: Callable[[int], int]) -> Claim:
    value = int.from_bytes(claim.proof[offset : offset + WORD_BYTES], "big")
    return _put(claim, offset, change(value).to_bytes(WORD_BYTES, "big"))


# Lengths of the proof


def _lengths() -> Iterator[Tamper]:
    for count in (1, WORD_BYTES):
        yield Tamper(
            f"proof cut by {count}", "proof",
            lambda claim, n=count: replace(claim, proof=claim.proof[:-n]), ProofLength,
        )  # fmt: skip
        yield Tamper(
            f"proof longer by {count}", "proof",
            lambda claim, n=count: replace(claim, proof=claim.proof + bytes(n)), ProofLength,
        )  # fmt: skip
    yield Tamper("no proof", "proof", lambda claim: replace(claim, proof=b""), ProofLength)


# Words of the statement and published words


def _set(words: Sequence[int], number: int, change: Callable[[int], int]) -> tuple[int, ...]:
    return (*words[:number], change(words[number]), *words[number + 1 :])


def _swap_neighbours(words: Sequence[int]) -> tuple[int, ...]:
    """The first two neighbours that differ, exchanged; without such, the first word is moved."""
    for number in range(len(words) - 1):
        if words[number] != words[number + 1]:
            pair = (words[number + 1], words[number])
            return (*words[:number], *pair, *words[number + 2 :])
    return _set(words, 0, OTHER_SCALARS["+ 1"])


def _change_words(claim: Claim, change: Callable[[Sequence[int]], tuple[int, ...]]) -> Claim:
    return replace(claim, words=change(claim.words))


def _change_pubdata(claim: Claim, change: Callable[[Sequence[int]], tuple[int, ...]]) -> Claim:
    return replace(claim, pubdata=change(claim.pubdata))


def _words(key: VerifyingKey) -> Iterator[Tamper]:
    def tamper(
        name: str, change: Callable[[Sequence[int]], tuple[int, ...]], error: type
    ) -> Tamper:
        return Tamper(f"statement: {name}", "words", partial(_change_words, change=change), error)

    for number, word in enumerate(key.public_names):
        for change, function in BAD_SCALARS.items():
            setter = partial(_set, number=number, change=function)
            yield tamper(f"{word} {change}", setter, WordNotCanonical)
        setter = partial(_set, number=number, change=OTHER_SCALARS["+ 1"])
        yield tamper(f"{word} + 1", setter, SumcheckMismatch)
    if len(key.public_names) > 1:
        yield tamper("neighbours exchanged", _swap_neighbours, SumcheckMismatch)
    yield tamper("a word less", lambda words: tuple(words[:-1]), StatementLength)
    yield tamper("a word more", lambda words: (*words, 0), StatementLength)


def _pubdata(key: VerifyingKey, published: int) -> Iterator[Tamper]:
    def tamper(
        name: str, change: Callable[[Sequence[int]], tuple[int, ...]], error: type
    ) -> Tamper:
        return Tamper(f"pubdata: {name}", "pubdata", partial(_change_pubdata, change=change), error)

    for number in sorted({0, published // 2, published - 1} & set(range(published))):
        for change, function in BAD_SCALARS.items():
            setter = partial(_set, number=number, change=function)
            yield tamper(f"word {number} {change}", setter, PublishedNotCanonical)
        setter = partial(_set, number=number, change=OTHER_SCALARS["+ 1"])
        yield tamper(f"word {number} + 1", setter, SumcheckMismatch)
    capacity = 1 << key.chips[key.pubdata_chip].log_height
    if published > 1:
        yield tamper("neighbours exchanged", _swap_neighbours, SumcheckMismatch)
    if published:
        yield tamper("a word less", lambda words: tuple(words[:-1]), HeightFixed)
    error = HeightFixed if published < capacity else PubdataLength
    yield tamper("a word more", lambda words: (*words, 0), error)
    yield tamper("a word above the capacity", lambda words: (0,) * (capacity + 1), PubdataLength)
