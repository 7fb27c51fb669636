"""Every leaf of every account from the words that batches published, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from circuits.errors import StatementError
from circuits.exchange.errors import PubdataError
from circuits.exchange.leaves import Leaf
from circuits.exchange.limits import ACCOUNT_REGION, ACCOUNT_SLOTS
from circuits.exchange.pubdata import PublishedAccount
from circuits.exchange.region import AccountRegion
from circuits.merkle import STATE_LEVELS, default_root
from circuits.poseidon2 import node
from prover.kernels.poseidon2 import permute_many
from sequencer.batcher import FIRST_BATCH_NUMBER
from sequencer.errors import RebuildError, RootDiffers
from sequencer.words_file import BatchWords, read_words


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The exchange as anybody can know it; the roots are those of the last batch."""

    accounts: tuple[PublishedAccount, ...]
    leaves: dict[int, Leaf]
    batch_count: int
    root_accounts: int
    root: int

    def leaves_by_account(self) -> dict[int, dict[int, Leaf]]:
        """The leaves that are no headers, by account and then by slot."""
        found: dict[int, dict[int, Leaf]] = {}
        for address, leaf in self.leaves.items():
            account, slot = divmod(address, ACCOUNT_SLOTS)
            found.setdefault(account, {})[slot] = leaf
        return found


def load_words(paths: Iterable[Path]) -> list[tuple[str, BatchWords]]:
    """The words of these statement and words files with the names of the files, by batch number.

    Raises: RebuildError naming the file; OSError.
    """
    loaded = []
    for path in paths:
        try:
            words = read_words(path.read_bytes().decode("utf-8"))
        except UnicodeDecodeError as error:
            raise RebuildError(f"{path}: byte {error.start}", "UTF-8", "another byte") from None
        except StatementError as error:
            raise RebuildError(f"{path}: {error.place}", error.expected, error.got) from None
        loaded.append((str(path), words))
    return sorted(loaded, key=lambda entry: entry[1].batch_number)


def rebuild(batches: Iterable[tuple[str, BatchWords]]) -> Rebuilt:
    """Every account, and the check that the words lead to each batch's root of the accounts.

    Raises: RebuildError where a batch is missing or does not follow; RootDiffers.
    """
    region = AccountRegion()
    last: BatchWords | None = None
    batch_number = FIRST_BATCH_NUMBER
    for name, batch in batches:
        if batch.batch_number != batch_number:
            raise RebuildError(f"{name}: batch number", batch_number, batch.batch_number)
        old_root = default_root(STATE_LEVELS) if last is None else last.new_root
        if batch.old_root != old_root:
            raise RebuildError(f"{name}: old root", hex(old_root), hex(batch.old_root))
        if last is not None and batch.domain != last.domain:
            raise RebuildError(f"{name}: domain", last.domain, batch.domain)
        try:
            region.take(batch.published(), permute_many)
        except PubdataError as error:
            raise RebuildError(f"{name}: {error.place}", error.expected, error.got) from None
        _require_roots(name, batch, region.root)
        last = batch
        batch_number += 1
    if last is None:
        raise RebuildError("batches", "at least one", "none")
    return Rebuilt(
        accounts=tuple(region.accounts.values()),
        leaves=region.leaves,
        batch_count=batch_number - FIRST_BATCH_NUMBER,
        root_accounts=region.root,
        root=last.new_root,
    )


def _require_roots(name: str, batch: BatchWords, root_accounts: int) -> None:
    """Check the root of the accounts, and that the new root is over it and the other regions."""
    if root_accounts != batch.region_roots[ACCOUNT_REGION]:
        expected, got = hex(batch.region_roots[ACCOUNT_REGION]), hex(root_accounts)
        raise RootDiffers(f"{name}: root of the accounts", expected, got)
    root = node(*batch.region_roots)
    if root != batch.new_root:
        raise RootDiffers(f"{name}: new root", hex(batch.new_root), hex(root))
