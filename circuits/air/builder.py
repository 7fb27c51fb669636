"""The one door to constraints and buses; it also writes range rules and LogUp helper terms."""

from __future__ import annotations

from dataclasses import dataclass

from circuits.air.bus import ARITY_MAX, Bus, Interaction, integer_bounds
from circuits.air.columns import Physical
from circuits.air.expr import ACTIVE, Expr, Operand, as_expr, challenge, column

# Highest degree of a constraint in the row's columns. One more for the equality factor gives
# the degree of a sumcheck round, which the proof pays for once per variable.
DEGREE_MAX = 6
# Challenge inputs of a tape: alpha, then beta^1 .. beta^(ARITY_MAX+1).
CHALLENGE_COUNT = ARITY_MAX + 2

RANGE16 = Bus("range16", 1, 1, is_table=True)


class ChipError(Exception):
    """A chip definition breaks a rule of the language; raised while compiling, never later."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """An expression that must vanish on every row."""

    name: str
    expr: Expr


class Builder:
    """Collects the constraints and interactions of one chip, each under its own name."""

    def __init__(self, chip_name: str, columns: tuple[Physical, ...]) -> None:
        self.chip_name = chip_name
        self.columns = columns
        self.constraints: list[Constraint] = []
        self.interactions: list[Interaction] = []
        self._names: set[str] = set()
        for index, physical in enumerate(columns):
            self._range_rule(index, physical)

    def _range_rule(self, index: int, physical: Physical) -> None:
        cell = column(index)
        if physical.rule == "bit":
            self.assert_zero(f"{physical.name} is a bit", cell * (cell - 1))
        elif physical.rule in ("u8", "u16"):
            self.lookup(RANGE16, cell)
        if physical.rule == "u8":
            # Both v and 256 v fit 16 bits, hence v < 2^8: the second alone would admit k / 256.
            self.lookup(RANGE16, cell * 256)

    def assert_zero(self, name: str, expr: Operand) -> None:
        """`expr` vanishes on every row, padding included up to its value on the zero row."""
        expr = as_expr(expr)
        if name in self._names:
            raise ChipError(f"{self.chip_name}/{name}: expected a new name, got a repeated one")
        if expr.degree > DEGREE_MAX:
            raise ChipError(
                f"{self.chip_name}/{name}: expected degree at most {DEGREE_MAX}, got {expr.degree}"
            )
        self._names.add(name)
        self.constraints.append(Constraint(name, expr))

    def assert_eq(self, name: str, left: Operand, right: Operand) -> None:
        self.assert_zero(name, as_expr(left) - as_expr(right))

    def send(self, bus: Bus, *values: Operand, times: Operand = 1) -> None:
        """Put one tuple on a channel, `times` times (an integer expression of ranged columns)."""
        self._channel(bus, 1, values, times)

    def receive(self, bus: Bus, *values: Operand, times: Operand = 1) -> None:
        """Take one tuple from a channel."""
        self._channel(bus, -1, values, times)

    def lookup(self, bus: Bus, *values: Operand, times: Operand = 1) -> None:
        """Require that a table provides the tuple."""
        self._require(bus.is_table, bus, "a table")
        self._add(bus, 1, values, as_expr(times), self._bound(bus, as_expr(times)))

    def provide(self, bus: Bus, *values: Operand, times: Operand) -> None:
        """Offer the tuple on a table; `times` is the prover's free count.

        Soundness: the tuple itself must be fully constrained on every active row.
        """
        self._require(bus.is_table, bus, "a table")
        self._add(bus, -1, values, as_expr(times), None)

    def _channel(self, bus: Bus, sign: int, values: tuple[Operand, ...], times: Operand) -> None:
        self._require(not bus.is_table, bus, "a channel")
        self._add(bus, sign, values, as_expr(times), self._bound(bus, as_expr(times)))

    def _require(self, holds: bool, bus: Bus, kind: str) -> None:
        if not holds:
            raise ChipError(f"{self.chip_name}: expected {kind}, got bus {bus.name}")

    def _bound(self, bus: Bus, times: Expr) -> int:
        bounds = integer_bounds(times, self.columns)
        if bounds is None or bounds[0] < 0:
            raise ChipError(
                f"{self.chip_name}: multiplicity on bus {bus.name}: expected an expression of "
                f"ranged columns that is never negative, got {times!r} with bounds {bounds}"
            )
        return bounds[1]

    def _add(
        self, bus: Bus, sign: int, values: tuple[Operand, ...], times: Expr, bound: int | None
    ) -> None:
        if len(values) != bus.arity:
            raise ChipError(
                f"{self.chip_name}: bus {bus.name}: expected {bus.arity} values, got {len(values)}"
            )
        label = f"{bus.name}#{sum(1 for each in self.interactions if each.bus is bus)}"
        interaction = Interaction(bus, sign, times, tuple(as_expr(v) for v in values), bound, label)
        degree = _group_degree([interaction])
        if degree > DEGREE_MAX:
            raise ChipError(
                f"{self.chip_name}/{label}: expected a helper constraint of degree at most "
                f"{DEGREE_MAX}, got {degree}"
            )
        self.interactions.append(interaction)


def fingerprint(interaction: Interaction) -> Expr:
    """alpha + sum beta^(i+1) v_i + beta^(ARITY_MAX+1) bus, the LogUp denominator."""
    total = challenge(0) + challenge(ARITY_MAX + 1) * interaction.bus.number
    for position, value in enumerate(interaction.values):
        total = total + challenge(1 + position) * value
    return total


def group_interactions(interactions: list[Interaction]) -> list[list[Interaction]]:
    """Split into groups that share one helper column, as many as the degree bound allows."""
    groups: list[list[Interaction]] = []
    for interaction in interactions:
        if groups and _group_degree([*groups[-1], interaction]) <= DEGREE_MAX:
            groups[-1].append(interaction)
        else:
            groups.append([interaction])
    return groups


def _group_degree(group: list[Interaction]) -> int:
    degrees = [fingerprint(each).degree for each in group]
    total = sum(degrees)
    numerators = (
        1 + each.times.degree + total - degree for each, degree in zip(group, degrees, strict=True)
    )
    return max(1 + total, *numerators)


def helper_constraint(helper: Expr, group: list[Interaction]) -> Expr:
    """helper * prod d_j - active * sum sign_j m_j prod_{i != j} d_i, which must be zero."""
    first, *others = group
    denominator = fingerprint(first)
    numerator = first.times if first.sign > 0 else -first.times
    for each in others:
        term = each.times * denominator
        scaled = numerator * fingerprint(each)
        numerator = scaled + term if each.sign > 0 else scaled - term
        denominator = denominator * fingerprint(each)
    return helper * denominator - ACTIVE * numerator
