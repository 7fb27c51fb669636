"""Break every constraint of a chip, one at a time: shows that each is needed and is named.

    assert_every_constraint_breakable(chip, rows, publics, R)

takes a compiled chip and some valid rows (main cells in column order; `harness.rows_of` makes
them from a table) and demands three things:

1. For each main constraint there is a row in which it fails and all others hold. The search
   starts from a valid row, changes one column of the constraint (or two), and then repairs the
   other constraints that broke: for each it solves for a column that occurs linearly in it and
   has not been changed yet, or flips a bit, with backtracking. A first pass keeps every changed
   cell in its declared width, a second one gives that up. `Break.in_range` tells which it was.
   A constraint without such a row is reported by name: either the rows are too plain (a product
   a*b = 0 needs a row with a != 0, and one with b != 0), or the search is too weak (pass a row
   in `by_hand`), or the constraint follows from the others and should go.
2. For each LogUp helper constraint a wrong helper value breaks it and nothing else, and on a
   padding row (activity 0) every helper but zero breaks it: rows beyond the height send nothing.
3. For each range-ruled column a cell just beyond its range, and the cell r-1, break its bit
   constraint or leave a look-up in range16 that the true table cannot answer. Each other
   interaction must react to every column it reads: a changed cell changes its message.

The found row is checked again by `circuits.air.check`, which shares no code with the search.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from circuits.air.builder import CHALLENGE_COUNT
from circuits.air.bus import Interaction
from circuits.air.check import check_chip, evaluate
from circuits.air.chip import CompiledChip
from circuits.air.columns import FULL_BITS
from circuits.air.expr import Op, walk
from circuits.air.tape import evaluate_tape

Row = Sequence[int]
# Repairs tried per starting change before the search gives up on it.
REPAIRS_MAX = 400
# Enough to break what a constraint next to it repairs, for those that have a row by hand.
REPAIRS_BY_HAND = 2
RANGE16_SIZE = 1 << 16


@dataclass(frozen=True, slots=True)
class Break:
    """A row in which exactly one main constraint fails, and the columns that were changed."""

    constraint: str
    row: tuple[int, ...]
    changed: tuple[str, ...]
    in_range: bool


class Breaker:
    """Searches breaks of one chip; keeps the value of every expression node of one row."""

    def __init__(self, chip: CompiledChip, publics: Sequence[int], modulus: int) -> None:
        self.chip, self.publics, self.modulus = chip, publics, modulus
        roots = [each.expr for each in chip.main_constraints]
        self.order = walk(roots)
        place = {id(node): number for number, node in enumerate(self.order)}
        self.roots = [place[id(root)] for root in roots]
        self.children = [
            (place[id(node.left)], place[id(node.right)])
            if node.left is not None and node.right is not None
            else None
            for node in self.order
        ]
        self.reads: list[int] = []  # per node, the columns below it as a bit set
        for node, pair in zip(self.order, self.children, strict=True):
            own = 1 << node.value if node.op is Op.COLUMN else 0
            self.reads.append(self.reads[pair[0]] | self.reads[pair[1]] if pair else own)
        self.leaves = {
            node.value: number for number, node in enumerate(self.order) if node.op is Op.COLUMN
        }
        # Per column: the inner nodes above it in order, and its degree in each constraint.
        self.above: list[list[int]] = []
        self.degrees: list[dict[int, int]] = []
        for number in range(len(chip.columns)):
            above = [
                node
                for node, pair in enumerate(self.children)
                if pair and self.reads[node] >> number & 1
            ]
            self.above.append(above)
            self.degrees.append(self._degrees(number, above))
        read_by = [len(degrees) for degrees in self.degrees]
        # Per constraint: its columns, and those that may repair it because they are linear in it
        # or bits; first the ones that few other constraints read.
        self.columns_of = [
            sorted((n for n, d in enumerate(self.degrees) if i in d), key=read_by.__getitem__)
            for i in range(len(self.roots))
        ]
        self.repairs_of = [
            [n for n in columns if self.degrees[n][i] == 1 or chip.columns[n].bits == 1]
            for i, columns in enumerate(self.columns_of)
        ]

    def _degrees(self, number: int, above: Sequence[int]) -> dict[int, int]:
        degree = {self.leaves[number]: 1} if number in self.leaves else {}
        for node in above:
            left, right = (degree.get(child, 0) for child in self.children[node] or ())
            is_product = self.order[node].op is Op.MUL
            degree[node] = left + right if is_product else max(left, right)
        return {i: degree[root] for i, root in enumerate(self.roots) if root in degree}

    def find(self, row: Row, name: str, repairs_max: int = REPAIRS_MAX) -> Break | None:
        """A break of one constraint near a valid row, or None."""
        target = [each.name for each in self.chip.main_constraints].index(name)
        for in_range in (True, False):
            for changes in self._starts(row, target):
                search = _Search(self, row, target, in_range, repairs_max)
                if search.run(changes):
                    return self._confirmed(search, name, in_range)
        return None

    def _starts(self, row: Row, target: int) -> Iterator[dict[int, int]]:
        """First changes to try: one column of the constraint, then two."""
        columns = self.columns_of[target]
        for number in columns:
            for value in self._values(row[number], number, target):
                yield {number: value}
        for first, second in combinations(columns[:8], 2):
            for value in self._values(row[first], first, target)[:3]:
                for other in self._values(row[second], second, target)[:3]:
                    yield {first: value, second: other}

    def _values(self, old: int, number: int, target: int) -> list[int]:
        physical = self.chip.columns[number]
        if self.chip.main_constraints[target].name == f"{physical.name} is a bit":
            return [2, self.modulus - 1]
        if physical.bits == 1:
            return [1 - old]
        drawn = random.Random(f"{self.chip.name}/{target}/{number}").getrandbits(physical.bits)
        top = self.modulus if physical.bits == FULL_BITS else 1 << physical.bits
        values = (old + 1, drawn, old - 1, 0, 1)
        return list(dict.fromkeys(v % top % self.modulus for v in values if v != old))

    def _confirmed(self, search: "_Search", name: str, in_range: bool) -> Break:
        broken = failing_constraints(self.chip, search.row, self.publics, self.modulus)
        if broken != [name]:
            raise AssertionError(f"breaker: expected only {name!r} to fail, got {broken}")
        changed = tuple(self.chip.columns[number].name for number in sorted(search.fixed))
        return Break(name, tuple(search.row), changed, in_range)


class _Search:
    """One backtracking search from one first change."""

    def __init__(
        self, breaker: Breaker, row: Row, target: int, in_range: bool, repairs_max: int
    ) -> None:
        self.breaker, self.target, self.in_range = breaker, target, in_range
        self.row = list(row)
        self.fixed: set[int] = set()
        self.repairs_left = repairs_max
        publics, modulus = breaker.publics, breaker.modulus
        self.values: list[int] = []
        for node, pair in zip(breaker.order, breaker.children, strict=True):
            if pair:
                self.values.append(self._compute(node.op, *pair))
            elif node.op is Op.COLUMN:
                self.values.append(self.row[node.value])
            else:
                leaf = publics[node.value] if node.op is Op.PUBLIC else node.value
                self.values.append(leaf % modulus)

    def _compute(self, op: Op, left: int, right: int) -> int:
        a, b = self.values[left], self.values[right]
        return (a + b if op is Op.ADD else a - b if op is Op.SUB else a * b) % self.breaker.modulus

    def _set(self, number: int, value: int, below: int = -1) -> None:
        """Write a cell and refresh the nodes above it, or only those below one root."""
        breaker = self.breaker
        self.row[number] = value
        self.values[breaker.leaves[number]] = value
        for node in breaker.above[number]:
            if below >= 0 and node > below:
                break
            left, right = breaker.children[node] or (0, 0)
            self.values[node] = self._compute(breaker.order[node].op, left, right)

    def run(self, changes: Mapping[int, int]) -> bool:
        for number, value in changes.items():
            self._set(number, value)
            self.fixed.add(number)
        return bool(self._value(self.target)) and self._repair()

    def _value(self, constraint: int) -> int:
        return self.values[self.breaker.roots[constraint]]

    def _repair(self) -> bool:
        failing = [i for i in range(len(self.breaker.roots)) if i != self.target and self._value(i)]
        if not failing:
            return bool(self._value(self.target))
        repairs_of = self.breaker.repairs_of
        if not all(any(n not in self.fixed for n in repairs_of[i]) for i in failing):
            return False
        # Authors write constraints in the order of data flow, so the first one is repaired first.
        for number in repairs_of[failing[0]]:
            if number in self.fixed:
                continue
            old = self.row[number]
            for value in self._solutions(failing[0], number):
                if self.repairs_left == 0:
                    return False
                self.repairs_left -= 1
                self._set(number, value)
                self.fixed.add(number)
                if self._repair():
                    return True
                self.fixed.discard(number)
                self._set(number, old)
        return False

    def _solutions(self, constraint: int, number: int) -> list[int]:
        """The value of a column that makes a constraint vanish, if there is one."""
        breaker, old = self.breaker, self.row[number]
        root = breaker.roots[constraint]
        before = self.values[root]
        if breaker.chip.columns[number].bits == 1:
            candidate = 1 - old
        else:
            self._set(number, (old + 1) % breaker.modulus, root)
            slope = (self.values[root] - before) % breaker.modulus
            self._set(number, old, root)
            if slope == 0:
                return []
            candidate = (old - before * pow(slope, -1, breaker.modulus)) % breaker.modulus
        bits = breaker.chip.columns[number].bits
        if self.in_range and bits < FULL_BITS and candidate >> bits:
            return []
        return [candidate]


def failing_constraints(
    chip: CompiledChip, row: Row, publics: Sequence[int], modulus: int
) -> list[str]:
    """Names of the main constraints that one row breaks."""
    failures = check_chip(chip, [[cell] for cell in row], publics, modulus)
    return [each.constraint for each in failures]


def assert_every_constraint_breakable(
    chip: CompiledChip,
    rows: Sequence[Row],
    publics: Sequence[int],
    modulus: int,
    by_hand: Mapping[str, Row] | None = None,
) -> dict[str, Break]:
    """All three demands of this module; returns the breaks found, by constraint.

    `by_hand` holds a row for each constraint that the search does not break; a row for one that
    a short search does break is refused, so the list stays short.
    """
    by_hand = by_hand or {}
    for row in rows:
        assert failing_constraints(chip, row, publics, modulus) == [], "expected valid rows"
    breaker = Breaker(chip, publics, modulus)
    breaks, missing = {}, []
    for constraint in chip.main_constraints:
        name = constraint.name
        repairs_max = REPAIRS_BY_HAND if name in by_hand else REPAIRS_MAX
        found = next(filter(None, (breaker.find(row, name, repairs_max) for row in rows)), None)
        if found is not None:
            assert name not in by_hand, f"{name}: broken without help; drop its row by hand"
            breaks[name] = found
        elif name in by_hand:
            assert failing_constraints(chip, by_hand[name], publics, modulus) == [name]
        else:
            missing.append(f"{chip.name}/{name}")
    assert not missing, f"no row breaks only: {missing}"
    assert_helpers_bound(chip, rows, publics, modulus)
    assert_ranges_enforced(chip, rows[0], publics, modulus)
    assert_interactions_react(chip, rows, publics, modulus)
    return breaks


def assert_helpers_bound(
    chip: CompiledChip, rows: Sequence[Row], publics: Sequence[int], modulus: int
) -> None:
    """A wrong helper breaks its own constraint only; in padding every helper but zero does."""
    rng = random.Random(chip.name)
    challenges = [rng.randrange(modulus) for _ in range(CHALLENGE_COUNT)]
    first = len(chip.main_constraints)
    seen_in_padding = set()

    def failing(row: Row, helpers: Sequence[int], active: int) -> list[int]:
        values = evaluate_tape(chip.tape, [*row, *helpers], 3, active, challenges, publics, modulus)
        return [number - first for number, value in enumerate(values) if value]

    for row in rows:
        at_zero, at_one = (
            evaluate_tape(
                chip.tape,
                [*row, *[helper] * chip.helper_count],
                3,
                1,
                challenges,
                publics,
                modulus,
            )[first:]
            for helper in (0, 1)
        )
        helpers = [
            -zero * pow(one - zero, -1, modulus) % modulus
            for zero, one in zip(at_zero, at_one, strict=True)
        ]
        assert failing(row, helpers, 1) == []
        for group in range(chip.helper_count):
            wrong = list(helpers)
            wrong[group] = (wrong[group] + 1) % modulus
            assert failing(row, wrong, 1) == [group], chip.constraints[first + group].name
        sending = [group for group, helper in enumerate(helpers) if helper]
        assert failing(row, helpers, 0) == sending
        seen_in_padding.update(sending)
    silent = set(range(chip.helper_count)) - seen_in_padding
    assert not silent, f"{chip.name}: no row sends in groups {sorted(silent)}"


def assert_ranges_enforced(
    chip: CompiledChip, row: Row, publics: Sequence[int], modulus: int
) -> None:
    """Each ranged cell just beyond its width, and at r-1, is caught by bit rule or range16."""
    for number, physical in enumerate(chip.columns):
        if not physical.rule:
            continue
        for value in (1 << physical.bits, modulus - 1):
            tampered = [*row[:number], value, *row[number + 1 :]]
            if physical.rule == "bit":
                broken = failing_constraints(chip, tampered, publics, modulus)
                assert f"{physical.name} is a bit" in broken
                continue
            looked_up = [
                evaluate(each.values, [[c] for c in tampered], publics, modulus, 1)[0][0]
                for each in chip.interactions
                if each.bus.name == "range16"
            ]
            assert any(each >= RANGE16_SIZE for each in looked_up), (
                f"{chip.name}: {physical.name} = {value} is not caught by range16"
            )


def assert_interactions_react(
    chip: CompiledChip, rows: Sequence[Row], publics: Sequence[int], modulus: int
) -> None:
    """In some row, a change of any column that an interaction reads changes its message."""
    for each in chip.interactions:
        read = {node.value for node in walk([each.times, *each.values]) if node.op is Op.COLUMN}
        silent = set(read)
        for row in rows:
            honest = _message(chip, each, row, publics, modulus)
            for number in list(silent):
                tampered = [*row[:number], (row[number] + 1) % modulus, *row[number + 1 :]]
                if _message(chip, each, tampered, publics, modulus) != honest:
                    silent.discard(number)
        names = [chip.columns[number].name for number in sorted(silent)]
        assert not names, f"{chip.name}: {each.label} does not react to {names}"


def _message(
    chip: CompiledChip, each: Interaction, row: Row, publics: Sequence[int], modulus: int
) -> tuple[int, tuple[int, ...]] | None:
    times, *values = (
        cells[0]
        for cells in evaluate(
            [each.times, *each.values], [[cell] for cell in row], publics, modulus, 1
        )
    )
    return (times, tuple(values)) if times else None
