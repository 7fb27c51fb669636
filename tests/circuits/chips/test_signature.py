import hashlib
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from circuits.air.builder import CHALLENGE_COUNT
from circuits.air.chip import compile_chip
from circuits.air.lint import lint
from circuits.air.tape import evaluate_tape
from circuits.chips import bits, poseidon2
from circuits.chips.bits import WideChip
from circuits.chips.poseidon2 import Poseidon2Chip
from circuits.chips.signature import SignatureChip, fill
from circuits.chips.signature_trace import (
    BASE_ENTRIES,
    BASE_IMAGES,
    BASE_POINTS,
    BYTE_BITS,
    BYTES_PER_WINDOW,
    DIGIT_BITS,
    DIGITS,
    HALF_BITS,
    OFFSET,
    OFFSET_DOMAIN,
    OFFSET_IMAGE,
    START_MULTIPLE,
    WINDOWS,
    Product,
    Request,
    base_chains,
    bytes_of,
    chain,
    halves_of,
    multiply_windows,
)
from circuits.edwards import (
    BASE8,
    COFACTOR,
    IDENTITY,
    SUBGROUP_ORDER,
    A,
    D,
    Point,
    add,
    is_in_subgroup,
    multiply,
    multiply_base8,
    negate,
    times_cofactor,
)
from circuits.errors import ConstraintError
from circuits.field import R, inverse, square_root
from circuits.montgomery import image
from circuits.signature import Signature, account_key, challenge, verify
from tests.support.harness import Harness, cells_of, rows_of
from tests.support.signatures import (
    CHIPS,
    forge,
    harness_of,
    hash_of,
    request_of,
    walk,
)

SECRETS = (7, SUBGROUP_ORDER - 1)
HALF = 1 << HALF_BITS


@pytest.fixture(scope="module")
def requests() -> list[Request]:
    return [request_of(secret, digest) for digest, secret in enumerate(SECRETS)]


@pytest.fixture(scope="module")
def harness(requests: list[Request]) -> Harness:
    return harness_of(fill(requests))


def test_signatures_are_accepted(requests: list[Request], harness: Harness) -> None:
    assert harness.failures() == []
    assert lint(harness.system) == []
    assert sorted(rows_of(harness.tables["signature sender"])) == sorted(
        [*key, digest] for key, digest, _ in requests
    )


def test_signatures_are_accepted_with_the_real_tables(requests: list[Request]) -> None:
    columns = fill(requests)
    asked = harness_of(columns).tables
    demand = {
        bus: {tuple(row[:-1]): row[-1] for row in rows_of(asked[f"{bus} receiver"])}
        for bus in ("hash", "wide")
    }
    columns["poseidon2"] = poseidon2.fill(demand["hash"])
    columns["wide"] = bits.fill(demand["wide"])
    whole = Harness.honest((*CHIPS, Poseidon2Chip(), WideChip()), columns)
    assert whole.failures() == []
    drivers = set(whole.heights) - set(columns)
    assert drivers == {"signature sender", "range16 receiver"}
    assert whole.heights["poseidon2"] == len(requests)


def test_random_signatures_are_accepted(rng: random.Random) -> None:
    requests = [request_of(rng.randrange(1, SUBGROUP_ORDER), rng.randrange(R)) for _ in range(3)]
    assert all(verify(*request) is None for request in requests)
    assert harness_of(fill(requests)).failures() == []


def test_the_windows_multiply(rng: random.Random) -> None:
    for s, h in ((1, 0), (0, 1), (2**256 - 1, 2**128 - 1), (rng.getrandbits(256), 5)):
        negated = multiply_base8(rng.randrange(1, SUBGROUP_ORDER))
        product = multiply_windows(negated, s, h)
        assert product == walk(image(negated), s, h)
        assert product.result == add(multiply(BASE8, s), multiply(negated, h))
        assert product.multiples[13] == image(add(OFFSET, multiply(negated, 13)))


