"""The yes to a plan: exactly what would happen, who would leave, and what becomes of points."""

from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from benefits.points.models import Account
from benefits.roster import operations, queries
from benefits.roster.models import RosterImport, RosterRow
from benefits.web.company import import_run, rows, shown
from benefits.web.company.import_forms import ConfirmForm
from benefits.web.company.import_run import CONFIRM, Status
from tenants.access import allow
from tenants.errors import DomainError
from tenants.identity.roles import Role
from tenants.models import Company

LEAVERS = 20  # named on the page; the rest are one click away
COUNTED = 5_000  # changed rows whose fields are counted one by one
CHECK_AGAIN = ("roster_needs_check", "roster_plan_too_old")


@allow(Role.HR, Role.ADMIN)
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """See what the plan does, and have it applied."""
    found = queries.find_import(pk)
    if request.method != "POST":
        if found.status != Status.PLANNED:
            return redirect("company_import", pk=pk)
        return _page(request, found, _form(request, found))
    form = _form(request, found, data=request.POST)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    try:
        found = operations.confirm(
            roster_import=found,
            plan_digest=form.cleaned_data["plan"],
            all_or_nothing=form.cleaned_data["rows"] == ConfirmForm.ALL,
            leavers=form.cleaned_data["leavers"],
            actor=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
        )
    except DomainError as error:
        form.refuse(error)
        found = queries.find_import(pk)
        return _page(request, found, form, status=error.status, code=error.code)
    import_run.ring(request, found)
    return redirect("company_import", pk=pk)


def _form(request: HttpRequest, found: RosterImport, data: Any = None) -> ConfirmForm:
    leavers = queries.leavers_to_type(found) if found.status == Status.PLANNED else 0
    return ConfirmForm(
        data,
        company=shown.company_of(request),
        leavers=leavers,
        problems=found.problems,
        initial={"plan": found.plan_digest},
    )


def _page(
    request: HttpRequest, found: RosterImport, form: ConfirmForm, *, status: int = 200, code: str = ""
) -> HttpResponse:
    company = shown.company_of(request)
    leaving = int(found.counts.get("leave", 0))
    is_open = found.status == Status.PLANNED
    context = {
        **import_run.about(found),
        "step": CONFIRM,
        "form": form,
        "plan": found.plan_digest,
        "is_open": is_open,
        "needs_check": is_open and (found.needs_check or code in CHECK_AGAIN),
        "figures": {name: f"{found.counts.get(name, 0):,}" for name in (*rows.CHANGING, "unchanged")},
        "undo_days": settings.ROSTER_UNDO_DAYS,
        "changes": sum(found.counts.get(name, 0) for name in rows.CHANGING),
        "changed": _changed_fields(found),
        "leaving": leaving,
        "leavers": rows.shown_rows(queries.rows(found, action="leave")[:LEAVERS], LEAVER_FIELDS, rows.Desk()),
        "leavers_more": max(0, leaving - LEAVERS),
        "must_type": queries.leavers_to_type(found) if is_open else 0,
        "returns": company.leaver_policy == Company.LeaverPolicy.RETURN,
        "grace_days": company.leaver_grace_days,
        "wallets": shown.amounts(company).with_unit(_wallets_of_leavers(found)) if leaving else "",
        "has_points": "points" in found.facts.get("columns", {}),
    }
    return render(request, "company/import_confirm.html", context, status=status)


LEAVER_FIELDS = ["name", "department", "left_on"]


def _wallets_of_leavers(found: RosterImport) -> int:
    """Fen in the wallets of everybody who would leave."""
    numbers = queries.rows(found, action="leave").values("employee_no")
    wallets = Account.objects.filter(employee__employee_no__in=numbers)
    return int(wallets.aggregate(fen=Sum("balance_fen"))["fen"] or 0)


def _changed_fields(found: RosterImport) -> list[dict[str, Any]]:
    """How often each field changes, the most frequent first; nothing for a plan too large to count on a page."""
    total = int(found.counts.get("update", 0))
    if not total or total > COUNTED:
        return []
    tally: dict[str, int] = {}
    for row in RosterRow.objects.filter(roster_import=found, action="update").iterator():
        for name in row.person.get("after") or {}:
            tally[name] = tally.get(name, 0) + 1
    ordered = sorted(tally.items(), key=lambda one: (-one[1], one[0]))
    return [{"label": rows.heading(name), "count": count} for name, count in ordered]
