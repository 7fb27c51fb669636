"""prove(): the prover's side of verifier.verify, with the same step numbers (protocol 3.1)."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from time import perf_counter

from circuits.air.chip import System
from circuits.field import R
from prover.backend import Backend, Circuit, Polynomial, Rounds, Tables
from prover.rounds import message
from prover.witness import check_tables
from verifier.constraints import Batching
from verifier.key import VerifyingKey
from verifier.logup import challenge_inputs
from verifier.reduction import chunk_weights
from verifier.transcript import (
    LABEL_EVALUATIONS,
    LABEL_FOLDS,
    LABEL_HELPERS,
    LABEL_MAIN,
    LABEL_NEGATED,
    LABEL_OPENING,
    LABEL_QUOTIENT,
    LABEL_REDUCTION,
    LABEL_ROUND,
    ProofWriter,
)


class Stage(StrEnum):
    """What a proof spends its time on, in order."""

    LOAD = "load"
    COMMIT = "commit"
    HELPERS = "helpers"
    SUMCHECK = "sumcheck"
    REDUCTION = "reduction"
    OPENING = "opening"
    DONE = "done"


class StageClock:
    """An observer that keeps the seconds of every stage, those of all runs of a proof together.

    What passes between one run and the next, where somebody was found wrong, belongs to DONE.
    """

    def __init__(self) -> None:
        self.seconds: dict[Stage, float] = {}
        self._current: Stage | None = None
        self._since = 0.0

    def __call__(self, stage: Stage) -> None:
        now = perf_counter()
        if self._current is not None:
            earlier_s = self.seconds.get(self._current, 0.0)
            self.seconds[self._current] = earlier_s + now - self._since
        self._current, self._since = stage, now


def ignore(stage: Stage) -> None:
    """An observer that looks at nothing."""


def prove(
    key: VerifyingKey,
    system: System,
    words: Sequence[int],
    pubdata: Sequence[int],
    tables: Tables,
    backend: Backend,
    observe: Callable[[Stage], None] = ignore,
) -> bytes:
    """Proof bytes for a statement; equal for every backend.

    `system` is what the key was made from, `tables` the main columns by chip name. `observe` is
    called when a stage begins.

    Assumes: the witness satisfies the statement. A proof of one that does not is refused by
    verify(), which every caller must run before it hands a proof on.
    Raises: ProverError when tables, system and key do not fit together.
    """
    observe(Stage.LOAD)
    heights = check_tables(key, system, tables, pubdata)
    writer = ProofWriter()

    # 0. The statement, then the heights.
    writer.absorb_statement(key.digest, words, pubdata)
    writer.write_heights(heights)
    trace = backend.load(Circuit(key, system), tables)

    # 1. Main columns; challenges of the bus fingerprints.
    observe(Stage.COMMIT)
    main_chunks = key.layout.main_chunks
    writer.write_points(LABEL_MAIN, backend.commit_chunks(trace, range(main_chunks)))
    challenges = challenge_inputs(alpha := writer.challenge(), beta := writer.challenge())

    # 2. Helper columns; challenges that batch all constraints into one polynomial.
    observe(Stage.HELPERS)
    backend.helpers(trace, challenges, words)
    helper_chunks = range(main_chunks, key.layout.chunks)
    writer.write_points(LABEL_HELPERS, backend.commit_chunks(trace, helper_chunks))
    fold, tau, sum_weight, word_base = (writer.challenge() for _ in range(4))
    batching = Batching(alpha, beta, fold, tau, sum_weight, word_base)

    # 3. Sumcheck over the rows of all chips. 4. Column values at its point.
    observe(Stage.SUMCHECK)
    zerocheck = backend.zerocheck(trace, batching, words)
    point = _run_rounds(writer, LABEL_ROUND, zerocheck, key.rounds)
    writer.write_scalars(LABEL_EVALUATIONS, zerocheck.evaluations())
    del zerocheck
    gamma = writer.challenge()

    # 5. Second sumcheck: all column claims become one claim on a sum of chunks.
    observe(Stage.REDUCTION)
    reduction = backend.reduction(trace, point, gamma)
    rho = _run_rounds(writer, LABEL_REDUCTION, reduction, key.log_chunk)
    del reduction
    combined = backend.combine(trace, chunk_weights(key, point, gamma, rho))

    # 6 to 9.
    observe(Stage.OPENING)
    del trace
    _open(writer, backend, combined, rho)
    observe(Stage.DONE)
    return writer.to_bytes()


def _run_rounds(writer: ProofWriter, label: bytes, rounds: Rounds, count: int) -> list[int]:
    point = []
    for _ in range(count):
        writer.write_scalars(label, message(rounds.round_values()))
        point.append(writer.challenge())
        rounds.bind(point[-1])
    return point


def _open(writer: ProofWriter, backend: Backend, combined: Polynomial, rho: Sequence[int]) -> None:
    """Gemini folds and Shplonk (protocol 3.5)."""
    # 6. f_0 = f and f_{i+1} = f_i with its low variable bound to rho_i.
    length = 1 << len(rho)
    folds = [combined]
    for challenge in rho[:-1]:
        folds.append(backend.fold(folds[-1], challenge))
    writer.write_points(LABEL_FOLDS, [backend.commit(each) for each in folds[1:]])
    r = writer.challenge()
    roots = [pow(r, 1 << i, R) for i in range(len(rho))]

    # 7. e_i = f_i(-r_i).
    negated = [backend.evaluate(each, -root % R) for each, root in zip(folds, roots, strict=True)]
    writer.write_scalars(LABEL_NEGATED, negated)
    nu = writer.challenge()

    # 8. Q = sum nu^(2i) (f_i - p_i) / (X - r_i) + nu^(2i+1) (f_i - e_i) / (X + r_i).
    quotient = backend.divide_pairs(
        (
            (each, root, pow(nu, 2 * i, R), pow(nu, 2 * i + 1, R))
            for i, (each, root) in enumerate(zip(folds, roots, strict=True))
        ),
        length,
    )
    writer.write_points(LABEL_QUOTIENT, [backend.commit(quotient)])
    z = writer.challenge()

    # 9. W = (Q - sum (A_i + B_i) f_i + constant) / (X - z), exact because the sum is 0 at z.
    scales = [
        pow(nu, 2 * i, R) * (pow(z - root, -1, R) + nu * pow(z + root, -1, R)) % R
        for i, root in enumerate(roots)
    ]
    terms = [(1, quotient), *((-s % R, each) for s, each in zip(scales, folds, strict=True))]
    witness = backend.divide_sum(terms, z)
    # One polynomial fewer while the last commitment is made, see prover.memory.
    del quotient, terms
    writer.write_points(LABEL_OPENING, [backend.commit(witness)])
