"""A machine over some spans: parts add up to the whole, and a late owner knows as much."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prover.backend import Circuit
from prover.cluster.backend import ClusterBackend
from prover.cluster.machine import Machine
from prover.cluster.messages import Job
from prover.cluster.plans import Plans
from prover.cluster.settings import ClusterSettings
from prover.cluster.shards import assign, plan_shards
from prover.cluster.steplog import Follower, StepLog
from prover.cluster.steps import (
    Adopt,
    Bind,
    CommitCells,
    Helpers,
    RoundSums,
    StartReduction,
    StartZerocheck,
    digest,
    needed,
    total,
)
from prover.cluster.store import TableSource
from prover.compiled.backend import KernelBackend
from prover.kernels import fr
from prover.kernels.msm import points_from_ints
from prover.prove import prove
from tests.support.toy_system import toy_bases, toy_key, toy_shape, toy_system, toy_witness
from verifier.transcript import INFINITY

KEY = toy_key(toy_shape(log_steps=5, log_words=4, log_chunk=7))
WITNESS = toy_witness([3, 5, 0, 15, 3] * 5, [1, 4, 7, 20, 21], [2, 9, 9])
BASES = points_from_ints(toy_bases(1 << KEY.log_chunk))
HEIGHTS = [WITNESS.tables[chip.name].height for chip in KEY.chips]
# Handed over are single rows of shards, and two rows of others.
SETTINGS = ClusterSettings(rows_shared_min=5, log_shards=2, rows_handed_max=8)
PLAN = plan_shards(HEIGHTS, [chip.log_height for chip in KEY.chips], SETTINGS)
JOB = Job.of(KEY, toy_system(), WITNESS.words, PLAN)
PLANS = Plans(JOB)
SOURCE = TableSource(KEY, PLAN, WITNESS.tables)
LOG_BLOCKS = {PLAN.chips[number].log_block for number in PLAN.shared}

SHARED = tuple(PLAN.shared)
CELLS = KEY.layout.main_chunks << KEY.log_chunk


class Recorder:
    """Steps on two machines in this process, one for all that is shared and one for the rest."""

    def __init__(self):
        self.log = StepLog()
        self._shared = Follower(
            Machine(JOB, PLANS, BASES, SOURCE), tuple(PLAN.shared_spans()), self.log
        )
        home_spans = tuple(PLAN.home_spans())
        home = Machine(JOB, PLANS, BASES, SOURCE)
        self._home = Follower(home, home_spans, self.log, takes_over=True)

    def tell(self, step):
        self.log.tell(step)

    def ask(self, step, *, shared):
        self.log.ask(step)
        parts = [self._home.answer(step)]
        if shared and not isinstance(step, CommitCells):
            parts.append(self._shared.answer(step))
        return total(parts)

    def commit(self, elements):
        return KernelBackend(BASES).commit(elements)


def recorded_script():
    """Every step of a whole proof that is about spans of shared chips."""
    recorder = Recorder()
    backend = ClusterBackend(BASES, lambda circuit, tables: (JOB, PLANS, recorder))
    statement = (WITNESS.words, WITNESS.pubdata, WITNESS.tables)
    proof = prove(KEY, toy_system(), *statement, backend)
    assert proof == prove(KEY, toy_system(), *statement, KernelBackend(BASES))
    return [step for step in recorder.log.steps if not isinstance(step, Adopt | CommitCells)]


SCRIPT = recorded_script()
TOLD = (Helpers, StartZerocheck, StartReduction, Bind)


def answers_of(spans, joins_at=0):
    """What a machine over spans answers to every ask from step `joins_at` of the script on."""
    machine = Machine(JOB, PLANS, BASES, SOURCE)
    machine.adopt(spans, needed(SCRIPT[:joins_at]))
    answers = []
    for step in SCRIPT[joins_at:]:
        if isinstance(step, TOLD):
            machine.tell(step)
        else:
            answers.append(machine.answer(step, spans))
    return answers


def polynomial_of(pieces):
    whole = fr.zeros(1 << KEY.log_chunk)
    for first, elements in pieces.parts:
        place = slice(first, first + len(elements))
        whole[place] = fr.add(whole[place], elements)
    return fr.to_ints(whole)


def assert_same(got, wanted):
    *got, got_polynomial = got
    *wanted, wanted_polynomial = wanted
    assert [digest(each) for each in got] == [digest(each) for each in wanted]
    assert polynomial_of(got_polynomial) == polynomial_of(wanted_polynomial)


def test_the_plan_shares_chips_that_fold_and_keeps_others():
    assert len(SHARED) >= 2
    assert sorted(LOG_BLOCKS) == [1, 2, 3]
    assert {PLAN.reduction_folds(number) for number in SHARED} == {1, 2}
    assert PLAN.home_spans()


@pytest.mark.parametrize("count", [2, 3, 5])
def test_parts_add_up_to_the_whole(count):
    spans = PLAN.shared_spans()
    owned = assign(spans, [str(number) for number in range(count)])
    parts = zip(*(answers_of(own) for own in owned.values()), strict=True)
    assert_same([total(part) for part in parts], [total([each]) for each in answers_of(spans)])


@given(st.lists(st.integers(1, CELLS - 1), max_size=4, unique=True))
def test_cells_cut_anywhere_add_up_to_the_main_chunks(cuts):
    machine = Machine(JOB, PLANS, BASES, SOURCE)
    edges = [0, *sorted(cuts), CELLS]
    parts = [machine.answer(CommitCells(a, b)) for a, b in itertools.pairwise(edges)]
    backend = KernelBackend(BASES)
    trace = backend.load(Circuit(KEY, toy_system()), WITNESS.tables)
    chunks = range(KEY.layout.main_chunks)
    assert list(total(parts).values) == backend.commit_chunks(trace, chunks)


def test_cells_of_one_chunk_leave_the_points_of_others_at_infinity():
    points = Machine(JOB, PLANS, BASES, SOURCE).answer(CommitCells(0, 1 << KEY.log_chunk)).values
    assert points[0] != INFINITY
    assert len(points) == KEY.layout.main_chunks > 1
    assert set(points[1:]) == {INFINITY}


@pytest.mark.parametrize("joins_at", range(1, len(SCRIPT)))
def test_a_late_owner_answers_as_one_who_was_there_from_the_start(joins_at):
    (span,) = (span for span in PLAN.shared_spans() if span.chip == SHARED[0])
    mine = [span.split(2)[1]]
    asked_before = sum(not isinstance(step, TOLD) for step in SCRIPT[:joins_at])
    assert_same(answers_of(mine, joins_at), answers_of(mine)[asked_before:])


def test_a_machine_that_adopts_later_owns_both():
    spans = PLAN.shared_spans()
    for position in (n for n, step in enumerate(SCRIPT) if isinstance(step, RoundSums)):
        machine = Machine(JOB, PLANS, BASES, SOURCE)
        machine.adopt(spans[:1], ())
        for step in SCRIPT[:position]:
            machine.tell(step)
        machine.adopt(spans[1:], needed(SCRIPT[:position]))
        whole = Machine(JOB, PLANS, BASES, SOURCE)
        whole.adopt(spans, needed(SCRIPT[:position]))
        assert machine.answer(RoundSums(), spans) == whole.answer(RoundSums(), spans)


def test_a_follower_catches_up_with_the_log_when_it_is_asked():
    log, spans = StepLog(), tuple(PLAN.shared_spans())
    follower = Follower(Machine(JOB, PLANS, BASES, SOURCE), spans, log)
    wanted = iter(answers_of(spans))
    for number, step in enumerate(SCRIPT):
        if isinstance(step, TOLD):
            log.tell(step)
        else:
            log.ask(step)
            answer = next(wanted)
            if number % 3 == 0:
                assert digest(follower.answer(step)) == digest(answer)


def test_places_in_the_log_differ_with_what_came_before():
    places = set()
    for challenge in (1, 2):
        log = StepLog()
        log.tell(Bind(challenge))
        number, place = log.ask(RoundSums())
        assert number == 0
        places.add(place)
    assert len(places) == 2
