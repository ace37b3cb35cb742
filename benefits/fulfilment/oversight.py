"""What operators look at: open deliveries by age, what is unknown, today against usual, and the search."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Avg, Count, F, Q, QuerySet
from django.db.models.functions import TruncHour

from benefits import mobile
from benefits.fulfilment import operations
from benefits.fulfilment.models import Attempt, Batch, Case, Delivery, Supplier

OPEN = (Delivery.Status.READY, Delivery.Status.ACTIVE)
FINAL = (Delivery.Status.SUCCEEDED, Delivery.Status.FAILED)
OPEN_ATTEMPTS = (Attempt.Status.SENDING, Attempt.Status.WAITING, Attempt.Status.UNKNOWN)

# Ages of open deliveries in minutes: from, and below.
AGES = {"m1": (0, 1), "m10": (1, 10), "h1": (10, 60), "d1": (60, 1440), "old": (1440, None)}
USUAL_DAYS = 7
LEAST_PREFIX = 4  # characters of an order number that are enough to look for


@dataclass(frozen=True)
class Counts:
    """How many deliveries are where."""

    ready: int
    active: int
    unknown: int
    unsettled: int
    cases: int


def counts() -> Counts:
    """How many deliveries wait, are with a supplier, are unknown or unsettled, and how many cases are open."""
    rows = Delivery.objects.aggregate(
        ready=Count("pk", filter=Q(status=Delivery.Status.READY)),
        active=Count("pk", filter=Q(status=Delivery.Status.ACTIVE)),
        unsettled=Count("pk", filter=Q(status__in=FINAL, settled_at__isnull=True)),
    )
    return Counts(
        **rows,
        unknown=Attempt.objects.filter(status=Attempt.Status.UNKNOWN).count(),
        cases=Case.objects.filter(status=Case.Status.OPEN).count(),
    )


def open_by_age(*, at: datetime) -> dict[str, int]:
    """How many open deliveries are of each age in AGES."""
    return Delivery.objects.filter(status__in=OPEN).aggregate(
        **{name: Count("pk", filter=of_age(name, at=at)) for name in AGES}
    )


def of_age(name: str, *, at: datetime) -> Q:
    """The condition of an age in AGES."""
    least, most = AGES[name]
    young = Q(created_at__lte=at - timedelta(minutes=least))
    return young if most is None else young & Q(created_at__gt=at - timedelta(minutes=most))


def by_hour(*, at: datetime, hours: int = 24) -> list[int]:
    """Deliveries asked for in each of the last hours, the present one last."""
    now = at.replace(minute=0, second=0, microsecond=0)
    start = now - timedelta(hours=hours - 1)
    rows = (
        Delivery.objects.filter(created_at__gte=start)
        .annotate(hour=TruncHour("created_at"))
        .values_list("hour")
        .annotate(number=Count("pk"))
        .order_by("hour")
    )
    found = dict(rows)
    return [found.get(start + timedelta(hours=step), 0) for step in range(hours)]


def today_and_usual(*, at: datetime, midnight: datetime) -> tuple[int, int]:
    """Deliveries asked for since midnight, and by the same time on an average day of the week before."""
    since = at - midnight
    days = [midnight - timedelta(days=day) for day in range(1, USUAL_DAYS + 1)]
    rows = Delivery.objects.aggregate(
        today=Count("pk", filter=Q(created_at__gte=midnight)),
        **{
            f"day{number}": Count("pk", filter=Q(created_at__gte=day, created_at__lt=day + since))
            for number, day in enumerate(days)
        },
    )
    return rows["today"], round(sum(rows[f"day{number}"] for number in range(USUAL_DAYS)) / USUAL_DAYS)


def suppliers(*, since: datetime) -> QuerySet[Supplier]:
    """Suppliers with how their attempts since a time ended, how long successes took, and what is open now."""
    recent = Q(attempts__created_at__gte=since)
    ended = recent & Q(attempts__status=Attempt.Status.SUCCEEDED)
    return Supplier.objects.annotate(
        sent=Count("attempts", filter=recent),
        succeeded=Count("attempts", filter=ended),
        failed=Count("attempts", filter=recent & Q(attempts__status=Attempt.Status.FAILED)),
        unknown=Count("attempts", filter=Q(attempts__status=Attempt.Status.UNKNOWN)),
        in_flight=Count("attempts", filter=Q(attempts__status__in=OPEN_ATTEMPTS)),
        took=Avg(F("attempts__finished_at") - F("attempts__created_at"), filter=ended),
    )


def batches(*, supplier: str = "") -> QuerySet[Batch]:
    """Batches, newest first, with how their attempts stand."""
    rows = Batch.objects.filter(supplier__slug=supplier) if supplier else Batch.objects.all()
    return (
        rows.select_related("supplier")
        .order_by("-id")
        .annotate(
            open=Count("attempts", filter=Q(attempts__status__in=OPEN_ATTEMPTS)),
            unknown=Count("attempts", filter=Q(attempts__status=Attempt.Status.UNKNOWN)),
            succeeded=Count("attempts", filter=Q(attempts__status=Attempt.Status.SUCCEEDED)),
            failed=Count("attempts", filter=Q(attempts__status=Attempt.Status.FAILED)),
        )
    )


def search(text: str) -> QuerySet[Delivery]:
    """Deliveries by order number, by the account they went to, by its masked form, or by a reference."""
    words = "".join(text.replace("\0", "").split())
    if not words:
        return Delivery.objects.all()
    if "*" in words:
        # 138****8000, 138 **** 8000 and 138*8000 all mean the same.
        pieces = (re.escape(piece) for piece in words.split("*") if piece or words.strip("*"))
        return Delivery.objects.filter(account_hint__iregex="^" + r"[\s*]*".join(pieces) + "$")
    found = (
        Q(order_number__iexact=words)
        | Q(
            account_index__in=[
                operations.account_index(account) for account in {words, mobile.clean(words) or words}
            ]
        )
        | Q(attempts__reference=words)
        | Q(attempts__supplier_reference=words)
    )
    if len(words) >= LEAST_PREFIX:
        found |= Q(order_number__istartswith=words)
    return Delivery.objects.filter(found).distinct()
