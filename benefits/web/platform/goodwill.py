"""Goodwill: points that the platform gives an employee for an order, and what it has cost in each company."""

from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_tenants.utils import tenant_context

from benefits import money
from benefits.fulfilment.models import Delivery
from benefits.points import goodwill
from benefits.web.platform import look, who
from benefits.web.platform.forms import GoodwillForm
from tenants.identity.models import AuditEvent
from tenants.models import Company

GIVERS = who.OPERATORS | who.FINANCE


@who.everyone
def overview(request: HttpRequest) -> HttpResponse:
    """What was given in each company that was ever given any, and where it is."""
    given = AuditEvent.objects.filter(action="goodwill.given").order_by()
    schemas = given.values_list("facts__company", flat=True).distinct()
    page = look.page_of(
        request, Company.objects.filter(schema_name__in=list(schemas)).order_by("schema_name")
    )
    rows = [{"company": one, **_shown(_figures(one))} for one in page]
    return render(request, "platform/goodwill.html", {"section": "companies", "page": page, "rows": rows})


def _figures(company: Company) -> goodwill.Figures:
    with tenant_context(company):
        return goodwill.figures()


def _shown(found: goodwill.Figures) -> dict[str, str]:
    names = ("given_fen", "recovered_fen", "unspent_fen", "held_fen", "spent_fen", "loss_fen")
    return {name.removesuffix("_fen"): money.yuan_grouped(getattr(found, name)) for name in names}


def of_delivery(request: HttpRequest, found: Delivery, form: GoodwillForm | None = None) -> dict[str, Any]:
    """What the page of a delivery says of goodwill: what was given, or the form to give some where it may be."""
    company = Company.objects.filter(schema_name=found.company).first()
    if company is None:
        return {}
    with tenant_context(company):
        given = goodwill.given_for(found)
    if given is not None:
        return {
            "goodwill_given": {
                "yuan": money.yuan_grouped(given.total_fen),
                "at": given.at,
                "reason": given.reason,
            }
        }
    seen = goodwill.state_of(found)
    if not seen or not who.may(request, GIVERS):
        return {}
    return {
        "goodwill_form": form or GoodwillForm(initial={"request_key": uuid4(), "seen": seen}),
        "goodwill_seen": seen,
    }
