"""Cells of a roster import that people may correct: what stands in them, whether it would do, and what was sent."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.roster import fields, messages, queries, repairs
from benefits.roster.models import RosterImport, RosterRow
from benefits.roster.shapes import Choices, Issue

_NAME = re.compile(r"cell-([0-9]{1,7})-([a-z_]{1,20})")
_ROW = re.compile(r"[0-9]{1,7}")
_ROW_FIRST = re.compile(r"^\D{1,6}\d+\D{0,3}[:：]\s*")

Place = tuple[int, str]  # row in the file, field
Group = Mapping[str, Any]  # of queries.issue_groups
# A problem in a few words, for choosing among many; the cell itself says what to do.
PROBLEMS = {
    "missing_employee_no": gettext_lazy("missing"),
    "missing_name": gettext_lazy("missing"),
    "name_too_long": gettext_lazy("too long"),
    "text_too_long": gettext_lazy("too long"),
    "unsafe_text": gettext_lazy("invisible characters"),
    "lost_digits": gettext_lazy("digits lost in Excel"),
    "error_cell": gettext_lazy("an Excel error"),
    "formula_without_value": gettext_lazy("a formula without result"),
    "invalid_mobile": gettext_lazy("not a mobile number"),
    "invalid_date": gettext_lazy("not a date"),
    "invalid_email": gettext_lazy("not an e-mail address"),
    "invalid_id_number": gettext_lazy("not an ID number"),
    "invalid_points": gettext_lazy("not a number of points"),
    "unknown_status": gettext_lazy("not known"),
    "duplicate_employee_no": gettext_lazy("given twice"),
    "duplicate_mobile": gettext_lazy("given twice"),
    "conflicting_row": gettext_lazy("two rows that differ"),
    "mobile_taken": gettext_lazy("somebody else’s"),
    "similar_employee_no": gettext_lazy("differs in zeros alone"),
    "left_out": gettext_lazy("unreadable, so left blank"),
}
OF_ONE_ROW = frozenset({"duplicate_employee_no", "duplicate_mobile", "mobile_taken", "similar_employee_no"})


@dataclass(frozen=True)
class Desk:
    """What one page knows about the corrections of an import."""

    choices: Choices = field(default_factory=Choices)
    same: Mapping[tuple[str, str, str], Group] = field(default_factory=dict)  # by code, field, text
    is_open: bool = False

    @classmethod
    def of(cls, found: RosterImport) -> Desk:
        """The corrections as they are stored now."""
        if found.status != RosterImport.Status.PLANNED:
            return cls()
        same = {(one["code"], one["field"], one["text"]): one for one in queries.issue_groups(found)}
        return cls(found.choices, same, is_open=True)


def text_of(row: RosterRow, name: str) -> str:
    """What the file holds in a cell of a row that is held back."""
    person = row.person
    known = person.get("texts") or person.get("after") or {}
    return str(known.get(name) or "")


def editable(row: RosterRow, name: str, desk: Desk, *, always: bool = False) -> dict[str, Any] | None:
    """An input for a cell, where it has a problem or was typed into (or `always`); else None."""
    if not desk.is_open or row.row is None or name not in fields.BY_NAME:
        return None
    if row.action != "problem":
        return _corrected(row, name, desk)
    errors = [issue for issue in queries.issues_of(row) if issue.field == name and issue.severity == "error"]
    raw = text_of(row, name)
    typed = desk.choices.repairs.get((row.row, name))
    if not errors and typed is None and not always:
        return None
    if typed is None or typed == raw:
        notes = [of_issue(issue) for issue in errors]
        return _input(row.row, name, raw, tone="bad" if errors else "", notes=notes)
    code = errors[0].code if errors else ""
    return _judged(row.row, name, typed) | {"was": raw, "same": _others(desk, code, name, raw, typed)}


def _corrected(row: RosterRow, name: str, desk: Desk) -> dict[str, Any] | None:
    """An input for a cell that was corrected before, so that it can be corrected once more."""
    typed = desk.choices.repairs.get((row.row or 0, name))
    return None if typed is None else _judged(row.row or 0, name, typed)


def _judged(number: int, name: str, typed: str) -> dict[str, Any]:
    """An input for a text that was typed, with what the file's own rule says of it."""
    read, wrong = repairs.verdict(number, name, typed)
    if wrong:
        return _input(number, name, typed, tone="bad", notes=[of_issue(wrong)])
    read_as = "" if read is None or name == "status" or str(read) == typed else str(read)
    return _input(number, name, typed, tone="ok") | {"read_as": read_as}


def _input(
    number: int, name: str, value: str, *, tone: str = "", notes: Sequence[str] = ()
) -> dict[str, Any]:
    label = _("Row %(row)d, %(field)s") % {"row": number, "field": messages.FIELD_LABELS.get(name, name)}
    return {"key": f"{number}-{name}", "value": value, "label": label, "tone": tone, "notes": notes}


def _others(desk: Desk, code: str, name: str, raw: str, value: str) -> int:
    """How many rows hold the same wrong text, where some of them have not been given the same correction yet."""
    group = desk.same.get((code, name, raw))
    if group is None or group["count"] < 2 or code in OF_ONE_ROW or repairs.verdict(0, name, value)[1]:
        return 0
    typed = {desk.choices.repairs.get((number, name)) for number in group["rows_sample"]}
    return 0 if typed == {value} else int(group["count"])


def of_issue(issue: Issue) -> str:
    """A problem's sentence without its row, which stands beside it: “Row 17: the mobile …”, “第 17 行：手机号…”."""
    rest = _ROW_FIRST.sub("", messages.of_issue(issue), count=1)
    return rest[:1].upper() + rest[1:]


def sent(found: RosterImport, data: QueryDict) -> dict[Place, str]:
    """The cells of a form whose texts are others than those that stand there."""
    typed = {
        (int(match[1]), match[2]): str(value).strip()
        for key, value in data.items()
        if (match := _NAME.fullmatch(key))
    }
    if not typed:
        return {}
    known = found.choices.repairs
    rows = _by_number(found, {row for row, _name in typed})
    return {
        (number, name): text
        for (number, name), text in typed.items()
        if text != known.get((number, name), text_of(rows[number], name) if number in rows else None)
    }


def rows_sent(data: QueryDict, name: str) -> list[int]:
    """The row numbers of a button or checkbox."""
    return [int(text) for text in data.getlist(name)[:500] if _ROW.fullmatch(text)]


def number_sent(text: str) -> int | None:
    """The number of a row or of a group that a form names, if it is one."""
    return int(text) if _ROW.fullmatch(text) else None


def place_sent(text: str) -> Place | None:
    """The cell that a button names."""
    match = _NAME.fullmatch(f"cell-{text}")
    return (int(match[1]), match[2]) if match else None


def find_row(found: RosterImport, number: int) -> RosterRow | None:
    """The fate of one row of the file."""
    return RosterRow.objects.filter(roster_import=found, row=number).first()


def _by_number(found: RosterImport, numbers: Collection[int]) -> dict[int, RosterRow]:
    rows: Iterable[RosterRow] = RosterRow.objects.filter(roster_import=found, row__in=numbers)
    return {row.row: row for row in rows if row.row is not None}
