"""Every command body of the exchange, by who authorises it."""

from __future__ import annotations

from dataclasses import dataclass

from circuits.exchange.transactions.adjust_isolated import AdjustIsolated
from circuits.exchange.transactions.auto_deleverage import AutoDeleverage
from circuits.exchange.transactions.batch import Batch
from circuits.exchange.transactions.cancel import Cancel
from circuits.exchange.transactions.cancel_all import CancelAll
from circuits.exchange.transactions.clear_orders import ClearOrders
from circuits.exchange.transactions.cover_deficit import CoverDeficit
from circuits.exchange.transactions.deposit import Deposit
from circuits.exchange.transactions.expire import Expire
from circuits.exchange.transactions.fire_trigger import FireTrigger
from circuits.exchange.transactions.forced_cancel_all import ForcedCancelAll
from circuits.exchange.transactions.forced_close import ForcedClose
from circuits.exchange.transactions.forced_withdraw import ForcedWithdraw
from circuits.exchange.transactions.funding_sample import FundingSample
from circuits.exchange.transactions.funding_settle import FundingSettle
from circuits.exchange.transactions.halt import Halt
from circuits.exchange.transactions.liquidate import Liquidate
from circuits.exchange.transactions.list_market import ListMarket
from circuits.exchange.transactions.modify import Modify
from circuits.exchange.transactions.oracle_tick import OracleTick
from circuits.exchange.transactions.place import Place
from circuits.exchange.transactions.place_trigger import PlaceTrigger
from circuits.exchange.transactions.redeem_request import VaultRedeemRequest
from circuits.exchange.transactions.register_key import RegisterKey
from circuits.exchange.transactions.request_liquidation import RequestLiquidation
from circuits.exchange.transactions.resume import Resume
from circuits.exchange.transactions.revoke_agent import RevokeAgent
from circuits.exchange.transactions.rotate_sequencer import RotateSequencer
from circuits.exchange.transactions.set_agent import SetAgent
from circuits.exchange.transactions.set_fees import SetFees
from circuits.exchange.transactions.set_mode import SetMode
from circuits.exchange.transactions.set_oracle_signers import SetOracleSigners
from circuits.exchange.transactions.set_referrer import SetReferrer
from circuits.exchange.transactions.set_vault import SetVault
from circuits.exchange.transactions.take_over import TakeOver
from circuits.exchange.transactions.transfer import Transfer
from circuits.exchange.transactions.update_market import UpdateMarket
from circuits.exchange.transactions.vault_deposit import VaultDeposit
from circuits.exchange.transactions.vault_quote import VaultQuote
from circuits.exchange.transactions.vault_redeem import VaultRedeem
from circuits.exchange.transactions.vault_settle_epoch import VaultSettleEpoch
from circuits.exchange.transactions.withdraw import Withdraw
from circuits.signature import Signature

SignedTransaction = (
    Transfer
    | Withdraw
    | Place
    | Cancel
    | CancelAll
    | Modify
    | Batch
    | PlaceTrigger
    | SetAgent
    | RevokeAgent
    | SetReferrer
    | AdjustIsolated
    | VaultRedeemRequest
)
"""What an account's key or agent signs."""

Request = (
    Deposit
    | RegisterKey
    | ForcedWithdraw
    | ForcedClose
    | ForcedCancelAll
    | RequestLiquidation
    | VaultDeposit
    | VaultRedeem
)
"""What an owner asked for on L1: always part of a batch, with an outcome."""

Governed = (
    ListMarket | UpdateMarket | SetOracleSigners | SetFees | SetVault | SetMode | RotateSequencer
)
"""What governance decided; it comes through the L1 queue too."""

Queued = Request | Governed
"""What reaches the venue through the L1 queue, in its order."""

Feed = OracleTick
"""What the oracle signers signed."""

Derived = (
    Expire
    | FireTrigger
    | FundingSample
    | FundingSettle
    | Halt
    | Resume
    | ClearOrders
    | Liquidate
    | TakeOver
    | CoverDeficit
    | AutoDeleverage
    | VaultQuote
    | VaultSettleEpoch
)
"""What follows from the rules; the command only says that now is the time."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction and the signature of its account's key, or an agent's, over the digest."""

    transaction: SignedTransaction
    signature: Signature


Body = Signed | Queued | Feed | Derived
"""What a command can be."""
