"""Every active row belongs to one shard and every shard to one worker, evenly."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prover.cluster.settings import ClusterSettings
from prover.cluster.shards import ChipShards, Span, assign, plan_shards

HEIGHTS = st.lists(st.integers(0, 5_000), min_size=1, max_size=6)
WORKERS = st.integers(1, 9).map(lambda count: [f"worker-{n}" for n in range(count)])


def plan_of(heights, rows_shared_min=1, log_shards=6, rows_handed_max=1):
    capacities = [max(height, 1).bit_length() for height in heights]
    settings = ClusterSettings(
        log_shards=log_shards, rows_shared_min=rows_shared_min, rows_handed_max=rows_handed_max
    )
    return plan_shards(heights, capacities, settings)


@given(HEIGHTS, st.integers(0, 100), st.integers(0, 6))
def test_shards_cover_the_active_rows_once(heights, rows_shared_min, log_shards):
    plan = plan_of(heights, rows_shared_min, log_shards)
    assert plan.shared == [
        number
        for number, height in enumerate(heights)
        if height >= rows_shared_min and height > 1 << log_shards
    ]
    for number, height in enumerate(heights):
        chip = plan.chips[number]
        rows = [
            row
            for shard in range(chip.count)
            for row in range(*plan.rows(Span(number, shard, shard + 1)))
        ]
        assert rows == list(range(height))
        if chip.is_shared:
            assert chip.count <= 1 << log_shards
            assert 2 * chip.count > 1 << log_shards
            assert chip.log_block
        else:
            assert chip.count == 1


@given(HEIGHTS)
def test_spans_start_at_multiples_of_their_block(heights):
    plan = plan_of(heights)
    for span in plan.shared_spans():
        for part in span.split(5):
            start, stop = plan.rows(part)
            block = 1 << plan.chips[span.chip].log_block
            assert start % block == 0
            assert stop % block == 0 or stop == plan.chips[span.chip].height


def test_a_chip_that_is_not_shared_is_one_shard_of_its_capacity():
    plan = plan_shards([1023, 1024, 0], [12, 12, 4], ClusterSettings())
    assert plan.chips == (
        ChipShards(1023, 12, False), ChipShards(1024, 4, True), ChipShards(0, 4, False)
    )  # fmt: skip
    assert plan.home_spans() == [Span(0, 0, 1), Span(2, 0, 1)]
    assert plan.shared_spans() == [Span(1, 0, 64)]
    assert plan.rows(Span(2, 0, 1)) == (0, 0)


@given(HEIGHTS, st.integers(1, 6_000))
def test_chips_leave_the_second_sumcheck_when_none_has_more_rows_than_may_be_handed(heights, most):
    plan = plan_of(heights, log_shards=2, rows_handed_max=most)
    folds = [plan.reduction_folds(chip) for chip in plan.shared]
    for chip, count in zip(plan.shared, folds, strict=True):
        # One more would need rows of other shards; one less would leave more rows than may be.
        assert count <= plan.folds(chip)
        if count < plan.folds(chip):
            assert count == max(folds)
            left = [-(-plan.chips[number].height >> count) for number in plan.shared]
            assert max(left) <= most
            if count:
                before = [-(-plan.chips[number].height >> count - 1) for number in plan.shared]
                assert max(before) > most


@given(HEIGHTS, WORKERS)
def test_every_shard_has_one_owner_and_all_own_about_as_many(heights, workers):
    spans = plan_of(heights).shared_spans()
    owned = assign(spans, workers)
    assert list(owned) == workers
    for whole in spans:
        parts = sorted(part for own in owned.values() for part in own if part.chip == whole.chip)
        assert parts[0].first == whole.first
        assert parts[-1].stop == whole.stop
        assert all(a.stop == b.first for a, b in pairwise(parts))
        counts = [
            sum(part.stop - part.first for part in own if part.chip == whole.chip)
            for own in owned.values()
        ]
        assert max(counts) - min(counts) <= 1


@given(HEIGHTS, WORKERS, st.data())
def test_the_shards_of_a_lost_worker_go_to_the_others(heights, workers, data):
    owned = assign(plan_of(heights).shared_spans(), workers)
    lost = data.draw(st.sampled_from(workers))
    survivors = [worker for worker in workers if worker != lost]
    if not survivors:
        return
    moved = assign(owned[lost], survivors)
    before = {(s.chip, shard) for s in owned[lost] for shard in range(s.first, s.stop)}
    after = [
        (s.chip, shard) for own in moved.values() for s in own for shard in range(s.first, s.stop)
    ]
    assert len(after) == len(before)
    assert set(after) == before


@pytest.mark.parametrize("parts", [1, 2, 3, 10])
def test_a_span_splits_into_no_more_parts_than_it_has_shards(parts):
    split = Span(7, 10, 13).split(parts)
    assert len(split) == min(parts, 3)
    assert [shard for part in split for shard in range(part.first, part.stop)] == [10, 11, 12]
