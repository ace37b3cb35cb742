"""A load above a limit by clicking: HR asks at a desk, the approver decides on a phone, an administrator sets limits."""

import re
from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect

from benefits.approvals.models import Approval, ApprovalLimit, Delegation
from benefits.funds import operations as funds
from benefits.points import operations as points
from benefits.points.models import Budget
from tenants.db import connection
from tenants.identity import operations as identity
from tenants.identity.models import User
from tenants.identity.roles import Role
from tenants.models import Company
from tests.e2e.clicks import PASSWORD, Person
from tests.processes import Mall

CAST = (
    ("韩娜", "hana", Role.HR),
    ("安保罗", "paul", Role.APPROVER),
    ("方琳", "fang", Role.FINANCE),
    ("安达", "ada", Role.ADMIN),
)


@pytest.fixture(scope="module")
def acme(mall: Mall) -> Company:
    """Acme with a loaded budget and people of four roles."""
    connection.set_schema_to_public()
    company = Company.objects.get(schema_name="acme")
    connection.set_tenant(company)
    at = timezone.now()
    for name, login, role in CAST:
        address = f"{login}@acme.example"
        user = identity.invite(username=address, name=name, email=address, roles=[role], actor=None, at=at)
        identity.set_password(user=user, password=PASSWORD, actor=user, at=at)
    deposit = funds.record_deposit(company=company, fen=50_000_000, reference="bank-1", actor=None, at=at)
    funds.confirm_deposit(deposit=deposit, actor=None, at=at)
    for name in ("2026 节日福利", "2026 生日福利"):
        budget = points.open_budget(
            name=name, owner="韩娜", from_date=timezone.localdate(at), actor=None, at=at
        )
        points.load_budget(budget=budget, fen=1_000_000, request_key=uuid4(), actor=None, at=at)
    return company


def enter(browser: Browser, site: str, login: str, *, width: int) -> Person:
    person = Person(browser, f"signature-{login}", width=width)
    person.sign_in(site, f"{login}@acme.example")
    if "/2fa/" in person.page.url:
        person.set_second_factor()
    return person


def test_a_load_above_the_limit(mall: Mall, acme: Company, browser: Browser) -> None:
    site = mall.url("acme").rstrip("/")
    ada = enter(browser, site, "ada", width=1440)
    _set_limits(ada, site)
    hana = enter(browser, site, "hana", width=1440)
    budget = Budget.objects.get(name="2026 节日福利")
    for amount in ("30000", "5000.50"):
        hana.goto(f"{site}/company/budgets/{budget.pk}/")
        hana.page.locator("[name=load-amount]").fill(amount)
        hana.send("form:has([name=load-amount])")
    expect(hana.page.locator(".toast").first).to_contain_text("审批")
    hana.look("budget-waits")
    hana.goto(f"{site}/company/")
    hana.look("home-asker")
    first = Approval.objects.order_by("pk")[0]
    _stand_in(browser, site)
    _decide(browser, site)
    first.refresh_from_db()
    assert first.status == "done" and first.decided_by == User.objects.get(username="paul@acme.example")
    hana.goto(f"{site}/company/approvals/?show=asked")
    hana.look("asked")
    hana.turn(
        site,
        [
            "/company/approvals/?show=asked",
            f"/company/approvals/{first.pk}/",
            "/company/approvals/limits/",
            "/company/",
        ],
    )
    for person in (ada, hana):
        person.done()


def _set_limits(ada: Person, site: str) -> None:
    ada.goto(f"{site}/company/approvals/limits/")
    ada.look("limits")
    form = "form[action$='/limits/load/']"
    ada.page.locator(f"{form} [name=load-is_limited]").check()
    ada.page.locator(f"{form} [name=load-alone_hr]").fill("1000")
    ada.page.locator(f"{form} [name=load-approves_approver]").fill("50000")
    ada.send(form)
    rows = {row.role: (row.alone_fen, row.approves_fen) for row in ApprovalLimit.objects.filter(kind="load")}
    assert rows["hr"] == (100_000, 0) and rows["approver"] == (0, 5_000_000)
    ada.look("limits-saved")
    ada.turn(site, ["/company/approvals/limits/", "/company/approvals/delegations/"])


def _stand_in(browser: Browser, site: str) -> None:
    paul = enter(browser, site, "paul", width=1440)
    paul.goto(f"{site}/company/approvals/delegations/")
    paul.look("no-stand-ins")
    paul.page.locator("[name=to_user]").select_option(label="方琳")
    paul.page.locator("[name=to_date]").fill(timezone.localdate().isoformat())
    paul.send("form:has([name=to_user])")
    assert Delegation.objects.get().from_user.name == "安保罗"
    paul.look("stand-ins")
    fang = enter(browser, site, "fang", width=390)
    fang.goto(f"{site}/company/approvals/")
    fang.page.locator("a.row-link").first.click()
    expect(fang.page.locator("main")).to_contain_text("您代 安保罗 审批")
    fang.look("for-another")
    fang.done()
    paul.done()


def _decide(browser: Browser, site: str) -> None:
    """On a phone: the first page says what waits, and two presses later it is decided."""
    paul = enter(browser, site, "paul", width=390)
    paul.goto(f"{site}/company/")
    expect(paul.page.locator("main")).to_contain_text("2 项等您审批")
    paul.look("home-approver")
    paul.page.locator("a[href^='/company/approvals/']", has_text="充入预算").first.click()
    paul.look("decide")
    paul.page.locator("[name=note]").fill("同意，按节日方案执行。")
    with paul.page.expect_navigation():
        paul.page.get_by_role("button", name="批准").click()
    expect(paul.page.locator(".toast").first).to_contain_text("已批准并执行")
    paul.look("decided")
    paul.goto(f"{site}/company/approvals/")
    paul.look("list")
    paul.page.locator("a.row-link").first.click()
    with paul.page.expect_navigation():
        paul.page.get_by_role("button", name="拒绝").click()
    expect(paul.page.locator(".errorlist").first).to_be_visible()
    paul.look("refused-without-a-word")
    paul.page.locator("[name=note]").fill("本月预算已用完。")
    with paul.page.expect_navigation():
        paul.page.get_by_role("button", name="拒绝").click()
    paul.look("refused")
    assert re.search("已拒绝", paul.page.locator("main").inner_text())
    paul.done()
