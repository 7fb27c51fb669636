"""Why a proof or a key is refused.

    VerificationError
        StatementLength       wrong number of public words
        WordNotCanonical      a public word is not below r
        PubdataLength         more published words than the shape has rows for
        PublishedNotCanonical a published word is not below r
        ProofLength           wrong number of bytes
        HeightTooLarge        a chip claims more rows than its shape has
        HeightFixed           a chip whose height the statement fixes claims another one
        HeightPadding         the unused part of a packed heights word is not zero
        ScalarNotCanonical    a proof scalar is not below r
        PointNotOnCurve       a proof point has a coordinate not below q or is not on the curve
        DegenerateChallenge   a challenge makes a denominator zero; cannot happen by chance
        SumcheckMismatch      the constraints do not hold at the random point
        OpeningMismatch       the pairing check of the opening fails
    KeyFileError              a verifying key cannot be read (not a verdict on a proof)

The Solidity verifier reverts with errors of the same names and the same arguments.
"""

from __future__ import annotations


class VerificationError(Exception):
    """A proof was refused. `place` names the spot; `expected` and `got` say why."""

    def __init__(self, place: str, expected: object, got: object) -> None:
        super().__init__(f"{type(self).__name__}: {place}: expected {expected}, got {got}")
        self.place = place
        self.expected = expected
        self.got = got


class StatementLength(VerificationError):
    pass


class WordNotCanonical(VerificationError):
    pass


class PubdataLength(VerificationError):
    pass


class PublishedNotCanonical(VerificationError):
    pass


class ProofLength(VerificationError):
    pass


class HeightTooLarge(VerificationError):
    pass


class HeightFixed(VerificationError):
    pass


class HeightPadding(VerificationError):
    pass


class ScalarNotCanonical(VerificationError):
    pass


class PointNotOnCurve(VerificationError):
    pass


class DegenerateChallenge(VerificationError):
    pass


class SumcheckMismatch(VerificationError):
    pass


class OpeningMismatch(VerificationError):
    pass


class KeyFileError(Exception):
    """A key file is malformed: names the file, the place, the expectation and what was found."""

    def __init__(self, path: str, place: str, expected: object, got: object) -> None:
        super().__init__(f"{path}: {place}: expected {_short(expected)}, got {_short(got)}")
        self.path = path
        self.place = place
        self.expected = expected
        self.got = got


def _short(shown: object) -> str:
    """At most 200 characters of what a file holds, so that an error stays one line."""
    text = str(shown)
    return text if len(text) <= 200 else text[:197] + "..."
