"""The sections of a proof: without a gap, in transcript order, sized by the key alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.small_batch import small_key, small_proof
from tests.support.toy_system import toy_key, toy_shape
from verifier.key import VerifyingKey
from verifier.proof import Section, proof_bytes, sections

KEYS = [small_key(), toy_key(toy_shape()), toy_key(toy_shape(log_steps=2, log_words=5))]


@pytest.mark.parametrize("key", KEYS, ids=[key.shape_name for key in KEYS])
def test_sections_follow_one_another(key: VerifyingKey) -> None:
    offset = 0
    for section in sections(key):
        assert section.offset_bytes == offset
        offset += section.size_bytes
    assert proof_bytes(key) == offset


@pytest.mark.parametrize("key", KEYS, ids=[key.shape_name for key in KEYS])
def test_sections_are_those_of_the_protocol(key: VerifyingKey) -> None:
    """Heights; main and helper points; n rounds; evaluations; m rounds; folds; values; Q; W."""
    n, m = key.rounds, key.log_chunk
    assert [(section.label.decode(), section.kind, section.count) for section in sections(key)] == [
        ("hght", "heights", len(key.chips)),
        ("main", "points", key.layout.main_chunks),
        ("help", "points", key.layout.helper_chunks),
        *[("rnd1", "scalars", key.round_degree)] * n,
        ("eval", "scalars", key.columns),
        *[("rnd2", "scalars", 2)] * m,
        ("fold", "points", m - 1),
        ("negv", "scalars", m),
        ("quot", "points", 1),
        ("open", "points", 1),
    ]


def test_sizes_are_those_of_the_kinds() -> None:
    chips = small_key().chips * 3
    heights, main, *_, opening = sections(replace(small_key(), chips=chips))
    assert heights == Section(b"hght", "heights", 9, 0, 64)
    assert (main.offset_bytes, main.size_bytes) == (64, 64 * main.count)
    assert opening.size_bytes == 64


def test_a_proof_has_the_length_that_the_key_says() -> None:
    assert len(small_proof()) == proof_bytes(small_key())
