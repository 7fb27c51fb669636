"""Random requests of owners: money, keys, vault shares."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from circuits.exchange.events import Kind
from circuits.exchange.transactions.adjust_isolated import AdjustIsolated
from circuits.exchange.transactions.deposit import Deposit
from circuits.exchange.transactions.forced_cancel_all import ForcedCancelAll
from circuits.exchange.transactions.forced_close import ForcedClose
from circuits.exchange.transactions.forced_withdraw import ForcedWithdraw
from circuits.exchange.transactions.redeem_request import VaultRedeemRequest
from circuits.exchange.transactions.register_key import RegisterKey
from circuits.exchange.transactions.request_liquidation import RequestLiquidation
from circuits.exchange.transactions.revoke_agent import RevokeAgent
from circuits.exchange.transactions.set_agent import SetAgent
from circuits.exchange.transactions.set_referrer import SetReferrer
from circuits.exchange.transactions.transfer import Transfer
from circuits.exchange.transactions.vault_deposit import VaultDeposit
from circuits.exchange.transactions.vault_redeem import VaultRedeem
from circuits.exchange.transactions.withdraw import Withdraw
from tests.naive.scenario import NEVER_OPENED, POOL, SUBS, TRADERS, USDC, owner
from tests.support.exchange import public_key_of

if TYPE_CHECKING:
    from tests.naive.flow import Flow

AGENT_KEYS = 200


def queued(flow: Flow, account: int) -> dict[str, int]:
    """The fields that a request starts with; the L1 queue knows the owner."""
    holder = flow.world.accounts.get(account)
    return {"account": account, "owner": holder.owner if holder else owner(account)}


def known(flow: Flow) -> int:
    """An account, or one that was never opened."""
    return NEVER_OPENED if flow.chance(0.05) else flow.rng.choice(list(flow.world.accounts))


def holder(flow: Flow) -> int:
    """An account with a position, if there is any."""
    held = [account for account, _ in flow.world.holdings]
    return flow.rng.choice(held) if held and flow.chance(0.85) else known(flow)


def make_deposit(flow: Flow) -> Deposit:
    """Mostly to traders who have little left."""
    account = flow.rng.choice(TRADERS) if flow.chance(0.9) else flow.account() or 1
    if account not in flow.world.accounts:
        account = 1
    amount = flow.rng.choice([1, 12_345, 3 * USDC, 8 * USDC, 15 * USDC])
    if flow.totals(account).equity > 25:
        amount = 999_999
    return Deposit(**queued(flow, account), amount=amount)


def make_register_key(flow: Flow) -> RegisterKey:
    account = known(flow)
    if account == NEVER_OPENED:
        account = 1
    key = (3, 5) if flow.chance(0.3) else public_key_of(account % 50)
    return RegisterKey(**queued(flow, account), key_x=key[0], key_y=key[1])


def make_transfer(flow: Flow) -> Transfer:
    account, to = flow.trader(), flow.account()
    amount = flow.spare_units(account)
    return Transfer(**flow.header(account), to=to, amount=amount)


def make_withdraw(flow: Flow) -> Withdraw:
    account = flow.account()
    return Withdraw(**flow.header(account), amount=flow.spare_units(account))


def make_forced_withdraw(flow: Flow) -> ForcedWithdraw:
    account = known(flow)
    amount = max(flow.spare_units(account), 0)
    return ForcedWithdraw(**queued(flow, account), amount=amount)


def make_adjust_isolated(flow: Flow) -> AdjustIsolated:
    """Between a trader and a sub-account, or any other."""
    account = flow.trader()
    others = [*SUBS, 9, 10, 9, 10]
    sub = flow.account() if flow.chance(0.1) else flow.rng.choice(others)
    if account not in (9, 10) and sub in SUBS and flow.chance(0.8):
        sub = SUBS[account % len(SUBS)]
    direction = flow.rng.randint(0, 1)
    payer = sub if direction else account
    amount = flow.spare_units(payer) if payer in flow.world.accounts else USDC
    return AdjustIsolated(**flow.header(account), sub=sub, direction=direction, amount=amount)


def make_set_agent(flow: Flow) -> SetAgent:
    """A new key in one of a few places, which may be bad or soon be over."""
    key = public_key_of(AGENT_KEYS + flow.rng.randint(0, 9))
    if flow.chance(0.05):
        key = flow.rng.choice([(0, 1), (3, 5), (0, 0), (2**256 - 1, 1)])
    place = flow.rng.choice([0, 1, 7]) if flow.chance(0.97) else 8
    scope = flow.rng.choice([1, 1, 2, 3, 3, 3, 3]) if flow.chance(0.97) else flow.rng.choice([0, 4])
    until = flow.now + flow.rng.choice([0, 30_000, 10**7, 10**9])
    return SetAgent(
        **flow.header(flow.trader()),
        agent=place,
        scope=scope,
        agent_expiry_ms=until,
        key_x=key[0],
        key_y=key[1],
    )


def make_revoke_agent(flow: Flow) -> RevokeAgent:
    places = list(flow.world.agents)
    account, place = flow.rng.choice(places) if places else (1, 0)
    if flow.chance(0.1):
        place = flow.rng.choice([2, 8, 9])
    return RevokeAgent(**flow.header(account), agent=place)


def make_set_referrer(flow: Flow) -> SetReferrer:
    return SetReferrer(**flow.header(flow.trader()), referrer=flow.account())


def make_forced_close(flow: Flow) -> ForcedClose:
    account = holder(flow)
    markets = flow.world.markets_of(account)
    market = flow.rng.choice(markets) if markets and flow.chance(0.9) else flow.market()
    return ForcedClose(**queued(flow, account), market=market)


def make_forced_cancel_all(flow: Flow) -> ForcedCancelAll:
    return ForcedCancelAll(**queued(flow, known(flow)))


def make_request_liquidation(flow: Flow) -> RequestLiquidation:
    """Of someone who may well not be liquidatable."""
    held = list(flow.world.holdings)
    weak = [each for each in held if flow.totals(each[0]).is_liquidatable]
    if weak and flow.chance(0.8):
        held = weak
    target, market = flow.rng.choice(held) if held else (1, 0)
    if flow.chance(0.03):
        target = NEVER_OPENED
    if flow.chance(0.1):
        market = flow.market()
    return RequestLiquidation(**queued(flow, known(flow)), target=target, market=market)


def pool(flow: Flow) -> int:
    if flow.chance(0.03) or not flow.world.vaults:
        return flow.rng.choice([1, NEVER_OPENED, 0])
    return POOL if flow.chance(0.6) else flow.rng.choice(list(flow.world.vaults))


def make_vault_deposit(flow: Flow) -> VaultDeposit:
    account = known(flow)
    amount = flow.rng.choice([1, 2, 999, USDC, 2 * USDC + 1, 4 * USDC])
    return VaultDeposit(**queued(flow, account), amount=amount, vault=pool(flow))


def redemption(flow: Flow) -> tuple[int, int, int]:
    """Who, of which vault, how many shares."""
    stakes = list(flow.world.stakes.items())
    if not stakes or flow.chance(0.03):
        return flow.trader(), pool(flow), flow.rng.randint(0, 10**6)
    (account, vault), stake = flow.rng.choice(stakes)
    free = stake.shares - stake.pending
    shares = flow.rng.choice([free, free, free, free // 2, free // 3, free + 1, 1, 0, stake.shares])
    return account, vault, shares


def make_vault_redeem(flow: Flow) -> VaultRedeem:
    account, vault, shares = redemption(flow)
    if account == 0:
        account = NEVER_OPENED
    return VaultRedeem(**queued(flow, account), vault=vault, shares=shares)


def make_redeem_request(flow: Flow) -> VaultRedeemRequest:
    account, vault, shares = redemption(flow)
    return VaultRedeemRequest(**flow.header(account), vault=vault, shares=shares)


MAKERS: dict[Kind, Callable[[Flow], Any]] = {
    Kind.DEPOSIT: make_deposit,
    Kind.REGISTER_KEY: make_register_key,
    Kind.TRANSFER: make_transfer,
    Kind.WITHDRAW: make_withdraw,
    Kind.FORCED_WITHDRAW: make_forced_withdraw,
    Kind.FORCED_CLOSE: make_forced_close,
    Kind.FORCED_CANCEL_ALL: make_forced_cancel_all,
    Kind.REQUEST_LIQUIDATION: make_request_liquidation,
    Kind.VAULT_DEPOSIT: make_vault_deposit,
    Kind.VAULT_REDEEM: make_vault_redeem,
    Kind.SET_AGENT: make_set_agent,
    Kind.REVOKE_AGENT: make_revoke_agent,
    Kind.SET_REFERRER: make_set_referrer,
    Kind.ADJUST_ISOLATED: make_adjust_isolated,
    Kind.VAULT_REDEEM_REQUEST: make_redeem_request,
}
