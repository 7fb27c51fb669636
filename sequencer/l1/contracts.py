"""Calls to the deployed contracts, the same for every adapter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sequencer.l1.abi import Artifact, load_artifact, rejection
from sequencer.l1.deploy import Deployment
from sequencer.l1.errors import L1Error, L1Reverted
from sequencer.l1.port import L1, ZERO_ADDRESS, Log, Receipt, Signer, address_text


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """One deposit or key registration as the queue recorded it.

    `head` = kind + account * 2^8 + amount * 2^32; `chain` is the hash chain's value after it.
    """

    index: int
    head: int
    owner: int
    key_x: int
    key_y: int
    chain: bytes

    @property
    def kind(self) -> int:
        """1 = deposit, 2 = register key."""
        return self.head & 0xFF

    @property
    def account(self) -> int:
        """Account id."""
        return self.head >> 8 & 0xFFFFFF

    @property
    def amount(self) -> int:
        """Token units, zero for a registration."""
        return self.head >> 32

    @property
    def owner_address(self) -> str:
        """The owner as an address string."""
        return address_text(self.owner)


@dataclass(frozen=True, slots=True)
class Registration:
    """A new account: the id that the queue assigned."""

    account: int
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Claim:
    """A pull payment: token units paid to the caller."""

    amount: int
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class SettlementState:
    """What the next batch must continue from."""

    root: int
    next_batch_number: int
    sequencer_epoch: int
    queue_cursor: int
    time_last_ms: int
    settled_total: int


@dataclass(frozen=True, slots=True)
class AcceptedBatch:
    """What the settlement recorded when it accepted a batch; times in ms, totals in token units."""

    batch_number: int
    new_root: int
    root_accounts: int
    queue_cursor: int
    time_last_ms: int
    deposit_total: int
    withdrawal_total: int
    block_number: int


@dataclass(frozen=True, slots=True)
class CustodyState:
    """Totals in token units. `custody_total` = deposited - claimed; `token_balance` is what the
    token itself says that custody holds.
    """

    deposited: int
    credited: int
    claimed: int
    custody_total: int
    token_balance: int

    @property
    def matches(self) -> bool:
        """True when the token holds what the books say, and no more is credited than came in."""
        return (
            self.token_balance == self.custody_total == self.deposited - self.claimed
            and self.claimed <= self.credited <= self.deposited
        )


class Rollup:
    """One deployed venue. Every transaction raises L1Rejected, unsent, where a contract refuses."""

    def __init__(self, l1: L1, deployment: Deployment) -> None:
        self.l1 = l1
        self.deployment = deployment
        self._token = load_artifact("TestToken")
        self._custody = load_artifact("Custody")
        self._queue = load_artifact("Queue")
        self._settlement = load_artifact("Settlement")

    def mint(self, owner: Signer, amount: int) -> Receipt:
        """Make test tokens for the caller; only the demo's token has this."""
        return self._send(
            owner, self.deployment.token, self._token.call("mint", owner.address, amount)
        )

    def register_key(self, owner: Signer, key_x: int, key_y: int) -> Registration:
        """Open an account for the caller and queue its key."""
        data = self._queue.call("registerKey", key_x, key_y)
        receipt = self._send(owner, self.deployment.queue, data)
        return Registration(self._entries(receipt.logs)[-1].account, receipt)

    def rotate_key(self, owner: Signer, account: int, key_x: int, key_y: int) -> Receipt:
        """Queue another key for an account of the caller."""
        data = self._queue.call("rotateKey", account, key_x, key_y)
        return self._send(owner, self.deployment.queue, data)

    def approve(self, owner: Signer, amount: int) -> Receipt:
        """Let custody pull this many token units from the caller."""
        data = self._token.call("approve", self.deployment.custody, amount)
        return self._send(owner, self.deployment.token, data)

    def deposit(self, owner: Signer, account: int, amount: int) -> Receipt:
        """Pay into an account; `approve` comes first."""
        data = self._queue.call("deposit", account, amount)
        return self._send(owner, self.deployment.queue, data)

    def submit_batch(
        self, sequencer: Signer, words: Sequence[int], pubdata: Sequence[int], proof: bytes
    ) -> Receipt:
        """Post one proven batch."""
        data = self._settlement.call("submitBatch", list(words), list(pubdata), proof)
        return self._send(sequencer, self.deployment.settlement, data)

    def claim(self, owner: Signer) -> Claim:
        """Pay out everything that accepted batches credited to the caller."""
        receipt = self._send(owner, self.deployment.custody, self._custody.call("claim"))
        for log in receipt.logs:
            if log.address == self.deployment.custody:
                event = self._custody.event("Claimed", log)
                if event is not None:
                    return Claim(event["amount"], receipt)
        raise L1Error("Custody.claim: expected a Claimed event, got none")

    def verify(self, words: Sequence[int], pubdata: Sequence[int], proof: bytes) -> None:
        """Ask the verifier alone, without the settlement's own checks.

        Raises: L1Rejected with the verifier's error.
        """
        artifact = self.deployment.verifier_plan.artifact
        data = artifact.call("verify", list(words), list(pubdata), proof)
        self._call(self.deployment.verifier, data)

    def queue_entries(self, first: int = 0) -> tuple[QueueEntry, ...]:
        """Entries of the queue from an index onward."""
        logs = self.l1.logs(self.deployment.queue, self.deployment.first_block)
        return tuple(entry for entry in self._entries(logs) if entry.index >= first)

    def settlement_state(self) -> SettlementState:
        """The head of the rollup as the contract has it."""
        address = self.deployment.settlement
        return SettlementState(
            root=self._read(self._settlement, address, "root"),
            next_batch_number=self._read(self._settlement, address, "nextBatchNumber"),
            sequencer_epoch=self._read(self._settlement, address, "SEQUENCER_EPOCH"),
            queue_cursor=self._read(self._settlement, address, "queueCursor"),
            time_last_ms=self._read(self._settlement, address, "timeLastMs"),
            settled_total=self._read(self._settlement, address, "settledTotal"),
        )

    def accepted_batches(self, logs: Sequence[Log] | None = None) -> Iterator[AcceptedBatch]:
        """Batches accepted so far, in order; or those that the given logs speak of."""
        address = self.deployment.settlement
        if logs is None:
            logs = self.l1.logs(address, self.deployment.first_block)
        for log in logs:
            values = self._settlement.event("BatchAccepted", log)
            if log.address == address and values is not None:
                yield AcceptedBatch(
                    batch_number=values["batchNumber"],
                    new_root=values["newRoot"],
                    root_accounts=values["rootAccounts"],
                    queue_cursor=values["queueCursor"],
                    time_last_ms=values["timeLastMs"],
                    deposit_total=values["depositTotal"],
                    withdrawal_total=values["withdrawalTotal"],
                    block_number=log.block_number,
                )

    def queue_length(self) -> int:
        """L1 requests that were ever queued."""
        return int(self._read(self._queue, self.deployment.queue, "length"))

    def custody_state(self) -> CustodyState:
        """The totals of custody and its real token balance."""
        address = self.deployment.custody
        return CustodyState(
            deposited=self._read(self._custody, address, "totalDeposited"),
            credited=self._read(self._custody, address, "totalCredited"),
            claimed=self._read(self._custody, address, "totalClaimed"),
            custody_total=self._read(self._custody, address, "custodyTotal"),
            token_balance=self.token_balance(address),
        )

    def claimable(self, owner: str) -> int:
        """Token units that the owner can claim now."""
        return int(self._read(self._custody, self.deployment.custody, "claimable", owner))

    def token_balance(self, owner: str) -> int:
        """Token units that the token says the address holds."""
        return int(self._read(self._token, self.deployment.token, "balanceOf", owner))

    def _entries(self, logs: Sequence[Any]) -> tuple[QueueEntry, ...]:
        found = []
        for log in logs:
            values = self._queue.event("Queued", log)
            if log.address == self.deployment.queue and values is not None:
                found.append(
                    QueueEntry(
                        index=values["index"],
                        head=values["head"],
                        owner=values["owner"],
                        key_x=values["keyX"],
                        key_y=values["keyY"],
                        chain=values["chain"],
                    )
                )
        return tuple(found)

    def _read(self, artifact: Artifact, address: str, function: str, *arguments: object) -> Any:
        output = self._call(address, artifact.call(function, *arguments))
        return artifact.output(function, output)

    def _call(self, address: str, data: bytes) -> bytes:
        try:
            return self.l1.call(address, data, ZERO_ADDRESS)
        except L1Reverted as reverted:
            raise rejection(reverted, self.deployment.verifier_plan.error_folders) from reverted

    def _send(self, signer: Signer, address: str, data: bytes) -> Receipt:
        try:
            return self.l1.send(signer, address, data)
        except L1Reverted as reverted:
            raise rejection(reverted, self.deployment.verifier_plan.error_folders) from reverted
