"""Signed EIP-1559 transactions, the one kind that both adapters send."""

from __future__ import annotations

from eth_account import Account
from eth_utils import to_checksum_address

from sequencer.l1.errors import GasLimitAboveCap
from sequencer.l1.port import TRANSACTION_GAS_CAP, Signer


def check_gas_limit(gas_limit: int) -> None:
    """Refuse what EIP-7825 refuses, also where the chain itself does not.

    Raises: GasLimitAboveCap.
    """
    if gas_limit > TRANSACTION_GAS_CAP:
        raise GasLimitAboveCap(TRANSACTION_GAS_CAP, gas_limit)


def signed_transaction(
    signer: Signer,
    to: str | None,
    data: bytes,
    *,
    chain_id: int,
    nonce: int,
    gas_limit: int,
    max_fee_wei: int,
    priority_fee_wei: int,
) -> bytes:
    """Raw bytes of a signed transaction; `to=None` creates a contract."""
    fields: dict[str, object] = {
        "type": 2,
        "chainId": chain_id,
        "nonce": nonce,
        "gas": gas_limit,
        "maxFeePerGas": max_fee_wei,
        "maxPriorityFeePerGas": priority_fee_wei,
        "value": 0,
        "data": data,
    }
    if to is not None:
        fields["to"] = to_checksum_address(to)
    return bytes(Account.sign_transaction(fields, signer.secret).raw_transaction)
