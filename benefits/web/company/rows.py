"""The rows of a roster import as a table shows them: each cell with its change, its problem, and masked."""

import re
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from benefits import mobile
from benefits.people.models import Employee
from benefits.roster import messages, queries
from benefits.roster.models import RosterImport, RosterRow

Action = RosterRow.Action
LATEST = 20  # imports looked through for the changes of one employee
CHANGING = (Action.JOIN, Action.UPDATE, Action.RETURN, Action.LEAVE)
ORDER = (
    Action.PROBLEM,
    Action.JOIN,
    Action.UPDATE,
    Action.RETURN,
    Action.LEAVE,
    Action.UNCHANGED,
    Action.DOUBLE,
)
ALWAYS = (Action.PROBLEM, Action.JOIN, Action.UPDATE, Action.UNCHANGED)
LABELS = {
    Action.PROBLEM: gettext_lazy("to be corrected"),
    Action.JOIN: gettext_lazy("new"),
    Action.UPDATE: gettext_lazy("changed"),
    Action.RETURN: gettext_lazy("coming back"),
    Action.LEAVE: gettext_lazy("leaving"),
    Action.UNCHANGED: gettext_lazy("unchanged"),
    Action.DOUBLE: gettext_lazy("repeated"),
}
PILLS = {
    Action.PROBLEM: "bad",
    Action.JOIN: "ok",
    Action.UPDATE: "info",
    Action.RETURN: "ok",
    Action.LEAVE: "warn",
    Action.UNCHANGED: "neutral",
    Action.DOUBLE: "neutral",
}
ICONS = {Action.JOIN: "plus", Action.UPDATE: "pencil", Action.RETURN: "undo-2", Action.LEAVE: "log-out"}
_ROW_FIRST = re.compile(r"^\D{1,6}\d+\D{0,3}[:：]\s*")
NARROW = frozenset({"name", "mobile", "hired_on", "birthday", "left_on", "status", "grade"})
FIRST = (
    "name",
    "mobile",
    "department",
    "email",
    "hired_on",
    "birthday",
    "grade",
    "status",
    "left_on",
    "points",
)


def chosen(found: RosterImport, wanted: str) -> str:
    """The fate whose rows are shown: what was asked for, else the first that needs a look."""
    if wanted == "all" or wanted in Action.values:
        return "" if wanted == "all" else wanted
    return next((str(action) for action in ORDER if found.counts.get(action)), "")


def counters(found: RosterImport, action: str) -> list[dict[str, Any]]:
    """The figures over the table, each of which is a filter."""
    figures = [
        {
            "show": str(one),
            "value": found.counts.get(one, 0),
            "label": LABELS[one],
            "tone": "bad" if one == Action.PROBLEM and found.counts.get(one) else "",
            "is_current": action == one,
        }
        for one in ORDER
        if one in ALWAYS or found.counts.get(one)
    ]
    total = {"show": "all", "value": sum(found.counts.values()), "label": _("rows in all"), "tone": ""}
    return [{**total, "is_current": not action}, *figures]


def columns(found: RosterImport) -> list[str]:
    """The fields that the file has, in the order of the table."""
    present = found.facts.get("columns", {})
    return [field for field in FIRST if field in present]


def heading(field: str) -> str:
    """The name of a column."""
    return str(messages.FIELD_LABELS.get(field, field))


def shown_row(row: RosterRow, fields: list[str]) -> dict[str, Any]:
    """One row: number, cells, fate, and what is wrong with the row as a whole."""
    action = Action(row.action)
    person = row.person
    issues: dict[str, list[tuple[str, str]]] = {}
    for issue in queries.issues_of(row):
        issues.setdefault(issue.field or "", []).append(
            (_without_row(messages.of_issue(issue)), issue.severity)
        )
    known = {"employee_no", *fields}
    whole = [text for field, found in issues.items() if field not in known for text, _severity in found]
    return {
        "row": row.row,
        "action": action,
        "label": LABELS[action],
        "tone": PILLS[action],
        "icon": ICONS.get(action, ""),
        "number": {"after": row.employee_no, **_noted(issues.get("employee_no", []))},
        "cells": [_cell(field, person, issues.get(field, [])) for field in fields],
        "notes": whole,
    }


def _without_row(sentence: str) -> str:
    # The table says the row already: “Row 17: the mobile …”, “第 17 行：手机号…”.
    rest = _ROW_FIRST.sub("", sentence, count=1)
    return rest[:1].upper() + rest[1:]


def _cell(field: str, person: dict[str, Any], issues: list[tuple[str, str]]) -> dict[str, Any]:
    before = (person.get("before") or {}).get(field)
    after = (person.get("after") or {}).get(field)
    if field == "name" and after is None:
        after = person.get("name")
    if field == "points":
        after = after or person.get("points")
    return {
        "before": _safe(field, before),
        "after": _safe(field, after),
        "is_narrow": field in NARROW and not issues,
        "is_wide": field == "department",
        **_noted(issues),
    }


def _noted(issues: list[tuple[str, str]]) -> dict[str, Any]:
    tone = ""
    if issues:
        tone = "bad" if any(severity == "error" for _text, severity in issues) else "warn"
    return {"tone": tone, "notes": [text for text, _severity in issues]}


def _safe(field: str, value: Any) -> str:
    text = "" if value is None else str(value)
    if field == "mobile":
        return mobile.masked(text)
    if field == "birthday" and len(text) == 10:
        return f"****{text[4:]}"
    if field == "status":
        return {"active": pgettext("employee", "active"), "left": _("left")}.get(text, text)
    return text


def changes_of(employee: Employee) -> list[dict[str, Any]]:
    """What the latest imports changed of one employee: when, by whom, which fields from what to what."""
    found = (
        RosterRow.objects.filter(
            roster_import__in=RosterImport.objects.filter(status=RosterImport.Status.APPLIED)[:LATEST],
            employee_no=employee.employee_no,
            action__in=CHANGING,
        )
        .select_related("roster_import")
        .order_by("-id")
    )
    return [
        {
            "at": row.roster_import.applied_at,
            "by": row.roster_import.confirmed_by,
            "import": row.roster_import_id,
            "label": LABELS[Action(row.action)],
            "tone": PILLS[Action(row.action)],
            "icon": ICONS.get(Action(row.action), ""),
            "fields": _changed_fields(row.person) if row.action == Action.UPDATE else [],
        }
        for row in found
    ]


def _changed_fields(person: dict[str, Any]) -> list[dict[str, str]]:
    before, after = person.get("before") or {}, person.get("after") or {}
    return [
        {"label": heading(field), "before": _safe(field, before.get(field)), "after": _safe(field, value)}
        for field, value in after.items()
    ]
