"""Reads of roster imports, and of the roster as the plan compares with it."""

from __future__ import annotations

import contextlib
import datetime as dt
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.db.models import QuerySet
from psycopg import sql

from benefits.people.models import Employee
from benefits.roster import messages, report, sandbox
from benefits.roster.errors import ImportNotFound
from benefits.roster.models import RosterImport, RosterRow
from benefits.roster.plan import Present
from benefits.roster.shapes import Checked, Issue, Note
from tenants.db import connection
from tenants.models import Company

TO_CHECK, TO_APPLY = RosterImport.Status.RECEIVED, RosterImport.Status.CONFIRMED
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


def rows(roster_import: RosterImport, *, action: str = "", employee_no: str = "") -> QuerySet[RosterRow]:
    """The rows of an import in the file's order, of one action, of one employee number."""
    found = RosterRow.objects.filter(roster_import=roster_import)
    if action in RosterRow.Action.values:
        found = found.filter(action=action)
    return found.filter(employee_no=employee_no) if employee_no else found


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
        status__in=[RosterImport.Status.RECEIVED, RosterImport.Status.CONFIRMED]
    )
    return waiting.filter(claimed_at__isnull=True) | waiting.filter(claimed_at__lt=at - LEASE)


def stalled_everywhere(at: dt.datetime) -> list[tuple[str, int, str]]:
    """(schema, import, status) of what waits for a worker in any open company, in one statement."""
    schemas = list(Company.objects.filter(status=Company.Status.OPEN).values_list("schema_name", flat=True))
    if not schemas:
        return []
    one = sql.SQL(
        "SELECT {name}, id, status FROM {schema}.roster_rosterimport WHERE status IN ('received', 'confirmed')"
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


def present() -> list[Present]:
    """Everybody on the roster now, as the plan compares them."""
    found = Employee.objects.select_related("department")
    return [
        Present(
            employee_no=employee.employee_no,
            name=employee.name,
            mobile=employee.mobile or None,
            department=employee.department.path if employee.department else None,
            email=employee.email or None,
            hired_on=employee.hired_on,
            birthday=dt.date.fromisoformat(employee.birthday) if employee.birthday else None,
            grade=employee.grade or None,
            status=employee.status,
            left_on=employee.left_on,
        )
        for employee in found
    ]


@contextlib.contextmanager
def opened_file(roster_import: RosterImport) -> Iterator[Path]:
    """The stored file in the clear, for as long as it is read and no longer."""
    with tempfile.TemporaryDirectory(prefix="roster-") as folder:
        path = Path(folder) / "roster"
        with roster_import.file.storage.open(roster_import.file.name or "") as stored:
            path.write_bytes(stored.read())
        yield path


def problem_workbook(roster_import: RosterImport) -> bytes:
    """The user's own workbook with the problem cells marked, or a list of the problems, as .xlsx."""
    with opened_file(roster_import) as path:
        checked = sandbox.check_file(path)
        own = {(issue.row, issue.code) for issue in checked.issues}
        more = [issue for issue in issues(roster_import) if (issue.row, issue.code) not in own]
        return report.problem_workbook(path, checked, more)
