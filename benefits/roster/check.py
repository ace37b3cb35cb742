"""From rows to people or problems: every cell read by its field's rule, then people compared with each other.

Everything is done a column at a time: a roster has few columns and many rows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

from . import fields, normalise
from .shapes import Cell, Header, Issue, Params, Person, Problem, Row

_MEMO = 20_000  # distinct cells of one type remembered a column
_COMPARED = Person._fields[1:]
_REMEMBERED = (str, float, int, dt.date, dt.datetime)  # by exact type: True is no 1

Columns = dict[str, list[Any]]
Issues = dict[int, list[Issue]]

person_of: Callable[[Iterable[Any]], Person] = partial(
    tuple.__new__, Person
)  # a third of the time of Person()


def check(
    rows: Sequence[tuple[int, Row]],
    header: Header,
    *,
    date1904: bool,
    repairs: Mapping[tuple[int, str], str] | None = None,
) -> tuple[list[Person], list[Person], list[Issue]]:
    """(accepted, held back, issues). Rows that turn out to be blank are left out without a word.

    `repairs` are texts that people typed, by row and field: they stand in place of the cell, or where none is.
    """
    numbers = [number for number, _ in rows]
    cells = [row for _, row in rows]
    typed = _typed(numbers, repairs or {})
    issues: Issues = {}
    left_out: Issues = {}
    columns: Columns = {}
    for field in fields.FIELDS:
        places = header.columns.get(field.name, ())
        if places or field.name in typed:
            values = _values(field, places, cells, typed.get(field.name, {}), date1904=date1904)
            if field.lenient:
                _leave_out(field.name, values, numbers, left_out)
            else:
                _take_problems(field.name, values, numbers, issues)
            columns[field.name] = values
    blank: list[Any] = [None] * len(numbers)
    for name in _COMPARED:
        columns.setdefault(name, blank)
    dropped = _check_required(numbers, columns, issues)
    _complete_status(numbers, columns, issues)
    people = list(map(person_of, zip(numbers, *(columns[name] for name in _COMPARED), strict=True)))
    if dropped:
        people = [person for person in people if person[0] not in dropped]
    _check_duplicates([person for person in people if person[0] not in issues], issues)
    accepted = [person for person in people if person[0] not in issues]
    bad = [person for person in people if person[0] in issues]
    held = [p for p in bad if any(issue.severity == "error" for issue in issues[p.row])]
    for row in left_out.keys() - dropped:
        issues.setdefault(row, []).extend(left_out[row])
    found = [issue for row in sorted(issues) for issue in issues[row]]
    if columns["id_number"] is not blank:
        accepted, held = _without_id(accepted), _without_id(held)
    return accepted, held, found


# --- cells -------------------------------------------------------------------------------------------


def _typed(numbers: list[int], repairs: Mapping[tuple[int, str], str]) -> dict[str, dict[int, str]]:
    """What was typed: field -> place among the rows -> text."""
    found: dict[str, dict[int, str]] = {}
    if repairs:
        places = {number: place for place, number in enumerate(numbers)}
        for (row, name), text in repairs.items():
            if row in places:
                found.setdefault(name, {})[places[row]] = text
    return found


def _values(
    field: fields.Field, places: Sequence[int], rows: list[Row], typed: Mapping[int, str], *, date1904: bool
) -> list[Any]:
    """A column's values, with a Problem where a cell has none."""
    read = partial(normalise.date, date1904=date1904) if field.is_date else field.read
    narrowest = min(map(len, rows), default=0)
    if len(places) == 1 and places[0] < narrowest:
        values = _read_all(list(map(itemgetter(places[0]), rows)), read, field.plain)
    elif len(places) == 1:
        place = places[0]
        values = _read_all([row[place] if place < len(row) else "" for row in rows], read, field.plain)
    else:
        values = [_levels([row[place] if place < len(row) else "" for place in places]) for row in rows]
    for index, text in typed.items():
        values[index] = normalise.attempt(read, text) if text else None
    return values


def _read_all(cells: list[Any], read: Callable[[Cell], Any], plain: Callable[[str], Any] | None) -> list[Any]:
    """Read a column. A text that is plainly its own value is not read at all, the same cell is read once."""
    kinds = set(map(type, cells))
    if kinds == {str} and plain is not None and all(map(plain, cells)):
        return cells
    if len(kinds) == 1 and kinds.issubset(_REMEMBERED) and len(distinct := set(cells)) * 2 <= len(cells):
        known = {cell: normalise.attempt(read, cell) for cell in distinct if cell != ""} | {"": None}
        return list(map(known.__getitem__, cells))
    return _read_one_by_one(cells, read, plain)


