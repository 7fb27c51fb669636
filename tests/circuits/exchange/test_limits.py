"""The bounds of the rules and the relations between them."""

from __future__ import annotations

import pytest

from circuits.exchange import limits


def test_a_broken_relation_is_refused_by_its_meaning() -> None:
    relations = (("two and two are four", True), ("two and two are five", False))
    with pytest.raises(ValueError, match=r"^limits: expected that two and two are five, got"):
        limits.check_relations(relations)


def test_the_relations_are_distinct_and_hold() -> None:
    meanings = [meaning for meaning, _ in limits.RELATIONS]
    assert len(set(meanings)) == len(meanings)
    limits.check_relations(limits.RELATIONS)


def test_bounds_as_the_contracts_and_the_statement_have_them() -> None:
    assert limits.ACCOUNT_MAX == 16_777_215
    assert limits.AMOUNT_MAX == 18_446_744_073_709_551_615
    assert limits.NONCE_MAX == limits.TIME_MAX_MS == 281_474_976_710_655
    assert limits.CASH_OFFSET == 2_596_148_429_267_413_814_265_248_164_610_048
