"""The first sumcheck on shared steps: claims here, sums over rows wherever the rows are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from circuits.field import R
from prover.cluster.errors import InconsistentRound
from prover.cluster.messages import Job
from prover.cluster.plans import Plans
from prover.cluster.span_sumchecks import WORD_SUMS
from prover.cluster.steplog import Steps
from prover.cluster.steps import (
    Adopt,
    Asked,
    Bind,
    ColumnsAt,
    HandOver,
    RoundSums,
    Rows,
    StartZerocheck,
    Sums,
)
from prover.compiled.zerocheck import ChipClaim
from prover.kernels.sumcheck import HELPERS
from prover.rounds import extend, value_at
from verifier.constraints import Batching
from verifier.key import VerifyingKey


class LinearClaim:
    """A sum over rows whose round polynomial is known from its even and odd part.

    After a challenge the parts of the next round must add up to the old polynomial's value there.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._values: Sequence[int] = ()
        self._claim: int | None = None

    def take(self, values: Sequence[int]) -> None:
        """Values at 0, 1, ... of this round. Raises: InconsistentRound."""
        found = (values[0] + values[1]) % R
        if self._claim is not None and found != self._claim:
            raise InconsistentRound(self._place, self._claim, found)
        self._values = values

    def bind(self, challenge: int) -> None:
        """Fix the variable of the values taken."""
        self._claim = value_at(self._values, challenge)


class SharedChip:
    """One chip in the sumcheck, which sleeps until its own variables are reached."""

    def __init__(self, plans: Plans, key: VerifyingKey, number: int, batching: Batching) -> None:
        chip = key.chips[number]
        self.missing = key.rounds - chip.log_height
        self.factor = 1
        self._sum_weight = batching.sum_weight
        self._word_weight = batching.sum_weight**2 % R if number == key.pubdata_chip else 0
        self._total = 0
        self._has_rows = chip.log_height > 0
        self._make_claim = lambda: ChipClaim(
            plans.of(batching, number), batching.sum_weight, plans.tau_point(batching, number)
        )
        self._helpers = LinearClaim(f"helper sums of {chip.name}")
        self._words = LinearClaim(f"published words of {chip.name}")

    @cached_property
    def _claim(self) -> ChipClaim:
        """Made for the first sums: they come from workers, and nobody should wait for it before."""
        return self._make_claim()

    def take_total(self, totals: Sequence[int]) -> None:
        """The sums over all rows while nothing is bound; constraints add nothing to them."""
        helpers, words = totals
        self._total = (self._sum_weight * helpers + self._word_weight * words) % R

    def asleep_values(self, count: int) -> list[int]:
        """Values at 0 .. count - 1 while the chip sleeps."""
        return [t * self._total for t in range(count)]

    def values(self, sums: Sequence[int], count: int) -> list[int]:
        """This round's values at 0 .. count - 1. Raises: InconsistentRound."""
        if not self._has_rows:
            return [0] * count
        found, words = sums[:-WORD_SUMS], sums[-WORD_SUMS:]
        self._helpers.take(found[HELPERS : HELPERS + 2])
        values = self._claim.values(found, count)
        if self._word_weight:
            self._words.take(words)
            parts = extend(words, count)
            values = [a + self._word_weight * b for a, b in zip(values, parts, strict=True)]
        return values

    def bind(self, challenge: int) -> None:
        """Fix the lowest of the chip's remaining variables."""
        if not self._has_rows:
            return
        self._claim.bind(challenge)
        self._helpers.bind(challenge)
        if self._word_weight:
            self._words.bind(challenge)


class ClusterZerocheck:
    """All chips; a chip joins when its own variables are reached (protocol 3.3)."""

    def __init__(self, steps: Steps, job: Job, plans: Plans, batching: Batching) -> None:
        self._steps = steps
        self._count = job.key.round_degree + 1
        self._chips = [
            SharedChip(plans, job.key, number, batching) for number in range(len(job.key.chips))
        ]
        plan = job.plan
        self._folding = FoldingChips(
            {number: self._chips[number].missing for number in plan.shared},
            {number: plan.folds(number) for number in plan.shared},
        )
        self._round = 0
        steps.tell(StartZerocheck(batching))

    def round_values(self) -> list[int]:
        """Raises: InconsistentRound."""
        self._folding.hand_over(self._steps, self._round)
        is_shared = self._round == 0 or self._folding.has_awake(self._round)
        sums = sums_of(self._steps, RoundSums(), shared=is_shared)
        totals = [0] * self._count
        for number, chip in enumerate(self._chips):
            if self._round < chip.missing:
                if self._round == 0:
                    chip.take_total(sums[number])
                values = chip.asleep_values(self._count)
            else:
                values = chip.values(sums.get(number, ()), self._count)
            totals = [a + chip.factor * b for a, b in zip(totals, values, strict=True)]
        return [value % R for value in totals]

    def bind(self, challenge: int) -> None:
        self._steps.tell(Bind(challenge))
        for chip in self._chips:
            if self._round < chip.missing:
                chip.factor = chip.factor * challenge % R
            else:
                chip.bind(challenge)
        self._round += 1

    def evaluations(self) -> list[int]:
        chips = tuple(range(len(self._chips)))
        by_chip = sums_of(self._steps, ColumnsAt(chips), shared=True)
        return [value for number in chips for value in by_chip[number]]


class FoldingChips:
    """Which chips workers still fold in a sumcheck.

    Chip c sleeps for missing[c] rounds and is then folded folds[c] times.
    """

    def __init__(self, missing: Mapping[int, int], folds: Mapping[int, int]) -> None:
        self._leaving = {number: missing[number] + count for number, count in folds.items()}
        self._missing = missing

    def has_awake(self, position: int) -> bool:
        """Whether workers sum rows in this round."""
        return any(self._missing[number] <= position for number in self._leaving)

    def hand_over(self, steps: Steps, position: int) -> None:
        """Let the coordinator take over the chips that are folded as far as they should be."""
        chips = tuple(number for number, last in self._leaving.items() if last == position)
        if chips:
            rows = steps.ask(HandOver(chips), shared=True)
            if not isinstance(rows, Rows):
                raise TypeError(f"expected rows, got {type(rows)}")
            steps.tell(Adopt(rows))
            for number in chips:
                del self._leaving[number]


def sums_of(steps: Steps, ask: Asked, *, shared: bool) -> dict[int, tuple[int, ...]]:
    """The sums that answer an ask, by chip."""
    answer = steps.ask(ask, shared=shared)
    if not isinstance(answer, Sums):
        raise TypeError(f"expected sums, got {type(answer)}")
    return dict(answer.by_chip)
