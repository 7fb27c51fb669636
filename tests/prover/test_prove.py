"""Proofs of the toy statement: equal from both backends, accepted, and refused when forged."""

from dataclasses import replace

import pytest

from prover.compiled.backend import KernelBackend
from prover.kernels.msm import points_from_ints
from prover.prove import Stage, StageClock, prove
from prover.reference import ReferenceBackend
from tests.support.toy_system import (
    toy_bases,
    toy_key,
    toy_shape,
    toy_system,
    toy_table,
    toy_witness,
)
from verifier.errors import SumcheckMismatch, VerificationError
from verifier.proof import proof_bytes
from verifier.verify import verify

CASES = {
    "some rows": (toy_shape(), toy_witness([3, 5, 0, 15, 3], [1, 4], [2, 9, 9])),
    "full": (toy_shape(), toy_witness(list(range(16)), range(8), [1, 2, 3, 4])),
    "one row": (toy_shape(), toy_witness([4], [0], [1])),
    "no rows": (toy_shape(), toy_witness([], [])),
    "low steps": (toy_shape(log_steps=2, log_words=1), toy_witness([1, 2, 3], [2])),
    "high words": (toy_shape(log_steps=3, log_words=5), toy_witness([1] * 7, range(7))),
    "all chips low": (toy_shape(log_steps=0, log_words=0), toy_witness([6], [0], [2])),
    "long chunk": (toy_shape(log_steps=5, log_chunk=7), toy_witness([9] * 20, range(5))),
}


def kernels(key):
    return KernelBackend(points_from_ints(toy_bases(1 << key.log_chunk)))


@pytest.mark.parametrize("case", CASES)
def test_both_backends_give_the_same_proof_and_it_is_accepted(case):
    shape, witness = CASES[case]
    key = toy_key(shape)
    proof = prove(key, toy_system(), witness.words, witness.pubdata, witness.tables, kernels(key))
    assert len(proof) == proof_bytes(key)
    verify(key, witness.words, witness.pubdata, proof)
    reference = ReferenceBackend(toy_bases(1 << key.log_chunk))
    assert proof == prove(
        key, toy_system(), witness.words, witness.pubdata, witness.tables, reference
    )


def forge(witness, **changes):
    """The witness with other words, published words or tables."""
    tables = witness.tables | changes.pop("tables", {})
    return replace(witness, tables=tables, **changes)


def with_cell(witness, chip, column, row, value):
    cells = witness.tables[chip].cells()
    cells[column][row] = value
    return forge(witness, tables={chip: toy_table(chip, cells)})


HONEST = toy_witness([3, 5, 0, 15, 3], [1, 4], [2, 9, 9])
FORGED = {
    "wrong power": with_cell(HONEST, "step", 3, 2, 12),
    "wrong inverse": with_cell(HONEST, "step", 6, 0, 12),
    "high without low": with_cell(HONEST, "extra", 3, 0, 1),
    "wrong square": with_cell(HONEST, "extra", 1, 1, 80),
    "wrong count": with_cell(HONEST, "squares", 0, 7, 1),
    "wrong ends": with_cell(HONEST, "ends", 0, 0, 3),
    "wrong published cell": with_cell(HONEST, "words", 0, 0, 1),
    "wrong published word": forge(HONEST, pubdata=(HONEST.pubdata[0], 1)),
    "wrong public word": forge(HONEST, words=(7, 5, 1, 2)),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_proof_of_a_false_witness_is_refused(name):
    witness, key = FORGED[name], toy_key(toy_shape())
    proof = prove(key, toy_system(), witness.words, witness.pubdata, witness.tables, kernels(key))
    with pytest.raises(SumcheckMismatch):
        verify(key, witness.words, witness.pubdata, proof)


def test_a_proof_holds_for_its_own_statement_only():
    key = toy_key(toy_shape())
    proof = prove(key, toy_system(), HONEST.words, HONEST.pubdata, HONEST.tables, kernels(key))
    other = toy_witness([3, 5, 0, 15, 3], [1, 4], [2, 9, 9], first=8)
    for words, pubdata in ((other.words, HONEST.pubdata), (HONEST.words, other.pubdata)):
        with pytest.raises(VerificationError):
            verify(key, words, pubdata, proof)


def test_stages_are_announced_in_order_and_timed():
    seen = []
    clock = StageClock()

    def observe(stage):
        seen.append(stage)
        clock(stage)

    key = toy_key(toy_shape())
    prove(key, toy_system(), HONEST.words, HONEST.pubdata, HONEST.tables, kernels(key), observe)
    assert seen == list(Stage)
    assert list(clock.seconds) == list(Stage)[:-1]
    assert min(clock.seconds.values()) >= 0


def test_the_time_of_a_proof_that_is_made_twice_is_that_of_both_runs(monkeypatch):
    times = iter(range(1, 2 * len(Stage) + 1))
    monkeypatch.setattr("prover.prove.perf_counter", lambda: float(next(times)))
    clock = StageClock()
    for stage in (*Stage, *Stage):
        clock(stage)
    assert clock.seconds == dict.fromkeys(Stage, 2.0) | {Stage.DONE: 1.0}
