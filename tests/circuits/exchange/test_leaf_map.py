"""Versions of the leaves against plain dictionaries, old ones and forks of old ones included."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.exchange.leaf_map import LeafMap
from circuits.exchange.leaves import Account, Leaf

ADDRESSES = st.one_of(st.integers(0, 12), st.sampled_from([2**30 - 1, 2**30, 2**32 - 1]))
LEAVES = st.one_of(st.none(), st.integers(0, 5).map(Account))
CHANGES = st.dictionaries(ADDRESSES, LEAVES, max_size=5)
PROBES = (*range(13), 2**30 - 1, 2**30, 2**32 - 1, -1, 2**40)

Plain = dict[int, Leaf]


def changed(plain: Plain, changes: dict[int, Leaf | None]) -> Plain:
    merged = {**plain, **changes}
    return {address: leaf for address, leaf in merged.items() if leaf is not None}


def assert_same(version: LeafMap, plain: Plain) -> None:
    assert [version.get(address) for address in PROBES] == list(map(plain.get, PROBES))


@settings(print_blob=True)
@given(
    history=st.lists(st.tuples(st.integers(0, 30), CHANGES), max_size=12),
    reads=st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=12),
)
def test_every_version_stays_what_it_was(
    history: list[tuple[int, dict[int, Leaf | None]]], reads: list[tuple[int, bool]]
) -> None:
    """Each change starts from any version so far, so versions fork; then they are read in any
    order, some of them whole, which moves the dictionary to them.
    """
    versions: list[tuple[LeafMap, Plain]] = [(LeafMap(), {})]
    for place, changes in history:
        version, plain = versions[place % len(versions)]
        versions.append((version.with_changes(changes), changed(plain, changes)))
        for each, expected in versions:
            assert_same(each, expected)
    for place, is_whole in reads:
        version, plain = versions[place % len(versions)]
        if is_whole:
            assert dict(version.entries()) == plain
        for each, expected in versions:
            assert_same(each, expected)
    for version, plain in versions:
        assert list(version.items()) == sorted(plain.items())
        assert len(version) == len(plain)


@settings(print_blob=True, max_examples=30)
@given(changes=st.lists(CHANGES, max_size=8))
def test_equality_is_by_content(changes: list[dict[int, Leaf | None]]) -> None:
    grown = LeafMap()
    plain: Plain = {}
    versions = [grown]
    for each in changes:
        grown, plain = grown.with_changes(each), changed(plain, each)
        versions.append(grown)
    assert grown == LeafMap().with_changes(plain)
    assert grown == versions[-1]
    for version in versions:
        assert (version == grown) == (dict(version.entries()) == plain)


def test_a_change_leaves_the_old_version_alone() -> None:
    empty = LeafMap()
    first = empty.with_changes({70_000: Account(1)})
    second = first.with_changes({70_000: Account(2), 70_001: Account(3)})
    third = second.with_changes({70_000: None})
    assert (len(empty), len(first), len(second), len(third)) == (0, 1, 2, 1)
    assert first.get(70_000) == Account(1)
    assert second.get(70_000) == Account(2)
    assert third.get(70_000) is None
    assert first.get(70_001) is None


def test_removing_what_is_not_there_changes_nothing() -> None:
    assert LeafMap().with_changes({5: None}) == LeafMap()


def test_a_fork_of_an_old_version_does_not_disturb_the_newest() -> None:
    base = LeafMap().with_changes({1: Account(1)})
    newest = base.with_changes({1: Account(2), 2: Account(2)})
    fork = base.with_changes({3: Account(3)})
    assert dict(newest.items()) == {1: Account(2), 2: Account(2)}
    assert dict(fork.items()) == {1: Account(1), 3: Account(3)}
    assert dict(base.items()) == {1: Account(1)}


def test_a_map_is_no_key_and_no_dictionary() -> None:
    leaves = LeafMap().with_changes({1: Account(1)})
    assert leaves != {1: Account(1)}
    assert repr(leaves).startswith("LeafMap({1: Account(owner=1")
    with pytest.raises(TypeError, match="unhashable"):
        hash(leaves)
