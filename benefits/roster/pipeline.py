"""The whole reading of a file in this process: guard, read, recognise, normalise, check. Pure."""

from __future__ import annotations

from pathlib import Path

from . import check, details, guard, read, recognise, rows
from .shapes import Book, Checked, Details, Note, Rejected, Table, letter


def checked(path: Path) -> Checked:
    """The fate of every row of the file. Runs any parser only inside the sandbox's child."""
    try:
        return _checked(path)
    except Rejected as rejected:
        return Checked(
            outcome="rejected",
            reject_code=rejected.code,
            reject_reason=rejected.reason,
            reject_params=rejected.params,
        )


def _checked(path: Path) -> Checked:
    container = guard.inspect(path)
    book = read.read(path, container)
    table = recognise.recognise(book)
    more = details.details(path, container, table.sheet.name)
    found = list(rows.people_rows(table, more))
    accepted, held, issues = check.check(found, table.header, date1904=more.date1904)
    return Checked(
        outcome="ok",
        kind=book.kind,
        sheet=None if table.sheet.name is None else _visible(table.sheet.name),
        header_row=table.header.last_row,
        columns={f: tuple(map(letter, places)) for f, places in table.header.columns.items()},
        employees=tuple(accepted),
        held=tuple(held),
        issues=tuple(issues),
        notes=tuple(_notes(book, table, more, [number for number, _ in found])),
    )


def _visible(text: str | None) -> str:
    """A name from the file as it may be stored and shown: what cannot be printed becomes a blank."""
    return "".join(char if char.isprintable() else " " for char in text or "")


def _notes(book: Book, table: Table, more: Details, numbers: list[int]) -> list[Note]:
    notes = []
    if book.encoding:
        notes.append(Note("encoding", {"encoding": book.encoding}))
    if hidden := sum(1 for number in numbers if number - 1 in more.hidden_rows):
        notes.append(Note("hidden_rows", {"count": hidden}))
    notes += [Note("other_sheet", {"sheet": _visible(name)}) for name in table.other_sheets[:20]]
    notes += [
        Note("ignored_column", {"column": letter(c), "heading": _visible(h[:40])})
        for c, h in table.header.ignored[:50]
    ]
    notes += [
        Note("doubled_column", {"column": letter(c), "heading": _visible(h[:40])})
        for c, h in table.header.doubled[:50]
    ]
    if not numbers:
        notes.append(Note("no_data_rows", {}))
    return notes
