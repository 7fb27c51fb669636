"""One trade of the yardstick: two signed halves of one hash chain over ranged numbers."""

from typing import Any

from circuits.air.builder import Builder
from circuits.air.chip import Chip
from circuits.air.columns import U64, Columns, Field
from circuits.air.expr import ROW, public
from circuits.chips.buses import HASH, PUBLISHED, SIGNATURE
from circuits.poseidon2 import sponge_iv

PARTIES = 2
LINKS_PER_PARTY = 10
LINKS = PARTIES * LINKS_PER_PARTY

PUBLIC_NAMES = ("domain",)
"""The only public word: where every chain starts."""

# Apart from every tag of the exchange, so that no signature here means anything there.
TAG_LINK = int.from_bytes(b"yardstik", "big")
LINK_IV = sponge_iv(TAG_LINK, 3)


class TradeChip(Chip):
    """One trade: a buyer and a seller, each of whom signs ten numbers.

    Link k of the trade's chain is hash_words(TAG_LINK, (link before, number k, a word of the key)),
    where the key is the buyer's for the first ten links and the seller's for the rest. The buyer
    signs link 10 and the seller link 20, which is published.

    Soundness: the numbers are ranged by their limbs, so they are integers below 2^64. A link is the
    collision-resistant hash of the link before it, of one number and of one coordinate of the key,
    so the last link, which the statement shows, stands for all links, all numbers and both keys.
    Keys with different x are different. The signature chip puts both on the curve; that they lie in
    the subgroup is nobody's claim here, as no chip registers keys. The published table takes one
    word for each row number below its height, so there are exactly as many trades as words.
    """

    name = "trade"

    class Cols(Columns):
        buyer: Field[2]
        seller: Field[2]
        inverse_difference: Field
        links: Field[LINKS]
        numbers: U64[LINKS]

    def constrain(self, c: Any, b: Builder) -> None:
        difference = c.buyer[0] - c.seller[0]
        b.assert_eq("buyer is not the seller", difference * c.inverse_difference, 1)
        link = public(PUBLIC_NAMES.index("domain"))
        for number in range(LINKS):
            key = c.buyer if number < LINKS_PER_PARTY else c.seller
            b.lookup(HASH, link, c.numbers[number], key[number % 2], LINK_IV, c.links[number])
            link = c.links[number]
        b.send(SIGNATURE, *c.buyer, c.links[LINKS_PER_PARTY - 1])
        b.send(SIGNATURE, *c.seller, c.links[LINKS - 1])
        b.send(PUBLISHED, ROW, c.links[LINKS - 1])
