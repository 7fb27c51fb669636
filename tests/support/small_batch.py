"""The smallest system that speaks about a batch: all public words, and nothing but published words.

Keys of it are a few kilobytes and proofs take a second, so it serves where the statement matters
and its circuit does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from circuits.air.builder import Builder
from circuits.air.bus import Bus
from circuits.air.chip import System, compile_system
from circuits.air.columns import Field
from circuits.air.expr import ROW, public
from circuits.air.shape import Shape
from circuits.field import R
from circuits.statement import PUBLIC_WORDS, Statement
from prover.prove import prove
from prover.reference import ReferenceBackend
from tests.support.chips import make_chip
from tests.support.toy_system import toy_bases, toy_key, toy_shape
from verifier.key import Setup, VerifyingKey, make_key

PUBLISHED = Bus("published", 1, 2)
COUNTED = Bus("counted", 2, 1)
SHAPE = Shape("small", (("sender", 2), ("pubdata", 2), ("batch", 0)), 3)
BATCH_NUMBER = PUBLIC_WORDS.index("batch_number")

STATEMENT = Statement(
    **dict.fromkeys(PUBLIC_WORDS, 0) | {"batch_number": 7, "account_count": 1},
    pubdata=(5, R - 1, 11),
)


def _send(c: Any, b: Builder) -> None:
    b.send(PUBLISHED, c.index, c.word)


def _publish(c: Any, b: Builder) -> None:
    b.receive(PUBLISHED, ROW, c.word)


def _batch(c: Any, b: Builder) -> None:
    b.send(COUNTED, public(BATCH_NUMBER))
    b.receive(COUNTED, c.number)
    b.assert_zero("cube", c.flag * c.flag * c.flag - 8)


@cache
def small_system() -> System:
    chips = (
        make_chip("sender", {"index": Field, "word": Field}, _send),
        make_chip("pubdata", {"word": Field}, _publish),
        make_chip("batch", {"number": Field, "flag": Field}, _batch),
    )
    return compile_system(chips, PUBLIC_WORDS, "pubdata", ("batch",), R)


@cache
def small_setup(*, insecure: bool = True) -> Setup:
    return Setup(toy_key(toy_shape()).setup.tau_g2, bytes(range(32)), insecure)


@cache
def small_key(*, insecure: bool = True) -> VerifyingKey:
    return make_key(small_system(), SHAPE, small_setup(insecure=insecure))


@dataclass(frozen=True, slots=True)
class SmallTable:
    """Main columns of one chip."""

    height: int
    columns: tuple[np.ndarray, ...]


def _table(*columns: list[int]) -> SmallTable:
    typed = []
    for values in columns:
        data = b"".join((value % R).to_bytes(32, "little") for value in values)
        typed.append(np.frombuffer(data, dtype="<u8").astype(np.uint64).reshape(-1, 4))
    return SmallTable(len(columns[0]), tuple(typed))


@cache
def small_proof(*, insecure: bool = True) -> bytes:
    """A proof of STATEMENT under small_key()."""
    words = list(STATEMENT.pubdata)
    tables = {
        "sender": _table(list(range(len(words))), words),
        "pubdata": _table(words),
        "batch": _table([STATEMENT.batch_number], [2]),
    }
    key, backend = small_key(insecure=insecure), ReferenceBackend(toy_bases(1 << SHAPE.log_chunk))
    return prove(key, small_system(), STATEMENT.words(), STATEMENT.pubdata, tables, backend)
