"""A company is told once when its funds fall below its mark, in each reader's language."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail

from benefits import tasks
from benefits.funds import alerts, queries
from benefits.funds.errors import InvalidAmount
from benefits.points import operations as points
from tenants.identity.models import User
from tenants.identity.roles import Role
from tenants.models import Company
from tests import factories
from tests.factories import AT
from tests.people import somebody


@pytest.fixture(autouse=True)
def _nobody_else(acme: Company) -> None:
    """The administrator that the company was opened with reads no mail here."""
    User.objects.update(is_active=False)


def spend(fen: int) -> None:
    points.load_budget(budget=factories.a_budget(), fen=fen, request_key=uuid4(), actor=None, at=AT)


def told(minutes: int) -> tuple[list[str], int]:
    at = AT + timedelta(minutes=minutes)
    return alerts.notice(at=at), alerts.mail(at=at)


def test_a_crossing_is_told_once_and_again_only_after_it_was_better(acme: Company) -> None:
    clerk = somebody(Role.FINANCE, name="lin")
    clerk.language = "en"
    clerk.save()
    somebody(Role.ADMIN, name="wang")
    somebody(Role.HR, name="hana")
    gone = somebody(Role.FINANCE, name="gone")
    gone.is_active = False
    gone.save()
    factories.a_deposit(10_000)
    assert told(0) == ([], 0), "no mark, no warning"
    alerts.set_warning(company=acme, fen=5_000, actor=None, at=AT)
    assert told(1) == ([], 0)
    spend(5_000)
    assert told(2) == ([], 0), "at the mark is not below it"
    spend(1)
    assert queries.is_low(queries.account_of("acme"))
    assert told(3) == (["acme"], 2)
    assert told(60) == ([], 0)
    assert {message.to[0] for message in mail.outbox} == {"lin@example.com", "wang@example.com"}
    english = next(message for message in mail.outbox if message.to == ["lin@example.com"])
    assert "are low" in english.subject
    assert "¥49.99" in english.body
    assert "¥50.00" in english.body
    assert "acme.localhost" in english.body
    chinese = next(message for message in mail.outbox if message.to == ["wang@example.com"])
    assert "资金余额偏低" in chinese.subject
    factories.a_deposit(10_000)
    assert told(61) == ([], 0)
    spend(10_000)
    assert told(62) == (["acme"], 2)


def test_a_mail_that_never_left_is_sent_later(acme: Company) -> None:
    somebody(Role.FINANCE, name="lin")
    alerts.set_warning(company=acme, fen=1, actor=None, at=AT)
    assert alerts.notice(at=AT) == ["acme"]  # and here the worker dies
    assert alerts.notice(at=AT + timedelta(minutes=5)) == []
    assert told(11) == (["acme"], 1)
    assert told(40) == ([], 0)


def test_another_mark_is_another_warning(acme: Company) -> None:
    somebody(Role.FINANCE, name="lin")
    factories.a_deposit(1_000)
    alerts.set_warning(company=acme, fen=2_000, actor=None, at=AT)
    assert told(1) == (["acme"], 1)
    alerts.set_warning(company=acme, fen=2_000, actor=None, at=AT)
    assert told(2) == ([], 0)
    alerts.set_warning(company=acme, fen=3_000, actor=None, at=AT)
    assert told(3) == (["acme"], 1)
    alerts.set_warning(company=acme, fen=None, actor=None, at=AT)
    assert told(30) == ([], 0)
    for fen in (0, -1):
        with pytest.raises(InvalidAmount):
            alerts.set_warning(company=acme, fen=fen, actor=None, at=AT)


def test_the_task_rings_in_the_companies_that_are_low(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr(tasks.mail_low_funds, "ring", lambda schema: rung.append(schema))
    alerts.set_warning(company=acme, fen=1, actor=None, at=AT)
    tasks.watch_funds.run()
    assert rung == ["acme"]
