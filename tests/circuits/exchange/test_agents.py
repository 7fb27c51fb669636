"""Agent keys and the referrer: who may set them, what they may sign, and nonces that stay used."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from circuits.exchange.addresses import agent_address, share_address
from circuits.exchange.apply import Command, apply_command
from circuits.exchange.bodies import Signed
from circuits.exchange.errors import RejectReason
from circuits.exchange.leaves import NO_KEY, AgentKey, VaultShare
from circuits.exchange.transactions.authority import SCOPES, digest_of
from circuits.exchange.transactions.cancel import Cancel
from circuits.exchange.transactions.cancel_all import CancelAll
from circuits.exchange.transactions.place import Place
from circuits.exchange.transactions.revoke_agent import RevokeAgent
from circuits.exchange.transactions.set_agent import SetAgent
from circuits.exchange.transactions.set_referrer import SetReferrer
from circuits.field import R
from circuits.poseidon2 import TAG_COMMAND, hash_words
from circuits.signature import SignatureReject, account_key, public_key, sign
from tests.support.exchange import DOMAIN, OFF_CURVE, secret_of
from tests.support.market import (
    ANN,
    BID,
    BOB,
    GTT,
    INSURANCE,
    LP_VAULT,
    MARK,
    START_MS,
    UNSIGNED,
    Scene,
    signed,
)

AGENT_SECRET = 4242
AGENT_POINT, AGENT_KEY = public_key(AGENT_SECRET), account_key(AGENT_SECRET)
TRADE, CANCEL = 1, 2
LATER = START_MS + 10_000


def setting(nonce: int = 1, **changes: Any) -> SetAgent:
    """Ann's agent 2 may trade."""
    values = {
        "account": ANN, "nonce": nonce, "expiry_ms": LATER, "agent": 2, "scope": TRADE,
        "agent_expiry_ms": LATER, "key_x": AGENT_POINT[0], "key_y": AGENT_POINT[1],
    } | changes  # fmt: skip
    return SetAgent(**values)


def placing(nonce: int, key_slot: int = 3, expiry_ms: int = LATER, account: int = ANN) -> Place:
    return Place(account, nonce, expiry_ms, key_slot, 0, BID, GTT, 0, MARK - 50, 5, LATER)


def agent_of(scene: Scene, agent: int = 2) -> AgentKey | None:
    return scene.state.leaves.get(agent_address(ANN, agent))


def with_agent(scope: int = TRADE, **changes: Any) -> Scene:
    scene = Scene()
    scene.do(signed(setting(scope=scope, **changes)))
    return scene


