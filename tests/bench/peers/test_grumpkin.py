"""Grumpkin and the signatures that the peer's program checks."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.peers import grumpkin
from bench.peers.grumpkin import GENERATOR, add, is_on_curve, is_valid, multiply, sign
from circuits.field import Q, R

scalars = st.integers(1, Q - 1)


def test_the_generator_is_on_the_curve_and_has_order_q():
    assert is_on_curve(GENERATOR)
    assert multiply(GENERATOR, Q - 1) == (GENERATOR[0], R - GENERATOR[1])
    assert add(multiply(GENERATOR, Q - 1), GENERATOR) is None


def test_the_neutral_point_changes_nothing():
    assert add(None, None) is None
    assert add(GENERATOR, None) == add(None, GENERATOR) == GENERATOR


@given(scalars, scalars)
def test_multiples_add_up(left, right):
    total = add(multiply(GENERATOR, left), multiply(GENERATOR, right))
    assert total == multiply(GENERATOR, left + right)


@given(scalars, st.integers(0, R - 1))
def test_a_signature_holds(secret, message):
    order = sign(secret, message)
    assert is_on_curve(order.key)
    assert is_valid(order)


@pytest.mark.parametrize("field", ["message", "challenge", "response"])
def test_a_changed_signature_does_not_hold(field):
    order = sign(5, 6)
    assert is_valid(order)
    assert not is_valid(replace(order, **{field: getattr(order, field) ^ 1}))


def test_a_signature_does_not_hold_for_another_key_or_off_the_curve():
    order = sign(5, 6)
    assert not is_valid(replace(order, key=grumpkin.GENERATOR))
    assert not is_valid(replace(order, key=(order.key[0], order.key[1] ^ 1)))
