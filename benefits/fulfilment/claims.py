"""Claiming: what is due is taken by exactly one worker, and what will be sent is committed before it is sent."""

import secrets
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from benefits import states
from benefits.fulfilment import routing, schedule
from benefits.fulfilment.connections import Connections
from benefits.fulfilment.models import Attempt, Batch, Delivery, Offer, Supplier
from tenants.db import transaction_required

ASKING_LEASE = timedelta(seconds=30)


@transaction_required
def claim_unsent(
    *, batches: "Batches", supplier: Supplier | None, limit: int, at: datetime
) -> tuple[list[Attempt], list[Attempt]]:
    """Take attempts whose sending never left this machine (or that a person wants sent again).

    Returns those to send, and those whose supplier is paused, switched off or unusable now.
    """
    rows = Attempt.objects.filter(status=Attempt.Status.SENDING, batch__isnull=True, due_at__lte=at)
    rows = rows.filter(supplier=supplier) if supplier else rows
    due = list(_with_all(rows.order_by("due_at")).select_for_update(skip_locked=True, of=("self",))[:limit])
    claimed = [attempt for attempt in due if _is_open(attempt.supplier, batches.connections, at=at)]
    for attempt in claimed:
        attempt.batch = batches.of(attempt.supplier, at=at)
        attempt.sends += 1
        attempt.sent_at, attempt.due_at = at, at + lease()
    Attempt.objects.bulk_update(claimed, ["batch", "sends", "sent_at", "due_at"])
    batches.save()
    return claimed, [attempt for attempt in due if attempt not in claimed]


@transaction_required
def claim_ready(
    *, batches: "Batches", supplier: Supplier | None, limit: int, at: datetime
) -> tuple[list[Attempt], list[Delivery]]:
    """Take deliveries that are due, route each, and write its attempt with the reference it will be sent under.

    Returns the attempts to send, and the deliveries that failed because no offer is left.
    """
    rows = Delivery.objects.filter(status=Delivery.Status.READY, due_at__lte=at)
    if supplier:
        rows = rows.filter(sku_code__in=supplier.offers.values("sku_code"))
    due = list(rows.order_by("due_at").select_for_update(skip_locked=True)[:limit])
    if not due:
        return [], []
    offers = _offers(due)
    tried = _tried(due)
    attempts: list[Attempt] = []
    hopeless: list[Delivery] = []
    for delivery in due:
        before = tried[delivery.pk]
        offered = offers[delivery.sku_code]
        unusable = [offer.supplier_id for offer in offered if offer.supplier not in batches.connections]
        choice = routing.route(delivery, offered, tried=before, unusable=unusable, at=at)
        if choice.offer is None:
            if not _wait(delivery, choice, at=at):
                fail_delivery(delivery, reason=delivery.reason or "no_offer", at=at)
                hopeless.append(delivery)
        elif supplier is None or choice.offer.supplier_id == supplier.pk:
            attempts.append(_attempt(delivery, choice, number=len(before) + 1, batches=batches, at=at))
    Attempt.objects.bulk_create(attempts)
    batches.save()
    moved = Delivery.objects.filter(
        pk__in=[one.delivery_id for one in attempts], status=Delivery.Status.READY
    )
    if moved.update(status=Delivery.Status.ACTIVE) != len(attempts):
        raise RuntimeError("a locked delivery was moved by somebody else")
    return attempts, hopeless


@transaction_required
def claim_questions(*, supplier: Supplier | None, limit: int, at: datetime) -> list[Attempt]:
    """Take attempts that are due to be asked after; a sending whose lease ran out is unknown from now on."""
    open_ = [Attempt.Status.WAITING, Attempt.Status.UNKNOWN, Attempt.Status.SENDING]
    rows = Attempt.objects.filter(status__in=open_, due_at__lte=at)
    rows = rows.exclude(status=Attempt.Status.SENDING, batch__isnull=True)
    rows = rows.filter(supplier=supplier) if supplier else rows
    claimed = list(
        _with_all(rows.order_by("due_at")).select_for_update(skip_locked=True, of=("self",))[:limit]
    )
    for attempt in claimed:
        if attempt.status == Attempt.Status.SENDING:
            states.advance(attempt, Attempt.Status.UNKNOWN, detail="the sender did not come back")
        attempt.queries = min(attempt.queries + 1, 32_000)
        attempt.due_at = at + ASKING_LEASE
    Attempt.objects.bulk_update(claimed, ["queries", "due_at"])
    return claimed


