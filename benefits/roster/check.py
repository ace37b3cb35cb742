"""From rows to people or problems: every cell read by its field's rule, then people compared with each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from . import fields, normalise
from .shapes import Cell, Header, Issue, Params, Person, Problem, Row

_MEMO = 20_000  # distinct texts remembered a column
_COMPARED = Person._fields[1:]


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
    typed = _typed(numbers, repairs or {})
    issues: dict[int, list[Issue]] = {}
    columns: dict[str, list[Any]] = {}
    for field in fields.FIELDS:
        places = header.columns.get(field.name, ())
        texts = typed.get(field.name, {})
        if places or texts:
            columns[field.name] = _column(field, places, rows, texts, issues, date1904=date1904)
    people = _people(numbers, columns)
    for person in people:
        _check_required(person, issues)
    people = [p for p in people if p.row in issues or any(v is not None for v in p[1:])]
    people = [_with_status(person) if person.row not in issues else person for person in people]
    _check_duplicates([person for person in people if person.row not in issues], issues)
    accepted = [person for person in people if person.row not in issues]
    held = [p for p in people if p.row in issues and any(i.severity == "error" for i in issues[p.row])]
    found = [issue for row in sorted(issues) for issue in issues[row]]
    return _without_id(accepted), _without_id(held), found


def _typed(numbers: list[int], repairs: Mapping[tuple[int, str], str]) -> dict[str, dict[int, str]]:
    """What was typed: field -> place among the rows -> text."""
    found: dict[str, dict[int, str]] = {}
    if repairs:
        places = {number: place for place, number in enumerate(numbers)}
        for (row, name), text in repairs.items():
            if row in places:
                found.setdefault(name, {})[places[row]] = text
    return found


def _column(
    field: fields.Field,
    places: Sequence[int],
    rows: Sequence[tuple[int, Row]],
    typed: Mapping[int, str],
    issues: dict[int, list[Issue]],
    *,
    date1904: bool,
) -> list[Any]:
    read = partial(normalise.date, date1904=date1904) if field.is_date else field.read
    if len(places) == 1:
        place = places[0]
        values = _read_all([row[place] if place < len(row) else "" for _, row in rows], read)
    else:
        values = [_levels([_cell(row, place) for place in places]) for _, row in rows]
    for index, text in typed.items():
        values[index] = normalise.attempt(read, text) if text else None
    for index, value in enumerate(values):
        if type(value) is Problem:
            values[index] = None
            issue = Issue(rows[index][0], field.name, value.code, "error", value.params)
            issues.setdefault(issue.row, []).append(issue)
    return values


def _cell(row: Row, place: int) -> Cell:
    return row[place] if place < len(row) else ""


def _read_all(cells: Iterable[Cell], read: Callable[[Cell], Any]) -> list[Any]:
    """Read a column; the same text is read once."""
    values = []
    memo: dict[str, Any] = {"": None}
    for cell in cells:
        if type(cell) is not str:
            values.append(normalise.attempt(read, cell))
        elif cell in memo:
            values.append(memo[cell])
        else:
            value = normalise.attempt(read, cell)
            if len(memo) < _MEMO:
                memo[cell] = value
            values.append(value)
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


def _people(numbers: list[int], columns: dict[str, list[Any]]) -> list[Person]:
    blank = [None] * len(numbers)
    return list(map(Person, numbers, *(columns.get(name, blank) for name in _COMPARED)))


def _check_required(person: Person, issues: dict[int, list[Issue]]) -> None:
    """A missing number or name is an issue, unless the row is blank or the cell already has one."""
    if person.employee_no is not None and person.name is not None:
        return
    already = issues.get(person.row, [])
    if not already and all(value is None for value in person[1:]):
        return
    named = {issue.field for issue in already}
    for field in fields.FIELDS:
        if field.required and getattr(person, field.name) is None and field.name not in named:
            issue = Issue(person.row, field.name, f"missing_{field.name}", "error", {})
            issues.setdefault(person.row, []).append(issue)


def _with_status(person: Person) -> Person:
    if person.status is not None:
        return person
    return person._replace(status="left" if person.left_on else "active")


def _check_duplicates(people: Sequence[Person], issues: dict[int, list[Issue]]) -> None:
    """The later of two rows carries the code: identical, same number, conflicting, same mobile, in that order."""
    by_number: dict[str, list[Person]] = {}
    by_mobile: dict[str, Person] = {}
    for person in people:
        # Rows without a number carry an error and are not among these.
        earlier = by_number.setdefault(person.employee_no or "", [])
        issue = _against_same_number(person, earlier) if earlier else None
        if issue is None and person.mobile is not None:
            other = by_mobile.setdefault(person.mobile, person)
            if other.employee_no != person.employee_no:
                issue = _issue(person, "mobile", "duplicate_mobile", first_row=other.row)
        if issue is not None:
            issues.setdefault(person.row, []).append(issue)
        earlier.append(person)


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
    return [p._replace(id_number=None) if p.id_number is not None else p for p in people]
