"""How a roster file is read, chosen by people: header row, columns, hidden rows, headings that are remembered."""

from io import BytesIO

import openpyxl
import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from benefits.roster import operations, queries
from benefits.roster.models import RosterImport
from tests.db.company.test_imports import ROSTERS, page, upload

Status = RosterImport.Status


def send(client: Client, name: str, data: bytes) -> RosterImport:
    """A file by way of the upload page, and what the worker finds."""
    client.post(reverse("company_import_new"), {"file": SimpleUploadedFile(name, data), "mode": "merge"})
    found = RosterImport.objects.latest("pk")
    return checked(found)


def checked(found: RosterImport) -> RosterImport:
    """What the worker finds when it is rung."""
    found.refresh_from_db()
    operations.check(roster_import=found, at=timezone.now())
    found.refresh_from_db()
    return found


def columns(client: Client, found: RosterImport, **fields: str) -> int:
    return client.post(reverse("company_import_columns", args=[found.pk]), fields).status_code


def workbook(rows: list[list[str]], *, hidden: tuple[int, ...] = ()) -> bytes:
    out = BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("名单")
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    for number in hidden:
        sheet.set_row(number - 1, None, None, {"hidden": True})
    book.close()
    return out.getvalue()


def test_a_file_without_a_header_offers_its_rows(hr: Client) -> None:
    found = send(hr, "发票.xlsx", (ROSTERS / "s13_wrong_file_invoices.xlsx").read_bytes())
    assert found.status == Status.REJECTED
    shown = page(hr, found)
    assert "No header" in shown
    assert 'type="radio" name="pick"' in shown


def test_a_header_is_picked_and_its_columns_are_named(hr: Client) -> None:
    found = send(hr, "a.xlsx", workbook([["甲", "乙"], ["B1", "王伟"], ["B2", "李娜"]]))
    assert found.reject["code"] == "no_header"
    assert columns(hr, found, pick="0:1") == 302
    checked(found)
    assert found.reject["code"] == "no_header"  # the row is known now, and what its columns hold is not
    shown = page(hr, found)
    assert 'name="column-A"' in shown
    assert columns(hr, found, pick="0:1", **{"column-A": "employee_no"}) == 422
    assert columns(hr, found, pick="0:1", **{"column-A": "name", "column-B": "name"}) == 422
    assert (
        columns(hr, found, pick="0:1", remember="on", **{"column-A": "employee_no", "column-B": "name"})
        == 302
    )
    checked(found)
    assert (found.status, found.counts["join"]) == (Status.PLANNED, 2)
    assert queries.taught() == {"甲": "employee_no", "乙": "name"}
    again = send(hr, "b.xlsx", workbook([["甲", "乙"], ["B3", "张敏"]]))
    assert again.status == Status.PLANNED  # remembered, so that nobody is asked
    assert "remembered" in hr.get(reverse("company_import_columns", args=[again.pk])).content.decode()


def test_what_looks_like_a_field_stands_first_and_is_not_taken_by_itself(hr: Client) -> None:
    rows = [["工号", "姓名", "备用联络"], *([f"B{n}", "王伟", f"b{n}@huayun.example"] for n in range(5))]
    found = send(hr, "a.xlsx", workbook(rows))
    assert found.facts["columns"].keys() == {"employee_no", "name"}
    assert "the cells look like ours: C 备用联络 (e-mail)" in page(hr, found)
    shown = hr.get(reverse("company_import_columns", args=[found.pk])).content.decode()
    assert shown.index("备用联络") < shown.index('name="column-A"')
    assert "b0@huayun.example" in shown
    chosen = {"column-A": "employee_no", "column-B": "name", "column-C": "email"}
    assert columns(hr, found, **chosen) == 302
    assert checked(found).facts["columns"]["email"] == ["C"]
    assert queries.taught() == {}  # not asked to remember


def test_samples_do_not_show_whole_mobile_numbers(hr: Client) -> None:
    found = send(hr, "a.xlsx", workbook([["工号", "姓名", "手机号"], ["B1", "王伟", "13800138001"]]))
    shown = hr.get(reverse("company_import_columns", args=[found.pk])).content.decode()
    assert "138 **** 8001" in shown
    assert "13800138001" not in shown


def test_hidden_rows_are_asked_about(hr: Client) -> None:
    rows = [["工号", "姓名"], ["B1", "王伟"], ["B2", "李娜"], ["B3", "张敏"]]
    found = send(hr, "a.xlsx", workbook(rows, hidden=(3, 4)))
    assert "2 hidden rows are included" in page(hr, found)
    assert hr.post(reverse("company_import_hidden", args=[found.pk]), {"out": "1"}).status_code == 302
    assert checked(found).counts["join"] == 1
    assert "2 hidden rows are left out" in page(hr, found)
    hr.post(reverse("company_import_hidden", args=[found.pk]))
    assert checked(found).counts["join"] == 3


def test_another_sheet_is_chosen(hr: Client) -> None:
    found = send(hr, "a.xlsx", (ROSTERS / "s11_two_sheets_1904.xlsx").read_bytes())
    sheets = queries.mapping(found)["sheets"]
    assert len(sheets) > 1
    other = next(index for index, sheet in enumerate(sheets) if sheet.name != found.facts["sheet"])
    before = found.facts["sheet"]
    assert columns(hr, found, pick=f"{other}:{sheets[other].header_row or 1}") == 302
    checked(found)
    assert found.facts["sheet"] != before or found.status == Status.REJECTED


@pytest.mark.parametrize("pick", ["9:1", "0:999", "x", "0:1:2"])
def test_a_row_that_is_not_offered_is_refused(pick: str, hr: Client) -> None:
    found = upload(hr, "工号,姓名\nB1,王伟\n")
    assert columns(hr, found, pick=pick) == 422
    found.refresh_from_db()
    assert found.status == Status.PLANNED


def test_columns_of_what_is_under_way_are_not_chosen(hr: Client) -> None:
    file = SimpleUploadedFile("a.csv", "工号,姓名\nB1,王伟\n".encode())
    hr.post(reverse("company_import_new"), {"file": file, "mode": "merge"})
    found = RosterImport.objects.get()
    assert columns(hr, found, pick="0:1") == 302
    assert hr.post(reverse("company_import_hidden", args=[found.pk]), {"out": "1"}).status_code == 409
    found.refresh_from_db()
    assert found.choices.header_row is None


def test_the_template_is_read_again(hr: Client) -> None:
    response = hr.get(reverse("company_import_template"))
    book = openpyxl.load_workbook(BytesIO(response.content))
    page_one = book.worksheets[0]
    headings = [cell.value for cell in page_one[1]]
    assert headings[:3] == ["Employee ID", "Name", "Mobile"]
    text = page_one.column_dimensions["A"]
    assert (text.number_format, text.min, text.max) == ("@", 1, len(headings))
    page_one.append(["007", "王伟", "13800138001"])
    out = BytesIO()
    book.save(out)
    found = send(hr, "template.xlsx", out.getvalue())
    assert found.counts["join"] == 1
    assert queries.rows(found).get().employee_no == "007"


def test_what_fails_again_and_again_may_be_tried_anew(hr: Client) -> None:
    found = upload(hr, "工号,姓名\nB1,王伟\n")
    failed = {"code": "failed", "reason": "check", "params": {}}
    RosterImport.objects.filter(pk=found.pk).update(status=Status.REJECTED, reject=failed)
    assert "tried several times" in page(hr, found)
    assert hr.post(reverse("company_import_recheck", args=[found.pk])).status_code == 302
    assert checked(found).status == Status.PLANNED
