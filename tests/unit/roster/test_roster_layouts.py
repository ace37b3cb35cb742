"""Staff lists as other programs and careful people write them; each read as an HR officer would read it."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from benefits.roster import pipeline
from benefits.roster.shapes import Checked
from tests.unit.roster import books

M1, M2, M3, M4 = "13800138001", "13800138002", "13800138003", "13800138004"
DAY = dt.datetime(2021, 3, 1)


def sheet(
    path: Path,
    rows: Sequence[Sequence[Any]],
    merges: Sequence[str] = (),
    formats: dict[str, str] | None = None,
    hidden_rows: Sequence[int] = (),
    options: dict[str, Any] | None = None,
    more: dict[str, tuple[Sequence[Sequence[Any]], bool]] | None = None,
    name: str = "Sheet1",
) -> Path:
    """An .xlsx: merges in letters, number formats by cell, further sheets as (rows, hidden)."""
    book = xlsxwriter.Workbook(str(path), options or {})
    looks = {
        code: book.add_format({"num_format": code}) for code in {*(formats or {}).values(), "yyyy-mm-dd"}
    }

    def fill(page: Any, cells: Sequence[Sequence[Any]]) -> None:
        for r, row in enumerate(cells):
            for c, value in enumerate(row):
                code = (formats or {}).get(f"{chr(65 + c)}{r + 1}")
                look = looks[code] if code else looks["yyyy-mm-dd"] if isinstance(value, dt.date) else None
                if isinstance(value, str):
                    page.write_string(r, c, value, look)
                elif value is not None:
                    page.write(r, c, value, look)

    page = book.add_worksheet(name)
    for block in merges:
        page.merge_range(block, "")
    fill(page, rows)
    for number in hidden_rows:
        page.set_row(number - 1, None, None, {"hidden": True})
    for title, (cells, is_hidden) in (more or {}).items():
        other = book.add_worksheet(title)
        fill(other, cells)
        if is_hidden:
            other.hide()
    book.close()
    return path


def people(found: Checked, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(getattr(p, name) for name in ("row", "employee_no", *names)) for p in found.employees]


def issues(found: Checked) -> list[tuple[int, str | None, str]]:
    return [(i.row, i.field, i.code) for i in found.issues]


def test_dingtalk_export(tmp_path: Path) -> None:
    """钉钉: a note merged above, headings with stars and codes, department with dashes in full paths."""
    note = "填写须知：\n1. 请勿修改表头\n2. 手机号必填，姓名必填\n3. 部门以“-”分隔"
    head = [
        "员工UserID",
        "*姓名",
        "*手机号",
        "*部门",
        "职位",
        "工号",
        "邮箱",
        "入职时间",
        "员工状态",
        "直属主管",
        "主管工号",
    ]
    rows = [[note], head, ["u1", "王伟", "+86-13800138001", "技术中心-后端组", "工程师", "D001", "W@X.COM", "2021-03-01", "正式", "李娜", "D002"],
            ["u2", "李娜", M2, "技术中心", "经理", "D002", None, "2020/1/5", "试用期", None, None]]  # fmt: skip

    found = pipeline.checked(sheet(tmp_path / "a.xlsx", rows, ["A1:K1"]))

    assert found.header_row == 2
    assert people(found, "name", "mobile", "department", "email", "hired_on", "status") == [
        (3, "D001", "王伟", M1, "技术中心-后端组", "w@x.com", dt.date(2021, 3, 1), "active"),
        (4, "D002", "李娜", M2, "技术中心", None, dt.date(2020, 1, 5), "active"),
    ]


def test_wecom_export_with_a_department_of_levels(tmp_path: Path) -> None:
    """企业微信/飞书: title, a blank row, columns of levels, no employee number in one row."""
    rows = [["通讯录导出"], [], ["姓名", "帐号", "职务", "一级部门", "二级部门", "三级部门", "手机", "企业邮箱", "工号"],
            ["王伟", "wangwei", None, "集团", "技术", "后端", M1, "w@x.com", "1"], ["李娜", "lina", None, "集团", None, None, M2, None, None]]  # fmt: skip

    found = pipeline.checked(books.workbook(tmp_path / "a.xlsx", rows))

    assert found.columns["department"] == ("D", "E", "F")
    assert people(found, "name", "department") == [(4, "1", "王伟", "集团/技术/后端")]
    assert issues(found) == [(5, "employee_no", "missing_employee_no")]


def test_yonyou_export_with_coded_headings(tmp_path: Path) -> None:
    """用友: code row in the headings, pk columns, department code beside its name, tab-separated GB18030."""
    text = (
        "人员编码_code\t人员编号_psncode\t姓名_name\t所属部门_pk_dept\t部门编码\t手机_mobile\t到岗日期_indutydate\t身份证号_id\r\n"
        "P1\t0001\t王伟\t本部\\财务部\t0102\t13800138001\t20210301\t11010519491231002X\r\n"
        "P2\t0002\t李䶮\t本部\t01\t\t2021.3.1\t\r\n"
    )
    (tmp_path / "a.xls").write_bytes(text.encode("gb18030"))

    found = pipeline.checked(tmp_path / "a.xls")

    assert people(found, "name", "department", "hired_on") == [
        (2, "0001", "王伟", "本部/财务部", dt.date(2021, 3, 1)),
        (3, "0002", "李䶮", "本部", dt.date(2021, 3, 1)),
    ]


def test_beisen_export_of_three_header_rows(tmp_path: Path) -> None:
    """北森: three header rows, groups within groups; the person to call in an emergency is somebody else."""
    rows = [["基本信息", None, None, None, "联系信息", None, None, None],
            ["工号", "姓名", "部门", None, "本人", None, "紧急联系人", None],
            [None, None, "一级", "二级", "手机", "邮箱", "姓名", "电话"],
            ["B1", "王伟", "集团", "财务", M1, "w@x.com", "王母", M4]]  # fmt: skip
    merges = ["A1:D1", "E1:H1", "A2:A3", "B2:B3", "C2:D2", "E2:F2", "G2:H2"]

    found = pipeline.checked(sheet(tmp_path / "a.xlsx", rows, merges))

    assert found.header_row == 3
    assert people(found, "name", "mobile", "email", "department") == [
        (4, "B1", "王伟", M1, "w@x.com", "集团/财务")
    ]


def test_three_header_rows_where_plain_columns_span_all_of_them(tmp_path: Path) -> None:
    rows = [["员工信息表"], ["工号", "姓名", "组织", None, "家庭情况", None],
            [None, None, "部门", None, "配偶", None], [None, None, "一级部门", "二级部门", "姓名", "手机号"],
            ["B1", "王伟", "集团", "财务", "赵敏", M4]]  # fmt: skip
    merges = ["A1:F1", "A2:A4", "B2:B4", "C2:D2", "E2:F2", "C3:D3", "E3:F3"]

    found = pipeline.checked(sheet(tmp_path / "a.xlsx", rows, merges))

    assert (found.header_row, "mobile" in found.columns) == (4, False)
    assert people(found, "name", "department") == [(5, "B1", "王伟", "集团/财务")]


def test_wps_list_with_the_header_in_row_12(tmp_path: Path) -> None:
    """WPS: a cover of many rows, then the list; sums and a signature below."""
    cover = [["XX有限公司"], ["员工花名册"], [], ["编制部门：", "人力资源部"], ["编制日期", DAY], ["联系人", "赵经理", "电话", "010-88886666"],
             [], ["说明：", "以下信息仅供内部使用"], ["密级", "内部"], [], ["共2人"]]  # fmt: skip
    rows = [*cover, ["序号", "工 号", "姓  名", "性别", "部 门", "联系电话", "入职\n日期", "备注"],
            [1, "001", "王 伟", "男", "财务部", 13800138001, DAY, None], [2, "002", "欧阳娜娜", "女", "财务部", "138 0013 8002", DAY, "无"],
            ["合计", None, "2人"], ["制表人：", "赵经理", None, "审核："]]  # fmt: skip

    found = pipeline.checked(sheet(tmp_path / "a.xlsx", rows, ["A1:H1", "A2:H2", "A11:H11"]))

    assert found.header_row == 12
    assert people(found, "name", "mobile", "hired_on") == [
        (13, "001", "王伟", M1, dt.date(2021, 3, 1)),
        (14, "002", "欧阳娜娜", M2, dt.date(2021, 3, 1)),
    ]
    assert found.issues == ()


def test_departments_as_merged_blocks_with_subtotals(tmp_path: Path) -> None:
    rows = [["部门", "工号", "姓名", "手机"], ["财务部", "1", "王伟", M1], [None, "2", "李娜", M2], ["小计", None, "2"],
            ["市场部", "3", "张敏", M3], [None, "4", "赵静", None], [None, "5", "钱多", None], ["小 计：", None, "3"], ["总计", None, "5"]]  # fmt: skip

    found = pipeline.checked(sheet(tmp_path / "a.xlsx", rows, ["A2:A3", "A5:A6"]))

    assert people(found, "department") == [
        (2, "1", "财务部"), (3, "2", "财务部"), (5, "3", "市场部"), (6, "4", "市场部"), (7, "5", None),
    ]  # fmt: skip


def test_levels_merged_down_in_two_columns(tmp_path: Path) -> None:
    rows = [
        ["一级部门", "二级部门", "工号", "姓名"],
        ["技术", "后端", "1", "王伟"],
        [None, None, "2", "李娜"],
        [None, "前端", "3", "张敏"],
    ]

    found = pipeline.checked(sheet(tmp_path / "a.xlsx", rows, ["A2:A4", "B2:B3"]))

    assert people(found, "department") == [
        (2, "1", "技术/后端"),
        (3, "2", "技术/后端"),
        (4, "3", "技术/前端"),
    ]


def test_two_tables_side_by_side(tmp_path: Path) -> None:
    """The left table is the roster; the right one speaks of others and changes nothing."""
    rows = [["工号", "姓名", "手机", None, "工号", "姓名", "离职日期"], ["1", "王伟", M1, None, "901", "孙某", "2020-01-01"],
            ["2", "李娜", M2, None, None, None, None]]  # fmt: skip

    found = pipeline.checked(books.workbook(tmp_path / "a.xlsx", rows))

    assert found.columns["employee_no"] == ("A",)
    assert people(found, "name") == [(2, "1", "王伟"), (3, "2", "李娜")]


def test_numbers_as_excel_keeps_them(tmp_path: Path) -> None:
    """Mobiles as numbers in scientific display, padded staff numbers, serial dates, ID numbers cut by Excel."""
    rows = [["工号", "姓名", "手机号", "入职日期", "出生日期", "身份证号"], [7, "王伟", 13800138001, 44256, 33239.0, None],
            [8, "李娜", "1.38E+10", 44256, 19900101, 1.10105e17], [9.0, "张敏", 13800138003.0, "44256", "1990年1月1日", None]]  # fmt: skip
    formats = {"A2": "0000", "A3": "0000", "A4": "0000", "C2": "0.00E+00", "D2": "General"}

    found = pipeline.checked(sheet(tmp_path / "a.xlsx", rows, formats=formats))

    assert people(found, "mobile", "hired_on", "birthday") == [
        (2, "0007", M1, dt.date(2021, 3, 1), dt.date(1991, 1, 1)),
        (4, "0009", M3, dt.date(2021, 3, 1), dt.date(1990, 1, 1)),
    ]
    assert issues(found) == [(3, "mobile", "invalid_mobile"), (3, "id_number", "invalid_id_number")]


def test_a_mac_workbook_counts_from_1904(tmp_path: Path) -> None:
    rows = [["工号", "姓名", "入职日期"], ["1", "王伟", DAY], ["2", "李娜", 44256 - 1462]]

    found = pipeline.checked(sheet(tmp_path / "a.xlsx", rows, options={"date_1904": True}))

    assert people(found, "hired_on") == [(2, "1", dt.date(2021, 3, 1)), (3, "2", dt.date(2021, 3, 1))]


def test_hidden_and_side_sheets(tmp_path: Path) -> None:
    head = ["工号", "姓名"]
    more = {
        "旧版": ([head, *([str(n), "旧人"] for n in range(9))], True),
        "离职人员": ([head, *([str(n), "走人"] for n in range(9))], False),
        "填写说明": ([["请按格式填写"]], False),
    }

    found = pipeline.checked(sheet(tmp_path / "a.xlsx", [head, ["1", "王伟"]], more=more, name="在职"))

    assert (found.sheet, people(found, "name")) == ("在职", [(2, "1", "王伟")])
    assert [s.name for s in found.sheets] == ["在职", "离职人员", "填写说明"]


def test_an_english_list_with_a_group_header(tmp_path: Path) -> None:
    rows = [["Headcount report", None, None, None, None, None], ["Employee", None, None, "Reporting Manager", None, None],
            ["Employee ID*", "Full Name", "E-Mail", "Employee ID", "Name", "Email"],
            ["E-01", "Mary  Ann O’Neil", "M.ONEIL@X.COM", "E-99", "Boss", "boss@x.com"]]  # fmt: skip

    found = pipeline.checked(sheet(tmp_path / "a.xlsx", rows, ["A1:F1", "A2:C2", "D2:F2"]))

    assert people(found, "name", "email") == [(4, "E-01", "Mary Ann O’Neil", "m.oneil@x.com")]


def test_an_english_list_of_an_hr_system(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        '\ufeff"Employee No.","Name","Mobile Phone","Department","Hire Date","Employment Status"\n'
        '"00012","Zhang, Wei","+86 13800138001","R&D > Platform","2021-03-01T00:00:00","Active"\n'
        '"00013","Li Na","","R&D","","Terminated"\n',
        encoding="utf-8",
    )

    found = pipeline.checked(tmp_path / "a.csv")

    assert people(found, "name", "department", "hired_on", "status") == [
        (2, "00012", "Zhang, Wei", "R&D/Platform", dt.date(2021, 3, 1), "active"),
        (3, "00013", "Li Na", "R&D", None, "left"),
    ]


def test_columns_that_come_twice(tmp_path: Path) -> None:
    rows = [
        ["工号", "姓名", "手机", "手机号码", "部门", "部门", "姓名"],
        ["1", "王伟", "010-88888888", M1, "财务", "旧财务", "王老五"],
    ]

    found = pipeline.checked(books.workbook(tmp_path / "a.xlsx", rows))

    assert people(found, "name", "mobile", "department") == [(2, "1", "王伟", M1, "财务")]
    assert [n.params["column"] for n in found.notes if n.code == "doubled_column"] == ["G", "C", "F"]


def test_a_printed_list_repeats_its_header_on_every_page(tmp_path: Path) -> None:
    head = ["序号", "工号", "姓名", "手机"]
    rows = [
        ["花名册"],
        head,
        [1, "1", "王伟", M1],
        ["第1页 共2页"],
        ["花名册"],
        head,
        [2, "2", "李娜", M2],
        [3],
        [4],
        ["打印日期：2024-01-01"],
    ]

    found = pipeline.checked(books.workbook(tmp_path / "a.xlsx", rows))

    assert people(found, "name") == [(3, "1", "王伟"), (7, "2", "李娜")]
    assert found.issues == ()


def test_a_template_with_an_example_of_nothing(tmp_path: Path) -> None:
    """A download that nobody filled in: numbered rows and validation lists, no people."""
    rows = [["序号", "工号", "姓名", "手机"], *([n] for n in range(1, 6))]

    found = pipeline.checked(books.workbook(tmp_path / "a.xlsx", rows))

    assert (found.outcome, found.employees, found.issues) == ("ok", (), ())
    assert "no_data_rows" in {n.code for n in found.notes}


def test_notes_below_the_list(tmp_path: Path) -> None:
    rows = [
        ["工号", "姓名", "手机"],
        ["1", "王伟", M1],
        [],
        ["备注：以上人员已核对"],
        ["  审核人签字", None, "日期"],
        ["注:本表一式两份"],
    ]

    found = pipeline.checked(books.workbook(tmp_path / "a.xlsx", rows))

    assert (people(found), found.issues) == ([(2, "1")], ())


def test_a_semicolon_list_from_a_database(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(
        '"工号";"姓名";"备注"\r\n"001";"王伟";"喜欢 A;B, C"\r\n"002";"李娜";"两行\r\n备注"\r\n"003";"张敏";""\r\n'.encode(
            "gb18030"
        )
    )

    assert people(pipeline.checked(tmp_path / "a.csv"), "name") == [
        (2, "001", "王伟"), (3, "002", "李娜"), (4, "003", "张敏"),
    ]  # fmt: skip


def test_a_list_by_mobile_alone_names_what_is_missing(tmp_path: Path) -> None:
    rows = [["姓名", "手机号"], ["王伟", M1], ["李娜", M2]]

    found = pipeline.checked(books.workbook(tmp_path / "a.xlsx", rows))

    assert (found.outcome, found.employees) == ("ok", ())
    assert {code for _, _, code in issues(found)} == {"missing_employee_no"}


def test_leavers_among_the_staff(tmp_path: Path) -> None:
    rows = [["工号", "姓名", "人员状态", "离职日期"], ["1", "王伟", "正式", None], ["2", "李娜", "已离职", "2024/1/31"], ["3", "张敏", None, "2024.2.1"],
            ["4", "赵静", "停薪留职", None]]  # fmt: skip

    found = pipeline.checked(books.workbook(tmp_path / "a.xlsx", rows))

    assert people(found, "status") == [(2, "1", "active"), (3, "2", "left"), (4, "3", "left")]
    assert issues(found) == [(5, "status", "unknown_status")]


def test_a_header_beside_a_merged_photo_column(tmp_path: Path) -> None:
    """照片 spans two rows at the left of every person; the second row of each is blank."""
    rows = [["照片", "工号", "姓名", "手机"], [None, "1", "王伟", M1], [], [None, "2", "李娜", M2], []]

    found = pipeline.checked(sheet(tmp_path / "a.xlsx", rows, ["A2:A3", "A4:A5"]))

    assert people(found, "name") == [(2, "1", "王伟"), (4, "2", "李娜")]


def test_an_open_document_list(tmp_path: Path) -> None:
    rows = [["部门", "工号", "姓名", "手机号", "入职日期"], ["财务部", "001", "王伟", 13800138001, dt.date(2021, 3, 1)],
            [None, "002", "李娜", "13800138002", "2021-03-01"], ["合计", None, None, 2]]  # fmt: skip

    found = pipeline.checked(books.ods(tmp_path / "a.ods", rows, merges=[(1, 0, 2, 0)], hidden=[2]))

    assert people(found, "department", "mobile", "hired_on") == [
        (2, "001", "财务部", M1, dt.date(2021, 3, 1)),
        (3, "002", "财务部", M2, dt.date(2021, 3, 1)),
    ]
    assert [(n.code, n.params) for n in found.notes] == [("hidden_rows", {"count": 1})]


def test_a_workbook_with_macros_is_read_and_they_are_not(tmp_path: Path) -> None:
    path = books.package(tmp_path / "a.xlsm", books.sheet(*books.HONEST), macros=True)

    assert people(pipeline.checked(path), "name") == [(2, "A1", "王伟")]


@pytest.mark.parametrize("title", ["直属上级信息表", "部门负责人通讯录", "XX公司领导及员工名册"])
def test_a_title_is_no_group_whatever_it_says(tmp_path: Path, title: str) -> None:
    rows = [[title, None, None], ["工号", "姓名", "手机"], ["1", "王伟", M1]]

    for merges in ([], ["A1:C1"], ["A1:B1"]):
        assert people(pipeline.checked(sheet(tmp_path / "a.xlsx", rows, merges)), "name") == [
            (3, "1", "王伟")
        ]


def test_a_merged_department_reaches_over_blank_rows_and_sums(tmp_path: Path) -> None:
    rows = [["部门", "工号", "姓名"], ["财务部", "1", "王伟"], [], [None, "小计", "1人"], [None, "2", "李娜"]]

    found = pipeline.checked(sheet(tmp_path / "a.xlsx", rows, ["A2:A6"]))

    assert people(found, "department") == [(2, "1", "财务部"), (5, "2", "财务部")]
    assert found.issues == ()


def test_staff_of_a_department_that_reads_like_a_footer(tmp_path: Path) -> None:
    rows = [
        ["部门", "工号", "姓名"],
        ["审核部", "1", "王伟"],
        ["打印室", 2, "李娜"],
        ["审核：", None, "赵某"],
        ["合计", 2, "2人"],
    ]

    found = pipeline.checked(books.workbook(tmp_path / "a.xlsx", rows))

    assert people(found, "department") == [(2, "1", "审核部"), (3, "2", "打印室")]
    assert found.issues == ()


def test_dates_under_any_format_of_chinese_excel(tmp_path: Path) -> None:
    codes = ['yyyy"年"m"月"d"日";@', "[$-804]yyyy/m/d;@", "m/d/yy", "[$-F800]dddd, mmmm dd, yyyy",
             '[DBNum1][$-804]yyyy"年"m"月"d"日";@', "yyyy/m/d h:mm", "mmm-yy", "General"]  # fmt: skip
    rows = [["工号", "姓名", "入职日期"], *([str(n), "王伟", 44256.5] for n in range(len(codes)))]
    formats = {f"C{n + 2}": code for n, code in enumerate(codes)}

    found = pipeline.checked(sheet(tmp_path / "a.xlsx", rows, formats=formats))

    assert {p.hired_on for p in found.employees} == {dt.date(2021, 3, 1)}
    assert len(found.employees) == len(codes)
