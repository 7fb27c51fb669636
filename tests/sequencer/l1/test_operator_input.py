"""Addresses with checksums, and secrets in files that only their owner can open."""

from __future__ import annotations

from pathlib import Path

import pytest

from sequencer.l1 import devkeys
from sequencer.l1.errors import InputRefused
from sequencer.l1.operator_input import parse_address, read_signer

# Source: the examples of EIP-55.
CHECKSUMMED = [
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0xde709f2102306220921060314715629080e2fb77",
]
SIGNER = devkeys.sequencer()
GROUP_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.mark.parametrize("text", CHECKSUMMED)
def test_addresses_are_read_in_every_spelling(text: str) -> None:
    upper = "0x" + text[2:].upper()
    for spelling in (text, text.lower(), upper):
        assert parse_address("--token", spelling) == text.lower()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", f"the checksum of {CHECKSUMMED[0]}"),
        ("5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x and 40 hexadecimal digits"),
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeA", "0x and 40 hexadecimal digits"),
        ("0x" + "0" * 40, "an address that somebody can use"),
        ("", "0x and 40 hexadecimal digits"),
    ],
)
def test_other_texts_are_no_addresses(text: str, expected: str) -> None:
    with pytest.raises(InputRefused) as caught:
        parse_address("--token", text)
    assert str(caught.value).startswith(f"--token: expected {expected}, got ")


def secret_file(path: Path, content: str, mode: int = 0o600) -> Path:
    path.write_text(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("form", ["{}", "0x{}", "{}\n", "0x{}\r\n"])
@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640])
def test_a_secret_is_read(tmp_path: Path, form: str, mode: int) -> None:
    path = secret_file(tmp_path / "key", form.format(SIGNER.secret.hex()), mode)
    assert read_signer(path) == SIGNER


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o644])
def test_a_secret_that_everybody_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    path = secret_file(tmp_path / "key", SIGNER.secret.hex(), mode)
    with pytest.raises(InputRefused) as caught:
        read_signer(path)
    assert str(caught.value) == (
        f"{path}: permissions: expected no access for others (chmod o-rwx), got {mode:04o}"
    )


@pytest.mark.parametrize(
    "content",
    [
        "",
        "ab" * 31,
        "ab" * 33,
        "ab" * 32 + "\n\n",
        " " + "ab" * 32,
        "zz" * 32,
        "0" * 64,
        f"{GROUP_ORDER:064x}",
    ],
)
def test_other_contents_are_refused_and_not_repeated(tmp_path: Path, content: str) -> None:
    path = secret_file(tmp_path / "key", content)
    with pytest.raises(InputRefused) as caught:
        read_signer(path)
    assert str(caught.value).startswith(f"{path}: expected ")
    assert not content.strip() or content.strip() not in str(caught.value)


def test_a_missing_secret(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_signer(tmp_path / "absent")
