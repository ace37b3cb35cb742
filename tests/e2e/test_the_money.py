"""A company's money by clicking: a deposit with its slip, confirmed by a second person, its receipt, budgets and moves.

Every page is looked at on a phone and on a desk, in both languages, with the rules of accessibility.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from django_tenants.utils import schema_context
from playwright.sync_api import Browser, expect

from benefits.funds import alerts
from benefits.funds import operations as funds
from benefits.funds.models import Deposit
from benefits.points import operations as points
from benefits.points.models import Budget
from tenants.db import connection
from tenants.identity.roles import Role
from tenants.models import Company
from tests import factories
from tests.db.funds import papers
from tests.e2e.clicks import Person, text_of
from tests.people import client_of, somebody
from tests.processes import Mall


@pytest.fixture
def acme(mall: Mall) -> Iterator[Company]:
    company = Company.objects.get(schema_name="acme")
    connection.set_tenant(company)
    factories.a_catalogue()
    yield company
    connection.set_schema_to_public()


def enter(browser: Browser, name: str, client: Client, site: str, *, width: int) -> Person:
    """A window of somebody who has signed in."""
    person = Person(browser, name, width=width)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    person.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": site}])
    return person


def test_money_comes_in_and_is_given_to_budgets(
    mall: Mall, browser: Browser, acme: Company, tmp_path: Path
) -> None:
    platform, company = mall.url("").rstrip("/"), mall.url("acme").rstrip("/")
    with schema_context("public"):
        clients = {name: client_of(somebody(Role.PLATFORM_FINANCE, name=name)) for name in ("fei", "feng")}
    slip = tmp_path / "回单.png"
    slip.write_bytes(papers.PNG)

    fei = enter(browser, "fei", clients["fei"], platform, width=1440)
    fei.goto(f"{platform}/companies/acme/?form=deposit")
    fei.fill(
        yuan="120,000",
        reference="ICBC-20261124-1",
        value_date=timezone.localdate().isoformat(),
        payer="华云科技",
    )
    fei.page.locator("[name=slip]").set_input_files(slip)
    fei.look("record")
    fei.send("form:has([name=slip])")
    expect(fei.page.locator("main")).to_contain_text("ICBC-20261124-1")
    deposit = Deposit.objects.get(reference="ICBC-20261124-1")

    feng = enter(browser, "feng", clients["feng"], platform, width=1440)
    feng.goto(f"{platform}/deposits/{deposit.pk}/")
    feng.look("deposit")
    feng.send(f"form[action='/deposits/{deposit.pk}/confirm/']")
    deposit.refresh_from_db()
    with schema_context("public"):
        funds.hold(company=acme, fen=100_000, reason="合同续签核查", actor=None, at=timezone.now())
        funds.set_credit_limit(company=acme, fen=500_000, actor=None, at=timezone.now())
        funds.ask_reversal(deposit=deposit, reason="重复录入", actor=None, at=timezone.now())
    pages = [
        "/companies/acme/funds/",
        f"/deposits/{deposit.pk}/",
        f"/receipts/{deposit.receipt.number}/",
        "/deposits/",
    ]
    for path in pages:
        feng.goto(platform + path)
        feng.look("platform" + path.replace("/", "-").rstrip("-"))
    feng.turn(platform, pages)

    hana = _the_company_uses_it(mall, browser, acme, deposit, site=company)
    for person in (fei, feng, hana):
        person.done()


def _the_company_uses_it(
    mall: Mall, browser: Browser, acme: Company, deposit: Deposit, *, site: str
) -> Person:
    now = timezone.now()
    budget = factories.a_budget(at=now - timedelta(days=20))
    points.load_budget(budget=budget, fen=2_000_000, request_key=uuid4(), actor=None, at=now)
    other = factories.a_budget(at=now)
    factories.grant(budget, {factories.an_employee("张三"): 1_800_000}, at=now)
    alerts.set_warning(company=acme, fen=50_000_000, actor=None, at=now)
    client = client_of(somebody(Role.ADMIN, Role.HR, Role.FINANCE, name="hana"), host="acme.localhost")
    hana = enter(browser, "hana-money", client, site, width=390)

    hana.goto(f"{site}/company/budgets/{budget.pk}/")
    hana.page.locator("[name='move-target']").select_option(str(other.pk))
    hana.page.locator("[name='move-amount']").fill("500.50")
    hana.send("form[action$='/move/']")
    expect(hana.page.locator("main")).to_contain_text("¥500.50")
    assert factories.budget_fen(other) == 50_050
    hana.goto(f"{site}/company/budgets/{other.pk}/?form=close")
    hana.look("close")
    hana.send("form[action$='/close/']")
    assert Budget.objects.get(pk=other.pk).status == "closed"

    hana.goto(f"{site}/company/funds/receipts/{deposit.receipt.number}/")
    assert "壹拾贰万元整" in text_of(hana.page.locator("article"))
    hana.page.emulate_media(media="print")
    expect(hana.page.locator(".console-side")).to_be_hidden()
    hana.page.emulate_media(media="screen")
    pages = [
        "/company/budgets/",
        f"/company/budgets/{budget.pk}/",
        f"/company/budgets/{budget.pk}/edit/",
        "/company/funds/",
        "/company/funds/statement/",
        f"/company/funds/receipts/{deposit.receipt.number}/",
    ]
    for path in pages:
        hana.goto(site + path)
        hana.look("company" + path.replace("/", "-").rstrip("-"))
    hana.turn(site, pages)
    return hana
