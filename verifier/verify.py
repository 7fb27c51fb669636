"""verify(): the protocol, step by step. The prover and the contract carry the same numbers.

The proof is succinct, not zero-knowledge: the claimed column values leak linear functions of
the witness.
"""

from __future__ import annotations

from collections.abc import Sequence

from circuits.field import R
from verifier.constraints import Batching, expected_claim, published_value
from verifier.errors import (
    HeightFixed,
    HeightTooLarge,
    ProofLength,
    PubdataLength,
    PublishedNotCanonical,
    StatementLength,
    SumcheckMismatch,
    WordNotCanonical,
)
from verifier.key import VerifyingKey
from verifier.opening import check_opening
from verifier.proof import proof_bytes
from verifier.reduction import chunk_weights, combined_claim
from verifier.sumcheck import next_claim
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
    ProofReader,
)


def verify(key: VerifyingKey, words: Sequence[int], pubdata: Sequence[int], proof: bytes) -> None:
    """Accept or raise. `words` are the public words of the statement, `pubdata` its data words.

    Raises: VerificationError, and nothing else, for any input of these types.
    Source: protocol 3.1 to 3.5.
    Cost: about a second, nearly all of it the pairing.
    """
    # 0. The statement, in canonical form, then the heights that the prover claims.
    _check_statement(key, words, pubdata)
    if len(proof) != proof_bytes(key):
        raise ProofLength("proof", proof_bytes(key), len(proof))
    reader = ProofReader(proof)
    reader.absorb_statement(key.digest, words, pubdata)
    heights = reader.read_heights(len(key.chips))
    _check_heights(key, heights, len(pubdata))

    # 1. Main columns; challenges of the bus fingerprints.
    commitments = reader.read_points(LABEL_MAIN, key.layout.main_chunks)
    alpha, beta = reader.challenge(), reader.challenge()

    # 2. Helper columns; challenges that batch all constraints into one polynomial.
    commitments += reader.read_points(LABEL_HELPERS, key.layout.helper_chunks)
    fold, tau, sum_weight, word_base = (reader.challenge() for _ in range(4))
    batching = Batching(alpha, beta, fold, tau, sum_weight, word_base)

    # 3. Sumcheck over the rows of all chips. Bus sums and constraints must total zero, so the
    #    claim is the published words' share alone.
    claim = sum_weight * sum_weight * published_value(pubdata, word_base) % R
    point, claim = _run_rounds(reader, LABEL_ROUND, key.rounds, key.round_degree, claim)

    # 4. Column values at the point; the constraints computed from them must give the claim.
    evaluations = reader.read_scalars(LABEL_EVALUATIONS, key.columns)
    expected = expected_claim(key, heights, words, evaluations, point, batching)
    if expected != claim:
        raise SumcheckMismatch("constraints", expected, claim)
    gamma = reader.challenge()

    # 5. Second sumcheck: all column claims become one claim on a sum of chunks.
    claim = combined_claim(evaluations, gamma)
    rho, claim = _run_rounds(reader, LABEL_REDUCTION, key.log_chunk, 2, claim)
    weights = chunk_weights(key, point, gamma, rho)

    # 6. Folds of the sum; 7. their values at -r^(2^i); 8. Shplonk quotient; 9. KZG witness.
    folds = reader.read_points(LABEL_FOLDS, key.log_chunk - 1)
    r = reader.challenge()
    negated = reader.read_scalars(LABEL_NEGATED, key.log_chunk)
    nu = reader.challenge()
    (quotient,) = reader.read_points(LABEL_QUOTIENT, 1)
    z = reader.challenge()
    (witness,) = reader.read_points(LABEL_OPENING, 1)
    check_opening(
        key.setup.tau_g2,
        commitments,
        weights,
        claim,
        rho,
        folds,
        r,
        negated,
        nu,
        quotient,
        z,
        witness,
    )


def _run_rounds(
    reader: ProofReader, label: bytes, rounds: int, degree: int, claim: int
) -> tuple[list[int], int]:
    """The point of challenges and the claim after all rounds of one sumcheck."""
    point = []
    for _ in range(rounds):
        message = reader.read_scalars(label, degree)
        point.append(reader.challenge())
        claim = next_claim(message, claim, point[-1], R)
    return point, claim


def _check_statement(key: VerifyingKey, words: Sequence[int], pubdata: Sequence[int]) -> None:
    if len(words) != len(key.public_names):
        raise StatementLength("public words", len(key.public_names), len(words))
    for name, word in zip(key.public_names, words, strict=True):
        if not 0 <= word < R:
            raise WordNotCanonical(f"public word {name}", f"below {R}", word)
    capacity = 1 << key.chips[key.pubdata_chip].log_height
    if len(pubdata) > capacity:
        raise PubdataLength("published words", f"at most {capacity}", len(pubdata))
    for number, word in enumerate(pubdata):
        if not 0 <= word < R:
            raise PublishedNotCanonical(f"published word {number}", f"below {R}", word)


def _check_heights(key: VerifyingKey, heights: Sequence[int], published: int) -> None:
    fixed = dict.fromkeys(key.single_row_chips, 1) | {key.pubdata_chip: published}
    for number, (chip, height) in enumerate(zip(key.chips, heights, strict=True)):
        if height > 1 << chip.log_height:
            raise HeightTooLarge(
                f"height of {chip.name}", f"at most {1 << chip.log_height}", height
            )
        if height != fixed.get(number, height):
            raise HeightFixed(f"height of {chip.name}", fixed[number], height)
