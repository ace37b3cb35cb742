"""Employees: many at once. A roster import is the usual caller; every statement is one for all of them.

People pass through here as rows, column by column as the database holds them, and are written by COPY: a hundred
thousand model instances would cost more than everything else.
"""

import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group
from django.db import models
from django.utils import timezone
from psycopg import sql

from benefits.people import pinyin, queries
from benefits.people.models import Department, Employee
from tenants.crypto import indexer
from tenants.db import connection, copy_rows, transaction_required
from tenants.identity.models import User
from tenants.identity.roles import Role
from tenants.models import Company

# What is known of a person, as text: name, mobile, department (a path), email, hired_on, birthday (ISO days),
# grade, city, regular_on, status, left_on. None empties a field; a missing key leaves it.
Values = Mapping[str, str | None]
Row = dict[str, Any]  # column -> value as the table holds it
Told = Callable[[int], None]

BATCH = 5000
_PLAIN = ("name", "email", "grade", "city", "status")
_DAYS = ("hired_on", "regular_on", "left_on")
_SEALED = ("mobile", "birthday")


def _nobody(done: int) -> None:
    """Whoever does not care for progress."""


@transaction_required
def add_employees(*, people: Mapping[str, Values], at: datetime, told: Told = _nobody) -> list[Employee]:
    """Add people by employee number, each active one with a user who can be invited; returns them.

    A number that already names a user who is nobody's employee (a clerk) gets no user: roles are never inherited.
    """
    return _employees(join(people=people, at=at, told=told))


@transaction_required
def change_employees(*, changes: Mapping[str, Values], at: datetime, told: Told = _nobody) -> list[Employee]:
    """Change people by employee number: details, leaving, coming back. Returns them as they are now.

    Mobiles may pass from one to another within one call. A leaver has the company's days of grace.
    """
    return _employees(change(changes=changes, at=at, told=told))


def _employees(pks: Collection[int]) -> list[Employee]:
    return list(Employee.objects.select_related("user", "department").filter(pk__in=pks).order_by("pk"))


@transaction_required
def join(*, people: Mapping[str, Values], at: datetime, told: Told = _nobody) -> list[int]:
    """`add_employees` that returns primary keys alone. `told` hears how many are done."""
    if not people:
        return []
    tools = _tools(people.values())
    blank = _blank(Employee) | {"created_at": at, "updated_at": at}
    rows = [
        _filled({**blank, "id": pk, "employee_no": number}, values, tools)
        for pk, (number, values) in zip(_reserved(Employee, len(people)), people.items(), strict=True)
    ]
    _open_users(rows, at=at)
    columns = list(blank)
    for start in range(0, len(rows), BATCH):
        copy_rows(Employee, columns, (list(row.values()) for row in rows[start : start + BATCH]))
        told(min(start + BATCH, len(rows)))
    return [row["id"] for row in rows]


@transaction_required
def change(*, changes: Mapping[str, Values], at: datetime, told: Told = _nobody) -> list[int]:
    """`change_employees` that returns primary keys alone. `told` hears how many are done."""
    if not changes:
        return []
    tools = _tools(changes.values())
    columns = list(_blank(Employee))
    rows = _present(columns, list(changes))
    moving = [row["id"] for row in rows if {"mobile", "status"} & changes[row["employee_no"]].keys()]
    Employee.objects.filter(pk__in=moving).update(mobile_index="")
    for row in rows:
        _filled(row, changes[row["employee_no"]], tools)["updated_at"] = at
    _begin_grace([row for row in rows if changes[row["employee_no"]].get("status")], at=at)
    _open_users([row for row in rows if row["user_id"] is None], at=at)
    for start in range(0, len(rows), BATCH):
        _write(columns, rows[start : start + BATCH])
        told(min(start + BATCH, len(rows)))
    pks = [row["id"] for row in rows]
    _follow_users(pks)
    return pks


@transaction_required
def end_grace(*, at: datetime) -> list[Employee]:
    """Close the door behind leavers whose days of grace are over; returns them. Nothing happens a second time."""
    over = Employee.objects.filter(grace_until__lt=timezone.localdate(at))
    pks = list(over.order_by("pk").select_for_update().values_list("pk", flat=True))
    Employee.objects.filter(pk__in=pks).update(grace_until=None)
    _follow_users(pks)
    return _employees(pks)


# --- what the columns hold -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Tools:
    """What filling many rows needs, prepared once."""

    departments: Mapping[str, int]
    index: Callable[[str], str]
    seal: Mapping[str, Callable[[str], str]]


def _tools(people: Iterable[Values]) -> _Tools:
    fields: dict[str, Any] = {field.attname: field for field in Employee._meta.concrete_fields}
    return _Tools(
        departments=_departments(people),
        index=indexer(purpose=queries.MOBILE),
        seal={name: fields[name].sealer() for name in _SEALED},
    )


def _departments(people: Iterable[Values]) -> dict[str, int]:
    """Every department that is named, made where it is new."""
    paths = sorted({path for values in people if (path := values.get("department"))})
    known = set(Department.objects.filter(path__in=paths).values_list("path", flat=True))
    Department.objects.bulk_create(
        [Department(path=path) for path in paths if path not in known], ignore_conflicts=True
    )
    return dict(Department.objects.filter(path__in=paths).values_list("path", "pk"))


