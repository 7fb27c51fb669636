"""Why the rules refuse a command, and what may never reach the rules at all.

CircuitError
└── ExchangeError
    ├── Rejected               a rule refused a signed command; the state is unchanged
    ├── QueueGuaranteeBroken   an L1 request that the contracts can never have queued
    ├── BatchRefused           a sealed batch holds a command that the rules refuse
    ├── CodecError             bytes or JSON that are not one canonical command
    └── PubdataError           published words that are not one canonical batch
"""

from __future__ import annotations

from enum import StrEnum

from circuits.errors import CircuitError


class RejectReason(StrEnum):
    """Why a command is refused; only the first that applies is given, in the order of its rule.

    The members stand in about that order; `plasmaperps rules show` prints a rule's own. A field
    that does not fit its width cannot be packed into a digest, so nothing can have been signed: the
    range rule stands before the signature, all other amounts after it.
    """

    TIME_BACKWARDS = "time_backwards"
    """The command's time is before the time of the command applied last."""
    TIME_OUT_OF_RANGE = "time_out_of_range"
    """The command's time does not fit 48 bits."""
    UNKNOWN_ACCOUNT = "unknown_account"
    """The signing or named account has no header: it was never deposited to or registered."""
    NO_KEY = "no_key"
    """The signing account has no registered key."""
    UNKNOWN_AGENT = "unknown_agent"
    """The account has no agent key in that place, or it was revoked."""
    AGENT_EXPIRED = "agent_expired"
    """The agent's key is past its own expiry."""
    AGENT_SCOPE = "agent_scope"
    """The agent's key may not sign a command of this kind."""
    EXPIRED = "expired"
    """The time is after the expiry that was signed: the command's, or a resting order's own."""
    NONCE_NOT_INCREASING = "nonce_not_increasing"
    """The nonce is not above the last nonce that the signing key used."""
    FIELD_OUT_OF_RANGE = "field_out_of_range"
    """A field is negative or wider than its place in the signed digest."""
    SIGNATURE_R_NOT_CANONICAL = "signature_r_not_canonical"
    """A coordinate of the signature's R is not below the field modulus."""
    SIGNATURE_S_NOT_CANONICAL = "signature_s_not_canonical"
    """The signature's S is not below the order of the subgroup."""
    SIGNATURE_R_OFF_CURVE = "signature_r_off_curve"
    """The signature's R is not on the curve."""
    SIGNATURE_R_SMALL_ORDER = "signature_r_small_order"
    """The signature's R is one of the eight points that carry no secret."""
    SIGNATURE_EQUATION = "signature_equation"
    """The signature does not hold for this key, command and domain."""
    MODE_FORBIDS = "mode_forbids"
    """Governance has put the exchange in a mode that does not allow this."""
    ACCOUNT_KIND = "account_kind"
    """The account is a vault, the insurance or the fee account, and may not do this."""
    UNKNOWN_MARKET = "unknown_market"
    """No market is listed under this number."""
    MARKET_STATUS = "market_status"
    """The market is delisted, halted, or takes orders that only reduce."""
    FUNDING_DUE = "funding_due"
    """A funding sample or settlement of the market must come first."""
    TRIGGER_DUE = "trigger_due"
    """A trigger of the market is armed and must fire first."""
    BAD_ENUM = "bad_enum"
    """A field that names one of a few cases names none of them."""
    AMOUNT_ZERO = "amount_zero"
    """The amount is zero."""
    PRICE_ZERO = "price_zero"
    """The price is zero."""
    SIZE_TOO_SMALL = "size_too_small"
    """The size is below the market's smallest order, or zero."""
    SIZE_TOO_LARGE = "size_too_large"
    """The size is above what the market or the position allows."""
    ORDER_EXPIRED = "order_expired"
    """The order would be past its own expiry before it could rest or fill."""
    TOO_MANY_ORDERS = "too_many_orders"
    """The account has as many resting orders as it may."""
    TOO_MANY_TRIGGERS = "too_many_triggers"
    """The account has as many waiting triggers as it may."""
    TRIGGER_ARMED = "trigger_armed"
    """The trigger would fire at once."""
    BATCH_SIZE = "batch_size"
    """A batch has no operation, or too many."""
    UNKNOWN_ORDER = "unknown_order"
    """The account has no order or trigger of this name."""
    REDUCE_ONLY = "reduce_only"
    """The order may only reduce, and there is no position for it to reduce."""
    POST_ONLY_CROSSES = "post_only_crosses"
    """The order may only rest, and the other side of the book crosses it."""
    SELF_TRADE = "self_trade"
    """A resting order of the same account leaves instead of trading with its owner."""
    FOK_UNFILLED = "fok_unfilled"
    """The order must fill whole, and the book cannot fill it."""
    MATCH_STEPS = "match_steps"
    """The order has filled and dropped as many resting orders as one command may."""
    BOOK_FULL = "book_full"
    """The market has no free slot for another order or trigger."""
    TOO_MANY_POSITIONS = "too_many_positions"
    """The account has positions in as many markets as it may."""
    OPEN_INTEREST = "open_interest"
    """The market's open interest would pass its bound."""
    VAULT_CAP = "vault_cap"
    """The vault would pass its cap of leverage, exposure or skew."""
    TRANSFER_TO_SELF = "transfer_to_self"
    """The recipient is the sender."""
    UNKNOWN_RECIPIENT = "unknown_recipient"
    """The recipient has no header."""
    OWNER_DIFFERS = "owner_differs"
    """The two accounts do not belong to the same owner."""
    REFERRER_SET = "referrer_set"
    """The account has named its referrer already."""
    INVALID_AGENT_KEY = "invalid_agent_key"
    """The agent's point is not on the curve, or of small order."""
    QUOTE_COUNT = "quote_count"
    """A tick has no quotes, or too many."""
    QUOTE_ORDER = "quote_order"
    """The quotes of a tick do not increase by price and signer."""
    UNKNOWN_SIGNER = "unknown_signer"
    """A quote is by a signer who is not in the current set."""
    DUPLICATE_SIGNER = "duplicate_signer"
    """A signer has two quotes in one tick."""
    QUOTE_FUTURE = "quote_future"
    """A quote is of a time after the tick's own."""
    QUOTE_STALE = "quote_stale"
    """A quote is older than the market allows."""
    QUOTE_NOT_NEWER = "quote_not_newer"
    """A quote is not newer than the price that it would replace."""
    QUORUM = "quorum"
    """A tick has too few quotes."""
    NOT_DUE = "not_due"
    """What the command would do is not due yet."""
    NOTHING_DUE = "nothing_due"
    """There is nothing for the command to do."""
    OPEN_ORDERS = "open_orders"
    """The account's orders and triggers must leave the books first."""
    NO_POSITION = "no_position"
    """The account has no such position."""
    PRICE_STALE = "price_stale"
    """A price that is needed is no longer valid, or its market is halted."""
    NOT_LIQUIDATABLE = "not_liquidatable"
    """The account's equity is not below its maintenance requirement."""
    NOT_BANKRUPT = "not_bankrupt"
    """The account's equity is not below zero."""
    NO_LIQUIDITY = "no_liquidity"
    """Nothing in the book can fill at the price that the rule allows."""
    NOT_BACKSTOP = "not_backstop"
    """The named account does not take positions over."""
    TAKEOVER_EARLY = "takeover_early"
    """The account is above its close-out fraction and the book can still fill."""
    BACKSTOP_MARGIN = "backstop_margin"
    """The backstop has not the margin for the position."""
    BACKSTOP_AVAILABLE = "backstop_available"
    """The insurance account can take the position over, so nobody is deleveraged."""
    NOT_TOP_RANKED = "not_top_ranked"
    """Another position of that side has more profit and leverage."""
    COUNTERPARTY_MARGIN = "counterparty_margin"
    """The counterparty would be bankrupt afterwards."""
    NO_DEFICIT = "no_deficit"
    """The account has a position, or no negative cash."""
    INSURANCE_EMPTY = "insurance_empty"
    """The insurance account cannot cover the deficit."""
    UNKNOWN_VAULT = "unknown_vault"
    """The named account is not a vault."""
    NO_SHARES = "no_shares"
    """The amount is worth less than one share."""
    SHARES_BOUND = "shares_bound"
    """The vault's shares would pass their bound."""
    TOO_MANY_SHARES = "too_many_shares"
    """The account holds shares of as many vaults as it may."""
    INSUFFICIENT_SHARES = "insufficient_shares"
    """The account has fewer shares than that which are not waiting already."""
    WORTHLESS = "worthless"
    """The vault, or its shares, are worth nothing."""
    MARKET_EXISTS = "market_exists"
    """A market is listed under this number already."""
    INVALID_TERMS = "invalid_terms"
    """Governance named terms that contradict each other or a bound."""
    INSUFFICIENT_MARGIN = "insufficient_margin"
    """The account's equity after the command would be below its requirement."""
    CASH_OUT_OF_BOUNDS = "cash_out_of_bounds"
    """A cash balance would leave its packed range."""


class ExchangeError(CircuitError):
    """Root of the errors of the rules."""


class Rejected(ExchangeError):
    """A rule refused a command; `reason` says which rule, and is the place of the error."""

    def __init__(self, reason: RejectReason, expected: object, got: object) -> None:
        super().__init__(reason.value, expected, got)
        self.args = (reason, expected, got)
        self.reason = reason


class QueueGuaranteeBroken(ExchangeError):
    """An L1 request breaks what the contracts guarantee, so it did not come from them."""


class BatchRefused(ExchangeError):
    """A batch of accepted commands holds one that the rules refuse."""


class CodecError(ExchangeError):
    """Bytes or JSON that are not one canonical command; the place is a field or an offset."""


class PubdataError(ExchangeError):
    """Published words that no accepted batch can have published."""
