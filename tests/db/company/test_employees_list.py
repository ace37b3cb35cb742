"""The staff list as HR uses it: search, choose, do something to many, once confirmed."""

import csv
import io
import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from benefits.people import operations as people
from benefits.people.models import Employee
from benefits.points import operations as points
from benefits.roster import export, pipeline
from tenants.db import transaction
from tenants.identity.models import AuditEvent, User
from tenants.models import Company
from tests.db.company.conftest import AT, Door, employ

BULK = "company_employees_bulk"


def body(answer: Any) -> str:
    data = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return str(data.decode())


def names(page: str) -> list[str]:
    return re.findall(r'class="row-link" href="[^"]*">([^<]+)<', page)


def confirmed(client: Client, action: str, **fields: Any) -> Any:
    """Choose, look at the page that asks, and send it as it is with what is typed."""
    typed = {
        key: fields.pop(key) for key in ("department", "left_on", "kind", "full_mobiles") if key in fields
    }
    asked = client.post(reverse(BULK), {"action": action, **fields})
    assert asked.status_code == 200
    hidden: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', body(asked)):
        hidden.setdefault(name, []).append(value.replace("&amp;", "&"))
    return client.post(reverse(BULK), {**hidden, **typed})


def test_the_list_is_searched_filtered_and_sorted_by_its_address(hr: Client) -> None:
    employ(3)
    employ(1, department="市场", first=9)
    Employee.objects.filter(employee_no="A002").update(grade="P7")
    url = reverse("company_employees")
    assert names(body(hr.get(url))) == ["员工1", "员工2", "员工3", "员工9"]
    assert names(body(hr.get(url, {"sort": "-number", "department": "技术中心"}))) == [
        "员工3",
        "员工2",
        "员工1",
    ]
    assert names(body(hr.get(url, {"grade": "P7", "q": "yg"}))) == ["员工2"]
    page = body(hr.get(url, {"sort": "-number"}))
    assert 'aria-sort="descending"' in page
    assert "138 **** 0001" in page
    assert "13800000001" not in page
    for odd in (
        {"page": "x"},
        {"page": "-1"},
        {"page": "999"},
        {"sort": "'"},
        {"show": "x"},
        {"q": "\x00%_\\"},
        {"role": "x"},
    ):
        assert hr.get(url, odd).status_code == 200, odd


def test_the_list_takes_the_same_few_statements_for_three_and_for_fifty(
    hr: Client, django_assert_max_num_queries: Callable[..., object]
) -> None:
    employ(3)
    with django_assert_max_num_queries(14):
        hr.get(reverse("company_employees"))
    employ(60, first=10)
    with django_assert_max_num_queries(14):
        page = body(hr.get(reverse("company_employees"), {"q": "yungong"}))
    assert len(names(page)) == 50


def test_an_approver_looks_and_touches_nothing(signed_in: Door) -> None:
    employ(1)
    approver = signed_in("approver")
    page = body(approver.get(reverse("company_employees")))
    assert names(page) == ["员工1"]
    assert 'name="no"' not in page
    assert approver.post(reverse(BULK), {"action": "export", "all": "1"}).status_code == 403
    assert approver.get(reverse("company_employees_export")).status_code == 403


def test_those_chosen_are_shown_before_they_are_moved(hr: Client) -> None:
    employ(3)
    asked = hr.post(reverse(BULK), {"action": "move", "no": ["A001", "A002"]})
    assert "员工1" in body(asked)
    assert Employee.objects.filter(department__path="技术中心/后端组").count() == 3
    done = confirmed(hr, "move", no=["A001", "A002"], department="市场 > 北方", filter="q=yg&sort=name")
    assert done.headers["Location"] == f"{reverse('company_employees')}?q=yg&sort=name"
    assert Employee.objects.filter(department__path="市场/北方").count() == 2
    assert AuditEvent.objects.get(action="employees.moved").facts == {"employees": 2}


def test_all_found_are_those_of_every_page_and_must_still_be_those(hr: Client) -> None:
    employ(60)
    employ(1, department="市场", first=90)
    fields = {"action": "leave", "all": "1", "filter": "department=技术中心"}
    asked = hr.post(reverse(BULK), fields)
    assert "60 people" in body(asked)
    seen = asked.context["seen"]
    employ(1, first=80)
    Employee.objects.filter(employee_no="A001").update(status="left")
    late = hr.post(reverse(BULK), {**fields, "confirmed": "1", "expected": seen, "left_on": "2026-03-02"})
    assert late.status_code == 409, "as many people, but not the same"
    assert "has changed meanwhile" in body(late)
    Employee.objects.update(status="active")
    assert not Employee.objects.filter(status="left").exists()
    confirmed(hr, "leave", all="1", filter="department=技术中心", left_on="2026-03-02")
    assert Employee.objects.filter(status="left").count() == 61
    assert Employee.objects.get(employee_no="A090").is_active


