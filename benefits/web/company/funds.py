"""The company's money at the platform: what is there, what came, what was loaded, receipts and slips."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from benefits import money
from benefits.funds import alerts, operations, queries
from benefits.funds.models import Deposit, FundsAccount
from benefits.points import queries as points
from benefits.web import funds_shown
from benefits.web.company import shown
from benefits.web.company.budgets import READERS
from benefits.web.company.money_forms import WarningForm
from tenants.access import allow
from tenants.errors import DomainError
from tenants.identity.roles import Role

RECENT = 10
MOST_PRINTED = 5_000
PAYERS = (Role.FINANCE, Role.ADMIN)
TONES = {Deposit.Status.RECORDED: "info", Deposit.Status.CONFIRMED: "ok", Deposit.Status.REJECTED: "bad"}


@allow(*READERS)
@require_safe
def funds(request: HttpRequest) -> HttpResponse:
    """Balance, credit line, deposits, and the latest changes of the account."""
    return _funds(request)


def _funds(request: HttpRequest, *, form: WarningForm | None = None) -> HttpResponse:
    company = shown.company_of(request)
    account = queries.account_of(company.schema_name)
    mark = account.warn_below_fen
    context = {
        "section": "funds",
        "figures": _figures(account),
        "is_low": queries.is_low(account),
        "holds": [
            {"hold": hold, "amount": funds_shown.yuan(hold.fen)}
            for hold in queries.holds_of(account)[:RECENT]
        ],
        "deposits": _deposits(account, may_see_slips=_may_pay(request)),
        "rows": _recent(account),
        "seller": settings.SELLER,
        "may_pay": _may_pay(request),
        "warning_form": form
        or WarningForm(company=company, initial={"mark": money.yuan(mark) if mark is not None else ""}),
    }
    return render(request, "company/funds.html", context, status=422 if form else 200)


def _may_pay(request: HttpRequest) -> bool:
    return bool({str(role) for role in PAYERS} & request.user.roles)  # type: ignore[union-attr]


def _figures(account: FundsAccount) -> dict[str, str]:
    figures = {
        "available": account.available_fen,
        "balance": account.balance_fen,
        "credit": account.credit_limit_fen,
        "held": account.held_fen,
        "mark": account.warn_below_fen or 0,
    }
    return {
        name: funds_shown.yuan(fen) if fen or name in ("available", "balance") else ""
        for name, fen in figures.items()
    }


def _deposits(account: FundsAccount, *, may_see_slips: bool) -> list[dict[str, Any]]:
    found = list(queries.deposits_of(account)[:RECENT])
    void = queries.reversed_deposits([deposit.pk for deposit in found])
    return [
        {
            "deposit": deposit,
            "amount": funds_shown.yuan(deposit.fen),
            "tone": "bad" if deposit.pk in void else TONES[Deposit.Status(deposit.status)],
            "is_void": deposit.pk in void,
            "receipt": funds_shown.receipt_number(deposit),
            "has_slip": may_see_slips and bool(deposit.slip),
        }
        for deposit in found
    ]


def _recent(account: FundsAccount) -> list[dict[str, Any]]:
    entries = list(queries.entries_of(account.company)[:RECENT])
    return funds_shown.lines(
        entries, budgets=points.budgets_of_references([one.reference for one in entries])
    )


@allow(*READERS)
@require_safe
def statement(request: HttpRequest) -> HttpResponse:
    """The account in a period: opening balance, each change with the balance after it, closing balance."""
    company, now = shown.company_of(request), timezone.now()
    form = funds_shown.PeriodForm(request.GET)
    period = form.cleaned_data if form.is_valid() else {"first": None, "last": None}
    found = queries.statement(
        queries.account_of(company.schema_name), first=period["first"], last=period["last"]
    )
    size = MOST_PRINTED if funds_shown.wants_all(request) else funds_shown.PAGE
    page = Paginator(found.lines, size).get_page(request.GET.get("page"))
    entries = list(page)
    budgets = points.budgets_of_references([entry.reference for entry in entries])
    context = {
        "section": "funds",
        "form": form,
        "page": page,
        "rows": funds_shown.lines(entries, budgets=budgets),
        "sums": funds_shown.sums(found),
        "period": funds_shown.period_words(period["first"], period["last"]),
        "made_at": now,
        "month": _month(period["last"] or timezone.localdate(now)),
        "may_report": bool({"finance", "admin", "hr"} & request.user.roles),  # type: ignore[union-attr]
    }
    return render(request, "company/funds_statement.html", context, status=422 if form.errors else 200)


def _month(day: Any) -> str:
    return f"{min(day, timezone.localdate()):%Y-%m}"


@allow(*PAYERS)
@require_POST
def warning(request: HttpRequest) -> HttpResponse:
    """Set below which amount the company is told that its funds are low."""
    company = shown.company_of(request)
    form = WarningForm(request.POST, company=company)
    if form.is_valid():
        try:
            alerts.set_warning(
                company=company,
                fen=form.cleaned_data["mark"],
                actor=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
            )
        except DomainError as error:
            form.add_error("mark", str(error))
        else:
            told = form.cleaned_data["mark"]
            text = _("You are told below %(mark)s.") % {"mark": funds_shown.yuan(told)} if told else ""
            messages.success(request, text or _("There is no warning any more."))
            return redirect("company_funds")
    return _funds(request, form=form)


@allow(*PAYERS)
@require_safe
def slip(request: HttpRequest, pk: int) -> HttpResponse:
    """The bank's slip of one of the company's deposits, as a file to keep."""
    rows = Deposit.objects.select_related("account").exclude(slip="")
    deposit = get_object_or_404(rows, pk=pk, account__company=shown.company_of(request).schema_name)
    found = operations.show_slip(deposit=deposit, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    return funds_shown.attached(found, deposit=deposit)


@allow(*READERS)
@require_safe
def receipt(request: HttpRequest, number: str) -> HttpResponse:
    """The receipt of a confirmed deposit, to be printed."""
    found = queries.find_receipt(number=number, schema=shown.company_of(request).schema_name)
    is_void = bool(queries.reversed_deposits([found.deposit_id]))
    context = {"section": "funds", "receipt": funds_shown.printed(found, is_void=is_void)}
    return render(request, "company/funds_receipt.html", context)
