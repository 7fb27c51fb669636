"""What can happen within one command, as small facts in the order in which they happened.

Sizes are positive lots, prices ticks, fees and payments cash units, sides those of an order.
"""

from __future__ import annotations

from typing import NamedTuple

from circuits.exchange.errors import RejectReason


class OrderName(NamedTuple):
    """What names an order or trigger for ever: the account, the key that signed it, its nonce."""

    account: int
    key_slot: int
    nonce: int


class Filled(NamedTuple):
    """A trade at the resting order's price; `side` is the taker's."""

    market: int
    taker: OrderName
    maker: OrderName
    side: int
    price: int
    size: int
    taker_fee: int
    maker_fee: int


class Dropped(NamedTuple):
    """A resting order left the book without a trade."""

    market: int
    order: OrderName
    reason: RejectReason


class Rested(NamedTuple):
    """An order rests in the book."""

    market: int
    slot: int
    order: OrderName
    side: int
    price: int
    size: int


class Ended(NamedTuple):
    """What was left of an order is gone; without a reason because it could only fill at once."""

    market: int
    order: OrderName
    remaining: int
    reason: RejectReason | None


class Cancelled(NamedTuple):
    """A resting order or a waiting trigger was taken out."""

    market: int
    order: OrderName


class TriggerRested(NamedTuple):
    """A trigger waits."""

    market: int
    slot: int
    order: OrderName


class TriggerFired(NamedTuple):
    """A trigger became an order."""

    market: int
    order: OrderName


class TriggerDropped(NamedTuple):
    """A trigger that came due did not become an order."""

    market: int
    order: OrderName
    reason: RejectReason


class OperationRefused(NamedTuple):
    """One operation of a batch, counted from 0, was refused; the others stand."""

    place: int
    reason: RejectReason


class PriceTaken(NamedTuple):
    """A tick set the index price."""

    market: int
    index_price: int
    mark_price: int


class BreakerTripped(NamedTuple):
    """A tick was too far off, or too few quotes agreed: the market is halted."""

    market: int
    median: int


class BreakerHeld(NamedTuple):
    """A tick came while the market is halted; `agreed_count` ticks have agreed since."""

    market: int
    median: int
    agreed_count: int


class Halted(NamedTuple):
    """The market is halted because its price is no longer valid."""

    market: int


class Resumed(NamedTuple):
    """The market goes on at the price that the last ticks agreed on."""

    market: int
    index_price: int
    mark_price: int


class Sampled(NamedTuple):
    """A funding sample was taken, or passed over (`is_counted` False) for want of a price."""

    market: int
    premium: int
    mark_price: int
    is_counted: bool


class FundingSettled(NamedTuple):
    """The funding index moved by the rate of the period."""

    market: int
    rate_ppb: int
    funding_index: int


class TakenOver(NamedTuple):
    """A position moved to a backstop or, deleveraged, against another trader's."""

    market: int
    account: int
    counterparty: int
    price: int
    size: int


class DeficitCovered(NamedTuple):
    """The insurance account paid what an account without positions owed."""

    account: int
    amount: int


class SharesMinted(NamedTuple):
    """Collateral became shares of a vault."""

    account: int
    vault: int
    shares: int


class SharesRedeemed(NamedTuple):
    """Shares of a vault became cash."""

    account: int
    vault: int
    shares: int
    payout: int


class RedemptionQueued(NamedTuple):
    """Shares wait for the vault to have the collateral free."""

    account: int
    vault: int
    shares: int


class PaidOut(NamedTuple):
    """A forced withdrawal: `amount` token units are payable on L1 to the owner."""

    account: int
    owner: int
    amount: int


Step = (
    Filled
    | Dropped
    | Rested
    | Ended
    | Cancelled
    | TriggerRested
    | TriggerFired
    | TriggerDropped
    | OperationRefused
    | PriceTaken
    | BreakerTripped
    | BreakerHeld
    | Halted
    | Resumed
    | Sampled
    | FundingSettled
    | TakenOver
    | DeficitCovered
    | SharesMinted
    | SharesRedeemed
    | RedemptionQueued
    | PaidOut
)
