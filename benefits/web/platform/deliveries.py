"""Deliveries: one search for 'where is my top-up', and everything that happened to one."""

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django_tenants.utils import tenant_context

from benefits import money
from benefits.catalogue.models import Sku
from benefits.fulfilment import operations, oversight
from benefits.fulfilment.models import Attempt, Case, Delivery
from benefits.fulfilment.vault import codes
from benefits.points import goodwill as credits
from benefits.web.platform import desk, goodwill, look, who
from benefits.web.platform.forms import GoodwillForm
from tenants.access import allow
from tenants.errors import DomainError
from tenants.models import Company


@who.everyone
def deliveries(request: HttpRequest) -> HttpResponse:
    """Search by order number, account, masked account or reference; filter by state, age and company."""
    at = timezone.now()
    text = look.asked(request, "q")
    chosen = {name: look.asked(request, name) for name in ("status", "age", "company", "show")}
    rows = _filtered(oversight.search(text), chosen, at=at)
    page = look.page_of(request, rows.order_by("-id"))
    schemas = {one.company for one in page}
    names, skus = look.company_names(schemas), _sku_names({one.sku_code for one in page})
    context = {
        "section": "deliveries",
        "page": page,
        "rows": [_row(one, names, skus, at=at) for one in page],
        "q": text,
        "chosen": chosen,
        "statuses": Delivery.Status.choices,
        "ages": [(name, desk.AGES[name]) for name in oversight.AGES],
        "counts": oversight.counts(),
    }
    return render(request, "platform/deliveries.html", context)


def _filtered(rows: Any, chosen: dict[str, str], *, at: Any) -> Any:
    if chosen["status"] in Delivery.Status.values:
        rows = rows.filter(status=chosen["status"])
    if chosen["age"] in oversight.AGES:
        rows = rows.filter(oversight.of_age(chosen["age"], at=at), status__in=oversight.OPEN)
    if chosen["company"]:
        rows = rows.filter(company=chosen["company"][:63])
    if chosen["show"] == "unknown":
        rows = rows.filter(attempts__status=Attempt.Status.UNKNOWN).distinct()
    elif chosen["show"] == "unsettled":
        rows = rows.filter(Q(status__in=oversight.FINAL), settled_at__isnull=True)
    return rows.prefetch_related("attempts__supplier")


def _sku_names(found: set[str]) -> dict[str, str]:
    rows = Sku.objects.filter(code__in=found).select_related("product")
    return {sku.code: f"{sku.product.name} {sku.name}" for sku in rows}


def _row(one: Delivery, names: dict[str, str], skus: dict[str, str], *, at: Any) -> dict[str, Any]:
    attempts = list(one.attempts.all())
    last = attempts[-1] if attempts else None
    return {
        "delivery": one,
        "company": names.get(one.company, one.company),
        "sku": skus.get(one.sku_code, one.sku_code),
        "tone": look.DELIVERY[Delivery.Status(one.status)],
        "supplier": last.supplier if last else None,
        "unknown": last is not None and last.status == Attempt.Status.UNKNOWN,
        "took": look.lasting((one.finished_at or at) - one.created_at),
    }


