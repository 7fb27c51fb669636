"""Whole runs: what they show, that they repeat themselves, and that they go on after a crash."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from circuits.exchange.apply import Command, Receipt
from circuits.exchange.errors import RejectReason
from circuits.exchange.leaves import AccountKind
from circuits.exchange.state import State
from circuits.exchange.units import CASH_PER_UNIT
from sequencer.apply_file import apply_file
from sequencer.command_file import load_command_file
from sequencer.errors import BatchError, ReplayDiffers
from sequencer.journal_files import JournalFolder
from sequencer.journal_format import RecordKind
from sequencer.sim import measured, simulation
from sequencer.sim.cast import INSURANCE_ACCOUNT
from sequencer.sim.markets import TOKEN
from sequencer.sim.measured import MeasuredRun
from sequencer.sim.mischief import MISCHIEF
from sequencer.sim.opening import INSURANCE_TOKENS
from sequencer.sim.plan import Plan
from sequencer.sim.planner import Planned, Planner
from sequencer.sim.report import figures_of, percentile, table_of
from sequencer.sim.simulation import Simulated, place_after, simulate
from tests.conftest import Pinned
from tests.support.journals import records_of

PLAN = Plan(2_000, 7)
SHORT = Plan(400, 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def run(folder: Path) -> Simulated:
    """A checked run that shows everything, with its file and its journal."""
    return simulate(PLAN, journal=folder / "journal", out=folder / "run.jsonl", is_checked=True)


def test_a_short_run_shows_everything(run: Simulated) -> None:
    figures = figures_of(run)
    assert figures["commands"] == figures["applied"] + sum(figures["rejected"].values())
    for name in (
        "fills",
        "drops",
        "liquidations",
        "takeovers",
        "deleverages",
        "triggers_fired",
        "funding_settlements",
        "breaker_trips",
        "halts",
        "resumes",
        "vault_quotes",
        "vault_mints",
        "vault_redeems",
    ):
        assert figures[name] > 0, name
    assert figures["conservation_exact"] is True
    assert figures["kinds"]["funding_sample"] >= 3
    assert figures["outcomes"]["applied"] > 100
    assert 0.05 < figures["commands_that_traded"] / figures["commands"] < 0.25


class LowestInsurance:
    """The least cash that the insurance had since it had some."""

    def __init__(self) -> None:
        self.cash = INSURANCE_TOKENS * TOKEN * CASH_PER_UNIT

    def before(self, state: State, command: Command) -> None:
        """Nothing to see yet."""

    def after(self, receipt: Receipt) -> None:
        header = receipt.state.accounts.get(INSURANCE_ACCOUNT)
        if header is not None and header.kind == AccountKind.INSURANCE:
            self.cash = min(self.cash, header.cash)


def test_the_crash_empties_the_insurance() -> None:
    lowest = LowestInsurance()
    Planner(PLAN, [lowest]).commands(PLAN.command_count)
    assert lowest.cash < INSURANCE_TOKENS * TOKEN * CASH_PER_UNIT // 100


def test_mistakes_are_refused_each_for_its_own_reason(run: Simulated) -> None:
    refused = set(run.tally.rejected)
    assert refused >= {
        RejectReason.SIGNATURE_EQUATION,
        RejectReason.NONCE_NOT_INCREASING,
        RejectReason.EXPIRED,
        RejectReason.UNKNOWN_MARKET,
        RejectReason.QUORUM,
        RejectReason.QUOTE_FUTURE,
    }
    assert len(refused) >= len(MISCHIEF) - 5


def test_the_root_is_the_same_everywhere(run: Simulated, pinned: Pinned) -> None:
    pinned.check(
        "simulation",
        {
            "commands": PLAN.command_count,
            "seed": PLAN.seed,
            "state_root": hex(run.measured.root),
            "journal_head": hex(run.measured.journal_head),
        },
    )


def test_the_file_leads_to_the_same_state(run: Simulated, folder: Path) -> None:
    """Every signature of the file is checked on the way."""
    file = load_command_file(folder / "run.jsonl")
    applied = apply_file(
        file,
        epoch=1,
        base_time_ms=PLAN.start_ms,
        batch_commands_max=1_000,
        advance=lambda count: None,
    )
    assert len(file.lines) == PLAN.command_count
    assert applied.accepted_count == run.tally.applied_count
    assert applied.state.leaves == run.measured.state.leaves
    assert applied.batches[-1].new_root == run.measured.root


def test_the_journal_holds_what_was_accepted(run: Simulated, folder: Path) -> None:
    records = records_of(JournalFolder(folder / "journal"))
    kinds = [record.kind for record in records]
    assert kinds.count(RecordKind.COMMAND) == run.tally.applied_count
    assert kinds[-1] is RecordKind.SEAL
    assert records[-1].head == run.measured.journal_head


def test_a_finished_run_is_not_run_again(run: Simulated, folder: Path) -> None:
    again = simulate(PLAN, journal=folder / "journal")
    assert again.skipped_count == run.tally.applied_count
    assert again.measured.applied_count == 0
    assert again.measured.root == run.measured.root
    assert figures_of(again)["commands_per_second"] == 0


def test_a_journal_of_another_run_is_refused(run: Simulated, folder: Path) -> None:
    with pytest.raises(BatchError, match="one of the same seed and number of commands"):
        simulate(Plan(PLAN.command_count, PLAN.seed + 1), journal=folder / "journal")


class Crash(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("groups", [0, 1, 2])
def test_a_run_goes_on_after_a_crash(
    groups: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = simulate(SHORT)
    left = [groups]

    def crash(count: int) -> None:
        if left[0] == 0:
            raise Crash
        left[0] -= 1

    monkeypatch.setattr(measured, "GROUP_RECORDS", 50)
    with pytest.raises(Crash):
        simulate(SHORT, journal=tmp_path, acknowledged=crash)
    told: list[int] = []
    again = simulate(SHORT, journal=tmp_path, acknowledged=told.append)
    assert again.skipped_count == 50 * (groups + 1)
    assert told[-1] == whole.tally.applied_count
    assert told == sorted(told)
    assert again.measured.root == whole.measured.root
    assert again.measured.journal_head == whole.measured.journal_head


def test_a_batch_that_was_full_before_the_crash_is_sealed_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measured, "BATCH_COMMANDS", 60)
    monkeypatch.setattr(measured, "GROUP_RECORDS", 1)
    whole = simulate(SHORT, journal=tmp_path / "whole")

    def crash(self: MeasuredRun, time_ms: int) -> None:
        self._commit()
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(MeasuredRun, "_seal", crash)
        with pytest.raises(Crash):
            simulate(SHORT, journal=tmp_path / "broken")
    again = simulate(SHORT, journal=tmp_path / "broken")
    assert again.skipped_count == 60
    assert again.measured.root == whole.measured.root
    assert seals(tmp_path / "broken") == seals(tmp_path / "whole")


def seals(folder: Path) -> list[bytes]:
    records = records_of(JournalFolder(folder))
    return [record.payload for record in records if record.kind is RecordKind.SEAL]


def test_a_venue_that_goes_elsewhere_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last command of the plan never reaches the measured run."""
    apply = MeasuredRun.apply

    def shortened(self: MeasuredRun, chunk: object, commands: tuple[Command, ...]) -> None:
        apply(self, chunk, commands[:20])  # type: ignore[arg-type]

    monkeypatch.setattr(MeasuredRun, "apply", shortened)
    with pytest.raises(ReplayDiffers, match="state after a chunk"):
        simulate(SHORT)
    monkeypatch.setattr(simulation, "_require_same_state", lambda planner, measured: None)
    with pytest.raises(ReplayDiffers, match="state root"):
        simulate(SHORT)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = simulate(SHORT, out=tmp_path / "whole")
    monkeypatch.setattr(simulation, "CHUNK_COMMANDS", 37)
    advanced: list[int] = []
    parts = simulate(SHORT, out=tmp_path / "parts", advance=advanced.append)
    assert parts.measured.root == whole.measured.root
    assert sum(advanced) == SHORT.command_count
    assert max(advanced) == 37
    assert (tmp_path / "parts").read_bytes() == (tmp_path / "whole").read_bytes()


