"""What is due comes before what is sent, in a plain engine and in a durable one."""

from __future__ import annotations

from circuits.exchange.apply import Receipt
from circuits.exchange.bodies import Body
from circuits.exchange.commit import build_tree
from circuits.exchange.state import State
from circuits.exchange.transactions.funding_sample import FundingSample
from circuits.exchange.transactions.halt import Halt
from sequencer.batcher import GENESIS, Batch
from sequencer.conductor import Conductor
from sequencer.engine import Engine
from tests.support.crashing_disk import CrashingDisk
from tests.support.exchange import DOMAIN, deposit
from tests.support.journals import started
from tests.support.listed import BOB, MARKET, MINUTE, START, TERMS, listed, priced

BODY = deposit(BOB, 5)


def engine_of(state: State, batch_commands_max: int = 99) -> Engine:
    return Engine.resume(state, build_tree(state), GENESIS, 1, batch_commands_max)


def bodies_of(outputs: list[Receipt | Batch]) -> list[Body | int]:
    """What was applied, and how many commands each batch holds."""
    return [
        each.command.body if isinstance(each, Receipt) else len(each.commands) for each in outputs
    ]


def test_due_work_comes_first_and_at_the_same_time() -> None:
    conductor = Conductor(engine_of(priced()))
    outputs = list(conductor.submit(START + MINUTE, BODY))
    assert bodies_of(outputs) == [FundingSample(MARKET), Halt(MARKET), BODY]
    assert {each.command.time_ms for each in outputs if isinstance(each, Receipt)} == {
        START + MINUTE
    }
    assert list(conductor.run_due(START + MINUTE)) == []


def test_time_never_goes_back() -> None:
    conductor = Conductor(engine_of(priced()))
    (first,) = conductor.submit(START + 100, BODY)
    (second,) = conductor.submit(START + 50, BODY)
    assert isinstance(first, Receipt)
    assert isinstance(second, Receipt)
    assert first.command.time_ms == second.command.time_ms == START + 100
    assert second.is_accepted
    assert conductor.clock.time_ms == START + 100


def test_full_batches_come_out_behind_their_receipts() -> None:
    engine = engine_of(priced(), batch_commands_max=2)
    conductor = Conductor(engine)
    outputs = list(conductor.submit(START + MINUTE, BODY))
    assert bodies_of(outputs) == [FundingSample(MARKET), Halt(MARKET), 2, BODY]
    assert bodies_of(list(conductor.submit(START + MINUTE, BODY))) == [BODY]
    assert bodies_of(list(conductor.run_due(START + MINUTE))) == [2]


def test_a_batch_that_has_waited_is_sealed_by_a_tick_of_the_clock() -> None:
    engine = engine_of(listed())
    engine.batch_age_max_ms = 1000
    conductor = Conductor(engine)
    assert bodies_of(list(conductor.submit(START + 10, BODY))) == [BODY]
    assert bodies_of(list(conductor.run_due(START + 1009))) == []
    assert bodies_of(list(conductor.run_due(START + 1010))) == [1]
    assert bodies_of(list(conductor.run_due(START + 9999))) == []
    list(conductor.submit(START + 10_000, BODY))
    assert bodies_of(list(conductor.submit(START + 11_000, BODY))) == [1, BODY]


def test_a_refused_command_is_told_too() -> None:
    conductor = Conductor(engine_of(priced()))
    (receipt,) = conductor.submit(START + 100, Halt(MARKET))
    assert isinstance(receipt, Receipt)
    assert not receipt.is_accepted
    late = START + 2 + TERMS.price_valid_ms
    assert bodies_of(list(conductor.run_due(late))) == [Halt(MARKET)]


def test_a_durable_engine_keeps_its_batches_until_they_are_durable() -> None:
    durable = started(CrashingDisk(), batch_commands=2)
    conductor = Conductor(durable)
    outputs = [each for number in range(5) for each in conductor.submit(10 + number, BODY)]
    assert bodies_of(outputs) == [BODY] * 5
    assert durable.state.domain == DOMAIN
    found = durable.commit()
    assert [len(batch.commands) for batch in found.batches] == [2, 2]
    assert list(found.receipts) == outputs