def test_strangers_among_those_chosen_stop_everything(hr: Client) -> None:
    """E05: ids that are not all one's own are none."""
    employ(2)
    strangers = ("Z999", "A\x00", "A002" + " " * 40, "", "A" * 41)
    for action, stranger in itertools.product(("move", "leave", "return", "links", "export"), strangers):
        fields = {
            "action": action,
            "no": ["A001", stranger],
            "confirmed": "1",
            "expected": "1",
            "left_on": "2026-03-02",
        }
        assert hr.post(reverse(BULK), fields).status_code == 404, action
    assert Employee.objects.filter(status="active").count() == 2
    assert not AuditEvent.objects.filter(action="employees.exported").exists()


def test_bulk_is_no_get_and_no_unknown_action(hr: Client) -> None:
    employ(1)
    assert hr.get(reverse(BULK)).status_code == 405
    assert hr.post(reverse(BULK), {"action": "erase", "no": "A001"}).status_code == 404
    assert hr.post(reverse(BULK), {"action": "leave"}).status_code == 302
    assert hr.post(reverse(BULK), {"action": "grant", "no": "A001"}).headers["Location"].endswith("?no=A001")


def test_a_day_to_come_is_no_day_of_leaving(hr: Client) -> None:
    employ(1)
    for day in ("2999-01-01", "1890-01-01", "x", ""):
        assert confirmed(hr, "leave", no="A001", left_on=day).status_code == 422
    assert Employee.objects.get().is_active


def test_leaving_and_coming_back_from_the_employees_page(hr: Client) -> None:
    one = employ(1)[0]
    page = reverse("company_employee", args=[one.pk])
    assert (
        confirmed(hr, "leave", no="A001", employee=one.pk, left_on="2026-03-02").headers["Location"] == page
    )
    shown = body(hr.get(page))
    assert "leaving" in shown
    assert "2026-03-02" in shown
    assert "Hana" in shown
    confirmed(hr, "return", no="A001", employee=one.pk)
    assert Employee.objects.get().is_active


def test_somebody_elses_mobile_keeps_a_leaver_out(hr: Client) -> None:
    employ(2)
    confirmed(hr, "leave", no="A001", left_on="2026-03-02")
    second = Employee.objects.get(employee_no="A002")
    with transaction():
        people.change_employees(changes={"A002": {"mobile": "13800000001"}}, at=AT)
    refused = confirmed(hr, "return", no="A001")
    assert refused.status_code == 409
    assert "A002" in body(refused)
    assert second.pk


def test_links_are_made_for_those_who_never_signed_in_and_shown_once(hr: Client, signed_in: Door) -> None:
    employ(4)
    User.objects.filter(username="A002").update(last_login=AT)
    User.objects.get(username="A003").groups.set([*User.objects.get(pk=hr.user.pk).groups.all()])  # type: ignore[attr-defined]
    page = body(confirmed(hr, "links", no=["A001", "A002", "A003", "A004"], kind="page"))
    paths = re.findall(r"acme\.localhost[^\s<]*?(/activate/[^\s<]+)", page)
    assert len(paths) == 2, "not whoever signed in, nor a colleague with a role"
    assert AuditEvent.objects.filter(action="user.link_issued").count() == 2
    assert signed_in().get(paths[0]).status_code == 200
    book = confirmed(hr, "links", no=["A001", "A002"], kind="xlsx")
    assert book.headers["Content-Disposition"] == 'attachment; filename="activation-links.xlsx"'
    assert confirmed(hr, "links", no="A002", kind="page").status_code == 302


# --- exports ---------------------------------------------------------------------------------------------------------

ODD = {
    "0012": {
        "name": "=1+1",
        "mobile": "13800000001",
        "department": "技术/后端",
        "hired_on": "2020-02-29",
        "grade": "P6",
    },
    "+86": {"name": "'王", "email": "a@example.com", "department": "@市场"},
    "-A1": {"name": "＝陈", "mobile": "13800000002"},
    "1E5": {"name": "阿依古丽·买买提", "grade": "|x", "birthday": "1990-01-01"},
    "A-Z": {"name": 'Anna "Quote", Li', "status": "left", "left_on": "2026-01-31"},
}


