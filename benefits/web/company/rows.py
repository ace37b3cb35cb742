"""The rows of a roster import as a table shows them: each cell with its change, its problem, and masked."""

from collections.abc import Collection, Iterable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from benefits import mobile
from benefits.people.models import Employee
from benefits.roster import messages, queries
from benefits.roster.models import RosterImport, RosterRow
from benefits.roster.shapes import Issue
from benefits.web.company import cells
from benefits.web.company.cells import Desk

Action = RosterRow.Action
Values = dict[str, str]
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
NARROW = frozenset(
    {"name", "mobile", "hired_on", "birthday", "left_on", "status", "grade", "city", "regular_on"}
)
FIRST = (
    "name",
    "mobile",
    "department",
    "email",
    "hired_on",
    "birthday",
    "grade",
    "city",
    "regular_on",
    "status",
    "left_on",
    "points",
)
LAST = ("id_number",)  # checked and never kept: shown where it is to be corrected
KNOWN = (Action.UPDATE, Action.UNCHANGED, Action.RETURN, Action.LEAVE)


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
            "value": f"{found.counts.get(one, 0):,}",
            "label": LABELS[one],
            "tone": "bad" if one == Action.PROBLEM and found.counts.get(one) else "",
            "is_current": action == one,
        }
        for one in ORDER
        if one in ALWAYS or found.counts.get(one)
    ]
    total = {"show": "all", "value": f"{sum(found.counts.values()):,}", "label": _("rows in all"), "tone": ""}
    return [{**total, "is_current": not action}, *figures]


def columns(found: RosterImport, more: Iterable[str | None] = ()) -> list[str]:
    """The fields that the file has, in the order of the table, and those that somebody has to fill in."""
    present = {*found.facts.get("columns", {}), *more}
    return [field for field in (*FIRST, *LAST) if field in present and (field in FIRST or field in more)]


def heading(field: str) -> str:
    """The name of a column."""
    return str(messages.FIELD_LABELS.get(field, field))


def shown_rows(page: Iterable[RosterRow], fields: list[str], desk: Desk) -> list[dict[str, Any]]:
    """The rows of one page; what a row leaves as it is comes from the roster, in one query for all."""
    rows = list(page)
    known = _of_employees({row.employee_no for row in rows if row.action in KNOWN})
    return [shown_row(row, fields, desk, known.get(row.employee_no, {})) for row in rows]


def shown_row(row: RosterRow, fields: list[str], desk: Desk, known_as: Values) -> dict[str, Any]:
    """One row: number, cells, fate, and what is wrong with the row as a whole."""
    action = Action(row.action)
    person = row.person
    if action in KNOWN:
        person |= {"after": {**known_as, **(person.get("after") or {})}}
    found = queries.issues_of(row)
    issues: dict[str, list[Issue]] = {}
    for issue in found:
        issues.setdefault(issue.field or "", []).append(issue)
    known = {"employee_no", *fields}
    return {
        "row": row.row,
        "action": action,
        "label": LABELS[action],
        "tone": PILLS[action],
        "icon": ICONS.get(action, ""),
        "number": {
            "label": heading("employee_no"),
            "after": row.employee_no,
            "edit": cells.editable(row, "employee_no", desk),
            **_noted(issues.get("employee_no", [])),
        },
        "cells": [_cell(field, row, person, issues.get(field, []), desk) for field in fields],
        "notes": [cells.of_issue(issue) for issue in found if (issue.field or "") not in known],
        "is_open": desk.is_open and action == Action.PROBLEM and row.row is not None,
        "is_skipped": row.row in desk.choices.skipped,
        "collides": any({"first_row", "other"} & set(issue.params) for issue in found),
    }


def _cell(
    field: str, row: RosterRow, person: dict[str, Any], issues: list[Issue], desk: Desk
) -> dict[str, Any]:
    before = (person.get("before") or {}).get(field)
    after = (person.get("after") or {}).get(field)
    if field == "name" and after is None:
        after = person.get("name")
    if field == "points":
        after = after or person.get("points")
    return {
        "label": heading(field),
        "before": safe(field, before),
        "after": safe(field, after),
        "is_narrow": field in NARROW and not issues,
        "is_wide": field == "department",
        "edit": cells.editable(row, field, desk),
        **_noted(issues),
    }


def _noted(issues: list[Issue]) -> dict[str, Any]:
    tone = ""
    if issues:
        tone = "bad" if any(issue.severity == "error" for issue in issues) else "warn"
    return {"tone": tone, "notes": [cells.of_issue(issue) for issue in issues]}


def safe(field: str, value: Any) -> str:
    """A value as the console shows it to somebody who need not see all of it."""
    text = "" if value is None else str(value)
    if field == "mobile":
        return mobile.masked(text)
    if field == "birthday" and len(text) == 10:
        return f"****{text[4:]}"
    if field == "status":
        return {"active": pgettext("employee", "active"), "left": _("left")}.get(text, text)
    return text


def collisions(found: RosterImport, row: RosterRow) -> list[dict[str, Any]]:
    """What a row stands in the way of: the earlier row of the file, or the employee who is there already."""
    against = []
    for issue in queries.issues_of(row):
        if number := issue.params.get("first_row"):
            other = cells.find_row(found, int(number))
            if other is not None:
                title = _("Row %(row)d") % {"row": other.row}
                against.append({"title": title, "values": values_of(other)})
        elif number := issue.params.get("other"):
            values = _of_employees([str(number)]).get(str(number), {})
            against.append({"title": _("On the roster"), "values": values})
    return against


def values_of(row: RosterRow) -> dict[str, str]:
    """Everything that is known of a row's person: what the roster says, and the file over it."""
    person = row.person
    values = _of_employees([row.employee_no]).get(row.employee_no, {}) if row.action in KNOWN else {}
    values |= {name: str(text) for name, text in (person.get("after") or {}).items() if text is not None}
    values |= {"employee_no": row.employee_no, "name": values.get("name") or row.name}
    return values | ({"points": str(person["points"])} if person.get("points") else {})


def _of_employees(numbers: Collection[str]) -> dict[str, Values]:
    """What the roster says of these people now, as text."""
    found = Employee.objects.filter(employee_no__in=numbers).select_related("department") if numbers else []
    return {one.employee_no: _values_of_employee(one) for one in found}


def _values_of_employee(one: Employee) -> Values:
    known = {name: getattr(one, name) for name in ("employee_no", "name", "mobile", "email", "grade", "city")}
    known |= {"department": one.department and one.department.path, "hired_on": one.hired_on}
    known |= {
        "birthday": one.birthday,
        "regular_on": one.regular_on,
        "status": one.status,
        "left_on": one.left_on,
    }
    return {name: str(value) for name, value in known.items() if value}


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
        {"label": heading(field), "before": safe(field, before.get(field)), "after": safe(field, value)}
        for field, value in after.items()
    ]
