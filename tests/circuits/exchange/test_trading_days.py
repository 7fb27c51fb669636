"""Random days of trading: whatever happens, all is whole afterwards."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.exchange.bodies import Body
from circuits.exchange.leaves import AccountKind
from circuits.exchange.transactions.expire import Expire
from circuits.exchange.transactions.fire_trigger import FireTrigger
from tests.support.guides import FollowingGuide
from tests.support.market import (
    ANN,
    ASK,
    BID,
    BOB,
    CAT,
    FEE,
    FOK,
    GTT,
    INSURANCE,
    IOC,
    LP_VAULT,
    MARK,
    POST_ONLY,
    START_MS,
    Scene,
    cancelling,
    operation,
)
from tests.support.trading import MARGIN_UNITS

PRICES = st.integers(MARK - 3, MARK + 3)
ACCOUNTS = st.sampled_from([ANN, BOB, CAT, LP_VAULT])
FLAGS = st.fixed_dictionaries(
    {
        "time_in_force": st.sampled_from([GTT, GTT, GTT, IOC, FOK, POST_ONLY]),
        "reduce_only": st.sampled_from([0, 0, 0, 1]),
        "good_until_ms": st.sampled_from([START_MS + 2, START_MS + 10, 2**48 - 1]),
        "market": st.sampled_from([0, 0, 1]),
    }
)
ORDERS = st.tuples(st.sampled_from([BID, ASK]), PRICES, st.integers(2, 30), FLAGS)
ACTIONS = st.one_of(
    st.tuples(st.just("place"), ACCOUNTS, ORDERS),
    st.tuples(st.just("place"), ACCOUNTS, ORDERS),
    st.tuples(st.just("modify"), ACCOUNTS, st.tuples(st.integers(1, 12), ORDERS)),
    st.tuples(st.just("cancel"), ACCOUNTS, st.integers(1, 12)),
    st.tuples(st.just("cancel_all"), ACCOUNTS, st.none()),
    st.tuples(st.just("batch"), ACCOUNTS, st.lists(ORDERS, min_size=1, max_size=4)),
    st.tuples(
        st.just("trigger"), ACCOUNTS, st.tuples(st.integers(0, 1), st.integers(0, 1), ORDERS)
    ),
    st.tuples(st.just("fire"), ACCOUNTS, st.tuples(st.integers(0, 1), st.integers(0, 1))),
    st.tuples(st.just("expire"), ACCOUNTS, st.integers(1, 6)),
)


def body_of(scene: Scene, action: tuple[str, int, Any]) -> Body:
    kind, account, values = action
    match kind:
        case "place":
            side, price, size, fields = values
            return scene.place(account, side, price, size, **fields)
        case "modify":
            nonce, (side, price, size, fields) = values
            return scene.modify(account, (0, nonce), side, price, size, **fields)
        case "cancel":
            return scene.cancel(account, values)
        case "cancel_all":
            return scene.cancel_all(account)
        case "batch":
            operations = [
                operation(side, price, size, **fields) for side, price, size, fields in values
            ]
            return scene.batch(account, *operations, cancelling(len(values)))
        case "trigger":
            source, direction, (side, price, size, fields) = values
            fields = fields | {"time_in_force": fields["time_in_force"] % 2, "source": source}
            return scene.trigger(
                account, price, side=side, price=price, size=size, direction=direction, **fields
            )
        case "fire":
            return FireTrigger(0, *values)
        case _:
            return Expire(0, values)


@settings(max_examples=60)
@given(days=st.lists(ACTIONS, max_size=30), tight=st.booleans())
def test_after_any_day_all_is_whole(days: list[tuple[str, int, Any]], tight: bool) -> None:
    guide = FollowingGuide()
    scene = Scene(market_count=2, guide=guide)
    if tight:
        for account in (ANN, BOB, CAT):
            scene.set_cash(account, 30 * MARGIN_UNITS)
        scene.set_terms(open_interest_max=60)
    for action in days:
        scene.time_ms += 1
        scene.run(body_of(scene, action))
        assert guide.is_up_to_date(scene.state.leaves.items())
    kinds = {account: scene.header(account).kind for account in (FEE, INSURANCE)}
    assert kinds == {FEE: AccountKind.FEE, INSURANCE: AccountKind.INSURANCE}
