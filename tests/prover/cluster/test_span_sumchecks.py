"""Spans in both sumchecks: wherever rows are cut, parts add up to what the whole chip gives."""

import random
from itertools import pairwise

import numpy as np
import pytest

from circuits.chips.system import margin_system
from circuits.field import R
from prover.cluster.span_sumchecks import (
    SpanReduction,
    SpanWords,
    SpanZerocheck,
    folded_rows,
    word_powers,
)
from prover.compiled import zerocheck
from prover.compiled.columns import ChipColumns
from prover.compiled.zerocheck import ChipRows, run_rounds
from prover.kernels import fr, sumcheck, sumcheck_lanes
from prover.kernels.equality import SplitEquality
from prover.kernels.plan import make_plan
from prover.kernels.program import BLOCK
from prover.kernels.scalar import limbs
from prover.kernels.tape import RowState

CHIPS = {chip.name: chip for chip in margin_system().chips}
SHARDS = 13
CUTS = [0, 1, 4, 5, 11, SHARDS]


def random_columns(chip, rows, numbers):
    columns = []
    for physical in (*chip.columns, *chip.helper_columns):
        cells = [numbers.randrange(min(1 << physical.bits, R)) for _ in range(rows)]
        if physical.bits == 256:
            columns.append(np.array([limbs(cell) for cell in cells], dtype=np.uint64))
        else:
            columns.append(np.array(cells, dtype=f"u{max(physical.bits, 8) // 8}"))
    return columns


class Chip:
    """Random rows of a chip, the last shard cut short, and spans of them in the first sumcheck."""

    def __init__(self, name, log_block):
        numbers, chip = random.Random(5), CHIPS[name]
        tape, self.block = chip.tape, 1 << log_block
        self.rows = self.block * (SHARDS - 1) + self.block // 2 + 1
        words, challenges, weights = (
            [numbers.randrange(R) for _ in range(count)]
            for count in (tape.publics, tape.challenges, tape.constraints)
        )
        main = len(chip.columns)
        self.plan = make_plan(tape, main, challenges, words, weights, chip.zero_values)
        self.columns = ChipColumns.of(self.rows, random_columns(chip, self.rows, numbers))
        log_height = (SHARDS * self.block - 1).bit_length()
        self.tau = [numbers.randrange(R) for _ in range(log_height)]
        self.challenges = [numbers.randrange(R) for _ in range(log_block)]

    def span(self, first, stop, challenges=()):
        start, end = first * self.block, min(stop * self.block, self.rows)
        rows = ChipRows(
            self.columns.rows(start, end), self.plan, RowState(end - start, 0, start, 1)
        )
        padded_rows = (stop - first) * self.block
        span = SpanZerocheck(self.plan, self.tau, rows, None, start, padded_rows, 0)
        for challenge in challenges:
            span.bind(challenge)
        return span


def summed(spans):
    found = run_rounds({number: span.jobs() for number, span in enumerate(spans)})
    parts = [span.sums(found.get(number, ())) for number, span in enumerate(spans)]
    return tuple(sum(column) % R for column in zip(*parts, strict=True))


# Shards of fewer, as many and more pairs than the kernels take at once.
@pytest.mark.parametrize(("name", "log_block"), [("leaf", 3), ("command", 5), ("wide", 7)])
@pytest.mark.parametrize("kernel", [sumcheck, sumcheck_lanes], ids=["scalar", "lanes"])
def test_spans_add_up_in_the_first_sumcheck(monkeypatch, kernel, name, log_block):
    monkeypatch.setattr(zerocheck, "_round_sums", kernel.round_sums)
    chip = Chip(name, log_block)
    whole = chip.span(0, SHARDS)
    parts = [chip.span(*cut) for cut in pairwise(CUTS)]
    for position, challenge in enumerate(chip.challenges):
        assert summed(parts) == summed([whole])
        for span in (whole, *parts):
            span.bind(challenge)
        if position == 1:
            # The owner of shards 5 to 10 is lost; two others catch up on them.
            bound = chip.challenges[: position + 1]
            parts[3:4] = [chip.span(5, 7, bound), chip.span(7, 11, bound)]
    data = whole.rows(0).data
    assert data == b"".join(part.rows(0).data for part in parts)
    # Whoever only catches up on a sumcheck that is over folds without a sum.
    late = [chip.span(*cut, chip.challenges) for cut in pairwise(CUTS)]
    assert data == b"".join(part.rows(0).data for part in late)


def test_the_cuts_reach_both_forms_of_equality_weights():
    chip = Chip("wide", 7)
    pairs = chip.block // 2
    forms = [
        SplitEquality.of_rows(chip.tau[1:], first * pairs, (stop - first) * pairs)
        for first, stop in pairwise(CUTS)
    ]
    assert any(len(form.high) > 1 and len(form.low) == BLOCK for form in forms)
    small = SplitEquality.of_rows(chip.tau[1:], 4, 24)
    assert (len(small.low), len(small.high)) == (24, 1)


@pytest.mark.parametrize("log_block", [3, 7])
def test_spans_add_up_in_the_second_sumcheck(log_block):
    numbers = random.Random(6)
    block = 1 << log_block
    rows = block * (SHARDS - 1) + block // 2 + 1
    mixed = fr.from_ints(numbers.randrange(R) for _ in range(rows))
    point = [numbers.randrange(R) for _ in range((SHARDS * block - 1).bit_length())]

    def span(first, stop):
        start, end = first * block, min(stop * block, rows)
        return SpanReduction(mixed[start:end], point, start, (stop - first) * block, 0)

    whole, parts = span(0, SHARDS), [span(*cut) for cut in pairwise(CUTS)]
    for _ in range(log_block):
        sums = [part.sums() for part in parts]
        assert tuple(sum(column) % R for column in zip(*sums, strict=True)) == whole.sums()
        challenge = numbers.randrange(R)
        for each in (whole, *parts):
            each.bind(challenge)
    assert whole.rows(0).data == b"".join(part.rows(0).data for part in parts)


@pytest.mark.parametrize("log_block", [3, 6])
def test_published_words_of_spans_add_up(log_block):
    numbers = random.Random(7)
    block, base = 1 << log_block, numbers.randrange(R)
    rows = block * (SHARDS - 1) + block // 2 + 1
    words = fr.from_ints(numbers.randrange(R) for _ in range(rows))

    def span(first, stop):
        start, end = first * block, min(stop * block, rows)
        return SpanWords(words[start:end], word_powers(base, (), start, (stop - first) * block))

    whole, parts = span(0, SHARDS), [span(*cut) for cut in pairwise(CUTS)]
    powers, bound = word_powers(base, (), 0, SHARDS * block), []
    for _ in range(log_block):
        sums = [part.sums() for part in parts]
        assert [sum(column) % R for column in zip(*sums, strict=True)] == whole.sums()
        bound.append(numbers.randrange(R))
        for each in (whole, *parts):
            each.bind(bound[-1])
        powers = fr.fold(powers, bound[-1])
    # Whoever takes over the folded words makes their powers anew.
    assert np.array_equal(word_powers(base, bound, 0, SHARDS), powers)
    assert folded_rows(0, whole.words[None]).data == b"".join(
        folded_rows(0, part.words[None]).data for part in parts
    )
