"""Distinct prices in increasing order, in blocks: no change moves more than one block."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort

BLOCK_MAX = 512
"""Prices in a block before it is split: few enough to be moved in a fraction of a microsecond."""


class SortedPrices:
    """Prices that can be added, removed, and asked for the nearest on either side.

    Cost: two binary searches, and the shift of at most a block.
    """

    __slots__ = ("_blocks", "_tops")

    def __init__(self) -> None:
        self._blocks: list[list[int]] = []
        self._tops: list[int] = []

    def add(self, price: int) -> None:
        """Put in a price. Assumes: it is not there yet."""
        tops = self._tops
        if not tops:
            self._blocks.append([price])
            tops.append(price)
            return
        place = bisect_left(tops, price)
        if place == len(tops):
            place -= 1
            tops[place] = price
        block = self._blocks[place]
        insort(block, price)
        if len(block) > BLOCK_MAX:
            half = len(block) // 2
            self._blocks.insert(place, block[:half])
            del block[:half]
            tops.insert(place, self._blocks[place][-1])

    def remove(self, price: int) -> None:
        """Take out a price. Assumes: it is there."""
        place = bisect_left(self._tops, price)
        block = self._blocks[place]
        del block[bisect_left(block, price)]
        if block:
            self._tops[place] = block[-1]
        else:
            del self._blocks[place], self._tops[place]

    def at_least(self, price: int) -> int | None:
        """The lowest price that is not below, or None."""
        place = bisect_left(self._tops, price)
        if place == len(self._tops):
            return None
        block = self._blocks[place]
        return block[bisect_left(block, price)]

    def at_most(self, price: int) -> int | None:
        """The highest price that is not above, or None."""
        place = bisect_left(self._tops, price)
        if place < len(self._tops):
            block = self._blocks[place]
            count = bisect_right(block, price)
            if count:
                return block[count - 1]
        return self._tops[place - 1] if place else None
