"""From the chosen table to the rows that speak of people: titles, totals and repeated headers left out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from . import fields
from .formats import shown
from .parts import LIMITS
from .shapes import Cell, CellError, Details, Header, NoValue, Rejected, Row, Table

_FOOTERS = ("合计", "总计", "小计", "制表", "审核", "备注", "说明", "注:", "打印", "共计", "填表", "以下空白")
_ALSO_DEPARTMENTS = ("审核", "打印", "制表", "说明", "备注")  # no sums: 审核部 may have staff
_FOOTER_STARTS = frozenset(footer[0] for footer in _FOOTERS)
_ASKS_FOR_A_LOOK = _FOOTER_STARTS | frozenset(" \t\r\n\u3000\xa0")
_NAMES_A_NAME = re.compile("名|称|[Nn]|[^\u4e00-\u9fffA-Za-z0-9·•]")  # what a heading over names may hold


def people_rows(
    table: Table, details: Details, *, without: Collection[int] = (), always: Collection[int] = ()
) -> Iterator[tuple[int, Row]]:
    """(Excel row, cells) of every row that should be a person, with what the details say laid over.

    Rows in `without` are left out; rows in `always` (something was typed for them) are people whatever they hold.
    """
    header = table.header
    rows = table.sheet.rows
    used = sorted({column for columns in header.columns.values() for column in columns})
    special = _special_cells(table, details)
    filled = _filled_down(table)
    name = header.columns["name"][0]
    heading = header.headings.get(name, "")
    # Rows that hold nothing but formulas without a value look blank to the reader, and the last ones are missing.
    end = max([len(rows), *(index + 1 for index in special)])
    for index in range(header.last_row, end):
        row = rows[index] if index < len(rows) else []
        if index in special:
            row = _overlaid(row, special[index])
        is_person = row and (
            _is_plain(row, name)
            or not (_is_footer(row, header) or _is_blank(row, used) or _repeats_header(row, name, heading))
        )
        if (is_person or index + 1 in always) and index + 1 not in without:
            yield index + 1, _overlaid(row, filled[index]) if index in filled else row
    for number in sorted(always):
        if number > max(end, header.last_row) and number not in without:
            yield number, []


def _is_plain(row: Row, name: int) -> bool:
    """Whether a row cannot be a footer, blank or a repeated header: its first cell and its name say so."""
    first = row[0]
    if type(first) is str:
        if not first or first[0] in _ASKS_FOR_A_LOOK:
            return False
    elif type(first) is not float:
        return False
    cell = row[name] if name < len(row) else ""
    return type(cell) is str and bool(cell) and not _NAMES_A_NAME.search(cell)


def _overlaid(row: Row, changes: dict[int, Cell]) -> Row:
    row = row + [""] * (max(changes) + 1 - len(row))
    for column, cell in changes.items():
        row[column] = cell
    return row


def _special_cells(table: Table, details: Details) -> dict[int, dict[int, Cell]]:
    """Error cells, formulas without a value and padded employee numbers, by row and column."""
    cells: dict[int, dict[int, Cell]] = {}
    numbers = table.header.columns.get("employee_no", ())
    rows = table.sheet.rows
    for (row, column), text in details.errors.items():
        cells.setdefault(row, {})[column] = CellError(text)
    for row, column in details.without_value:
        cells.setdefault(row, {})[column] = NoValue()
    for (row, column), code in details.formats.items():
        if column in numbers and row < len(rows) and column < len(rows[row]):
            value = rows[row][column]
            if isinstance(value, float | int) and (padded := shown(value, code)) is not None:
                cells.setdefault(row, {})[column] = padded
    return cells


def _filled_down(table: Table) -> dict[int, dict[int, Cell]]:
    """A department merged over several rows belongs to each of them."""
    cells: dict[int, dict[int, Cell]] = {}
    rows = table.sheet.rows
    columns = table.header.columns.get("department", ())
    filled = 0
    for merge in table.sheet.merges:
        if merge.left not in columns or merge.top < table.header.last_row or merge.top >= len(rows):
            continue
        first = rows[merge.top]
        value = first[merge.left] if merge.left < len(first) else ""
        below = range(merge.top + 1, min(merge.bottom + 1, len(rows)))
        filled += len(below)
        if filled > LIMITS.area:  # merges never overlap in an honest file
            raise Rejected("corrupt", "merges")
        for row in below:
            cells.setdefault(row, {})[merge.left] = value
    return cells


def _is_blank(row: Row, used: list[int]) -> bool:
    width = len(row)
    for column in used:
        if column < width:
            cell = row[column]
            if type(cell) is not str or (cell and not cell.isspace()):
                return False
    return True


def _is_footer(row: Row, header: Header) -> bool:
    """Whether the first filled cell begins like a sum or a signature, and the row is not somebody of 审核部."""
    for column, cell in enumerate(row):
        if type(cell) is not str:
            return False
        if not cell:
            continue
        text = cell.lstrip()
        if text:
            if text[0] not in _FOOTER_STARTS or not fields.fold(text[:40] + "|").startswith(_FOOTERS):
                return False
            return not (text.startswith(_ALSO_DEPARTMENTS) and _is_of_department(row, column, header))
    return False


def _is_of_department(row: Row, column: int, header: Header) -> bool:
    if column not in header.columns.get("department", ()):
        return False
    number, name = (
        row[places[0]] if (places := header.columns.get(field, ())) and places[0] < len(row) else ""
        for field in ("employee_no", "name")
    )
    has_number = any(char.isdigit() for char in str(number))
    return has_number and type(name) is str and bool(name.strip())


def _repeats_header(row: Row, name_column: int, heading: str) -> bool:
    cell = row[name_column] if name_column < len(row) else ""
    if type(cell) is not str or not 1 < len(cell) < 20:
        return False
    named = fields.named(fields.fold(cell))
    if cell != heading and (named is None or named[0] != "name"):
        return False
    known = [c for c in row if type(c) is str and fields.named(fields.fold(c))]
    return len(known) >= 2
