"""Putting a setup and library addresses into a verifier contract."""

import pytest

from bench.peers import evm_check
from circuits.cli_support import CommandFailed

SOURCE = " ".join(f"uint256(0x{word})" for word in evm_check.CEREMONY_WORDS)
PLACE = "Verifier.sol"


def test_a_setup_goes_in_with_imaginary_parts_first():
    text = evm_check.with_setup(SOURCE, ((1, 2), (3, 4)), PLACE)
    assert text == " ".join(f"uint256(0x{number:064x})" for number in (2, 1, 4, 3))


@pytest.mark.parametrize(("source", "times"), [("", 0), (SOURCE + SOURCE, 2)])
def test_a_contract_of_another_shape_is_refused(source, times):
    with pytest.raises(CommandFailed) as caught:
        evm_check.with_setup(source, ((1, 2), (3, 4)), PLACE)
    word = evm_check.CEREMONY_WORDS[0]
    expected = f"{PLACE}: word {word}: expected once, got {times} times"
    assert caught.value.message == expected


def test_library_addresses_go_where_the_compiler_says():
    placeholder = "__$" + "ab" * 17 + "$__"
    artifact = {
        "object": "6001" + placeholder + "6002",
        "linkReferences": {"V.sol": {"Lib": [{"start": 2, "length": 20}]}},
    }
    address = "0x" + "cd" * 20
    expected = bytes.fromhex("6001" + "cd" * 20 + "6002")
    assert evm_check.linked(artifact, {"Lib": address}) == expected


def test_changes_touch_the_public_word_and_the_last_point():
    proof, word = bytes(range(128)), bytes(32)
    wrong_word, wrong_point = evm_check.changes(proof, word)
    assert wrong_word == (proof, bytes(31) + b"\1")
    assert wrong_point == (proof[:64] + bytes(31) + b"\1" + bytes(31) + b"\2", word)
