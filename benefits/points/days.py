"""Days as people write them, and the instants that they mean."""

from datetime import date, datetime, time, timedelta

from django.utils import timezone


def end_of(day: date) -> datetime:
    """The instant at which a day is over in the product's time zone: points valid until a day expire then."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def last_day(expires_at: datetime) -> date:
    """The last day on which something that expires at an instant is still valid."""
    return timezone.localdate(expires_at - timedelta(microseconds=1))
