"""A festival by clicking: HR writes the rule and rehearses it, somebody else approves, it is handed out under one's
eyes, and the employee sees the points with their last day and is reminded of it."""

import contextlib
import re
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from benefits.approvals.models import ApprovalLimit, Kind
from benefits.campaigns.models import GrantRule, Rehearsal
from benefits.campaigns.occasions import FESTIVALS, MOST_DAYS_BEFORE, festival_day
from benefits.funds import operations as funds
from benefits.people import operations as people
from benefits.people.models import Employee
from benefits.points import operations as points
from benefits.points import reminders
from benefits.points.models import Grant, Lot, Reminder
from benefits.web.company.rule_parts import grade_field
from reports import books
from tenants.db import connection, transaction
from tenants.identity import operations as identity
from tenants.identity.roles import Role
from tenants.models import Company
from tests.e2e.clicks import PASSWORD, Person, both_languages, press_on, press_to, wait_for
from tests.processes import Mall

STAFF = 4_200
PLACES = ("技术中心/后端组", "技术中心/前端组", "市场部/华东大区", "人力资源部", "财务部")
CHOSEN = ("技术中心", "市场部")  # four in five of the staff, but those who have left
NAME = "过节福利"
SURNAMES, GIVEN = "王李张刘陈杨黄赵吴周", "伟芳娜敏静强磊洋艳勇"


def _festival_ahead() -> tuple[str, int]:
    """The next festival after today, and in how many days it is: a rule that grants so long before is due today."""
    today = timezone.localdate()
    ahead = {
        slug: (festival_day(slug, year) - today).days
        for year in (today.year + 1, today.year)
        for slug in FESTIVALS
        if 0 < (festival_day(slug, year) - today).days <= MOST_DAYS_BEFORE
    }
    slug = min(ahead, key=lambda one: ahead[one])
    return slug, ahead[slug]


def _person(number: int) -> dict[str, str]:
    return {
        "name": SURNAMES[number % 10] + GIVEN[number // 10 % 10] + GIVEN[number // 100 % 10],
        "mobile": f"138{number:08d}",
        "department": PLACES[number % 5],
        "grade": f"P{4 + number % 4}",
        "hired_on": (date(2015, 1, 1) + timedelta(days=number)).isoformat(),
        "birthday": (date(1980, 1, 1) + timedelta(days=3 * number)).isoformat(),
        "status": "active",
    }


@pytest.fixture(scope="module")
def acme(mall: Mall) -> Company:
    """Acme with its staff and a loaded budget; HR grants ¥1,000 alone, and anything above needs the approver."""
    connection.set_schema_to_public()
    company = Company.objects.get(schema_name="acme")
    connection.set_tenant(company)
    at = timezone.now()
    for name, login, role in (("韩娜", "hana", Role.HR), ("安保罗", "paul", Role.APPROVER)):
        user = identity.invite(
            username=f"{login}@acme.example",
            name=name,
            email=f"{login}@acme.example",
            roles=[role],
            actor=None,
            at=at,
        )
        identity.set_password(user=user, password=PASSWORD, actor=user, at=at)
    with transaction():
        staff = {f"HY{number:05d}": _person(number) for number in range(1, STAFF + 1)}
        points.open_wallets(employees=people.add_employees(people=staff, at=at))
    deposit = funds.record_deposit(company=company, fen=100_000_000, reference="bank-1", actor=None, at=at)
    funds.confirm_deposit(deposit=deposit, actor=None, at=at)
    budget = points.open_budget(
        name="2026 节日福利", owner="韩娜", from_date=timezone.localdate(at), actor=None, at=at
    )
    points.load_budget(budget=budget, fen=80_000_000, request_key=uuid4(), actor=None, at=at)
    for kind in (Kind.GRANT, Kind.RULE):
        ApprovalLimit.objects.create(kind=kind, role="hr", alone_fen=100_000, approves_fen=0)
    one = Employee.objects.get(employee_no="HY00001")
    assert one.user is not None
    identity.set_password(user=one.user, password=PASSWORD, actor=one.user, at=at)
    return company


def test_a_festival_from_the_rule_to_the_wallet(mall: Mall, acme: Company, browser: Browser) -> None:
    site = mall.url("acme").rstrip("/")
    hana = Person(browser, "festival", width=1440)
    hana.sign_in(site, "hana@acme.example")
    if "/2fa/" in hana.page.url:
        hana.set_second_factor()

    hana.goto(f"{site}/company/rules/")
    hana.look("no-rules")
    _write_the_rule(hana, site)
    _rehearse_another_day(hana)
    rule = GrantRule.objects.get()
    paul = Person(browser, "approver", width=1440)
    paul.sign_in(site, "paul@acme.example")
    if "/2fa/" in paul.page.url:
        paul.set_second_factor()

    # The rule costs more in a year than HR decides alone.
    hana.goto(f"{site}/company/rules/{rule.pk}/")
    press_on(hana.page, "button[name=to][value=activate]")
    expect(hana.page.locator(".toast, [data-toast]").first).to_contain_text("审批")
    hana.look("rule-waits")
    _approve(paul, site)
    rule.refresh_from_db()
    assert rule.status == GrantRule.Status.ACTIVE
    hana.goto(f"{site}/company/rules/")
    both_languages(hana, site, hana.page.url)
    hana.goto(f"{site}/company/rules/{rule.pk}/")
    both_languages(hana, site, hana.page.url)
    hana.goto(f"{site}/company/")
    hana.look("overview")

    _hand_out_today(hana, paul, site, rule)
    _in_the_wallet(browser, mall)
    assert books.verify([acme]) == []
    hana.done()
    paul.done()


def _write_the_rule(hana: Person, site: str) -> None:
    """By keyboard alone: what a choice does not need is out of sight and out of the way of Tab."""
    page = hana.page
    festival, days = _festival_ahead()
    press_on(page, "a[href$='/rules/new/']")
    wait_for(page, "form.rule-form")
    press_to(page, "[name=name]")
    page.keyboard.type(NAME)
    press_to(page, "[name=whom]")
    page.keyboard.press("ArrowDown")  # some
    press_to(page, "[name=departments]")
    page.locator("[name=departments]").select_option(list(CHOSEN))
    _choose(page, "kind", "festival")
    press_to(page, "[name=festival]")
    page.locator("[name=festival]").select_option(festival)
    press_to(page, "[name=days_before]")
    page.keyboard.type("400")
    press_to(page, "[name=points]")
    page.keyboard.type("188")
    _choose(page, "until", "days")
    press_to(page, "[name=until_days]")
    page.keyboard.type("30")
    hana.look("rule-form")
    press_on(page, ".bulk-bar button")
    expect(page.locator("#id_days_before_error, .field:has([name=days_before]) .errorlist")).to_be_visible()
    hana.look("rule-refused")
    press_to(page, "[name=days_before]")
    page.keyboard.press("Control+A")
    page.keyboard.type(str(days))
    both = page.url
    press_on(page, ".bulk-bar button")
    wait_for(page, "[name=day]")
    expect(page.locator("main")).to_contain_text(f"前 {days} 天")
    hana.look("rule")
    after = page.url
    both_languages(hana, site, both)
    hana.goto(after)


def _choose(page: Page, name: str, value: str) -> None:
    """Arrow down in a group of choices until one is chosen."""
    press_to(page, f"[name={name}]")
    for _ in range(12):
        if page.locator(f"[name={name}][value={value}]").is_checked():
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"{name} has no {value}")


