"""The plain data that passes between the steps of reading a roster. Nothing here does anything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, NamedTuple

Kind = Literal["xlsx", "xls", "ods", "text"]
Severity = Literal["error", "warning"]
Params = dict[str, str | int]


class Rejected(Exception):
    """The whole file cannot be used. `code` is one of the reject codes, `reason` says which way it failed."""

    def __init__(self, code: str, reason: str = "", **params: str | int) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason
        self.params: Params = params


@dataclass(frozen=True, slots=True)
class CellError:
    """An Excel error value such as #N/A."""

    text: str


@dataclass(frozen=True, slots=True)
class NoValue:
    """A formula that was saved without its result."""


# What a reader hands over for one cell; "" is a blank one.
Cell = str | int | float | bool | dt.datetime | dt.date | dt.time | dt.timedelta | CellError | NoValue
Row = list[Cell]


class Range(NamedTuple):
    """A merged block of cells, counted from 0, both ends included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Container:
    """A file that passed the guard: what it is and which closer looks it needs."""

    kind: Kind
    size: int
    parts_to_scan: frozenset[str] = frozenset()  # sheet parts with formulas, errors or hidden rows


@dataclass(frozen=True)
class Sheet:
    """One visible sheet. rows[0] is Excel's row 1; a blank row is an empty list."""

    name: str | None
    rows: list[Row]
    merges: tuple[Range, ...] = ()
    hidden_rows: frozenset[int] = frozenset()  # from 0, where reading tells them; else the details do


@dataclass(frozen=True)
class Book:
    """Everything that was read from one file, before anyone has guessed what it means."""

    kind: Kind
    sheets: tuple[Sheet, ...]
    encoding: str | None = None


@dataclass(frozen=True)
class Details:
    """What the fast reader leaves out of a sheet: cells are (row, column) from 0."""

    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    without_value: frozenset[tuple[int, int]] = frozenset()
    formats: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden_rows: frozenset[int] = frozenset()
    date1904: bool = False


@dataclass(frozen=True)
class Header:
    """Where the table starts: `last_row` counts from 1, columns from 0."""

    last_row: int
    columns: dict[str, tuple[int, ...]]
    ignored: tuple[tuple[int, str], ...] = ()
    doubled: tuple[tuple[int, str], ...] = ()
    headings: Mapping[int, str] = field(
        default_factory=dict
    )  # column -> as it reads, its group before a slash
    sources: Mapping[int, str] = field(default_factory=dict)  # column -> spelling, taught or chosen

    @property
    def is_complete(self) -> bool:
        """Whether rows below it can be told apart as people: a name, and a number or a mobile."""
        return "name" in self.columns and ("employee_no" in self.columns or "mobile" in self.columns)


@dataclass(frozen=True)
class Table:
    """The sheet and the header that were chosen."""

    sheet: Sheet
    header: Header
    other_sheets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Why one cell could not be used."""

    code: str
    params: Params = field(default_factory=dict)


class Issue(NamedTuple):
    """Something a person should look at, in one row (1-based) and one field (None: the whole row)."""

    row: int
    field: str | None
    code: str
    severity: Severity
    params: Params


class Note(NamedTuple):
    """A remark about the whole file: hidden rows included, other sheets ignored, the encoding found."""

    code: str
    params: Params


class Person(NamedTuple):
    """One row in our words. None is a blank cell; `status` is active or left."""

    row: int
    employee_no: str | None = None
    name: str | None = None
    mobile: str | None = None
    department: str | None = None
    email: str | None = None
    hired_on: dt.date | None = None
    birthday: dt.date | None = None
    grade: str | None = None
    city: str | None = None
    regular_on: dt.date | None = None
    points: int | Decimal | None = None
    status: str | None = None
    left_on: dt.date | None = None
    id_number: str | None = None  # compared and checked, then dropped: never kept


@dataclass(frozen=True)
class Choices:
    """What people decided about one file. Without any, everything is recognised."""

    sheet: str | None = None
    header_row: int | None = None  # the last header row, from 1
    columns: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # field -> columns from 0; (): none
    spellings: Mapping[str, str] = field(default_factory=dict)  # folded heading -> field; "": not a field
    without_hidden: bool = False  # hidden rows are left out
    repairs: Mapping[tuple[int, str], str] = field(default_factory=dict)  # (row, field) -> text typed instead
    skipped: frozenset[int] = frozenset()  # rows left out by hand

    def as_json(self) -> dict[str, Any]:
        """As it is stored and handed to the sandbox's child."""
        return {
            "sheet": self.sheet,
            "header_row": self.header_row,
            "columns": {name: list(places) for name, places in self.columns.items()},
            "spellings": dict(self.spellings),
            "without_hidden": self.without_hidden,
            "repairs": [[row, name, text] for (row, name), text in self.repairs.items()],
            "skipped": sorted(self.skipped),
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Choices:
        """What `as_json` wrote; missing keys are choices that nobody made."""
        return cls(
            sheet=found.get("sheet"),
            header_row=found.get("header_row"),
            columns={name: tuple(places) for name, places in found.get("columns", {}).items()},
            spellings=found.get("spellings", {}),
            without_hidden=found.get("without_hidden", False),
            repairs={(row, name): text for row, name, text in found.get("repairs", [])},
            skipped=frozenset(found.get("skipped", [])),
        )


class Column(NamedTuple):
    """One column of the chosen sheet, as the mapping page shows it."""

    letter: str
    heading: str
    samples: tuple[str, ...]  # up to three cells, as text
    field: str | None  # what it was taken for; `department` may be several columns
    source: str  # spelling, taught or chosen; "" where it is ignored
    suggestion: str | None = None  # an ignored column that looks like this field: offered, never taken
    likeness: int = 0  # of the suggestion, 0 to 100


class SheetFound(NamedTuple):
    """A visible sheet: how many rows it has, and its last header row where one was found."""

    name: str | None
    rows: int
    header_row: int | None
    top: tuple[tuple[str, ...], ...] = ()  # its first rows as text, for choosing a header by hand


@dataclass(frozen=True)
class Checked:
    """The fate of every row of a file, or why the file was rejected."""

    outcome: Literal["ok", "rejected"]
    reject_code: str | None = None
    reject_reason: str = ""
    reject_params: Params = field(default_factory=dict)
    kind: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    employees: tuple[Person, ...] = ()
    held: tuple[Person, ...] = ()  # rows with an error, as far as they could be read
    issues: tuple[Issue, ...] = ()
    notes: tuple[Note, ...] = ()
    sheets: tuple[SheetFound, ...] = ()  # also of a file that was rejected for want of a header
    offered: tuple[Column, ...] = ()
    texts: Mapping[int, Mapping[str, str]] = field(default_factory=dict)  # row -> field -> cell, as it reads


def letter(column: int) -> str:
    """Excel's name of a column counted from 0: 0 is A, 26 is AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def column_of(letters: str) -> int:
    """The column with this name in Excel, counted from 0."""
    number = 0
    for char in letters.upper():
        number = number * 26 + ord(char) - 64
    return number - 1
