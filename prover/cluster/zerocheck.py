"""The first sumcheck on shared steps: claims here, sums over rows wherever the rows are."""

from __future__ import annotations

from collections.abc import Sequence

from circuits.field import R
from prover.cluster.errors import InconsistentRound
from prover.cluster.shards import ShardPlan
from prover.cluster.span_sumchecks import points_of
from prover.cluster.steplog import Steps
from prover.cluster.steps import (
    Adopt,
    Asked,
    Bind,
    Evaluations,
    HandOver,
    RoundSums,
    Rows,
    StartZerocheck,
    Sums,
)
from prover.rounds import extend, value_at
from verifier.constraints import Batching
from verifier.key import VerifyingKey
from verifier.sumcheck import squares


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


class ChipClaims:
    """One chip's bracket as integers: the twin of `compiled.zerocheck.ChipRounds`."""

    def __init__(self, key: VerifyingKey, number: int, batching: Batching) -> None:
        chip = key.chips[number]
        self.missing = key.rounds - chip.log_height
        self._points = points_of(chip.degree)
        self._sum_weight = batching.sum_weight
        self._has_words = number == key.pubdata_chip
        self._tau = squares(batching.tau, key.rounds, R)[self.missing :]
        self._scale, self._claim = 1, 0
        self._values: list[int] = []
        self._helpers = LinearClaim(f"helper sums of {chip.name}")
        self._words = LinearClaim(f"published words of {chip.name}")

    def total(self, sums: Sequence[int]) -> int:
        """Sum over all rows while nothing is bound; constraints add nothing to it."""
        even, odd, *words = sums[self._points :]
        total = self._sum_weight * (even + odd)
        if self._has_words:
            total += self._sum_weight**2 * (words[0] + words[1])
        return total % R

    def values(self, sums: Sequence[int], count: int) -> list[int]:
        """This round's values at 0 .. count - 1. Raises: InconsistentRound."""
        constraints, (even, odd, *words) = list(sums[: self._points]), sums[self._points :]
        self._helpers.take((even, odd))
        values = [self._sum_weight * (even + t * (odd - even)) for t in range(count)]
        # tau is a power of a challenge, so it is not zero.
        tau = self._tau[0]
        constraints[1] = (self._claim - (1 - tau) * constraints[0]) * pow(tau, -1, R) % R
        self._values = constraints
        for t, value in enumerate(extend(constraints, count)):
            values[t] += self._scale * (1 - tau + t * (2 * tau - 1)) * value
        if self._has_words:
            self._words.take(words)
            for t, value in enumerate(extend(words, count)):
                values[t] += self._sum_weight**2 * value
        return [value % R for value in values]

    def bind(self, challenge: int) -> None:
        """Fix the lowest of the chip's remaining variables."""
        tau = self._tau.pop(0)
        self._claim = value_at(self._values, challenge)
        self._scale = self._scale * (1 - tau + challenge * (2 * tau - 1)) % R
        self._helpers.bind(challenge)
        if self._has_words:
            self._words.bind(challenge)


class ClusterZerocheck:
    """All chips; a chip joins when its own variables are reached (protocol 3.3)."""

    def __init__(
        self, steps: Steps, key: VerifyingKey, plan: ShardPlan, batching: Batching
    ) -> None:
        self._steps = steps
        self._degree = key.round_degree
        self._chips = [ChipClaims(key, number, batching) for number in range(len(key.chips))]
        self._totals = [0] * len(key.chips)
        self._factors = [1] * len(key.chips)
        self._shared = SharedChips(plan, [chip.missing for chip in self._chips])
        self._round = 0
        steps.tell(StartZerocheck(batching))

    def round_values(self) -> list[int]:
        """Raises: InconsistentRound."""
        self._shared.hand_over(self._steps, self._round)
        is_shared = self._round == 0 or self._shared.has_awake(self._round)
        sums = sums_of(self._steps, RoundSums(), shared=is_shared)
        if self._round == 0:
            self._totals = [chip.total(sums[number]) for number, chip in enumerate(self._chips)]
        totals = [0] * (self._degree + 1)
        for number, chip in enumerate(self._chips):
            if self._round < chip.missing:
                values = [t * self._totals[number] for t in range(self._degree + 1)]
            else:
                values = chip.values(sums[number], self._degree + 1)
            factor = self._factors[number]
            totals = [a + factor * b for a, b in zip(totals, values, strict=True)]
        return [value % R for value in totals]

    def bind(self, challenge: int) -> None:
        self._steps.tell(Bind(challenge))
        for number, chip in enumerate(self._chips):
            if self._round < chip.missing:
                self._factors[number] = self._factors[number] * challenge % R
            else:
                chip.bind(challenge)
        self._round += 1

    def evaluations(self) -> list[int]:
        self._shared.hand_over(self._steps, self._round)
        by_chip = sums_of(self._steps, Evaluations(), shared=False)
        return [value for number in range(len(self._chips)) for value in by_chip[number]]


class SharedChips:
    """Which chips workers still fold in a sumcheck; `missing[c]` is how many rounds c sleeps."""

    def __init__(self, plan: ShardPlan, missing: Sequence[int]) -> None:
        self._leaving = {
            number: missing[number] + plan.chips[number].log_block for number in plan.shared
        }
        self._missing = missing

    def has_awake(self, position: int) -> bool:
        """Whether workers sum rows in this round."""
        return any(self._missing[number] <= position for number in self._leaving)

    def hand_over(self, steps: Steps, position: int) -> None:
        """Let the coordinator take over the chips that are folded to one row a shard."""
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
