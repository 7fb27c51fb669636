"""Writes margin_day.jsonl: a day of deposits, keys, transfers and withdrawals, some refused.

Equal options give equal bytes, and fewer commands give a prefix. Every command is run through the
rules while it is written, so that each one is accepted or refused for the reason it was made for.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import click

from circuits.cli_support import atomic_write
from circuits.edwards import SUBGROUP_ORDER
from circuits.exchange.apply import Command, apply_command
from circuits.exchange.bodies import Body, Signed
from circuits.exchange.errors import RejectReason
from circuits.exchange.events import Outcome
from circuits.exchange.json_form import ADDRESS, TimedBody, encode_line
from circuits.exchange.leaves import Account
from circuits.exchange.limits import CHAIN_ID_MAX, TIME_MAX_MS
from circuits.exchange.state import State
from circuits.exchange.transactions.authority import digest_of
from circuits.exchange.transactions.deposit import Deposit
from circuits.exchange.transactions.register_key import RegisterKey
from circuits.exchange.transactions.transfer import Transfer
from circuits.exchange.transactions.withdraw import Withdraw
from circuits.exchange.units import CASH_PER_UNIT, TokenUnits
from circuits.field import R
from circuits.signature import Signature, public_key, sign
from sequencer.command_file import Header
from sequencer.l1.deploy import created_address
from sequencer.l1.devkeys import deployer, development_signer
from sequencer.l1.port import EMBEDDED_CHAIN_ID, address_word

VERIFIER_PARTS = 2
SETTLEMENT_NONCE = 4 + VERIFIER_PARTS
"""Token, custody, queue, the verifier's parts and the verifier come before the settlement."""

BASE_TIME_MS = 1_800_000_000_000
"""Any day will do to try the rules on; the file holds no absolute time but the expiries."""

EXPIRY_NEVER_MS = TIME_MAX_MS
EXPIRY_PAST_MS = 1
PAUSE_MS_MAX = 900

OFF_CURVE_KEY = (3, 5)
SMALL_ORDER_POINT = (0, R - 1)
LATE_KEY_EVERY = 8
"""Every eighth account first names a point that is no key, and gets its deposit without one."""

REFUSED_EVERY = 16
TOKEN = 10**6


@dataclass
class Trader:
    """One account: its L1 owner and the secrets of its keys, of which the last one counts."""

    account: int
    owner: int
    secrets: list[int]


@dataclass
class Day:
    """The exchange as the commands written so far have left it."""

    seed: int
    state: State
    traders: list[Trader]
    rng: random.Random
    last: dict[int, Signed] = field(default_factory=dict)

    def account(self, trader: Trader) -> Account:
        """The trader's account, which must exist."""
        account = self.state.accounts.get(trader.account)
        if account is None:
            raise RuntimeError(f"account {trader.account}: expected one, got none")
        return account

    def pick(self) -> Trader:
        """Any trader."""
        return self.traders[self.rng.randrange(len(self.traders))]

    def pick_two(self) -> tuple[Trader, Trader]:
        """Two different traders."""
        first = self.rng.randrange(len(self.traders))
        second = (first + 1 + self.rng.randrange(len(self.traders) - 1)) % len(self.traders)
        return self.traders[first], self.traders[second]

    def units(self, trader: Trader) -> int:
        """Whole token units that the trader can still move."""
        return self.account(trader).cash // CASH_PER_UNIT

    def next_nonce(self, trader: Trader) -> int:
        """A nonce above the last, now and then with a gap."""
        return self.account(trader).nonce + 1 + 7 * (self.rng.randrange(10) == 0)

    def transfer(self, trader: Trader, to: int, amount: int) -> Transfer:
        """A transfer in good order, whatever its amount and recipient."""
        return Transfer(
            trader.account, self.next_nonce(trader), EXPIRY_NEVER_MS, to, TokenUnits(amount)
        )

    def signed(self, trader: Trader, transaction: Transfer | Withdraw) -> Signed:
        """The transaction under the trader's present key."""
        return Signed(transaction, sign(trader.secrets[-1], digest_of(transaction, self.domain)))

    @property
    def domain(self) -> int:
        """What every signature binds."""
        return self.state.domain


def secret_of(seed: int, account: int, number: int) -> int:
    """The secret of an account's key; for examples only, because anybody can compute it."""
    label = f"plasmaperps example key {seed} {account} {number}"
    return int.from_bytes(hashlib.sha512(label.encode()).digest(), "big") % (SUBGROUP_ORDER - 1) + 1


def start(seed: int, account_count: int, domain: int) -> Day:
    """A day before its first command."""
    traders = [
        Trader(
            account,
            address_word(development_signer(f"trader {account}").address),
            [secret_of(seed, account, 0)],
        )
        for account in range(1, account_count + 1)
    ]
    return Day(seed, State(domain), traders, random.Random(seed))


