"""The words that the mall and every supplier adapter share: orders, verdicts, results, callbacks.

Supplier (Protocol)
 ├─ submit(order)        → Answer    did the supplier take the order?
 ├─ query(order)         → Result    what became of it?
 ├─ read_callback(…)     → Callback  a hint that something became of it
 ├─ balance(), info()    → what the account holds, what the supplier can do
 └─ goods()              → products with cost and stock
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Verdict(StrEnum):
    """What the answer to a submission proves."""

    ACCEPTED = "accepted"  # the supplier has the order; this is not yet success
    REJECTED = "rejected"  # a documented refusal; definite only if the reference was sent exactly once
    NOT_SENT = "not_sent"  # no byte left this machine; the same reference may be sent again
    UNKNOWN = "unknown"  # everything else: ask, never send elsewhere, never refund


class State(StrEnum):
    """What the supplier says of an order when asked."""

    SUCCESS = "success"
    FAILED = "failed"
    IN_PROGRESS = "in_progress"
    NOT_FOUND = "not_found"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why a supplier refused or failed an order, in words that are the same for every supplier."""

    NONE = "none"
    NUMBER_SUSPENDED = "number_suspended"
    NUMBER_EMPTY = "number_empty"
    NUMBER_NOT_SUPPORTED = "number_not_supported"
    REAL_NAME = "real_name"
    BLACKLISTED = "blacklisted"
    MAINTENANCE = "maintenance"
    NO_CHANNEL = "no_channel"
    NO_SUCH_PRODUCT = "no_such_product"
    OFF_SALE = "off_sale"
    OUT_OF_STOCK = "out_of_stock"
    PRICE_ABOVE_CEILING = "price_above_ceiling"
    BALANCE_LOW = "balance_low"
    ACCOUNT_CLOSED = "account_closed"
    BAD_REQUEST = "bad_request"
    BAD_SIGNATURE = "bad_signature"
    CLOCK = "clock"
    DUPLICATE = "duplicate"
    OTHER = "other"


class Kind(StrEnum):
    """How a product is delivered."""

    DIRECT = "direct"  # value is added to an account: a phone number, a membership
    CARD = "card"  # codes come back


@dataclass(frozen=True, slots=True)
class Order:
    """One item as it is sent to one supplier; `reference` is ours, stored before it is used.

    `cost_fen` is what we expect to be charged in all, `ceiling_fen` the most we accept.
    """

    reference: str
    product: str
    kind: Kind
    cost_fen: int
    ceiling_fen: int
    quantity: int = 1
    account: str = ""
    callback_url: str = ""


@dataclass(frozen=True, slots=True)
class CardCode:
    """A redeemable secret as it came from the supplier; it never shows itself."""

    secret: str = field(repr=False)
    number: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Result:
    """What the supplier says of an order: its state and its own account of what was delivered.

    A field that the supplier did not echo is None. `detail` never holds a secret.
    """

    state: State
    supplier_ref: str = ""
    account: str | None = None
    product: str | None = None
    quantity: int | None = None
    cost_fen: int | None = None
    reason: Reason = Reason.NONE
    detail: str = ""
    cards: tuple[CardCode, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a submission. `result` is the order as the supplier described it while accepting."""

    verdict: Verdict
    supplier_ref: str = ""
    reason: Reason = Reason.NONE
    detail: str = ""
    result: Result | None = None


@dataclass(frozen=True, slots=True)
class Callback:
    """An authentic message about an order: a reason to ask now, never a reason to move money."""

    reference: str
    state: State
    supplier_ref: str = ""
    event_id: str = ""  # the same message sent again has the same id
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What we answer to a callback, exactly as the supplier expects it."""

    status: int
    body: bytes
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Times, in seconds, that a supplier's own documents give."""

    first_query_after: float = 3.0
    between_queries: float = 1.0
    # Counted from the last send; None: 'not found' never proves anything at this supplier.
    not_found_definite_after: float | None = None
    # A failure or a 'not found' counts when this many answers in a row say so, over this long.
    equal_answers: int = 2
    equal_answers_over: float = 2.0
    # A signed request older than this is refused by the supplier, so it must not be sent any more.
    request_valid: float = 300.0


@dataclass(frozen=True, slots=True)
class Info:
    """Who answers at the supplier's address, and what it says it can do."""

    account: str
    features: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Goods:
    """One product of a supplier, with its cost in fen."""

    product: str
    kind: Kind
    name: str
    cost_fen: int
    stock: int
    on_sale: bool


@dataclass(frozen=True, slots=True)
class Config:
    """How to reach one supplier: its address, our credentials there, and settings of the adapter."""

    code: str
    dialect: str
    base_url: str
    credentials: Mapping[str, str] = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict)


class SupplierError(Exception):
    """The supplier did not give what was asked; nothing of value was at stake."""


class ConfigError(SupplierError):
    """A supplier is configured wrongly; the text says which setting and what to do."""


class CallbackError(SupplierError):
    """A callback that proves nothing."""


class CallbackForged(CallbackError):
    """Its signature is missing or wrong."""


class CallbackMalformed(CallbackError):
    """Its signature is right and its content cannot be read."""


class Supplier(Protocol):
    """One upstream, whatever its dialect. No method but `read_callback` and the replies may be called twice
    for free: each is one HTTP request."""

    @property
    def rhythm(self) -> Rhythm: ...

    async def submit(self, order: Order) -> Answer: ...

    async def query(self, order: Order) -> Result: ...

    def read_callback(
        self, body: bytes, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> Callback: ...

    def callback_reply(self, *, known: bool) -> Reply: ...

    async def balance(self) -> int: ...

    async def info(self) -> Info: ...

    async def goods(self) -> Sequence[Goods]: ...


def disagreements(order: Order, result: Result) -> tuple[str, ...]:
    """Name what a success says differently from what was ordered; a thing not said disagrees as well.

    The cost must be the expected one to the fen: cheaper is as strange as dearer.
    """
    said: list[tuple[str, object, object]] = [
        ("product", order.product, result.product),
        ("quantity", order.quantity, result.quantity),
        ("cost", order.cost_fen, result.cost_fen),
    ]
    if order.kind is Kind.DIRECT:
        said.append(("account", order.account, result.account))
    else:
        said.append(("cards", order.quantity, len(result.cards)))
    return tuple(name for name, ours, theirs in said if ours != theirs)
