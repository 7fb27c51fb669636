"""RpcL1 against anvil with Osaka's rules: the same gas, addresses and refusals as EmbeddedL1."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from circuits.exchange.limits import SUB_ACCOUNT_FIRST
from sequencer.l1 import devkeys
from sequencer.l1.abi import load_artifact, rejection
from sequencer.l1.embedded import EmbeddedL1
from sequencer.l1.errors import (
    GasLimitAboveCap,
    InputRefused,
    L1Error,
    L1Rejected,
    L1Reverted,
    NotLocalChain,
)
from sequencer.l1.port import L1, TRANSACTION_GAS_CAP
from sequencer.l1.rpc import RpcL1
from tests.contracts.support.venue import (
    ALICE,
    ARTIFACTS,
    BOB,
    FUNDED,
    GENESIS_TIME_S,
    day_of_the_venue,
    deployed,
    embedded,
    fund,
    next_statement,
    post,
)
from tests.sequencer.l1.test_osaka_evm import INPUTS, coded
from tests.support.anvil import MISSING_REASON, Anvil, anvil_is_missing, running_anvil

TOKEN = load_artifact("TestToken")
QUEUE = load_artifact("Queue")

pytestmark = [
    pytest.mark.anvil,
    pytest.mark.skipif(anvil_is_missing(), reason=MISSING_REASON),
]


def fresh_anvil() -> Iterator[Anvil]:
    funded = (devkeys.deployer().address, devkeys.sequencer().address, *FUNDED)
    with running_anvil(genesis_time_s=GENESIS_TIME_S, funded=funded) as node:
        yield node


@pytest.fixture
def anvil() -> Iterator[Anvil]:
    yield from fresh_anvil()


@pytest.fixture
def rpc(anvil: Anvil) -> Iterator[RpcL1]:
    adapter = RpcL1(anvil.url)
    yield adapter
    adapter.close()


@pytest.fixture
def both(rpc: RpcL1) -> tuple[RpcL1, EmbeddedL1]:
    return rpc, embedded()


def test_both_chains_charge_the_same_gas(both: tuple[RpcL1, EmbeddedL1]) -> None:
    (rpc_rollup, rpc_gas), (embedded_rollup, embedded_gas) = map(day_of_the_venue, both)
    assert rpc_gas == embedded_gas
    assert rpc_rollup.deployment == embedded_rollup.deployment
    assert rpc_rollup.queue_entries() == embedded_rollup.queue_entries()
    assert rpc_rollup.custody_state() == embedded_rollup.custody_state()
    rpc_state, embedded_state = rpc_rollup.settlement_state(), embedded_rollup.settlement_state()
    assert rpc_state.root == embedded_state.root
    assert rpc_state.settled_total == embedded_state.settled_total == 2_300


def test_both_chains_price_and_answer_the_precompiles_alike(
    both: tuple[RpcL1, EmbeddedL1],
) -> None:
    artifact = load_artifact("Precompiles", ARTIFACTS)
    modexp = {
        "invert": (5, coded(32, 32, 32, 5, 2**256 - 3, 2**255 + 9)),
        "smallest": (5, coded(1, 1, 1) + b"\x03\x02\x07"),
        "nothing": (5, b""),
        "no base": (5, coded(0, 1, 1) + b"\x02\x07"),
        "over the limit": (5, coded(1025, 1, 1)),
        "wide": (5, coded(64, 33, 64) + bytes(range(161))),
    }

    def answers(l1: L1) -> dict[str, tuple[object, int]]:
        address = l1.send(ALICE, None, artifact.creation()).contract
        assert address is not None
        found: dict[str, tuple[object, int]] = {}
        for name, (number, data) in (INPUTS | modexp).items():
            call = artifact.call("run", f"0x{number:040x}", data)
            receipt = l1.send(ALICE, address, call, gas_limit=2_000_000)
            found[name] = (artifact.event("Answered", receipt.logs[0]), receipt.gas_used)
        return found

    rpc_answers, embedded_answers = map(answers, both)
    assert rpc_answers == embedded_answers


def test_both_chains_refuse_with_the_same_error(both: tuple[RpcL1, EmbeddedL1]) -> None:
    def refusals(l1: L1) -> list[str]:
        rollup = deployed(l1)
        fund(rollup, ALICE, 10)
        rollup.register_key(ALICE, 5, 6)
        statement = next_statement(rollup, queue_count=1)
        post(rollup, statement)
        attempts: list[Callable[[], object]] = [
            lambda: post(rollup, statement),
            lambda: rollup.deposit(ALICE, 1, 11),
            lambda: rollup.claim(BOB),
            lambda: rollup.verify([1], [2, 3], b""),
        ]
        return [refusal(attempt) for attempt in attempts]

    rpc_refusals, embedded_refusals = map(refusals, both)
    assert rpc_refusals == embedded_refusals
    assert rpc_refusals[0] == "WrongBatchNumber(expected=2, got=1)"
    assert rpc_refusals[3] == "EmptyProof(wordCount=1, pubdataLength=2)"


def refusal(attempt: Callable[[], object]) -> str:
    with pytest.raises(L1Rejected) as caught:
        attempt()
    return str(caught.value)


def test_both_chains_keep_the_clock_that_is_set(both: tuple[RpcL1, EmbeddedL1]) -> None:
    for l1 in both:
        later = GENESIS_TIME_S + 5_000
        l1.set_time_s(later)
        assert l1.time_s() == later
        l1.send(ALICE, None, TOKEN.creation())
        assert l1.time_s() >= later
        with pytest.raises(L1Error, match=r"block time: expected after"):
            l1.set_time_s(later)


def test_both_chains_cap_the_gas_of_a_transaction(both: tuple[RpcL1, EmbeddedL1]) -> None:
    for l1 in both:
        l1.send(ALICE, None, TOKEN.creation(), gas_limit=TRANSACTION_GAS_CAP)
        with pytest.raises(GasLimitAboveCap):
            l1.send(ALICE, None, TOKEN.creation(), gas_limit=TRANSACTION_GAS_CAP + 1)


def test_an_unfunded_sender_is_one_clear_error(rpc: RpcL1) -> None:
    poor = devkeys.development_signer("poor")
    with pytest.raises(L1Error, match=r"node: .*[Ff]unds"):
        rpc.send(poor, None, TOKEN.creation())


def test_account_ids_end_where_sub_accounts_begin(anvil: Anvil, rpc: RpcL1) -> None:
    """Or a stranger could open an id on L2 before L1 assigns it, and no batch could go on.

    The count is moved to the end in storage: registering that often takes months."""
    rollup = deployed(rpc)
    last = SUB_ACCOUNT_FIRST - 2
    anvil.request(
        "anvil_setStorageAt", rollup.deployment.queue, "0x1", "0x" + last.to_bytes(32, "big").hex()
    )
    count = rpc.call(rollup.deployment.queue, QUEUE.call("accountCount"))
    assert QUEUE.output("accountCount", count) == last
    assert rollup.register_key(ALICE, 5, 6).account == SUB_ACCOUNT_FIRST - 1
    exhausted = f"AccountsExhausted(limit={SUB_ACCOUNT_FIRST})"
    assert refusal(lambda: rollup.register_key(ALICE, 5, 6)) == exhausted


def test_revert_data_of_a_creation_is_decoded(rpc: RpcL1) -> None:
    creation = load_artifact("Custody").creation(BOB.address, BOB.address, BOB.address)
    with pytest.raises(L1Reverted) as caught:
        rpc.send(ALICE, None, creation)
    assert str(rejection(caught.value)) == f"TokenHasNoCode(token={BOB.address})"


def test_a_node_that_is_not_there_is_one_clear_error() -> None:
    """The URL's user and path often hold an access key, so no error repeats them."""
    with pytest.raises(L1Error) as caught:
        RpcL1("http://user:word@127.0.0.1:1/key")
    assert str(caught.value) == "node 127.0.0.1:1: expected an answer, got ConnectionError"


@pytest.mark.parametrize("url", ["127.0.0.1:8545", "ws://127.0.0.1:8545", "http://", "http://h:x"])
def test_a_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(InputRefused, match=r"^node URL: expected http://HOST:PORT or https://HOST"):
        RpcL1(url)


def test_balances_are_set_on_local_chains_only(rpc: RpcL1, anvil: Anvil) -> None:
    poor = devkeys.development_signer("poor")
    rpc.set_balance(poor.address, 10**18)
    rpc.send(poor, None, TOKEN.creation())
    with running_anvil(genesis_time_s=GENESIS_TIME_S, funded=(), chain_id=1) as public:
        adapter = RpcL1(public.url)
        for attempt in (
            lambda: adapter.set_balance(poor.address, 1),
            lambda: adapter.set_time_s(GENESIS_TIME_S + 9),
        ):
            with pytest.raises(NotLocalChain, match=r"\(1337, 31337\), got chain id 1$"):
                attempt()
        adapter.close()


def test_a_node_without_a_development_call_is_one_clear_error(rpc: RpcL1) -> None:
    with pytest.raises(L1Error, match="expected it to offer plasma_unknown, got: "):
        rpc._request("plasma_unknown", [])
