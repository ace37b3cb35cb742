"""What an import has done, and its undoing."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy

from benefits.roster import operations, queries
from benefits.roster.models import RosterImport
from benefits.web.company import import_check, import_run, shown
from benefits.web.company.import_run import RESULT, Status
from tenants.access import allow
from tenants.errors import DomainError
from tenants.identity.roles import Role

REASONS = {
    "changed": gettext_lazy("changed since by others"),
    "points": gettext_lazy("has been given points or has spent some"),
    "signed_in": gettext_lazy("has signed in"),
    "in_use": gettext_lazy("something else refers to them"),
    "budget": gettext_lazy("the budget no longer holds the points that went back"),
    "mobile_taken": gettext_lazy("the old mobile number is somebody else’s now"),
}
LISTED = 50


def page(request: HttpRequest, found: RosterImport) -> HttpResponse:
    """An import that was applied, and perhaps undone since."""
    at = timezone.now()
    undone = found.result.get("undo", {})
    context = {
        **import_run.about(found),
        **import_check.rows_context(request, found),
        "step": RESULT + 1 if found.status == Status.APPLIED else RESULT,
        "problems_file": bool(found.problems and found.file),
        "has_points": "points" in found.facts.get("columns", {}) and found.status == Status.APPLIED,
        "returned": _amount(request, found.result.get("returned_fen", 0)),
        "undoable": queries.undoable(found, at),
        "undo_until": found.applied_at and found.applied_at + timedelta(days=settings.ROSTER_UNDO_DAYS),
        "undo_failed": "undo_failed_at" in found.result and found.status == Status.APPLIED,
        "undone": undone,
        "kept": _kept(undone.get("kept", [])),
        "kept_more": max(0, int(undone.get("kept_total", 0)) - LISTED),
        "given_back": _amount(request, undone.get("points_returned_fen", 0)),
    }
    return render(request, "company/import_result.html", context)


@allow(Role.HR, Role.ADMIN)
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """See what undoing would do and whom it would leave as they are, and have it done."""
    found = queries.find_import(pk)
    error, status = "", 200
    if request.method == "POST":
        try:
            found = operations.undo(
                roster_import=found,
                actor=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
            )
        except DomainError as refused:
            error, status = shown.refusal(refused, shown.company_of(request)), refused.status
        else:
            import_run.ring(request, found)
            return redirect("company_import", pk=pk)
    elif found.status != Status.APPLIED:
        return redirect("company_import", pk=pk)
    foreseen: dict[str, Any] = {}
    if found.status == Status.APPLIED and queries.undoable(found, timezone.now()):
        foreseen = operations.foresee_undo(roster_import=found)
    context = {
        **import_run.about(found),
        "error": error,
        "figures": {name: f"{foreseen.get(name, 0):,}" for name in ("removed", "restored", "kept_total")},
        "foreseen": foreseen,
        "kept": _kept(foreseen.get("kept", [])),
        "kept_more": max(0, int(foreseen.get("kept_total", 0)) - LISTED),
    }
    return render(request, "company/import_undo.html", context, status=status)


def _kept(kept: list[dict[str, str]]) -> list[dict[str, Any]]:
    return [
        {"employee_no": one["employee_no"], "reason": REASONS.get(one["reason"], one["reason"])}
        for one in kept[:LISTED]
    ]


def _amount(request: HttpRequest, fen: int) -> str:
    return shown.amounts(shown.company_of(request)).with_unit(fen) if fen else ""