def lines(day: Day) -> Iterator[TimedBody]:
    """Commands without end: the accounts are opened, then traded with."""
    yield from opening(day)
    for number in range(10**9):
        if number % REFUSED_EVERY == REFUSED_EVERY // 2:
            reason, make = REFUSED[number // REFUSED_EVERY % len(REFUSED)]
            yield refuse(day, make(day), reason)
        else:
            yield accept(day, ordinary(day))


def opening(day: Day) -> Iterator[TimedBody]:
    """A key and a deposit for every account, in the order in which L1 assigns the accounts."""
    for trader in day.traders:
        is_late = trader.account % LATE_KEY_EVERY == 0
        yield accept(day, bad_registration(trader) if is_late else registration(trader))
        amount = TokenUnits((500 + day.rng.randrange(4_500)) * TOKEN)
        yield accept(day, Deposit(trader.account, trader.owner, amount))
        if is_late:
            transfer = day.transfer(trader, day.traders[0].account, 1)
            yield refuse(day, day.signed(trader, transfer), RejectReason.NO_KEY)
    for trader in day.traders:
        if trader.account % LATE_KEY_EVERY == 0:
            yield accept(day, registration(trader))


def bad_registration(trader: Trader) -> RegisterKey:
    """A request for a point that is no key."""
    return RegisterKey(trader.account, trader.owner, *OFF_CURVE_KEY)


def registration(trader: Trader) -> RegisterKey:
    """The request for the trader's present key."""
    return RegisterKey(trader.account, trader.owner, *public_key(trader.secrets[-1]))


def ordinary(day: Day) -> Body:
    """A command that the rules accept."""
    choice = day.rng.randrange(100)
    trader, other = day.pick_two()
    if choice < 8 or day.units(trader) < TOKEN:
        amount = TokenUnits((10 + day.rng.randrange(990)) * TOKEN)
        return Deposit(trader.account, trader.owner, amount)
    if choice < 11:
        trader.secrets.append(secret_of(day.seed, trader.account, len(trader.secrets)))
        return registration(trader)
    amount = 1 + day.rng.randrange(day.units(trader) // 4)
    if choice < 30:
        nonce = day.next_nonce(trader)
        withdraw = Withdraw(trader.account, nonce, EXPIRY_NEVER_MS, TokenUnits(amount))
        return day.signed(trader, withdraw)
    return day.signed(trader, day.transfer(trader, other.account, amount))


def accept(day: Day, body: Body) -> TimedBody:
    """Apply a command that must be accepted."""
    after_ms = day.rng.randrange(PAUSE_MS_MAX)
    receipt = apply_command(day.state, Command(next_time_ms(day, after_ms), body))
    if receipt.rejected is not None:
        raise RuntimeError(f"a command that was to be accepted: {receipt.rejected}")
    is_bad_key = isinstance(body, RegisterKey) and (body.key_x, body.key_y) == OFF_CURVE_KEY
    if (receipt.outcome is Outcome.INVALID_KEY) != is_bad_key:
        raise RuntimeError(f"account {body}: got outcome {receipt.outcome}")
    day.state = receipt.state
    if isinstance(body, Signed):
        day.last[body.transaction.account] = body
    return TimedBody(after_ms, body)


def refuse(day: Day, body: Body, reason: RejectReason) -> TimedBody:
    """Try a command that must be refused, for this reason."""
    receipt = apply_command(day.state, Command(next_time_ms(day, 0), body))
    if receipt.rejected is None or receipt.rejected.reason is not reason:
        raise RuntimeError(f"a command to be refused as {reason}: got {receipt.rejected}")
    return TimedBody(0, body)


def next_time_ms(day: Day, after_ms: int) -> int:
    """The time of the next command on the day that the rules are tried on."""
    return max(day.state.time_ms, BASE_TIME_MS) + after_ms


def overdraft(day: Day) -> Signed:
    """A transfer of one unit more than there is."""
    trader, other = day.pick_two()
    return day.signed(trader, day.transfer(trader, other.account, day.units(trader) + 1))


def overdrawn_withdrawal(day: Day) -> Signed:
    """A withdrawal of one unit more than there is."""
    trader = day.pick()
    amount = TokenUnits(day.units(trader) + 1)
    withdraw = Withdraw(trader.account, day.next_nonce(trader), EXPIRY_NEVER_MS, amount)
    return day.signed(trader, withdraw)


def replayed(day: Day) -> Signed:
    """A command that was accepted before, bit for bit."""
    accounts = sorted(day.last)
    return day.last[accounts[day.rng.randrange(len(accounts))]]


def foreign_signature(day: Day) -> Signed:
    """A transfer out of one account, signed with the key of another."""
    trader, other = day.pick_two()
    return day.signed(other, day.transfer(trader, other.account, 1))


def foreign_domain(day: Day) -> Signed:
    """A transfer that was signed for another chain."""
    trader, other = day.pick_two()
    transfer = day.transfer(trader, other.account, 1)
    return Signed(transfer, sign(trader.secrets[-1], digest_of(transfer, day.domain + 1)))


def expired(day: Day) -> Signed:
    """A transfer whose expiry is long past."""
    trader, other = day.pick_two()
    transfer = replace(day.transfer(trader, other.account, 1), expiry_ms=EXPIRY_PAST_MS)
    return day.signed(trader, transfer)


def to_self(day: Day) -> Signed:
    """A transfer to the sender."""
    trader = day.pick()
    return day.signed(trader, day.transfer(trader, trader.account, 1))


def to_nobody(day: Day) -> Signed:
    """A transfer to an account that was never opened."""
    trader = day.pick()
    return day.signed(trader, day.transfer(trader, len(day.traders) + 1, 1))


def from_nobody(day: Day) -> Signed:
    """A transfer out of an account that was never opened."""
    trader = day.pick()
    transfer = day.transfer(trader, trader.account, 1)
    return day.signed(trader, replace(transfer, account=len(day.traders) + 1))


def zero_amount(day: Day) -> Signed:
    """A transfer of nothing."""
    trader, other = day.pick_two()
    return day.signed(trader, day.transfer(trader, other.account, 0))


def with_signature(change: Callable[[Signature], Signature]) -> Callable[[Day], Signed]:
    """A maker of transfers in good order but for what `change` does to the signature."""

    def make(day: Day) -> Signed:
        trader, other = day.pick_two()
        signed = day.signed(trader, day.transfer(trader, other.account, 1))
        return replace(signed, signature=change(signed.signature))

    return make


REFUSED: tuple[tuple[RejectReason, Callable[[Day], Signed]], ...] = (
    (RejectReason.INSUFFICIENT_MARGIN, overdraft),
    (RejectReason.SIGNATURE_EQUATION, foreign_signature),
    (RejectReason.NONCE_NOT_INCREASING, replayed),
    (RejectReason.EXPIRED, expired),
    (RejectReason.TRANSFER_TO_SELF, to_self),
    (RejectReason.UNKNOWN_RECIPIENT, to_nobody),
    (RejectReason.AMOUNT_ZERO, zero_amount),
    (
        RejectReason.SIGNATURE_S_NOT_CANONICAL,
        with_signature(lambda signature: replace(signature, s=signature.s + SUBGROUP_ORDER)),
    ),
    (RejectReason.UNKNOWN_ACCOUNT, from_nobody),
    (RejectReason.INSUFFICIENT_MARGIN, overdrawn_withdrawal),
    (
        RejectReason.SIGNATURE_R_NOT_CANONICAL,
        with_signature(lambda signature: replace(signature, r_x=signature.r_x + R)),
    ),
    (RejectReason.SIGNATURE_EQUATION, foreign_domain),
    (
        RejectReason.SIGNATURE_R_OFF_CURVE,
        with_signature(lambda signature: replace(signature, r_x=(signature.r_x + 1) % R)),
    ),
    (
        RejectReason.SIGNATURE_R_SMALL_ORDER,
        with_signature(lambda signature: Signature(*SMALL_ORDER_POINT, signature.s)),
    ),
)
"""What is refused, in turn, and why."""


def margin_day(seed: int, command_count: int, account_count: int, header: Header) -> Iterator[str]:
    """The lines of the file, without line ends."""
    yield header.encode()
    day = start(seed, account_count, header.domain)
    for timed in islice(lines(day), command_count):
        yield encode_line(timed)


def default_settlement() -> str:
    """Where a fresh local chain puts the settlement contract."""
    return created_address(deployer().address, SETTLEMENT_NONCE)


def parse_settlement(_: click.Context, __: click.Parameter, text: str | None) -> int:
    """Check the address option; the default is worked out only when it is needed."""
    text = default_settlement() if text is None else text
    if not ADDRESS.fullmatch(text):
        raise click.BadParameter(f"expected 0x and 40 lower-case hex digits, got {text}")
    return address_word(text)


@click.command()
@click.option("--seed", default=1, show_default=True, help="Decides every choice of the day.")
@click.option(
    "--commands",
    "command_count",
    default=380,
    show_default=True,
    type=click.IntRange(1),
    help="Lines after the header, refused commands included.",
)
@click.option(
    "--accounts",
    "account_count",
    default=20,
    show_default=True,
    type=click.IntRange(2, 1000),
    help="How many traders there are.",
)
@click.option(
    "--chain-id",
    default=EMBEDDED_CHAIN_ID,
    show_default=True,
    type=click.IntRange(0, CHAIN_ID_MAX),
    help="Chain that the signatures are for.",
)
@click.option(
    "--settlement",
    callback=parse_settlement,
    help="Settlement contract that they are for.  [default: as on a fresh local chain]",
)
@click.option(
    "-o",
    "--output",
    default=Path(__file__).with_name("margin_day.jsonl"),
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write.  [default: margin_day.jsonl beside this program]",
)
def main(
    seed: int,
    command_count: int,
    account_count: int,
    chain_id: int,
    settlement: int,
    output: Path,
) -> None:
    """Write an example day of margin commands."""
    header = Header(chain_id, settlement)
    with atomic_write(output, text=True) as stream:
        for line in margin_day(seed, command_count, account_count, header):
            stream.write(line + "\n")


if __name__ == "__main__":
    main()
