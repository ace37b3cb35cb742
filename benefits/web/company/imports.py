"""Roster imports: upload, look at every row's fate, confirm, watch, and what was done."""

from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from benefits import tasks
from benefits.people.models import Employee
from benefits.roster import operations, queries
from benefits.roster.models import RosterImport
from benefits.roster.plan import Mode
from benefits.web.company import rows, shown
from benefits.web.company.forms import ConfirmForm, UploadForm
from tenants.access import allow
from tenants.errors import DomainError
from tenants.identity.roles import Role
from tenants.models import Company

PAGE = 50
HISTORY = 20
RING_SECONDS = 10
STEPS = (gettext_lazy("Upload"), gettext_lazy("Check"), gettext_lazy("Apply"), gettext_lazy("Result"))
Status = RosterImport.Status
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
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@allow(Role.HR, Role.ADMIN)
def imports(request: HttpRequest) -> HttpResponse:
    """All imports, the newest first."""
    page = Paginator(queries.imports(), HISTORY).get_page(request.GET.get("page"))
    context = {
        "section": "imports",
        "page": page,
        "rows": [{"one": one, "tone": TONES[Status(one.status)], "counts": one.counts} for one in page],
    }
    return render(request, "company/imports.html", context)


@allow(Role.HR, Role.ADMIN)
def new(request: HttpRequest) -> HttpResponse:
    """Choose a file; a worker checks it."""
    company = shown.company_of(request)
    form = UploadForm(request.POST or None, request.FILES or None, company=company)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            found = operations.receive(
                file=file,
                file_name=file.name,
                mode=Mode(form.cleaned_data["mode"]),
                actor=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            _ring(company, found)
            return redirect("company_import", pk=found.pk)
    context = {"section": "imports", "form": form, "steps": STEPS, "is_first": not Employee.objects.exists()}
    return render(request, "company/import_new.html", context, status=422 if form.errors else 200)


@allow(Role.HR, Role.ADMIN)
def roster_import(request: HttpRequest, pk: int) -> HttpResponse:
    """One import wherever it stands: being checked, to confirm, being applied, done, refused."""
    return _page(request, queries.find_import(pk))


@allow(Role.HR, Role.ADMIN)
@never_cache
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is; asks for the whole page again once there is something to look at."""
    found = queries.find_import(pk)
    if found.status not in UNDER_WAY:
        response = HttpResponse(status=204)
        response.headers["HX-Refresh"] = "true"
        return response
    _ring_if_stalled(request, found)
    return render(request, "company/_import_progress.html", {"one": found})


@allow(Role.HR, Role.ADMIN)
@require_POST
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Have the plan applied that is on the page."""
    found = queries.find_import(pk)
    company = shown.company_of(request)
    form = ConfirmForm(request.POST, company=company, leavers=_leavers_to_type(found))
    if not form.is_valid():
        return _page(request, found, form=form, status=422)
    try:
        operations.confirm(
            roster_import=found,
            plan_digest=form.cleaned_data["plan"],
            leavers=_leavers_to_type(found) or None,  # the form has compared what was typed
            actor=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
        )
    except DomainError as error:
        form.refuse(error)
        return _page(request, queries.find_import(pk), form=form, status=error.status)
    _ring(company, queries.find_import(pk))
    return redirect("company_import", pk=found.pk)


@allow(Role.HR, Role.ADMIN)
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw the plan and the file away."""
    found = queries.find_import(pk)
    operations.cancel(roster_import=found, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    messages.success(request, _("The import was cancelled and the file deleted. Nothing was changed."))
    return redirect("company_imports")


@allow(Role.HR, Role.ADMIN)
@never_cache
def problems(request: HttpRequest, pk: int) -> HttpResponse:
    """The file with its problem cells marked, to correct and upload again."""
    found = queries.find_import(pk)
    if not found.file:
        return redirect("company_import", pk=pk)
    response = HttpResponse(queries.problem_workbook(found), content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="roster-{found.pk}-problems.xlsx"'
    return response


def _ring(company: Company, found: RosterImport) -> None:
    """Ask a worker to check or to apply it; not twice within some seconds, however often a page asks."""
    if cache.add(f"roster-rung:{found.pk}:{found.status}", 1, RING_SECONDS):
        tasks.ring_roster_import(company.schema_name, import_id=found.pk, status=found.status)


def _ring_if_stalled(request: HttpRequest, found: RosterImport) -> None:
    """A bell that was lost is rung again by whoever waits."""
    if queries.stalled(timezone.now()).filter(pk=found.pk).exists():
        _ring(shown.company_of(request), found)


def _leavers_to_type(found: RosterImport) -> int:
    """How many leavers must be typed to confirm: those of a plan by which more than a tenth would leave."""
    return queries.leavers_to_type(found)


def _page(
    request: HttpRequest, found: RosterImport, *, form: ConfirmForm | None = None, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "section": "imports",
        "one": found,
        "tone": TONES[Status(found.status)],
        "steps": STEPS,
        "is_under_way": found.status in UNDER_WAY,
    }
    if found.status in UNDER_WAY:
        _ring_if_stalled(request, found)
        context["step"] = 2 if found.status == Status.RECEIVED else 3
        return render(request, "company/import_progress.html", context, status=status)
    if found.status == Status.REJECTED:
        context |= {"step": 2, "reason": queries.rejection(found)}
        return render(request, "company/import_rejected.html", context)
    if found.status == Status.CANCELLED:
        return render(request, "company/import_cancelled.html", context)
    action = rows.chosen(found, request.GET.get("show", ""))
    page = Paginator(queries.rows(found, action=action), PAGE).get_page(request.GET.get("page"))
    columns = rows.columns(found)
    leavers = _leavers_to_type(found) if found.status == Status.PLANNED else 0
    context |= {
        "step": 2 if found.status == Status.PLANNED else 4,
        "counters": rows.counters(found, action),
        "changes": sum(found.counts.get(name, 0) for name in rows.CHANGING),
        "columns": [rows.heading(column) for column in columns],
        "rows": [rows.shown_row(row, columns) for row in page],
        "page": page,
        "notes": queries.notes(found),
        "form": form
        or ConfirmForm(
            company=shown.company_of(request), leavers=leavers, initial={"plan": found.plan_digest}
        ),
        "leavers": leavers,
        "has_points": "points" in found.facts.get("columns", {}),
    }
    return render(request, "company/import_check.html", context, status=status)
