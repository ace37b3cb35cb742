"""What HR gets back is corrected in Excel and uploaded again as it is."""

import datetime as dt
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from benefits.roster import report, sandbox
from benefits.roster.shapes import Choices
from tests.unit.roster import books

ID = "11010519491231002X"
HEADER = ["序号", "工号", "姓名", "手机号", "入职日期", "身份证号", "紧急联系电话", "备注"]
ROWS: list[list[Any]] = [
    [1, "A001", "王伟", 13800138000, dt.datetime(2020, 1, 2), ID, "13700137000", "=1+1"],
    [2, "A002", "李娜", 1380013800, dt.datetime(2020, 1, 2), ID, 13700137001, '=HYPERLINK("x")'],
    [3, "A003", None, "13800138003", "2020-02-30", ID, None, None],
    [4, "A004", "=cmd|' /C calc'!A0", "13800138004", 43832, None, None, "+1"],
]


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    for row in [HEADER, *ROWS]:
        page.append(row)
    for row in page.iter_rows():
        for cell in row:
            if isinstance(cell.value, str):
                cell.data_type = "s"
    book.save(tmp_path / "a.xlsx")
    return tmp_path / "a.xlsx"


def returned(path: Path, data: bytes) -> Path:
    (path.parent / "returned.xlsx").write_bytes(data)
    return path.parent / "returned.xlsx"


def formulas(path: Path) -> list[str]:
    return [
        cell.coordinate
        for page in openpyxl.load_workbook(path).worksheets
        for row in page.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]


def test_the_marked_workbook_is_read_like_the_own_one(workbook: Path) -> None:
    checked = sandbox.check_file(workbook)
    marked = returned(workbook, report.problem_workbook(workbook, checked))

    again = sandbox.check_file(marked)

    assert (again.employees, again.held, again.issues) == (checked.employees, checked.held, checked.issues)
    assert [i.row for i in checked.issues] == [3, 4, 4]
    assert formulas(marked) == []


def test_the_marked_workbook_can_be_corrected(workbook: Path) -> None:
    marked = returned(workbook, report.problem_workbook(workbook, sandbox.check_file(workbook)))
    book = openpyxl.load_workbook(marked)
    page = book.active
    assert page is not None
    comment, page["D3"], page["C4"], page["E4"] = page["D3"].comment, "13800138001", "张三", "2020-02-28"
    assert comment is not None
    book.save(marked)

    again = sandbox.check_file(marked)

    assert again.issues == ()
    assert [p.mobile for p in again.employees] == [f"1380013800{n}" for n in (0, 1, 3, 4)]


def test_the_bad_rows_alone_can_be_corrected(workbook: Path) -> None:
    checked = sandbox.check_file(workbook)
    path = returned(workbook, report.bad_rows(workbook, checked, checked.issues))
    again = sandbox.check_file(path)
    book = openpyxl.load_workbook(path)
    page = book.active
    assert page is not None

    assert [c.value for c in page[1]][:8] == HEADER
    assert [(p.employee_no, p.name, p.mobile) for p in again.held] == [
        ("A002", "李娜", None),
        ("A003", None, "13800138003"),
    ]
    assert [(i.field, i.code) for i in again.issues] == [(i.field, i.code) for i in checked.issues]
    assert page["D2"].number_format == "@"
    assert page["D2"].fill.fgColor.rgb == "FFFFC7CE"
    assert page["E2"].value == dt.datetime(2020, 1, 2)
    assert (page["J2"].value, page["J3"].value) == (3, 4)
    assert formulas(path) == []
    page["D2"], page["C3"], page["E3"] = "13800138001", "张三", "2020-02-28"
    book.save(path)
    corrected = sandbox.check_file(path)
    assert corrected.issues == ()
    assert [p.employee_no for p in corrected.employees] == ["A002", "A003"]


def test_bad_rows_of_a_file_read_by_choice_are_understood_without_it(tmp_path: Path) -> None:
    path = books.workbook(
        tmp_path / "a.xlsx",
        [
            ["名册"],
            ["代号", "称呼", "联系电话", "本人", "中心", "组", "身份证"],
            ["007", "王伟", "010-8888", "138", "技术", "后端", ID],
            ["008", "李娜", "010-8888", "13800138000", "技术", "前端", None],
        ],
    )
    choices = Choices(
        header_row=2, columns={"employee_no": (0,), "name": (1,), "mobile": (3,), "department": (4, 5)}
    )
    checked = sandbox.check_file(path, choices)

    again = sandbox.check_file(returned(path, report.bad_rows(path, checked, checked.issues)))

    assert again.columns["mobile"] == ("D",)
    assert [(p.employee_no, p.name, p.department) for p in again.held] == [("007", "王伟", "技术/后端")]


def test_a_large_file_comes_back_as_its_bad_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("工号,姓名,手机\n001,王伟,12\n002,李娜,\n", encoding="utf-8")
    checked = sandbox.check_file(tmp_path / "a.csv")

    path = returned(tmp_path / "a.csv", report.problem_workbook(tmp_path / "a.csv", checked))

    assert [p.employee_no for p in sandbox.check_file(path).held] == ["001"]


def test_a_rejected_file_has_no_rows_to_give_back(tmp_path: Path) -> None:
    path = books.workbook(tmp_path / "a.xlsx", [["代号", "称呼"], ["1", "王伟"]])

    for choices in (Choices(), Choices(header_row=1)):
        data = report.problem_workbook(path, sandbox.check_file(path, choices))
        page = openpyxl.load_workbook(returned(path, data)).active
        assert page is not None
        assert page.max_row == 1


def test_dates_of_1904_come_back_as_the_same_days() -> None:
    source = Path(__file__).parents[2] / "fixtures" / "rosters" / "s11_two_sheets_1904.xlsx"
    checked = sandbox.check_file(source)
    rows = [p.row for p in checked.employees]

    headings, lines = sandbox.excerpt_of_file(source, Choices(), rows)

    place = [field for _, field in headings].index("hired_on")
    assert {r: c[place] for r, c in lines if isinstance(c[place], dt.date)} == {
        p.row: p.hired_on for p in checked.employees if p.hired_on
    }
