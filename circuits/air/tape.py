"""A chip's constraints as data: one list of operations that every reader runs.

The prover's kernel, the reference prover, the verifier, the checker and the Solidity renderer
read the same tape, and its bytes are part of the verifying key: the tape is the circuit.

Operands are numbers in one space, in this order: columns (main, then helpers), ROW, ACTIVE,
constants, challenges, public words, temporaries. An instruction is (op, target, left, right):
ADD, SUB and MUL write temporary `target`; EMIT names constraint `target` and reads `left`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from circuits.air.expr import Expr, Op, walk

ADD, SUB, MUL, EMIT = 0, 1, 2, 3
OPCODES = {Op.ADD: ADD, Op.SUB: SUB, Op.MUL: MUL}


@dataclass(frozen=True, slots=True)
class Tape:
    """Straight-line program over one row. All counts are part of its canonical bytes."""

    columns: int
    challenges: int
    publics: int
    constants: tuple[int, ...]  # reduced modulo the field
    temporaries: int
    constraints: int
    code: tuple[tuple[int, int, int, int], ...]

    @property
    def row_operand(self) -> int:
        return self.columns

    @property
    def active_operand(self) -> int:
        return self.columns + 1

    @property
    def constant_base(self) -> int:
        return self.columns + 2

    @property
    def challenge_base(self) -> int:
        return self.constant_base + len(self.constants)

    @property
    def public_base(self) -> int:
        return self.challenge_base + self.challenges

    @property
    def temporary_base(self) -> int:
        return self.public_base + self.publics

    @property
    def operations(self) -> int:
        """Field operations per row, emissions not counted."""
        return sum(1 for each in self.code if each[0] != EMIT)

    def degrees(self) -> tuple[int, ...]:
        """Degree of every constraint in the row's columns, read off the code itself."""
        degrees = [1] * self.constant_base + [0] * (
            self.temporary_base - self.constant_base + self.temporaries
        )
        found = [0] * self.constraints
        for op, target, left, right in self.code:
            if op == EMIT:
                found[target] = degrees[left]
            elif op == MUL:
                degrees[self.temporary_base + target] = degrees[left] + degrees[right]
            else:
                degrees[self.temporary_base + target] = max(degrees[left], degrees[right])
        return tuple(found)

    def to_bytes(self) -> bytes:
        """Canonical bytes: seven counts, constants of 32 bytes, instructions of 4 x 4 bytes."""
        header = (
            self.columns,
            self.challenges,
            self.publics,
            len(self.constants),
            self.temporaries,
            self.constraints,
            len(self.code),
        )
        return b"".join(
            (
                *(count.to_bytes(4, "big") for count in header),
                *(value.to_bytes(32, "big") for value in self.constants),
                *(word.to_bytes(4, "big") for each in self.code for word in each),
            )
        )

    @staticmethod
    def from_bytes(data: bytes) -> Tape:
        """Inverse of to_bytes.

        Raises: ValueError when the length or an operand is not what the header says.
        """
        if len(data) < 28:
            raise ValueError(f"tape: expected at least 28 bytes, got {len(data)}")
        counts = [int.from_bytes(data[4 * i : 4 * i + 4], "big") for i in range(7)]
        columns, challenges, publics, constant_count, temporaries, constraints, length = counts
        expected = 28 + 32 * constant_count + 16 * length
        if len(data) != expected:
            raise ValueError(f"tape: expected {expected} bytes, got {len(data)}")
        constants = tuple(
            int.from_bytes(data[28 + 32 * i : 60 + 32 * i], "big") for i in range(constant_count)
        )
        base = 28 + 32 * constant_count
        words = [int.from_bytes(data[i : i + 4], "big") for i in range(base, expected, 4)]
        code = tuple(
            (words[4 * i], words[4 * i + 1], words[4 * i + 2], words[4 * i + 3])
            for i in range(length)
        )
        tape = Tape(columns, challenges, publics, constants, temporaries, constraints, code)
        tape.validate()
        return tape

    def validate(self) -> None:
        """Every operand is written before it is read and every constraint is emitted once.

        Raises: ValueError naming the first instruction that breaks the rule.
        """
        # A set, because the counts of a tape from a file may be anything up to 2^32.
        written: set[int] = set()
        emitted = 0
        for position, (op, target, left, right) in enumerate(self.code):
            operands = (left,) if op == EMIT else (left, right)
            if op > EMIT:
                raise ValueError(
                    f"tape: instruction {position}: expected an operation up to {EMIT}, got {op}"
                )
            if any(x >= self.temporary_base and x not in written for x in operands):
                raise ValueError(f"tape: instruction {position}: operand not written before")
            if op == EMIT:
                if target != emitted or right != 0:
                    raise ValueError(
                        f"tape: instruction {position}: expected constraint {emitted}, got {target}"
                    )
                emitted += 1
            elif target >= self.temporaries:
                raise ValueError(
                    f"tape: instruction {position}: expected a temporary below "
                    f"{self.temporaries}, got {target}"
                )
            else:
                written.add(self.temporary_base + target)
        if emitted != self.constraints:
            raise ValueError(f"tape: expected {self.constraints} constraints, got {emitted}")
        if len(written) != self.temporaries:
            raise ValueError(
                f"tape: expected {self.temporaries} temporaries in use, got {len(written)}"
            )


