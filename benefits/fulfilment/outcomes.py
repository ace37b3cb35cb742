"""How orders see deliveries: what can be delivered at all, how far is it, and the outcome that waits to be settled."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from benefits.fulfilment import claims
from benefits.fulfilment.models import Attempt, Delivery, Offer
from tenants.db import transaction_required

# The reason of a delivery that its owner took back before it was given to any supplier.
CANCELLED = "cancelled"


@dataclass(frozen=True)
class Progress:
    """How far the delivery of an item is."""

    is_untouched: bool
    sent_at: datetime | None
    is_unknown: bool
    has_codes: bool
    supplier_reference: str


def deliverable(sku_codes: Iterable[str]) -> set[str]:
    """Those of the SKUs that have an offer of a supplier that is not switched off."""
    offered = Offer.objects.filter(sku_code__in=list(sku_codes), is_active=True, supplier__is_active=True)
    return set(offered.values_list("sku_code", flat=True))


def progress(company: str, item_ids: Iterable[int]) -> dict[int, Progress]:
    """The progress of a company's items, by item id."""
    deliveries = Delivery.objects.filter(company=company, item_id__in=list(item_ids)).prefetch_related(
        "attempts", "card_codes"
    )
    return {delivery.item_id: _progress(delivery) for delivery in deliveries}


def _progress(delivery: Delivery) -> Progress:
    attempts = sorted(delivery.attempts.all(), key=lambda attempt: attempt.pk)
    last = attempts[-1] if attempts else None
    return Progress(
        is_untouched=_is_untouched(delivery, attempts),
        sent_at=next((attempt.sent_at for attempt in attempts if attempt.sent_at), None),
        is_unknown=last is not None and last.status == Attempt.Status.UNKNOWN,
        has_codes=bool(delivery.card_codes.all()),
        supplier_reference=last.supplier_reference if last else "",
    )


def _is_untouched(delivery: Delivery, attempts: Sequence[Attempt]) -> bool:
    return delivery.status == Delivery.Status.READY and not attempts


@transaction_required
def cancel_untouched(*, company: str, order_number: str, at: datetime) -> list[Delivery]:
    """Take back every delivery of an order, if none was ever claimed for a supplier; else take none and return [].

    The rows stay locked until the caller commits: whoever claims at the same moment passes over them, or has them
    first and is seen here.
    """
    rows = Delivery.objects.filter(company=company, order_number=order_number).order_by("pk")
    deliveries = list(rows.select_for_update())
    attempts = Attempt.objects.filter(delivery__in=deliveries)
    if attempts.exists() or any(one.status != Delivery.Status.READY for one in deliveries):
        return []
    for delivery in deliveries:
        claims.fail_delivery(delivery, reason=CANCELLED, at=at)
    return deliveries


@transaction_required
def lock_unsettled(delivery_id: int) -> Delivery | None:
    """The delivery, locked, if it has an outcome that nobody has settled and nobody is settling; else None."""
    return (
        Delivery.objects.select_for_update(skip_locked=True)
        .filter(
            pk=delivery_id,
            status__in=[Delivery.Status.SUCCEEDED, Delivery.Status.FAILED],
            settled_at__isnull=True,
        )
        .first()
    )


@transaction_required
def lock(delivery_id: int) -> Delivery:
    """A delivery, locked until the caller commits: nobody records its outcome or settles it meanwhile."""
    return Delivery.objects.select_for_update().get(pk=delivery_id)


def is_unknown(delivery: Delivery) -> bool:
    """Whether nobody knows now what became of it: its supplier was asked and gave no answer to rely on."""
    last = delivery.attempts.order_by("-pk").first()
    return last is not None and last.status == Attempt.Status.UNKNOWN


@transaction_required
def mark_settled(delivery: Delivery, *, at: datetime) -> None:
    """Note that the company's books hold the outcome."""
    Delivery.objects.filter(pk=delivery.pk, settled_at__isnull=True).update(settled_at=at)