class TestSetAgent:
    """A key in one of eight places."""

    def test_the_leaf_and_the_nonce(self) -> None:
        scene = with_agent(scope=3)
        assert agent_of(scene) == AgentKey(*AGENT_KEY, 3, LATER, 0)
        assert scene.header(ANN).nonce == 1

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"agent": 0}, None),
            ({"agent": 7}, None),
            ({"agent": 8}, RejectReason.BAD_ENUM),
            ({"agent": 255}, RejectReason.BAD_ENUM),
            ({"agent": 256}, RejectReason.FIELD_OUT_OF_RANGE),
            ({"scope": 0}, RejectReason.BAD_ENUM),
            ({"scope": 1}, None),
            ({"scope": 3}, None),
            ({"scope": 4}, RejectReason.BAD_ENUM),
            ({"agent_expiry_ms": 0}, None),
            ({"agent_expiry_ms": 2**48 - 1}, None),
            ({"agent_expiry_ms": 2**48}, RejectReason.FIELD_OUT_OF_RANGE),
            ({"key_x": OFF_CURVE[0], "key_y": OFF_CURVE[1]}, RejectReason.INVALID_AGENT_KEY),
            ({"key_x": 0, "key_y": 0}, RejectReason.INVALID_AGENT_KEY),
            ({"key_x": 0, "key_y": 1}, RejectReason.INVALID_AGENT_KEY),
            ({"key_x": 0, "key_y": R - 1}, RejectReason.INVALID_AGENT_KEY),
            ({"key_x": AGENT_POINT[0] + R}, RejectReason.INVALID_AGENT_KEY),
            ({"key_x": 2**256}, RejectReason.FIELD_OUT_OF_RANGE),
            ({"account": 9}, RejectReason.UNKNOWN_ACCOUNT),
            ({"nonce": 0}, RejectReason.NONCE_NOT_INCREASING),
            ({"expiry_ms": START_MS - 1}, RejectReason.EXPIRED),
            ({"expiry_ms": START_MS}, None),
        ],
        ids=str,
    )
    def test_bounds(self, changes: dict[str, int], expected: RejectReason | None) -> None:
        assert Scene().reason(signed(replace(setting(), **changes))) is expected

    def test_every_mode_and_kind_of_account_may(self) -> None:
        scene = Scene()
        scene.set_controls(mode=2)
        for account in (ANN, LP_VAULT, INSURANCE):
            assert scene.reason(signed(replace(setting(), account=account))) is None

    def test_a_new_key_in_an_old_place_keeps_the_nonce(self) -> None:
        scene = with_agent()
        scene.do(signed(placing(9)))
        other = public_key(77)
        scene.do(signed(setting(2, key_x=other[0], key_y=other[1], scope=CANCEL)))
        assert agent_of(scene) == AgentKey(*account_key(77), CANCEL, LATER, 9)

    def test_an_account_without_a_key_sets_none(self) -> None:
        scene = Scene()
        scene.set_header(ANN, key=NO_KEY)
        assert scene.reason(signed(setting())) is RejectReason.NO_KEY

    def test_each_coordinate_is_a_word_of_the_digest(self) -> None:
        body = setting()
        head = 38 + (ANN << 8) + (1 << 32) + (LATER << 80)
        words = (DOMAIN, head, 2 + (TRADE << 8) + (LATER << 16), *AGENT_POINT)
        assert digest_of(body, DOMAIN) == hash_words(TAG_COMMAND, words)


class TestRevokeAgent:
    """The key goes, the nonce stays."""

    def test_the_leaf_and_the_nonce(self) -> None:
        scene = with_agent()
        scene.do(signed(placing(9)))
        scene.do(signed(RevokeAgent(ANN, 2, LATER, 2)))
        assert agent_of(scene) == AgentKey(0, 0, 0, LATER, 9)
        assert scene.header(ANN).nonce == 2
        assert scene.reason(signed(placing(10))) is RejectReason.UNKNOWN_AGENT

    def test_what_was_signed_before_is_not_good_again(self) -> None:
        """The same key comes back in the same place: its old commands stay used up."""
        scene = with_agent()
        scene.do(signed(placing(9)))
        scene.do(signed(RevokeAgent(ANN, 2, LATER, 2)))
        scene.do(signed(setting(3)))
        assert scene.reason(signed(placing(9))) is RejectReason.NONCE_NOT_INCREASING
        assert scene.reason(signed(placing(10))) is None

    @pytest.mark.parametrize("agent", [0, 1, 3, 7, 8, 255])
    def test_a_place_without_an_agent(self, agent: int) -> None:
        body = signed(RevokeAgent(ANN, 2, LATER, agent))
        assert with_agent().reason(body) is RejectReason.UNKNOWN_AGENT

    def test_twice(self) -> None:
        scene = with_agent()
        scene.do(signed(RevokeAgent(ANN, 2, LATER, 2)))
        body = signed(RevokeAgent(ANN, 3, LATER, 2))
        assert scene.reason(body) is RejectReason.UNKNOWN_AGENT

    def test_the_leaf_behind_the_last_agent_is_none(self) -> None:
        scene = Scene(check=False)
        share = VaultShare(LP_VAULT, 5, 0, 0)
        scene.set_leaves({share_address(ANN, 0): share})
        body = signed(RevokeAgent(ANN, 1, LATER, 8))
        assert scene.reason(body) is RejectReason.UNKNOWN_AGENT
        assert scene.state.leaves.get(share_address(ANN, 0)) == share

    def test_authority(self) -> None:
        body = RevokeAgent(ANN, 2, START_MS - 1, 2)
        assert with_agent().reason(signed(body)) is RejectReason.EXPIRED
        body = RevokeAgent(ANN, 1, LATER, 2)
        assert with_agent().reason(signed(body)) is RejectReason.NONCE_NOT_INCREASING