def compile_tape(
    roots: list[Expr], columns: int, challenges: int, publics: int, modulus: int
) -> Tape:
    """Turn constraint expressions into a tape; temporaries are reused by liveness."""
    order = walk(roots)
    constants = sorted({node.value % modulus for node in order if node.is_constant})
    constant_number = {value: number for number, value in enumerate(constants)}
    uses: dict[int, int] = {}
    for node in order:
        for child in (node.left, node.right):
            if child is not None:
                uses[id(child)] = uses.get(id(child), 0) + 1
    for root in roots:
        uses[id(root)] = uses.get(id(root), 0) + 1

    base = columns + 2
    bases = {Op.CHALLENGE: base + len(constants), Op.PUBLIC: base + len(constants) + challenges}
    temporary_base = base + len(constants) + challenges + publics
    operand: dict[int, int] = {}
    free: list[int] = []
    code: list[tuple[int, int, int, int]] = []
    temporaries = 0

    def read(node: Expr) -> int:
        if node.op is Op.COLUMN:
            return node.value
        if node.op is Op.ROW:
            return columns
        if node.op is Op.ACTIVE:
            return columns + 1
        if node.is_constant:
            return base + constant_number[node.value % modulus]
        if node.is_leaf:
            return bases[node.op] + node.value
        return operand[id(node)]

    def release(node: Expr) -> None:
        uses[id(node)] -= 1
        if uses[id(node)] == 0 and not node.is_leaf:
            free.append(operand[id(node)] - temporary_base)

    emitted: set[int] = set()
    for number, root in enumerate(roots):
        for node in walk([root]):
            if node.left is None or node.right is None or id(node) in emitted:
                continue
            emitted.add(id(node))
            left, right = read(node.left), read(node.right)
            release(node.left)
            release(node.right)
            if free:
                target = free.pop()
            else:
                target, temporaries = temporaries, temporaries + 1
            operand[id(node)] = temporary_base + target
            code.append((OPCODES[node.op], target, left, right))
        code.append((EMIT, number, read(root), 0))
        release(root)
    tape = Tape(
        columns, challenges, publics, tuple(constants), temporaries, len(roots), tuple(code)
    )
    tape.validate()
    return tape


def run_tape(
    tape: Tape,
    inputs: Sequence,
    emit: Callable[[int, Any], None],
    multiply: Callable,
    add: Callable,
    subtract: Callable,
) -> None:
    """Run over any ring: `inputs` holds all operands below the temporaries.

    The caller's add, subtract and multiply decide what a value is: an integer, a whole column,
    a pair of coefficients. Emitted constraints go to `emit(number, value)` in order.
    """
    values = list(inputs) + [None] * tape.temporaries
    base = tape.temporary_base
    for op, target, left, right in tape.code:
        if op == EMIT:
            emit(target, values[left])
        elif op == ADD:
            values[base + target] = add(values[left], values[right])
        elif op == SUB:
            values[base + target] = subtract(values[left], values[right])
        else:
            values[base + target] = multiply(values[left], values[right])


def evaluate_tape(
    tape: Tape,
    columns: Sequence[int],
    row: int,
    active: int,
    challenges: Sequence[int],
    publics: Sequence[int],
    modulus: int,
) -> list[int]:
    """All constraint values at one point, on plain integers.

    Raises: ValueError when an input list has the wrong length.
    """
    for name, got, expected in (
        ("columns", len(columns), tape.columns),
        ("challenges", len(challenges), tape.challenges),
        ("publics", len(publics), tape.publics),
    ):
        if got != expected:
            raise ValueError(f"tape {name}: expected {expected}, got {got}")
    values = [0] * tape.constraints
    run_tape(
        tape,
        [*columns, row, active, *tape.constants, *challenges, *publics],
        values.__setitem__,
        lambda a, b: a * b % modulus,
        lambda a, b: (a + b) % modulus,
        lambda a, b: (a - b) % modulus,
    )
    return values
