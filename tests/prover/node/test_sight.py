"""Two lookers at one store: what is told of it, and how often."""

from __future__ import annotations

from prover.node import notices
from prover.node.sight import StoreSight


def test_a_store_is_away_while_anybody_misses_it_and_that_is_told_once() -> None:
    told: list[notices.Notice] = []
    sight = StoreSight(told.append)
    sight.found("heart")
    assert sight.lost("node", "no folder")
    assert not sight.lost("node", "no folder still")
    assert sight.lost("heart", "locked")
    sight.found("node")
    assert told == [notices.StoreAway("no folder")]
    sight.found("heart")
    sight.found("heart")
    assert told == [notices.StoreAway("no folder"), notices.StoreBack()]
    sight.lost("heart", "locked")
    assert told[2:] == [notices.StoreAway("locked")]
