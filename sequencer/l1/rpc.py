"""RpcL1: any Ethereum node over JSON-RPC."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sequencer.l1.errors import InputRefused, L1Error, L1Reverted, NotLocalChain
from sequencer.l1.port import (
    LOCAL_CHAIN_IDS,
    TRANSACTION_GAS_CAP,
    ZERO_ADDRESS,
    Log,
    Receipt,
    Signer,
)
from sequencer.l1.signing import check_gas_limit, signed_transaction

if TYPE_CHECKING:
    from web3.types import TxParams

_PRIORITY_FEE_WEI = 10**9
_RECEIPT_TIMEOUT_S = 120
_GAS_HEADROOM_PERCENT = 110


class RpcL1:
    """A node behind an HTTP address, driven through web3.py.

    Assumes: the caller's nonces are not used by another process at the same time.
    Cost: importing web3 takes about two seconds, on construction.
    """

    def __init__(self, url: str) -> None:
        self._host = _host(url)
        from web3 import HTTPProvider, Web3

        self._web3 = Web3(HTTPProvider(url))
        try:
            self._chain_id = int(self._reached(lambda: self._web3.eth.chain_id))
        except L1Error:
            self.close()
            raise

    @property
    def host(self) -> str:
        """Where the node is, without the rest of its URL, which often holds an access key."""
        return self._host

    @property
    def chain_id(self) -> int:
        """EIP-155 id of the chain."""
        return self._chain_id

    def time_s(self) -> int:
        """Timestamp of the latest block in seconds."""
        return int(self._reached(lambda: self._web3.eth.get_block("latest"))["timestamp"])

    def set_time_s(self, time_s: int) -> None:
        """Mine an empty block with this timestamp; a local development node can.

        Raises: L1Error where the chain is not a local one or the node refuses.
        """
        self._require_local("setting the block time")
        if time_s <= self.time_s():
            raise L1Error(f"block time: expected after {self.time_s()} s, got {time_s} s")
        self._request("evm_setNextBlockTimestamp", [time_s])
        self._request("evm_mine", [])

    def set_balance(self, address: str, balance_wei: int) -> None:
        """Give an address ether; anvil, a local development node, can.

        Raises: NotLocalChain; L1Error where the node does not offer it.
        """
        self._require_local("setting a balance")
        self._request("anvil_setBalance", [address, hex(balance_wei)])

    def nonce(self, address: str) -> int:
        """Number of transactions that the address has sent."""
        return int(self._reached(lambda: self._web3.eth.get_transaction_count(_checksum(address))))

    def code(self, address: str) -> bytes:
        """Runtime code at the address, empty for none."""
        return bytes(self._reached(lambda: self._web3.eth.get_code(_checksum(address))))

    def call(self, to: str, data: bytes, sender: str = ZERO_ADDRESS) -> bytes:
        """Run a read-only call on the latest state and return its output."""
        fields = _call_fields(to, data, sender, TRANSACTION_GAS_CAP)
        return bytes(self._reached(lambda: self._web3.eth.call(fields)))

    def send(
        self, signer: Signer, to: str | None, data: bytes, gas_limit: int | None = None
    ) -> Receipt:
        """Sign, send and mine one transaction; `to=None` creates a contract."""
        if gas_limit is not None:
            check_gas_limit(gas_limit)
        gas_limit = self._dry_run(signer, to, data, gas_limit)
        base_fee_wei = self._reached(lambda: self._web3.eth.get_block("latest"))["baseFeePerGas"]
        raw = signed_transaction(
            signer,
            to,
            data,
            chain_id=self._chain_id,
            nonce=self.nonce(signer.address),
            gas_limit=gas_limit,
            max_fee_wei=2 * base_fee_wei + _PRIORITY_FEE_WEI,
            priority_fee_wei=_PRIORITY_FEE_WEI,
        )
        sent = self._reached(lambda: self._web3.eth.send_raw_transaction(raw))
        receipt = self._reached(
            lambda: self._web3.eth.wait_for_transaction_receipt(
                sent, timeout=_RECEIPT_TIMEOUT_S, poll_latency=0.02
            )
        )
        if receipt["status"] != 1:
            raise L1Error(f"transaction 0x{bytes(sent).hex()}: expected success, got a revert")
        return _receipt(receipt)

    def logs(self, address: str, first_block: int = 0) -> tuple[Log, ...]:
        """Every event of one contract from a block onward, oldest first."""
        wanted: Any = {"address": _checksum(address), "fromBlock": first_block}
        return tuple(_log(log) for log in self._reached(lambda: self._web3.eth.get_logs(wanted)))

    def close(self) -> None:
        """Close the HTTP sessions."""
        # web3 keeps the sessions of its HTTP provider to itself and never closes them.
        provider: Any = self._web3.provider
        for _, session in provider._request_session_manager.session_cache.items():
            session.close()

    def _dry_run(self, signer: Signer, to: str | None, data: bytes, gas_limit: int | None) -> int:
        """The gas limit to send with, after the node has run the call without mining it."""
        fields = _call_fields(to, data, signer.address, gas_limit or TRANSACTION_GAS_CAP)
        if gas_limit is not None:
            self._reached(lambda: self._web3.eth.call(fields))
            return gas_limit
        estimate = int(self._reached(lambda: self._web3.eth.estimate_gas(fields)))
        return min(estimate * _GAS_HEADROOM_PERCENT // 100, TRANSACTION_GAS_CAP)

    def _require_local(self, wanted: str) -> None:
        if self._chain_id not in LOCAL_CHAIN_IDS:
            raise NotLocalChain(wanted, self._chain_id, LOCAL_CHAIN_IDS)

    def _request(self, method: str, parameters: list[object]) -> None:
        name: Any = method
        answer = self._reached(lambda: self._web3.provider.make_request(name, parameters))
        if "error" in answer:
            refusal = answer["error"]
            message = refusal.get("message") if isinstance(refusal, dict) else refusal
            raise L1Error(f"node {self._host}: expected it to offer {method}, got: {message}")

    def _reached(self, request: Callable[[], Any]) -> Any:
        """The answer of a node request, with web3's errors turned into this package's."""
        from web3.exceptions import ContractLogicError, Web3Exception

        try:
            return request()
        except ContractLogicError as error:
            data = error.data if isinstance(error.data, str) else "0x"
            raise L1Reverted(bytes.fromhex(data.removeprefix("0x")), str(error.message)) from error
        except OSError as error:
            # The error's own text repeats the URL, with the access key that it may hold.
            answer = getattr(error, "response", None)
            got = type(error).__name__ if answer is None else f"HTTP status {answer.status_code}"
            raise L1Error(f"node {self._host}: expected an answer, got {got}") from error
        except (Web3Exception, ValueError) as error:
            raise L1Error(f"node: {error}") from error


def _host(url: str) -> str:
    """Host and port of a node's URL.

    Raises: InputRefused.
    """
    expected = "http://HOST:PORT or https://HOST"
    try:
        parts = urlsplit(url)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError as error:
        raise InputRefused("node URL", expected, error) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputRefused("node URL", expected, f"scheme {parts.scheme!r}")
    return f"{parts.hostname}{port}"


def _checksum(address: str) -> Any:
    from eth_utils import to_checksum_address

    return to_checksum_address(address)


def _call_fields(to: str | None, data: bytes, sender: str, gas_limit: int) -> TxParams:
    fields: TxParams = {"from": _checksum(sender), "data": data, "gas": gas_limit}
    if to is not None:
        fields["to"] = _checksum(to)
    return fields


def _log(log: Any) -> Log:
    return Log(
        address=str(log["address"]).lower(),
        topics=tuple(bytes(topic) for topic in log["topics"]),
        data=bytes(log["data"]),
        block_number=int(log["blockNumber"]),
    )


def _receipt(receipt: Any) -> Receipt:
    created = receipt["contractAddress"]
    return Receipt(
        transaction_hash="0x" + bytes(receipt["transactionHash"]).hex(),
        block_number=int(receipt["blockNumber"]),
        gas_used=int(receipt["gasUsed"]),
        contract=None if created is None else str(created).lower(),
        logs=tuple(_log(log) for log in receipt["logs"]),
    )
