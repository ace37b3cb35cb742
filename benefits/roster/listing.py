"""A list of employee numbers with points, as a file or as typed lines: found, read and checked. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from . import fields, guard, normalise, read
from .shapes import Cell, Problem, Rejected, Row

Amount = tuple[int, str, "int | Decimal | None"]  # row, employee number, points
Fault = tuple[int, str, str]  # row, field, code

HEADER_WITHIN = 50
MOST_ROWS = 50_000


def of_file(path: Path) -> tuple[list[Amount], list[Fault]]:
    """The amounts of the first visible sheet that names the employee numbers. Run it in the sandbox's child."""
    book = read.read(path, guard.inspect(path))
    for sheet in book.sheets:
        if (found := _header(sheet.rows)) is not None:
            return _amounts(enumerate(sheet.rows[found[0] :], start=found[0] + 1), *found[1:])
    raise Rejected("no_header")


def of_text(text: str) -> tuple[list[Amount], list[Fault]]:
    """Lines like `A001 500`: a number, then optionally points, set apart by a tab, comma, semicolon or blanks."""
    rows: list[tuple[int, Row]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        parts = line.replace("，", ",").replace("；", ";").replace(";", ",").replace("\t", ",").split(",")
        if len(parts) == 1:
            parts = line.rsplit(maxsplit=1)
        cells: Row = [part.strip() for part in parts]
        if any(cells) and not _names_number(cells[0]):
            rows.append((number, cells))
    return _amounts(rows, 0, 1)


def _names_number(cell: Cell) -> bool:
    named = fields.named(fields.fold(cell)) if isinstance(cell, str) and cell else None
    return named is not None and named[0] == "employee_no"


def _header(rows: list[Row]) -> tuple[int, int, int | None] | None:
    for index, row in enumerate(rows[:HEADER_WITHIN]):
        named: dict[str, int] = {}
        for column, cell in enumerate(row):
            if isinstance(cell, str) and (found := fields.named(fields.fold(cell))) is not None:
                named.setdefault(found[0], column)
        if "employee_no" in named:
            return index + 1, named["employee_no"], named.get("points")
    return None


def _amounts(
    rows: Iterable[tuple[int, Row]], number_at: int, points_at: int | None
) -> tuple[list[Amount], list[Fault]]:
    amounts: list[Amount] = []
    faults: list[Fault] = []
    seen: set[str] = set()
    for row, cells in rows:
        if not any(cell != "" for cell in cells):
            continue
        number = normalise.attempt(normalise.employee_no, _cell(cells, number_at))
        points: int | Decimal | Problem | None = normalise.attempt(
            normalise.points, "" if points_at is None else _cell(cells, points_at)
        )
        if number is None or isinstance(number, Problem):
            faults.append((row, "employee_no", number.code if number else "missing_employee_no"))
        elif isinstance(points, Problem):
            faults.append((row, "points", points.code))
        elif number in seen:
            faults.append((row, "employee_no", "duplicate"))
        elif len(amounts) >= MOST_ROWS:
            raise Rejected("too_large", "rows", rows=MOST_ROWS)
        else:
            seen.add(number)
            amounts.append((row, number, points))
    return amounts, faults


def _cell(cells: Row, column: int) -> Cell:
    return cells[column] if column < len(cells) else ""