def _paths() -> tuple[str, ...]:
    return tuple(place for place in PLACES if place.startswith(CHOSEN))


def _rehearse(hana: Person, day: date) -> None:
    page = hana.page
    page.locator("form[action$='/rehearse/'] [name=day]").fill(day.isoformat())
    with page.expect_navigation():
        page.locator("form[action$='/rehearse/'] button").click()


def _rehearse_another_day(hana: Person) -> None:
    """Any day can be looked at before; handing out is for its own."""
    _rehearse(hana, timezone.localdate() + timedelta(days=1))
    expect(hana.page.locator("#hand_out")).to_have_count(0)
    hana.look("rehearsed-ahead")


def _approve(paul: Person, site: str) -> None:
    page = paul.page
    paul.goto(f"{site}/company/approvals/")
    page.locator("main table a.row-link").first.click()
    wait_for(page, "form[action$='/approve/']")
    paul.look("asked")
    with page.expect_navigation():
        page.locator("form[action$='/approve/'] button, button[formaction$='/approve/']").first.click()
    paul.look("approved")


def _hand_out_today(hana: Person, paul: Person, site: str, rule: GrantRule) -> None:
    """The day of the rule: rehearsed, approved since it is above the limit, handed out in steps."""
    page = hana.page
    hana.goto(f"{site}/company/rules/{rule.pk}/")
    _rehearse(hana, timezone.localdate())
    wait_for(page, "#hand_out")
    both_languages(hana, site, page.url)
    address = page.url
    hana.fill(q="HY00011")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=HY00011**")
    expect(page.locator("main table tbody tr")).to_have_count(1)
    with page.expect_download() as download:
        page.locator("form[action$='rehearsal.xlsx'] button").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    hana.goto(address)
    press_on(page, "#hand_out")
    wait_for(page, ".notice:has-text('等待审批')")
    hana.look("waits")
    with _a_wallet_held():
        _approve(paul, site)
        hana.goto(address)
        wait_for_running(hana, address)
        expect(page.locator("[data-rows-done]")).to_have_text(re.compile("[1-9]"), timeout=60_000)
        hana.look("handing-out")
        both_languages(hana, site, address)
    wait_for(page, "a[href*='/company/grants/']:has-text('查看发放')", seconds=90)
    hana.look("handed-out")
    grant = Grant.objects.get()
    chosen = Employee.objects.filter(department__path__in=_paths())
    assert Lot.objects.filter(grant=grant).count() == chosen.count() == Rehearsal.objects.latest("pk").people
    both_languages(hana, site, address)
    hana.goto(f"{site}/company/grants/{grant.pk}/")
    hana.look("grant")


