"""Bus inventory: what travels where. Numbers are part of every fingerprint, so they never change.

A channel carries each tuple from one sender to one receiver; a table answers look-ups.
"""

from circuits.air.builder import RANGE16
from circuits.air.bus import Bus

# (in0, in1, in2, in3, out0): first output lane of one Poseidon2 permutation.
HASH = Bus("hash", 2, 5, is_table=True)
# 3 was for whole permutations.
# (narrow, value): value < 2^112 if narrow is 1, value < 2^128 if narrow is 0.
WIDE = Bus("wide", 4, 2, is_table=True)
# (level, index, old hash, new hash) of a touched node of the state tree; level 0 is a leaf.
NODE = Bus("node", 5, 4)
# (account, time, identity, nonce, cash): the account header cell after the step `time`.
HEADER = Bus("header", 6, 5)
# (step, time_ms, queue position): state that every command hands to the next.
CLOCK = Bus("clock", 7, 3)
# (position, withdrawal total): next free published word of the withdrawal section.
WITHDRAWAL_CHAIN = Bus("withdrawal_chain", 8, 2)
# (position, previous account, sum of cash changes): the walk over touched accounts.
LEAF_CHAIN = Bus("leaf_chain", 9, 3)
# (index, word): one published word.
PUBLISHED = Bus("published", 10, 2)
# (step, kind, account, nonce, identity, owner, payload): a signed command that was authorised.
AUTHORIZED = Bus("authorized", 11, 7)
# (step, kind, account, amount, owner, key_x, key_y, outcome): a consumed L1 queue entry.
QUEUED = Bus("queued", 12, 8)
# (key_x, key_y, digest): one signature that was verified.
SIGNATURE = Bus("signature", 13, 3)
# (signature, window row, u, v, parts of the halves of S, part of h): the accumulator.
SIGNATURE_CHAIN = Bus("signature_chain", 14, 7)
# (signature, j, u, v of T + j*N, u, v of N): building the table of a signature's key.
SIGNATURE_TABLE = Bus("signature_table", 15, 6)
# (signature, j, u, v): the point T + j*N, 0 <= j < 16.
SIGNATURE_ENTRY = Bus("signature_entry", 16, 4, is_table=True)
# (i, u, v of T + i*2^128*B, u, v of T + i*B): building the tables of the base point.
BASE_CHAIN = Bus("base_chain", 17, 5)
# (i, u, v): the point T + i*B, 0 <= i < 256.
BASE_ENTRY = Bus("base_entry", 18, 3, is_table=True)
# (i, u, v): the point T + i*2^128*B, 0 <= i < 256.
BASE_HIGH_ENTRY = Bus("base_high_entry", 19, 3, is_table=True)

__all__ = [
    "AUTHORIZED",
    "BASE_CHAIN",
    "BASE_ENTRY",
    "BASE_HIGH_ENTRY",
    "CLOCK",
    "HASH",
    "HEADER",
    "LEAF_CHAIN",
    "NODE",
    "PUBLISHED",
    "QUEUED",
    "RANGE16",
    "SIGNATURE",
    "SIGNATURE_CHAIN",
    "SIGNATURE_ENTRY",
    "SIGNATURE_TABLE",
    "WIDE",
    "WITHDRAWAL_CHAIN",
]
