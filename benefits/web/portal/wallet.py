"""The wallet: what is in it and until when, and every posting with the balance after it."""

import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from benefits.catalogue import queries as catalogue
from benefits.orders import queries as orders
from benefits.points import days
from benefits.points import queries as points
from benefits.web.portal import shown
from benefits.web.portal.visitor import employee_of
from tenants.access import allow
from tenants.identity.roles import Role

PAGE = 30
_ITEM = re.compile(r":item:(\d+)\Z")


@allow(Role.EMPLOYEE)
@require_safe
def wallet(request: HttpRequest) -> HttpResponse:
    """The balance, the lots by expiry, and the ledger from the newest on."""
    employee, at = employee_of(request), timezone.now()
    before = request.GET.get("before", "")
    if before and not (before.isascii() and before.isdecimal() and len(before) < 18):
        raise Http404
    rows = points.history_of(employee, limit=PAGE + 1, before=int(before) if before else None)
    shelves = {shelf.slug: shelf.name for shelf in catalogue.categories()}
    lots = [lot for lot in points.lots_of(employee) if lot.expires_at is None or lot.expires_at > at]
    purse = points.wallet_of(employee, at=at)
    return render(
        request,
        "portal/wallet.html",
        {
            "tab": "me",
            "wallet": purse,
            "warning": shown.expiring(purse, at=at),
            "refund_days": request.company.refund_days,  # type: ignore[attr-defined]
            "lots": [
                {
                    "lot": lot,
                    "shelves": [shelves.get(slug, slug) for slug in lot.budget.categories],
                    "is_soon": lot.expires_at is not None and (lot.expires_at - at).days < 30,
                    "is_refund": lot.is_lengthened,  # type: ignore[attr-defined]
                    "last_day": days.last_day(lot.expires_at) if lot.expires_at else None,
                }
                for lot in lots
            ],
            "rows": _named(employee, rows[:PAGE]),
            "next_before": rows[PAGE - 1]["id"] if len(rows) > PAGE else None,
            "is_first": not before,
        },
    )


def _named(employee: Any, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each row with the order it belongs to, so that a refund leads to its order."""
    items = {int(match[1]) for row in rows if (match := _ITEM.search(row["reference"]))}
    numbers = {row["reference"].partition(":")[2] for row in rows if row["reference"].startswith("order:")}
    found = orders.orders_of(employee)
    by_number = {order.number: order for order in found.filter(number__in=numbers)} if numbers else {}
    by_item = {
        item.pk: order
        for order in (found.filter(items__pk__in=items).distinct() if items else [])
        for item in order.items.all()
    }
    for row in rows:
        match = _ITEM.search(row["reference"])
        order = by_item.get(int(match[1])) if match else by_number.get(row["reference"].partition(":")[2])
        row["order"] = order.number if order else ""
        row["name"] = shown.name_of(order) if order else row["subject"] or ""
        row["fen"], row["balance_fen"] = int(row["fen"]), int(row["balance_fen"])
        row["what"] = shown.POSTINGS.get(row["kind"], row["kind"])
    return rows
