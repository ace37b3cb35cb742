"""The figures on the home page: read through the rooms' queries, never written."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest

from benefits import mobile
from benefits.catalogue import queries as catalogue
from benefits.catalogue.models import Product
from benefits.orders import queries as orders
from benefits.orders.errors import NotAnEmployee
from benefits.points import days
from benefits.points import queries as points
from benefits.web.portal import shown
from benefits.web.portal.visitor import employee_of

PICKS = 6


def home(request: HttpRequest, *, at: datetime) -> dict[str, Any]:
    """What the home page shows of the reader's own; nothing of it for somebody who is not on the roster."""
    try:
        employee = employee_of(request)
    except NotAnEmployee:
        return {"employee": None}
    wallet = points.wallet_of(employee, at=at)
    found = list(catalogue.products())
    return {
        "employee": employee,
        "wallet": wallet,
        "last_day": days.last_day(wallet.expires_at) if wallet.expires_at else None,
        "warning": shown.expiring(wallet, at=at),
        "recent": [shown.order_row(order) for order in orders.orders_of(employee)[:3]],
        "picks": [
            shown.tile(one, spendable_fen=wallet.available_fen) for one in _picks(found, employee.mobile)
        ],
        "shelves": _shelves(found),
    }


def _picks(found: list[Product], own_number: str) -> list[Product]:
    """The reader's own carrier first, then one of each shelf, then whatever follows."""
    carrier = mobile.carrier(own_number)
    phone = (Product.Kind.TOP_UP, Product.Kind.DATA)
    own = [one for one in found if one.kind in phone and one.carrier == carrier]
    others = [one for one in found if one.kind not in phone]
    first_of_shelf = list({one.category_id: one for one in reversed(others)}.values())[::-1]
    rest = [one for one in others if one not in first_of_shelf]
    return [*own, *first_of_shelf, *rest][:PICKS]


def _shelves(found: list[Product]) -> list[dict[str, str]]:
    """The entry points where the editor set none: top-up, data, and the other shelves."""
    shelves = {one.category.slug: one.category for one in found}
    return [
        {
            "title": shelf.name,
            "icon": shown.ICON_OF_SHELF.get(shelf.icon, shelf.icon),
            "href": f"/benefits/?category={slug}",
        }
        for slug, shelf in shelves.items()
        if slug != "telecom"
    ]
