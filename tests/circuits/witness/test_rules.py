"""The rules and the chips say the same: random batches that the rules accept satisfy all chips."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.air.check import check
from circuits.chips.system import margin_system
from circuits.exchange.apply import Command, apply_batch, apply_command
from circuits.exchange.bodies import Body
from circuits.exchange.commit import build_tree
from circuits.exchange.limits import AMOUNT_MAX, CUSTODY_MAX
from circuits.exchange.state import State
from circuits.statement import PUBLIC_WORDS
from circuits.witness.build import build
from circuits.witness.record import Recorder, make_trace
from sequencer.batcher import Batch, Batcher
from tests.support import exchange
from tests.support.batches import SMALL_ORDER, TIME_FIRST_MS, Forgery

ACCOUNTS = st.sampled_from([1, 2, 3, 64, 2**24 - 1])
AMOUNTS = st.sampled_from([0, 1, 7, 999, 1000, 10**9, 2**40])
KEYS = st.sampled_from([None, None, None, exchange.OFF_CURVE, SMALL_ORDER, (0, 1), (0, 0)])
ELAPSED_MS = st.sampled_from([0, 0, 1, 250, 2**32 - 1])

# Words that no chip reads: the contract compares them with what it knows.
CONTRACT_WORDS = (
    "batch_number",
    "sequencer_epoch",
    "queue_cursor_before",
    "queue_hash",
    "journal_head",
)
# What a refused key leaves unread in its row.
FREE_WHERE_REFUSED = ("old_identity", "new_identity", "nonce", "cash", "gap")
STATEMENT_CHIPS = (
    "leaf",
    "tree",
    "command",
    "transfer",
    "withdraw",
    "queue",
    "deposit",
    "register",
)


@st.composite
def bodies(draw: st.DrawFn) -> list[tuple[int, Body]]:
    """Commands in some order with the time that passed before each; some will be refused."""
    drawn: list[tuple[int, Body]] = []
    nonce = 0
    for _ in range(draw(st.integers(1, 9))):
        nonce += draw(st.integers(0, 3))
        account, amount = draw(ACCOUNTS), draw(AMOUNTS)
        kind = draw(st.sampled_from(["deposit", "register", "transfer", "transfer", "withdraw"]))
        body: Body
        if kind == "deposit":
            body = exchange.deposit(account, max(1, amount))
        elif kind == "register":
            body = exchange.register(account, draw(KEYS))
        elif kind == "transfer":
            body = exchange.transfer(account, nonce, draw(ACCOUNTS), amount)
        else:
            body = exchange.withdraw(account, nonce, amount)
        drawn.append((draw(ELAPSED_MS), body))
    return drawn


def sealed(state: State, drawn: list[tuple[int, Body]]) -> Batch | None:
    """The batch of all commands that the rules accept, or None if there is none."""
    batcher = Batcher(1, state, build_tree(state))
    time_ms, state = TIME_FIRST_MS, state.at_batch_start()
    for elapsed_ms, body in drawn:
        time_ms += elapsed_ms
        receipt = apply_command(state, Command(time_ms, body))
        if receipt.is_accepted:
            batcher.add(receipt)
            state = receipt.state
    return batcher.seal() if batcher.open_count else None


def examples(share: float) -> int:
    return max(5, int(settings.default.max_examples * share)) if settings.default else 5


@settings(max_examples=examples(0.3))
@given(drawn=bodies(), funded=st.integers(0, 3))
def test_what_the_rules_accept_satisfies_the_chips(
    drawn: list[tuple[int, Body]], funded: int
) -> None:
    batch = sealed(exchange.funded(funded), drawn)
    if batch is None:
        return
    witness = build(batch.statement, batch.events, batch.touched_nodes)
    cells = {table.name: table.cells() for table in witness.tables}
    assert check(margin_system(), cells, witness.heights, batch.statement.words()) == []


@settings(max_examples=examples(0.3))
@given(drawn=bodies(), seed=st.integers(0, 2**32))
def test_a_changed_cell_or_word_does_not(drawn: list[tuple[int, Body]], seed: int) -> None:
    """Some cell of the chips, then some public word, is moved; look-ups are answered anew."""
    batch = sealed(exchange.funded(2), drawn)
    if batch is None:
        return
    rng = random.Random(seed)
    honest = Forgery.honest(batch)
    chip = rng.choice([name for name in STATEMENT_CHIPS if honest.height(name)])
    row = rng.randrange(honest.height(chip))
    is_refused = chip == "register" and not honest.value(chip, "valid", row)
    columns = [each.name for each in margin_system().chip(chip).columns]
    if is_refused:
        columns = [each for each in columns if each not in FREE_WHERE_REFUSED]
    column = rng.choice(columns)
    difference = rng.choice([1, -1, 2**16, rng.getrandbits(250)])
    forged = honest.with_added(chip, column, row, difference)
    assert forged.answered().failures(), f"{chip}/{column} row {row} is free"
    # Without a signed command nothing depends on the domain.
    unread = CONTRACT_WORDS if honest.height("command") else (*CONTRACT_WORDS, "domain")
    word = rng.choice([name for name in PUBLIC_WORDS if name not in unread])
    told = honest.with_public(word, honest.public(word) + difference)
    assert told.answered().failures(), f"public word {word} is free"


def test_the_bounds_of_amount_and_custody_satisfy_the_chips() -> None:
    """All that custody can hold in one account, out again in one withdrawal."""
    assert AMOUNT_MAX == CUSTODY_MAX
    drawn: list[tuple[int, Body]] = [
        (0, exchange.register(1)),
        (0, exchange.deposit(1, AMOUNT_MAX)),
        (0, exchange.withdraw(1, 2**48 - 1, AMOUNT_MAX)),
    ]
    batch = sealed(State(exchange.DOMAIN), drawn)
    assert batch is not None
    assert batch.statement.command_count == 3
    assert Forgery.honest(batch).failures() == []


def test_an_observer_of_the_replayed_batch_records_the_same_events() -> None:
    batch = sealed(exchange.funded(2), [(0, exchange.transfer(1, 1, 2, 5))])
    assert batch is not None
    recorder = Recorder()
    state = apply_batch(batch.previous_state, batch.commands, recorder)
    assert tuple(recorder.events) == batch.events
    assert build_tree(state).root == batch.statement.new_root
    assert make_trace(batch.statement, recorder.events, batch.touched_nodes) == make_trace(
        batch.statement, batch.events, batch.touched_nodes
    )
