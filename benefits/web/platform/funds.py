"""Deposits: what is to be confirmed, and what was decided."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from benefits import money
from benefits.funds import operations
from benefits.funds.models import Deposit
from benefits.web.platform import look, who
from tenants.models import Company


@who.everyone
def deposits(request: HttpRequest) -> HttpResponse:
    """Deposits of every company, those to be confirmed first."""
    status = look.asked(request, "status", Deposit.Status.RECORDED)
    rows = Deposit.objects.select_related("account")
    if status in Deposit.Status.values:
        rows = rows.filter(status=status)
    page = look.page_of(request, rows)
    names = look.company_names({one.account.company for one in page})
    context = {
        "section": "deposits",
        "page": page,
        "rows": [_row(one, names, request) for one in page],
        "status": status,
        "statuses": Deposit.Status.choices,
        "may_pay": who.may(request, who.FINANCE),
        "companies": Company.objects.filter(status=Company.Status.OPEN).order_by("name"),
    }
    return render(request, "platform/deposits.html", context)


def _row(deposit: Deposit, names: dict[str, str], request: HttpRequest) -> dict[str, Any]:
    own = deposit.recorded_by == request.user.get_username()
    waits = deposit.status == Deposit.Status.RECORDED and who.may(request, who.FINANCE)
    return {
        "deposit": deposit,
        "company": names.get(deposit.account.company, deposit.account.company),
        "yuan": money.yuan_grouped(deposit.fen),
        "tone": look.DEPOSIT[Deposit.Status(deposit.status)],
        "may_confirm": waits and not own,
        "may_reject": waits,
        "own": waits and own,
    }


@require_POST
@who.finance
def confirm(request: HttpRequest, deposit_id: int) -> HttpResponse:
    """The money is there: it may be spent from now on."""
    deposit = get_object_or_404(Deposit, pk=deposit_id)
    operations.confirm_deposit(deposit=deposit, actor=who.person(request), at=timezone.now())
    messages.success(
        request,
        _("Confirmed: ¥%(yuan)s is in the company's funds.") % {"yuan": money.yuan_grouped(deposit.fen)},
    )
    return redirect("platform_deposits")


@require_POST
@who.finance
def reject(request: HttpRequest, deposit_id: int) -> HttpResponse:
    """The money did not arrive."""
    deposit = get_object_or_404(Deposit, pk=deposit_id)
    operations.reject_deposit(deposit=deposit, actor=who.person(request), at=timezone.now())
    messages.success(request, _("Rejected. The same reference may be recorded again."))
    return redirect("platform_deposits")
