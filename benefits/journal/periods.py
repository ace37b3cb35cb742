"""Days as people name them, turned into the instants between which records lie."""

from datetime import date, datetime, time, timedelta

from django.utils import timezone

from benefits.journal.errors import NoSuchDay


def of_days(first: str, last: str) -> tuple[datetime | None, datetime | None]:
    """From the first day's midnight until the last day's end, in local time; an empty text is no bound.

    Raises NoSuchDay.
    """
    since, until = _day(first), _day(last)
    if since and until and until < since:
        raise NoSuchDay(value=f"{first} – {last}")
    return _midnight(since) if since else None, _midnight(until + timedelta(days=1)) if until else None


def _day(text: str) -> date | None:
    text = text.strip()
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not 2000 <= found.year <= 2999:
        raise NoSuchDay(value=text[:40])
    return found


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
