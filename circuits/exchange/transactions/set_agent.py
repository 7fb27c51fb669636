"""SetAgent: a signed key that may trade for the account, and nothing more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from circuits.edwards import clear_cofactor
from circuits.exchange.addresses import agent_address
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind
from circuits.exchange.leaves import AgentKey
from circuits.exchange.limits import AGENT_SLOTS
from circuits.exchange.transactions.authority import (
    SCOPE_CANCEL,
    SCOPE_TRADE,
    SIGNED_WIDTHS,
    Context,
    authorise,
)

if TYPE_CHECKING:
    from circuits.signature import Signature


@dataclass(frozen=True, slots=True)
class SetAgent:
    """The point (`key_x`, `key_y`) in place `agent`; the leaf stores eight times the point."""

    KIND: ClassVar[Kind] = Kind.SET_AGENT
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (
        *SIGNED_WIDTHS,
        ("agent", 8),
        ("scope", 8),
        ("agent_expiry_ms", 48),
        ("key_x", 256),
        ("key_y", 256),
    )

    account: int
    nonce: int
    expiry_ms: int
    agent: int
    scope: int
    agent_expiry_ms: int
    key_x: int
    key_y: int

    def tail(self) -> tuple[int, ...]:
        """The fields of this kind; each coordinate, a field element, is a word of its own."""
        return self.agent | self.scope << 8 | self.agent_expiry_ms << 16, self.key_x, self.key_y


def apply(draft: Draft, context: Context, request: SetAgent, signature: Signature) -> None:
    """Set or replace the key; the place keeps its last nonce, so nothing signed is good again.

    Raises: Rejected with the first rule that fails.
    """
    account, _ = authorise(draft, context, request, signature)
    if request.agent >= AGENT_SLOTS:
        raise Rejected(RejectReason.BAD_ENUM, f"an agent below {AGENT_SLOTS}", request.agent)
    if not 1 <= request.scope <= SCOPE_TRADE | SCOPE_CANCEL:
        raise Rejected(RejectReason.BAD_ENUM, "a scope of 1 to 3", request.scope)
    key = clear_cofactor((request.key_x, request.key_y))
    if key is None:
        raise Rejected(
            RejectReason.INVALID_AGENT_KEY,
            "a point on the curve, not of small order",
            f"({request.key_x}, {request.key_y})",
        )
    address = agent_address(request.account, request.agent)
    before = cast(AgentKey | None, draft.get(address))
    nonce = 0 if before is None else before.nonce
    draft.put_account(request.account, account.with_nonce(request.nonce))
    draft.put(address, AgentKey(*key, request.scope, request.agent_expiry_ms, nonce))
