"""The yardstick through the whole protocol: honest trades are accepted, each forgery is refused."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from circuits.air.chip import System
from prover import srs_tools
from prover.bench.yardstick.chip import LINKS
from prover.bench.yardstick.system import key_for, yardstick_system
from prover.bench.yardstick.witness import build_witness
from prover.compiled.backend import KernelBackend
from prover.prove import prove
from tests.support.yardstick import (
    PlainTrade,
    PlainWitness,
    honest_trades,
    trades_of,
    widened,
)
from verifier.errors import SumcheckMismatch
from verifier.verify import verify

KEY = key_for(1)
DOMAIN = trades_of(1).domain
(HONEST,) = honest_trades(1)


@cache
def bases() -> np.ndarray:
    return srs_tools.development(KEY.log_chunk, lambda _: None).bases


def test_honest_trades_are_accepted() -> None:
    witness = build_witness(trades_of(1))
    proof = prove(
        KEY, yardstick_system(), witness.words, witness.pubdata, witness.tables,
        KernelBackend(bases()),
    )  # fmt: skip
    verify(KEY, witness.words, witness.pubdata, proof)


@dataclass(frozen=True, slots=True)
class Forgery:
    """A trade that is false in one way only, and what finds it."""

    trade: PlainTrade
    failing: set[str]
    system: System


def _signed_by_a_stranger() -> PlainTrade:
    stranger = PlainTrade.signed(DOMAIN, (3, HONEST.secrets[1]), HONEST.numbers)
    return replace(HONEST, requests=(stranger.requests[0], HONEST.requests[1]))


def _signed_something_else() -> PlainTrade:
    other = PlainTrade.signed(DOMAIN, HONEST.secrets, (5, *HONEST.numbers[1:]))
    return replace(HONEST, requests=(HONEST.requests[0], other.requests[1]))


def _with(numbers: tuple[int, ...] = HONEST.numbers, wrong_link: int = -1) -> PlainTrade:
    return PlainTrade.signed(DOMAIN, HONEST.secrets, numbers, wrong_link)


FORGERIES = {
    "signature of a stranger": Forgery(
        _signed_by_a_stranger(), {"bus signature"}, yardstick_system()
    ),
    "signature of something else": Forgery(
        _signed_something_else(), {"bus signature"}, yardstick_system()
    ),
    "first link": Forgery(_with(wrong_link=0), {"bus hash"}, yardstick_system()),
    "middle link": Forgery(_with(wrong_link=13), {"bus hash"}, yardstick_system()),
    "last link": Forgery(_with(wrong_link=LINKS - 1), {"bus hash"}, yardstick_system()),
    "number of 65 bits": Forgery(
        _with((*HONEST.numbers[:-1], 1 << 64)),
        {"bus range16"},
        widened(yardstick_system(), f"numbers[{LINKS - 1}].3"),
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_each_forgery_is_found_and_its_proof_refused(name: str) -> None:
    forgery = FORGERIES[name]
    witness = PlainWitness.of(DOMAIN, [forgery.trade])
    assert witness.failing() == forgery.failing
    proof = prove(
        KEY, forgery.system, witness.words, witness.pubdata, witness.tables(forgery.system),
        KernelBackend(bases()),
    )  # fmt: skip
    with pytest.raises(SumcheckMismatch):
        verify(KEY, witness.words, witness.pubdata, proof)


def test_the_widened_column_alone_changes_nothing() -> None:
    """The proof of an honest witness with a wide column is accepted: its width is no rule."""
    system = widened(yardstick_system(), f"numbers[{LINKS - 1}].3")
    witness = PlainWitness.of(DOMAIN, [HONEST])
    proof = prove(
        KEY, system, witness.words, witness.pubdata, witness.tables(system), KernelBackend(bases())
    )
    verify(KEY, witness.words, witness.pubdata, proof)
