"""A rehearsal: to the row who would get what, then the handing out of exactly that, watched as it goes."""

import tempfile
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from benefits import money, tasks
from benefits.approvals import operations as approvals
from benefits.approvals.models import Kind
from benefits.campaigns import operations, queries
from benefits.campaigns.errors import RehearsalStale
from benefits.campaigns.models import Rehearsal
from benefits.people.models import Employee
from benefits.roster import export
from benefits.web.company import rehearsal_page, shown
from benefits.web.company.budgets import READERS
from benefits.web.company.rehearsal_forms import CommitForm
from benefits.web.company.rehearsal_page import REASONS, Status
from tenants.access import allow
from tenants.errors import DomainError
from tenants.identity.roles import Role

RING_SECONDS = 10


@allow(*READERS)
@never_cache
def rehearsal(request: HttpRequest, pk: int) -> HttpResponse:
    """One rehearsal wherever it stands."""
    found = _find(pk)
    if found.status == Status.RUNNING:
        ring(request, found)
    return _page(request, found)


@allow(*READERS)
@never_cache
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the handing out is; asks for the whole page again once it is over."""
    found = _find(pk)
    if found.status != Status.RUNNING:
        response = HttpResponse(status=204)
        response.headers["HX-Refresh"] = "true"
        return response
    ring(request, found)
    context = rehearsal_page.progress(found, at=timezone.now())
    return render(request, "company/_rehearsal_progress.html", context)


@allow(Role.HR, Role.ADMIN)
@require_POST
def commit(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand out exactly what was seen, or ask somebody else to approve that."""
    found = _find(pk)
    form = CommitForm(request.POST, company=shown.company_of(request))
    if not form.is_valid():
        return _page(request, found, error=_("Send it again from this page."), status=422)
    if found.digest != form.cleaned_data["digest"]:
        return _page(request, found, is_stale=True, status=409)
    try:
        asked = approvals.submit(
            kind=Kind.GRANT,
            subject=found,
            fen=found.total_fen,
            request_key=form.cleaned_data["request_key"],
            details={"digest": found.digest},
            actor=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
        )
    except RehearsalStale:
        return _page(request, _find(pk), is_stale=True, status=409)
    except DomainError as error:
        return _page(request, _find(pk), error=_refusal(request, error), status=error.status)
    if asked is None:
        ring(request, found)
    else:
        messages.success(request, _("It was sent to somebody else for approval."))
    return redirect("company_rehearsal", pk=pk)


@allow(Role.HR, Role.ADMIN)
@require_POST
def drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a rehearsal aside that nobody will hand out."""
    found = _find(pk)
    try:
        operations.drop_rehearsal(rehearsal=found, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    except DomainError as error:
        return _page(request, _find(pk), error=_refusal(request, error), status=error.status)
    messages.success(request, _("The rehearsal was dropped. Nothing was granted."))
    if found.rule.is_single:
        return redirect("company_grants")
    return redirect("company_rule", pk=found.rule_id)


@allow(*READERS)
@never_cache
@require_POST
def file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Who gets something and who is left out, as a workbook; who made it and when stands in its first line."""
    found = _find(pk)
    at = timezone.now()
    target = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    headings = [
        pgettext("employee", "Number"),
        pgettext("person", "Name"),
        _("Department"),
        _("Amount in yuan"),
        _("Left out because"),
    ]
    watermark = _(
        "%(company)s, exported by %(who)s on %(when)s. Personal data: keep it safe, delete it after use."
    ) % {
        "company": shown.company_of(request).name,
        "who": request.user.get_full_name(),  # type: ignore[union-attr]
        "when": f"{timezone.localtime(at):%Y-%m-%d %H:%M}",
    }
    export.write(
        export.XLSX,
        headings,
        _cells(found),
        widths=(14, 14, 32, 14, 32),
        watermark=watermark,
        target=target,
    )
    target.seek(0)
    return FileResponse(
        target,
        as_attachment=True,
        filename=f"rehearsal-{found.pk}-{found.day:%Y-%m-%d}.xlsx",
        content_type=export.CONTENT_TYPES[export.XLSX],
    )


def _cells(found: Rehearsal) -> Iterator[tuple[str, ...]]:
    names = dict(Employee.objects.values_list("pk", "name"))
    for row in found.rows.order_by("employee_no").iterator(chunk_size=5000):
        yield (
            row.employee_no,
            names.get(row.employee_id, ""),
            row.department,
            "" if row.reason else money.yuan(row.fen),
            str(REASONS.get(row.reason, row.reason)) if row.reason else "",
        )


def ring(request: HttpRequest, found: Rehearsal) -> None:
    """Ask a worker to hand out; not twice within some seconds, however often a page asks."""
    if cache.add(f"rehearsal-rung:{found.pk}:{found.handed}", 1, RING_SECONDS):
        tasks.ring_hand_out(shown.company_of(request).schema_name, rehearsal_id=found.pk)


def _find(pk: int) -> Rehearsal:
    return get_object_or_404(queries.rehearsals(), pk=pk)


def _refusal(request: HttpRequest, error: DomainError) -> str:
    return shown.refusal(error, shown.company_of(request))


def _page(request: HttpRequest, found: Rehearsal, *, status: int = 200, **more: Any) -> HttpResponse:
    return render(
        request, "company/rehearsal.html", rehearsal_page.about(request, found, **more), status=status
    )
