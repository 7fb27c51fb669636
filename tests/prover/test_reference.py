"""The reference's own tables against their definitions, since everything else leans on them."""

from circuits.air.tape import EMIT, Tape
from circuits.field import R
from prover.reference import Fr, bind, eq_table, tape_values
from verifier.sumcheck import equality


def test_eq_table_is_the_equality_polynomial_on_all_bits():
    point = [5, 77, 123]
    table = eq_table(point)
    for x in range(8):
        assert int(table[x]) == equality(point, [x >> bit & 1 for bit in range(3)], R)


def test_binding_to_a_bit_picks_every_second_entry():
    table = Fr([3, 1, 4, 1, 5, 9, 2, 6])
    assert bind(table, 0).tolist() == [3, 4, 5, 2]
    assert bind(table, 1).tolist() == [1, 1, 9, 6]
    assert bind(table, 2).tolist() == [R - 1, R - 2, 13, 10]


def test_binding_all_variables_evaluates_the_extension():
    table, point = Fr([3, 1, 4, 1]), [1001, 1003]
    value = int((table * eq_table(point)).sum())
    for challenge in point:
        table = bind(table, challenge)
    assert table.tolist() == [value]


def test_a_constraint_that_reads_no_row_has_its_value_on_every_row():
    tape = Tape(1, 0, 0, (7,), 0, 1, ((EMIT, 0, 3, 0),))
    (values,) = tape_values(tape, [Fr([1, 2])], Fr([0, 1]), Fr([1, 1]), [], [])
    assert values.tolist() == [7, 7]
