"""Companies: the list, opening one, its page, suspending and resuming it."""

import time
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_tenants.utils import tenant_context

from benefits import money
from benefits.fulfilment.models import Delivery
from benefits.funds import operations as funds
from benefits.funds import queries as funds_queries
from benefits.funds.errors import DepositExists, InvalidAmount, InvalidValueDate
from benefits.funds.models import Deposit, FundsAccount
from benefits.web.platform import look, who
from benefits.web.platform.forms import CompanyForm, CreditForm, DepositForm
from tenants import operations
from tenants.errors import DomainError, InvalidCreditCode, InvalidDomain, InvalidSchemaName
from tenants.identity import links
from tenants.identity import operations as identity
from tenants.identity.models import User
from tenants.identity.roles import Role
from tenants.models import Company

RECENT = 10
FIELD_OF: dict[type[DomainError], str] = {
    InvalidSchemaName: "schema",
    InvalidDomain: "domain",
    InvalidCreditCode: "credit_code",
    DepositExists: "reference",
    InvalidAmount: "yuan",
    InvalidValueDate: "value_date",
}


@who.everyone
def companies(request: HttpRequest) -> HttpResponse:
    """Every company with its state and what it may still spend."""
    text, status = look.asked(request, "q"), look.asked(request, "status")
    rows = Company.objects.prefetch_related("domains").order_by("-opened_at")
    if text:
        fields = ("name", "short_name", "schema_name", "credit_code", "domains__domain")
        condition = Q()
        for field in fields:
            condition |= Q(**{f"{field}__icontains": text})
        rows = rows.filter(condition).distinct()
    if status in Company.Status.values:
        rows = rows.filter(status=status)
    page = look.page_of(request, rows)
    accounts = FundsAccount.objects.in_bulk([one.schema_name for one in page], field_name="company")
    context = {
        "section": "companies",
        "page": page,
        "rows": [_row(one, accounts.get(one.schema_name)) for one in page],
        "q": text,
        "status": status,
        "statuses": Company.Status.choices,
        "may_open": who.may(request, who.OPERATORS),
    }
    return render(request, "platform/companies.html", context)


def _row(company: Company, account: FundsAccount | None) -> dict[str, Any]:
    domain = next((one.domain for one in company.domains.all() if one.is_primary), "")
    balance = account.balance_fen if account else 0
    return {
        "company": company,
        "domain": domain,
        "tone": look.COMPANY[Company.Status(company.status)],
        "balance": money.yuan_grouped(balance),
        "low": account is not None and (account.available_fen <= 0 or funds_queries.is_low(account)),
    }


@who.operators
def open_company(request: HttpRequest) -> HttpResponse:
    """Open a company: one form, about a second, and the first administrator's link."""
    form = CompanyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        started = time.perf_counter()
        try:
            opened = operations.open_company(
                **form.cleaned_data, actor=who.person(request), at=timezone.now()
            )
        except DomainError as error:
            form.add_error(FIELD_OF.get(type(error)), str(error))
        else:
            seconds = time.perf_counter() - started
            with tenant_context(opened.company):
                link = links.absolute(links.activation_path(opened.owner), company=opened.company)
            context = {
                "section": "companies",
                "company_opened": opened.company,
                "seconds": f"{seconds:.1f}",
                "link": link,
                "portal": links.absolute("/", company=opened.company),
                "owner": opened.owner,
            }
            return render(request, "platform/company_opened.html", context)
    return render(request, "platform/company_open.html", {"section": "companies", "form": form})


@who.everyone
def company(request: HttpRequest, schema: str) -> HttpResponse:
    """One company: where it is, how it stands, what it paid, who runs it."""
    found = get_object_or_404(Company, schema_name=schema)
    return _page(request, found)


