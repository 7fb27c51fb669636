import random
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from circuits.air.builder import CHALLENGE_COUNT
from circuits.air.chip import compile_chip
from circuits.air.lint import lint
from circuits.air.tape import evaluate_tape
from circuits.chips import bits, poseidon2
from circuits.chips.bits import WideChip
from circuits.chips.buses import SIGNATURE_CHAIN, SIGNATURE_TABLE
from circuits.chips.poseidon2 import Poseidon2Chip
from circuits.chips.signature import (
    CHALLENGE_IV,
    SignatureChip,
    SignatureTableChip,
    SignatureWindowsChip,
    fill,
    signature_cells,
)
from circuits.chips.signature_columns import signature_columns, table_columns, window_columns
from circuits.chips.signature_trace import (
    BASE_MULTIPLES,
    HALF_BITS,
    Product,
    Request,
    multiply_windows,
)
from circuits.edwards import (
    BASE8,
    COFACTOR,
    IDENTITY,
    SUBGROUP_ORDER,
    A,
    add,
    multiply,
    multiply_base8,
    negate,
)
from circuits.errors import ConstraintError
from circuits.field import R, inverse
from circuits.poseidon2 import permute
from circuits.signature import Signature, account_key, challenge, sign, verify
from tests.support.breaker import assert_every_constraint_breakable
from tests.support.harness import NO_PUBLICS, Harness, cells_of, rows_of

CHIPS = (SignatureChip(), SignatureWindowsChip(), SignatureTableChip())
SECRETS = (7, SUBGROUP_ORDER - 1)
HALF = 1 << HALF_BITS


def request_of(secret: int, digest: int) -> Request:
    return (account_key(secret), digest, sign(secret, digest))


def harness_of(columns: dict[str, dict[str, Any]]) -> Harness:
    return Harness.honest(CHIPS, columns, closed=(SIGNATURE_CHAIN, SIGNATURE_TABLE))


def forge(request: Request, product: Product, **changed: Any) -> Harness:
    """Rows for a product of the forger's choice; `changed` replaces columns of the first chip."""
    key, _, signature = request
    state = permute((*signature.r_point, key[0], CHALLENGE_IV))
    columns = {
        "signature": signature_columns([request], [state], [product]) | changed,
        "signature_windows": window_columns([product]),
        "signature_table": table_columns([product]),
    }
    return harness_of(columns)


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
        for bus in ("hash", "permute", "wide")
    }
    columns["poseidon2"] = poseidon2.fill(demand["hash"], demand["permute"])
    columns["wide"] = bits.fill(demand["wide"])
    whole = Harness.honest((*CHIPS, Poseidon2Chip(), WideChip()), columns)
    assert whole.failures() == []
    drivers = set(whole.heights) - set(columns)
    assert drivers == {"signature sender", "range16 receiver"}
    assert whole.heights["poseidon2"] == 2 * len(requests)


def test_random_signatures_are_accepted(rng: random.Random) -> None:
    requests = [request_of(rng.randrange(1, SUBGROUP_ORDER), rng.randrange(R)) for _ in range(3)]
    assert all(verify(*request) is None for request in requests)
    assert harness_of(fill(requests)).failures() == []


@pytest.mark.parametrize("name", ["signature", "signature_windows", "signature_table"])
def test_every_constraint_is_needed(harness: Harness, name: str) -> None:
    # Two rows of a table: one goes on, one is the last.
    rows = rows_of(harness.tables[name])[2:4] or rows_of(harness.tables[name])
    assert_every_constraint_breakable(harness.system.chip(name), rows, NO_PUBLICS, R)


def test_the_windows_multiply(rng: random.Random) -> None:
    for s, h in ((0, 0), (1, 0), (0, 1), (2**256 - 1, 2**256 - 1), (rng.getrandbits(256), 5)):
        negated = multiply_base8(rng.randrange(SUBGROUP_ORDER))
        product = multiply_windows(negated, s, h)
        assert product.result == add(multiply(BASE8, s), multiply(negated, h))
        assert product.fourth == multiply(negated, 4)
        assert product.entries[2][3] == add(multiply(BASE8, 3), multiply(negated, 2))


def test_cells_per_signature() -> None:
    assert signature_cells() <= 1_800


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
    """h + r is the same field element but another multiple of K; only the range of h objects."""
    secret, digest, nonce = SECRETS[0], 5, 1_234
    key, r_point = account_key(secret), multiply_base8(nonce)
    h = challenge(r_point, key, digest) + R
    s = (nonce + h * COFACTOR * secret) % SUBGROUP_ORDER
    product = multiply_windows(negate(key), s, h)
    request = (key, digest, Signature(*r_point, s))
    assert product.result == r_point
    assert verify(*request) is not None
    assert forge(request, product, h_borrow=[borrow]).failing() == {"bus wide"}


@pytest.mark.parametrize(("s", "s_fails"), [(SUBGROUP_ORDER - 1, False), (SUBGROUP_ORDER, True)])
@pytest.mark.parametrize(("h", "h_fails"), [(R - 1, False), (R, True)])
def test_the_bounds_of_the_scalars_are_exact(s: int, s_fails: bool, h: int, h_fails: bool) -> None:
    """Scalars of free choice, so that the challenge hash is wrong each time."""
    key = account_key(3)
    product = multiply_windows(negate(key), s, h)
    failing = forge((key, 0, Signature(*product.result, s)), product).failing()
    assert failing == {"bus hash"} | ({"bus wide"} if s_fails or h_fails else set())


