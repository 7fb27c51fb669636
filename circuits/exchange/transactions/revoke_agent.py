"""RevokeAgent: a signed end of an agent key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from circuits.exchange.addresses import agent_address
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind
from circuits.exchange.leaves import NO_KEY, AgentKey
from circuits.exchange.limits import AGENT_SLOTS
from circuits.exchange.transactions.authority import (
    SIGNED_WIDTHS,
    Context,
    authorise,
    packed_tail,
)

if TYPE_CHECKING:
    from circuits.signature import Signature


@dataclass(frozen=True, slots=True)
class RevokeAgent:
    """The agent key in place `agent` signs nothing more."""

    KIND: ClassVar[Kind] = Kind.REVOKE_AGENT
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (*SIGNED_WIDTHS, ("agent", 8))

    account: int
    nonce: int
    expiry_ms: int
    agent: int

    def tail(self) -> tuple[int, ...]:
        """The fields of this kind, lowest first."""
        return packed_tail(self, self.WIDTHS[3:])


def apply(draft: Draft, context: Context, request: RevokeAgent, signature: Signature) -> None:
    """Take the key away; the leaf stays for its nonce.

    Raises: Rejected with the first rule that fails.
    """
    account, _ = authorise(draft, context, request, signature)
    address = agent_address(request.account, request.agent)
    # Beyond the agents other leaves of the account begin.
    leaf = draft.get(address) if request.agent < AGENT_SLOTS else None
    agent = cast(AgentKey | None, leaf)
    if agent is None or agent.key == NO_KEY:
        raise Rejected(RejectReason.UNKNOWN_AGENT, "the place of an agent", request.agent)
    draft.put_account(request.account, account.with_nonce(request.nonce))
    draft.put(address, agent._replace(key_x=NO_KEY[0], key_y=NO_KEY[1], scope=0))