class TestAuthority:
    """What an agent's key may do, in the order in which it is asked."""

    def test_it_places_under_its_own_name_and_nonce(self) -> None:
        scene = with_agent()
        (step,) = scene.do(signed(placing(1)))
        assert step.order == (ANN, 3, 1)
        assert scene.header(ANN).nonce == 1
        agent = agent_of(scene)
        assert agent is not None
        assert agent.nonce == 1

    def test_nonces_of_account_and_agent_at_their_bounds(self) -> None:
        scene = with_agent()
        scene.do(signed(placing(7)))
        scene.do(signed(placing(5, key_slot=0)))
        for key_slot, last in ((3, 7), (0, 5)):
            for nonce in (0, last - 1, last):
                body = signed(placing(nonce, key_slot))
                assert scene.reason(body) is RejectReason.NONCE_NOT_INCREASING
            assert scene.reason(signed(placing(last + 1, key_slot))) is None
            assert scene.reason(signed(placing(2**48 - 1, key_slot))) is None
            body = signed(placing(2**48, key_slot))
            assert scene.reason(body) is RejectReason.FIELD_OUT_OF_RANGE

    def test_expiry_of_the_command_at_its_bounds(self) -> None:
        for key_slot in (0, 3):
            scene = with_agent()
            body = placing(5, key_slot, expiry_ms=START_MS - 1)
            assert scene.reason(signed(body)) is RejectReason.EXPIRED
            assert scene.reason(signed(placing(5, key_slot, expiry_ms=START_MS))) is None

    def test_expiry_of_the_agent_at_its_bounds(self) -> None:
        scene = with_agent(agent_expiry_ms=START_MS)
        assert scene.reason(signed(placing(1))) is None
        scene.time_ms += 1
        assert scene.reason(signed(placing(2))) is RejectReason.AGENT_EXPIRED
        assert scene.reason(signed(placing(2, key_slot=0))) is None

    @pytest.mark.parametrize("key_slot", [1, 2, 4, 8, 9, 15])
    def test_key_slots_without_an_agent(self, key_slot: int) -> None:
        body = signed(placing(1, key_slot))
        assert with_agent().reason(body) is RejectReason.UNKNOWN_AGENT

    def test_key_slots_beyond_the_agents_reach_no_other_leaf(self) -> None:
        scene = Scene(check=False)
        scene.set_leaves({share_address(ANN, 0): VaultShare(LP_VAULT, 5, 0, 0)})
        assert scene.reason(signed(placing(1, 9))) is RejectReason.UNKNOWN_AGENT

    def test_scopes(self) -> None:
        cancelling = [Cancel(ANN, 1, LATER, 3, 3, 9), CancelAll(ANN, 1, LATER, 3)]
        for scope, may_place in ((TRADE, True), (CANCEL, False), (TRADE | CANCEL, True)):
            found = with_agent(scope).reason(signed(placing(1)))
            assert found is (None if may_place else RejectReason.AGENT_SCOPE)
            assert with_agent(scope).reason(signed(cancelling[0])) is RejectReason.UNKNOWN_ORDER
            assert with_agent(scope).reason(signed(cancelling[1])) is None

    def test_kinds_that_an_agent_may_sign(self) -> None:
        assert sorted(kind.name for kind in SCOPES) == [
            "BATCH", "CANCEL", "CANCEL_ALL", "MODIFY", "PLACE", "PLACE_TRIGGER",
        ]  # fmt: skip

    def test_precedence(self) -> None:
        """Each later fault is covered by the earlier ones, in this order."""
        scene = with_agent(CANCEL, agent_expiry_ms=START_MS - 1)
        body = placing(0, expiry_ms=START_MS - 1)
        assert scene.reason(signed(replace(body, account=9))) is RejectReason.UNKNOWN_ACCOUNT
        assert scene.reason(signed(replace(body, key_slot=4))) is RejectReason.UNKNOWN_AGENT
        assert scene.reason(signed(body)) is RejectReason.AGENT_EXPIRED
        assert with_agent(CANCEL).reason(signed(body)) is RejectReason.AGENT_SCOPE
        assert with_agent().reason(signed(body)) is RejectReason.EXPIRED
        body = replace(body, expiry_ms=2**48)
        assert with_agent().reason(signed(body)) is RejectReason.NONCE_NOT_INCREASING
        body = replace(body, nonce=1)
        assert with_agent().reason(signed(body)) is RejectReason.FIELD_OUT_OF_RANGE

    def test_an_agent_does_not_need_the_accounts_key(self) -> None:
        scene = with_agent()
        scene.set_header(ANN, key=NO_KEY)
        assert scene.reason(signed(placing(1))) is None
        assert scene.reason(signed(placing(1, key_slot=0))) is RejectReason.NO_KEY


