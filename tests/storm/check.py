"""What must hold when the storm is over: our books against what the simulator really did."""

from collections import Counter, defaultdict
from typing import Any

from django_tenants.utils import schema_context

from benefits.fulfilment.models import Attempt, CardCode, Case, Delivery
from benefits.fulfilment.recording import HOLDING
from benefits.orders.models import Item, Order
from reports import books
from tenants.models import Company
from tests.storm.shoppers import Journal


def violations(journal: Journal, truth: dict[str, Any]) -> list[str]:
    """Every promise that is broken, a sentence each. To be asked once nobody writes any more."""
    with schema_context("acme"):
        return [
            *journal.wrong,
            *_acknowledged(journal),
            *_sent(truth),
            *_delivered(truth),
            *(f"books: {found}" for found in books.verify(list(Company.objects.all()))),
        ]


def figures() -> dict[str, Any]:
    """How the orders and items ended."""
    with schema_context("acme"):
        return {
            "orders": Order.objects.count(),
            "items": dict(Counter(Item.objects.values_list("status", flat=True))),
            "attempts": Attempt.objects.count(),
            "sent_again_or_elsewhere": Attempt.objects.filter(number__gt=1).count(),
            "cases": dict(Counter(Case.objects.values_list("kind", flat=True))),
        }


def _acknowledged(journal: Journal) -> list[str]:
    stored = dict(Order.objects.values_list("request_key", "number"))
    found = [
        f"order {number} was acknowledged and is not there"
        for key, number in journal.acknowledged.items()
        if stored.get(key) != number
    ]
    return found + [f"order {stored[key]} was asked for by nobody" for key in stored.keys() - journal.planned]


def _sent(truth: dict[str, Any]) -> list[str]:
    known = set(Attempt.objects.values_list("reference", flat=True))
    received = {row["reference"] for table in ("submissions", "deliveries") for row in truth[table]}
    return [f"{reference} reached the supplier and is in no attempt" for reference in received - known]


def _delivered(truth: dict[str, Any]) -> list[str]:
    arrived: dict[int, list[dict[str, Any]]] = defaultdict(list)
    attempts = {one.reference: one for one in Attempt.objects.select_related("offer", "delivery")}
    for row in truth["deliveries"]:
        if attempt := attempts.get(row["reference"]):
            arrived[attempt.delivery_id].append(row)
    deliveries = {one.item_id: one for one in Delivery.objects.filter(company="acme")}
    held = set(
        Case.objects.filter(kind__in=HOLDING, status=Case.Status.OPEN).values_list(
            "attempt__delivery", flat=True
        )
    )
    codes = Counter(CardCode.objects.values_list("delivery_id", flat=True))
    found = []
    for item in Item.objects.select_related("order"):
        delivery = deliveries[item.pk]
        rows = arrived[delivery.pk]
        wrong = _wrong(item, delivery, rows, held=delivery.pk in held, codes=codes[delivery.pk])
        if wrong:
            found.append(f"item {item.pk} of order {item.order.number} is {item.status}: {wrong}")
    return found


def _wrong(item: Item, delivery: Delivery, rows: list[dict[str, Any]], *, held: bool, codes: int) -> str:
    if len(rows) > 1:
        return f"delivered {len(rows)} times"
    if item.status == Item.Status.PLACED:
        return "" if held else f"still open, its delivery {delivery.status}"
    if item.status == Item.Status.REFUNDED:
        return "delivered nevertheless" if rows else ""
    if not rows:
        return "never delivered"
    if rows[0]["account"] != delivery.account or rows[0]["product"] != delivery.sku_code:
        return f"delivered as {rows[0]['product']}, or to another account"
    return "" if codes == (1 if item.kind == "card" else 0) else f"has {codes} card codes"
