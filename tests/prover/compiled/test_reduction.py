"""Every round of the second sumcheck against the reference and the verifier's own weights."""

import pytest

from circuits.field import R
from prover.backend import Circuit
from prover.compiled.backend import KernelBackend
from prover.kernels.msm import points_from_ints
from prover.reference import ReferenceBackend, eq_table
from tests.support.toy_system import toy_bases, toy_key, toy_shape, toy_system, toy_witness
from verifier.logup import challenge_inputs
from verifier.reduction import chunk_weights


@pytest.mark.parametrize("shape", [toy_shape(), toy_shape(log_steps=0), toy_shape(log_chunk=8)])
@pytest.mark.parametrize("extra", [[], [7, 1, 2]])
def test_rounds_equal_the_reference_and_end_at_the_weighted_chunks(rng, shape, extra):
    key, witness = toy_key(shape), toy_witness([3], [0], extra)
    bases = toy_bases(1 << key.log_chunk)
    point, gamma = [rng.randrange(R) for _ in range(key.rounds)], rng.randrange(R)
    started, traces = [], []
    for backend in (KernelBackend(points_from_ints(bases)), ReferenceBackend(bases)):
        trace = backend.load(Circuit(key, toy_system()), witness.tables)
        backend.helpers(trace, challenge_inputs(1001, 1003), witness.words)
        traces.append(trace)
        started.append(backend.reduction(trace, point, gamma))
    kernels, reference = started
    rho = []
    for _ in range(key.log_chunk):
        values = kernels.round_values()
        assert values == reference.round_values()
        rho.append(rng.randrange(R))
        for rounds in started:
            rounds.bind(rho[-1])
    # The last claim is the weighted sum of the chunks at rho, which the opening then shows.
    c_0, at_1, at_2 = values
    x, half = rho[-1], pow(2, -1, R)
    claim = c_0 * (x - 1) * (x - 2) * half - at_1 * x * (x - 2) + at_2 * x * (x - 1) * half
    table = eq_table(rho)
    weights = chunk_weights(key, point, gamma, rho)
    chunks = (int((traces[1].chunk(k) * table).sum()) for k in range(key.layout.chunks))
    assert claim % R == sum(w * c for w, c in zip(weights, chunks, strict=True)) % R
