"""Which rows of which chips a worker owns: virtual shards, spans of them, and an ownership table.

A chip's active rows are cut into aligned blocks of a power of two, at most 64 of them unless told
otherwise: the virtual shards. Low row bits are bound first, so a shard folds to one row without
its neighbours.
What a worker owns of a chip is a span, a run of neighbouring shards, which kernels take as one.
Chips with few rows are not shared: the coordinator keeps them whole.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prover.cluster.settings import ClusterSettings


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Shards first .. stop - 1 of one chip, at least one."""

    chip: int
    first: int
    stop: int

    def overlaps(self, other: Span) -> bool:
        """Whether they have a shard in common."""
        return self.chip == other.chip and self.first < other.stop and other.first < self.stop

    def split(self, parts: int) -> list[Span]:
        """At most `parts` spans of nearly equal size that make up this one."""
        count = self.stop - self.first
        parts = min(parts, count)
        cuts = [self.first + count * part // parts for part in range(parts + 1)]
        return [Span(self.chip, start, stop) for start, stop in itertools.pairwise(cuts)]


@dataclass(frozen=True, slots=True)
class ChipShards:
    """How one chip is cut: 2^log_block rows a shard; a chip that is not shared is one shard."""

    height: int
    log_block: int
    is_shared: bool

    @property
    def count(self) -> int:
        """Shards with an active row."""
        return -(-self.height >> self.log_block) if self.is_shared else 1


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """The cut of every chip, in the order of the chips; the same for any number of workers.

    `rows_handed_max`: when no chip has more rows left in the second sumcheck, where a row is one
    element, workers hand all of them to the coordinator.
    """

    chips: tuple[ChipShards, ...]
    rows_handed_max: int

    @property
    def shared(self) -> list[int]:
        """Chips that workers own."""
        return [number for number, chip in enumerate(self.chips) if chip.is_shared]

    def whole(self, chip: int) -> Span:
        """All shards of a chip."""
        return Span(chip, 0, self.chips[chip].count)

    def rows(self, span: Span) -> tuple[int, int]:
        """The active rows [start, stop) of a span; only a chip's last shard may be cut short."""
        chip = self.chips[span.chip]
        return span.first << chip.log_block, min(span.stop << chip.log_block, chip.height)

    def folds(self, chip: int) -> int:
        """Rounds that workers fold a shared chip in the first sumcheck: to one row a shard."""
        return self.chips[chip].log_block

    def reduction_folds(self, chip: int) -> int:
        """The same in the second sumcheck: all chips leave together unless shards end before."""
        most = max(self.chips[number].height for number in self.shared)
        rounds = (-(-most // self.rows_handed_max) - 1).bit_length()
        return min(rounds, self.folds(chip))

    def home_spans(self) -> list[Span]:
        """What the coordinator keeps."""
        return [self.whole(n) for n, chip in enumerate(self.chips) if not chip.is_shared]

    def shared_spans(self) -> list[Span]:
        """What workers own together."""
        return [self.whole(number) for number in self.shared]


def plan_shards(
    heights: Sequence[int], log_heights: Sequence[int], settings: ClusterSettings
) -> ShardPlan:
    """Cut chips by their active rows, so that shards carry equal work whatever the capacity.

    Chips of fewer than `rows_shared_min` rows are not shared, and none whose shards would have
    single rows; others have more than half of 2^log_shards shards.
    Shape: heights and log_heights in chip order, height <= 2^log_height.
    """
    chips = []
    for height, log_height in zip(heights, log_heights, strict=True):
        log_rows = (height - 1).bit_length() if height else 0
        if height >= settings.rows_shared_min and log_rows > settings.log_shards:
            chips.append(ChipShards(height, log_rows - settings.log_shards, True))
        else:
            chips.append(ChipShards(height, log_height, False))
    return ShardPlan(tuple(chips), settings.rows_handed_max)


Ownership = Mapping[str, tuple[Span, ...]]


def assign(spans: Sequence[Span], workers: Sequence[str]) -> Ownership:
    """Split every span over the workers, as evenly as whole shards allow.

    Where a span has fewer shards than there are workers, or they do not divide evenly, later
    spans start with another worker, so that the same one is not always first.
    """
    owned: dict[str, list[Span]] = {worker: [] for worker in workers}
    for turn, span in enumerate(spans):
        for place, part in enumerate(span.split(len(workers))):
            owned[workers[(turn + place) % len(workers)]].append(part)
    return {worker: tuple(parts) for worker, parts in owned.items()}