@pytest.mark.parametrize(("half", "base"), [(0, multiply(BASE8, HALF)), (1, BASE8)])
def test_the_base_tables_are_those_of_the_base_point(half: int, base: Point) -> None:
    assert BASE_POINTS[half] == base
    entries, _ = base_chains()[half]
    assert len(set(entries)) == len(entries) == BASE_ENTRIES + 1
    for i in (0, 1, 2, 77, BASE_ENTRIES):
        assert entries[i] == image(add(OFFSET, multiply(base, i)))
    # So the chords of the table bind their slopes.
    assert image(base) not in entries


def test_the_offset_is_a_hash() -> None:
    """Its logarithm to the base point is known to nobody: see OFFSET_DOMAIN."""
    number = 0
    while True:
        digest = hashlib.sha512(OFFSET_DOMAIN + str(number).encode()).digest()
        y = int.from_bytes(digest, "big") % R
        x = square_root((1 - y * y) * inverse(A - D * y * y))
        if x is not None:
            break
        number += 1
    assert times_cofactor((x, y)) == OFFSET
    assert is_in_subgroup(OFFSET)
    assert OFFSET != IDENTITY


def test_offsets_leave_the_product_at_the_end_and_not_before() -> None:
    """So a sum that is the identity gives the logarithm of the offset, but for the last one."""
    multiples = [START_MULTIPLE]
    for _ in range(WINDOWS):
        for _ in range(BYTE_BITS // DIGIT_BITS):
            multiples.append((DIGITS * multiples[-1] + 1) % SUBGROUP_ORDER)
        for _ in range(BYTES_PER_WINDOW):
            multiples.append((multiples[-1] + 1) % SUBGROUP_ORDER)
    assert multiples.index(0) == len(multiples) - 1


@pytest.mark.parametrize("borrow", [0, 1])
def test_s_has_one_digit_string(requests: list[Request], borrow: int) -> None:
    """S + l gives the same points; only the range of S objects."""
    key, digest, signature = request = requests[0]
    h = challenge(signature.r_point, key, digest)
    product = multiply_windows(negate(key), signature.s + SUBGROUP_ORDER, h)
    assert product.result == signature.r_point
    assert forge(request, product, s_borrow=[borrow]).failing() == {"bus wide"}


@pytest.mark.parametrize("borrow", [0, 1])
def test_the_challenge_has_one_digit_string(borrow: int) -> None:
    """The hash and r more are one field element, with two low halves; only its bound objects."""
    request, product, hashed = with_challenge_of(lambda true: true + R)
    forged = forge(request, product, hashed=hashed, h_borrow=[borrow])
    assert forged.failing() == {"bus wide"}


@pytest.mark.parametrize("wraps", [1, 2, 3])
def test_the_high_half_of_the_hash_is_not_negative(wraps: int) -> None:
    """With -k for a high half another low one, and k above the bound, only its range objects."""

    def wrapped(true: int) -> int:
        """Less than 2^128 when k times 2^128 is taken off again."""
        return (true - wraps * R) % HALF

    request, product, _ = with_challenge_of(wrapped)
    true = hash_of(request)
    k = (wrapped(true) - (true - wraps * R)) // HALF
    high, low = -k % R, wrapped(true)
    assert (low + high * HALF) % R == true
    bound_high, bound_low = halves_of(R - 1)
    borrow = int(low > bound_low)
    assert 0 <= bound_high + k - borrow < HALF
    forged = forge(request, product, h_high=[high], h_low=[low], h_borrow=[borrow])
    assert forged.failing() == {"bus wide"}


def with_challenge_of(change: Callable[[int], int]) -> tuple[Request, Product, int]:
    """A forgery that holds for the low half of what the hash is changed to."""
    secret, digest, nonce = SECRETS[0], 5, 1_234
    key, r_point = account_key(secret), multiply_base8(nonce)
    hashed = change(hash_of((key, digest, Signature(*r_point, 0))))
    _, h = halves_of(hashed)
    s = (nonce + h * COFACTOR * secret) % SUBGROUP_ORDER
    product = multiply_windows(negate(key), s, h)
    request = (key, digest, Signature(*r_point, s))
    assert product.result == r_point
    assert verify(*request) is not None
    return request, product, hashed


@pytest.mark.parametrize(("s", "s_fails"), [(SUBGROUP_ORDER - 1, False), (SUBGROUP_ORDER, True)])
@pytest.mark.parametrize(("hashed", "h_fails"), [(R - 1, False), (R, True)])
def test_the_bounds_of_the_scalars_are_exact(
    s: int, s_fails: bool, hashed: int, h_fails: bool
) -> None:
    """Scalars of free choice, so that the challenge hash is wrong each time."""
    key = account_key(3)
    product = multiply_windows(negate(key), s, hashed % HALF)
    request = (key, 0, Signature(*product.result, s))
    failing = forge(request, product, hashed=hashed).failing()
    assert failing == {"bus hash"} | ({"bus wide"} if s_fails or h_fails else set())


@pytest.mark.parametrize(("s", "hashed"), [(SUBGROUP_ORDER, 1), (1, R)])
def test_no_borrow_makes_a_scalar_small(s: int, hashed: int) -> None:
    """One above the bound: with the other borrow the low halves say so."""
    key = account_key(3)
    product = multiply_windows(negate(key), s, hashed % HALF)
    request = (key, 0, Signature(*product.result, s))
    forged = forge(request, product, hashed=hashed, s_borrow=[0], h_borrow=[0])
    assert forged.failing() == {"bus hash", "bus wide"}


def test_r_must_not_be_the_identity() -> None:
    """The last sum of such a product has no slope, and the identity has no image."""
    secret, digest = 9, 5
    key = account_key(secret)
    h = challenge(IDENTITY, key, digest)
    s = h * COFACTOR * secret % SUBGROUP_ORDER
    with pytest.raises(ConstraintError, match="points other than the identity"):
        multiply_windows(negate(key), s, h)
    # Another s, so that there are slopes to begin with, and then rows as if R were the identity.
    product = walk(image(negate(key)), s + 1, h)
    forged = forge((key, digest, Signature(*IDENTITY, s + 1)), product)
    assert forged.failing() == {"signature/R x"}


@pytest.mark.parametrize(
    ("chip", "column", "value", "failing"),
    [
        ("signature", "digest", 9, {"bus signature", "bus hash"}),
        ("signature", "s_low", 9, {"bus signature_chain"}),
        ("signature", "h_low", 9, {"bus signature_chain", "bus hash", "bus wide"}),
        ("signature", "h_high", 9, {"bus hash"}),
        ("signature", "r_x", 9, {"signature/R x", "bus hash"}),
        ("signature", "s_borrow", 2, {"signature/s_borrow is a bit", "bus wide"}),
        ("signature", "r_image[1]", 9, {"signature/R x", "bus signature_chain"}),
        ("signature", "negated[0]", 9, {"signature/negated key u", "signature/negated key v",
                                        "bus signature_table"}),
        ("signature_windows", "signature", 9, {"bus signature_chain", "bus signature_entry"}),
        ("signature_windows", "step", 16, {"bus signature_chain"}),
        ("signature_windows", "byte_s[2]", 4, {"bus signature_chain", "bus base_high_entry"}),
        ("signature_windows", "byte_s[3]", 4, {"bus signature_chain", "bus base_entry"}),
        ("signature_windows", "digit_h[3]", 5, {"bus signature_chain", "bus signature_entry"}),
        ("signature_windows", "slope[23]", 4, {
            "signature_windows/byte 3 sum chord", "signature_windows/byte 3 sum on one curve",
            "bus signature_chain"}),
        ("signature_windows", "base[6]", 4, {
            "signature_windows/byte 3 sum chord", "signature_windows/byte 3 sum on one curve",
            "bus signature_chain", "bus base_entry"}),
        ("signature_table", "slope[3]", 4, {
            "signature_table/entry 4 chord", "signature_table/entry 4 on one curve",
            "bus signature_table"}),
        ("signature_table", "j", 5, {"bus signature_entry", "bus signature_table"}),
        ("signature_table", "count[3]", 1_000, {"bus signature_entry"}),
        ("signature_table", "last", 1, {
            "signature_table/last has multiple 12", "bus signature_table"}),
        ("signature_table", "last", 2, {
            "signature_table/last is a bit", "signature_table/last has multiple 12",
            "bus signature_table"}),
        ("base_table", "entry_high[0]", 4, {
            "base_table/next high entry chord", "bus base_chain"}),
        ("base_table", "slope_low", 4, {"base_table/next low entry chord", "bus base_chain"}),
        ("base_table", "count_high", 1_000, {"bus base_high_entry"}),
        ("base_table", "count_low", 1_000, {"bus base_entry"}),
        ("base_table", "first", 1, {"bus base_chain"}),
        ("base_table", "first", 2, {"base_table/first is a bit", "bus base_chain"}),
    ],
)  # fmt: skip
def test_a_changed_cell_is_found(
    harness: Harness, chip: str, column: str, value: int, failing: set[str]
) -> None:
    row = 2 if chip != "signature" else 1
    assert harness.tampered(chip, column, row, value).failing() == failing


def test_the_base_table_has_one_first_row(harness: Harness) -> None:
    assert harness.tampered("base_table", "first", 0, 0).failing() == {"bus base_chain"}


@pytest.mark.parametrize("rows", [BASE_ENTRIES - 1, BASE_ENTRIES + 1])
def test_the_base_table_has_256_rows(rows: int) -> None:
    """A row less, whose byte nobody asks for, and one more, which goes on as the others do."""
    some = (request_of(SECRETS[0], digest) for digest in range(100))
    columns = fill([next(each for each in some if BASE_ENTRIES - 1 not in bytes_of(each[2].s))])
    table = columns["base_table"]
    for name, base in zip(("high", "low"), BASE_IMAGES, strict=True):
        points, slopes = chain(OFFSET_IMAGE, base, rows)
        counts = table[f"count_{name}"]
        assert not counts[-1]
        table[f"entry_{name}"] = [[point[k] for point in points[:-1]] for k in range(2)]
        table[f"slope_{name}"] = list(slopes)
        table[f"count_{name}"] = [*counts, 0][:rows]
    table["first"] = [1] + [0] * (rows - 1)
    assert harness_of(columns).failing() == {"bus base_chain"}


def test_the_table_must_stop_at_fifteen(harness: Harness) -> None:
    # Row 3 is the last one of the first signature; going on sends T + 16N to nobody.
    assert harness.tampered("signature_table", "last", 3, 0).failing() == {"bus signature_table"}


@pytest.mark.parametrize("chip", CHIPS)
def test_a_row_beyond_the_height_cannot_send(
    requests: list[Request], chip: SignatureChip, rng: random.Random
) -> None:
    """With activity 0 any helper but zero breaks its own constraint, so the row is on no bus."""
    compiled = compile_chip(chip, 0, R)
    row = rows_of(cells_of(chip, fill(requests)[chip.name]))[0]
    challenges = [rng.randrange(R) for _ in range(CHALLENGE_COUNT)]
    names = [each.name for each in compiled.constraints]

    def failing(helpers: Sequence[int]) -> list[str]:
        values = evaluate_tape(compiled.tape, [*row, *helpers], 9, 0, challenges, (), R)
        return [name for name, value in zip(names, values, strict=True) if value]

    silent = [0] * compiled.helper_count
    assert failing(silent) == []
    for group in range(compiled.helper_count):
        sending = [*silent[:group], inverse(12345), *silent[group + 1 :]]
        (name,) = failing(sending)
        assert name.startswith(f"logup[{group}]: ")


@pytest.mark.parametrize("change", ["r", "s", "digest", "key"])
def test_a_signature_that_does_not_hold_has_no_rows(change: str) -> None:
    key, digest, signature = request_of(5, 6)
    bad: dict[str, Request] = {
        "r": (key, digest, Signature(*add(signature.r_point, BASE8), signature.s)),
        "s": (key, digest, replace(signature, s=signature.s + 1)),
        "digest": (key, digest + 1, signature),
        "key": (add(key, BASE8), digest, signature),
    }
    with pytest.raises(ConstraintError, match=re.escape("signature 1: expected (")):
        fill([request_of(5, 6), bad[change]])


def test_no_signatures_give_empty_columns() -> None:
    columns = fill([])
    for chip in CHIPS:
        cells = cells_of(chip, columns[chip.name])
        assert cells == [[]] * len(chip.Cols.physical)
