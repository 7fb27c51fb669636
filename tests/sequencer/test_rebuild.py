"""Accounts from published words alone, and every way in which the words can fail to add up.

The batches are of margin commands, with statements, and of most other commands, without.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from circuits.exchange.commit import account_region_root, build_tree
from circuits.exchange.leaves import Account
from circuits.field import R
from circuits.statement import to_json
from sequencer.batcher import Batch
from sequencer.engine import Engine, run_commands
from sequencer.errors import RebuildError, RootDiffers
from sequencer.rebuild import load_words, rebuild
from sequencer.words_file import BatchWords
from tests.support.exchange import DOMAIN
from tests.support.signed_day import DAY_BATCH, day_commands

ENGINE = Engine(DOMAIN, 1, DAY_BATCH)
BATCHES = [output for output in run_commands(ENGINE, day_commands()) if isinstance(output, Batch)]
WORDS = [BatchWords.of_batch(batch) for batch in BATCHES]


def named(words: list[BatchWords]) -> list[tuple[str, BatchWords]]:
    return [(f"batch {each.batch_number}", each) for each in words]


def changed(number: int, **changes: object) -> list[tuple[str, BatchWords]]:
    words = list(WORDS)
    words[number] = replace(words[number], **changes)
    return named(words)


def test_all_accounts_and_their_root_come_back() -> None:
    rebuilt = rebuild(named(WORDS))
    found = {
        each.account_id: (each.nonce, each.cash, each.identity, *each[4:])
        for each in rebuilt.accounts
    }
    assert found == {
        number: (
            *(account.nonce, account.cash, account.identity),
            *(account.positions, account.kind, account.orders, account.triggers),
            *(account.referrer, account.shares),
        )
        for number, account in ENGINE.state.accounts.items()
    }
    assert rebuilt.leaves == {
        address: leaf
        for address, leaf in ENGINE.state.leaves.items()
        if address < 2**30 and not isinstance(leaf, Account)
    }
    assert {type(leaf).__name__ for leaf in rebuilt.leaves.values()} == {
        *("Position", "AgentKey", "VaultShare", "VaultTerms", "VaultLedger")
    }
    assert rebuilt.root_accounts == account_region_root(build_tree(ENGINE.state))
    assert (rebuilt.root, rebuilt.batch_count) == (ENGINE.root, len(BATCHES))
    by_account = rebuilt.leaves_by_account()
    assert {
        account * 64 + slot: leaf
        for account, leaves in by_account.items()
        for slot, leaf in leaves.items()
    } == rebuilt.leaves


def test_each_batch_alone_leads_on() -> None:
    for count in range(1, len(WORDS) + 1):
        assert rebuild(named(WORDS[:count])).root == WORDS[count - 1].new_root


def test_files_of_both_kinds_come_in_any_order(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number:02d}.file" for number in range(len(BATCHES))]
    for path, batch, words in zip(paths, BATCHES, WORDS, strict=True):
        path.write_text(words.to_json() if batch.statement is None else to_json(batch.statement))
    loaded = load_words(reversed(paths))
    assert loaded == [(str(path), each) for path, each in zip(paths, WORDS, strict=True)]


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
        load_words([path])
    assert str(caught.value) == f"{path}: {message}"


def test_a_missing_batch() -> None:
    with pytest.raises(RebuildError) as caught:
        rebuild(named(WORDS[1:]))
    assert str(caught.value) == "batch 2: batch number: expected 1, got 2"
    with pytest.raises(RebuildError) as caught:
        rebuild(named([WORDS[0], WORDS[0]]))
    assert str(caught.value) == "batch 1: batch number: expected 2, got 1"
    with pytest.raises(RebuildError) as caught:
        rebuild([])
    assert str(caught.value) == "batches: expected at least one, got none"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"old_root": 5}, f"old root: expected {WORDS[0].new_root:#x}, got 0x5"),
        ({"domain": 5}, f"domain: expected {DOMAIN}, got 5"),
    ],
)
def test_a_batch_that_does_not_follow(changes: dict[str, int], message: str) -> None:
    with pytest.raises(RebuildError) as caught:
        rebuild(changed(1, **changes))
    assert str(caught.value) == f"batch 2: {message}"


def test_words_that_no_batch_publishes() -> None:
    words = WORDS[1].words
    with pytest.raises(RebuildError) as caught:
        rebuild(changed(1, words=(R, *words[1:])))
    assert str(caught.value) == f"batch 2: word 0: expected a field element below r, got {R}"


def test_words_that_lead_elsewhere() -> None:
    words = WORDS[1].words
    regions = WORDS[1].region_roots
    with pytest.raises(RootDiffers) as caught:
        rebuild(changed(1, words=(*words[:-1], 7)))
    assert caught.value.place == "batch 2: root of the accounts"
    assert caught.value.expected == hex(regions[0])
    for change in ({"new_root": 7}, {"region_roots": (*regions[:3], 7)}):
        with pytest.raises(RootDiffers) as caught:
            rebuild(changed(1, **change))
        assert caught.value.place == "batch 2: new root"
    assert caught.value.expected == hex(WORDS[1].new_root)


def test_a_leaf_that_is_published_twice() -> None:
    number = next(at for at, batch in enumerate(BATCHES) if batch.published.leaves)
    repeated = replace(WORDS[number], batch_number=number + 2, old_root=WORDS[number].new_root)
    with pytest.raises(RebuildError) as caught:
        rebuild(named([*WORDS[: number + 1], repeated]))
    address = BATCHES[number].published.leaves[0].address
    assert str(caught.value) == (
        f"batch {number + 2}: leaf {address}: expected a leaf that changed, got one that did not"
    )
