"""Every round of the first sumcheck against the reference, with chips that sleep and wake."""

import pytest

from circuits.field import R
from prover.backend import Circuit
from prover.compiled.backend import KernelBackend
from prover.kernels.msm import points_from_ints
from prover.reference import ReferenceBackend
from prover.rounds import value_at
from tests.support.toy_system import toy_bases, toy_key, toy_shape, toy_system, toy_witness
from verifier.constraints import Batching, published_value
from verifier.logup import challenge_inputs

BATCHING = Batching(alpha=1001, beta=1003, fold=1005, tau=1007, sum_weight=1009, word_base=1011)


def backends(key):
    bases = toy_bases(1 << key.log_chunk)
    return KernelBackend(points_from_ints(bases)), ReferenceBackend(bases)


def started(backend, key, witness):
    trace = backend.load(Circuit(key, toy_system()), witness.tables)
    backend.helpers(trace, challenge_inputs(BATCHING.alpha, BATCHING.beta), witness.words)
    return backend.zerocheck(trace, BATCHING, witness.words)


@pytest.mark.parametrize("log_steps", [2, 4])
def test_rounds_and_evaluations_equal_the_reference(rng, log_steps):
    key = toy_key(toy_shape(log_steps=log_steps))
    witness = toy_witness([3, 5, 9], [0, 2], [7])
    kernels, reference = (started(each, key, witness) for each in backends(key))
    weight = BATCHING.sum_weight
    claim = weight * weight * published_value(witness.pubdata, BATCHING.word_base) % R
    for _ in range(key.rounds):
        values = kernels.round_values()
        assert values == reference.round_values()
        assert (values[0] + values[1]) % R == claim
        challenge = rng.randrange(R)
        for rounds in (kernels, reference):
            rounds.bind(challenge)
        claim = value_at(values, challenge)
    assert kernels.evaluations() == reference.evaluations()


def test_the_trace_is_left_as_it_was():
    key = toy_key(toy_shape())
    witness = toy_witness([3, 5, 9], [0, 2], [7])
    backend = backends(key)[0]
    trace = backend.load(Circuit(key, toy_system()), witness.tables)
    backend.helpers(trace, challenge_inputs(BATCHING.alpha, BATCHING.beta), witness.words)
    before = [[column.copy() for column in chip.columns] for chip in trace.chips]
    rounds = backend.zerocheck(trace, BATCHING, witness.words)
    for _ in range(key.rounds):
        rounds.round_values()
        rounds.bind(5)
    for chip, copies in zip(trace.chips, before, strict=True):
        for column, copy in zip(chip.columns, copies, strict=True):
            assert (column == copy).all()
