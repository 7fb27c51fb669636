"""What an operator hands over beside files of the exchange: addresses, and a secret in a file."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from eth_hash.auto import keccak

from sequencer.l1.errors import InputRefused
from sequencer.l1.port import ZERO_ADDRESS, Signer

SECRET_BYTES_MAX = 80  # 64 digits, "0x" and a line end, with room to see that there is more

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_SECRET = re.compile(rb"(?:0x)?([0-9a-fA-F]{64})\r?\n?")


def parse_address(name: str, text: str) -> str:
    """The address in lower case; one in mixed case must carry the right checksum (EIP-55).

    Raises: InputRefused.
    """
    if not _ADDRESS.fullmatch(text):
        raise InputRefused(name, "0x and 40 hexadecimal digits", text)
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()) and digits != _checksummed(digits):
        raise InputRefused(name, f"the checksum of 0x{_checksummed(digits)}", text)
    address = "0x" + digits.lower()
    if address == ZERO_ADDRESS:
        raise InputRefused(name, "an address that somebody can use", "zero")
    return address


def _checksummed(digits: str) -> str:
    lower = digits.lower()
    nibbles = keccak(lower.encode()).hex()
    pairs = zip(lower, nibbles, strict=False)
    return "".join(digit.upper() if int(nibble, 16) >= 8 else digit for digit, nibble in pairs)


def read_signer(path: Path) -> Signer:
    """The L1 account whose secret the file holds: 32 bytes in hexadecimal, on one line.

    No error repeats anything of the file.
    Raises: InputRefused, also for a file that everybody on the machine can open; OSError.
    """
    from eth_keys.datatypes import PrivateKey
    from eth_keys.exceptions import ValidationError

    with open(path, "rb") as stream:
        mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
        if mode & stat.S_IRWXO:
            expected = "no access for others (chmod o-rwx)"
            raise InputRefused(f"{path}: permissions", expected, f"{mode:04o}")
        content = stream.read(SECRET_BYTES_MAX)
    found = _SECRET.fullmatch(content)
    expected = "32 bytes in hexadecimal on one line"
    if found is None:
        raise InputRefused(str(path), expected, "another text")
    try:
        key = PrivateKey(bytes.fromhex(found[1].decode()))
        address = key.public_key.to_address()
    except (ValidationError, ValueError):
        raise InputRefused(str(path), "a secret below the group's order", "another") from None
    return Signer(address, key.to_bytes())
