"""Trades to prove: accounts, numbers and real signatures, all from one seed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from circuits.edwards import SUBGROUP_ORDER, Point
from circuits.field import R
from circuits.signature import Signature
from prover.bench.yardstick.chip import LINK_IV, LINKS, LINKS_PER_PARTY, PARTIES
from prover.kernels import fr, poseidon2
from prover.signatures import account_keys, sign_many


@dataclass(frozen=True, slots=True)
class Trades:
    """What the accounts of n trades have agreed on and signed.

    Shape: keys and signatures 2 n, buyer then seller of each trade; numbers uint64[n, 20].
    """

    domain: int
    keys: tuple[Point, ...]
    numbers: np.ndarray
    signatures: tuple[Signature, ...]

    def __len__(self) -> int:
        return len(self.numbers)


def account_secrets(count: int, seed: int) -> list[int]:
    """Signing secrets of 2 `count` accounts, buyer and seller of each trade in turn."""
    return [
        1 + _hashed(f"yardstick/{seed}/account/{number}") % (SUBGROUP_ORDER - 1)
        for number in range(PARTIES * count)
    ]


def make_trades(count: int, seed: int = 0) -> Trades:
    """Trades between 2 `count` accounts, signed by them. Cost: about 0.4 ms a trade."""
    domain = _hashed(f"yardstick/{seed}") % R
    secrets = account_secrets(count, seed)
    keys = account_keys(secrets)
    random = np.random.default_rng(_hashed(f"yardstick/{seed}/numbers"))
    numbers = random.integers(0, 1 << 64, size=(count, LINKS), dtype=np.uint64)
    points = party_points(keys)
    link, signed = fr.constant(domain), []
    for number in range(LINKS):
        link = poseidon2.permute(link_inputs(link, points, numbers, number))[:, 0]
        if (number + 1) % LINKS_PER_PARTY == 0:
            signed.append(link)
    digests = fr.to_ints(np.stack(signed, axis=1).reshape(-1, 4))
    signatures = sign_many(list(zip(secrets, digests, strict=True)), keys)
    return Trades(domain, tuple(keys), numbers, tuple(signatures))


def link_inputs(
    link: np.ndarray, points: np.ndarray, numbers: np.ndarray, number: int
) -> np.ndarray:
    """What link `number` of every trade is the permutation of, uint64[n, 4 lanes, 4].

    Shape: link uint64[n, 4] or the one domain uint64[1, 4]; points as of `party_points`; numbers
    uint64[n, 20]; all but the numbers in Montgomery form.
    """
    states = np.empty((len(numbers), poseidon2.WIDTH, 4), dtype=np.uint64)
    states[:, 0] = link
    states[:, 1] = fr.from_small(numbers[:, number])
    states[:, 2] = points[:, number // LINKS_PER_PARTY, number % 2]
    states[:, 3] = fr.constant(LINK_IV)
    return states


def party_points(keys: Sequence[Point]) -> np.ndarray:
    """Coordinates of buyers and sellers, uint64[n, 2 parties, 2 axes, 4] in Montgomery form."""
    return fr.from_ints(word for key in keys for word in key).reshape(-1, PARTIES, 2, 4)


def _hashed(text: str) -> int:
    return int.from_bytes(hashlib.sha512(text.encode()).digest(), "big")
