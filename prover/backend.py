"""The array operations that prove() needs, implemented by the reference and by the kernels.

Field elements and points cross this border as plain integers; traces, polynomials and sumchecks
stay in the form that the backend likes best. Names of operations are those of the protocol.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from circuits.air.chip import System
from circuits.air.tape import Tape
from verifier.constraints import Batching
from verifier.key import VerifyingKey
from verifier.transcript import Point

# A trace (all columns of all chips) and a polynomial are opaque to prove().
Trace = Any
Polynomial = Any


class Table(Protocol):
    """Main columns of one chip: rows 0 .. height - 1, zero beyond.

    Shape: one array per physical column in order, unsigned [height] of Physical.bits (8 for a
    bit), or for full-width columns canonical integers uint64[height, 4], low limb first.
    """

    @property
    def height(self) -> int: ...

    @property
    def columns(self) -> Sequence[np.ndarray]: ...


Tables = Mapping[str, Table]


@dataclass(frozen=True, slots=True)
class Circuit:
    """A key with the system it was made from: the key has no list of interactions."""

    key: VerifyingKey
    system: System


class Rounds(Protocol):
    """One running sumcheck."""

    def round_values(self) -> list[int]:
        """Values of this round's polynomial at 0 .. its degree."""
        ...

    def bind(self, challenge: int) -> None:
        """Fix the lowest remaining variable."""
        ...


class ColumnRounds(Rounds, Protocol):
    """The first sumcheck, which ends with a value of every column."""

    def evaluations(self) -> list[int]:
        """All column values at the bound point, chips in order, main columns then helpers."""
        ...


class Backend(Protocol):
    """Trace operations of steps 1 to 5, polynomial operations of steps 6 to 9."""

    def load(self, circuit: Circuit, tables: Tables) -> Trace:
        """Take the main columns; helper columns are still absent."""
        ...

    def commit_chunks(self, trace: Trace, chunks: range) -> list[Point]:
        """[P_k(tau)]_1 of chunks, (0, 0) for a zero chunk."""
        ...

    def helpers(self, trace: Trace, challenges: Sequence[int], words: Sequence[int]) -> None:
        """Fill the helper columns. Raises: ZeroDivisionError if a fingerprint vanishes (P6)."""
        ...

    def zerocheck(self, trace: Trace, batching: Batching, words: Sequence[int]) -> ColumnRounds:
        """Start the first sumcheck (protocol 3.3)."""
        ...

    def reduction(self, trace: Trace, point: Sequence[int], gamma: int) -> Rounds:
        """Start the second sumcheck (protocol 3.4); `point` is the first one's."""
        ...

    def combine(self, trace: Trace, weights: Sequence[int]) -> Polynomial:
        """sum_k weights_k P_k."""
        ...

    def commit(self, polynomial: Polynomial) -> Point:
        """[f(tau)]_1."""
        ...

    def fold(self, polynomial: Polynomial, challenge: int) -> Polynomial:
        """(1 - challenge) f[2j] + challenge f[2j+1]."""
        ...

    def evaluate(self, polynomial: Polynomial, x: int) -> int:
        """f(x)."""
        ...

    def divide_pairs(
        self, terms: Iterable[tuple[Polynomial, int, int, int]], length: int
    ) -> Polynomial:
        """sum of a (f - f(r)) / (X - r) + b (f - f(-r)) / (X + r) over (f, r, a, b)."""
        ...

    def divide_sum(self, terms: Iterable[tuple[int, Polynomial]], x: int) -> Polynomial:
        """(g - g(x)) / (X - x) for g = sum of weight * polynomial."""
        ...

    def eval_tape(
        self,
        tape: Tape,
        columns: Sequence[int],
        row: int,
        active: int,
        challenges: Sequence[int],
        words: Sequence[int],
    ) -> list[int]:
        """All constraint values of one row, which the chips' fingerprints pin."""
        ...
