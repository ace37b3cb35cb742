"""The whole reading of a file in this process: guard, read, recognise, normalise, check. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import check, details, guard, offers, read, recognise, rows, seen
from .recognise import visible
from .shapes import Book, Checked, Choices, Container, Issue, Note, Rejected, Row, Table, letter

MOST_TEXTS = (
    20_000  # rows whose cells are shown as they read; a file with more problems than that needs Excel
)


def checked(path: Path, choices: Choices = Choices()) -> Checked:
    """The fate of every row of the file, read as people chose. Runs any parser only inside the sandbox's child."""
    try:
        container = guard.inspect(path)
        return _of_book(path, container, read.read(path, container), choices)
    except Rejected as rejected:
        return _rejection(rejected)


def _rejection(rejected: Rejected, **found: Any) -> Checked:
    return Checked(
        outcome="rejected",
        reject_code=rejected.code,
        reject_reason=rejected.reason,
        reject_params=rejected.params,
        **found,
    )


def _of_book(path: Path, container: Container, book: Book, choices: Choices) -> Checked:
    surveyed = recognise.survey(book, choices.spellings)
    about: dict[str, Any] = {"kind": book.kind, "sheets": offers.sheets(surveyed)}
    try:
        table = recognise.table(surveyed, choices)
    except Rejected as rejected:
        return _rejection(rejected, **about)
    name = table.sheet.name
    about |= {
        "sheet": None if name is None else visible(name),
        "header_row": table.header.last_row,
        "columns": {f: tuple(map(letter, places)) for f, places in table.header.columns.items()},
        "offered": offers.columns(table),
    }
    if not table.header.is_complete:
        return _rejection(Rejected("no_header", "incomplete", row=table.header.last_row), **about)
    return replace(_of_table(path, container, table, choices, book), **about)


@dataclass(frozen=True)
class _Left:
    """The rows that are read, and those that people left out."""

    rows: list[tuple[int, Row]]
    hidden: int  # read although hidden
    left_out: int  # hidden, and therefore not read


def _of_table(path: Path, container: Container, table: Table, choices: Choices, book: Book) -> Checked:
    numbers = table.header.columns.get("employee_no", ())
    more = details.details(path, container, table.sheet, numbers)
    hidden = {index + 1 for index in more.hidden_rows}
    without = choices.skipped | hidden if choices.without_hidden else choices.skipped
    always = {row for (row, _), text in choices.repairs.items() if text and row > table.header.last_row}
    found = list(rows.people_rows(table, more, without=without, always=always))
    accepted, held, issues = check.check(found, table.header, date1904=more.date1904, repairs=choices.repairs)
    left_out = len(hidden.intersection(range(table.header.last_row + 1, len(table.sheet.rows) + 1)))
    shown = 0 if choices.without_hidden else sum(1 for number, _ in found if number in hidden)
    left = _Left(found, shown, left_out if choices.without_hidden else 0)
    return Checked(
        outcome="ok",
        employees=tuple(accepted),
        held=tuple(held),
        issues=tuple(issues),
        notes=tuple(_notes(book, table, left)),
        texts=_texts(found, table, issues, choices),
    )


def _texts(
    found: list[tuple[int, Row]], table: Table, issues: list[Issue], choices: Choices
) -> Mapping[int, Mapping[str, str]]:
    """The cells of rows that a person has to look at, or has typed into, as they read in the file."""
    wanted = {issue.row for issue in issues if issue.severity == "error"} | {
        row for row, _ in choices.repairs
    }
    if not wanted:
        return {}
    rows_wanted = [(number, row) for number, row in found if number in wanted]
    return {number: seen.by_field(row, table.header.columns) for number, row in rows_wanted[:MOST_TEXTS]}


def _notes(book: Book, table: Table, left: _Left) -> list[Note]:
    notes = []
    if book.encoding:
        notes.append(Note("encoding", {"encoding": book.encoding}))
    if left.hidden:
        notes.append(Note("hidden_rows", {"count": left.hidden}))
    if left.left_out:
        notes.append(Note("hidden_rows_left_out", {"count": left.left_out}))
    notes += [Note("other_sheet", {"sheet": visible(name)}) for name in table.other_sheets[:20]]
    for code, columns in (("ignored_column", table.header.ignored), ("doubled_column", table.header.doubled)):
        notes += [
            Note(code, {"column": letter(c), "heading": seen.masked(visible(h))[:40]})
            for c, h in columns[:50]
        ]
    if not left.rows:
        notes.append(Note("no_data_rows", {}))
    return notes
