"""Some rows of a file with all its columns, under headings that are understood again when they come back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from . import details, fields, guard, normalise, read, recognise, rows, seen
from .shapes import Cell, Choices, Details, Header, Problem, Row

MOST_ROWS = 50_000
MOST_COLUMNS = 200

Heading = tuple[str, str | None]  # what it says, the field it stands for
Line = tuple[int, list[Any]]  # row in the file, its cells as text, numbers and days


def of_file(path: Path, choices: Choices, wanted: Collection[int]) -> tuple[list[Heading], list[Line]]:
    """The wanted rows as they stand in the file. Run it in the sandbox's child. Raises Rejected."""
    container = guard.inspect(path)
    table = recognise.recognise(read.read(path, container), choices)
    numbers = table.header.columns.get("employee_no", ())
    more = details.details(path, container, table.sheet, numbers)
    places = _places(table.header)
    field_of = {place: name for name, chosen in table.header.columns.items() for place in chosen}
    headings = [(_heading(table.header, place, field_of.get(place)), field_of.get(place)) for place in places]
    lines = [
        (number, [_plain(_cell(row, place), field_of.get(place), more) for place in places])
        for number, row in _some(rows.people_rows(table, more, always=wanted), wanted)
    ]
    return headings, lines


def _some(found: Iterator[tuple[int, Row]], wanted: Collection[int]) -> Iterator[tuple[int, Row]]:
    left = MOST_ROWS
    for number, row in found:
        if number in wanted and left:
            left -= 1
            yield number, row


def _places(header: Header) -> list[int]:
    used = {place for places in header.columns.values() for place in places}
    return sorted(used | set(header.headings))[:MOST_COLUMNS]


def _heading(header: Header, place: int, field: str | None) -> str:
    """The column's own heading, unless a file with that heading alone would be read otherwise."""
    own = recognise.visible(header.headings.get(place, ""))
    named = fields.named(fields.fold(own))
    if field is None:
        is_beaten = any(place == other for other, _ in header.doubled)
        return own if named is None or is_beaten else f"— / {own}"
    levels = header.columns[field]
    if len(levels) > 1:
        spellings = {level: spelling for spelling, level in fields.LEVELS.items()}
        return spellings.get(levels.index(place) + 1, own)
    return own if named and named[0] == field else fields.BY_NAME[field].spellings[0]


def _cell(row: Row, place: int) -> Cell:
    return row[place] if place < len(row) else ""


def _plain(cell: Cell, field: str | None, more: Details) -> Any:
    """A cell as text, number or day. What people read as digits is text, so that Excel leaves it alone."""
    is_date = field is not None and fields.BY_NAME[field].is_date
    if is_date and (more.date1904 or not isinstance(cell, str)):
        value = normalise.attempt(partial(normalise.date, date1904=more.date1904), cell)
        return seen.text(cell) if value is None or isinstance(value, Problem) else value
    if isinstance(cell, dt.datetime):
        return cell.date() if cell.time() == dt.time() else seen.text(cell)
    is_amount = field in (None, "points") and type(cell) in (float, int) and cell == cell and abs(cell) < 1e15  # type: ignore[arg-type, operator]
    return cell if is_amount or type(cell) is dt.date else seen.text(cell, 32_000)
