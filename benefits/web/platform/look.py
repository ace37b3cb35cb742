"""How states are coloured, times are told and lists are cut, on every page of the console."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from benefits.fulfilment.models import Attempt, Case, Delivery
from benefits.funds.models import Deposit
from tenants.models import Company

PAGE_SIZE = 50

DELIVERY = {
    Delivery.Status.READY: "neutral",
    Delivery.Status.ACTIVE: "info",
    Delivery.Status.SUCCEEDED: "ok",
    Delivery.Status.FAILED: "bad",
}
ATTEMPT = {
    Attempt.Status.SENDING: "info",
    Attempt.Status.WAITING: "info",
    Attempt.Status.UNKNOWN: "warn",
    Attempt.Status.SUCCEEDED: "ok",
    Attempt.Status.FAILED: "bad",
}
DEPOSIT = {Deposit.Status.RECORDED: "warn", Deposit.Status.CONFIRMED: "ok", Deposit.Status.REJECTED: "bad"}
COMPANY = {
    Company.Status.OPENING: "info",
    Company.Status.OPEN: "ok",
    Company.Status.SUSPENDED: "warn",
    Company.Status.CLOSED: "neutral",
}
CASE = {Case.Status.OPEN: "warn", Case.Status.CLOSED: "neutral"}


def page_of(request: HttpRequest, rows: QuerySet[Any] | Sequence[Any], size: int = PAGE_SIZE) -> Page[Any]:
    """The page that the address asks for, or the nearest that there is."""
    return Paginator(rows, size).get_page(request.GET.get("page"))


def asked(request: HttpRequest, name: str, default: str = "") -> str:
    """A word of the address, at most 120 characters and without NUL, which no query takes."""
    return request.GET.get(name, default).replace("\0", "").strip()[:120]


def lasting(span: timedelta | None) -> str:
    """A length of time in its largest unit: 8 seconds, 12 minutes, 3 hours, 2 days."""
    if span is None:
        return "–"
    seconds = max(0, int(span.total_seconds()))
    if seconds < 60:
        return _("%(number)d s") % {"number": seconds}
    if seconds < 3600:
        return _("%(number)d min") % {"number": seconds // 60}
    if seconds < 86400:
        return _("%(number)d h") % {"number": seconds // 3600}
    return _("%(number)d d") % {"number": seconds // 86400}


def age(since: datetime, *, at: datetime) -> str:
    """How long ago something was."""
    return lasting(at - since)


def company_names(schemas: set[str]) -> dict[str, str]:
    """The names by which people know the companies of these schemas."""
    rows = Company.objects.filter(schema_name__in=schemas)
    return {company.schema_name: company.display_name for company in rows}
