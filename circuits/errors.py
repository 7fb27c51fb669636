"""Errors of the statement: what went wrong, where, what was expected and what was found.

CircuitError
├── FieldError         a number that is not a canonical field element, or zero inverted
├── CurveError         a point or its packed form that is not on BabyJubJub
├── SignatureError     a secret or a packed signature out of range
├── TreeError          a leaf index, leaf value or path of the wrong shape
├── StatementError     a public word, a count or a published record out of range
├── WitnessError       a witness file that is damaged, of another version or inconsistent
└── ConstraintError    a chip, bus or constraint that is ill-formed or not satisfied
"""


class CircuitError(Exception):
    """A value at a named place differs from what the statement demands."""

    def __init__(self, place: str, expected: object, got: object) -> None:
        super().__init__(place, expected, got)
        self.place = place
        self.expected = expected
        self.got = got

    def __str__(self) -> str:
        return f"{self.place}: expected {self.expected}, got {self.got}"


class FieldError(CircuitError):
    """A number that must be a canonical (or invertible) field element is not."""


class CurveError(CircuitError):
    """A point, or the packed form of one, is not on BabyJubJub."""


class SignatureError(CircuitError):
    """A secret or a packed signature has the wrong length or range."""


class TreeError(CircuitError):
    """A leaf index, leaf value or inclusion path does not fit the tree."""


class StatementError(CircuitError):
    """A public word or published record is out of range or inconsistent."""


class WitnessError(CircuitError):
    """A witness file at `path` cannot be used; `place` says which part of it."""

    def __init__(self, path: str, place: str, expected: object, got: object) -> None:
        super().__init__(place, expected, got)
        self.args = (path, place, expected, got)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: {super().__str__()}"


class ConstraintError(CircuitError):
    """A chip, bus or constraint is ill-formed, or a row does not satisfy it."""
