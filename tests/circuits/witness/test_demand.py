import random

from circuits.chips.system import SHAPE_S, choose_shape, fits, margin_system
from circuits.exchange.addresses import header_address
from circuits.exchange.bodies import Body
from circuits.witness.build import build
from circuits.witness.demand import RowDemand
from tests.support import exchange
from tests.support.batches import batch_of, rich_batch
from tests.support.leaves import executed

# Their rows may be fewer, because equal look-ups share one.
SHARED = {"wide", "poseidon2"}


def test_the_demand_is_what_the_witness_needs() -> None:
    for batch in (rich_batch(), batch_of(exchange.register(1, exchange.OFF_CURVE))):
        demand = RowDemand()
        for event in batch.events:
            expected = demand.rows_with(event)
            demand.add(event)
            assert demand.rows() == expected
        heights = build(batch.statement, batch.events, batch.touched_nodes).heights
        rows = demand.rows()
        assert set(rows) == {chip.name for chip in margin_system().chips}
        for name, height in heights.items():
            if name in SHARED:
                assert height <= rows[name]
            else:
                assert height == rows[name], name


def test_a_batch_sealed_in_time_fits_its_shape(rng: random.Random) -> None:
    """Accounts far apart fill the tree first; the command after the last that fits does not."""
    accounts = rng.sample(range(1, 2**24), 400)
    bodies: list[Body] = [exchange.deposit(account, 1) for account in accounts]
    events = batch_of(*bodies).events
    demand = RowDemand()
    taken = 0
    for event in events:
        if not fits(demand.rows_with(event), SHAPE_S):
            break
        demand.add(event)
        taken += 1
    assert 0 < taken < len(events)
    assert choose_shape(demand.rows()) is SHAPE_S
    batch = batch_of(*bodies[:taken])
    assert build(batch.statement, batch.events, batch.touched_nodes).shape_name == "S"


def test_an_empty_batch_needs_its_root() -> None:
    rows = RowDemand().rows()
    assert (rows["tree"], rows["batch"], rows["range16"], rows["leaf"]) == (1, 1, 65536, 0)


def test_what_no_chip_proves_yet_needs_no_rows() -> None:
    demand = RowDemand()
    for event in batch_of(exchange.deposit(1, 1)).events:
        demand.add(event)
    rows = demand.rows()
    event, _ = executed(exchange.funded(2), {header_address(2): None})
    assert demand.rows_with(event) == rows
    demand.add(event)
    assert demand.rows() == rows
