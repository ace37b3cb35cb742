"""A roster of 2,000 rows by keyboard alone: uploaded, repaired in place, applied under one's eyes, undone."""

import contextlib
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import xlsxwriter
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from benefits.people import operations as people
from benefits.people.models import Employee
from benefits.points import operations as points
from benefits.roster import queries
from tenants.db import connection, transaction
from tenants.identity import operations as identity
from tenants.identity.roles import Role
from tenants.models import Company
from tests.e2e.clicks import PASSWORD, Person, both_languages, press_on, press_to, wait_for
from tests.processes import Mall

ROWS = 2_000
PRESENT = 300
HEADINGS = ("工号", "姓名", "手机号", "所属部门", "入职日期", "在职状态", "备用联络", "备注")
SURNAMES, GIVEN = "王李张刘陈杨黄赵吴周", "伟芳娜敏静强磊洋艳勇"
WRONG_MOBILES = {17: "1380013", 58: "138001380001", 902: "一三八"}
WRONG_DAYS = {91: "2024-02-30"}
LEAVE = frozenset(range(400, 412))  # rows whose status is none that we know
REPEATED = (1200, 1201)  # two people with one mobile number


def _person(number: int) -> list[str]:
    name = SURNAMES[number % 10] + GIVEN[number // 10 % 10] + GIVEN[number // 100 % 10]
    day = date(2015, 1, 1) + timedelta(days=number)
    department = f"事业{number % 9}部/第{number % 4}组"
    return [
        f"HY{number:05d}",
        name,
        f"138{number:08d}",
        department,
        day.isoformat(),
        "在职",
        f"hy{number}@huayun.example",
        "",
    ]


@pytest.fixture(scope="module")
def roster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The staff list of a company that has 300 of these people already: some moved, some details are wrong."""
    path = tmp_path_factory.mktemp("roster") / "华云员工花名册.xlsx"
    book = xlsxwriter.Workbook(path)
    page = book.add_worksheet("在职员工")
    page.merge_range(0, 0, 0, len(HEADINGS) - 1, "华云科技 2026 年 11 月员工花名册")
    page.write_row(1, 0, HEADINGS)
    for row in range(3, ROWS + 3):  # as Excel counts
        cells = _person(row - 2)
        if row <= 40:
            cells[3] = "人力资源部"
        cells[2] = WRONG_MOBILES.get(row, cells[2])
        cells[4] = WRONG_DAYS.get(row, cells[4])
        if row in LEAVE:
            cells[5] = "产假中"
        if row == REPEATED[1]:
            cells[2] = _person(REPEATED[0] - 2)[2]
        page.write_row(row - 1, 0, cells)
    for row in (1990, 1991):
        page.set_row(row, None, None, {"hidden": True})
    book.close()
    return path


@pytest.fixture(scope="module")
def acme(mall: Mall) -> Company:
    """Acme with HR and the 300 people who are there already."""
    company = Company.objects.get(schema_name="acme")
    connection.set_tenant(company)
    at = timezone.now()
    user = identity.invite(
        username="hana@acme.example",
        name="韩娜",
        email="hana@acme.example",
        roles=[Role.HR],
        actor=None,
        at=at,
    )
    identity.set_password(user=user, password=PASSWORD, actor=user, at=at)
    with transaction():
        known = ("name", "mobile", "department", "hired_on", "email")
        found = people.add_employees(
            people={
                line[0]: {**dict(zip(known, (*line[1:5], line[6]), strict=True)), "status": "active"}
                for line in map(_person, range(1, PRESENT + 1))
            },
            at=at,
        )
        points.open_wallets(employees=found)
    return company


def test_a_roster_by_keyboard(mall: Mall, acme: Company, roster: Path, browser: Browser) -> None:
    before = queries.roster_digest()
    site = mall.url("acme").rstrip("/")
    hana = Person(browser, "roster", width=1440)
    hana.page.add_init_script(_WATCH)
    hana.sign_in(site, "hana@acme.example")
    if "/2fa/" in hana.page.url:
        hana.set_second_factor()

    hana.goto(f"{site}/company/imports/new/")
    hana.look("upload")
    hana.page.locator("input[type=file]").set_input_files(roster)
    press_on(hana.page, "form[data-roster-upload] .bulk-bar button")
    wait_for(hana.page, "#import_rows")
    expect(hana.page.locator(".stats [aria-current]")).to_contain_text("17")
    hana.look("check")
    both_languages(hana, site, hana.page.url)
    _choose_column(hana, site)

    _repair(hana)
    hana.look("checked")
    expect(hana.page.locator("[data-cell]")).to_have_count(0)

    press_on(hana.page, "#to_confirm")
    wait_for(hana.page, "#apply")
    hana.look("confirm")
    both_languages(hana, site, hana.page.url)
    with _an_employee_held("HY00020"):
        press_on(hana.page, "#apply")
        expect(hana.page.locator("[data-rows-done]")).to_have_text(re.compile("[1-9]"))
        hana.look("applying")
        hana.turn(site, [hana.page.url.removeprefix(site)])
    wait_for(hana.page, "#to_undo")
    hana.look("applied")
    figures = _figures(hana.page)
    assert len(figures) >= 2, f"progress was seen to move: {figures}"
    assert Employee.objects.count() == ROWS
    assert queries.roster_digest() != before
    both_languages(hana, site, hana.page.url)

    press_on(hana.page, "#to_undo")
    wait_for(hana.page, "#undo")
    hana.look("undo")
    both_languages(hana, site, hana.page.url)
    press_on(hana.page, "#undo")
    wait_for(hana.page, "h1 + .pill:has-text('已撤销'), .notice:has-text('已撤销')")
    hana.look("undone")
    assert queries.roster_digest() == before
    hana.goto(f"{site}/company/imports/")
    hana.look("history")
    hana.done()


def _repair(hana: Person) -> None:
    """Every problem cell is typed into and left by Enter, as in a spreadsheet; then it is checked again."""
    page = hana.page
    # The twelve of one kind at once.
    press_to(page, "[name='group-0']")
    page.keyboard.type("在职")
    page.keyboard.press("Enter")
    wait_for(page, ".toast")
    # The rest one by one.
    press_to(page, "#cell-17-mobile")
    page.keyboard.press("Control+A")
    page.keyboard.type("1380013")
    page.keyboard.press("Escape")
    expect(page.locator("#cell-17-mobile")).to_have_value(WRONG_MOBILES[17])
    for row, field, text in (
        (17, "mobile", "13900000017"),
        (58, "mobile", "13900000058"),
        (91, "hired_on", "2024/2/29"),
    ):
        expect(page.locator(f"#cell-{row}-{field}")).to_be_focused()
        page.keyboard.press("Control+A")
        page.keyboard.type(text)
        page.keyboard.press("Enter")
    expect(page.locator("#td-91-hired_on")).to_contain_text("2024-02-29")
    for row, text in ((902, "139"), (902, "13900000902"), (REPEATED[1], "13900001201")):
        press_to(page, f"#cell-{row}-mobile")
        page.keyboard.press("Control+A")
        page.keyboard.type(text)
        page.keyboard.press("Tab")
        tone = "bad" if text == "139" else "ok"
        expect(page.locator(f"#td-{row}-mobile")).to_have_class(re.compile(f"{tone}-cell"))
    hana.look("repaired")
    press_on(page, "#recheck")
    wait_for(page, "#to_confirm")


def _choose_column(hana: Person, site: str) -> None:
    """A column whose heading says nothing and whose cells are e-mail addresses is offered, and taken by keyboard."""
    page = hana.page
    back = page.url
    press_on(page, "a[href$='/columns/']")
    wait_for(page, ".mapping-columns")
    expect(page.locator(".mapping-columns li").first).to_contain_text("备用联络")
    hana.look("columns")
    both_languages(hana, site, page.url)
    press_to(page, "[name='column-G']")
    for _ in range(5):  # not used, number, name, mobile, department, e-mail
        page.keyboard.press("ArrowDown")
    expect(page.locator("[name='column-G']")).to_have_value("email")
    press_on(page, ".bulk-bar button.button-primary")
    wait_for(page, "#import_rows")
    assert page.url == back
    assert queries.taught() == {"备用联络": "email"}


@contextlib.contextmanager
def _an_employee_held(number: str) -> Iterator[None]:
    """Somebody else is at one employee just now: whoever changes them waits, and what is done until then can be seen."""
    other = connection.copy()
    other.set_schema("acme")
    other.set_autocommit(False)
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM people_employee WHERE employee_no = %s FOR UPDATE", [number])
        yield
    finally:
        other.rollback()
        other.close()


_WATCH = """
new MutationObserver(() => {
  const line = document.querySelector("[data-rows-done]");
  if (!line) return;
  const seen = new Set(JSON.parse(sessionStorage.getItem("figures") || "[]"));
  seen.add(line.textContent);
  sessionStorage.setItem("figures", JSON.stringify([...seen]));
}).observe(document, { childList: true, subtree: true });
"""


def _figures(page: Page) -> list[str]:
    found: list[str] = page.evaluate("JSON.parse(sessionStorage.getItem('figures') || '[]')")
    return found


def test_leavers_doubles_and_a_header_by_hand(
    mall: Mall, acme: Company, browser: Browser, tmp_path: Path
) -> None:
    """The pages that the great list did not need: leavers to be typed, rows compared, a header chosen."""
    site = mall.url("acme").rstrip("/")
    hana = Person(browser, "leavers", width=1440)
    hana.sign_in(site, "hana@acme.example")
    lines = ["工号,姓名,手机号,部门,积分", *(_line(number) for number in range(1, 201))]
    lines[7] = _line(7).replace("13800000007", "13800000009")
    whole = tmp_path / "全员名单.csv"
    whole.write_text("\n".join(lines))
    hana.goto(f"{site}/company/imports/new/")
    hana.page.locator("[name=mode][value=full]").check()
    hana.page.locator("input[type=file]").set_input_files(whole)
    hana.page.locator("form[data-roster-upload] .bulk-bar button").click()
    wait_for(hana.page, "#import_rows")

    # A row whose mobile number is somebody else’s is shown beside that person; Esc closes it.
    press_on(hana.page, "a[data-dialog=compare]")
    expect(hana.page.locator("#compare_body table")).to_contain_text("HY00009")
    hana.look("compare")
    hana.page.keyboard.press("Escape")
    expect(hana.page.locator("#compare")).to_be_hidden()
    expect(hana.page.locator("a[data-dialog=compare]").first).to_be_focused()

    press_on(hana.page, "#to_confirm")
    wait_for(hana.page, "#apply")
    hana.look("leavers")
    both_languages(hana, site, hana.page.url)
    press_on(hana.page, "#apply")
    expect(hana.page.locator(".errorlist")).to_contain_text("100")
    hana.look("leavers-refused")
    hana.page.locator("[name=leavers]").fill("100")
    hana.page.locator("[name=rows][value=all]").check()
    press_on(hana.page, "#apply")
    expect(hana.page.locator("main")).to_contain_text("2 行")
    hana.page.locator("[name=rows][value=good]").check()
    hana.page.locator("[name=leavers]").fill("100")
    press_on(hana.page, "#apply")
    wait_for(hana.page, "#to_undo")
    hana.look("left")
    assert Employee.objects.filter(status="left").count() == 100

    # A list whose headings nobody knows: its first rows are offered.
    strange = tmp_path / "strange.csv"
    strange.write_text("甲,乙,丙\nB1,王伟,13800990001\nB2,李娜,13800990002\n")
    hana.goto(f"{site}/company/imports/new/")
    hana.page.locator("input[type=file]").set_input_files(strange)
    hana.page.locator("form[data-roster-upload] .bulk-bar button").click()
    wait_for(hana.page, "[name=pick]")
    hana.look("no-header")
    both_languages(hana, site, hana.page.url)
    hana.page.locator("[name=pick]").first.focus()
    hana.page.keyboard.press("Space")
    press_on(hana.page, ".bulk-bar button.button-primary")
    wait_for(hana.page, "[name='column-A']")
    hana.look("no-columns")
    hana.page.locator("[name='column-A']").select_option("employee_no")
    hana.page.locator("[name='column-B']").select_option("name")
    hana.page.locator("[name='column-C']").select_option("mobile")
    press_on(hana.page, ".bulk-bar button.button-primary")
    wait_for(hana.page, "#to_confirm")
    hana.done()


def _line(number: int) -> str:
    person = _person(number)
    return ",".join([*person[:4], "500"])
