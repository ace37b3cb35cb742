"""The employee's orders: the list, one order as it happens, and the card codes that are theirs."""

from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from benefits.fulfilment import outcomes
from benefits.fulfilment import queries as deliveries
from benefits.fulfilment.vault import codes
from benefits.journal import receipts
from benefits.orders import operations
from benefits.orders import queries as orders
from benefits.orders.errors import NotCancellable
from benefits.orders.models import Item, Order
from benefits.web.portal import shown
from benefits.web.portal.errors import RevealedTooOften
from benefits.web.portal.visitor import employee_of, user_of
from tenants.access import allow
from tenants.db import connection
from tenants.identity.models import User
from tenants.identity.roles import Role

PAGE = 20
REVEALS_AN_HOUR = 30
LATE = timedelta(minutes=30)


@allow(Role.EMPLOYEE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The orders, by state and month."""
    status, month = request.GET.get("status", ""), request.GET.get("month", "")
    if status and status not in Order.Status.values:
        raise Http404
    found = orders.orders_of(employee_of(request), status=status, month=month)
    number = request.GET.get("page", "1")
    if not number.isascii() or not number.isdecimal() or len(number) > 6:
        raise Http404
    page = Paginator(found, PAGE).get_page(number)
    return render(
        request,
        "portal/orders.html",
        {
            "tab": "orders",
            "page": page,
            "rows": [shown.order_row(order) for order in page],
            "status": status,
            "month": month,
            "states": Order.Status.choices,
            "months": _months(timezone.localdate()),
        },
    )


def _months(today: Any) -> list[str]:
    first = today.year * 12 + today.month - 1
    return [f"{month // 12:04d}-{month % 12 + 1:02d}" for month in range(first, first - 12, -1)]


@allow(Role.EMPLOYEE)
@require_safe
def order(request: HttpRequest, number: str) -> HttpResponse:
    """One order: how it stands, what happened, what was paid."""
    return render(request, "portal/order.html", _context(request, number))


@allow(Role.EMPLOYEE)
@require_safe
def live(request: HttpRequest, number: str) -> HttpResponse:
    """The part of an order's page that follows the delivery; it stops asking once the order is final."""
    return render(request, "portal/_live.html", _context(request, number))


@allow(Role.EMPLOYEE)
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, number: str) -> HttpResponse:
    """Ask whether an order that was not sent yet shall be cancelled; a POST does it."""
    if request.method == "POST":
        found = orders.find_order(employee_of(request), number)
        operations.cancel(order=found, actor=user_of(request), at=timezone.now())
        return redirect("portal:order", number)
    context = _context(request, number)
    if not context["can_cancel"]:
        raise NotCancellable
    return render(request, "portal/cancel.html", context)


@allow(Role.EMPLOYEE)
@require_POST
def reveal(request: HttpRequest, number: str, item: int) -> HttpResponse:
    """Show the card codes of one item to the order's owner. Each time leaves a trace; nothing may keep the page."""
    context = _context(request, number)
    user = user_of(request)
    if not any(line["pk"] == item and line["has_codes"] for line in context["lines"]):
        raise Http404
    _limit_reveals(user)
    delivery = deliveries.deliveries_of(connection.schema_name, number).filter(item_id=item).first()
    if delivery is None:
        raise Http404
    shown_codes = codes.reveal(delivery=delivery, actor=user, at=timezone.now())
    for line in context["lines"]:
        if line["pk"] == item:
            line["codes"] = shown_codes
    response = render(request, "portal/order.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


def _limit_reveals(user: User) -> None:
    key = f"reveals:{user.pk}:{timezone.now():%Y%m%d%H}"
    cache.add(key, 0, 3700)
    if cache.incr(key) > REVEALS_AN_HOUR:
        raise RevealedTooOften(limit=REVEALS_AN_HOUR)


def _context(request: HttpRequest, number: str) -> dict[str, Any]:
    found = orders.find_order(employee_of(request), number)
    at = timezone.now()
    items = list(found.items.all())
    progress = outcomes.progress(connection.schema_name, [item.pk for item in items])
    is_final = found.status != Order.Status.PLACED
    age = at - found.placed_at
    return {
        "tab": "orders",
        "order": found,
        "row": shown.order_row(found),
        "is_final": is_final,
        "next_seconds": 2 if age < timedelta(minutes=1) else 5 if age < timedelta(minutes=10) else 30,
        "is_late": not is_final and age > LATE,
        "refunded_fen": sum(item.price_fen for item in items if item.status == Item.Status.REFUNDED),
        "reason": next(
            (shown.reason(item.reason) for item in items if item.status == Item.Status.REFUNDED), ""
        ),
        "can_cancel": not is_final and all(seen.is_untouched for seen in progress.values()),
        "is_verifying": any(seen.is_unknown for seen in progress.values()) and not is_final,
        "entries": shown.timeline(orders.timeline_of(found), is_final=is_final),
        "lines": [_line(item, progress.get(item.pk), several=len(items) > 1) for item in items],
        "seal": receipts.checkpoint_of(found) if is_final else None,
        "references": [seen.supplier_reference for seen in progress.values() if seen.supplier_reference],
    }


def _line(item: Item, seen: outcomes.Progress | None, *, several: bool) -> dict[str, Any]:
    return {
        "pk": item.pk,
        "name": shown.name_of(item),
        "status": item.get_status_display(),
        "tone": {"placed": "info", "delivered": "ok", "refunded": "warn"}[item.status],
        "price_fen": item.price_fen,
        "has_codes": bool(seen and seen.has_codes and item.status == Item.Status.DELIVERED),
        "codes": [],
        "several": several,
    }
