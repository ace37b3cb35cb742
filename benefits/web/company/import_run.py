"""A roster import while a worker has it: how far it is, and how to stop it."""

from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from benefits import tasks
from benefits.roster import operations, queries
from benefits.roster.models import RosterImport
from benefits.web.company import shown
from tenants.access import allow
from tenants.identity.roles import Role

RING_SECONDS = 10
STEPS = (
    gettext_lazy("Upload"),
    gettext_lazy("Columns"),
    gettext_lazy("Check"),
    gettext_lazy("Confirm"),
    gettext_lazy("Result"),
)
UPLOAD, COLUMNS, CHECK, CONFIRM, RESULT = range(1, 6)
Status = RosterImport.Status
Phase = RosterImport.Phase
TONES = {
    Status.RECEIVED: "info",
    Status.REJECTED: "bad",
    Status.PLANNED: "warn",
    Status.CONFIRMED: "info",
    Status.APPLIED: "ok",
    Status.CANCELLED: "neutral",
    Status.UNDOING: "info",
    Status.UNDONE: "neutral",
}
UNDER_WAY = (Status.RECEIVED, Status.CONFIRMED, Status.UNDOING)
PHASES = {
    Status.RECEIVED: (Phase.READING, Phase.PLANNING),
    Status.CONFIRMED: (Phase.READING, Phase.PLANNING, Phase.LEAVING, Phase.CHANGING, Phase.JOINING),
    Status.UNDOING: (Phase.RESTORING,),
}


@allow(Role.HR, Role.ADMIN)
@never_cache
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is; asks for the whole page again once there is something to look at."""
    found = queries.find_import(pk)
    if found.status not in UNDER_WAY:
        response = HttpResponse(status=204)
        response.headers["HX-Refresh"] = "true"
        return response
    ring_if_stalled(request, found)
    return render(request, "company/_import_progress.html", _context(found))


@allow(Role.HR, Role.ADMIN)
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw the plan and the file away; a worker that applies it is asked to stop."""
    found = operations.cancel(
        roster_import=queries.find_import(pk),
        actor=request.user,  # type: ignore[arg-type]
        at=timezone.now(),
    )
    if found.is_under_way:
        return redirect("company_import", pk=pk)
    messages.success(request, _("The import was cancelled and the file deleted. Nothing was changed."))
    return redirect("company_imports")


def page(request: HttpRequest, found: RosterImport) -> HttpResponse:
    """The page of an import that is under way."""
    ring_if_stalled(request, found)
    return render(request, "company/import_progress.html", {**about(found), **_context(found)})


def about(found: RosterImport) -> dict[str, Any]:
    """What every page of an import says of it."""
    steps = {
        Status.RECEIVED: CHECK,
        Status.PLANNED: CHECK,
        Status.REJECTED: COLUMNS,
        Status.CONFIRMED: CONFIRM,
    }
    return {
        "section": "imports",
        "one": found,
        "tone": TONES[Status(found.status)],
        "steps": STEPS,
        "step": steps.get(Status(found.status), RESULT),
    }


def ring(request: HttpRequest, found: RosterImport) -> None:
    """Ask a worker for the next step; not twice within some seconds, however often a page asks."""
    if cache.add(f"roster-rung:{found.pk}:{found.status}", 1, RING_SECONDS):
        schema = shown.company_of(request).schema_name
        tasks.ring_roster_import(schema, import_id=found.pk, status=found.status)


def ring_anew(request: HttpRequest, found: RosterImport) -> None:
    """Ask a worker, although the same step was rung for a moment ago."""
    cache.delete(f"roster-rung:{found.pk}:{found.status}")
    ring(request, found)


def ring_if_stalled(request: HttpRequest, found: RosterImport) -> None:
    """A bell that was lost is rung again by whoever waits."""
    if queries.stalled(timezone.now()).filter(pk=found.pk).exists():
        ring(request, found)


def _context(found: RosterImport) -> dict[str, Any]:
    status = Status(found.status)
    speed, left = queries.speed(found, timezone.now())
    return {
        "one": found,
        "phases": _phases(found, PHASES[status]),
        "is_counted": status != Status.RECEIVED and found.rows_total > 0,
        "done": f"{found.rows_done:,}",
        "total": f"{found.rows_total:,}",
        "speed": f"{speed:,}" if speed else "",
        "minutes": left // 60 if left is not None and left >= 60 else 0,
        "seconds": left if left is not None and left < 60 else None,
        "is_stopping": found.stop_requested_at is not None,
        "may_stop": status != Status.UNDOING and found.stop_requested_at is None,
    }


def _phases(found: RosterImport, phases: tuple[RosterImport.Phase, ...]) -> list[dict[str, Any]]:
    now = phases.index(Phase(found.phase)) if found.phase in phases else -1
    return [
        {"title": phase.label, "state": "done" if place < now else "current" if place == now else "todo"}
        for place, phase in enumerate(phases)
    ]
