"""Inputs of the yardstick: valid, distinct, and the same in every run."""

from bench.peers import trades
from bench.peers.grumpkin import is_valid
from circuits.poseidon2 import permute


def test_trades_are_valid_and_distinct():
    drawn = trades.grumpkin_trades(3)
    orders = [order for trade in drawn for order in trade.orders]
    assert all(is_valid(order) for order in orders)
    assert len({order.key for order in orders}) == len({order.message for order in orders}) == 6
    values = [value for trade in drawn for value in trade.values]
    assert len(set(values)) == len(values) == 3 * trades.PERMUTATIONS
    assert max(values).bit_length() <= trades.VALUE_BITS


def test_trades_depend_on_their_number_alone():
    assert trades.grumpkin_trades(1) == trades.grumpkin_trades(2)[:1]


def test_the_chain_runs_through_all_values():
    expected = permute((permute((7, 1, 2, 0))[0] + 8, *permute((7, 1, 2, 0))[1:]))[0]
    assert trades.chain([(1, 2)], [(7, 8)]) == expected
    assert trades.chain([(1, 2), (3, 4)], [(7, 8), (9,)]) == permute((expected + 9, 3, 4, 0))[0]


def test_noir_inputs_name_what_the_program_reads():
    drawn = trades.grumpkin_trades(2)
    first, _ = trades.noir_inputs(drawn)["trades"]
    order, read = drawn[0].orders[1], first["orders"][1]
    assert int(read["response_high"], 16) << 128 | int(read["response_low"], 16) == order.response
    assert (int(read["key_x"], 16), int(read["key_y"], 16)) == order.key
    assert int(read["message"], 16) == order.message
    assert int(read["challenge"], 16) == order.challenge
    assert [int(value, 16) for value in first["values"]] == list(drawn[0].values)
    assert len(read) == 6


def test_the_public_word_takes_messages_and_values_of_every_trade():
    drawn = trades.grumpkin_trades(2)
    messages = [[order.message for order in trade.orders] for trade in drawn]
    expected = trades.chain(messages, [trade.values for trade in drawn])
    assert trades.noir_public_word(drawn) == expected
    assert trades.noir_public_word(drawn[:1]) != expected