def _page(request: HttpRequest, found: Company, **more: Any) -> HttpResponse:
    account = FundsAccount.objects.filter(company=found.schema_name).first()
    balance, credit = (account.balance_fen, account.credit_limit_fen) if account else (0, 0)
    held = account.held_fen if account else 0
    deposits = list(account.deposits.all()[:RECENT]) if account else []
    context = {
        "section": "companies",
        "one": found,
        "tone": look.COMPANY[Company.Status(found.status)],
        "domains": list(found.domains.order_by("-is_primary", "id")),
        "portal": links.absolute("/", company=found) if found.domains.exists() else "",
        "balance": money.yuan_grouped(balance),
        "credit": money.yuan_grouped(credit),
        "held": money.yuan_grouped(held) if held else "",
        "available": money.yuan_grouped(balance + credit - held),
        "daily_limit": money.yuan_grouped(found.daily_limit_fen),
        "deposits": [
            {
                "deposit": one,
                "yuan": money.yuan_grouped(one.fen),
                "tone": look.DEPOSIT[Deposit.Status(one.status)],
            }
            for one in deposits
        ],
        "deliveries": _deliveries(found),
        "administrators": _administrators(found),
        "may_run": who.may(request, who.OPERATORS),
        "may_pay": who.may(request, who.FINANCE),
        "deposit_form": DepositForm(),
        "credit_form": CreditForm(initial={"yuan": money.yuan(credit)}),
        "form": look.asked(request, "form"),
        **more,
    }
    return render(request, "platform/company.html", context, status=422 if more.get("wrong") else 200)


def _deliveries(found: Company) -> list[dict[str, Any]]:
    rows = Delivery.objects.filter(company=found.schema_name)
    return [
        {"status": status, "label": status.label, "number": rows.filter(status=status).count(), "tone": tone}
        for status, tone in look.DELIVERY.items()
    ]


def _administrators(found: Company) -> list[dict[str, Any]]:
    if found.status == Company.Status.OPENING:
        return []
    with tenant_context(found):
        people = User.objects.filter(groups__name=str(Role.ADMIN), is_active=True).order_by("pk")
        return [{"person": one, "activated": one.has_usable_password()} for one in people]


@require_POST
@who.operators
def suspend(request: HttpRequest, schema: str) -> HttpResponse:
    """Close a company's doors."""
    found = get_object_or_404(Company, schema_name=schema)
    operations.suspend(company=found, actor=who.person(request), at=timezone.now())
    messages.success(
        request, _("%(name)s is suspended: its pages are closed at once.") % {"name": found.display_name}
    )
    return redirect("platform_company", schema=schema)


@require_POST
@who.operators
def resume(request: HttpRequest, schema: str) -> HttpResponse:
    """Open a suspended company's doors again."""
    found = get_object_or_404(Company, schema_name=schema)
    operations.resume(company=found, actor=who.person(request), at=timezone.now())
    messages.success(request, _("%(name)s is open again.") % {"name": found.display_name})
    return redirect("platform_company", schema=schema)


@require_POST
@who.operators
def link(request: HttpRequest, schema: str, user_id: int) -> HttpResponse:
    """A new activation link for an administrator who has not set a password yet."""
    found = get_object_or_404(Company, schema_name=schema)
    at = timezone.now()
    with tenant_context(found):
        person = get_object_or_404(User, pk=user_id, groups__name=str(Role.ADMIN), is_active=True)
        path = (
            ""
            if person.has_usable_password()
            else identity.issue_link(user=person, actor=who.person(request), at=at)
        )
    if not path:
        messages.error(request, _("This person has a password already. Their own administrators can help."))
        return redirect("platform_company", schema=schema)
    return _page(request, found, link=links.absolute(path, company=found), link_for=person)


@require_POST
@who.finance
def record_deposit(request: HttpRequest, schema: str) -> HttpResponse:
    """Write down a bank transfer, which somebody else confirms."""
    found = get_object_or_404(Company, schema_name=schema)
    form = DepositForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            funds.record_deposit(
                company=found,
                fen=form.cleaned_data["yuan"],
                reference=form.cleaned_data["reference"],
                payer=form.cleaned_data["payer"],
                value_date=form.cleaned_data["value_date"],
                slip=form.cleaned_data["slip"],
                actor=who.person(request),
                at=timezone.now(),
            )
        except DomainError as error:
            form.add_error(FIELD_OF.get(type(error)), str(error))
        else:
            messages.success(request, _("Recorded. Somebody else confirms it now."))
            return redirect("platform_deposits")
    return _page(request, found, deposit_form=form, form="deposit", wrong=True)


@require_POST
@who.finance
def set_credit(request: HttpRequest, schema: str) -> HttpResponse:
    """Set how far the company may go below zero."""
    found = get_object_or_404(Company, schema_name=schema)
    form = CreditForm(request.POST)
    if form.is_valid():
        try:
            funds.set_credit_limit(
                company=found, fen=form.cleaned_data["yuan"], actor=who.person(request), at=timezone.now()
            )
        except DomainError as error:
            form.add_error("yuan", str(error))
        else:
            messages.success(request, _("The credit line is changed."))
            return redirect("platform_company", schema=schema)
    return _page(request, found, credit_form=form, form="credit", wrong=True)
