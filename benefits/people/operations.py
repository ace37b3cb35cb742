"""Employees: many at once. A roster import is the usual caller; every statement is one for all of them.

People pass through here as rows, column by column as the database holds them, and are written by COPY: a hundred
thousand model instances would cost more than everything else.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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
from tenants.db import connection, copy_columns, transaction_required
from tenants.identity.models import User
from tenants.identity.roles import Role
from tenants.models import Company

# What is known of a person, as text: name, mobile, department (a path), email, hired_on, birthday (ISO days),
# grade, city, regular_on, status, left_on. None empties a field; a missing key leaves it.
Values = Mapping[str, str | None]
Row = dict[str, Any]  # column -> value as the table holds it
Cells = Sequence[str | None]
Columns = dict[str, Cells]  # column -> its cells as COPY reads them
Told = Callable[[int], None]

BATCH = 5000
FIELDS = (
    "name", "mobile", "department", "email", "hired_on", "birthday", "grade", "city", "regular_on", "status",
    "left_on",
)  # fmt: skip
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
    pks = _reserved(Employee, len(people))
    numbers, known = list(people), list(people.values())
    for start in range(0, len(pks), BATCH):
        part = slice(start, start + BATCH)
        _add(pks[part], numbers[part], known[part], tools, at=at)
        told(min(start + BATCH, len(pks)))
    return pks


def _add(pks: list[int], numbers: list[str], known: list[Values], tools: _Tools, *, at: datetime) -> None:
    """Some of those who join: their rows by COPY, then the users that these name."""
    count = len(pks)
    texts = {field: [values.get(field) for values in known] for field in FIELDS}
    texts["status"] = [status or Employee.Status.ACTIVE.value for status in texts["status"]]
    columns = _alike(Employee, count)
    for field, cells in texts.items():
        if any(cells):
            columns |= _columns(field, cells, tools)
    now = [at.isoformat()] * count
    columns |= {"id": list(map(str, pks)), "employee_no": list(numbers), "created_at": now, "updated_at": now}
    columns["user_id"] = _users_for(numbers, columns["status"])
    _open_users(columns["user_id"], columns, at=at)
    copy_columns(Employee, columns)


@transaction_required
def change(*, changes: Mapping[str, Values], at: datetime, told: Told = _nobody) -> list[int]:
    """`change_employees` that returns primary keys alone. `told` hears how many are done."""
    if not changes:
        return []
    tools = _tools(changes.values())
    names = list(_blank(Employee))
    rows = _present(names, list(changes))
    known = [changes[row["employee_no"]] for row in rows]
    moving = [row["id"] for row, one in zip(rows, known, strict=True) if {"mobile", "status"} & one.keys()]
    Employee.objects.filter(pk__in=moving).update(mobile_index="")
    _fill(rows, known, tools, at=at)
    _begin_grace([row for row, one in zip(rows, known, strict=True) if one.get("status")], at=at)
    without = [row for row in rows if row["user_id"] is None]
    told_apart = {name: [row[name] for row in without] for name in ("employee_no", "name", "email", "status")}
    users = _users_for(told_apart["employee_no"], told_apart["status"])
    _open_users(users, told_apart, at=at)
    for row, user in zip(without, users, strict=True):
        row["user_id"] = user
    for start in range(0, len(rows), BATCH):
        _write(names, rows[start : start + BATCH])
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

    departments: Mapping[str | None, str]
    index: Callable[[str], str]
    seal: Mapping[str, Callable[[Cells], list[str]]]


def _tools(people: Iterable[Values]) -> _Tools:
    fields: dict[str, Any] = {field.attname: field for field in Employee._meta.concrete_fields}
    return _Tools(
        departments={path: str(pk) for path, pk in _departments(people).items()},
        index=indexer(purpose=queries.MOBILE),
        seal={name: fields[name].seal_all for name in _SEALED},
    )


def _departments(people: Iterable[Values]) -> dict[str, int]:
    """Every department that is named, made where it is new."""
    paths = sorted({path for values in people if (path := values.get("department"))})
    known = set(Department.objects.filter(path__in=paths).values_list("path", flat=True))
    Department.objects.bulk_create(
        [Department(path=path) for path in paths if path not in known], ignore_conflicts=True
    )
    return dict(Department.objects.filter(path__in=paths).values_list("path", "pk"))


def _columns(field: str, texts: Cells, tools: _Tools) -> Columns:
    """The one place where an employee's columns are computed from what is known, as the database holds them."""
    if field in _DAYS:
        return {field: texts}
    if field == "department":
        return {"department_id": [tools.departments.get(text) for text in texts]}
    if field == "birthday":
        return {field: tools.seal[field](texts)}
    if field == "mobile":
        index = tools.index
        return {
            field: tools.seal[field](texts),
            "mobile_index": [index(text) if text else "" for text in texts],
        }
    plain = [text or "" for text in texts]
    return (
        {"name": plain, "pinyin": list(map(pinyin.searchable, plain))} if field == "name" else {field: plain}
    )


