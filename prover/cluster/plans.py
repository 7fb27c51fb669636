"""How chips are summed in the first sumcheck, made once for all who ask in one process."""

from __future__ import annotations

from circuits.field import R
from prover.cluster.messages import Job
from prover.kernels.plan import ChipPlan, make_plan
from verifier.constraints import Batching
from verifier.logup import challenge_inputs
from verifier.sumcheck import squares


class Plans:
    """The plans of a job's chips for the challenges of its last proof."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._batching: Batching | None = None
        self._plans: dict[int, ChipPlan] = {}

    def of(self, batching: Batching, number: int) -> ChipPlan:
        """The plan of a chip with at least one row variable. Cost: up to 0.1 s, once."""
        if batching != self._batching:
            self._batching, self._plans = batching, {}
        if number not in self._plans:
            key = self._job.key
            chip = key.chips[number]
            power = pow(batching.fold, sum(c.tape.constraints for c in key.chips[:number]), R)
            weights = []
            for _ in range(chip.tape.constraints):
                weights.append(power)
                power = power * batching.fold % R
            challenges = challenge_inputs(batching.alpha, batching.beta)
            self._plans[number] = make_plan(
                chip.tape, chip.main_columns, challenges, self._job.words, weights,
                chip.zero_values,
            )  # fmt: skip
        return self._plans[number]

    def tau_point(self, batching: Batching, number: int) -> list[int]:
        """The equality point of a chip's own variables."""
        key = self._job.key
        missing = key.rounds - key.chips[number].log_height
        return squares(batching.tau, key.rounds, R)[missing:]
