"""What check_roster answers: a checked file as plain JSON values, with messages in the active language."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from . import messages
from .shapes import Checked, Person

_ECHOED = (
    "employee_no",
    "name",
    "mobile",
    "department",
    "email",
    "hired_on",
    "birthday",
    "grade",
    "city",
    "regular_on",
    "points",
    "status",
)


def to_json(checked: Checked, *, file: str = "") -> dict[str, Any]:
    """The answer in the shape that docs promise: extra keys may be added, none of these renamed."""
    return {
        "file": file,
        "outcome": checked.outcome,
        "reject_code": checked.reject_code,
        "message": messages.of_rejection(checked) if checked.outcome == "rejected" else None,
        "sheet": checked.sheet,
        "header_row": checked.header_row,
        "columns": {field: _letters(letters) for field, letters in checked.columns.items()},
        "employees": [_employee(person) for person in checked.employees],
        "issues": [
            {
                "row": issue.row,
                "field": issue.field,
                "code": issue.code,
                "severity": issue.severity,
                "message": messages.of_issue(issue),
            }
            for issue in checked.issues
        ],
        "notes": [{"code": note.code, "message": messages.of_note(note)} for note in checked.notes],
        "summary": summary(checked),
    }


def summary(checked: Checked) -> dict[str, Any]:
    """How many rows were accepted, held back or skipped as doubles, and the issues by code."""
    by_code: dict[str, int] = {}
    for issue in checked.issues:
        by_code[issue.code] = by_code.get(issue.code, 0) + 1
    doubles = by_code.get("identical_duplicate", 0)
    return {
        "rows": len(checked.employees) + len(checked.held) + doubles,
        "accepted": len(checked.employees),
        "held_back": len(checked.held),
        "duplicates_skipped": doubles,
        "issues": by_code,
    }


def _letters(letters: tuple[str, ...]) -> str | list[str]:
    return letters[0] if len(letters) == 1 else list(letters)


def _employee(person: Person) -> dict[str, Any]:
    found: dict[str, Any] = {"row": person.row}
    for field in _ECHOED:
        value = getattr(person, field)
        if value is None:
            continue
        if isinstance(value, Decimal):
            value = float(value)
        found[field] = value.isoformat() if hasattr(value, "isoformat") else value
    return found
