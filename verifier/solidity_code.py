"""Straight-line assembly for part of a tape.

A value that is used once is written where it is used, as long as the stack allows; a value used
more often goes to memory. Both choices are made by counting, never by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from circuits.air.tape import ADD, EMIT, MUL, Tape

# The EVM reaches sixteen stack slots; r, fold, weight and sum stay below the expression.
NESTING_MAX = 8
MEMORY_WORD_BYTES = 4  # PUSH2 offset, MLOAD or MSTORE
EMIT_BYTES = 14  # accumulate one constraint and step the weight
# A constant of more than eight bytes that is used this often is pushed once and kept in memory.
SHARED_CONSTANT_USES = 3


@dataclass(frozen=True, slots=True)
class Node:
    """One operation; operands are leaf texts or numbers of other nodes."""

    op: int
    left: str | int
    right: str | int


@dataclass(frozen=True)
class Program:
    """Operations in order, with the nodes that constraints read."""

    nodes: tuple[Node, ...]
    emits: tuple[tuple[int, str | int, int], ...]  # constraint, operand, value on the zero row
    active_offset: int

    def _uses(self) -> list[int]:
        uses = [0] * len(self.nodes)
        for node in self.nodes:
            for operand in (node.left, node.right):
                if isinstance(operand, int):
                    uses[operand] += 1
        for _, operand, _ in self.emits:
            if isinstance(operand, int):
                uses[operand] += 1
        return uses

    def _emitted_late(self) -> set[int]:
        """Nodes that a constraint reads after a later node was made for a constraint before it."""
        latest, found = -1, set()
        for _, operand, _ in self.emits:
            if isinstance(operand, int):
                if operand < latest:
                    found.add(operand)
                latest = max(latest, operand)
        return found

    def _stored(self) -> list[bool]:
        """Which nodes go to memory: used twice, nested too deeply, or read when the memory that
        they were made from may hold other values.
        """
        uses = self._uses()
        late = self._emitted_late()
        depth = [0] * len(self.nodes)
        stored = [False] * len(self.nodes)
        for number, node in enumerate(self.nodes):
            left, right = (
                depth[o] if isinstance(o, int) and not stored[o] else 1
                for o in (node.left, node.right)
            )
            depth[number] = max(left + 2, right + 2)
            stored[number] = uses[number] != 1 or depth[number] >= NESTING_MAX or number in late
        return stored

    def _shared_constants(self) -> list[str]:
        """Long literals that are worth a memory word, in order of first use."""
        uses: dict[str, int] = {}
        for node in self.nodes:
            for operand in (node.left, node.right):
                if isinstance(operand, str) and _literal_bytes(operand) > 8:
                    uses[operand] = uses.get(operand, 0) + 1
        return [text for text, count in uses.items() if count >= SHARED_CONSTANT_USES]

    @property
    def size_bytes(self) -> int:
        """Estimate of the code size; the compiler has the last word."""
        shared = self._shared_constants()
        total, in_memory = len(shared) * (33 + MEMORY_WORD_BYTES), self._stored()
        for node, stored in zip(self.nodes, in_memory, strict=True):
            total += 2 if node.op in (ADD, MUL) else 4  # DUP r and the operation
            total += MEMORY_WORD_BYTES if stored else 0
            for operand in (node.left, node.right):
                if isinstance(operand, str):
                    total += MEMORY_WORD_BYTES if operand in shared else _literal_bytes(operand)
                elif in_memory[operand]:
                    total += MEMORY_WORD_BYTES
        for _, operand, zero in self.emits:
            total += EMIT_BYTES + (42 if zero else 0)
            total += _literal_bytes(operand) if isinstance(operand, str) else MEMORY_WORD_BYTES
        return total

    def lines(self, frame_base: int, labels: Sequence[str]) -> list[str]:
        """Assembly lines; memory from `frame_base` on is free for values."""
        stored = self._stored()
        last_use = self._last_uses(stored)
        texts: list[str] = [""] * len(self.nodes)
        free: list[int] = []
        slots = 0
        slot_of: dict[int, int] = {}
        emits = list(self.emits)
        shared: dict[str, str] = {}
        lines: list[str] = []
        for constant in self._shared_constants():
            lines.append(f"mstore({frame_base:#x}, {constant})")
            shared[constant] = f"mload({frame_base:#x})"
            frame_base += 32

        def text(operand: str | int) -> str:
            return shared.get(operand, operand) if isinstance(operand, str) else texts[operand]

        def flush(position: int) -> None:
            while emits and (not isinstance(emits[0][1], int) or emits[0][1] < position):
                number, operand, zero = emits.pop(0)
                lines.append(f"// {labels[number]}")
                value = text(operand)
                if zero:
                    inactive = f"sub(add(r, 1), calldataload({self.active_offset:#x}))"
                    value = f"addmod({value}, sub(r, mulmod({inactive}, {zero:#x}, r)), r)"
                lines.append(f"sum := addmod(sum, mulmod(weight, {value}, r), r)")
                lines.append("weight := mulmod(weight, fold, r)")

        for number, node in enumerate(self.nodes):
            left, right = text(node.left), text(node.right)
            if node.op == ADD:
                expression = f"addmod({left}, {right}, r)"
            elif node.op == MUL:
                expression = f"mulmod({left}, {right}, r)"
            else:
                expression = f"addmod({left}, sub(r, {right}), r)"
            for finished in last_use.get(number, ()):
                free.append(slot_of.pop(finished))
            if stored[number]:
                if not free:
                    free.append(slots)
                    slots += 1
                slot_of[number] = free.pop()
                place = f"{frame_base + 32 * slot_of[number]:#x}"
                lines.append(f"mstore({place}, {expression})")
                expression = f"mload({place})"
            texts[number] = expression
            flush(number + 1)
        flush(len(self.nodes))
        return lines

    def _last_uses(self, stored: Sequence[bool]) -> dict[int, list[int]]:
        """Node at which each stored value is read for the last time.

        A value read inside an inlined node is read where that node's own reader stands.
        """
        emit_nodes = {operand for _, operand, _ in self.emits if isinstance(operand, int)}
        reader: list[int] = [0] * len(self.nodes)
        users: list[list[int]] = [[] for _ in self.nodes]
        for number, node in enumerate(self.nodes):
            for operand in {node.left, node.right}:
                if isinstance(operand, int):
                    users[operand].append(number)
        for number in reversed(range(len(self.nodes))):
            inlined = not stored[number] and number not in emit_nodes and users[number]
            reader[number] = reader[users[number][0]] if inlined else number
        found: dict[int, list[int]] = {}
        for number in range(len(self.nodes)):
            # A stored constraint value is emitted right after it is made; it is never freed.
            if stored[number] and users[number] and number not in emit_nodes:
                last = max(reader[user] for user in users[number])
                found.setdefault(last, []).append(number)
        return found


def _literal_bytes(text: str) -> int:
    if text.startswith("calldataload"):
        return 4
    return 1 + max(1, (len(text) - 1) // 2)


def ssa(
    tape: Tape,
    leaves: Sequence[str],
    constraints: Iterable[int],
    zero_values: Sequence[int],
    active_offset: int,
) -> Program:
    """Single-assignment form of the operations that the given constraints need."""
    wanted = set(constraints)
    current: dict[int, int] = {}
    nodes: list[Node] = []
    emits: list[tuple[int, str | int, int]] = []
    base = tape.temporary_base

    def operand(number: int) -> str | int:
        return leaves[number] if number < base else current[number - base]

    for op, target, left, right in tape.code:
        if op == EMIT:
            if target in wanted:
                emits.append((target, operand(left), zero_values[target]))
        else:
            nodes.append(Node(op, operand(left), operand(right)))
            current[target] = len(nodes) - 1
    return _pruned(nodes, emits, active_offset)


def _pruned(
    nodes: list[Node], emits: list[tuple[int, str | int, int]], active_offset: int
) -> Program:
    needed = [False] * len(nodes)
    for _, operand, _ in emits:
        if isinstance(operand, int):
            needed[operand] = True
    for number in reversed(range(len(nodes))):
        if needed[number]:
            for child in (nodes[number].left, nodes[number].right):
                if isinstance(child, int):
                    needed[child] = True
    renumbered: dict[int, int] = {}
    kept: list[Node] = []

    def moved(operand: str | int) -> str | int:
        return renumbered[operand] if isinstance(operand, int) else operand

    for number, node in enumerate(nodes):
        if needed[number]:
            kept.append(Node(node.op, moved(node.left), moved(node.right)))
            renumbered[number] = len(kept) - 1
    return Program(
        tuple(kept),
        tuple((constraint, moved(operand), zero) for constraint, operand, zero in emits),
        active_offset,
    )
