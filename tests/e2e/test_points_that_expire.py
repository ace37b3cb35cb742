"""Points near their end and beyond: the wallet says so, HR takes back a mistake, the platform makes good a lost order."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect

from benefits.fulfilment.models import Attempt, Delivery
from benefits.people.models import Employee
from benefits.points import days, goodwill
from config import processes
from reports import books
from tenants.db import connection
from tenants.identity import operations as identity
from tenants.identity.models import User
from tenants.identity.roles import Role
from tenants.models import Company
from tests import environment, factories
from tests.e2e.clicks import PASSWORD, Person

PHONE, DESK = 390, 1440


@pytest.fixture
def site(race_company: Company) -> Iterator[str]:
    """A web server alone: nothing is sent to anybody, so that what is unknown stays so. Its port."""
    port = processes.free_port()
    web = processes.web(port=port, state=environment.state())
    with processes.running([web], environment=processes.environment(port=port)):
        yield f"localhost:{port}"


def _somebody(name: str, *roles: Role) -> User:
    at = timezone.now()
    user = identity.invite(
        username=f"{name}@acme.example", name=name.title(), email=f"{name}@acme.example", roles=list(roles), actor=None, at=at
    )  # fmt: skip
    identity.set_password(user=user, password=PASSWORD, actor=user, at=at)
    return user


def _arrange(company: Company) -> tuple[int, int]:
    """Alice with points for nine days, of which an order holds some and says nothing; the ids of delivery and grant."""
    factories.a_catalogue()
    now = timezone.now()
    alice, bob, budget = (
        factories.an_employee("王小雨", at=now),
        factories.an_employee("李雷", at=now),
        factories.a_budget(90_000, at=now),
    )
    Employee.objects.filter(pk=alice.pk).update(user=_somebody("alice", Role.EMPLOYEE))
    soon = days.end_of(timezone.localdate(now) + timedelta(days=9))
    made = factories.grant(budget, {alice: 12_000, bob: 8_000}, expires_at=soon, at=now)
    order = factories.redeem(alice, at=now)
    delivery = Delivery.objects.get(order_number=order.number)
    attempt = factories.claim(delivery, at=now)
    Attempt.objects.filter(pk=attempt.pk).update(status="unknown")
    _somebody("hana", Role.HR)
    connection.set_schema_to_public()
    _somebody("olga", Role.OPERATOR)
    connection.set_tenant(company)
    return delivery.pk, made.pk


def test_points_that_expire(race_company: Company, site: str, browser: Browser) -> None:
    delivery, grant = _arrange(race_company)
    acme, platform = f"http://acme.{site}", f"http://{site}"

    olga = Person(browser, "olga", width=DESK)
    olga.sign_in(platform, "olga@acme.example")
    if "totp" in olga.page.url:
        olga.set_second_factor()
    olga.goto(f"{platform}/deliveries/{delivery}/")
    olga.look("goodwill-form")
    olga.fill(fen="30", reason="您的充值到账较慢，先补给您 30 元")
    olga.send("form[action$='/goodwill/']")
    expect(olga.page.locator("main")).to_contain_text("已补偿")
    olga.look("goodwill-given")
    olga.goto(f"{platform}/goodwill/")
    olga.look("goodwill-sums")
    olga.turn(platform, [f"/deliveries/{delivery}/", "/goodwill/"])
    olga.done()
    connection.set_tenant(race_company)
    assert goodwill.figures().given_fen == 3_000

    alice = Person(browser, "alice", width=PHONE)
    alice.sign_in(acme, "alice@acme.example")
    alice.goto(acme + "/")
    expect(alice.page.locator(".notice-warn")).to_contain_text("可用到")
    alice.look("home-warned")
    alice.goto(acme + "/wallet/")
    expect(alice.page.locator("main")).to_contain_text("平台补偿")
    alice.look("wallet-warned")
    alice.turn(acme, ["/", "/wallet/"])
    alice.done()

    hana = Person(browser, "hana", width=DESK)
    hana.sign_in(acme, "hana@acme.example")
    if "totp" in hana.page.url:
        hana.set_second_factor()
    hana.goto(f"{acme}/company/grants/{grant}/")
    hana.look("grant")
    hana.page.get_by_role("link", name="收回未使用的部分").click()
    expect(hana.page).to_have_url(re.compile("/recall/"))
    hana.look("recall-preview")
    hana.turn(acme, [f"/company/grants/{grant}/recall/"])
    hana.goto(f"{acme}/company/grants/{grant}/recall/")
    hana.send("main form")
    expect(hana.page.locator("body")).to_contain_text("已退回福利预算")
    hana.look("recall-done")
    hana.done()

    connection.set_tenant(race_company)
    assert books.verify([race_company]) == []
