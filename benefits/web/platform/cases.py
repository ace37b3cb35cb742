"""Cases: contradictions that only a person can decide."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from benefits.fulfilment import operations
from benefits.fulfilment.models import Attempt, Case
from benefits.web.platform import look, who
from benefits.web.platform.forms import DecisionForm
from tenants.errors import DomainError

FINAL = (Attempt.Status.SUCCEEDED, Attempt.Status.FAILED)


@who.everyone
def cases(request: HttpRequest) -> HttpResponse:
    """Cases, open ones unless the address says otherwise."""
    status, kind = look.asked(request, "status", Case.Status.OPEN), look.asked(request, "kind")
    rows = Case.objects.select_related("attempt__delivery", "attempt__supplier")
    if status in Case.Status.values:
        rows = rows.filter(status=status)
    if kind in Case.Kind.values:
        rows = rows.filter(kind=kind)
    page, at = look.page_of(request, rows), timezone.now()
    names = look.company_names({one.attempt.delivery.company for one in page})
    context = {
        "section": "cases",
        "page": page,
        "rows": [_row(one, names, at=at) for one in page],
        "status": status,
        "statuses": Case.Status.choices,
        "kind": kind,
        "kinds": Case.Kind.choices,
    }
    return render(request, "platform/cases.html", context)


def _row(case: Case, names: dict[str, str], *, at: Any) -> dict[str, Any]:
    company = case.attempt.delivery.company
    return {
        "case": case,
        "delivery": case.attempt.delivery,
        "supplier": case.attempt.supplier,
        "company": names.get(company, company),
        "age": look.age(case.opened_at, at=at),
        "tone": look.CASE[Case.Status(case.status)],
    }


@who.everyone
def case(request: HttpRequest, case_id: int) -> HttpResponse:
    """One case; an operator decides it here, with a reason."""
    found = get_object_or_404(
        Case.objects.select_related("attempt__delivery", "attempt__supplier"), pk=case_id
    )
    may_decide = who.may(request, who.OPERATORS) and found.status == Case.Status.OPEN
    form = DecisionForm(request.POST or None)
    if found.attempt.status in FINAL:
        # What is final stays: the case can only be taken note of.
        form.fields["decision"].choices = [("ask", _("Taken note of: the outcome stays as it is"))]  # type: ignore[attr-defined]
    if request.method == "POST":
        if not who.may(request, who.OPERATORS):
            return render(request, "errors/403.html", status=403)
        if form.is_valid():
            try:
                operations.decide_case(
                    case=found,
                    **form.cleaned_data,
                    actor=who.person(request),
                    at=timezone.now(),
                )
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, _("Decided and recorded."))
                return redirect("platform_cases")
    names = look.company_names({found.attempt.delivery.company})
    context = {
        "section": "cases",
        "row": _row(found, names, at=timezone.now()),
        "attempt_tone": look.ATTEMPT[Attempt.Status(found.attempt.status)],
        "form": form if may_decide else None,
    }
    return render(request, "platform/case.html", context)
