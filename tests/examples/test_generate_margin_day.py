"""The committed example day: reproducible, signed for the local chain, and refused where meant."""

from __future__ import annotations

import importlib.util
from collections import Counter
from functools import cache
from itertools import islice
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from circuits.exchange.apply import Receipt
from circuits.exchange.events import KeyRegistered, Outcome
from sequencer.batcher import Batch
from sequencer.command_file import CommandFile, load_command_file
from sequencer.engine import Engine, run_commands
from sequencer.posting import queue_calls

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DAY = EXAMPLES / "margin_day.jsonl"
PREFIX_COMMANDS = 60


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "generate_margin_day", EXAMPLES / "generate_margin_day.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look their annotations up by the name of their module.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(__import__("sys").modules, spec.name, module)
        spec.loader.exec_module(module)
    return module


@cache
def day() -> CommandFile:
    return load_command_file(DAY)


@cache
def outputs() -> tuple[Receipt | Batch, ...]:
    return tuple(run_commands(Engine(day().header.domain, 1, 128), day().commands(10**12)))


def receipts() -> list[Receipt]:
    return [output for output in outputs() if isinstance(output, Receipt)]


def test_the_committed_file_begins_as_the_generator_makes_it(generator: ModuleType) -> None:
    made = generator.margin_day(1, PREFIX_COMMANDS, 20, day().header)
    with DAY.open(encoding="ascii") as committed:
        lines = [line.rstrip("\n") for line in islice(committed, PREFIX_COMMANDS + 1)]
    assert list(made) == lines


def test_the_command_writes_the_same_lines_and_no_other_file(
    generator: ModuleType, tmp_path: Path
) -> None:
    output = tmp_path / "day.jsonl"
    settlement = f"{day().header.settlement:#042x}"
    arguments = ["--commands", "5", "--settlement", settlement, "-o", str(output)]
    finished = CliRunner().invoke(generator.main, arguments)
    assert (finished.exit_code, finished.output) == (0, "")
    with DAY.open(encoding="ascii") as committed:
        assert output.read_text() == "".join(islice(committed, 6))
    assert list(tmp_path.iterdir()) == [output]


def test_another_seed_and_a_bad_address(generator: ModuleType, tmp_path: Path) -> None:
    header = day().header
    first, second = (list(generator.margin_day(seed, 3, 20, header))[1:] for seed in (1, 2))
    assert first != second
    arguments = ["--settlement", "0x12", "-o", str(tmp_path / "day.jsonl")]
    finished = CliRunner().invoke(generator.main, arguments)
    assert finished.exit_code == 2
    assert "expected 0x and 40 lower-case hex digits, got 0x12" in finished.output
    assert list(tmp_path.iterdir()) == []


def test_what_the_day_is_made_of() -> None:
    assert day().header.chain_id == 31337
    accounts = {request.account for request in day().requests}
    assert accounts == set(range(1, 21))
    assert len(day().lines) >= 360
    kinds = Counter(type(r.event).__name__ for r in receipts() if r.event is not None)
    assert sorted(kinds) == ["Deposited", "KeyRegistered", "Transferred", "Withdrawn"]
    assert min(kinds.values()) >= 20
    invalid = [r for r in receipts() if r.outcome is Outcome.INVALID_KEY]
    assert all(isinstance(receipt.event, KeyRegistered) for receipt in invalid)
    assert len(invalid) >= 2


def test_what_the_day_has_refused() -> None:
    reasons = Counter(r.rejected.reason.value for r in receipts() if r.rejected is not None)
    assert sum(reasons.values()) >= 20
    assert sorted(reasons) == [
        "amount_zero",
        "expired",
        "insufficient_margin",
        "no_key",
        "nonce_not_increasing",
        "signature_equation",
        "signature_r_not_canonical",
        "signature_r_off_curve",
        "signature_r_small_order",
        "signature_s_not_canonical",
        "transfer_to_self",
        "unknown_account",
        "unknown_recipient",
    ]


def test_the_l1_queue_would_assign_the_same_accounts() -> None:
    calls = Counter(call.function for call in queue_calls(day().requests))
    assert calls["registerKey"] == 20
    assert min(calls["deposit"], calls["rotateKey"]) > 1


def test_money_is_conserved_over_the_day() -> None:
    last = [output for output in outputs() if isinstance(output, Batch)][-1]
    cash = sum(account.cash for _, account in last.state.accounts.items())
    assert cash == last.state.custody * 10**12 > 0
