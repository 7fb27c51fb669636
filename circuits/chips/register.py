"""RegisterKey: the owner names a key on L1; the chip decides whether it is one."""

from collections.abc import Sequence
from typing import Any

from circuits.air.builder import Builder
from circuits.air.chip import Chip
from circuits.air.columns import U16, U24, U32, U48, Bit, Columns, Field, Given
from circuits.chips.buses import QUEUED
from circuits.chips.edwards import assert_double, curve_residual
from circuits.chips.memory import access
from circuits.chips.trace import Trace
from circuits.chips.words import lookup_identity
from circuits.edwards import (
    BASE8,
    A,
    D,
    Point,
    extended_double,
    is_on_curve,
    to_affine_batch,
    to_extended,
)
from circuits.exchange.events import KeyRegistered, Kind, Outcome
from circuits.field import R, batch_inverse

DOUBLED = ("twice", "four_times", "eight_times")
DOUBLINGS = len(DOUBLED)


class RegisterChip(Chip):
    """One key registration: 8 times the point becomes the key, or nothing changes.

    Soundness: `on_curve` is [residual = 0], bound both ways, so the doubled point is on the curve
    (the base point stands in for one that is not) and the doubling law is complete. Eight times
    a point on the curve is in the subgroup of odd order, where only the identity has x = 0. For
    the stand-in that x is not 0, so `valid` cannot differ from `on_curve`; for a point on the
    curve it is bound to [x != 0]. Hence `valid` is exactly "on the curve and not of small order"
    and the outcome its negation: a good key cannot be refused, nor a bad one taken. Only a valid
    registration touches the account, whose header keeps nonce and cash, or starts at zero if it
    was absent. The queue contract gives key coordinates below r and one owner per account.
    """

    name = "register"

    class Cols(Columns):
        step: Given[U32]
        account: Given[U24]
        owner: Field
        key: Field[2]
        on_curve: Bit
        inverse_residual: Field
        twice: Field[2]
        four_times: Field[2]
        eight_times: Field[2]
        inverse_x: Field
        valid: Bit
        old_identity: Field
        new_identity: Field
        nonce: Given[U48]
        cash: Field
        gap: U16

    def constrain(self, c: Any, b: Builder) -> None:
        b.receive(
            QUEUED,
            c.step,
            Kind.REGISTER_KEY.value,
            c.account,
            0,
            c.owner,
            *c.key,
            1 - c.valid,
        )
        residual = curve_residual(c.key)
        b.assert_zero("on the curve means no residual", c.on_curve * residual)
        b.assert_eq(
            "off the curve means a residual", (residual + c.on_curve) * c.inverse_residual, 1
        )
        point = tuple(
            base + c.on_curve * (coordinate - base)
            for coordinate, base in zip(c.key, BASE8, strict=True)
        )
        assert_double(b, "twice", point, c.twice)
        assert_double(b, "four times", c.twice, c.four_times)
        assert_double(b, "eight times", c.four_times, c.eight_times)
        small_order = c.on_curve - c.valid
        b.assert_zero("small order means the identity", small_order * c.eight_times[0])
        b.assert_eq(
            "no small order means another point", (c.eight_times[0] + small_order) * c.inverse_x, 1
        )
        lookup_identity(b, c.eight_times, c.owner, c.new_identity, times=c.valid)
        access(
            b,
            c.account,
            c.step,
            before=(c.old_identity, c.nonce, c.cash),
            after=(c.new_identity, c.nonce, c.cash),
            gap=c.gap,
            times=c.valid,
        )


def fill(trace: Trace) -> dict[str, Any]:
    """One row per registration, in the order of steps."""
    rows = list(trace.of(KeyRegistered))
    residuals = [_residual(event.key_x, event.key_y) for _, event in rows]
    points = _multiples([(event.key_x, event.key_y) for _, event in rows])
    applied = [event.outcome is Outcome.APPLIED for _, event in rows]
    headers = [event.before for _, event in rows]
    columns = {
        "step": [event.step for _, event in rows],
        "account": [event.account_id for _, event in rows],
        "owner": [event.owner for _, event in rows],
        "key": [[event.key_x for _, event in rows], [event.key_y for _, event in rows]],
        "on_curve": [int(residual == 0) for residual in residuals],
        "inverse_residual": batch_inverse([residual or 1 for residual in residuals]),
        "inverse_x": batch_inverse([point[-1][0] or 1 for point in points]),
        "valid": [int(each) for each in applied],
        "old_identity": [header.identity if header else 0 for header in headers],
        "new_identity": [event.after.identity if event.after else 0 for _, event in rows],
        "nonce": [header.nonce if header else 0 for header in headers],
        "cash": [header.cash % R if header else 0 for header in headers],
        "gap": [step.gaps[0] if step.gaps else 0 for step, _ in rows],
    }
    for number, name in enumerate(DOUBLED):
        columns[name] = [[point[number][lane] for point in points] for lane in range(2)]
    return columns


def _multiples(keys: Sequence[Point]) -> list[tuple[Point, Point, Point]]:
    """2, 4 and 8 times each key, or the base point where a key is no point."""
    doubles = []
    for key in keys:
        point = to_extended(key if is_on_curve(key) else BASE8)
        for _ in range(DOUBLINGS):
            point = extended_double(point)
            doubles.append(point)
    multiples = iter(to_affine_batch(doubles))
    return list(zip(multiples, multiples, multiples, strict=True))


def _residual(x: int, y: int) -> int:
    """The curve equation on integers: zero exactly on the curve."""
    return (A * x * x + y * y - 1 - D * x * x * y * y) % R
