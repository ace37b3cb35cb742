"""The rules of cells, headers, rows and doubles, one by one."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from benefits.roster import fields, formats, messages, normalise, pipeline, recognise
from benefits.roster.read import decode
from benefits.roster.shapes import CellError, Issue, NoValue, Problem, Range, Rejected, Sheet, letter
from tests.unit.roster import books


def read(field: str, cell: Any) -> Any:
    value = normalise.attempt(fields.BY_NAME[field].read, cell)
    return value.code if isinstance(value, Problem) else value


@pytest.mark.parametrize(
    ("field", "cell", "value"),
    [
        ("employee_no", "Ａ００２５", "A0025"),
        ("employee_no", 1027.0, "1027"),
        ("employee_no", " 00120\xa0", "00120"),
        ("employee_no", 1.23456789012345e16, "lost_digits"),
        ("employee_no", "N/A", None),
        ("employee_no", "A" * 41, "text_too_long"),
        ("name", "张\u3000 伟", "张伟"),
        ("name", "  Mary   Ann  Lee ", "Mary Ann Lee"),
        ("name", "张伟 Wei", "张伟 Wei"),
        ("name", "古丽娜尔•艾合买提", "古丽娜尔·艾合买提"),
        ("name", "王小明😀", "王小明😀"),
        ("name", '=HYPERLINK("x")', '=HYPERLINK("x")'),
        ("name", "張\u200b偉\u202e", "張偉"),
        ("name", "Bjo\u0308rn", "Björn"),
        ("name", "\ufa19田", "\ufa19田"),
        ("name", "长" * 50, "长" * 50),
        ("name", "长" * 51, "name_too_long"),
        ("name", "王\x00伟", "unsafe_text"),
        ("name", "王\ud800", "unsafe_text"),
        ("name", "#N/A", "error_cell"),
        ("name", CellError("#REF!"), "error_cell"),
        ("name", NoValue(), "formula_without_value"),
        ("name", "无", None),
        ("mobile", 13800138000.0, "13800138000"),
        ("mobile", "+86 138-0013-8000", "13800138000"),
        ("mobile", "(+86)13800138000", "13800138000"),
        ("mobile", "0086 13800138000", "13800138000"),
        ("mobile", "１３８００１３８０００", "13800138000"),
        ("mobile", "13800138000.0", "13800138000"),
        ("mobile", 8613800138000.0, "13800138000"),
        ("mobile", "1.38E+10", "invalid_mobile"),
        ("mobile", "1380013800", "invalid_mobile"),
        ("mobile", "12800138000", "invalid_mobile"),
        ("mobile", "010-88880000", "invalid_mobile"),
        ("mobile", "+852 9123 4567", "invalid_mobile"),
        ("mobile", "١٣٨٠٠١٣٨٠٠٠", "invalid_mobile"),
        ("mobile", True, "invalid_mobile"),
        ("mobile", float("nan"), "error_cell"),
        ("department", " 技术中心 ／ 后端组 ", "技术中心/后端组"),
        ("department", "市场中心>品牌-推广部", "市场中心/品牌-推广部"),
        ("department", "A\\B//C", "A/B/C"),
        ("department", "/", None),
        ("email", "Li.Si@Example.COM", "li.si@example.com"),
        ("email", "a＠example.com", "a@example.com"),
        ("email", "li si@example.com", "invalid_email"),
        ("email", "li@", "invalid_email"),
        ("email", "a..b@example.com", "invalid_email"),
        ("hired_on", dt.datetime(2016, 10, 1, 17, 30), dt.date(2016, 10, 1)),
        ("hired_on", "2024.3.5", dt.date(2024, 3, 5)),
        ("hired_on", "2024年3月5日", dt.date(2024, 3, 5)),
        ("hired_on", "2020-02-01 00:00:00", dt.date(2020, 2, 1)),
        ("hired_on", "２０２１－０２－２５", dt.date(2021, 2, 25)),
        ("hired_on", "20240305", dt.date(2024, 3, 5)),
        ("hired_on", 20140422.0, dt.date(2014, 4, 22)),
        ("hired_on", 42684.0, dt.date(2016, 11, 10)),
        ("hired_on", "42684", dt.date(2016, 11, 10)),
        ("hired_on", 60.0, "invalid_date"),
        ("hired_on", 2024.0, "invalid_date"),
        ("hired_on", -5.0, "invalid_date"),
        ("hired_on", 9e9, "invalid_date"),
        ("hired_on", float("inf"), "invalid_date"),
        ("hired_on", "2024-02-30", "invalid_date"),
        ("hired_on", dt.time(9), "invalid_date"),
        ("hired_on", True, "invalid_date"),
        ("points", "￥1,500.50", Decimal("1500.50")),
        ("points", "１０００", 1000),
        ("points", 0.0, 0),
        ("points", "1_000", "invalid_points"),
        ("points", "٣", "invalid_points"),
        ("points", -50.0, "invalid_points"),
        ("points", float("nan"), "error_cell"),
        ("points", 1e20, "invalid_points"),
        ("points", "9" * 400, "invalid_points"),
        ("points", True, "invalid_points"),
        ("status", "试 用 期", "active"),
        ("status", "Resigned", "left"),
        ("status", "待定", "unknown_status"),
        ("id_number", "11010519491231002x", "11010519491231002X"),
        ("id_number", "440524188001010014", "440524188001010014"),
        ("id_number", "110105194912310021", "invalid_id_number"),
        ("id_number", "110105194913310025", "invalid_id_number"),
        ("id_number", 1.10105e17, "invalid_id_number"),
    ],
)
def test_cells(field: str, cell: Any, value: Any) -> None:
    assert read(field, cell) == value


def test_dates_of_1904() -> None:
    assert normalise.date(42684.0 - 1462, date1904=True) == dt.date(2016, 11, 10)


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (124, "00000", "00124"),
        (123456, "00000", "123456"),
        (7, '"HR"0000', "HR0007"),
        (7, '"HR"0', "HR7"),
        (12345, "000-000", "012-345"),
        (7, "00000;[Red]-00000", "00007"),
        (7, "0", None),
        (7, "General", None),
        (7, "0.00", None),
        (7, "0.00E+00", None),
        (7, "yyyy-mm-dd", None),
        (7, "#,##0", None),
        (7.5, "00000", None),
        (-7, "00000", None),
    ],
)
def test_number_formats(value: float, code: str, shown: str | None) -> None:
    assert formats.shown(value, code) == shown


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("* 手 机\n号（必填）：", "mobile"),
        ("工号_emp_no", "employee_no"),
        ("Employee_ID", "employee_no"),
        ("ＥＭＡＩＬ", "email"),
        ("E-mail", "email"),
        ("【重要】姓名[中文]", "name"),
        ("二级部门", "department:2"),
        ("办公电话", None),
        ("紧急联系电话", None),
        ("No.", None),
        ("序号", None),
        ("直属上级", None),
        ("性别", None),
    ],
)
def test_headings(heading: str, field: str | None) -> None:
    found = fields.named(fields.fold(heading))

    assert (found[0] if found else None) == field


def columns(*rows: list[str], merges: tuple[Range, ...] = ()) -> tuple[int, dict[str, str]] | None:
    found = recognise.find_header(Sheet(name="S", rows=list(rows), merges=merges))
    if found is None:
        return None
    return found.last_row, {name: "".join(map(letter, places)) for name, places in found.columns.items()}


def test_titles_and_blank_rows_stand_above_the_header() -> None:
    assert columns(["员工花名册", "", ""], [], ["姓名", "工号", "手机"]) == (
        3,
        {"name": "A", "employee_no": "B", "mobile": "C"},
    )


def test_a_group_owns_its_children() -> None:
    upper = ["工号", "姓名", "联系方式", "", "紧急联系人", ""]
    lower = ["", "", "手机", "邮箱", "姓名", "电话"]
    merges = (Range(0, 0, 1, 0), Range(0, 1, 1, 1), Range(0, 2, 0, 3), Range(0, 4, 0, 5))
    expected = (2, {"employee_no": "A", "name": "B", "mobile": "C", "email": "D"})

    assert columns(upper, lower, ["A1"], merges=merges) == expected
    assert columns(upper, lower, ["A1"]) == expected  # a text file has lost the merges


def test_groups_over_a_whole_header() -> None:
    upper = ["基本信息", "", "直属上级", "", "部门", ""]
    lower = ["工号", "姓名", "工号", "姓名", "一级", "二级"]
    merges = (Range(0, 0, 0, 1), Range(0, 2, 0, 3), Range(0, 4, 0, 5))

    assert columns(upper, lower, merges=merges) == (2, {"employee_no": "A", "name": "B", "department": "EF"})


def test_a_merged_title_is_no_group() -> None:
    merges = (Range(0, 0, 0, 2),)

    assert columns(["联系人名单", "", ""], ["工号", "姓名", "手机"], merges=merges) == (
        2,
        {"employee_no": "A", "name": "B", "mobile": "C"},
    )


def test_the_more_telling_column_wins() -> None:
    assert columns(["工号", "姓名", "联系电话", "手机号"]) == (
        1,
        {"employee_no": "A", "name": "B", "mobile": "D"},
    )


def test_a_list_of_invoices_is_no_roster() -> None:
    assert columns(["发票号", "金额", "姓名"]) is None


def test_rows_that_are_not_people(tmp_path: Path) -> None:
    found = pipeline.checked(
        books.workbook(
            tmp_path / "a.xlsx",
            [
                ["序号", "工号", "姓名", "手机号"],
                [1, "A1", "王伟", None],
                [2, None, None, None],
                ["  ", None, "\u3000", None],
                ["序号", "工号", "姓名", "手机号"],
                [None, "-", "/", "无"],
                [3, "A2", "李娜", None],
                ["合 计", None, "2人", None],
                ["注：以上", None, None, None],
            ],
        )
    )

    assert [(p.row, p.employee_no) for p in found.employees] == [(2, "A1"), (7, "A2")]
    assert found.issues == ()


def test_doubles_in_the_order_of_the_codes(tmp_path: Path) -> None:
    found = pipeline.checked(
        books.roster(
            tmp_path / "a.xlsx",
            ["A1", "王伟", "13800138000"],
            ["A1", "王伟", "138 0013 8000"],
            ["A1", "王五", "13800138001"],
            ["A1", "王伟", "13800138002"],
            ["A2", "李娜", "13800138000"],
            ["A3", None, "13800138000"],
        )
    )

    assert [(i.row, i.code) for i in found.issues] == [
        (3, "identical_duplicate"),
        (4, "duplicate_employee_no"),
        (5, "duplicate_employee_no"),
        (6, "duplicate_mobile"),
        (7, "missing_name"),
    ]
    assert [p.row for p in found.employees] == [2]
    assert [p.row for p in found.held] == [4, 5, 6, 7]


def test_a_leave_date_alone_means_left(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("工号,姓名,离职日期\nA1,王伟,2024.1.31\nA2,李娜,\n", encoding="utf-8")

    assert [p.status for p in pipeline.checked(tmp_path / "a.csv").employees] == ["left", "active"]


def test_hidden_rows_are_data_and_mentioned(tmp_path: Path) -> None:
    hidden = books.HONEST[1].replace('<row r="2"', '<row r="2" hidden="1"')
    found = pipeline.checked(books.package(tmp_path / "a.xlsx", books.sheet(books.HONEST[0], hidden)))

    assert len(found.employees) == 1
    assert [(note.code, note.params) for note in found.notes] == [("hidden_rows", {"count": 1})]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_text_tables(tmp_path: Path, delimiter: str, encoding: str) -> None:
    text = '工号,姓名,备注\r\n="001",李䶮,"a\r\nb"\r\n\r\n\'002,王伟,\r\n'.replace(",", delimiter)
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))

    found = pipeline.checked(tmp_path / "a.csv")

    assert [(p.row, p.employee_no, p.name) for p in found.employees] == [
        (2, "001", "李䶮"),
        (4, "002", "王伟"),
    ]


def test_excels_separator_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("sep=;\n工号;姓名\nA1;王伟, 李娜\n", encoding="utf-8")

    assert [p.name for p in pipeline.checked(tmp_path / "a.csv").employees] == ["王伟, 李娜"]


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(Rejected):
        decode(b"\xff\xff\xff\x81\x00")


def test_messages_say_what_to_do() -> None:
    short = messages.of_issue(Issue(17, "mobile", "invalid_mobile", "error", {"why": "short", "count": 1}))

    assert short == "第 17 行：手机号少 1 位。"


def test_every_problem_has_a_message() -> None:
    import re

    source = Path(normalise.__file__).read_text(encoding="utf-8")
    codes = set(re.findall(r'_Bad\(\s*"([a-z_]+)"', source))

    assert codes
    assert codes <= set(messages._ISSUES)
