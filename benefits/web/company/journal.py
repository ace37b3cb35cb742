"""Proof: how far the books are sealed, and the evidence that finance takes away for an auditor."""

import tempfile
from pathlib import Path
from typing import Any

from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from benefits.journal import evidence, keys, periods, queries, records, statements
from benefits.journal.models import Anchor, Checkpoint
from benefits.web.company import shown
from tenants import audit
from tenants.access import allow
from tenants.db import transaction
from tenants.errors import DomainError
from tenants.identity.roles import Role

PAGE = 20
MOST_RECORDS = 300_000  # in a pack that a request makes; the command has no limit


@allow(Role.FINANCE, Role.ADMIN)
@require_safe
def proof(request: HttpRequest) -> HttpResponse:
    """The state of the seal, the checkpoints, and the form for a pack."""
    return _page(request)


@allow(Role.FINANCE, Role.ADMIN)
@require_safe
def state(request: HttpRequest) -> HttpResponse:
    """The same for a program: the last checkpoint as it is signed, what waits, and the public keys."""
    last, waiting = queries.last_checkpoint(), queries.waiting(until=timezone.now())
    mailed = queries.last_mail()
    return JsonResponse(
        {
            "checkpoint": statements.signed(last) if last else None,
            "waiting": waiting.count,
            "oldest": records.moment(waiting.oldest_at) if waiting.oldest_at else None,
            "mailed": mailed.checkpoint_id if mailed else None,
            **keys.published(),
        }
    )


@allow(Role.FINANCE, Role.ADMIN)
@require_POST
def pack(request: HttpRequest) -> HttpResponse | FileResponse:
    """The evidence of a period, as one file; taking it leaves a trace."""
    first, last = request.POST.get("first", ""), request.POST.get("last", "")
    at, company = timezone.now(), shown.company_of(request)
    file = tempfile.TemporaryFile()  # noqa: SIM115  (the response closes it)
    try:
        since, until = periods.of_days(first, last)
        with tempfile.TemporaryDirectory(prefix="evidence-") as folder:
            made = evidence.export(Path(folder), since=since, until=until, at=at, most=MOST_RECORDS)
            evidence.zipped(Path(folder), file)
    except DomainError as error:
        file.close()
        return _page(request, error=error)
    with transaction():
        audit.record(
            "evidence.exported",
            f"company:{company.schema_name}",
            actor=request.user,  # type: ignore[arg-type]
            at=at,
            first=made.first,
            last=made.last,
        )
    file.seek(0)
    name = f"evidence-{company.schema_name}-{made.first}-{made.last}.zip"
    response = FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")
    response["Cache-Control"] = "private, no-store"
    return response


def _page(request: HttpRequest, *, error: DomainError | None = None) -> HttpResponse:
    at = timezone.now()
    page = Paginator(queries.checkpoints(), PAGE).get_page(request.GET.get("page"))
    mailed = queries.last_mail()
    context = {
        "section": "proof",
        "last": queries.last_checkpoint(),
        "waiting": queries.waiting(until=at).count,
        "mailed": mailed,
        "key": keys.current().id,
        "page": page,
        "rows": [_row(one) for one in page],
        "first_day": request.POST.get("first", "") or timezone.localdate(at).replace(day=1).isoformat(),
        "last_day": request.POST.get("last", "") or timezone.localdate(at).isoformat(),
        "error": str(error) if error else "",
    }
    return render(request, "company/journal.html", context, status=error.status if error else 200)


def _row(one: Checkpoint) -> dict[str, Any]:
    return {
        "checkpoint": one,
        "records": one.last - one.first + 1,
        "head": bytes(one.head).hex(),
        "channels": sorted({Anchor.Channel(anchor.channel).label for anchor in one.anchors.all()}),
    }
