from circuits.chips.trace import ABSENT
from circuits.exchange.events import Deposited, KeyRegistered, Transferred, Withdrawn
from tests.support.batches import rich_batch, trace_of


def test_steps_come_by_kind() -> None:
    trace = trace_of(rich_batch())
    kinds = (Deposited, KeyRegistered, Transferred, Withdrawn)
    assert [len(list(trace.of(kind))) for kind in kinds] == [3, 4, 3, 3]
    assert [event.step for _, event in trace.signed] == [7, 8, 9, 10, 12, 13]
    assert [event.step for _, event in trace.queued] == [1, 2, 3, 4, 5, 6, 11]


def test_steps_hold_what_the_chains_hand_on() -> None:
    steps = trace_of(rich_batch()).steps
    assert [step.queue_position for step in steps] == [0, 4, 8, 12, 16, 20, *[24] * 5, 28, 28]
    assert [step.elapsed_ms for step in steps] == [0, *[3] * 12]
    assert [step.withdrawal_position for step in steps] == [*[28] * 8, 29, 29, 30, 30, 30]
    assert [step.withdrawal_total for step in steps] == [*[0] * 8, 250, 250, 251, 251, 251]
    assert [step.gaps for step in steps[:5]] == [(0,), (0,), (2,), (), (1,)]


def test_accounts_hold_their_first_and_last_header() -> None:
    batch = rich_batch()
    accounts = trace_of(batch).accounts
    assert [each.account_id for each in accounts] == [1, 2, 3, 4]
    assert [each.time_last for each in accounts] == [12, 13, 9, 12]
    assert accounts[2].before == ABSENT
    before = batch.previous_state.accounts.get(1)
    assert before is not None
    assert accounts[0].before == (before.identity, before.nonce, before.cash)
