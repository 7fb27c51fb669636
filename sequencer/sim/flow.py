"""The order flow: who acts next, and what governance and the oracle do at their time."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from circuits.exchange.bodies import Body
from circuits.exchange.leaves import MarketStatus, Mode
from circuits.exchange.transactions.deposit import Deposit
from circuits.exchange.transactions.set_mode import SetMode
from circuits.exchange.transactions.update_market import UpdateMarket
from circuits.exchange.units import TokenUnits
from sequencer.sim.cast import INSURANCE_ACCOUNT, Cast, owner_of
from sequencer.sim.desk import Desk
from sequencer.sim.errands import ERRANDS, force_close, pick, top_up
from sequencer.sim.keys import Keyring
from sequencer.sim.makers import cancel, maker_turn
from sequencer.sim.markets import MARKETS, TOKEN
from sequencer.sim.mischief import MISCHIEF
from sequencer.sim.opening import arrangements, opening
from sequencer.sim.oracle import Oracle
from sequencer.sim.plan import Plan
from sequencer.sim.takers import follower_turn, stop_turn, taker_turn

MAKER, TAKER, FOLLOWER, STOP, ERRAND, MISCHIEVOUS = range(6)
WEIGHTS = (830, 55, 55, 20, 20, 20)
"""Turns of each sort in a thousand."""

_TURNS = tuple(accumulate(WEIGHTS))
_ERRANDS = tuple(accumulate(weight for weight, _ in ERRANDS))

RESCUE_TOKENS = 2_000_000
"""What the insurance gets after the crash."""

TRIES = 20
"""How often the flow looks for someone with something to do."""


class Flow:
    """An endless order flow; `next_body` is to be asked at the desk's present time."""

    def __init__(self, desk: Desk, cast: Cast, keyring: Keyring) -> None:
        self._desk = desk
        self._cast = cast
        self._opening = opening(desk, cast, keyring)
        self._arrangements = arrangements(desk, cast, keyring)
        self._events = scheduled(desk.plan)
        self._oracle: Oracle | None = None
        self._turn_count = 0
        self._mischief_count = 0

    def next_body(self) -> Body:
        """The next command of somebody."""
        if self._oracle is None:
            body = next(self._opening, None)
            if body is not None:
                return body
            self._oracle = Oracle(self._desk)
        body = self._oracle.due() or self._due_event()
        if body is None and self._turn_count % 2:
            body = next(self._arrangements, None)
        self._turn_count += 1
        tries = 0
        while body is None and tries < TRIES:
            body = self._turn(self._oracle)
            tries += 1
        return top_up(self._desk, self._cast) if body is None else body

    def _due_event(self) -> Body | None:
        if self._events and self._desk.progress >= self._events[0][0]:
            return self._events.pop(0)[1]
        return None

    def _turn(self, oracle: Oracle) -> Body | None:
        """Somebody's turn; None when there is nothing that this one wants."""
        desk, cast = self._desk, self._cast
        if desk.is_frozen():
            return frozen_turn(desk, cast)
        sort = bisect_right(_TURNS, desk.rng.randrange(_TURNS[-1]))
        if sort == MAKER:
            return maker_turn(desk, pick(desk, cast.makers))
        if sort == TAKER:
            return taker_turn(desk, pick(desk, cast.takers + cast.isolated))
        if sort == FOLLOWER:
            return follower_turn(desk, pick(desk, cast.followers))
        if sort == STOP:
            return stop_turn(desk, pick(desk, cast.takers + cast.followers))
        if sort == ERRAND:
            number = bisect_right(_ERRANDS, desk.rng.randrange(_ERRANDS[-1]))
            return ERRANDS[number][1](desk, cast)
        mischief = MISCHIEF[self._mischief_count % len(MISCHIEF)]
        self._mischief_count += 1
        return mischief(desk, cast, oracle)


def frozen_turn(desk: Desk, cast: Cast) -> Body | None:
    """In a frozen exchange orders can only be taken back; who is ruined tries to get out by L1."""
    trader = pick(desk, cast.followers)
    if desk.worth(trader.account)[0] < 0:
        return force_close(desk, trader)
    maker = pick(desk, cast.makers)
    own = desk.resting(maker.account, MARKETS[desk.rng.randrange(len(MARKETS))])
    is_fleeing = own and desk.rng.randrange(8) == 0
    return cancel(desk, maker, own[0]) if is_fleeing else None


def scheduled(plan: Plan) -> list[tuple[int, Body]]:
    """What happens from which thousandth of the run on."""
    last, terms = MARKETS[-1], MARKETS[-1].terms(plan)
    insurance, rescue = owner_of(INSURANCE_ACCOUNT), TokenUnits(RESCUE_TOKENS * TOKEN)
    return [
        (550, UpdateMarket(last.number, MarketStatus.REDUCE_ONLY, terms)),
        (560, UpdateMarket(last.number, MarketStatus.ACTIVE, terms)),
        (plan.freeze_from, SetMode(Mode.FROZEN)),
        (plan.freeze_until, SetMode(Mode.NORMAL)),
        (750, SetMode(Mode.CONSERVATIVE)),
        (760, SetMode(Mode.NORMAL)),
        (775, Deposit(INSURANCE_ACCOUNT, insurance, rescue)),
    ]
