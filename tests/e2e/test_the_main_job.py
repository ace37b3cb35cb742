"""The whole main job by clicking: from an unknown company to the invoice of its month, on desktop and phone."""

import json
import re
import urllib.request
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect

from benefits.catalogue import seed
from benefits.fulfilment import queries as deliveries
from benefits.fulfilment import upkeep
from benefits.suppliers.simulator.dialects.goofish import DEFAULT_KEYS
from reports import books
from tenants.db import connection
from tenants.identity import operations as identity
from tenants.identity.roles import Role
from tenants.models import Company
from tests.e2e.clicks import PASSWORD, Person, wait_for
from tests.processes import Mall

CONSOLE = [
    "",
    "employees/",
    "imports/",
    "imports/new/",
    "budgets/",
    "grants/",
    "grants/new/",
    "funds/",
    "people/",
]
ROSTER = Path(__file__).parent.parent / "fixtures" / "rosters" / "s01_clean_template.xlsx"


@pytest.fixture(scope="module")
def stocked(mall: Mall) -> Mall:
    """The platform before its first day: staff, a catalogue, and a supplier that offers all of it."""
    connection.set_schema_to_public()
    at = timezone.now()
    for name, roles in (
        ("olga", [Role.OPERATOR, Role.PLATFORM_FINANCE]),
        ("petra", [Role.PLATFORM_FINANCE]),
    ):
        user = identity.invite(
            username=f"{name}@platform.example",
            name=name.title(),
            email=f"{name}@platform.example",
            roles=roles,
            actor=None,
            at=at,
        )
        identity.set_password(user=user, password=PASSWORD, actor=user, at=at)
    seed.seed()
    supplier = upkeep.add_supplier(
        slug="sim",
        name="模拟供应商",
        adapter="goofish",
        base_url=mall.simulator.url,
        credentials=json.dumps(DEFAULT_KEYS),
        actor=None,
        at=at,
    )
    upkeep.offer_catalogue(supplier=supplier, percent=98, actor=None, at=at)
    goods = urllib.request.Request(
        f"{mall.simulator.url}/_sim/goods",
        method="PUT",
        data=json.dumps(deliveries.price_list(supplier)).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(goods, timeout=10).close()
    return mall


def test_the_main_job(stocked: Mall, browser: Browser) -> None:
    mall = stocked
    platform = mall.url("").rstrip("/")

    # The operator opens a company.
    olga = Person(browser, "olga", width=1440)
    olga.sign_in(platform, "olga@platform.example")
    olga.set_second_factor()
    olga.goto(f"{platform}/open-company/")
    olga.fill(name="远山科技有限公司", short_name="远山", owner_email="owner@yuanshan.example")
    olga.fill(credit_code="91440300708461136T")
    olga.fill(schema="yuanshan", domain="yuanshan.localhost")
    olga.look("open-company")
    olga.send("form.form-2")
    olga.look("company-opened")
    link = re.search(r"http://yuanshan\.localhost:\d+/activate/[^\s\"<]+", olga.page.content())
    assert link, "the first administrator's activation link is shown"
    company = mall.url("yuanshan").rstrip("/")

    # Its first administrator comes in, with a second factor, and uploads the staff list.
    owner = Person(browser, "owner", width=1440)
    owner.activate(link[0])
    owner.goto(f"{company}/company/")
    owner.set_second_factor()
    owner.goto(f"{company}/company/imports/new/")
    owner.page.locator("input[type=file]").set_input_files(ROSTER)
    owner.look("import")
    owner.send("form[enctype]")
    wait_for(owner.page, "#to_confirm")
    owner.look("import-plan")
    owner.page.locator("#to_confirm").click()
    owner.look("import-confirm")
    owner.page.locator("#apply").click()
    wait_for(owner.page, "a[href*='/company/grants/new/']")
    owner.look("import-applied")
    owner.goto(f"{company}/company/employees/")
    owner.look("employees")
    expect(owner.page.locator("main")).to_contain_text("HR00001")

    # The deposit: recorded by one, confirmed by another.
    olga.goto(f"{platform}/companies/yuanshan/")
    olga.page.locator("[data-dialog=deposit]").first.click()
    olga.fill(yuan="50000", reference="BANK-2026-11-24-01", value_date=timezone.localdate().isoformat())
    olga.look("deposit")
    olga.send("dialog[open] form")
    petra = Person(browser, "petra", width=1440)
    petra.sign_in(platform, "petra@platform.example")
    petra.set_second_factor()
    petra.goto(f"{platform}/deposits/")
    petra.look("deposits")
    petra.send("form[action$='/confirm/']")

    # HR opens a budget, loads it and grants points to everyone.
    owner.goto(f"{company}/company/budgets/new/")
    owner.fill(name="2026 年终福利", owner="人力资源部")
    owner.look("budget")
    owner.send("form.form-2")
    owner.page.locator("form[action$='/load/'] [name$=amount]").fill("20000")
    owner.send("form[action$='/load/']")
    owner.look("budget-loaded")
    owner.goto(f"{company}/company/grants/new/")
    owner.fill(points="600", reason="年终福利")
    owner.look("grant")
    owner.send("main form")
    owner.look("grant-preview")
    owner.send("main form")
    owner.look("granted")

    # An employee, on the phone: activates, tops up in two taps, takes a membership, watches both arrive.
    employee_link = _link_of_employee(owner, company, "HR00001")
    phone = Person(browser, "employee", width=390)
    phone.activate(employee_link)
    phone.look("home")
    expect(phone.page.locator("main")).to_contain_text("600")
    phone.page.goto(f"{company}/top-up/")
    _choose(phone, "50 元")
    phone.look("top-up")
    phone.send("form:has([name=request_key])")
    phone.look("order-placed")
    wait_for(phone.page, "h1:has-text('已到账')")
    phone.look("order-delivered")
    phone.goto(f"{company}/benefits/qq-music/")
    phone.fill(account="17700009834")
    _choose(phone, "月卡")
    phone.look("membership")
    phone.send("form:has([name=request_key])")
    phone.look("confirm")
    phone.send("form[action$='/confirm/']")
    wait_for(phone.page, "h1:has-text('已到账')")
    phone.look("membership-delivered")

    # A number that fails at the supplier: the points come back by themselves.
    phone.goto(f"{company}/top-up/")
    phone.fill(account="13800000000")
    phone.page.locator("[name=account]").blur()
    phone.page.wait_for_load_state("networkidle")
    _choose(phone, "30 元")
    phone.send("form:has([name=request_key])")
    if "/confirm" in phone.page.url or phone.page.locator("form[action$='/confirm/']").count():
        phone.send("form[action$='/confirm/']")
    wait_for(phone.page, "h1:has-text('已退回')")
    phone.look("order-refunded")
    phone.goto(f"{company}/wallet/")
    phone.look("wallet")
    phone.goto(f"{company}/orders/")
    phone.look("orders")
    phone.goto(f"{company}/me/")
    phone.look("me")

    # The month is closed; the company's clerk takes the invoice away.
    owner.goto(f"{company}/company/people/")
    owner.fill(name="费明", email="fei@yuanshan.example")
    owner.page.locator("[name=roles][value=finance]").check()
    owner.look("people")
    owner.send("form[action$='/invite/']")
    owner.send("form[action$='/link/']")
    owner.look("clerk-link")
    clerk_link = re.search(r"http://yuanshan\.localhost:\d+/activate/[^\s\"<]+", owner.page.content())
    assert clerk_link, "the clerk's activation link is shown"
    petra.goto(f"{platform}/invoices/run/?month={timezone.localdate():%Y-%m}")
    petra.look("invoice-run")
    petra.send("form[method=post]:has([name=month])")
    petra.look("invoices-issued")
    clerk = Person(browser, "clerk", width=1440)
    clerk.activate(clerk_link[0])
    clerk.goto(f"{company}/company/invoices/")
    clerk.look("invoices")
    number = re.search(r"/company/invoices/([A-Z]{2}\d+-?\d*)", clerk.page.content())
    assert number, "the month's invoice is listed"
    clerk.goto(f"{company}/company/invoices/{number[1]}/")
    clerk.look("invoice")
    with clerk.page.expect_download() as download:
        clerk.page.locator(f"a[href$='{number[1]}.pdf']").first.click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")

    # The same pages at the other width, in the other language, are whole too.
    for person, pages in (
        (phone, ["/", "/benefits/", "/benefits/jd-card/", "/top-up/", "/orders/", "/wallet/", "/me/"]),
        (owner, [f"/company/{page}" for page in CONSOLE]),
        (clerk, ["/company/invoices/", f"/company/invoices/{number[1]}/", "/company/statements/"]),
    ):
        person.turn(company, pages)
    for person in (olga, petra):
        person.turn(
            platform, ["/", "/companies/", "/companies/yuanshan/", "/deliveries/", "/deposits/", "/invoices/"]
        )

    # And nobody of another company sees any of it.
    phone.goto(f"{mall.url('globex').rstrip('/')}/orders/")
    assert "/accounts/login/" in phone.page.url
    connection.set_schema_to_public()
    assert books.verify(list(Company.objects.all())) == []
    for person in (olga, petra, owner, phone, clerk):
        person.done()


def _link_of_employee(owner: Person, company: str, employee_no: str) -> str:
    owner.goto(f"{company}/company/employees/?q={employee_no}")
    href = owner.page.locator("main table a[href*='/company/employees/']").first.get_attribute("href") or ""
    owner.goto(f"{company}{href.replace('peek/', '')}")
    owner.look("employee")
    owner.send("form[action$='/link/']")
    owner.look("employee-link")
    found = re.search(r"http://yuanshan\.localhost:\d+/activate/[^\s\"<]+", owner.page.content())
    assert found, "the employee's activation link is shown"
    return found[0]


def _choose(phone: Person, size: str) -> None:
    phone.page.locator("label", has_text=re.compile(rf"^\s*{size}")).first.click()
