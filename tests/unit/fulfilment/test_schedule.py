"""When we ask."""

from datetime import UTC, datetime, timedelta

import pytest

from benefits.fulfilment import schedule

SENT = datetime(2026, 3, 2, tzinfo=UTC)


def ages(speed: str, until: float) -> list[float]:
    at, found = SENT, []
    while (at - SENT).total_seconds() < until:
        at = schedule.next_query(speed=speed, sent_at=SENT, at=at)
        found.append((at - SENT).total_seconds())
    return found


def test_a_fast_topup_is_asked_after_often_and_then_hourly() -> None:
    assert ages("fast", 7200) == [3, 10, 30, 60, 180, 300, 600, 1200, 1800, 2700, 3600, 7200]


def test_a_slow_one_is_asked_after_rarely() -> None:
    assert ages("slow", 7200) == [300, 900, 1800, 3600, 7200]


@pytest.mark.parametrize(("age", "wait"), [(0, 1), (1, 1), (8, 8), (600, 60)])
def test_a_supplier_out_of_reach_is_tried_less_and_less(age: float, wait: float) -> None:
    at = SENT + timedelta(seconds=age)
    assert schedule.next_send(created_at=SENT, at=at) - at == timedelta(seconds=wait)


@pytest.mark.parametrize(("speed", "hours"), [("fast", 1), ("slow", 72)])
def test_a_person_is_told_when_it_takes_too_long(speed: str, hours: int) -> None:
    late = SENT + timedelta(hours=hours)
    assert schedule.is_overdue(speed=speed, created_at=SENT, at=late)
    assert not schedule.is_overdue(speed=speed, created_at=SENT, at=late - timedelta(seconds=1))
