"""Inputs and constants of the circom program."""

import re

from bench.peers import babyjubjub as program
from bench.peers.tools import HERE
from circuits.edwards import (
    BASE8,
    IDENTITY,
    add,
    is_in_subgroup,
    is_on_curve,
    multiply,
    multiply_base8,
)
from circuits.field import R
from circuits.poseidon2 import PARTIAL_ROUND_CONSTANTS, permute
from circuits.signature import CHALLENGE_BITS, challenge, verify

MONTGOMERY_A = 168698


def test_trades_are_signed_by_distinct_accounts_and_public_word_is_their_chain():
    trades = program.signed_trades(2)
    orders = [order for trade in trades for order in trade.orders]
    assert all(verify(order.key, order.message, order.signature) is None for order in orders)
    assert len({order.key for order in orders}) == 4
    assert program.public_word(trades) != program.public_word(trades[:1])


def test_inputs_are_lists_by_trade_and_side():
    trades = program.signed_trades(2)
    inputs = program.circom_inputs(trades)
    order = trades[1].orders[0]
    assert inputs["key"][1][0] == [str(order.key[0]), str(order.key[1])]
    assert inputs["commitment"][1][0] == [str(order.signature.r_x), str(order.signature.r_y)]
    assert inputs["response"][1][0] == str(order.signature.s)
    assert inputs["message"][1][0] == str(order.message)
    assert inputs["value"][1] == [str(value) for value in trades[1].values]


def test_unrelated_points_are_in_the_subgroup_and_differ():
    points = [program.unrelated_point("test", index) for index in range(4)]
    assert all(is_on_curve(point) and is_in_subgroup(point) for point in points)
    assert len({*points, IDENTITY, BASE8}) == 6


def test_montgomery_form_keeps_the_curve():
    u, v = program.to_montgomery(BASE8)
    assert (v * v - u * (u * u + MONTGOMERY_A * u + 1)) % R == 0
    assert u * pow(v, -1, R) % R == BASE8[0]


def test_windows_add_up_to_a_multiple_of_the_base():
    rows, correction = program.base_windows()
    assert len(rows) == program.WINDOWS
    scalar = 0x123456789ABCDEF << 180 | 0xFEDCBA987654321
    total = correction
    for index, row in enumerate(rows):
        total = add(total, row[scalar >> (2 * index) & 3])
    assert total == multiply_base8(scalar)


def test_constants_are_functions_of_literal_numbers(monkeypatch):
    text = program.constants()
    found = dict(re.findall(r"function (\w+)\(\) \{\n    var got[\[\]0-9]* = (.*);", text))
    assert len(found) == 9
    assert found["partial_round_constants"] == f"[{', '.join(map(str, PARTIAL_ROUND_CONSTANTS))}]"
    start = program.unrelated_point("ladder")
    x, y = multiply(start, 1 << CHALLENGE_BITS)
    assert found["ladder_correction"] == f"[{R - x}, {y}]"
    assert found["base_table"].count("[") == 1 + 126 + 4 * 126


def test_the_challenge_is_the_low_part_of_one_permutation_from_the_constant():
    found = re.search(r"challenge_iv\(\) \{\n    var got = (\d+);", program.constants())
    assert found is not None
    order = program.signed_trades(1)[0].orders[0]
    lanes = (order.signature.r_x, order.key[0], order.message, int(found[1]))
    expected = challenge(order.signature.r_point, order.key, order.message)
    assert permute(lanes)[0] % (1 << 128) == expected


def test_the_ladder_takes_as_many_bits_as_a_challenge_has():
    text = (HERE / "circom" / "yardstick.circom").read_text(encoding="ascii")
    assert re.findall(r" Multiply\((\d+)\)", text) == [str(CHALLENGE_BITS)]
    assert program.LADDER_STEPS == CHALLENGE_BITS
