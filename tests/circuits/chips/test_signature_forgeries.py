"""Forged products: keys that are none, slopes that lead elsewhere, digits beyond their table."""

from itertools import cycle

import pytest

from circuits.chips.signature import fill
from circuits.chips.signature_columns import BYTES_PER_ROW, DIGITS_PER_ROW, window_columns
from circuits.chips.signature_trace import (
    BASE_ENTRIES,
    BYTE_BITS,
    BYTES_PER_WINDOW,
    DIGIT_BITS,
    DIGITS,
    HALF_BITS,
    MULTIPLES_PER_ROW,
    OFFSET,
    OFFSET_IMAGE,
    SCALAR_BITS,
    SLOPES_PER_ROW,
    START_MULTIPLE,
    Product,
    Request,
    bytes_of,
    chain,
    digits_of,
    multiply_windows,
)
from circuits.edwards import (
    BASE8,
    SUBGROUP_ORDER,
    Point,
    add,
    multiply,
    multiply_base8,
    negate,
)
from circuits.field import R, square_root
from circuits.montgomery import COEFFICIENT, chord, image, tangent, third
from circuits.signature import Signature, challenge
from tests.support.harness import Harness
from tests.support.signatures import (
    base_entries,
    forge,
    harness_of,
    request_of,
    walk,
    walk_digits,
)

NAMES_IN_ORDER = [
    name
    for w in range(2)
    for name in (
        *(
            name
            for k in (2 * w, 2 * w + 1)
            for name in (*(f"digit {k} double {time}" for time in range(4)), f"digit {k} sum")
        ),
        f"byte {2 * w} sum",
        f"byte {2 * w + 1} sum",
    )
]
"""What the slopes of a row of windows stand for."""
SUM_NAMES = [name for name in NAMES_IN_ORDER if name.endswith("sum")]
TOP_DIGIT = 1 << HALF_BITS - DIGIT_BITS


@pytest.fixture(scope="module")
def requests() -> list[Request]:
    return [request_of(7, 0)]


def chosen(key: Point, digest: int, product: Product) -> Harness:
    """A forgery whose R is whatever the product led to, without regard to the challenge."""
    return forge((key, digest, Signature(*product.result, product.s)), product)


def test_an_account_without_a_key_has_no_signatures() -> None:
    """The key (0, 0) has no image, whatever the forger takes for one."""
    product = walk(image(BASE8), 5, 6)
    forged = chosen((0, 0), 77, product)
    assert {"signature/key is on the curve", "signature/negated key v"} <= forged.failing()


def test_a_key_off_the_curve_has_no_signatures() -> None:
    """With the point of order two for its image, a key (x, -1) would pass, and any s sign for it.

    Only that image leaves x free. R is then s*B, or s*B and that point.
    """
    key, order_two, s = (5, R - 1), (0, 0), 1_234
    r_point = multiply_base8(s)
    digest = next(d for d in range(100) if challenge(r_point, key, d) % 2 == 0)
    product = walk(order_two, s, challenge(r_point, key, digest))
    assert product.result == r_point
    forged = forge((key, digest, Signature(*r_point, s)), product)
    assert forged.failing() == {"signature/key is on the curve"}


def test_a_key_off_the_curve_is_refused(requests: list[Request]) -> None:
    failing = harness_of(fill(requests)).tampered("signature", "key[0]", 0, 3).failing()
    assert "signature/key is on the curve" in failing


def test_equal_points_take_the_tangent() -> None:
    negated, s, h = key_that_meets(DIGIT_BITS, 77, TOP_DIGIT), 77, TOP_DIGIT
    product = multiply_windows(negated, s, h)
    assert product == walk(image(negated), s, h)
    assert product.slopes[DIGIT_BITS] == tangent(product.multiples[1])
    assert product.result == add(multiply(BASE8, s), multiply(negated, h))
    request = (negate(negated), 0, Signature(*product.result, s))
    assert forge(request, product).failing() == {"bus hash"}


def test_equal_points_leave_no_slope_free() -> None:
    """A chord would: the forger adds to the slope, and goes on from where it leads."""
    negated, s, h = key_that_meets(DIGIT_BITS, 77, TOP_DIGIT), 77, TOP_DIGIT
    honest = multiply_windows(negated, s, h)
    product = walk(image(negated), s, h, wrong={DIGIT_BITS: 1})
    assert product.row_points[1:] != honest.row_points[1:]
    failing = chosen(negate(negated), 0, product).failing()
    # Off the curve it stays, so every sum from there on fails.
    held = {f"signature_windows/{name} on one curve" for name in SUM_NAMES}
    assert failing == {"bus hash"} | held


@pytest.mark.parametrize(("h_top", "byte", "name"), [(0x21, 3, "byte 0"), (0x2111, 2, "digit 3")])
def test_equal_points_do_not_become_their_mirror_image(h_top: int, byte: int, name: str) -> None:
    """The one wrong slope of equal points that leads to a point on the curve."""
    place = NAMES_IN_ORDER.index(f"{name} sum")
    s = byte << SCALAR_BITS - BYTE_BITS | 5
    h = h_top << HALF_BITS - 4 * len(f"{h_top:x}")
    negated = key_that_meets(place, s, h)
    honest = multiply_windows(negated, s, h)
    entry = base_entries()[0][byte] if name.startswith("byte") else honest.multiples[1]
    assert honest.slopes[place] == tangent(entry)
    slope = square_root((COEFFICIENT + 3 * entry[0]) % R)
    assert slope is not None
    product = walk(image(negated), s, h, wrong={place: slope - honest.slopes[place]})
    assert product.result != add(multiply(BASE8, s), multiply(negated, h))
    failing = chosen(negate(negated), 0, product).failing()
    assert failing == {"bus hash", f"signature_windows/{name} sum on one curve"}


