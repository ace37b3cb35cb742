"""The catalogue: shelves, search, what can be afforded. The filters are in the address."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from benefits.catalogue import queries as catalogue
from benefits.web.portal import shown
from benefits.web.portal.visitor import Purse, employee_of
from tenants.access import allow
from tenants.identity.roles import Role


@allow(Role.EMPLOYEE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Products by shelf and search, each with its lowest price and what the reader lacks for it."""
    purse = Purse(employee_of(request), at=timezone.now())
    shelves = list(catalogue.categories())
    category = request.GET.get("category", "")
    if category and category not in {shelf.slug for shelf in shelves}:
        raise Http404
    search = "".join(part for part in request.GET.get("q", "")[:40] if part.isprintable()).strip()
    found = catalogue.products(category=category, search=search)
    tiles = [shown.tile(one, spendable_fen=purse.spendable_fen(one.category.slug)) for one in found]
    affordable = request.GET.get("affordable") == "1"
    return render(
        request,
        "portal/catalogue.html",
        {
            "tab": "catalogue",
            "shelves": shelves,
            "category": category,
            "search": search,
            "affordable": affordable,
            "tiles": [one for one in tiles if not (affordable and one["short_fen"])],
            "spendable_fen": purse.spendable_fen(category),
        },
    )
