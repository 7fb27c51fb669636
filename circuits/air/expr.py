"""Expressions over the cells of one row: hash-consed nodes with a derived degree.

An expression is a polynomial in the row's columns. Its leaves are columns, integer constants,
transcript challenges, public words, the row number and the activity flag [row < height]. Equal
expressions are the same object, so common parts are computed once by every reader of the tape.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Union

Operand = Union["Expr", int]


class Op(StrEnum):
    """Kind of a node; the first seven are leaves."""

    COLUMN = "column"
    CONSTANT = "constant"
    CHALLENGE = "challenge"
    PUBLIC = "public"
    ROW = "row"
    ACTIVE = "active"
    ADD = "add"
    SUB = "sub"
    MUL = "mul"


# Degree in the row variables. The row number and the activity flag are multilinear in the row's
# bits exactly as a committed column is, so they count as one.
LEAF_DEGREE = {
    Op.COLUMN: 1,
    Op.ROW: 1,
    Op.ACTIVE: 1,
    Op.CONSTANT: 0,
    Op.CHALLENGE: 0,
    Op.PUBLIC: 0,
}


class Expr:
    """One interned node. Build with +, -, * from leaves; never call the constructor directly."""

    __slots__ = ("degree", "left", "op", "right", "value")
    _interned: ClassVar[dict[tuple, Expr]] = {}

    op: Op
    left: Expr | None
    right: Expr | None
    value: int
    degree: int

    @staticmethod
    def _intern(op: Op, left: Expr | None, right: Expr | None, value: int, degree: int) -> Expr:
        key = (op, id(left), id(right), value)
        node = Expr._interned.get(key)
        if node is None:
            node = object.__new__(Expr)
            node.op, node.left, node.right = op, left, right
            node.value, node.degree = value, degree
            Expr._interned[key] = node
        return node

    @staticmethod
    def leaf(op: Op, value: int = 0) -> Expr:
        """A leaf: `value` is the column, challenge or public index, or the constant itself."""
        return Expr._intern(op, None, None, value, LEAF_DEGREE[op])

    def __add__(self, other: Operand) -> Expr:
        other = as_expr(other)
        if self.is_constant and other.is_constant:
            return constant(self.value + other.value)
        if self.is_zero:
            return other
        if other.is_zero:
            return self
        return Expr._intern(Op.ADD, self, other, 0, max(self.degree, other.degree))

    def __sub__(self, other: Operand) -> Expr:
        other = as_expr(other)
        if self.is_constant and other.is_constant:
            return constant(self.value - other.value)
        if other.is_zero:
            return self
        if self is other:
            return constant(0)
        return Expr._intern(Op.SUB, self, other, 0, max(self.degree, other.degree))

    def __mul__(self, other: Operand) -> Expr:
        other = as_expr(other)
        if self.is_constant and other.is_constant:
            return constant(self.value * other.value)
        if self.is_zero or other.is_one:
            return self
        if other.is_zero or self.is_one:
            return other
        return Expr._intern(Op.MUL, self, other, 0, self.degree + other.degree)

    def __radd__(self, other: int) -> Expr:
        return constant(other) + self

    def __rsub__(self, other: int) -> Expr:
        return constant(other) - self

    def __rmul__(self, other: int) -> Expr:
        return constant(other) * self

    def __neg__(self) -> Expr:
        return constant(0) - self

    @property
    def is_constant(self) -> bool:
        return self.op is Op.CONSTANT

    @property
    def is_zero(self) -> bool:
        return self.op is Op.CONSTANT and self.value == 0

    @property
    def is_one(self) -> bool:
        return self.op is Op.CONSTANT and self.value == 1

    @property
    def is_leaf(self) -> bool:
        return self.left is None

    def __repr__(self) -> str:
        if self.is_constant:
            return str(self.value)
        if self.is_leaf:
            return f"{self.op}[{self.value}]"
        sign = {Op.ADD: "+", Op.SUB: "-", Op.MUL: "*"}[self.op]
        return f"({self.left!r} {sign} {self.right!r})"


def as_expr(value: Operand) -> Expr:
    """An integer becomes a constant; an expression stays itself."""
    return value if isinstance(value, Expr) else constant(value)


def constant(value: int) -> Expr:
    """An integer constant; it is reduced only when a tape is made for one modulus."""
    return Expr.leaf(Op.CONSTANT, value)


def column(index: int) -> Expr:
    return Expr.leaf(Op.COLUMN, index)


def challenge(index: int) -> Expr:
    return Expr.leaf(Op.CHALLENGE, index)


def public(index: int) -> Expr:
    """Public word number `index` of the statement, the same on every row."""
    return Expr.leaf(Op.PUBLIC, index)


ROW = Expr.leaf(Op.ROW)
ACTIVE = Expr.leaf(Op.ACTIVE)


def walk(roots: list[Expr]) -> list[Expr]:
    """Every node below the roots once, operands before the nodes that use them."""
    seen: set[int] = set()
    order: list[Expr] = []
    for root in roots:
        stack = [(root, False)]
        while stack:
            node, expanded = stack.pop()
            if expanded:
                order.append(node)
                continue
            if id(node) in seen:
                continue
            seen.add(id(node))
            stack.append((node, True))
            if node.left is not None and node.right is not None:
                stack.append((node.right, False))
                stack.append((node.left, False))
    return order


def value_at_zero_row(expr: Expr, modulus: int) -> int | None:
    """Value with every column, the row number and the activity at zero; None if not constant.

    Padding rows hold zero in every column. The verifier subtracts this value beyond the height,
    so it must not depend on challenges or on public words.
    """
    values: dict[int, Expr] = {}
    zero = constant(0)
    for node in walk([expr]):
        if node.left is None or node.right is None:
            erased = node.op in (Op.COLUMN, Op.ROW, Op.ACTIVE)
            values[id(node)] = zero if erased else node
            continue
        left, right = values[id(node.left)], values[id(node.right)]
        values[id(node)] = (
            left + right
            if node.op is Op.ADD
            else left - right
            if node.op is Op.SUB
            else left * right
        )
    folded = values[id(expr)]
    return folded.value % modulus if folded.is_constant else None
