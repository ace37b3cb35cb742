"""When to look at an attempt next: pure functions of ages in seconds. docs/suppliers/README.md has them as a table."""

from datetime import datetime, timedelta

FAST = (3, 10, 30, 60, 180, 300, 600, 1200, 1800, 2700, 3600)
SLOW = (300, 900, 1800, 3600)
HOUR = 3600

# How long an outcome may stay unknown before a person is told, and how long a delivery waits for a paused offer.
OVERDUE = {"fast": timedelta(hours=1), "slow": timedelta(hours=72)}
PATIENCE = {"fast": timedelta(minutes=10), "slow": timedelta(hours=12)}
# A supplier that cannot be reached at all has been sent nothing, so another may have the order after this long.
UNREACHABLE = timedelta(minutes=2)


def next_query(*, speed: str, sent_at: datetime, at: datetime) -> datetime:
    """Return the next time on the schedule of a speed (`fast` or `slow`), then every hour."""
    age = (at - sent_at).total_seconds()
    for seconds in SLOW if speed == "slow" else FAST:
        if seconds > age:
            return sent_at + timedelta(seconds=seconds)
    return at + timedelta(seconds=HOUR)


def next_send(*, created_at: datetime, at: datetime) -> datetime:
    """Return when to try a supplier again that could not be reached: 1 s later, then twice as long each time."""
    age = (at - created_at).total_seconds()
    return at + timedelta(seconds=min(max(age, 1.0), 60.0))


def is_overdue(*, speed: str, created_at: datetime, at: datetime) -> bool:
    """Say whether a person must be told that an outcome is still unknown."""
    return at - created_at >= OVERDUE["slow" if speed == "slow" else "fast"]


def patience(speed: str) -> timedelta:
    """How long a delivery waits while all its offers are paused."""
    return PATIENCE["slow" if speed == "slow" else "fast"]
