"""EmbeddedL1: a chain in this process, from pip packages alone, for the demo and the tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sequencer.l1 import devkeys
from sequencer.l1.errors import L1Error, L1Reverted
from sequencer.l1.port import (
    EMBEDDED_CHAIN_ID,
    TRANSACTION_GAS_CAP,
    ZERO_ADDRESS,
    Log,
    Receipt,
    Signer,
)
from sequencer.l1.signing import check_gas_limit, signed_transaction

if TYPE_CHECKING:
    from eth.abc import ComputationAPI, ReceiptAPI

_BLOCK_GAS_LIMIT = 36_000_000
_MAX_FEE_WEI = 2 * 10**9
_PRIORITY_FEE_WEI = 10**9


class EmbeddedL1:
    """eth-tester's py-evm chain with one transaction per block and a clock that tests set.

    Assumes: nothing else drives the chain; importing the packages costs about two seconds.
    """

    def __init__(
        self,
        *,
        genesis_time_s: int,
        funded: Iterable[str] = (),
        chain_id: int = EMBEDDED_CHAIN_ID,
    ) -> None:
        from eth_tester.backends.pyevm.main import PyEVMBackend, get_default_account_state

        from sequencer.l1.osaka_evm import OsakaPricedVM

        addresses = {devkeys.deployer().address, devkeys.sequencer().address, *funded}
        balance = {"balance": devkeys.DEVELOPMENT_BALANCE_WEI}
        backend = PyEVMBackend(
            genesis_parameters=PyEVMBackend.generate_genesis_params(
                {"timestamp": genesis_time_s, "gas_limit": _BLOCK_GAS_LIMIT}
            ),
            genesis_state={
                bytes.fromhex(address[2:]): get_default_account_state(balance)
                for address in sorted(addresses)
            },
            vm_configuration=((0, OsakaPricedVM),),
        )
        # eth-tester makes a fresh chain class per backend and fixes its id in the source.
        type(backend.chain).chain_id = chain_id
        self._backend = backend
        self._logs: list[Log] = []
        self._set_next_time(genesis_time_s + 1)

    @property
    def chain_id(self) -> int:
        """EIP-155 id of the chain."""
        return int(self._backend.chain.chain_id)

    def time_s(self) -> int:
        """Timestamp of the latest block in seconds."""
        return int(self._latest_header().timestamp)

    def set_time_s(self, time_s: int) -> None:
        """Mine an empty block with this timestamp.

        Raises: L1Error where time would not move forward.
        """
        if time_s <= self.time_s():
            raise L1Error(f"block time: expected after {self.time_s()} s, got {time_s} s")
        self._set_next_time(time_s)
        self._mine_block()

    def nonce(self, address: str) -> int:
        """Number of transactions that the address has sent."""
        return int(self._state().get_nonce(bytes.fromhex(address[2:])))

    def code(self, address: str) -> bytes:
        """Runtime code at the address, empty for none."""
        return bytes(self._state().get_code(bytes.fromhex(address[2:])))

    def call(self, to: str, data: bytes, sender: str = ZERO_ADDRESS) -> bytes:
        """Run a read-only call on the latest state and return its output."""
        from eth.vm.spoof import SpoofTransaction

        chain = self._backend.chain
        unsigned = chain.get_transaction_builder().create_unsigned_transaction(
            nonce=self.nonce(sender),
            gas_price=0,
            gas=TRANSACTION_GAS_CAP,
            to=bytes.fromhex(to[2:]),
            value=0,
            data=data,
        )
        spoofed = SpoofTransaction(unsigned, from_=bytes.fromhex(sender[2:]))
        with chain.get_vm(chain.header).in_costless_state() as state:
            computation = state.costless_execute_transaction(spoofed)
        if computation.is_error:
            raise L1Reverted(bytes(computation.output), _halt_reason(computation))
        return bytes(computation.output)

    def send(
        self, signer: Signer, to: str | None, data: bytes, gas_limit: int | None = None
    ) -> Receipt:
        """Sign, send and mine one transaction; `to=None` creates a contract."""
        gas_limit = TRANSACTION_GAS_CAP if gas_limit is None else gas_limit
        check_gas_limit(gas_limit)
        raw = signed_transaction(
            signer,
            to,
            data,
            chain_id=self.chain_id,
            nonce=self.nonce(signer.address),
            gas_limit=gas_limit,
            max_fee_wei=_MAX_FEE_WEI,
            priority_fee_wei=_PRIORITY_FEE_WEI,
        )
        return self._mine(raw)

    def logs(self, address: str, first_block: int = 0) -> tuple[Log, ...]:
        """Every event of one contract from a block onward, oldest first."""
        return tuple(
            log for log in self._logs if log.address == address and log.block_number >= first_block
        )

    def close(self) -> None:
        """Nothing is held open."""

    def _latest_header(self) -> Any:
        return self._backend.chain.get_canonical_head()

    def _state(self) -> Any:
        chain = self._backend.chain
        return chain.get_vm(at_header=chain.header).state

    def _set_next_time(self, time_s: int) -> None:
        """py-evm would let the machine's clock into the next block."""
        self._backend.chain.set_header_timestamp(time_s)

    def _mine_block(self) -> None:
        self._backend.mine_blocks()
        self._set_next_time(self.time_s() + 1)

    def _mine(self, raw: bytes) -> Receipt:
        from eth_utils import ValidationError

        chain = self._backend.chain
        before = chain.header
        transaction = chain.get_transaction_builder().decode(raw)
        try:
            _, receipt, computation = chain.apply_transaction(transaction)
        except ValidationError as error:
            raise L1Error(f"transaction refused: {error}") from error
        if computation.is_error:
            # The pending header is all that points to the new state: putting it back undoes it.
            chain.header = before
            raise L1Reverted(bytes(computation.output), _halt_reason(computation))
        self._mine_block()
        block_number = int(self._latest_header().block_number)
        logs = _logs_of(receipt, block_number)
        self._logs.extend(logs)
        created = computation.msg.storage_address if computation.msg.is_create else None
        return Receipt(
            transaction_hash="0x" + bytes(transaction.hash).hex(),
            block_number=block_number,
            gas_used=int(receipt.gas_used),
            contract=None if created is None else "0x" + bytes(created).hex(),
            logs=logs,
        )


def _halt_reason(computation: ComputationAPI) -> str:
    """What stopped the call where it was not a revert (out of gas, for example)."""
    from eth.exceptions import Revert

    return "" if isinstance(computation.error, Revert) else str(computation.error)


def _logs_of(receipt: ReceiptAPI, block_number: int) -> tuple[Log, ...]:
    return tuple(
        Log(
            address="0x" + bytes(log.address).hex(),
            topics=tuple(topic.to_bytes(32, "big") for topic in log.topics),
            data=bytes(log.data),
            block_number=block_number,
        )
        for log in receipt.logs
    )