@pytest.fixture
def odd(acme: Company) -> None:
    with transaction():
        points.open_wallets(
            employees=people.add_employees(
                people={no: {"status": "active", **v} for no, v in ODD.items()}, at=AT
            )
        )


def exported(client: Client, kind: str, *, full: bool) -> bytes:
    answer = confirmed(
        client, "export", all="1", filter="show=all", kind=kind, **({"full_mobiles": "on"} if full else {})
    )
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return b"".join(answer.streaming_content)


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_an_export_reads_back_as_the_roster_it_was(
    hr: Client, odd: None, kind: str, language: str, tmp_path: Path
) -> None:
    hr.cookies["language"] = language
    file = tmp_path / f"out.{kind}"
    for full in (True, False):
        file.write_bytes(exported(hr, kind, full=full))
        checked = pipeline.checked(file)
        assert checked.reject_code is None
        assert list(checked.issues) == []
        assert len(checked.employees) == len(ODD)
        for one in checked.employees:
            known = ODD[one.employee_no or ""]
            assert one.name == known["name"]
            assert one.mobile == (known.get("mobile") if full else None)
            assert (one.department, one.email, one.grade) == (
                known.get("department"),
                known.get("email"),
                known.get("grade"),
            )
            assert (one.hired_on and one.hired_on.isoformat()) == known.get("hired_on")
            assert (one.left_on and one.left_on.isoformat()) == known.get("left_on")
            assert one.status == known.get("status", "active")


def test_nothing_in_an_export_is_run_by_a_spreadsheet(hr: Client, odd: None) -> None:
    import openpyxl

    text = exported(hr, "csv", full=True).decode("utf-8-sig")
    for row in csv.reader(io.StringIO(text)):
        assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "＝", "|"))], row
    book = openpyxl.load_workbook(io.BytesIO(exported(hr, "xlsx", full=True)))
    cells = [cell for row in book.active.iter_rows() for cell in row]  # type: ignore[union-attr]
    assert {cell.data_type for cell in cells if cell.value is not None} <= {"s", "d", "inlineStr"}
    assert "0012" in [cell.value for cell in cells]


def test_mobiles_are_masked_unless_they_are_asked_for_which_is_recorded(hr: Client, odd: None) -> None:
    text = exported(hr, "csv", full=False).decode()
    assert "138 **** 0001" in text
    assert "13800000001" not in text
    assert "1990" not in text
    assert AuditEvent.objects.get(action="employees.exported").facts == {
        "employees": 5,
        "kind": "csv",
        "full_mobiles": False,
    }
    assert "13800000001" in exported(hr, "csv", full=True).decode()
    assert AuditEvent.objects.filter(action="employees.exported", facts__full_mobiles=True).count() == 1
    assert "Hana" in text.splitlines()[0]


def test_addresses_and_names_are_escaped_once(hr: Client) -> None:
    employ(60)
    Employee.objects.filter(employee_no="A001").update(name="<b>A&B</b>")
    page = body(hr.get(reverse("company_employees"), {"q": "A0", "sort": "name", "department": "技术中心"}))
    assert "&amp;amp;" not in page
    assert f"{reverse('company_employees_export')}?q=A0&amp;sort=name&amp;department=" in page
    page = body(hr.post(reverse(BULK), {"action": "leave", "no": "A001", "filter": "q=A0&sort=name"}))
    assert "&amp;amp;" not in page
    assert "&amp;lt;" not in page
    assert "&lt;b&gt;A&amp;B&lt;/b&gt;" in page
    for name in ("company_employee", "company_employee_edit"):
        page = body(hr.get(reverse(name, args=[Employee.objects.get(employee_no="A001").pk])))
        assert "<b>A" not in page
        assert "&amp;lt;" not in page, name


def test_one_person_exports_so_often_in_an_hour_and_others_do_not_notice(
    hr: Client, signed_in: Door, odd: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "AN_HOUR", 2)
    for _attempt in range(2):
        exported(hr, "csv", full=False)
    refused = confirmed(hr, "export", all="1", filter="show=all", kind="csv")
    assert refused.status_code == 429
    assert "2 times" in body(refused)
    assert AuditEvent.objects.filter(action=export.EXPORTED).count() == 2
    exported(signed_in("hr"), "csv", full=False)
