"""Batch: up to 50 places and cancels under one signature, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from circuits.exchange.addresses import agent_address
from circuits.exchange.book import cancel_named
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind
from circuits.exchange.leaves import AgentKey
from circuits.exchange.limits import BATCH_OPERATIONS_MAX, NONCE_MAX
from circuits.exchange.matching import place_order
from circuits.exchange.order_checks import NewOrder
from circuits.exchange.steps import OperationRefused, OrderName
from circuits.exchange.transactions.authority import (
    TRADING_WIDTHS,
    Context,
    authorise_trading,
    packed_tail,
)

if TYPE_CHECKING:
    from circuits.signature import Signature

OPERATION_BITS = 8
PLACE_OPERATION, CANCEL_OPERATION = 1, 2


@dataclass(frozen=True, slots=True)
class PlaceOperation:
    """As `Place`; its nonce is the batch's plus its place in the batch."""

    CODE: ClassVar[int] = PLACE_OPERATION
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (
        ("market", 16),
        ("side", 8),
        ("time_in_force", 8),
        ("reduce_only", 8),
        ("price", 32),
        ("size", 48),
        ("good_until_ms", 48),
    )

    market: int
    side: int
    time_in_force: int
    reduce_only: int
    price: int
    size: int
    good_until_ms: int


@dataclass(frozen=True, slots=True)
class CancelOperation:
    """As `Cancel`."""

    CODE: ClassVar[int] = CANCEL_OPERATION
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (("order_key_slot", 8), ("order_nonce", 48))

    order_key_slot: int
    order_nonce: int


Operation = PlaceOperation | CancelOperation


@dataclass(frozen=True, slots=True)
class Batch:
    """The operations in their order. The nonces from `nonce` on, one for each, are used up."""

    KIND: ClassVar[Kind] = Kind.BATCH
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = TRADING_WIDTHS

    account: int
    nonce: int
    expiry_ms: int
    key_slot: int
    operations: tuple[Operation, ...]

    def tail(self) -> tuple[int, ...]:
        """One word for each operation: its code, then its fields, lowest first."""
        return tuple(
            each.CODE | packed_tail(each, each.WIDTHS)[0] << OPERATION_BITS
            for each in self.operations
        )


def apply(draft: Draft, context: Context, batch: Batch, signature: Signature) -> None:
    """Apply the operations; a refused one is undone and leaves the others as they are.

    Raises: Rejected with the first rule of authority that fails, BATCH_SIZE, or FIELD_OUT_OF_RANGE
    for nonces that do not fit their width.
    """
    authorise_trading(draft, context, batch, signature)
    count = len(batch.operations)
    if not 1 <= count <= BATCH_OPERATIONS_MAX:
        raise Rejected(RejectReason.BATCH_SIZE, f"1..{BATCH_OPERATIONS_MAX} operations", count)
    last_nonce = batch.nonce + count - 1
    if last_nonce > NONCE_MAX:
        raise Rejected(
            RejectReason.FIELD_OUT_OF_RANGE, f"nonces in 0..{NONCE_MAX}", f"one of {last_nonce}"
        )
    _use_nonces(draft, batch, last_nonce)
    for place, operation in enumerate(batch.operations):
        mark = draft.mark()
        try:
            _operate(draft, context.time_ms, batch, place, operation)
        except Rejected as rejected:
            draft.rollback(mark)
            draft.steps.append(OperationRefused(place, rejected.reason))


def _use_nonces(draft: Draft, batch: Batch, last_nonce: int) -> None:
    if batch.key_slot == 0:
        draft.put_account(batch.account, draft.known(batch.account).with_nonce(last_nonce))
        return
    address = agent_address(batch.account, batch.key_slot - 1)
    draft.put(address, cast(AgentKey, draft.get(address))._replace(nonce=last_nonce))


def _operate(draft: Draft, time_ms: int, batch: Batch, place: int, operation: Operation) -> None:
    if isinstance(operation, CancelOperation):
        name = OrderName(batch.account, operation.order_key_slot, operation.order_nonce)
        cancel_named(draft, name)
        return
    order = NewOrder(
        OrderName(batch.account, batch.key_slot, batch.nonce + place),
        operation.market,
        operation.side,
        operation.time_in_force,
        operation.reduce_only,
        operation.price,
        operation.size,
        operation.good_until_ms,
    )
    place_order(draft, time_ms, order)
