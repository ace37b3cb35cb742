"""Orders: redeem, cancel, and settle what fulfilment has found out."""

import json
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from benefits import states
from benefits.catalogue.kinds import KINDS
from benefits.catalogue.models import Sku
from benefits.fulfilment import operations as fulfilment
from benefits.fulfilment import outcomes
from benefits.fulfilment import queries as deliveries
from benefits.fulfilment.models import Delivery
from benefits.orders.errors import (
    InvalidAccount,
    NotAnEmployee,
    NotCancellable,
    NotOffered,
    OrderNotFound,
    PriceChanged,
)
from benefits.orders.models import Item, Order
from benefits.people.models import Employee
from benefits.people.queries import mobile_index
from benefits.points import goodwill, ledger
from benefits.points.errors import InsufficientPoints, RequestKeyReused
from benefits.points.models import Account
from benefits.risk.errors import DailyLimit, OthersNotAllowed
from tenants import audit
from tenants.crash import crash_point
from tenants.crypto import blind_index
from tenants.db import connection, durable, transaction, transaction_required
from tenants.errors import DomainError
from tenants.identity.models import User


@durable
def redeem(
    *,
    employee: Employee,
    sku: Sku,
    account: str,
    quoted_fen: int,
    request_key: UUID,
    actor: User | None,
    at: datetime,
) -> Order:
    """Debit the wallet, write the order and hand its deliveries to fulfilment, or do none of it.

    Safe to repeat: the same request_key with the same choice returns the first order. Raises InvalidAccount,
    NotOffered, PriceChanged, InsufficientPoints, RequestKeyReused, NotAnEmployee, DailyLimit, OthersNotAllowed.
    """
    kind = KINDS[sku.product.kind]
    cleaned = kind.clean(account)
    if cleaned is None:
        raise InvalidAccount(reason=kind.problem)
    today = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    digest, number, hint = _digest(sku.code, cleaned, quoted_fen), _new_number(today), kind.mask(cleaned)
    refusal, facts, pk, debit, *names = _call(
        employee.pk, request_key, digest, sku.code, quoted_fen, mobile_index(cleaned) if kind.is_phone else "",
        number, _ACCOUNT.get_prep_value(cleaned), hint, _DELIVERY_ACCOUNT.get_prep_value(cleaned),
        fulfilment.account_index(cleaned), *audit.who(actor), today, at,
    )  # fmt: skip
    if refusal:
        raise _REFUSALS[refusal](sku, json.loads(facts or "{}"))
    crash_point("after_debit_commit")
    if debit is None:
        return Order.objects.get(pk=pk)  # this request was answered before
    slug, name_zh, name_en = names
    return Order.from_db(
        connection.alias, _COLUMNS,
        (pk, number, employee.pk, request_key, digest, Order.Status.PLACED, sku.code, slug, name_zh, name_en, quoted_fen,
         cleaned, hint, debit, at, None),
    )  # fmt: skip


_ACCOUNT = Order._meta.get_field("account")
_DELIVERY_ACCOUNT = Delivery._meta.get_field("account")
_COLUMNS = (
    "id", "number", "employee_id", "request_key", "request_digest", "status", "sku_code", "product_slug", "name_zh",
    "name_en", "price_fen", "account", "account_hint", "debit_id", "placed_at", "finished_at",
)  # fmt: skip
_REDEEM = f"SELECT * FROM orders_redeem({', '.join(['%s'] * 16)})"

# What the call refuses, as the error that it is to a person; see orders/migrations/0002_redeem_function.py.
_REFUSALS: dict[str, Callable[[Sku, dict[str, int]], DomainError]] = {
    "request_key_reused": lambda sku, facts: RequestKeyReused(),
    "not_offered": lambda sku, facts: NotOffered(product=sku.product.name),
    "not_an_employee": lambda sku, facts: NotAnEmployee(),
    "price_changed": lambda sku, facts: PriceChanged(**facts),
    "others_not_allowed": lambda sku, facts: OthersNotAllowed(),
    "daily_limit": lambda sku, facts: DailyLimit(**facts),
    "insufficient_points": lambda sku, facts: InsufficientPoints(**facts),
}


def _call(*arguments: Any) -> Any:
    """The one call that decides and writes a redemption; a statement alone is a transaction of its own."""
    with connection.cursor() as cursor:
        cursor.execute(_REDEEM, arguments)
        return cursor.fetchone()