@transaction_required
def fail_delivery(delivery: Delivery, *, reason: str, at: datetime) -> None:
    """Commit the outcome that the company's orders will refund."""
    states.advance(delivery, Delivery.Status.FAILED, reason=reason[:40], finished_at=at)


def lease() -> timedelta:
    """How long a sender may take from its claim to its record."""
    return timedelta(seconds=settings.DELIVERY_LEASE_SECONDS)


class Batches:
    """The batches of one run: one a supplier, made when its first delivery is claimed."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections
        self._made: dict[int, Batch] = {}

    @transaction_required
    def of(self, supplier: Supplier, *, at: datetime) -> Batch:
        """Return the supplier's batch and count one more in it."""
        if supplier.pk not in self._made:
            self._made[supplier.pk] = Batch.objects.create(supplier=supplier, started_at=at)
        batch = self._made[supplier.pk]
        batch.size += 1
        return batch

    def save(self) -> None:
        """Store how large the batches have become."""
        Batch.objects.bulk_update(self._made.values(), ["size"])

    def finish(self, *, at: datetime) -> int:
        """Close the batches of this run; returns how many there were."""
        Batch.objects.filter(pk__in=[batch.pk for batch in self._made.values()]).update(finished_at=at)
        return len(self._made)


def _attempt(
    delivery: Delivery, choice: routing.Route, *, number: int, batches: Batches, at: datetime
) -> Attempt:
    offer = choice.offer
    assert offer is not None  # noqa: S101  the caller looked
    return Attempt(
        delivery=delivery,
        offer=offer,
        supplier=offer.supplier,
        batch=batches.of(offer.supplier, at=at),
        number=number,
        # The chance part keeps references of two installations, or of a database set back, apart.
        reference=f"M{at:%y%m%d}-{delivery.pk}-{number}-{secrets.token_hex(4)}",
        status=Attempt.Status.SENDING,
        sends=1,
        cost_fen=offer.cost_fen,
        routing=choice.inputs,
        created_at=at,
        sent_at=at,
        due_at=at + lease(),
    )


def _is_open(supplier: Supplier, connections: Connections, *, at: datetime) -> bool:
    paused = supplier.paused_until is not None and supplier.paused_until > at
    return supplier.is_active and not paused and supplier in connections


def _wait(delivery: Delivery, choice: routing.Route, *, at: datetime) -> bool:
    """Put a delivery off while an offer is only paused and it has not waited long; say whether it waits."""
    if not choice.may_wait or at - delivery.created_at > schedule.patience(delivery.speed):
        return False
    Delivery.objects.filter(pk=delivery.pk).update(due_at=at + timedelta(seconds=15))
    return True


def _offers(due: Sequence[Delivery]) -> dict[str, list[Offer]]:
    found: dict[str, list[Offer]] = defaultdict(list)
    skus = {delivery.sku_code for delivery in due}
    for offer in Offer.objects.filter(sku_code__in=skus).select_related("supplier").order_by("pk"):
        found[offer.sku_code].append(offer)
    return found


def _tried(due: Sequence[Delivery]) -> dict[int, list[int]]:
    tried: dict[int, list[int]] = defaultdict(list)
    attempts = Attempt.objects.filter(delivery__in=due).values_list("delivery_id", "offer_id")
    for delivery_id, offer_id in attempts:
        tried[delivery_id].append(offer_id)
    return tried


def _with_all(rows: QuerySet[Attempt]) -> QuerySet[Attempt]:
    return rows.select_related("delivery", "offer", "supplier")