def test_a_run_of_one_command() -> None:
    run = simulate(Plan(1, 1), is_checked=True)
    assert (run.tally.applied_count, run.measured.applied_count) == (1, 1)
    assert run.is_conserved


def test_place_after_counts_accepted_commands_only() -> None:
    planner = Planner(SHORT, [])
    command = planner.commands(1)[0].command
    planned = [Planned(command, accepted) for accepted in (True, False, True, True, False)]
    assert [place_after(planned, count) for count in range(5)] == [0, 1, 3, 4, 5]
    assert place_after([], 3) == 0


def test_conservation_is_computed() -> None:
    planner = Planner(SHORT, [])
    planner.commands(100)
    state = planner.state
    assert simulation.is_conserved(state)
    poorer = State(state.domain, state.time_ms, 0, state.custody, state.leaves.with_changes({}))
    address, header = next(islice(poorer.accounts.items(), 1))
    changed = poorer.with_account(address, header.with_cash(header.cash + 1))
    assert not simulation.is_conserved(changed)


def test_percentiles_and_the_table(run: Simulated) -> None:
    assert percentile([], 99) == 0
    assert percentile(range(1, 101), 99) == 99
    assert percentile([5], 99) == 5
    lines = table_of(figures_of(run))
    assert lines[0].split() == ["figure", "value"]
    assert any(line.split() == ["commands", "2,000"] for line in lines)
    assert any(line.startswith("refused as") for line in lines)
    assert lines[-2].startswith("state root 0x")
