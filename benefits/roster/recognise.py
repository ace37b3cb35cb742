"""Find the table in a book: which sheet, where its header is, which column is which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from . import fields, headings
from .shapes import Book, Choices, Header, Rejected, Sheet, Table

HEADER_WITHIN = 50  # rows searched from the top
_SIDE_SHEETS = ("离职", "历史", "备份", "说明")


class Surveyed(NamedTuple):
    """A visible sheet and the header that was found in it, if any."""

    sheet: Sheet
    header: Header | None


def survey(book: Book, spellings: Mapping[str, str] | None = None) -> tuple[Surveyed, ...]:
    """Every visible sheet with its header. `spellings` were taught by people and go before our own."""
    return tuple(Surveyed(sheet, find_header(sheet, spellings or {})) for sheet in book.sheets)


def recognise(book: Book, choices: Choices = Choices()) -> Table:
    """The best table of the book, or the chosen one. Raises Rejected where there is none."""
    return table(survey(book, choices.spellings), choices)


def table(surveyed: Sequence[Surveyed], choices: Choices) -> Table:
    """The table to read, as chosen or as found. Its header is complete unless a row was chosen by hand.

    Raises Rejected where no sheet has a header, or where a choice does not fit the file.
    """
    among = _of_chosen_sheet(surveyed, choices.sheet)
    if choices.header_row is not None:
        sheet, header = _at_chosen_row(among, choices.header_row, choices.spellings)
    else:
        found = [(s.sheet, s.header) for s in among if s.header is not None]
        if not found:
            raise Rejected("no_header", "" if choices.sheet is None else "in_sheet")
        sheet, header = max(found, key=lambda pair: _rank(*pair))
    if choices.columns:
        header = corrected(header, choices.columns, width=max(map(len, sheet.rows), default=0))
    others = tuple(s.sheet.name for s in surveyed if s.header and s.sheet is not sheet and s.sheet.name)
    return Table(sheet=sheet, header=header, other_sheets=others)


def _of_chosen_sheet(surveyed: Sequence[Surveyed], name: str | None) -> Sequence[Surveyed]:
    if name is None:
        return surveyed
    among = [
        s for s in surveyed if s.sheet.name is not None and name in (s.sheet.name, visible(s.sheet.name))
    ]
    if not among:
        raise Rejected("no_header", "chosen_sheet", sheet=visible(name)[:40])
    return among[:1]


def _at_chosen_row(
    among: Sequence[Surveyed], last_row: int, spellings: Mapping[str, str]
) -> tuple[Sheet, Header]:
    """The header that ends in this row, however little of it is known."""
    found = [
        (s.sheet, headings.at(s.sheet, last_row, spellings)) for s in among if _has_row(s.sheet, last_row)
    ]
    if not found:
        raise Rejected("no_header", "chosen_row", row=last_row)
    return max(found, key=lambda pair: (pair[1].is_complete, *_rank(*pair), len(pair[1].headings)))


def _has_row(sheet: Sheet, number: int) -> bool:
    return 1 <= number <= len(sheet.rows) and bool(sheet.rows[number - 1])


def _rank(sheet: Sheet, header: Header) -> tuple[bool, int, int]:
    """A main sheet before a side sheet, then the one with most rows, then the one with most columns known."""
    name = fields.fold(sheet.name or "")  # 在职（不含离职） is no side sheet
    is_main = not any(word in name for word in _SIDE_SHEETS)
    return is_main, rows_below(sheet, header), len(header.columns)


def rows_below(sheet: Sheet, header: Header | None) -> int:
    """How many rows that are not blank follow the header."""
    return sum(1 for row in sheet.rows[header.last_row if header else 0 :] if row)


def visible(text: str) -> str:
    """A name from the file as it may be stored and shown: what cannot be printed becomes a blank."""
    return "".join(char if char.isprintable() else " " for char in text)


def find_header(sheet: Sheet, spellings: Mapping[str, str] | None = None) -> Header | None:
    """The first row, or rows joined, that names a name and an employee number or a mobile."""
    for index, row in enumerate(sheet.rows[:HEADER_WITHIN]):
        if row and (found := headings.beginning_at(sheet, index, spellings or {})) is not None:
            return found
    return None


def corrected(header: Header, columns: Mapping[str, tuple[int, ...]], *, width: int) -> Header:
    """The header with fields put on other columns by hand. Raises Rejected where these do not exist."""
    chosen = {name: tuple(dict.fromkeys(places)) for name, places in columns.items()}
    taken = [place for places in chosen.values() for place in places]
    for name, places in chosen.items():
        if name not in fields.BY_NAME or (len(places) > 1 and name != "department"):
            raise Rejected("no_header", "chosen_columns", field=visible(name)[:40])
        if not all(0 <= place < width for place in places):
            raise Rejected("no_header", "chosen_columns", field=name)
    if len(set(taken)) != len(taken):
        raise Rejected("no_header", "chosen_twice")
    merged = {
        name: left
        for name, places in {**header.columns, **chosen}.items()
        if (left := places if name in chosen else tuple(p for p in places if p not in taken))
    }
    used = {place for places in merged.values() for place in places}
    sources = {place: header.sources[place] for place in used if place in header.sources}
    return replace(
        header,
        columns=merged,
        ignored=tuple((place, text) for place, text in header.headings.items() if place not in used),
        doubled=(),
        sources=sources | dict.fromkeys(taken, "chosen"),
    )