def _filled(row: Row, values: Values, tools: _Tools) -> Row:
    """The one place where an employee's columns are computed from what is known."""
    for name in _PLAIN:
        if name in values:
            row[name] = values[name] or ""
    for name in _DAYS:
        if name in values:
            row[name] = values[name]
    for name in _SEALED:
        if name in values:
            text = values[name]
            row[name] = tools.seal[name](text) if text else ""
    if "mobile" in values:
        mobile = values["mobile"]
        row["mobile_index"] = tools.index(mobile) if mobile else ""
    if "department" in values:
        row["department_id"] = tools.departments.get(values["department"] or "")
    if "name" in values:
        row["pinyin"] = pinyin.searchable(row["name"])
    return row


def _begin_grace(rows: Sequence[Row], *, at: datetime) -> None:
    """Leavers may spend for the company's days after the day of leaving; whoever is active has no such day."""
    leavers = [row for row in rows if row["status"] == Employee.Status.LEFT]
    for row in rows:
        row["grace_until"] = None
    if not leavers:
        return
    days = Company.objects.values_list("leaver_grace_days", flat=True).get(schema_name=connection.schema_name)
    today = timezone.localdate(at)
    for row in leavers if days else []:
        left_on = row["left_on"] or today
        last = date.fromisoformat(str(left_on)) + timedelta(days=days)
        row["grace_until"] = last if last >= today else None


# --- reading and writing ---------------------------------------------------------------------------------------------


def _blank(model: type[models.Model]) -> Row:
    """A new row of a model: each column with its default."""
    one = model()
    return {field.attname: getattr(one, field.attname) for field in model._meta.concrete_fields}


def _reserved(model: type[models.Model], count: int) -> list[int]:
    """So many new primary keys."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [row[0] for row in cursor.fetchall()]


def _present(columns: Sequence[str], numbers: list[str]) -> list[Row]:
    """These people's rows as the table holds them, still sealed, locked in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                "SELECT {} FROM people_employee WHERE employee_no = ANY(%s) ORDER BY id FOR UPDATE"
            ).format(sql.SQL(", ").join(map(sql.Identifier, columns))),
            [numbers],
        )
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def _write(columns: Sequence[str], rows: Sequence[Row]) -> None:
    """One UPDATE for many rows, by way of a temporary table."""
    changing = [sql.Identifier(name) for name in columns if name not in ("id", "employee_no", "created_at")]
    assigned = sql.SQL(", ").join(sql.SQL("{0} = n.{0}").format(name) for name in changing)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE changed_employee (LIKE people_employee) ON COMMIT DROP")
        statement = sql.SQL("COPY changed_employee ({}) FROM STDIN").format(
            sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with cursor.copy(statement) as target:
            for row in rows:
                target.write_row(list(row.values()))
        cursor.execute(
            sql.SQL("UPDATE people_employee e SET {} FROM changed_employee n WHERE n.id = e.id").format(
                assigned
            )
        )
        cursor.execute("DROP TABLE changed_employee")


def _open_users(rows: Sequence[Row], *, at: datetime) -> None:
    """Give each active one a user in the role of an employee, without a password until the invitation is followed."""
    active = [row for row in rows if row["status"] == Employee.Status.ACTIVE]
    if not active:
        return
    numbers = [row["employee_no"] for row in active]
    taken = set(User.objects.filter(username__in=numbers).values_list("username", flat=True))
    wanted = [row for row in active if row["employee_no"] not in taken]
    for row, pk in zip(wanted, _reserved(User, len(wanted)), strict=True):
        row["user_id"] = pk
    blank = _blank(User) | {"created_at": at}
    emails = {email.lower() for email in User.objects.exclude(email="").values_list("email", flat=True)}
    copy_rows(User, list(blank), _users(wanted, blank, emails))
    group = Group.objects.get(name=str(Role.EMPLOYEE))
    copy_rows(User.groups.through, ("user_id", "group_id"), ((row["user_id"], group.pk) for row in wanted))


def _users(rows: Iterable[Row], blank: Row, emails: set[str]) -> Iterator[list[Any]]:
    """A row of the users' table for each. An e-mail address is one user's: the first keeps it."""
    for row in rows:
        email = row["email"]
        if email:
            folded = email.lower()
            email = "" if folded in emails else email
            emails.add(folded)
        user = {
            **blank,
            "id": row["user_id"],
            "username": row["employee_no"],
            "name": row["name"],
            "email": email,
            "password": UNUSABLE_PASSWORD_PREFIX + secrets.token_hex(20),
        }
        yield list(user.values())


def _follow_users(pks: list[int]) -> None:
    """Users follow their people: a leaver can no longer sign in once there is no grace, a name is shown as it is now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE identity_user u SET name = e.name, is_active = (e.status = 'active' OR e.grace_until IS NOT NULL)"
            " FROM people_employee e WHERE e.user_id = u.id AND e.id = ANY(%s) AND (u.name, u.is_active)"
            " IS DISTINCT FROM (e.name, (e.status = 'active' OR e.grace_until IS NOT NULL))",
            [pks],
        )
