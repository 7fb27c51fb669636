"""Parsing JSON from outside, with a bound on its nesting.

The standard parser recurses once for each level. Whether a deep text then raises or overflows the
stack of the process depends on the recursion limit, which any library may have lifted.
"""

import json
from typing import Any

# Deeper than any file of this project and far below what any stack holds.
BRACKETS_MAX = 400


class TooManyBrackets(ValueError):
    """The text opens more lists and objects than its kind of document can."""

    def __init__(self, brackets_max: int, brackets: int) -> None:
        super().__init__(f"expected at most {brackets_max} opening brackets, got {brackets}")
        self.brackets = brackets


def parse_json(text: str, brackets_max: int = BRACKETS_MAX, **hooks: Any) -> Any:
    """json.loads for a text of unknown origin; `hooks` are those of json.loads.

    Brackets inside strings count as well: the number then bounds the depth without parsing.

    Raises: TooManyBrackets, or ValueError (mostly json.JSONDecodeError) as json.loads does.
    """
    brackets = text.count("[") + text.count("{")
    if brackets > brackets_max:
        raise TooManyBrackets(brackets_max, brackets)
    return json.loads(text, **hooks)
