"""Workbooks: text stays text, amounts are exact numbers with two decimals, sums are formulas that carry their value."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from reports.tables import CHINA, Column, Kind, Table, cleaned

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_ROWS = 1_048_576
_CREATED = datetime(2020, 1, 1, tzinfo=UTC)  # fixed, so that the same rows make the same bytes
_FONT = {"font_name": "Noto Sans CJK SC", "font_size": 10, "valign": "vcenter"}
_NUMBER_FORMATS = {
    Kind.TEXT: "@",
    Kind.FEN: "#,##0.00;[Red]-#,##0.00",
    Kind.COUNT: "#,##0",
    Kind.RATE: "0.##%",
    Kind.DATE: "yyyy-mm-dd",
    Kind.TIME: "yyyy-mm-dd hh:mm:ss",
}


class TooManyRows(ValueError):
    """A sheet of a workbook holds 1,048,576 rows; write CSV or a shorter period."""


def write(*tables: Table) -> bytes:
    """The tables as one workbook, a sheet each, with frozen and filterable headings."""
    out = BytesIO()
    workbook = xlsxwriter.Workbook(
        out,
        {
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
            "constant_memory": True,
        },
    )
    workbook.set_properties({"created": _CREATED})
    formats = {
        kind: workbook.add_format({**_FONT, "num_format": code}) for kind, code in _NUMBER_FORMATS.items()
    }
    sums = {
        kind: workbook.add_format({**_FONT, "num_format": code, "bold": True, "top": 1})
        for kind, code in _NUMBER_FORMATS.items()
    }
    heading = workbook.add_format(
        {**_FONT, "bold": True, "bg_color": "#E3EFEC", "bottom": 1, "text_wrap": True, "num_format": "@"}
    )
    names: set[str] = set()
    for table in tables:
        sheet = workbook.add_worksheet(_sheet_name(table.title, names))
        _write_table(sheet, table, heading=heading, formats=formats, sums=sums)
    workbook.close()
    return out.getvalue()


def _write_table(
    sheet: Worksheet, table: Table, *, heading: Format, formats: dict[Kind, Format], sums: dict[Kind, Format]
) -> None:
    for index, column in enumerate(table.columns):
        sheet.set_column(index, index, column.width, formats[column.kind])
    row = 0
    for label, fact in table.facts:
        sheet.write_string(row, 0, cleaned(label), formats[Kind.TEXT])
        sheet.write_string(row, 1, cleaned(fact), formats[Kind.TEXT])
        row += 1
    row += bool(table.facts)
    for index, column in enumerate(table.columns):
        sheet.write_string(row, index, cleaned(column.title), heading)
    first = row + 1
    sheet.freeze_panes(first, 0)
    sheet.repeat_rows(row)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)

    totals = [0] * len(table.columns)
    for values in table.rows:
        row += 1
        if row >= MAX_ROWS - 1:
            raise TooManyRows(table.title)
        for index, (column, value) in enumerate(zip(table.columns, values, strict=True)):
            _write_cell(sheet, row, index, column, value, formats[column.kind])
            if column.total and isinstance(value, int):
                totals[index] += value
    sheet.autofilter(first - 1, 0, max(row, first), len(table.columns) - 1)
    if table.total_label:
        _write_sums(sheet, table, first=first, last=row, totals=totals, formats=sums)


def _write_cell(sheet: Worksheet, row: int, index: int, column: Column, value: object, style: Format) -> None:
    match column.kind, value:
        case _, None | "":
            sheet.write_blank(row, index, None, style)
        case Kind.FEN, int():
            sheet.write_number(row, index, Decimal(value).scaleb(-2), style)
        case Kind.RATE, int():
            sheet.write_number(row, index, Decimal(value).scaleb(-4), style)
        case Kind.COUNT, int():
            sheet.write_number(row, index, value, style)
        case Kind.TIME, datetime():
            sheet.write_datetime(
                row, index, value.astimezone(CHINA).replace(tzinfo=None, microsecond=0), style
            )
        case Kind.DATE, date():
            sheet.write_datetime(row, index, value, style)
        case Kind.TEXT, _:
            sheet.write_string(row, index, cleaned(value), style)
        case _:
            raise TypeError(
                f"{column.title}: {column.kind.value} cannot be written from {type(value).__name__}"
            )


def _write_sums(
    sheet: Worksheet,
    table: Table,
    *,
    first: int,
    last: int,
    totals: Sequence[int],
    formats: dict[Kind, Format],
) -> None:
    row = last + 1
    for index, column in enumerate(table.columns):
        if not column.total:
            sheet.write_blank(row, index, None, formats[Kind.TEXT])
            continue
        name = xl_col_to_name(index)
        value = Decimal(totals[index]).scaleb(-2) if column.kind is Kind.FEN else totals[index]
        formula = f"=SUM({name}{first + 1}:{name}{last + 1})" if last >= first else "=0"
        sheet.write_formula(row, index, formula, formats[column.kind], value)
    if not table.columns[0].total:
        sheet.write_string(row, 0, cleaned(table.total_label), formats[Kind.TEXT])


def _sheet_name(title: object, taken: set[str]) -> str:
    """A name Excel accepts: at most 31 characters, none of []:*?/\\, no quotes at the ends, once in the workbook."""
    base = re.sub(r"[\[\]:*?/\\\n\t]", " ", cleaned(title)).strip(" '") or "Sheet"
    if base.lower() == "history":  # a name Excel keeps for itself
        base += " 1"
    name, number = base[:31].strip(" '"), 1
    while name.lower() in taken:
        number += 1
        name = f"{base[: 28 - len(str(number))]} ({number})"
    taken.add(name.lower())
    return name