@who.everyone
def delivery(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """One delivery with its attempts, the callbacks about them, its cases and what may be done."""
    found = get_object_or_404(Delivery, pk=delivery_id)
    return _page(request, found)


def _page(request: HttpRequest, found: Delivery, **more: Any) -> HttpResponse:
    attempts = list(
        found.attempts.select_related("supplier", "offer", "batch").prefetch_related("callbacks", "cases")
    )
    may_run = who.may(request, who.OPERATORS)
    context = {
        "section": "deliveries",
        "one": found,
        "tone": look.DELIVERY[Delivery.Status(found.status)],
        "company": look.company_names({found.company}).get(found.company, found.company),
        "sku": _sku_names({found.sku_code}).get(found.sku_code, found.sku_code),
        "face": money.yuan_grouped(found.face_fen),
        "ceiling": money.yuan_grouped(found.ceiling_fen),
        "attempts": [_attempt(one, may_run=may_run) for one in attempts],
        "timeline": _timeline(found, attempts),
        "callbacks": [call for one in attempts for call in one.callbacks.all()],
        "cases": [
            (case, look.CASE[Case.Status(case.status)]) for one in attempts for case in one.cases.all()
        ],
        "has_codes": may_run and found.card_codes.exists(),
        **goodwill.of_delivery(request, found),
        **more,
    }
    return render(request, "platform/delivery.html", context)


def _attempt(one: Attempt, *, may_run: bool) -> dict[str, Any]:
    return {
        "attempt": one,
        "tone": look.ATTEMPT[Attempt.Status(one.status)],
        "cost": money.yuan_grouped(one.cost_fen) if one.cost_fen is not None else "–",
        "may_send_again": may_run and one.status == Attempt.Status.UNKNOWN,
    }


def _timeline(found: Delivery, attempts: list[Attempt]) -> list[dict[str, Any]]:
    """Everything with a time, oldest first."""
    entries: list[tuple[Any, str, str, str]] = [(found.created_at, _("ordered"), "", "done")]
    for one in attempts:
        words = {"number": one.number, "supplier": one.supplier.name}
        if one.sent_at:
            entries.append(
                (one.sent_at, _("attempt %(number)d sent to %(supplier)s") % words, one.reference, "done")
            )
        calls = one.callbacks.all()
        entries += [
            (call.received_at, _("%(supplier)s called back") % words, call.says, "done") for call in calls
        ]
        for case in one.cases.all():
            entries.append((case.opened_at, _("case opened"), case.get_kind_display(), "bad"))
            if case.closed_at:
                entries.append(
                    (
                        case.closed_at,
                        _("case closed by %(person)s") % {"person": case.closed_by},
                        case.resolution,
                        "done",
                    )
                )
        if one.finished_at:
            failed = one.status == Attempt.Status.FAILED
            title = _("attempt %(number)d failed") if failed else _("attempt %(number)d succeeded")
            entries.append(
                (one.finished_at, title % words, one.detail or one.reason, "bad" if failed else "done")
            )
    if found.finished_at:
        failed = found.status == Delivery.Status.FAILED
        entries.append(
            (found.finished_at, found.get_status_display(), found.reason, "bad" if failed else "done")
        )
    if found.settled_at:
        refunded = found.status == Delivery.Status.FAILED
        title = _("settled: points returned") if refunded else _("settled")
        entries.append((found.settled_at, title, "", "returned" if refunded else "done"))
    entries.sort(key=lambda entry: entry[0])
    lines = [
        {"title": title, "at": _moment(moment), "detail": detail, "state": state}
        for moment, title, detail, state in entries
    ]
    if found.status in oversight.OPEN:
        lines.append({"title": found.get_status_display(), "at": "", "detail": "", "state": "current"})
    return lines


def _moment(moment: Any) -> str:
    return date_format(timezone.localtime(moment), "m-d H:i:s")


@require_POST
@who.operators
def send_again(request: HttpRequest, delivery_id: int, attempt_id: int) -> HttpResponse:
    """Send an unknown attempt once more, to the same supplier under the same reference."""
    attempt = get_object_or_404(Attempt, pk=attempt_id, delivery=delivery_id)
    operations.send_again(attempt=attempt, actor=who.person(request), at=timezone.now())
    messages.success(request, _("It is sent again, under the same reference."))
    return redirect("platform_delivery", delivery_id=delivery_id)


@require_POST
@never_cache
@who.operators
def reveal(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Show the card codes of a delivery; that they were shown is recorded first."""
    found = get_object_or_404(Delivery, pk=delivery_id)
    shown = codes.reveal(delivery=found, actor=who.person(request), at=timezone.now())
    return _page(request, found, codes=shown)


@require_POST
@allow(*goodwill.GIVERS)
def give(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Give the owner of a delivery points of the platform's own money."""
    found = get_object_or_404(Delivery, pk=delivery_id)
    company = get_object_or_404(Company, schema_name=found.company)
    form = GoodwillForm(request.POST)
    if form.is_valid():
        try:
            with tenant_context(company):
                credits.credit(
                    delivery=found, **form.cleaned_data, actor=who.person(request), at=timezone.now()
                )
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Given. The employee can spend it at once."))
            return redirect("platform_delivery", delivery_id=delivery_id)
    answer = _page(request, found, **goodwill.of_delivery(request, found, form))
    answer.status_code = 422
    return answer
