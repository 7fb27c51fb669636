"""All accounts of the exchange from the words that its batches published, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from circuits.errors import StatementError
from circuits.exchange.commit import header_index, header_leaf
from circuits.exchange.errors import PubdataError
from circuits.exchange.limits import ACCOUNT_REGION
from circuits.exchange.pubdata import PublishedAccount, published_of
from circuits.merkle import SparseTree
from circuits.poseidon2 import node
from circuits.statement import Statement, from_json
from sequencer.batcher import FIRST_BATCH_NUMBER
from sequencer.errors import RebuildError, RootDiffers


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The exchange as anybody can know it; the roots are those of the last statement."""

    accounts: tuple[PublishedAccount, ...]
    batch_count: int
    root_accounts: int
    root: int


def load_statements(paths: Iterable[Path]) -> list[tuple[str, Statement]]:
    """The statements of these files with the names of the files, by batch number.

    Raises: RebuildError naming the file; OSError.
    """
    loaded = []
    for path in paths:
        try:
            statement = from_json(path.read_bytes().decode("utf-8"))
        except UnicodeDecodeError as error:
            raise RebuildError(f"{path}: byte {error.start}", "UTF-8", "another byte") from None
        except StatementError as error:
            raise RebuildError(f"{path}: {error.place}", error.expected, error.got) from None
        loaded.append((str(path), statement))
    return sorted(loaded, key=lambda entry: entry[1].batch_number)


def rebuild(statements: Iterable[tuple[str, Statement]]) -> Rebuilt:
    """Every account, and the check that the words lead to each statement's root of accounts.

    Raises: RebuildError where a batch is missing or does not follow; RootDiffers.
    """
    accounts: dict[int, PublishedAccount] = {}
    tree = SparseTree()
    last: Statement | None = None
    batch_number = FIRST_BATCH_NUMBER
    for name, statement in statements:
        if statement.batch_number != batch_number:
            raise RebuildError(f"{name}: batch number", batch_number, statement.batch_number)
        old_root = tree.root if last is None else last.new_root
        if statement.old_root != old_root:
            raise RebuildError(f"{name}: old root", hex(old_root), hex(statement.old_root))
        if last is not None and statement.domain != last.domain:
            raise RebuildError(f"{name}: domain", last.domain, statement.domain)
        try:
            published = published_of(statement)
        except PubdataError as error:
            raise RebuildError(f"{name}: {error.place}", error.expected, error.got) from None
        accounts.update((account.account_id, account) for account in published.accounts)
        tree.update_many(_leaves(published.accounts))
        _require_roots(name, statement, tree.region_roots()[ACCOUNT_REGION])
        last = statement
        batch_number += 1
    if last is None:
        raise RebuildError("batches", "at least one", "none")
    return Rebuilt(
        accounts=tuple(account for _, account in sorted(accounts.items())),
        batch_count=batch_number - FIRST_BATCH_NUMBER,
        root_accounts=last.root_accounts,
        root=last.new_root,
    )


def _leaves(accounts: Iterable[PublishedAccount]) -> dict[int, int]:
    return {
        header_index(account.account_id): header_leaf(account.identity, account.nonce, account.cash)
        for account in accounts
    }


def _require_roots(name: str, statement: Statement, root_accounts: int) -> None:
    """Check the root of the accounts, and that the new root is over it and the other regions."""
    if root_accounts != statement.root_accounts:
        expected, got = hex(statement.root_accounts), hex(root_accounts)
        raise RootDiffers(f"{name}: root of the accounts", expected, got)
    regions = (statement.root_markets, statement.root_books, statement.root_system)
    root = node(root_accounts, *regions)
    if root != statement.new_root:
        raise RootDiffers(f"{name}: new root", hex(statement.new_root), hex(root))