def _item_name(pk: int) -> str:
    return f"item:{pk}"


def _new_number(today: datetime) -> str:
    # The day and 40 random bits: short enough to read out, no count of anybody's orders.
    return f"{today:%Y%m%d}{secrets.randbelow(10**12):012d}"


def _digest(sku_code: str, account: str, quoted_fen: int) -> str:
    # A plain hash of a phone number can be guessed, so the request is hashed under the blind index's key.
    body = json.dumps([sku_code, account, quoted_fen])
    return blind_index(body, purpose="orders.request")


@transaction
def cancel(*, order: Order, actor: User, at: datetime) -> Order:
    """Take back an order of the actor's own, none of whose deliveries was ever claimed for a supplier.

    Safe to repeat: a cancelled order is returned as it is. Raises OrderNotFound, NotCancellable.
    """
    if order.employee.user_id != actor.pk:
        raise OrderNotFound
    # The deliveries first, as settling has it: their rows decide between this and a claim.
    deliveries = outcomes.cancel_untouched(company=connection.schema_name, order_number=order.number, at=at)
    order = Order.objects.select_for_update().get(pk=order.pk)
    if not deliveries:
        if _is_cancelled(order):
            return order
        raise NotCancellable
    items = order.items.in_bulk()
    for delivery in deliveries:
        _refund(order, items[delivery.item_id], reason=delivery.reason, at=at)
        outcomes.mark_settled(delivery, at=at)
    _finish(order, at=at)
    audit.record("order.cancelled", order, actor=actor, at=at, fen=order.price_fen)
    for item in items.values():
        audit.record(f"item.{item.status}", item, actor=actor, at=at, fen=item.price_fen)
    return order


def _is_cancelled(order: Order) -> bool:
    return all(item.reason == outcomes.CANCELLED for item in order.items.all())


def settle_due(*, at: datetime, limit: int = 200) -> int:
    """Settle the current company's deliveries that have an outcome; returns how many were settled."""
    due = deliveries.unsettled(connection.schema_name).values_list("pk", flat=True)[:limit]
    return sum(_settle(delivery_id=pk, at=at) for pk in list(due))


@transaction
def _settle(*, delivery_id: int, at: datetime) -> bool:
    """Close one item: what was held for it is spent, or goes back to its lots; and mark the delivery settled."""
    delivery = outcomes.lock_unsettled(delivery_id)
    if delivery is None:
        return False
    # The order first, since two items of one order may be settled at once.
    order = Order.objects.select_for_update().get(items__pk=delivery.item_id)
    item = Item.objects.get(pk=delivery.item_id)
    if delivery.status == Delivery.Status.SUCCEEDED:
        share = _share(item)
        posting = ledger.capture(share=share, reference=f"deliver:{share.item}", at=at)
        states.advance(item, Item.Status.DELIVERED, settlement=posting, settled_at=at)
    else:
        _refund(order, item, reason=delivery.reason, at=at)
    _finish(order, at=at)
    outcomes.mark_settled(delivery, at=at)
    audit.record(f"item.{item.status}", item, actor=None, at=at, fen=item.price_fen)
    return True


@transaction_required
def _refund(order: Order, item: Item, *, reason: str, at: datetime) -> None:
    """What was held for an item goes back to its lots; `order` is locked."""
    crash_point("in_refund")
    wallet = Account.objects.select_for_update().get(employee_id=order.employee_id)
    share = _share(item)
    posting = ledger.refund(wallet=wallet, share=share, reference=f"refund:{share.item}", at=at)
    states.advance(item, Item.Status.REFUNDED, settlement=posting, settled_at=at, reason=reason)
    goodwill.recover(wallet=wallet, at=at)


def _share(item: Item) -> ledger.Share:
    return ledger.Share(item=_item_name(item.pk), fen=item.price_fen)


def _finish(order: Order, *, at: datetime) -> None:
    found = set(order.items.values_list("status", flat=True))
    if Item.Status.PLACED in found:
        return
    outcome = {
        frozenset({Item.Status.DELIVERED}): Order.Status.DELIVERED,
        frozenset({Item.Status.REFUNDED}): Order.Status.REFUNDED,
    }.get(frozenset(Item.Status(status) for status in found), Order.Status.PARTLY)
    states.advance(order, outcome, finished_at=at)
