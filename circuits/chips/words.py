"""Names for what several chips write alike: public words and sponge inputs."""

from circuits.air.builder import Builder
from circuits.air.expr import Expr, Operand, public
from circuits.chips.buses import HASH
from circuits.poseidon2 import TAG_IDENTITY, sponge_iv
from circuits.statement import PUBLIC_WORDS

IDENTITY_IV = sponge_iv(TAG_IDENTITY, 3)
# What an identity hashes in place of a key while none is registered; not on the curve.
NO_KEY = (0, 0)


def statement_word(name: str) -> Expr:
    """The public word of that name."""
    return public(PUBLIC_WORDS.index(name))


def lookup_identity(
    b: Builder,
    key: tuple[Operand, Operand],
    owner: Operand,
    identity: Operand,
    times: Operand = 1,
) -> None:
    """`identity` is the hash of a key and the L1 owner, wherever `times` is 1."""
    b.lookup(HASH, key[0], key[1], owner, IDENTITY_IV, identity, times=times)