def wait_for_running(hana: Person, address: str) -> None:
    """A worker takes the decision up within seconds; the page is asked again until it says so."""
    for _ in range(40):
        if hana.page.locator("#rehearsal_progress").count():
            return
        hana.page.wait_for_timeout(500)
        hana.goto(address)
    raise AssertionError("nothing is being handed out")


@contextlib.contextmanager
def _a_wallet_held() -> Iterator[None]:
    """Somebody of the second step is just spending: the first step is done, and what is done until then can be seen."""
    late = Employee.objects.filter(department__path__in=_paths()).order_by("employee_no")[2_500]
    other = connection.copy()
    other.set_schema("acme")
    other.set_autocommit(False)
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM points_account WHERE employee_id = %s FOR UPDATE", [late.pk])
        yield
    finally:
        other.rollback()
        other.close()


def _in_the_wallet(browser: Browser, mall: Mall) -> None:
    site = mall.url("acme").rstrip("/")
    phone = Person(browser, "festival-employee", width=390)
    phone.sign_in(site, "HY00001")
    phone.goto(f"{site}/wallet/")
    main = phone.page.locator("main")
    expect(main).to_contain_text(NAME)
    expect(main).to_contain_text("188")
    last = timezone.localdate() + timedelta(days=30)
    expect(main).to_contain_text(f"{last.year}年{last.month}月{last.day}日")
    reminders.remind(at=timezone.now())
    reminder = Reminder.objects.get(employee__employee_no="HY00001")
    assert (reminder.expires_on, reminder.days, reminder.fen) == (last, 30, 18_800)
    phone.goto(f"{site}/wallet/")
    phone.look("wallet")
    phone.done()


def test_the_parts_of_a_rule_that_a_festival_does_not_need(
    mall: Mall, acme: Company, browser: Browser
) -> None:
    """Amounts by grade and by years, months, a list: each is seen once it is chosen, at both widths."""
    site = mall.url("acme").rstrip("/")
    hana = Person(browser, "parts", width=1440)
    hana.sign_in(site, "hana@acme.example")
    page = hana.page
    hana.goto(f"{site}/company/rules/new/")
    grade = grade_field("P5")
    expect(page.locator(f"[name={grade}]")).to_be_hidden()
    page.locator("[name=whom][value=list]").check()
    page.locator("[name=kind][value=monthly]").check()
    page.locator("[name=how][value=grade]").check()
    page.locator("[name=until][value=date]").check()
    for name in ("listing", "day", grade, "prorate", "until_date"):
        expect(page.locator(f"[name={name}]")).to_be_visible()
    expect(page.locator("[name=festival]")).to_be_hidden()
    hana.look("monthly-by-grade")
    hana.send("form.rule-form")
    hana.look("monthly-refused")
    page.locator("[name=kind][value=anniversary]").check()
    page.locator("[name=how][value=years]").check()
    for name in ("years", "days_before", "from_0", "points_0"):
        expect(page.locator(f"[name={name}]")).to_be_visible()
    hana.width = 390
    page.set_viewport_size({"width": 390, "height": 844})
    hana.look("anniversary-by-years")
    hana.done()


def test_all_of_it_without_script(mall: Mall, acme: Company, browser: Browser) -> None:
    """A rule, its rehearsal, the handing out and its progress, in a browser that runs no script."""
    site = mall.url("acme").rstrip("/")
    ApprovalLimit.objects.all().delete()
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{site}/accounts/login/")
    page.locator("[name=login]").fill("hana@acme.example")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("form:has([name=login]) button").last.click()
    page.goto(f"{site}/company/rules/new/")
    page.locator("[name=name]").fill("开工红包")
    page.locator("[name=whom][value=some]").check()
    page.locator("[name=departments]").select_option("人力资源部")
    page.locator("[name=points]").fill("66")
    page.locator("form.rule-form button").last.click()
    page.locator("button[name=to][value=activate]").click()
    page.locator("form[action$='/rehearse/'] button").click()
    expect(page.locator("main")).to_contain_text("840")
    page.locator("#hand_out").click()
    for _ in range(60):
        if page.locator("a:has-text('查看发放')").count():
            break
        page.wait_for_timeout(500)
        page.goto(page.url)
    page.locator("a:has-text('查看发放')").first.click()
    expect(page.locator("main")).to_contain_text("开工红包")
    assert Grant.objects.get(reason="开工红包").lots.count() == 840
    assert books.verify([acme]) == []
    context.close()
