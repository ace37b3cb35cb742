"""Circuit breaker: an offer or a supplier that keeps failing for its own reasons rests for a while."""

from datetime import datetime, timedelta

from benefits.fulfilment.models import Attempt, Offer, Supplier
from benefits.suppliers.base import Reason
from tenants.db import transaction_required

LIMIT = 3
WINDOW = timedelta(minutes=10)
REST = timedelta(minutes=30)

OF_THE_OFFER = frozenset(
    {
        Reason.OUT_OF_STOCK,
        Reason.OFF_SALE,
        Reason.NO_SUCH_PRODUCT,
        Reason.PRICE_ABOVE_CEILING,
        Reason.MAINTENANCE,
        Reason.BAD_REQUEST,
    }
)
OF_THE_SUPPLIER = frozenset(
    {Reason.BALANCE_LOW, Reason.ACCOUNT_CLOSED, Reason.BAD_SIGNATURE, Reason.CLOCK, Reason.NO_CHANNEL}
)


@transaction_required
def count(attempt: Attempt, *, at: datetime) -> None:
    """Count a definite failure; the third of its kind within ten minutes opens the circuit for thirty."""
    failed = Attempt.objects.filter(status=Attempt.Status.FAILED, finished_at__gt=at - WINDOW)
    of_the_offer = failed.filter(offer=attempt.offer_id, reason__in=OF_THE_OFFER)
    of_the_supplier = failed.filter(supplier=attempt.supplier_id, reason__in=OF_THE_SUPPLIER)
    if attempt.reason in OF_THE_OFFER and of_the_offer.count() >= LIMIT:
        Offer.objects.filter(pk=attempt.offer_id).update(paused_until=at + REST)
    if attempt.reason in OF_THE_SUPPLIER and of_the_supplier.count() >= LIMIT:
        Supplier.objects.filter(pk=attempt.supplier_id).update(paused_until=at + REST)