def _read_one_by_one(
    cells: Iterable[Cell], read: Callable[[Cell], Any], plain: Callable[[str], Any] | None
) -> list[Any]:
    """A column of cells of several kinds, or of too many texts to remember all."""
    values: list[Any] = []
    add = values.append
    memos: dict[type, dict[Any, Any]] = {kind: {} for kind in _REMEMBERED}
    memos[str][""] = None
    for cell in cells:
        kind = type(cell)
        if plain is not None and kind is str and plain(cell):  # type: ignore[arg-type]
            add(cell)
            continue
        memo = memos.get(kind)
        if memo is None:
            add(normalise.attempt(read, cell))
        elif cell in memo:
            add(memo[cell])
        else:
            value = normalise.attempt(read, cell)
            if len(memo) < _MEMO:
                memo[cell] = value
            add(value)
    return values


def _levels(cells: Sequence[Cell]) -> str | Problem | None:
    """A department whose levels stand in several columns."""
    parts: list[str] = []
    for cell in cells:
        if cell == "":
            continue
        found = normalise.attempt(normalise.department_parts, cell)
        if isinstance(found, Problem):
            return found
        parts += found or []
    return normalise.attempt(normalise.department, "/".join(parts)) if parts else None


def _take_problems(name: str, values: list[Any], numbers: list[int], issues: Issues) -> None:
    """Turn problems into issues, and leave blanks in their place."""
    if Problem not in set(map(type, values)):
        return
    for index, value in enumerate(values):
        if type(value) is Problem:
            values[index] = None
            issue = Issue(numbers[index], name, value.code, "error", value.params)
            issues.setdefault(issue.row, []).append(issue)


def _leave_out(name: str, values: list[Any], numbers: list[int], left_out: Issues) -> None:
    """The same for a field that holds nobody back: it is told, whatever the problem was."""
    if Problem not in set(map(type, values)):
        return
    for index, value in enumerate(values):
        if type(value) is Problem:
            values[index] = None
            left_out.setdefault(numbers[index], []).append(
                Issue(numbers[index], name, "left_out", "warning", {})
            )


# --- rows --------------------------------------------------------------------------------------------


def _check_required(numbers: list[int], columns: Columns, issues: Issues) -> set[int]:
    """A missing number or name is an issue, unless the cell already has one. Returns the rows that are blank."""
    required = [field.name for field in fields.FIELDS if field.required]
    dropped = set()
    pairs = zip(*(columns[name] for name in required), strict=True)
    for index in [index for index, pair in enumerate(pairs) if None in pair]:
        row = numbers[index]
        already = issues.get(row, [])
        if not already and all(columns[name][index] is None for name in _COMPARED):
            dropped.add(row)
            continue
        named = {issue.field for issue in already}
        for name in required:
            if columns[name][index] is None and name not in named:
                issues.setdefault(row, []).append(Issue(row, name, f"missing_{name}", "error", {}))
    return dropped


def _complete_status(numbers: list[int], columns: Columns, issues: Issues) -> None:
    """Who has no status is active, or has left where the file says when. Rows with issues stay as they are."""
    if None not in columns["status"]:
        return
    columns["status"] = [
        status if status is not None or row in issues else "active" if left_on is None else "left"
        for row, status, left_on in zip(numbers, columns["status"], columns["left_on"], strict=True)
    ]


def _check_duplicates(people: Sequence[Person], issues: Issues) -> None:
    """The later of two rows carries the code: identical, same number, conflicting, same mobile, in that order."""
    by_number: dict[str, Person] = {}
    more: dict[str, list[Person]] = {}  # further rows of a number
    by_mobile: dict[str, Person] = {}
    for person in people:
        number = person[1] or ""  # rows without a number carry an error and are not among these
        mobile = person[3]
        issue = None
        first = by_number.setdefault(number, person)
        if first is not person:
            issue = _against_same_number(person, [first, *more.get(number, ())])
            more.setdefault(number, []).append(person)
        if issue is None and mobile is not None:
            other = by_mobile.setdefault(mobile, person)
            if other is not person and other[1] != number:
                issue = _issue(person, "mobile", "duplicate_mobile", first_row=other.row)
        if issue is not None:
            issues.setdefault(person.row, []).append(issue)


def _against_same_number(person: Person, earlier: Sequence[Person]) -> Issue:
    for other in earlier:
        if other[1:] == person[1:]:
            return Issue(person.row, None, "identical_duplicate", "warning", {"first_row": other.row})
    for other in earlier:
        if other.name != person.name:
            return _issue(person, "employee_no", "duplicate_employee_no", first_row=other.row)
    return _issue(person, None, "conflicting_row", first_row=earlier[0].row)


def _issue(person: Person, field: str | None, code: str, **params: str | int) -> Issue:
    found: Params = params
    return Issue(person.row, field, code, "error", found)


def _without_id(people: list[Person]) -> list[Person]:
    return [person_of((*person[:-1], None)) for person in people]