def _fill(rows: Sequence[Row], known: Sequence[Values], tools: _Tools, *, at: datetime) -> None:
    """Bring rows up to what is known of each; what nobody says anything about stays."""
    for field in FIELDS:
        which = [(row, values[field]) for row, values in zip(rows, known, strict=True) if field in values]
        for name, cells in _columns(field, [text for _, text in which], tools).items():
            for (row, _), cell in zip(which, cells, strict=True):
                row[name] = cell
    for row in rows:
        row["updated_at"] = at


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


def _alike(model: type[models.Model], count: int) -> Columns:
    """So many new rows that hold the defaults of a model, but for those that are NULL."""
    return {name: [str(value)] * count for name, value in _blank(model).items() if value is not None}


def _reserved(model: type[models.Model], count: int) -> list[int]:
    """So many new primary keys."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [model._meta.db_table])
        sequence = cursor.fetchone()[0]
        cursor.execute("SELECT nextval(%s::regclass) FROM generate_series(1, %s)", [sequence, count])
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


# Thousands of texts cross as one: quoting each for an array takes five times as long.
_TEXTS = "ARRAY(SELECT jsonb_array_elements_text(%s::jsonb))"


def _users_for(numbers: Cells, states: Cells) -> list[str | None]:
    """A primary key for the user of each active one; None where the number names a user already."""
    active = [
        number for number, status in zip(numbers, states, strict=True) if status == Employee.Status.ACTIVE
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT username FROM identity_user WHERE username = ANY({_TEXTS})", [json.dumps(active)]
        )
        wanted = set(active) - {row[0] for row in cursor.fetchall()}
    new = iter(_reserved(User, len(wanted)))
    return [str(next(new)) if number in wanted else None for number in numbers]


def _open_users(pks: Cells, columns: Mapping[str, Cells], *, at: datetime) -> None:
    """Make the users of employees (their columns), in the role of an employee, where there is a primary key for one:
    without a password until the invitation is followed."""
    which = [place for place, pk in enumerate(pks) if pk is not None]
    if not which:
        return
    count = len(which)
    new = _alike(User, count)
    mine = {name: [columns[name][place] for place in which] for name in ("employee_no", "name", "email")}
    drawn = secrets.token_hex(20 * count)
    copy_columns(
        User,
        new
        | {
            "id": [pks[place] for place in which],
            "username": mine["employee_no"],
            "name": mine["name"],
            "email": _of_one_user(mine["email"]),
            "password": [f"{UNUSABLE_PASSWORD_PREFIX}{drawn[n : n + 40]}" for n in range(0, len(drawn), 40)],
            "created_at": [at.isoformat()] * count,
        },
    )
    group = str(Group.objects.get(name=str(Role.EMPLOYEE)).pk)
    copy_columns(
        User.groups.through, {"user_id": [pks[place] for place in which], "group_id": [group] * count}
    )


def _of_one_user(emails: Cells) -> list[str]:
    """An e-mail address is one user's: whoever has it keeps it, else the first."""
    folded = [email.lower() if email else "" for email in emails]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT lower(email) FROM identity_user WHERE email <> '' AND lower(email) = ANY({_TEXTS})",
            [json.dumps([email for email in folded if email])],
        )
        taken = {"", *(row[0] for row in cursor.fetchall())}
    found = []
    for email, key in zip(emails, folded, strict=True):
        found.append("" if email is None or key in taken else email)
        taken.add(key)
    return found


def _follow_users(pks: list[int]) -> None:
    """Users follow their people: a leaver can no longer sign in once there is no grace, a name is shown as it is now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE identity_user u SET name = e.name, is_active = (e.status = 'active' OR e.grace_until IS NOT NULL)"
            " FROM people_employee e WHERE e.user_id = u.id AND e.id = ANY(%s) AND (u.name, u.is_active)"
            " IS DISTINCT FROM (e.name, (e.status = 'active' OR e.grace_until IS NOT NULL))",
            [pks],
        )
