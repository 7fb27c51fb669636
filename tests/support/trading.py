"""What the steps of an order say, and positions to start from."""

from __future__ import annotations

from circuits.exchange.errors import RejectReason
from circuits.exchange.steps import Dropped, Ended, Filled, Step
from tests.support.market import DAN, LOT_UNITS, Scene

MARGIN_UNITS = LOT_UNITS // 10
"""Token units of initial margin for a lot at the mark; maintenance is half of it."""


def fills(steps: tuple[Step, ...]) -> list[tuple[int, int, int]]:
    """Maker, price and size of each fill."""
    return [
        (step.maker.account, step.price, step.size) for step in steps if isinstance(step, Filled)
    ]


def drops(steps: tuple[Step, ...]) -> list[tuple[int, RejectReason]]:
    """Maker and reason of each drop."""
    return [(step.order.account, step.reason) for step in steps if isinstance(step, Dropped)]


def ending(steps: tuple[Step, ...]) -> tuple[int, RejectReason | None]:
    """What was left at the end and why."""
    (step,) = (step for step in steps if isinstance(step, Ended))
    return step.remaining, step.reason


def without_fees(scene: Scene) -> Scene:
    scene.set_fees(taker_ppm=0, maker_ppm=0)
    return scene


def positioned(scene: Scene, account: int, size: int, cash_units: int, against: int = DAN) -> None:
    """A position made at the mark without fees, and what cash the account then has."""
    scene.set_fees(taker_ppm=0, maker_ppm=0)
    buyer, seller = (account, against) if size > 0 else (against, account)
    scene.trade(buyer, seller, abs(size))
    scene.set_cash(account, cash_units)