class TestRealSignatures:
    """The default verifier: which key a command must be signed with."""

    def verdict(self, scene: Scene, secret: int, body: Place) -> RejectReason | None:
        signature = sign(secret, digest_of(body, DOMAIN))
        receipt = apply_command(scene.state, Command(scene.time_ms, Signed(body, signature)))
        return None if receipt.rejected is None else receipt.rejected.reason

    def test_each_key_signs_for_its_own_slot(self) -> None:
        scene = with_agent()
        wrong = RejectReason.SIGNATURE_EQUATION
        assert self.verdict(scene, AGENT_SECRET, placing(5)) is None
        assert self.verdict(scene, secret_of(ANN), placing(5)) is wrong
        assert self.verdict(scene, secret_of(ANN), placing(5, key_slot=0)) is None
        assert self.verdict(scene, AGENT_SECRET, placing(5, key_slot=0)) is wrong

    def test_the_key_slot_is_bound(self) -> None:
        scene = with_agent()
        scene.do(signed(setting(2, agent=3)))
        body = placing(5)
        signature = sign(AGENT_SECRET, digest_of(body, DOMAIN))
        moved = Signed(replace(body, key_slot=4), signature)
        receipt = apply_command(scene.state, Command(scene.time_ms, moved))
        assert receipt.rejected is not None
        assert receipt.rejected.reason is RejectReason.SIGNATURE_EQUATION

    @pytest.mark.parametrize("reject", SignatureReject)
    @pytest.mark.parametrize("body", [placing(5), setting(5)], ids=["agent", "account"])
    def test_every_reason_of_the_verifier(
        self, reject: SignatureReject, body: Place | SetAgent
    ) -> None:
        state = with_agent().state
        command = Command(START_MS, Signed(body, UNSIGNED))
        receipt = apply_command(state, command, verify=lambda *_: reject)
        assert receipt.rejected is not None
        assert receipt.rejected.reason is RejectReason(reject.value)


class TestSetReferrer:
    """Named once, and for ever."""

    def naming(self, referrer: int, nonce: int = 1, account: int = ANN) -> Signed:
        return signed(SetReferrer(account, nonce, LATER, referrer))

    def test_the_header(self) -> None:
        scene = Scene()
        before = scene.header(ANN)
        scene.do(self.naming(BOB))
        assert scene.header(ANN) == before._replace(referrer=BOB, nonce=1)

    def test_a_second_time(self) -> None:
        scene = Scene()
        scene.do(self.naming(BOB))
        for referrer in (BOB, ANN, 0, 9):
            assert scene.reason(self.naming(referrer, 2)) is RejectReason.REFERRER_SET

    def test_oneself_or_nobody(self) -> None:
        scene = Scene()
        assert scene.reason(self.naming(ANN)) is RejectReason.TRANSFER_TO_SELF
        for referrer in (0, 9, 2**24 - 1):
            assert scene.reason(self.naming(referrer)) is RejectReason.UNKNOWN_RECIPIENT
        assert scene.reason(self.naming(2**24)) is RejectReason.FIELD_OUT_OF_RANGE

    def test_authority(self) -> None:
        scene = Scene()
        assert scene.reason(self.naming(BOB, 0)) is RejectReason.NONCE_NOT_INCREASING
        assert scene.reason(self.naming(BOB, account=9)) is RejectReason.UNKNOWN_ACCOUNT
