"""People are told in time that points expire: once for each mark, the nearest alone after an outage, one e-mail each."""

from datetime import timedelta
from smtplib import SMTPException
from typing import Any

import pytest
from django.core import mail

from benefits.people.models import Employee
from benefits.points import reminders
from benefits.points.models import Reminder
from tenants.db import connection
from tenants.identity.models import User
from tenants.models import Company
from tests import factories
from tests.factories import AT
from tests.races import at_once

DAY = timedelta(days=1)
END = AT.replace(hour=0) + 41 * DAY  # 12 April is over: the last day is 11 April, 40 days after AT
LAST = AT.date() + 40 * DAY


def _made(employee: Employee) -> list[tuple[int, int]]:
    return list(Reminder.objects.filter(employee=employee).order_by("pk").values_list("days", "fen"))


def test_thirty_seven_and_one_day_before_each_once(acme: Company) -> None:
    alice = factories.an_employee(with_fen=5_000, expires_at=END)
    days = [reminders.remind(at=AT + number * DAY) for number in range(42)]
    assert [number for number, made in enumerate(days) if made] == [10, 33, 39]
    assert _made(alice) == [(30, 5_000), (7, 5_000), (1, 5_000)]
    assert set(Reminder.objects.values_list("expires_on", flat=True)) == {LAST}


@pytest.mark.parametrize(("away", "mark"), [(9, None), (20, 30), (34, 7), (39, 1), (40, 1), (41, None)])
def test_after_an_outage_only_the_nearest(acme: Company, away: int, mark: int | None) -> None:
    alice = factories.an_employee(with_fen=5_000, expires_at=END)
    assert reminders.remind(at=AT + away * DAY) == (1 if mark else 0)
    assert [days for days, _fen in _made(alice)] == ([mark] if mark else [])


def test_what_ends_at_another_hour_than_midnight_counts_by_its_day(acme: Company) -> None:
    factories.an_employee(with_fen=5_000, expires_at=AT + 31 * DAY)
    assert reminders.remind(at=AT) == 0
    assert reminders.remind(at=AT + DAY - timedelta(hours=9)) == 1


def test_a_day_is_told_as_one_sum_and_other_people_and_days_apart(acme: Company) -> None:
    alice, bob, budget = factories.an_employee(), factories.an_employee("Bob"), factories.a_budget(20_000)
    factories.grant(budget, {alice: 1_000, bob: 500}, expires_at=END)
    factories.grant(budget, {alice: 2_000}, expires_at=END)
    factories.grant(budget, {alice: 4_000}, expires_at=END + DAY)
    factories.grant(budget, {alice: 8_000})
    assert reminders.remind(at=AT + 33 * DAY) == 3
    assert sorted(_made(alice)) == [(7, 3_000), (30, 4_000)]
    assert _made(bob) == [(7, 500)]


def test_who_left_and_who_spent_everything_is_not_told(acme: Company) -> None:
    factories.a_catalogue()
    spent = factories.an_employee(with_fen=4_950, expires_at=END)
    factories.redeem(spent)
    gone = factories.an_employee("Gone", with_fen=1_000, expires_at=END)
    Employee.objects.filter(pk=gone.pk).update(status="left")
    grace = factories.an_employee("Grace", with_fen=1_000, expires_at=END)
    Employee.objects.filter(pk=grace.pk).update(status="left", grace_until=AT.date() + 60 * DAY)
    assert reminders.remind(at=AT + 35 * DAY) == 1
    assert _made(grace) == [(7, 1_000)]


def _reachable(name: str, *, language: str = "", fen: int = 5_000) -> Employee:
    employee = factories.an_employee(name, with_fen=fen, expires_at=END)
    user = User.objects.create_user(f"{name}-user", language=language)
    Employee.objects.filter(pk=employee.pk).update(email=f"{name.lower()}@example.com", user=user)
    return employee


def test_an_e_mail_to_each_with_an_address_in_their_language_without_secrets(acme: Company) -> None:
    (
        _reachable("Alice", language="en"),
        _reachable("Bob", fen=700),
        factories.an_employee("Mute", with_fen=100, expires_at=END),
    )
    reminders.remind(at=AT + 35 * DAY)

    assert reminders.mail_due(at=AT + 35 * DAY) == 2
    assert reminders.mail_due(at=AT + 35 * DAY) == 0

    english, chinese = sorted(mail.outbox, key=lambda one: one.to)
    assert english.to == ["alice@example.com"]
    assert "50 points of yours can be spent until 11 Apr 2026" in english.body
    assert "7 积分" in chinese.body and "2026年4月11日" in chinese.body
    assert "50" not in chinese.body.replace("localhost:8000", "")
    assert english.body.count("http") == 1 and "/wallet/" in english.body and "?" not in english.body
    assert Reminder.objects.filter(mailed_at__isnull=True).count() == 1


def test_what_is_over_is_not_sent_any_more(acme: Company) -> None:
    _reachable("Alice")
    reminders.remind(at=AT + 39 * DAY)
    assert reminders.mail_due(at=AT + 41 * DAY) == 0
    assert mail.outbox == []


def test_a_mail_server_that_refuses_is_tried_again(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    _reachable("Alice"), _reachable("Bob")
    reminders.remind(at=AT + 35 * DAY)

    def refuse(*_: Any, **__: Any) -> int:
        raise SMTPException("not now")

    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.message.EmailMessage.send", refuse)
        assert reminders.mail_due(at=AT + 35 * DAY) == 0
    assert Reminder.objects.filter(mailed_at__isnull=True).count() == 2
    assert reminders.mail_due(at=AT + 35 * DAY) == 2


def test_at_once_each_is_made_and_sent_once(race_company: Company) -> None:
    for place in range(10):
        _reachable(f"P{place}")
    made = at_once(*[lambda: reminders.remind(at=AT + 35 * DAY)] * 3)
    assert sorted(made) == [0, 0, 10]  # type: ignore[type-var]
    sent = at_once(*[lambda: reminders.mail_due(at=AT + 35 * DAY)] * 3)
    assert sum(sent) == 10, sent  # type: ignore[arg-type]
    assert len(mail.outbox) == 10
    connection.set_tenant(race_company)
    assert not Reminder.objects.filter(mailed_at__isnull=True).exists()
