"""Bodies of every command kind for property tests, with values up to the ends of their ranges."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from circuits.exchange.bodies import Body
from circuits.exchange.events import Kind
from circuits.exchange.fields import FORMS, Form, Items
from circuits.exchange.layout import FieldSpec, Layout

ITEMS_DRAWN_MAX = 3


def numbers(spec: FieldSpec) -> st.SearchStrategy[int]:
    ends = st.sampled_from([spec.minimum, spec.maximum, max(spec.minimum, 0)])
    return st.one_of(ends, st.integers(spec.minimum, spec.maximum))


def made_by(layout: Layout) -> st.SearchStrategy[Any]:
    """Objects of one layout."""
    return st.tuples(*map(numbers, layout.fields)).map(lambda values: layout.make(*values))


def tails(form: Form) -> st.SearchStrategy[tuple[Any, ...]]:
    """The terms or items of a form, as what its `make` takes last."""
    if form.tail is None:
        return st.just(())
    if not isinstance(form.tail, Items):
        return st.tuples(made_by(form.tail.layout))
    choices = st.one_of(*(made_by(layout) for _, layout in form.tail.choices.values()))
    drawn = st.lists(choices, max_size=ITEMS_DRAWN_MAX)
    full = choices.map(lambda item: [item] * form.tail.count_max)
    return st.tuples(st.one_of(drawn, full).map(tuple))


@st.composite
def bodies_of(draw: st.DrawFn, kind: Kind) -> Body:
    """Bodies of one kind."""
    form = FORMS[kind]
    values = draw(st.tuples(*map(numbers, form.layout.fields)))
    return form.make(values, *draw(tails(form)))


def bodies() -> st.SearchStrategy[Body]:
    """Bodies of any kind."""
    return st.sampled_from(Kind).flatmap(bodies_of)
