"""The numbers behind the helper columns, as a tape: denominators, then signed multiplicities."""

from functools import lru_cache

from circuits.air.builder import CHALLENGE_COUNT, fingerprint
from circuits.air.chip import CompiledChip
from circuits.air.tape import Tape, compile_tape


@lru_cache(maxsize=256)
def interaction_tape(chip: CompiledChip, public_count: int, modulus: int) -> Tape:
    """Tape that emits d_j of every interaction j, then sign_j m_j of every interaction.

    Source: protocol 3.2.
    """
    denominators = [fingerprint(each) for each in chip.interactions]
    numerators = [each.times if each.sign > 0 else -each.times for each in chip.interactions]
    return compile_tape(
        denominators + numerators, len(chip.columns), CHALLENGE_COUNT, public_count, modulus
    )


def group_ends(chip: CompiledChip) -> list[int]:
    """Number of interactions up to and with each group; groups are consecutive."""
    ends, count = [], 0
    for group in chip.groups:
        count += len(group)
        ends.append(count)
    return ends
