"""The scalar field Fr of BN254 on plain integers.

An element is an int in [0, R). Functions that divide or decode check this; hot paths state it.
"""

from collections.abc import Sequence

from circuits.errors import FieldError

# Orders of the two BN254 fields: R of the scalars, Q of the curve coordinates (EIP-196).
R = 21888242871839275222246405745257275088548364400416034343698204186575808495617
Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583

# R - 1 = 2**TWO_ADICITY * odd; 5 is the smallest number that is not a square mod R.
TWO_ADICITY = 28
NON_SQUARE = 5


def is_canonical(x: int) -> bool:
    """True if x is the one representative of its class in [0, R)."""
    return 0 <= x < R


def require_canonical(x: int, place: str) -> int:
    """Return x unchanged.

    Raises: FieldError if x is not in [0, R); nothing is ever reduced silently.
    """
    if not 0 <= x < R:
        raise FieldError(place, "a field element below r", x)
    return x


def inverse(x: int) -> int:
    """The multiplicative inverse of x.

    Raises: FieldError for x = 0 mod R.
    """
    if x % R == 0:
        raise FieldError("inverse", "a non-zero field element", x)
    return pow(x, -1, R)


def batch_inverse(values: Sequence[int]) -> list[int]:
    """Inverses of all values with one inversion and three multiplications each.

    Source: Montgomery's trick. Raises: FieldError naming the first zero.
    """
    prefixes = []
    product = 1
    for index, value in enumerate(values):
        if value % R == 0:
            raise FieldError(f"batch_inverse[{index}]", "a non-zero field element", value)
        prefixes.append(product)
        product = product * value % R
    inverses = [0] * len(prefixes)
    suffix = pow(product, -1, R)
    for index in range(len(prefixes) - 1, -1, -1):
        inverses[index] = prefixes[index] * suffix % R
        suffix = suffix * values[index] % R
    return inverses


def is_square(x: int) -> bool:
    """True if x has a square root mod R (zero has one)."""
    return x % R == 0 or pow(x, (R - 1) // 2, R) == 1


def square_root(x: int) -> int | None:
    """The smaller of the two square roots of x, or None if x is not a square.

    Source: Tonelli-Shanks, unrolled over the 2**28 torsion.
    """
    if x % R == 0:
        return 0
    if not is_square(x):
        return None
    odd = (R - 1) >> TWO_ADICITY
    torsion = pow(NON_SQUARE, odd, R)
    root = pow(x, (odd + 1) // 2, R)
    error = pow(x, odd, R)
    for bit in range(TWO_ADICITY - 1, 0, -1):
        # Invariant: root**2 = x * error and error has order dividing 2**bit.
        if pow(error, 1 << (bit - 1), R) != 1:
            root = root * torsion % R
            error = error * torsion % R * torsion % R
        torsion = torsion * torsion % R
    return min(root, R - root)
