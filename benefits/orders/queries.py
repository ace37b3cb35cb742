"""Reads of orders; an employee's own unless it says otherwise."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from benefits.fulfilment import outcomes
from benefits.orders.errors import OrderNotFound
from benefits.orders.models import Order
from benefits.people.models import Employee
from tenants.db import connection


def orders_of(employee: Employee, *, status: str = "", month: str = "") -> QuerySet[Order]:
    """The employee's orders, newest first; `month` is YYYY-MM."""
    found = Order.objects.filter(employee=employee).prefetch_related("items")
    if status in Order.Status.values:
        found = found.filter(status=status)
    if len(month) == 7 and month[:4].isdecimal() and month[5:].isdecimal():
        found = found.filter(placed_at__year=int(month[:4]), placed_at__month=int(month[5:]))
    return found.order_by("-id")


def find_order(employee: Employee, number: str) -> Order:
    """One order of the employee, or OrderNotFound: a colleague's is as missing as none."""
    order = Order.objects.filter(employee=employee, number=number).prefetch_related("items").first()
    if order is None:
        raise OrderNotFound
    return order


def timeline_of(order: Order) -> list[dict[str, Any]]:
    """What happened to an order, oldest first: rows of {step, at, item, reason, is_done}.

    Steps: placed, sent, verifying, waiting, delivered, refunded, cancelled.
    """
    steps: list[dict[str, Any]] = [_step("placed", order.placed_at)]
    progress = outcomes.progress(connection.schema_name, [item.pk for item in order.items.all()])
    several = len(order.items.all()) > 1
    for item in order.items.all():
        label = item if several else None
        seen = progress.get(item.pk)
        if seen is not None and seen.sent_at is not None:
            steps.append(_step("sent", seen.sent_at, item=label))
        if item.status == item.Status.PLACED:
            verifying = seen is not None and seen.is_unknown
            steps.append(_step("verifying" if verifying else "waiting", None, item=label))
        elif item.reason == outcomes.CANCELLED:
            steps.append(_step("cancelled", item.settled_at, item=label))
        else:
            steps.append(_step(item.status, item.settled_at, item=label, reason=item.reason))
    return steps


def _step(step: str, at: datetime | None, *, item: Any = None, reason: str = "") -> dict[str, Any]:
    return {"step": step, "at": at, "item": item, "reason": reason, "is_done": at is not None}