def key_that_meets(place: int, s: int, h: int) -> Point:
    """-K for which the sum at this place of the first row adds equal points."""
    t, n, b = START_MULTIPLE, 0, 0  # multiples of T, N and B before the sum
    digits, octets = iter(digits_of(h)), iter(bytes_of(s))
    bases = cycle((1 << HALF_BITS, 1))
    for name in NAMES_IN_ORDER[: place + 1]:
        if name.endswith("sum"):
            is_byte = name.startswith("byte")
            entry = (1, 0, next(octets) * next(bases)) if is_byte else (1, next(digits), 0)
        if name == NAMES_IN_ORDER[place]:
            break
        t, n, b = (
            (t + entry[0], n + entry[1], b + entry[2])
            if name.endswith("sum")
            else (2 * t, 2 * n, 2 * b)
        )
    # (t - 1) T + (n - j) N + (b - i) B is the identity.
    rest = add(multiply(OFFSET, (1 - t) % SUBGROUP_ORDER),
               multiply(BASE8, (entry[2] - b) % SUBGROUP_ORDER))  # fmt: skip
    return multiply(rest, pow(n - entry[1], -1, SUBGROUP_ORDER))


@pytest.mark.parametrize("place", range(SLOPES_PER_ROW))
def test_a_wrong_slope_is_found(requests: list[Request], place: int) -> None:
    """Nothing before it fails, and no chord or tangent after it: the walk goes on from there."""
    key, digest, signature = requests[0]
    h = challenge(signature.r_point, key, digest)
    wrong = {5 * SLOPES_PER_ROW + place: 1}
    product = walk(image(negate(key)), signature.s, h, wrong=wrong)
    failing = chosen(key, digest, product).failing()
    kind = "chord" if NAMES_IN_ORDER[place].endswith("sum") else "tangent"
    found = {name for name in failing if name.endswith((" tangent", " chord"))}
    assert found == {f"signature_windows/{NAMES_IN_ORDER[place]} {kind}"}


@pytest.mark.parametrize("place", range(MULTIPLES_PER_ROW))
def test_a_wrong_slope_of_the_table_is_found(requests: list[Request], place: int) -> None:
    """In the last row, where the sums go on from where the slope leads."""
    (columns,) = [fill(requests[:1])]
    table = columns["signature_table"]
    negated = image(negate(requests[0][0]))
    entry = (table["first"][0][3], table["first"][1][3])
    for k in range(MULTIPLES_PER_ROW):
        slope = (chord(entry, negated) + (k == place)) % R
        table["slope"][k][3] = slope
        entry = third(entry, negated[0], slope)
    failing = harness_of(columns).failing()
    chords = {name for name in failing if name.endswith(" chord")}
    assert chords == {f"signature_table/entry {place + 1} chord"}


def beyond(request: Request, places: tuple[int, int], base: int, name: str) -> Harness:
    """Digits (a, b) of one row as (a - 1, b + base), with every point and slope made to agree."""
    key, digest, signature = request
    h = challenge(signature.r_point, key, digest)
    scalars = (signature.s, h)
    values = {"byte_s": list(bytes_of(signature.s)), "digit_h": list(digits_of(h))}
    values[name][places[0]] -= 1
    values[name][places[1]] += base
    octets, digits = values["byte_s"], values["digit_h"]
    product = walk_digits(image(negate(key)), scalars, octets, digits)
    assert product.result == signature.r_point
    columns = window_columns([product])
    per_row = len(columns[name])
    columns[name] = [values[name][k::per_row] for k in range(per_row)]
    entries = {
        "base": [base_entries()[k % 2][byte] for k, byte in enumerate(octets)],
        "multiple": [chain_entry(product, digit) for digit in digits],
    }
    for column, points in entries.items():
        words = [word for point in points for word in point]
        count = len(columns[column])
        columns[column] = [words[k::count] for k in range(count)]
    return forge(request, product, windows=columns)


def chain_entry(product: Product, digit: int) -> Point:
    """T + digit*N, also for a digit beyond the table."""
    return chain(OFFSET_IMAGE, product.negated, digit)[0][-1]


@pytest.mark.parametrize(("half", "bus"), [(0, "base_high_entry"), (1, "base_entry")])
def test_a_byte_of_256_is_refused(requests: list[Request], half: int, bus: str) -> None:
    octets = bytes_of(requests[0][2].s)
    place = next(k for k in range(BYTES_PER_ROW + half, len(octets), BYTES_PER_ROW) if octets[k])
    forged = beyond(requests[0], (place, place + BYTES_PER_WINDOW), BASE_ENTRIES, "byte_s")
    assert forged.failing() == {f"bus {bus}"}


def test_a_digit_of_sixteen_is_refused(requests: list[Request]) -> None:
    key, digest, signature = requests[0]
    digits = digits_of(challenge(signature.r_point, key, digest))
    place = next(k for k in range(DIGITS_PER_ROW, len(digits), DIGITS_PER_ROW) if digits[k])
    forged = beyond(requests[0], (place, place + 1), DIGITS, "digit_h")
    assert forged.failing() == {"bus signature_entry"}
