import csv as csvlib
from datetime import UTC, date, datetime
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import pytest

from reports.tables import Column, Kind, Table
from reports.writers import csv, xlsx

HOSTILE = [
    "=1+1",
    '=HYPERLINK("http://127.0.0.1","x")',
    "+cmd|' /C calc'!A0",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "＝1+1",
    "a\x00b\x07c",
]
COLUMNS = [
    Column("姓名", width=20),
    Column("手机号"),
    Column("金额（元）", Kind.FEN, total=True),
    Column("数量", Kind.COUNT, total=True),
    Column("税率", Kind.RATE),
    Column("日期", Kind.DATE),
    Column("时间", Kind.TIME),
]


def row(name: str, fen: int, count: int = 1) -> list[object]:
    late = datetime(2026, 1, 31, 16, 30, 1, tzinfo=UTC)  # already February in China
    return [name, "013800138000", fen, count, 600, date(2026, 2, 28), late]


def table(*rows: list[object], **more: Any) -> Table:
    return Table(title="明细", columns=COLUMNS, rows=rows, **more)


def opened(data: bytes, **how: bool) -> openpyxl.Workbook:
    return openpyxl.load_workbook(BytesIO(data), **how)


def test_a_workbook_keeps_text_as_text_and_numbers_as_numbers() -> None:
    sheet = opened(xlsx.write(table(row("阿依古丽·买买提", 1234567))))["明细"]
    assert [cell.value for cell in sheet[1]] == [column.title for column in COLUMNS]
    name, phone, amount, count, rate, day, time = sheet[2]
    assert (name.value, phone.value, phone.data_type, phone.number_format) == (
        "阿依古丽·买买提",
        "013800138000",
        "s",
        "@",
    )
    assert (amount.value, amount.number_format) == (12345.67, "#,##0.00;[Red]-#,##0.00")
    assert (count.value, rate.value) == (1, 0.06)
    assert day.value == datetime(2026, 2, 28)
    assert time.value == datetime(2026, 2, 1, 0, 30, 1)
    assert sheet.freeze_panes == "A2"
    assert sheet.column_dimensions["A"].width == pytest.approx(20, abs=1)


def test_a_workbook_sums_exactly() -> None:
    rows = [row("a", 10), row("b", 20), row("c", -5), row("d", 99_999_999_999_999)]
    data = xlsx.write(table(*rows, total_label="合计", facts=[("企业", "Acme")]))
    sheet = opened(data)["明细"]
    assert (sheet["A1"].value, sheet["B1"].value) == ("企业", "Acme")
    assert sheet["A3"].value == "姓名"
    assert (sheet["A8"].value, sheet["C8"].value, sheet["D8"].value) == ("合计", "=SUM(C4:C7)", "=SUM(D4:D7)")
    assert opened(data, data_only=True)["明细"]["C8"].value == 1_000_000_000_000.24
    assert opened(data)["明细"]["C7"].value == 999_999_999_999.99


def test_an_empty_table_is_a_good_workbook() -> None:
    sheet = opened(xlsx.write(table(total_label="合计")), data_only=True)["明细"]
    assert (sheet["A2"].value, sheet["C2"].value) == ("合计", 0)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_a_formula_in_a_workbook(text: str) -> None:
    hostile = Table(title=text, columns=[Column(text)], rows=[[text]], facts=[(text, text)], total_label=text)
    workbook = opened(xlsx.write(hostile))
    cells = [cell for line in workbook.worksheets[0].iter_rows() for cell in line if cell.value is not None]
    assert len(cells) == 5
    assert {cell.data_type for cell in cells} == {"s"}
    assert not any(cell.hyperlink for cell in cells)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_a_formula_in_csv(text: str) -> None:
    data = csv.write(Table(title="x", columns=[Column(text)], rows=[[text]]))
    for (cell,) in csvlib.reader(StringIO(data.decode("utf-8-sig"))):
        assert not cell.lstrip().startswith(tuple("=+-@＝"))
        assert "\x00" not in cell


def test_csv_reads_back() -> None:
    data = csv.write(table(row('张"三", 丰\n二', -1234567), row("䶮", 5)))
    assert data.startswith(b"\xef\xbb\xbf")
    lines = list(csvlib.reader(StringIO(data.decode("utf-8-sig"), newline="")))
    assert lines[1] == [
        '张"三", 丰\n二',
        "013800138000",
        "-12345.67",
        "1",
        "6%",
        "2026-02-28",
        "2026-02-01 00:30:01",
    ]
    assert lines[2][:3] == ["䶮", "013800138000", "0.05"]


def test_the_same_rows_make_the_same_bytes() -> None:
    assert xlsx.write(table(row("a", 1))) == xlsx.write(table(row("a", 1)))


def test_sheet_names_are_made_acceptable() -> None:
    titles = ["2026/01 [明细]: *?", "'", "History", "长" * 40, "长" * 40, "明细", "明细"]
    names = opened(xlsx.write(*(Table(title=t, columns=[Column("a")], rows=[]) for t in titles))).sheetnames
    assert len(set(names)) == len(titles)
    assert all(0 < len(name) <= 31 for name in names)


def test_a_value_of_the_wrong_kind_is_a_bug() -> None:
    wrong = Table(title="x", columns=[Column("a", Kind.FEN)], rows=[[1.5]])
    for write in (xlsx.write, csv.write):
        with pytest.raises(TypeError, match="fen"):
            write(wrong)


def test_more_rows_than_a_sheet_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MAX_ROWS", 4)
    with pytest.raises(xlsx.TooManyRows):
        xlsx.write(table(*[row("a", 1)] * 4))
