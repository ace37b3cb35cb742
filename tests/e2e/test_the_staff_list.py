"""HR without Excel: find, choose, move, let go, bring back, edit, and keep the tree of departments; keyboard and phone too."""

from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect

from benefits.people import operations as people
from benefits.people.models import Department, Employee
from benefits.points import operations as points
from tenants.db import connection, transaction
from tenants.identity import operations as identity
from tenants.identity.roles import Role
from tenants.models import Company
from tests.e2e.clicks import PASSWORD, PICTURES, Person
from tests.processes import Mall

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
GIVEN = (
    "伟",
    "芳",
    "娜",
    "秀英",
    "敏",
    "静",
    "丽",
    "强",
    "磊",
    "洋",
    "艳",
    "勇",
    "军",
    "杰",
    "娟",
    "涛",
    "超",
    "明",
    "霞",
    "平",
)
PLACES = (
    "技术中心/后端组",
    "技术中心/前端组",
    "技术中心/质量与效能组",
    "市场部/华东大区/上海",
    "市场部/华北大区",
    "人力资源部",
    "财务部",
)


@pytest.fixture(scope="module")
def staffed(mall: Mall) -> Mall:
    """Acme with 120 people in seven departments, some of whom left, and Hana of HR."""
    connection.set_schema_to_public()
    connection.set_tenant(Company.objects.get(schema_name="acme"))
    at = timezone.now()
    hana = identity.invite(
        username="hana@acme.example",
        name="韩娜",
        email="hana@acme.example",
        roles=[Role.HR],
        actor=None,
        at=at,
    )
    identity.set_password(user=hana, password=PASSWORD, actor=hana, at=at)
    with transaction():
        joined = people.add_employees(
            people={
                f"A{n:04d}": {
                    "name": SURNAMES[n % 20] + GIVEN[(n * 7 + n // 20) % 20],
                    "mobile": f"138{n:08d}",
                    "department": PLACES[n % 7] if n % 17 else None,
                    "grade": f"P{4 + n % 5}",
                    "hired_on": (date(2015, 3, 2) + timedelta(days=31 * n)).isoformat(),
                    "status": "left" if n % 23 == 0 else "active",
                    **({"left_on": "2026-01-31"} if n % 23 == 0 else {}),
                }
                for n in range(1, 121)
            },
            at=at,
        )
        points.open_wallets(employees=joined)
    return mall


def test_hr_keeps_the_staff_without_excel(staffed: Mall, browser: Browser) -> None:
    hana = Person(browser, "staff", width=1440)
    page, site = hana.page, staffed.url("acme", "/company")
    hana.sign_in(staffed.url("acme", ""), "hana@acme.example")
    hana.goto(f"{site}/employees/")
    hana.look("list")

    # By initials, then by the keyboard alone to the bar of what can be done.
    hana.fill(q="zx")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=zx**")
    hana.goto(f"{site}/employees/?department=市场部&sort=name")
    expect(page.locator(".bulk-bar")).to_be_hidden()
    page.locator("[data-check-all]").focus()
    page.keyboard.press("Space")
    expect(page.locator(".bulk-bar")).to_be_visible()
    hana.look("chosen")
    page.locator("[data-check-all]").uncheck()
    page.locator("tbody input[name=no]").nth(0).check()
    page.locator("tbody input[name=no]").nth(1).check()
    numbers = [page.locator("tbody input[name=no]").nth(place).input_value() for place in (0, 1)]
    with page.expect_navigation():
        page.locator(".bulk-bar [value=move]").click()
    hana.fill(department="市场部/华南大区")
    hana.look("move")
    hana.send("main form.columns")
    expect(page.locator(".toast, [data-toast]").first).to_contain_text("2")
    assert Employee.objects.filter(department__path="市场部/华南大区", employee_no__in=numbers).count() == 2

    # Everybody who is found, with what happens to their points.
    hana.goto(f"{site}/employees/?q=A00")
    page.locator("[name=all]").check()
    with page.expect_navigation():
        page.locator(".bulk-bar [value=leave]").click()
    hana.look("leave")
    hana.goto(f"{site}/employees/export/?department=市场部")
    hana.look("export")
    with page.expect_download() as download:
        page.locator("main form.columns .form-actions button").click()
    assert download.value.suggested_filename.endswith(".xlsx")

    hana.goto(f"{site}/employees/?show=waiting&department=财务部")
    page.locator("[data-check-all]").check()
    with page.expect_navigation():
        page.locator(".bulk-bar [value=links]").click()
    hana.look("links-ask")
    hana.send("main form.columns")
    hana.look("links")

    # One person: edited in one window while another saved.
    one = Employee.objects.get(employee_no="A0003")
    hana.goto(f"{site}/employees/{one.pk}/edit/")
    hana.look("edit")
    with transaction():
        people.change_employees(changes={"A0003": {"grade": "P9"}}, at=timezone.now())
    hana.fill(grade="P8")
    hana.send("main form.stack")
    hana.look("edited-meanwhile")
    hana.send("main form.stack")
    hana.look("employee")
    assert Employee.objects.get(employee_no="A0003").grade == "P8"
    hana.goto(f"{site}/employees/new/")
    hana.fill(employee_no="A0001", name="欧阳娜娜", mobile="1380013")
    hana.send("main form.stack")
    hana.look("new-refused")

    # The tree: dragging fills the form in; the form moves.
    hana.goto(f"{site}/departments/")
    hana.look("departments")
    page.locator("[data-path='财务部']").drag_to(page.locator("[data-path='人力资源部']"))
    page.wait_for_url("**to=**")
    assert Department.objects.filter(path="财务部").exists()
    expect(page.locator("#id_parent")).to_have_value("人力资源部")
    hana.look("department")
    with page.expect_navigation():
        page.locator("#move button").click()
    assert Department.objects.filter(path="人力资源部/财务部").exists()

    hana.turn(
        site,
        [
            "/employees/",
            "/employees/export/",
            "/employees/new/",
            f"/employees/{one.pk}/",
            "/departments/",
            "/departments/one/?path=市场部",
        ],
    )
    # On a phone the bar of actions holds together too.
    hana.width = 390
    page.set_viewport_size({"width": 390, "height": 844})
    hana.goto(f"{site}/employees/?department=市场部")
    page.locator("tbody input[name=no]").first.check()
    expect(page.locator(".bulk-bar [value=move]")).to_be_visible()
    page.screenshot(path=PICTURES / "staff-phone-chosen-390.png")
    hana.goto(f"{site}/departments/")
    hana.look("departments")
    hana.done()
