"""Reads of roster imports, and of the roster as the plan compares with it."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
import math
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from psycopg import sql

from benefits.people.models import Department, Employee
from benefits.roster import messages, readings, report
from benefits.roster.errors import ImportNotFound
from benefits.roster.models import RosterImport, RosterRow, TaughtHeading
from benefits.roster.plan import Present
from benefits.roster.shapes import Checked, Column, Issue, Note, SheetFound
from tenants.db import connection
from tenants.models import Company

TO_CHECK, TO_APPLY = RosterImport.Status.RECEIVED, RosterImport.Status.CONFIRMED
TO_UNDO = RosterImport.Status.UNDOING
LEASE = dt.timedelta(seconds=120)  # a worker that is silent for longer is gone
GRACE = dt.timedelta(seconds=30)  # a bell that was not heard by then was lost


def find_import(pk: int) -> RosterImport:
    """The import of a number, or ImportNotFound."""
    found = RosterImport.objects.filter(pk=pk).first()
    if found is None:
        raise ImportNotFound
    return found


def imports() -> QuerySet[RosterImport]:
    """All imports, the newest first."""
    return RosterImport.objects.all()


def rows(
    roster_import: RosterImport,
    *,
    action: str = "",
    search: str = "",
    field: str = "",
    code: str = "",
    employee_no: str = "",
) -> QuerySet[RosterRow]:
    """The rows of an import in the file's order: of one action, with a number or name like `search`, with an issue in
    `field` or of `code`, of one employee number."""
    found = RosterRow.objects.filter(roster_import=roster_import)
    if action in RosterRow.Action.values:
        found = found.filter(action=action)
    if search:
        found = found.filter(Q(employee_no__icontains=search) | Q(name__icontains=search))
    if field or code:
        found = found.filter(issues__contains=[[text for text in (field, code) if text]])
    return found.filter(employee_no=employee_no) if employee_no else found


def issue_groups(roster_import: RosterImport) -> list[dict[str, Any]]:
    """The same problem with the same text, most frequent first: code, field, text, count and some of the rows."""
    return list(_sealed_facts(roster_import).get("groups", []))


def mapping(roster_import: RosterImport) -> dict[str, Any]:
    """What the file offers and how it was read: sheets, offered columns, and the sheet and header row in use."""
    found = _sealed_facts(roster_import)
    return {
        "sheets": [
            SheetFound(name, rows, header_row, tuple(map(tuple, top)))
            for name, rows, header_row, top in found.get("sheets", [])
        ],
        "offered": [
            Column(letter, heading, tuple(samples), *rest)
            for letter, heading, samples, *rest in found.get("offered", [])
        ],
        "sheet": roster_import.facts.get("sheet"),
        "header_row": roster_import.facts.get("header_row"),
    }


def _sealed_facts(roster_import: RosterImport) -> dict[str, Any]:
    return json.loads(roster_import.sealed_facts) if roster_import.sealed_facts else {}


def taught() -> dict[str, str]:
    """What headings mean in this company's files: folded heading to field, or to "" for none."""
    return dict(TaughtHeading.objects.values_list("heading", "field"))


def speed(roster_import: RosterImport, at: dt.datetime) -> tuple[int, int | None]:
    """(rows a second, seconds left or None) of what is under way."""
    done, began = roster_import.rows_done, roster_import.started_at
    seconds = (at - began).total_seconds() if began else 0.0
    if not done or seconds <= 0:
        return 0, None
    left = max(roster_import.rows_total - done, 0)
    return round(done / seconds), math.ceil(left * seconds / done)


def leavers_to_type(roster_import: RosterImport) -> int:
    """How many leavers must be typed to confirm the plan; 0 where not too many would leave."""
    leaving = int(roster_import.counts.get("leave", 0))
    active = Employee.objects.filter(status=Employee.Status.ACTIVE).count()
    return leaving if leaving * 100 > active * settings.ROSTER_LEAVER_SHARE else 0


def undoable(roster_import: RosterImport, at: dt.datetime) -> bool:
    """Whether the import may still be undone: the latest applied one, for some days."""
    if roster_import.status != RosterImport.Status.APPLIED or roster_import.forgotten_at:
        return False
    days = dt.timedelta(days=settings.ROSTER_UNDO_DAYS)
    return at - (roster_import.applied_at or at) <= days and not applied_after(roster_import).exists()


def applied_after(roster_import: RosterImport) -> QuerySet[RosterImport]:
    """Imports that were applied later and still are."""
    applied = RosterImport.objects.filter(
        status__in=[RosterImport.Status.APPLIED, RosterImport.Status.UNDOING]
    )
    return applied.filter(applied_at__gte=roster_import.applied_at).filter(
        pk__gt=roster_import.pk
    ) | applied.filter(applied_at__gt=roster_import.applied_at)


