"""Problem cells of a roster corrected in place: one by one, all that say the same, rows left out; then checked again."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from benefits.people.models import Employee
from benefits.roster import operations
from benefits.roster.models import RosterImport
from tests.db.company.conftest import employ
from tests.db.company.test_imports import page, upload
from tests.db.company.test_imports_columns import checked

Status = RosterImport.Status
LINES = (
    "工号,姓名,手机号,部门,在职状态\n"
    "B1,王伟,1380013800,研发部,在职\n"
    "B2,李娜,13800138002,市场部,产假\n"
    "B3,张敏,13800138003,市场部,产假\n"
    "B4,刘静,13800138004,市场部,产假\n"
    "B5,陈强,13800138005,市场部,在职\n"
)


@pytest.fixture
def found(hr: Client) -> RosterImport:
    """Four rows with problems and one good one."""
    return upload(hr, LINES)


def send(client: Client, found: RosterImport, *, htmx: bool = False, **fields: str) -> tuple[int, str]:
    headers = {"HX-Request": "true"} if htmx else {}
    response = client.post(reverse("company_import_cells", args=[found.pk]), fields, headers=headers)
    found.refresh_from_db()
    return response.status_code, response.content.decode()


def test_a_problem_cell_is_an_input_with_its_row_and_column(hr: Client, found: RosterImport) -> None:
    shown = page(hr, found)
    assert 'aria-label="Row 2, mobile number"' in shown
    assert 'value="1380013800"' in shown
    assert "138 **** 8002" in shown  # its neighbours need not be seen
    assert "13800138002" not in shown
    assert "1 digit short" in shown


def test_a_typed_text_is_judged_at_once_and_kept(hr: Client, found: RosterImport) -> None:
    status, part = send(hr, found, htmx=True, **{"cell-2-mobile": "138001380"})
    assert status == 200
    assert "2 digits short" in part
    assert "bad-cell" in part
    status, part = send(hr, found, htmx=True, **{"cell-2-mobile": "138 0013 8001"})
    assert "ok-cell" in part
    assert "read as 13800138001" in part
    assert "<html" not in part
    assert 'hx-swap-oob="true"' in part
    assert "1 cell corrected" in part
    assert found.choices.repairs == {(2, "mobile"): "138 0013 8001"}
    assert found.needs_check
    assert "Check again" in page(hr, found)


def test_a_whole_form_keeps_what_was_changed_alone(hr: Client, found: RosterImport) -> None:
    fields = {"cell-2-mobile": "13800138001", "cell-3-status": "产假", "back": "show=problem&page=1"}
    status, _ = send(hr, found, **fields)
    assert status == 302
    assert found.choices.repairs == {(2, "mobile"): "13800138001"}


def test_all_that_say_the_same_are_corrected_at_once(hr: Client, found: RosterImport) -> None:
    _, part = send(hr, found, htmx=True, **{"cell-3-status": "在职"})
    assert "Apply to all 3 same" in part
    send(hr, found, same="3-status", **{"cell-3-status": "在职"})
    assert found.choices.repairs == {(row, "status"): "在职" for row in (3, 4, 5)}
    assert "Apply to all 3 same" not in page(hr, found)


def test_a_group_is_corrected_by_its_own_form(hr: Client, found: RosterImport) -> None:
    shown = page(hr, found)
    assert "Apply to 3 rows" in shown
    send(hr, found, group="0", **{"group-0": "在职"})
    assert len(found.choices.repairs) == 3
    assert "Apply to 3 rows" not in page(hr, found)


def test_a_row_is_left_out_and_taken_in_again(hr: Client, found: RosterImport) -> None:
    _, part = send(hr, found, htmx=True, skip="2")
    assert '<tr id="row-2" class="skipped"' in part
    assert "1 row left out" in part
    assert found.choices.skipped == {2}
    send(hr, found, unskip="2")
    assert not found.choices.skipped
    send(hr, found, skip="2")
    hr.post(reverse("company_import_recheck", args=[found.pk]))
    assert checked(found).counts["problem"] == 3
    assert "Take row 2 in again" in page(hr, found)
    send(hr, found, unskip="2")
    hr.post(reverse("company_import_recheck", args=[found.pk]))
    assert checked(found).counts["problem"] == 4


def test_checking_again_keeps_what_was_typed_last(hr: Client, found: RosterImport) -> None:
    send(hr, found, group="0", **{"group-0": "在职"})
    response = hr.post(reverse("company_import_recheck", args=[found.pk]), {"cell-2-mobile": "13800138001"})
    assert response.status_code == 302
    found.refresh_from_db()
    assert found.status == Status.RECEIVED
    checked(found)
    assert (found.counts["problem"], found.counts["join"], found.needs_check) == (0, 5, False)
    shown = page(hr, found)
    assert "See the changes" in shown
    assert "4 cells were typed" in shown
    shown = page(hr, found, "?show=hand")
    assert 'value="13800138001"' in shown
    assert "陈强" not in shown  # a row that nobody typed into
    send(hr, found, **{"cell-2-mobile": "13800138009"})
    assert found.choices.repairs[2, "mobile"] == "13800138009"
    assert "1 cell corrected" not in page(hr, found)
    assert "Corrections were changed" in page(hr, found)


@pytest.mark.parametrize(
    "fields",
    [{"cell-99-mobile": "1"}, {"cell-2-salary": "1"}, {"same": "99-mobile"}, {"skip": "99"}],
)
def test_what_is_not_there_is_not_corrected(fields: dict[str, str], hr: Client, found: RosterImport) -> None:
    for htmx in (True, False):
        status, part = send(hr, found, htmx=htmx, **fields)
        assert status == 422
        assert "cannot be corrected here" in part
    assert not found.needs_check


def test_a_hundred_rows_are_corrected_where_no_more_is_open(hr: Client, found: RosterImport) -> None:
    operations.confirm(roster_import=found, plan_digest=found.plan_digest, actor=None, at=found.created_at)
    status, part = send(hr, found, htmx=True, **{"cell-2-mobile": "13800138001"})
    assert status == 409
    assert "data-toast" in part
    assert send(hr, found, **{"cell-2-mobile": "13800138001"})[0] == 302


def test_text_from_the_file_is_never_markup(hr: Client) -> None:
    found = upload(hr, '工号,姓名,手机号\nB1,<b>王</b>,"<script>alert(1)</script>"\n')
    shown = page(hr, found)
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)" in shown
    _, part = send(hr, found, htmx=True, **{"cell-2-mobile": '"><img src=x>'})
    assert "<img" not in part


def test_search_and_kind_of_problem(hr: Client, found: RosterImport) -> None:
    shown = page(hr, found, "?show=problem&kind=status:unknown_status")
    assert "row-3" in shown
    assert "row-2" not in shown
    assert "status: not known (3)" in shown
    shown = page(hr, found, "?show=all&q=B5")
    assert "陈强" in shown
    assert "王伟" not in shown
    for odd in (
        "?show=problem&q=%00%27%22&kind=zz:zz&page=-1",
        "?kind=%00:%00&show=%F0",
        "?show=hand&page=9" * 3,
    ):
        assert page(hr, found, odd)
    assert hr.get(reverse("company_import_row", args=[found.pk, 10**30])).status_code == 302


def test_a_double_is_shown_beside_the_row_that_it_repeats(hr: Client) -> None:
    found = upload(hr, "工号,姓名,手机号\nB1,王伟,13800138001\nB2,李娜,13800138001\n")
    shown = page(hr, found)
    assert "Compare row 3" in shown
    row = hr.get(reverse("company_import_row", args=[found.pk, 3])).content.decode()
    assert "Row 2" in row
    assert "王伟" in row
    assert 'value="13800138001"' in row
    part = hr.get(reverse("company_import_row", args=[found.pk, 3]), headers={"HX-Request": "true"})
    assert b"<html" not in part.content
    status, _ = send(hr, found, row="3", **{"cell-3-mobile": "13800138002", "cell-3-name": "李娜"})
    assert status == 302
    assert found.choices.repairs == {(3, "mobile"): "13800138002"}
    assert hr.get(reverse("company_import_row", args=[found.pk, 99])).status_code == 302


def test_a_mobile_of_somebody_on_the_roster_is_compared_with_them(hr: Client) -> None:
    employee = employ(1)[0]
    found = upload(hr, f"工号,姓名,手机号\nB1,王伟,{employee.mobile}\n")
    row = hr.get(reverse("company_import_row", args=[found.pk, 2])).content.decode()
    assert "On the roster" in row
    assert "技术中心/后端组" in row


def test_unchanged_rows_show_what_the_roster_says(hr: Client) -> None:
    employ(2)
    found = upload(hr, "工号,姓名,部门\nA001,员工1,技术中心/后端组\nA002,员工2,财务部\n")
    shown = page(hr, found, "?show=unchanged")
    assert "技术中心/后端组" in shown
    assert "A002" not in shown


def test_a_page_costs_the_same_however_many_rows_there_are(hr: Client) -> None:
    employ(3)
    small = upload(hr, _many(3))
    large = upload(hr, _many(300))
    page(hr, small)
    counts = []
    for found in (small, large):
        for query in ("?show=problem", "?show=all", "?show=join", "?show=problem&page=3"):
            page(hr, found, query)  # what is cached for an hour
            with CaptureQueriesContext(
                connection,
            ) as captured:
                page(hr, found, query)
            counts.append(len(captured))
    assert max(counts) - min(counts) <= 1, counts  # an empty page asks for nobody on the roster
    assert max(counts) <= 25, counts
    assert Employee.objects.count() == 3


def _many(number: int) -> str:
    lines = [f"C{n:04d},员工{n},{'1380' if n % 2 else f'139{n:08d}'},财务部" for n in range(number)]
    return "\n".join(["工号,姓名,手机号,部门", *lines, "A001,员工1,,财务部"]) + "\n"
