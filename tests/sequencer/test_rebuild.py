"""Accounts from published words alone, and every way in which the words can fail to add up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from circuits.exchange.commit import account_region_root, build_tree
from circuits.field import R
from circuits.statement import Statement, to_json
from sequencer.batcher import Batch
from sequencer.engine import Engine, run_commands
from sequencer.errors import RebuildError, RootDiffers
from sequencer.rebuild import load_statements, rebuild
from tests.support.exchange import DOMAIN
from tests.support.journals import BATCH_COMMANDS, SEQUENCER_EPOCH, command_list

ENGINE = Engine(DOMAIN, SEQUENCER_EPOCH, BATCH_COMMANDS)
STATEMENTS = [
    output.statement
    for output in run_commands(ENGINE, command_list(14))
    if isinstance(output, Batch)
]


def named(statements: list[Statement]) -> list[tuple[str, Statement]]:
    return [(f"batch {each.batch_number}", each) for each in statements]


def changed(number: int, **changes: object) -> list[tuple[str, Statement]]:
    statements = list(STATEMENTS)
    statements[number] = replace(statements[number], **changes)
    return named(statements)


def test_all_accounts_and_their_root_come_back() -> None:
    rebuilt = rebuild(named(STATEMENTS))
    accounts = dict(ENGINE.state.accounts.items())
    found = {each.account_id: (each.nonce, each.cash, each.identity) for each in rebuilt.accounts}
    assert found == {
        number: (account.nonce, account.cash, account.identity)
        for number, account in accounts.items()
    }
    assert rebuilt.root_accounts == account_region_root(build_tree(ENGINE.state))
    assert (rebuilt.root, rebuilt.batch_count) == (ENGINE.root, len(STATEMENTS))


def test_each_batch_alone_leads_on() -> None:
    for count in range(1, len(STATEMENTS) + 1):
        assert rebuild(named(STATEMENTS[:count])).root == STATEMENTS[count - 1].new_root


def test_files_come_in_any_order(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.statement" for number in range(len(STATEMENTS))]
    for path, statement in zip(paths, STATEMENTS, strict=True):
        path.write_text(to_json(statement))
    loaded = load_statements(reversed(paths))
    assert loaded == [(str(path), each) for path, each in zip(paths, STATEMENTS, strict=True)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff", "byte 0: expected UTF-8, got another byte"),
        (b"{}", "format: expected 'plasmaperps-statement', got None"),
    ],
)
def test_a_file_that_is_no_statement(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(RebuildError) as caught:
        load_statements([path])
    assert str(caught.value) == f"{path}: {message}"


def test_a_missing_batch() -> None:
    with pytest.raises(RebuildError) as caught:
        rebuild(named(STATEMENTS[1:]))
    assert str(caught.value) == "batch 2: batch number: expected 1, got 2"
    with pytest.raises(RebuildError) as caught:
        rebuild(named([STATEMENTS[0], STATEMENTS[0]]))
    assert str(caught.value) == "batch 1: batch number: expected 2, got 1"
    with pytest.raises(RebuildError) as caught:
        rebuild([])
    assert str(caught.value) == "batches: expected at least one, got none"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"old_root": 5}, f"old root: expected {STATEMENTS[0].new_root:#x}, got 0x5"),
        ({"domain": 5}, f"domain: expected {DOMAIN}, got 5"),
    ],
)
def test_a_batch_that_does_not_follow(changes: dict[str, int], message: str) -> None:
    with pytest.raises(RebuildError) as caught:
        rebuild(changed(1, **changes))
    assert str(caught.value) == f"batch 2: {message}"


def test_words_that_no_batch_publishes() -> None:
    words = STATEMENTS[1].pubdata
    with pytest.raises(RebuildError) as caught:
        rebuild(changed(1, pubdata=(R, *words[1:])))
    assert str(caught.value) == f"batch 2: word 0: expected a field element below r, got {R}"


def test_words_that_lead_elsewhere() -> None:
    words = STATEMENTS[1].pubdata
    with pytest.raises(RootDiffers) as caught:
        rebuild(changed(1, pubdata=(*words[:-1], 7)))
    assert caught.value.place == "batch 2: root of the accounts"
    assert caught.value.expected == hex(STATEMENTS[1].root_accounts)
    with pytest.raises(RootDiffers) as caught:
        rebuild(changed(1, new_root=7))
    assert str(caught.value) == (
        f"batch 2: new root: expected 0x7, got {STATEMENTS[1].new_root:#x}"
    )
