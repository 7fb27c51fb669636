"""Grumpkin and the signatures that the peer's program checks."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.peers import grumpkin
from bench.peers.grumpkin import GENERATOR, add, is_on_curve, is_valid, multiply, sign
from bench.peers.tools import HERE
from circuits.field import Q, R
from circuits.poseidon2 import permute

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


def test_the_challenge_is_the_low_part_of_a_hash_that_names_commitment_key_and_message():
    order = sign(5, 6)
    commitment = add(multiply(GENERATOR, order.response), multiply(order.key, order.challenge))
    assert commitment is not None
    hashed = permute((commitment[0], *order.key, order.message))[0]
    assert order.challenge == hashed % (1 << 128) != hashed
    assert not is_valid(replace(order, challenge=hashed))
    assert not is_valid(replace(order, challenge=order.challenge + Q))


@pytest.mark.parametrize("field", ["message", "challenge", "response"])
def test_a_changed_signature_does_not_hold(field):
    order = sign(5, 6)
    assert is_valid(order)
    assert not is_valid(replace(order, **{field: getattr(order, field) ^ 1}))


def test_a_signature_does_not_hold_for_another_key_or_off_the_curve():
    order = sign(5, 6)
    assert not is_valid(replace(order, key=grumpkin.GENERATOR))
    assert not is_valid(replace(order, key=(order.key[0], order.key[1] ^ 1)))


def test_the_program_has_the_same_base_and_the_bound_of_high_parts():
    text = (HERE / "noir" / "src" / "main.nr").read_text(encoding="ascii")
    x, y = (re.search(rf"    {name}: (0x[0-9a-f]+),", text)[1] for name in "xy")
    assert (int(x, 16), int(y, 16)) == GENERATOR
    bound = re.search(r"HIGH_PART_MAX: Field = (0x[0-9a-f]+);", text)[1]
    assert int(bound, 16) == (R >> 128) - 1
    # With any low part the sum stays below the modulus, so that no hash has two forms.
    assert (int(bound, 16) << 128) + (1 << 128) - 1 < R
    assert int(bound, 16).bit_length() == 126