def roster_digest() -> str:
    """One text for everything that the roster says: the same people and departments have the same digest."""
    people = Employee.objects.order_by("employee_no").values_list(
        "employee_no",
        "name",
        "mobile",
        "mobile_index",
        "email",
        "department__path",
        "hired_on",
        "birthday",
        "grade",
        "city",
        "regular_on",
        "status",
        "left_on",
        "grace_until",
        "user__username",
        "user__name",
        "user__is_active",
    )
    paths = Department.objects.order_by("path").values_list("path", flat=True)
    digest = hashlib.sha256()
    for line in (*people.iterator(), *paths):
        digest.update(json.dumps(line, ensure_ascii=False, default=str).encode() + b"\n")
    return digest.hexdigest()


def problems(roster_import: RosterImport) -> list[str]:
    """What is wrong, one sentence an issue, in the active language."""
    return [messages.of_issue(issue) for issue in issues(roster_import)]


def issues(roster_import: RosterImport) -> Iterator[Issue]:
    """The issues of all rows."""
    for row in RosterRow.objects.filter(roster_import=roster_import).exclude(issues=[]):
        yield from issues_of(row)


def issues_of(row: RosterRow) -> list[Issue]:
    """The issues of one row."""
    return [
        Issue(row.row or 0, field, code, severity, params) for field, code, severity, params in row.issues
    ]


def notes(roster_import: RosterImport) -> list[str]:
    """Remarks about the whole file, in the active language."""
    return [messages.of_note(Note(code, params)) for code, params in roster_import.facts.get("notes", [])]


def rejection(roster_import: RosterImport) -> str:
    """Why the file was not used, in the active language; empty where it was."""
    reject = roster_import.reject
    if not reject:
        return ""
    return messages.of_rejection(
        Checked("rejected", reject["code"], reject.get("reason", ""), reject.get("params", {}))
    )


def points(roster_import: RosterImport) -> list[tuple[str, str]]:
    """(employee number, points as written) of the accepted rows: a list that the grants page may offer."""
    found = RosterRow.objects.filter(roster_import=roster_import).exclude(
        action__in=[RosterRow.Action.PROBLEM, RosterRow.Action.DOUBLE]
    )
    return [(row.employee_no, points) for row in found if (points := row.person.get("points"))]


def stalled(at: dt.datetime) -> QuerySet[RosterImport]:
    """Imports that wait for a worker: the door that shows them rings again."""
    waiting = RosterImport.objects.filter(
        status__in=[RosterImport.Status.RECEIVED, RosterImport.Status.CONFIRMED, RosterImport.Status.UNDOING]
    )
    return waiting.filter(claimed_at__isnull=True) | waiting.filter(claimed_at__lt=at - LEASE)


def open_companies() -> list[str]:
    """The schemas of the companies whose doors are open."""
    return list(Company.objects.filter(status=Company.Status.OPEN).values_list("schema_name", flat=True))


def stalled_everywhere(at: dt.datetime) -> list[tuple[str, int, str]]:
    """(schema, import, status) of what waits for a worker in any open company, in one statement."""
    schemas = open_companies()
    if not schemas:
        return []
    one = sql.SQL(
        "SELECT {name}, id, status FROM {schema}.roster_rosterimport WHERE status IN ('received', 'confirmed', 'undoing')"
        " AND COALESCE(claimed_at + {lease}, created_at + {grace}) < {at}"
    )
    parts = [
        one.format(
            name=sql.Literal(schema),
            schema=sql.Identifier(schema),
            lease=LEASE,
            grace=GRACE,
            at=sql.Literal(at),
        )
        for schema in schemas
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(parts))
        return [(str(schema), int(pk), str(status)) for schema, pk, status in cursor.fetchall()]


_PRESENT = """
SELECT e.employee_no, e.name, e.mobile, d.path, e.email, e.hired_on, e.birthday, e.grade, e.city, e.regular_on,
    e.status, e.left_on
FROM people_employee e LEFT JOIN people_department d ON d.id = e.department_id
"""


def present() -> list[Present]:
    """Everybody on the roster now, as the plan compares them."""
    fields: dict[str, Any] = {field.attname: field for field in Employee._meta.concrete_fields}
    mobile, birthday = fields["mobile"].opener(), fields["birthday"].opener()
    day = functools.cache(dt.date.fromisoformat)
    with connection.cursor() as cursor:
        cursor.execute(_PRESENT)
        return [
            Present(
                number, name, mobile(m) if m else None, path, email or None, hired_on,
                day(birthday(b)) if b else None, grade or None, city or None, regular_on, status, left_on,
            )
            for number, name, m, path, email, hired_on, b, grade, city, regular_on, status, left_on in cursor.fetchall()
        ]  # fmt: skip


def problem_workbook(roster_import: RosterImport) -> bytes:
    """The user's own workbook with the problem cells marked, or a list of the problems, as .xlsx."""
    with readings.opened_file(roster_import) as path:
        checked = readings.read(roster_import)
        own = {(issue.row, issue.code) for issue in checked.issues}
        more = [issue for issue in issues(roster_import) if (issue.row, issue.code) not in own]
        return report.problem_workbook(path, checked, more)
