"""What the clock brings about: reminders, lapsing, and what a lost bell left."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core import mail
from django.test import override_settings

from benefits.approvals import operations, queries, standing
from benefits.approvals.models import Approval
from benefits.points.models import Budget
from tenants.db import connection
from tenants.identity.models import User
from tenants.identity.roles import Role
from tests.db.approvals.conftest import AT, ask
from tests.factories import budget_fen

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _letters() -> Iterator[None]:
    with override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
        mail.outbox = []
        yield


@pytest.fixture
def asked(budget: Budget, hana: User, arno: User, limited: None) -> Approval:
    User.objects.filter(pk=arno.pk).update(email="arno@example.com", language="en")
    return ask(budget, hana)


def to_tend(at: object) -> list[str]:
    schema = connection.schema_name
    tenant = connection.tenant
    connection.set_schema_to_public()
    try:
        return [one for one in queries.companies_to_tend(at) if one == schema]  # type: ignore[arg-type]
    finally:
        connection.set_tenant(tenant)


def test_a_reminder_after_a_day_and_one_on_the_last(asked: Approval) -> None:
    assert operations.remind_due(at=AT + DAY - SECOND) == 0
    assert to_tend(AT + DAY - SECOND) == []
    assert to_tend(AT + DAY) == ["acme"]
    assert operations.remind_due(at=AT + DAY) == 1
    assert to_tend(AT + DAY) == []
    assert operations.remind_due(at=AT + 3 * DAY) == 0
    last = asked.due_at - DAY
    assert to_tend(last) == ["acme"]
    assert [operations.remind_due(at=last), operations.remind_due(at=last + DAY / 2)] == [1, 0]
    letters = [one for one in mail.outbox if one.to == ["arno@example.com"]]
    assert len(letters) == 2
    assert "Load of a budget" in letters[0].subject
    assert f"/company/approvals/{asked.pk}/" in letters[0].body
    assert "¥500.00" in letters[0].body and "last day" not in letters[0].body
    assert "last day" in letters[1].body


def test_who_asked_gets_no_letter_and_who_stands_in_does(
    asked: Approval, hana: User, arno: User, person: object
) -> None:
    User.objects.filter(pk=hana.pk).update(email="hana@example.com")
    fin = person(Role.FINANCE, name="fin")  # type: ignore[operator]
    User.objects.filter(pk=fin.pk).update(email="fin@example.com")
    day = AT.date()
    standing.delegate(from_user=arno, to_user=fin, from_date=day, to_date=day + 2 * DAY, actor=arno, at=AT)
    operations.tend(at=AT + DAY)
    receivers = {address for letter in mail.outbox for address in letter.to}
    assert {"arno@example.com", "fin@example.com"} <= receivers
    assert "hana@example.com" not in receivers


def test_a_letter_that_cannot_be_sent_stops_nothing(asked: Approval) -> None:
    with override_settings(
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend", EMAIL_HOST="127.0.0.1", EMAIL_PORT=9
    ):
        assert operations.remind_due(at=AT + DAY) == 1


def test_tending_lapses_and_carries_out(asked: Approval, budget: Budget, hana: User, arno: User) -> None:
    other = ask(budget, hana, 20_000)
    operations.approve(approval=other, note="", actor=arno, at=AT)
    assert to_tend(AT + 19 * SECOND) == [], "the bell has its time first"
    assert to_tend(AT + 20 * SECOND) == ["acme"]
    operations.tend(at=asked.due_at)
    asked.refresh_from_db()
    other.refresh_from_db()
    assert (asked.status, other.status) == ("lapsed", "done")
    assert budget_fen(budget) == 120_000
    assert to_tend(asked.due_at + DAY) == []