def test_r_must_not_be_the_identity() -> None:
    secret, digest = 9, 5
    key = account_key(secret)
    h = challenge(IDENTITY, key, digest)
    s = h * COFACTOR * secret % SUBGROUP_ORDER
    product = multiply_windows(negate(key), s, h)
    assert product.result == IDENTITY
    stand_in = (key, digest, Signature(1, 1, s))
    state = permute((*IDENTITY, key[0], CHALLENGE_IV))
    forged = forge(
        stand_in, product, r=[[0], [1]], inverse_r_x=[0], state=[[word] for word in state]
    )
    assert forged.failing() == {"signature/R is not the identity"}


def zero_key_forgery(digest: int) -> tuple[Request, Product]:
    """A whole product for the key (0, 0), where doubling (0, 0) may give any x.

    The accumulator falls to (0, 0) at the first non-zero digit of h and stays there; before a
    last window with digits i = 1, j = 0 it is moved to (x, 0), so R = (x, 0) + B is any choice.
    """
    zero = (0, 0)
    x = 1
    while True:
        r_point = (x * BASE8[1] % R, -A * x * BASE8[0] % R)
        h = challenge(r_point, zero, digest)
        if h & 3 == 0:
            break
        x += 1
    product = multiply_windows(IDENTITY, 1, h)
    entries = ((IDENTITY, *BASE_MULTIPLES), *[(zero,) * 4] * 3)
    windows, point = [], IDENTITY
    for digit_s, digit_h in product.digits:
        entry = entries[digit_h][digit_s]
        total = zero if zero in (point, entry) else IDENTITY
        windows.append((point, point, entry, total))
        point = total
    windows[-1] = (zero, (x, 0), BASE8, r_point)
    forged = replace(product, negated=zero, entries=entries, fourth=zero, windows=tuple(windows))
    return (zero, digest, Signature(*r_point, 1)), forged


def test_an_account_without_a_key_has_no_signatures() -> None:
    assert forge(*zero_key_forgery(77)).failing() == {"signature/key is on the curve"}


def test_a_key_off_the_curve_is_refused(harness: Harness) -> None:
    failing = harness.tampered("signature", "key[0]", 0, 3).failing()
    assert "signature/key is on the curve" in failing


def test_a_digit_of_four_is_refused(requests: list[Request]) -> None:
    """Digits (a, b) of S as (a - 1, b + 4), with every point and part made to agree."""
    key, digest, signature = request = requests[0]
    h = challenge(signature.r_point, key, digest)
    product = multiply_windows(negate(key), signature.s, h)
    place = next(w for w in range(8, 128) if product.digits[w][0] > 0 and w % 8 < 7)
    digits, windows = list(product.digits), list(product.windows)
    for w, change in ((place, -1), (place + 1, 4)):
        digit_s, digit_h = digits[w]
        digits[w] = (digit_s + change, digit_h)
        double, quad, entry, _ = windows[w]
        if w > place:
            double = add(windows[place][3], windows[place][3])
            quad = add(double, double)
        entry = add(entry, multiply(BASE8, change % SUBGROUP_ORDER))
        windows[w] = (double, quad, entry, add(quad, entry))
    assert windows[place + 1][3] == product.windows[place + 1][3]
    forged = replace(product, digits=tuple(digits), windows=tuple(windows))
    assert forge(request, forged).failing() == {"bus signature_entry"}


@pytest.mark.parametrize(
    ("chip", "column", "value", "failing"),
    [
        ("signature", "digest", 9, {"bus signature", "bus hash"}),
        ("signature", "s_low", 9, {"bus signature_chain"}),
        ("signature", "h_high", 9, {"bus signature_chain", "bus hash"}),
        ("signature", "state[3]", 9, {"bus permute", "bus hash"}),
        ("signature", "middle[0]", 9, {"bus signature_chain"}),
        ("signature", "s_borrow", 2, {"signature/s_borrow is a bit", "bus wide"}),
        ("signature_windows", "signature", 9, {"bus signature_chain", "bus signature_entry"}),
        ("signature_windows", "step", 16, {"bus signature_chain"}),
        ("signature_windows", "digit_s[5]", 4, {"bus signature_chain", "bus signature_entry"}),
        (
            "signature_windows",
            "entry_x[7]",
            4,
            {
                "signature_windows/window 7 sum x",
                "signature_windows/window 7 sum y",
                "bus signature_entry",
            },
        ),
        ("signature_table", "entry_x[1]", 4, {"signature_table/entry 2 x", "bus signature_entry"}),
        ("signature_table", "next[1]", 4, {"signature_table/next y", "bus signature_table"}),
        ("signature_table", "j", 5, {"bus signature_entry", "bus signature_table"}),
        ("signature_table", "count[3]", 1_000, {"bus signature_entry"}),
        (
            "signature_table",
            "last",
            1,
            {"signature_table/last is multiple 3", "bus signature_table"},
        ),
        (
            "signature_table",
            "last",
            2,
            {
                "signature_table/last is a bit",
                "signature_table/last is multiple 3",
                "bus signature_table",
            },
        ),
    ],
)
def test_a_changed_cell_is_found(
    harness: Harness, chip: str, column: str, value: int, failing: set[str]
) -> None:
    row = 2 if chip != "signature" else 1
    assert harness.tampered(chip, column, row, value).failing() == failing


def test_the_table_must_stop_at_three(harness: Harness) -> None:
    # Row 3 is the last multiple of the first signature; going on sends 4N to nobody.
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
