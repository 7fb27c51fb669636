"""The tape of fingerprints and multiplicities against the buses' own checker."""

from circuits.air.tape import evaluate_tape
from circuits.field import R, inverse
from prover.interactions import group_ends, interaction_tape
from tests.support.toy_system import toy_system, toy_witness
from verifier.logup import challenge_inputs


def test_fractions_of_a_balanced_witness_sum_to_zero():
    witness = toy_witness([3, 5, 0, 15], [1, 2], [2, 9, 9])
    total = 0
    for chip in toy_system().chips:
        tape = interaction_tape(chip, len(witness.words), R)
        count = len(chip.interactions)
        for row, cells in enumerate(zip(*witness.tables[chip.name].cells(), strict=True)):
            values = evaluate_tape(
                tape, cells, row, 1, challenge_inputs(1234, 5678), witness.words, R
            )
            pairs = zip(values[:count], values[count:], strict=True)
            total += sum(m * inverse(d) for d, m in pairs)
    assert total % R == 0


def test_groups_cover_all_interactions_in_order():
    for chip in toy_system().chips:
        ends = group_ends(chip)
        assert len(ends) == chip.helper_count
        begins = [0, *ends[:-1]]
        assert [
            chip.interactions[begin:end] for begin, end in zip(begins, ends, strict=True)
        ] == list(chip.groups)
