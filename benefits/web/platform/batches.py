"""Batches: deliveries that were sent to one supplier together."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from benefits.fulfilment import oversight
from benefits.fulfilment.models import Attempt, Batch, Supplier
from benefits.web.platform import look, who


@who.everyone
def batches(request: HttpRequest) -> HttpResponse:
    """Batches, newest first."""
    supplier, at = look.asked(request, "supplier"), timezone.now()
    page = look.page_of(request, oversight.batches(supplier=supplier))
    rows = [(one, look.lasting((one.finished_at or at) - one.started_at)) for one in page]
    context = {
        "section": "batches",
        "page": page,
        "rows": rows,
        "supplier": supplier,
        "suppliers": Supplier.objects.all(),
    }
    return render(request, "platform/batches.html", context)


@who.everyone
def batch(request: HttpRequest, batch_id: int) -> HttpResponse:
    """The attempts of one batch."""
    one = get_object_or_404(Batch.objects.select_related("supplier"), pk=batch_id)
    page = look.page_of(request, one.attempts.select_related("delivery").order_by("id"))
    rows = [(attempt, look.ATTEMPT[Attempt.Status(attempt.status)]) for attempt in page]
    return render(
        request, "platform/batch.html", {"section": "batches", "one": one, "page": page, "rows": rows}
    )
