"""What people decide about a file: sheet, header, columns, spellings, rows left out, texts typed instead."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from benefits.roster import messages, pipeline, sandbox
from benefits.roster.shapes import Checked, Choices
from tests.unit.roster import books

ID = "11010519491231002X"


def workbook(path: Path, **sheets: list[list[Any]]) -> Path:
    book = xlsxwriter.Workbook(str(path))
    for name, rows in sheets.items():
        page = book.add_worksheet(name)
        for r, row in enumerate(rows):
            for c, value in enumerate(row):
                if value is not None:
                    page.write(r, c, value)
    book.close()
    return path


def people(found: Checked) -> list[tuple[Any, ...]]:
    return [(p.row, p.employee_no, p.name) for p in found.employees]


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return books.workbook(
        tmp_path / "plain.xlsx",
        [
            ["工号", "姓名", "联系电话", "本人手机", "小组"],
            ["A1", "王伟", "010-88886666", "13800138000", "后端"],
            ["A2", "李娜", None, "13900139000", None],
            ["A3", "张三", "1380013", None, "前端"],
        ],
    )


def test_a_chosen_sheet_is_read_and_the_others_are_offered(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        花名册=[["工号", "姓名"], ["A1", "王伟"], ["A2", "李娜"]],
        离职人员=[["离职表"], ["工号", "姓名"], ["B1", "赵六"]],
        说明=[["请填写"]],
    )

    assert people(pipeline.checked(path)) == [(2, "A1", "王伟"), (3, "A2", "李娜")]
    found = pipeline.checked(path, Choices(sheet="离职人员"))
    assert people(found) == [(3, "B1", "赵六")]
    assert [(s.name, s.rows, s.header_row) for s in found.sheets] == [
        ("花名册", 2, 1),
        ("离职人员", 1, 2),
        ("说明", 1, None),
    ]
    assert found.sheets[1].top == (("离职表", ""), ("工号", "姓名"), ("B1", "赵六"))


def test_a_header_chosen_by_hand_is_recognised(tmp_path: Path) -> None:
    rows = [["工号", "姓名"], ["旧1", "旧人"], [], ["姓名", "员工号", "手机"], ["王伟", "A1", "13800138000"]]
    path = books.workbook(tmp_path / "a.xlsx", rows)

    found = pipeline.checked(path, Choices(header_row=4))

    assert (found.header_row, people(found)) == (4, [(5, "A1", "王伟")])


def test_a_header_that_says_too_little_comes_back_with_its_columns(tmp_path: Path) -> None:
    rows = [["名册"], ["代号", "称呼", "联络"], *([f"A{n}", "王伟", f"1380013800{n}"] for n in range(5))]
    path = books.workbook(tmp_path / "a.xlsx", rows)

    none = pipeline.checked(path)
    half = pipeline.checked(path, Choices(header_row=2))
    whole = pipeline.checked(
        path, Choices(header_row=2, columns={"employee_no": (0,), "name": (1,), "mobile": (2,)})
    )

    assert (none.reject_code, none.sheets[0].top[1]) == ("no_header", ("代号", "称呼", "联络"))
    assert (half.reject_code, half.reject_reason) == ("no_header", "incomplete")
    assert [(c.heading, c.suggestion) for c in half.offered] == [
        ("代号", "employee_no"),
        ("称呼", "name"),
        ("联络", "mobile"),
    ]
    assert len(whole.employees) == 5
    assert {c.source for c in whole.offered} == {"chosen"}


def test_columns_are_corrected(plain: Path) -> None:
    found = pipeline.checked(plain, Choices(columns={"mobile": (3,), "department": (4,)}))

    assert [p.mobile for p in found.employees] == ["13800138000", "13900139000", None]
    assert [p.department for p in found.employees] == ["后端", None, "前端"]
    assert found.columns["mobile"] == ("D",)
    assert [(c.letter, c.field, c.source) for c in found.offered] == [
        ("A", "employee_no", "spelling"),
        ("B", "name", "spelling"),
        ("C", None, ""),
        ("D", "mobile", "chosen"),
        ("E", "department", "chosen"),
    ]


def test_a_field_without_a_column(plain: Path) -> None:
    found = pipeline.checked(plain, Choices(columns={"mobile": ()}))

    assert [p.mobile for p in found.employees] == [None, None, None]
    assert "mobile" not in found.columns


def test_a_column_taken_for_something_else_leaves_its_first_field(plain: Path) -> None:
    found = pipeline.checked(plain, Choices(columns={"grade": (2,)}))

    assert "mobile" not in found.columns
    assert [p.grade for p in found.employees] == ["010-88886666", None, "1380013"]


def test_levels_of_a_department_chosen_by_hand(tmp_path: Path) -> None:
    path = books.workbook(
        tmp_path / "a.xlsx", [["工号", "姓名", "中心", "组"], ["A1", "王伟", "技术", "后端"]]
    )

    found = pipeline.checked(path, Choices(columns={"department": (2, 3)}))

    assert found.employees[0].department == "技术/后端"


def test_taught_spellings_go_before_our_own(plain: Path) -> None:
    taught = {"本人手机": "mobile", "联系电话": "", "小组": "department"}

    found = pipeline.checked(plain, Choices(spellings=taught))

    assert (found.columns["mobile"], found.columns["department"]) == (("D",), ("E",))
    assert [c.source for c in found.offered] == ["spelling", "spelling", "", "taught", "taught"]


def test_a_taught_spelling_makes_a_header(tmp_path: Path) -> None:
    path = books.workbook(tmp_path / "a.xlsx", [["代号", "称呼"], ["A1", "王伟"]])

    assert people(pipeline.checked(path, Choices(spellings={"代号": "employee_no", "称呼": "name"}))) == [
        (2, "A1", "王伟")
    ]


def test_hidden_rows_are_left_out_where_people_say_so(tmp_path: Path) -> None:
    hidden = books.HONEST[1].replace('<row r="2"', '<row r="2" hidden="1"')
    path = books.package(
        tmp_path / "a.xlsx", books.sheet(books.HONEST[0], hidden, books.row(3, "A2", "李娜"))
    )

    found = pipeline.checked(path, Choices(without_hidden=True))

    assert people(found) == [(3, "A2", "李娜")]
    assert [(n.code, n.params) for n in found.notes] == [("hidden_rows_left_out", {"count": 1})]
    assert messages.of_note(found.notes[0]) == "已排除 1 个隐藏的行。"


def test_rows_left_out_by_hand_take_no_part(plain: Path) -> None:
    found = pipeline.checked(plain, Choices(skipped=frozenset({3, 4})))

    assert people(found) == []
    assert [i.row for i in found.issues] == [2]


def test_what_is_typed_is_read_like_a_cell(plain: Path) -> None:
    typed = {(2, "mobile"): "＋86 138-0013-8001", (4, "mobile"): "", (4, "hired_on"): "2024年3月5日"}

    found = pipeline.checked(plain, Choices(repairs=typed))

    assert [p.mobile for p in found.employees] == ["13800138001", None, None]
    assert found.employees[2].hired_on == dt.date(2024, 3, 5)
    assert found.issues == ()
    assert found.texts[2]["mobile"] == "010-88886666"


def test_what_is_typed_may_still_be_wrong(plain: Path) -> None:
    found = pipeline.checked(plain, Choices(repairs={(2, "mobile"): "12345", (3, "name"): ""}))

    assert [(i.row, i.field, i.code) for i in found.issues] == [
        (2, "mobile", "invalid_mobile"),
        (3, "name", "missing_name"),
        (4, "mobile", "invalid_mobile"),
    ]


def test_a_row_without_cells_may_be_typed(tmp_path: Path) -> None:
    path = books.workbook(
        tmp_path / "a.xlsx", [["工号", "姓名", "手机"], ["A1"], [], ["合计", None, None], ["A2", "李娜"]]
    )

    typed = {(2, "name"): "王伟", (3, "name"): "赵六", (3, "employee_no"): "A9", (7, "name"): "孙七"}
    found = pipeline.checked(path, Choices(repairs=typed))

    assert people(found) == [(2, "A1", "王伟"), (3, "A9", "赵六"), (5, "A2", "李娜")]
    assert [(i.row, i.code) for i in found.issues] == [(7, "missing_employee_no")]


@pytest.mark.parametrize(
    ("choices", "reason"),
    [
        (Choices(sheet="没有"), "chosen_sheet"),
        (Choices(header_row=99), "chosen_row"),
        (Choices(header_row=0), "chosen_row"),
        (Choices(header_row=-1), "chosen_row"),
        (Choices(columns={"name": (99,)}), "chosen_columns"),
        (Choices(columns={"name": (-1,)}), "chosen_columns"),
        (Choices(columns={"name": (0, 1)}), "chosen_columns"),
        (Choices(columns={"nonsense": (0,)}), "chosen_columns"),
        (Choices(columns={"name": (0,), "grade": (0,)}), "chosen_twice"),
        (Choices(columns={"name": ()}), "incomplete"),
    ],
)
def test_choices_that_do_not_fit_the_file(plain: Path, choices: Choices, reason: str) -> None:
    found = sandbox.check_file(plain, choices)

    assert (found.outcome, found.reject_code, found.reject_reason) == ("rejected", "no_header", reason)
    assert [s.name for s in found.sheets] == ["Sheet1"]
    assert "%(" not in messages.of_rejection(found)


def test_the_sandbox_hands_choices_in_and_everything_out(plain: Path) -> None:
    choices = Choices(
        columns={"mobile": (3,)}, repairs={(4, "name"): "张思"}, spellings={"小组": "department"}
    )

    assert sandbox.check_file(plain, choices) == pipeline.checked(
        plain, Choices.from_json(json.loads(json.dumps(choices.as_json())))
    )


def test_texts_are_what_a_person_sees_and_hide_identity_numbers(tmp_path: Path) -> None:
    rows = [
        ["工号", "姓名", "手机", "入职日期", "身份证号", "备注"],
        [7, "王\u3000伟", 1380013800, "2024-02-30", ID[:-1] + "1", ID],
        ["A2", "李娜", None, None, ID, None],
    ]

    found = pipeline.checked(books.workbook(tmp_path / "a.xlsx", rows))

    assert dict(found.texts[2]) == {
        "employee_no": "7",
        "name": "王 伟",
        "mobile": "1380013800",
        "hired_on": "2024-02-30",
        "id_number": "110*************21",
    }
    assert set(found.texts) == {2}
    assert ID not in repr(found)
    assert "1949" not in repr((found.offered, found.sheets, found.texts))


def test_samples_and_suggestions(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["工号", "姓名", "手机号吗", "电邮", "紧急联系电话", None, "入职日期2"]]
    rows += [
        [f"A{n}", "王伟", f"1380013800{n}", f"a{n}@example.com", "13900139000", f"备注{n}", "2024-01-01"]
        for n in range(5)
    ]

    found = pipeline.checked(books.workbook(tmp_path / "a.xlsx", rows))

    assert [(c.letter, c.heading, c.field, c.suggestion) for c in found.offered] == [
        ("A", "工号", "employee_no", None),
        ("B", "姓名", "name", None),
        ("C", "手机号吗", None, "mobile"),
        ("D", "电邮", None, "email"),
        ("E", "紧急联系电话", None, None),
        ("F", "", None, None),
        ("G", "入职日期2", None, "hired_on"),
    ]
    assert found.offered[0].samples == ("A0", "A1", "A2")
    assert found.offered[1].samples == ("王伟",)
    assert {p.mobile for p in found.employees} == {None}  # offered, never taken


def test_a_text_file_is_one_sheet(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("名单;x,y\n代号;称呼\nA1;王伟\n", encoding="utf-8")

    found = pipeline.checked(
        tmp_path / "a.csv", Choices(header_row=2, columns={"employee_no": (0,), "name": (1,)})
    )

    assert len(found.sheets) == 1
    assert people(found) == [(3, "A1", "王伟")]
