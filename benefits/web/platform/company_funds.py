"""A company's funds as the platform sees them: the statement, what is held, and how the credit line changed."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_tenants.utils import tenant_context

from benefits.funds import operations, queries
from benefits.funds.errors import InsufficientFunds
from benefits.funds.models import FundsAccount, FundsEntry, FundsHold
from benefits.points import queries as points
from benefits.web import funds_shown
from benefits.web.platform import look, who
from benefits.web.platform.forms import HoldForm
from tenants.errors import DomainError
from tenants.identity.models import AuditEvent
from tenants.models import Company

MOST_PRINTED = 5_000
HISTORY = 20


@who.everyone
@require_safe
def company_funds(request: HttpRequest, schema: str) -> HttpResponse:
    """The statement of a period, with holds and the history of the credit line."""
    return _page(request, _find(schema))


def _find(schema: str) -> Company:
    return get_object_or_404(Company.objects.exclude(status=Company.Status.OPENING), schema_name=schema)


def _page(request: HttpRequest, company: Company, *, form: HoldForm | None = None) -> HttpResponse:
    account = get_object_or_404(FundsAccount, company=company.schema_name)
    period_form = funds_shown.PeriodForm(request.GET)
    period = period_form.cleaned_data if period_form.is_valid() else {"first": None, "last": None}
    found = queries.statement(account, first=period["first"], last=period["last"])
    size = MOST_PRINTED if funds_shown.wants_all(request) else funds_shown.PAGE
    page = Paginator(found.lines, size).get_page(request.GET.get("page"))
    context = {
        "section": "companies",
        "one": company,
        "form": period_form,
        "page": page,
        "rows": _lines(list(page), company),
        "sums": funds_shown.sums(found),
        "period": funds_shown.period_words(period["first"], period["last"]),
        "available": funds_shown.yuan(account.available_fen),
        "credit": funds_shown.yuan(account.credit_limit_fen),
        "held": funds_shown.yuan(account.held_fen),
        "holds": [
            {"hold": one, "amount": funds_shown.yuan(one.fen)} for one in account.holds.all()[:HISTORY]
        ],
        "credits": _credits(account),
        "may_pay": who.may(request, who.FINANCE),
        "hold_form": form or HoldForm(),
        "asks": "hold" if form or look.asked(request, "form") == "hold" else "",
    }
    wrong = form is not None or bool(period_form.errors)
    return render(request, "platform/company_funds.html", context, status=422 if wrong else 200)


def _lines(entries: list[FundsEntry], company: Company) -> list[dict[str, Any]]:
    with tenant_context(company):
        budgets = points.budgets_of_references([entry.reference for entry in entries])
    return funds_shown.lines(entries, budgets=budgets)


def _credits(account: FundsAccount) -> list[dict[str, Any]]:
    events = AuditEvent.objects.filter(action="credit.set", subject=f"funds.fundsaccount:{account.pk}")
    return [
        {
            "at": event.at,
            "actor": event.actor,
            "before": funds_shown.yuan(event.facts["before_fen"]),
            "after": funds_shown.yuan(event.facts["fen"]),
        }
        for event in events.order_by("-id")[:HISTORY]
    ]


@require_POST
@who.finance
def hold(request: HttpRequest, schema: str) -> HttpResponse:
    """Keep part of what a company may load from being loaded."""
    company = _find(schema)
    form = HoldForm(request.POST)
    if form.is_valid():
        try:
            operations.hold(
                company=company,
                fen=form.cleaned_data["yuan"],
                reason=form.cleaned_data["reason"],
                actor=who.person(request),
                at=timezone.now(),
            )
        except InsufficientFunds as error:
            text = _("Only %(available)s can be loaded now, so no more than that can be held.")
            form.add_error("yuan", text % {"available": funds_shown.yuan(error.details["available_fen"])})
        except DomainError as error:
            form.add_error("yuan", str(error))
        else:
            messages.success(request, _("Held: the company reads why on its funds page."))
            return redirect("platform_company_funds", schema=schema)
    return _page(request, company, form=form)


@require_POST
@who.finance
def release(request: HttpRequest, hold_id: int) -> HttpResponse:
    """Let what was held be loaded again."""
    found = get_object_or_404(FundsHold.objects.select_related("account"), pk=hold_id)
    operations.release(held=found, actor=who.person(request), at=timezone.now())
    messages.success(request, _("Released."))
    return redirect("platform_company_funds", schema=found.account.company)
