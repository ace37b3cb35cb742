"""Deposits: what is to be confirmed, what was decided, slips, receipts, and the reversal of mistakes."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from benefits import money
from benefits.funds import operations, queries
from benefits.funds.errors import ReversalNotCovered
from benefits.funds.models import Deposit, DepositReversal
from benefits.web import funds_shown
from benefits.web.platform import look, who
from benefits.web.platform.forms import ReversalForm
from tenants.errors import DomainError
from tenants.models import Company


@who.everyone
def deposits(request: HttpRequest) -> HttpResponse:
    """Deposits of every company, those to be confirmed first; above them the reversals that wait."""
    status = look.asked(request, "status", Deposit.Status.RECORDED)
    rows = Deposit.objects.select_related("account", "receipt")
    if status in Deposit.Status.values:
        rows = rows.filter(status=status)
    page = look.page_of(request, rows)
    found = list(page)
    waiting = list(queries.reversals_to_decide()[: look.PAGE_SIZE])
    schemas = {one.account.company for one in found} | {one.deposit.account.company for one in waiting}
    names = look.company_names(schemas)
    void = queries.reversed_deposits([one.pk for one in found])
    context = {
        "section": "deposits",
        "page": page,
        "rows": [_row(one, names, request, is_void=one.pk in void) for one in found],
        "reversals": [
            {
                "reversal": one,
                "company": names.get(one.deposit.account.company, one.deposit.account.company),
                "yuan": money.yuan_grouped(one.deposit.fen),
            }
            for one in waiting
        ],
        "status": status,
        "statuses": Deposit.Status.choices,
        "may_pay": who.may(request, who.FINANCE),
        "companies": Company.objects.filter(status=Company.Status.OPEN).order_by("name"),
    }
    return render(request, "platform/deposits.html", context)


def _row(deposit: Deposit, names: dict[str, str], request: HttpRequest, *, is_void: bool) -> dict[str, Any]:
    own = deposit.recorded_by == request.user.get_username()
    waits = deposit.status == Deposit.Status.RECORDED and who.may(request, who.FINANCE)
    return {
        "deposit": deposit,
        "company": names.get(deposit.account.company, deposit.account.company),
        "yuan": money.yuan_grouped(deposit.fen),
        "tone": "bad" if is_void else look.DEPOSIT[Deposit.Status(deposit.status)],
        "is_void": is_void,
        "may_confirm": waits and not own,
        "may_reject": waits,
        "own": waits and own,
    }


@who.everyone
@require_safe
def deposit(request: HttpRequest, deposit_id: int) -> HttpResponse:
    """One deposit with its papers and, where it was a mistake, its reversal."""
    return _page(request, _find(deposit_id))


def _find(deposit_id: int) -> Deposit:
    return get_object_or_404(Deposit.objects.select_related("account", "receipt"), pk=deposit_id)


def _page(request: HttpRequest, found: Deposit, *, form: ReversalForm | None = None) -> HttpResponse:
    reversals = list(found.reversals.all())
    is_void = any(one.status == DepositReversal.Status.DONE for one in reversals)
    pays = who.may(request, who.FINANCE)
    live = [one for one in reversals if one.status != DepositReversal.Status.REFUSED]
    context = {
        "section": "deposits",
        **_row(found, look.company_names({found.account.company}), request, is_void=is_void),
        "receipt": funds_shown.receipt_number(found),
        "reversals": [
            {"reversal": one, "may_confirm": pays and one.asked_by != request.user.get_username()}
            for one in reversals
        ],
        "may_see_slip": pays and bool(found.slip),
        "may_pay": pays,
        "may_reverse": pays and found.status == Deposit.Status.CONFIRMED and not live,
        "form": form or ReversalForm(),
    }
    return render(request, "platform/deposit.html", context, status=422 if form else 200)


@who.finance
@require_safe
def slip(request: HttpRequest, deposit_id: int) -> HttpResponse:
    """The bank's slip, as a file to keep."""
    found = get_object_or_404(Deposit.objects.select_related("account").exclude(slip=""), pk=deposit_id)
    kept = operations.show_slip(deposit=found, actor=who.person(request), at=timezone.now())
    return funds_shown.attached(kept, deposit=found)


@who.everyone
@require_safe
def receipt(request: HttpRequest, number: str) -> HttpResponse:
    """A receipt as the company has it."""
    found = queries.find_receipt(number=number)
    is_void = bool(queries.reversed_deposits([found.deposit_id]))
    context = {
        "section": "deposits",
        "deposit": found.deposit,
        "receipt": funds_shown.printed(found, is_void=is_void),
    }
    return render(request, "platform/receipt.html", context)


@require_POST
@who.finance
def confirm(request: HttpRequest, deposit_id: int) -> HttpResponse:
    """The money is there: it may be spent from now on."""
    found = get_object_or_404(Deposit, pk=deposit_id)
    operations.confirm_deposit(deposit=found, actor=who.person(request), at=timezone.now())
    messages.success(
        request,
        _("Confirmed: ¥%(yuan)s is in the company's funds.") % {"yuan": money.yuan_grouped(found.fen)},
    )
    return redirect("platform_deposits")


@require_POST
@who.finance
def reject(request: HttpRequest, deposit_id: int) -> HttpResponse:
    """The money did not arrive."""
    found = get_object_or_404(Deposit, pk=deposit_id)
    operations.reject_deposit(deposit=found, actor=who.person(request), at=timezone.now())
    messages.success(request, _("Rejected. The same reference may be recorded again."))
    return redirect("platform_deposits")


@require_POST
@who.finance
def ask_reversal(request: HttpRequest, deposit_id: int) -> HttpResponse:
    """Say that a confirmed deposit was a mistake; somebody else decides."""
    found = _find(deposit_id)
    form = ReversalForm(request.POST)
    if form.is_valid():
        try:
            operations.ask_reversal(
                deposit=found,
                reason=form.cleaned_data["reason"],
                actor=who.person(request),
                at=timezone.now(),
            )
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Asked for. Somebody else decides it now."))
            return redirect("platform_deposit", deposit_id=found.pk)
    return _page(request, found, form=form)


@require_POST
@who.finance
def reverse(request: HttpRequest, reversal_id: int) -> HttpResponse:
    """Take the deposit out of the company's funds again."""
    found = get_object_or_404(DepositReversal, pk=reversal_id)
    try:
        operations.reverse_deposit(reversal=found, actor=who.person(request), at=timezone.now())
    except ReversalNotCovered as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Reversed: the deposit is no longer in the company's funds."))
    return redirect("platform_deposit", deposit_id=found.deposit_id)


@require_POST
@who.finance
def refuse_reversal(request: HttpRequest, reversal_id: int) -> HttpResponse:
    """Leave the deposit as it is."""
    found = get_object_or_404(DepositReversal.objects.select_related("deposit"), pk=reversal_id)
    operations.refuse_reversal(reversal=found, actor=who.person(request), at=timezone.now())
    messages.success(request, _("The deposit stays as it is."))
    return redirect("platform_deposit", deposit_id=found.deposit_id)
