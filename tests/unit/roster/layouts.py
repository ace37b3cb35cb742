"""Rosters in any layout: the same people, written as another program or another person would write them."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import xlsxwriter

from benefits.roster import fields
from benefits.roster.shapes import Person
from tests.unit.roster import books

KINDS = ("xlsx", "ods", "csv", "tab", "semicolon", "gb18030", "utf-16")
_SURNAMES, _GIVEN = "王李张刘陈杨赵黄周吴徐孙朱胡林郭何罗欧阳", "伟芳娜敏静磊洋艳勇杰轩涵雨桐思远佳怡䶮"
_DEPARTMENTS = ("财务部", "技术中心/后端组", "技术中心/前端组", "市场-品牌部", "R&D/Platform", "人力资源部")
_OTHERS = {
    "序号": "number",
    "性别": "sex",
    "办公电话": "phone",
    "备注": "note",
    "直属上级": "boss",
    "岗位": "post",
}
_TITLES = (
    ["员工花名册"],
    ["XX有限公司 2024年"],
    [],
    ["编制部门：人力资源部", "", "日期：2024-01-01"],
    ["说明：请勿外传"],
    [""],
)
_FOOTERS = (["合计", "", "3人"], ["制表人：赵某", "", "审核："], [], ["备注：以上人员已核对"], ["总 计"])


@dataclass
class Layout:
    """How one roster is written: rows of cells, merges counted from 0, number formats by place."""

    kind: str
    people: list[Person]
    rows: list[list[Any]] = field(default_factory=list)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    formats: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden_sheet: bool = False

    @property
    def has_merges(self) -> bool:
        return self.kind in ("xlsx", "ods")


def draw(random: Random, kind: str | None = None) -> Layout:
    """A roster of up to eight people in a layout by chance."""
    layout = Layout(kind=kind or random.choice(KINDS), people=[])
    people = [_person(random, number) for number in range(random.randint(1, 8))]
    columns = _columns(random)
    if is_merged := layout.has_merges and "department" in columns and random.random() < 0.4:
        people.sort(key=lambda one: one["department"] or "")
    for _ in range(random.randint(0, 3)):
        layout.rows.append(list(random.choice(_TITLES)))
    _add_header(random, layout, columns)
    top = len(layout.rows)
    for number, one in enumerate(people):
        if number and random.random() < 0.05:
            layout.rows.append([random.choice(["", " ", None])] * random.randint(0, 3))
        layout.people.append(_read_back(one, columns, len(layout.rows) + 1))
        cells = [_cell(random, layout, name, one, number, place) for place, name in enumerate(columns)]
        layout.rows.append(cells)
    if is_merged:
        _merge_departments(layout, columns.index("department"), top)
    for _ in range(random.randint(0, 2)):
        layout.rows.append(list(random.choice(_FOOTERS)))
    layout.hidden_sheet = random.random() < 0.2
    return layout


def _person(random: Random, number: int) -> dict[str, Any]:
    def maybe(value: Any) -> Any:
        return value if random.random() < 0.7 else None

    name = random.choice(_SURNAMES) + "".join(random.choices(_GIVEN, k=random.randint(1, 2)))
    return {
        "employee_no": random.choice(["A{:03d}", "{:05d}", "1{:04d}", "HR-{}", "x{}y"]).format(number),
        "name": random.choice([name, name, name, "Mary Ann Lee", "阿依古丽·买买提"]),
        "mobile": maybe(
            f"1{random.choice('3456789')}{random.randint(0, 9)}{random.randint(10**6, 10**7 - 1)}{number}"
        ),
        "department": maybe(random.choice(_DEPARTMENTS)),
        "email": maybe(f"e{number}.{random.randint(1, 99)}@example.com"),
        "hired_on": maybe(dt.date(2000, 1, 1) + dt.timedelta(days=random.randint(0, 9000))),
        "birthday": maybe(dt.date(1960, 1, 1) + dt.timedelta(days=random.randint(0, 15000))),
        "grade": maybe(random.choice(["P4", "M2", "专家"])),
        "status": random.choice(["active", "active", "left"]),
    }


def _columns(random: Random) -> list[str]:
    """The fields and other columns, in an order by chance; a number and a name are always among them."""
    optional = ["mobile", "department", "email", "hired_on", "birthday", "grade", "status"]
    chosen = ["employee_no", "name", *random.sample(optional, random.randint(0, len(optional)))]
    chosen += random.sample(list(_OTHERS), random.randint(0, 3))
    random.shuffle(chosen)
    return chosen


def _heading(random: Random, name: str) -> str:
    if name not in fields.BY_NAME:
        return name
    spelling = random.choice(fields.BY_NAME[name].spellings)
    return random.choice(
        [spelling, f"*{spelling}", f"{spelling}（必填）", f" {spelling}：", f"{spelling}_col1"]
    )


def _add_header(random: Random, layout: Layout, columns: list[str]) -> None:
    headings = [_heading(random, name) for name in columns]
    if not layout.has_merges or random.random() < 0.6:
        layout.rows.append(headings)
        return
    # Two rows: every column merged down, and somebody else's name and number under a group at the end.
    top, left = len(layout.rows), len(columns)
    layout.rows += [[*headings, "紧急联系人", None], [*([None] * left), "姓名", "电话"]]
    layout.merges += [(top, place, top + 1, place) for place in range(left)]
    layout.merges.append((top, left, top, left + 1))


def _read_back(one: dict[str, Any], columns: list[str], row: int) -> Person:
    known = {name: one[name] for name in columns if name in fields.BY_NAME}
    return Person(row=row, **{"status": "active", **known})


def _cell(random: Random, layout: Layout, name: str, one: dict[str, Any], number: int, place: int) -> Any:
    if name not in one:
        return {"number": number + 1, "sex": "女", "phone": "010-88886666", "boss": "赵总"}.get(_OTHERS[name])
    value = one[name]
    is_book = layout.has_merges
    if value is None:
        return random.choice([None, "", "-", "无", "N/A"]) if name != "department" else None
    if name == "employee_no" and is_book and value.isdigit() and random.random() < 0.5:
        if value[0] == "0" and layout.kind != "xlsx":
            return value
        layout.formats[len(layout.rows), place] = "0" * len(value)
        return int(value)
    if name == "mobile":
        written = [value, f"+86 {value}", f"{value[:3]}-{value[3:7]}-{value[7:]}", f" {value}\u3000"]
        return random.choice([*written, int(value) if is_book else f'="{value}"'])
    if name in ("hired_on", "birthday"):
        written = [
            f"{value:%Y-%m-%d}",
            f"{value:%Y/%m/%d}",
            f"{value:%Y%m%d}",
            f"{value.year}年{value.month}月{value.day}日",
        ]
        serial = (value - dt.date(1899, 12, 30)).days
        return random.choice(
            [*written, f"{value.year}.{value.month}.{value.day}", *([value, serial] if is_book else [])]
        )
    if name == "status":
        return random.choice(
            ["在职", "正式", "试用期", "Active"] if value == "active" else ["离职", "已离职", "Resigned"]
        )
    if name == "email":
        return random.choice([value, value.upper(), value.replace("@", "＠")])
    if name == "name":
        return random.choice([value, f"{value} ", value.replace("·", "•"), f"\u200b{value}"])
    return value


def _merge_departments(layout: Layout, place: int, top: int) -> None:
    """Equal departments in rows that follow each other become one merged cell."""
    row = top
    while row < len(layout.rows):
        value = layout.rows[row][place] if place < len(layout.rows[row]) else None
        end = row
        while value and end + 1 < len(layout.rows) and layout.rows[end + 1][place : place + 1] == [value]:
            end += 1
            layout.rows[end][place] = None
        if end > row:
            layout.merges.append((row, place, end, place))
        row = end + 1


# --- writers -------------------------------------------------------------------------------------------


def write(layout: Layout, path: Path) -> Path:
    """The layout as a file."""
    if layout.kind == "xlsx":
        return _write_xlsx(layout, path)
    if layout.kind == "ods":
        return books.ods(path, layout.rows, merges=layout.merges)
    out = io.StringIO()
    delimiter = {"tab": "\t", "utf-16": "\t", "semicolon": ";"}.get(layout.kind, ",")
    csv.writer(out, delimiter=delimiter).writerows(layout.rows)
    encoding = {"gb18030": "gb18030", "utf-16": "utf-16", "csv": "utf-8-sig"}.get(layout.kind, "utf-8")
    path.write_bytes(out.getvalue().encode(encoding))
    return path


def _write_xlsx(layout: Layout, path: Path) -> Path:
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    page = book.add_worksheet("员工")
    looks = {code: book.add_format({"num_format": code}) for code in {*layout.formats.values(), "yyyy-mm-dd"}}
    for top, left, bottom, right in layout.merges:
        page.merge_range(top, left, bottom, right, "")
    for r, row in enumerate(layout.rows):
        for c, value in enumerate(row):
            code = layout.formats.get((r, c), "yyyy-mm-dd" if isinstance(value, dt.date) else "")
            if isinstance(value, str):
                page.write_string(r, c, value, looks.get(code))
            elif value is not None:
                page.write(r, c, value, looks.get(code))
    if layout.hidden_sheet:
        other = book.add_worksheet("旧版")
        for r in range(40):
            other.write_row(r, 0, ["工号", "姓名"] if r == 0 else [f"旧{r}", "旧人"])
        other.hide()
    book.close()
    return path
