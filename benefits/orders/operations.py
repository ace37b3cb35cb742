"""Orders: redeem, cancel, and settle what fulfilment has found out."""

import json
import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Sum
from django.utils import timezone

from benefits import states
from benefits.catalogue import queries as catalogue
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
from benefits.points import goodwill, ledger
from benefits.points.errors import RequestKeyReused
from benefits.points.models import Account
from benefits.risk import limits
from tenants import audit
from tenants.crash import crash_point
from tenants.crypto import blind_index
from tenants.db import connection, transaction, transaction_required
from tenants.identity.models import User
from tenants.models import Company


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
    order = _redeem(
        employee=employee,
        sku=sku,
        account=cleaned,
        quoted_fen=quoted_fen,
        request_key=request_key,
        actor=actor,
        at=at,
    )
    crash_point("after_debit_commit")
    return order


@transaction
def _redeem(
    *,
    employee: Employee,
    sku: Sku,
    account: str,
    quoted_fen: int,
    request_key: UUID,
    actor: User | None,
    at: datetime,
) -> Order:
    # The wallet row is the lock: one employee's redemptions happen one after another.
    wallet = Account.objects.select_for_update(of=("self",)).select_related("employee").get(employee=employee)
    digest = _digest(sku.code, account, quoted_fen)
    earlier = Order.objects.filter(employee=employee, request_key=request_key).first()
    if earlier is not None:
        if earlier.request_digest != digest:
            raise RequestKeyReused
        return earlier
    current = catalogue.find_sku(sku.code)
    if current is None:
        raise NotOffered(product=sku.product.name)
    _refuse(wallet.employee, current, account=account, quoted_fen=quoted_fen, at=at)
    parts = catalogue.parts_of(current)
    return _place(
        wallet, current, parts, account=account, request_key=request_key, digest=digest, actor=actor, at=at
    )


def _refuse(employee: Employee | None, sku: Sku, *, account: str, quoted_fen: int, at: datetime) -> None:
    if employee is None or not employee.may_spend:
        raise NotAnEmployee
    if not catalogue.is_offered(sku) or not _is_deliverable(sku):
        raise NotOffered(product=sku.product.name)
    if sku.price_fen != quoted_fen:
        raise PriceChanged(quoted_fen=quoted_fen, price_fen=sku.price_fen)
    limits.check(
        company=Company.objects.get(schema_name=connection.schema_name),
        own_mobile=employee.mobile,
        phone=account if KINDS[sku.product.kind].is_phone else "",
        used_today_fen=_used_today_fen(employee, at=at),
        fen=sku.price_fen,
    )


def _is_deliverable(sku: Sku) -> bool:
    return outcomes.can_deliver(part.code for part, _ in catalogue.parts_of(sku))


def _used_today_fen(employee: Employee, *, at: datetime) -> int:
    start = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    orders = Order.objects.filter(employee=employee, placed_at__gte=start).exclude(
        status=Order.Status.REFUNDED
    )
    return orders.aggregate(fen=Sum("price_fen"))["fen"] or 0


@transaction_required
def _place(
    wallet: Account,
    sku: Sku,
    parts: Sequence[tuple[Sku, int]],
    *,
    account: str,
    request_key: UUID,
    digest: str,
    actor: User | None,
    at: datetime,
) -> Order:
    assert wallet.employee_id is not None  # a wallet is an employee's, by constraint
    number = _new_number(at)
    ids = _next_item_ids(len(parts))
    debit = ledger.hold(
        wallet=wallet,
        shares=[ledger.Share(item=_item_name(pk), fen=fen) for pk, (_, fen) in zip(ids, parts, strict=True)],
        category=sku.product.category.slug,
        reference=f"order:{number}",
        at=at,
    )
    hint = KINDS[sku.product.kind].mask(account)
    order = Order.objects.create(
        number=number,
        employee_id=wallet.employee_id,
        request_key=request_key,
        request_digest=digest,
        sku_code=sku.code,
        product_slug=sku.product.slug,
        name_zh=_title(sku.product.name_zh, sku.name_zh),
        name_en=_title(sku.product.name_en, sku.name_en),
        price_fen=sku.price_fen,
        account=account,
        account_hint=hint,
        debit=debit,
        placed_at=at,
    )
    items = Item.objects.bulk_create(
        _item(pk, order, place, part, fen)
        for place, (pk, (part, fen)) in enumerate(zip(ids, parts, strict=True), 1)
    )
    for item, (part, _) in zip(items, parts, strict=True):
        fulfilment.request_delivery(
            company=connection.schema_name,
            item_id=item.pk,
            order_number=number,
            sku_code=item.sku_code,
            kind=item.kind,
            speed=part.speed,
            face_fen=item.face_fen,
            ceiling_fen=item.price_fen,
            account=account,
            account_hint=hint,
            at=at,
        )
    audit.record("order.placed", order, actor=actor, at=at, fen=sku.price_fen, sku=sku.code)
    return order


def _item(pk: int, order: Order, place: int, part: Sku, fen: int) -> Item:
    return Item(
        pk=pk,
        order=order,
        position=place,
        sku_code=part.code,
        kind=part.product.kind,
        name_zh=_title(part.product.name_zh, part.name_zh),
        name_en=_title(part.product.name_en, part.name_en),
        tax_category=part.tax_category,
        face_fen=part.face_fen,
        price_fen=fen,
    )


def _next_item_ids(count: int) -> list[int]:
    # The lots' entries name the items, so the ids must be known before the debit is written.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('orders_item', 'id')) FROM generate_series(1, %s)", [count]
        )
        return [row[0] for row in cursor.fetchall()]


def _item_name(pk: int) -> str:
    return f"item:{pk}"


def _new_number(at: datetime) -> str:
    # The day and 40 random bits: short enough to read out, no count of anybody's orders.
    return f"{timezone.localtime(at):%Y%m%d}{secrets.randbelow(10**12):012d}"


def _title(product: str, size: str) -> str:
    return f"{product} {size}"


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
