"""Employees: many at once. A roster import is the usual caller; every statement is one for all of them."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group
from django.db import models
from django.utils import timezone
from psycopg import sql

from benefits.people import pinyin, queries
from benefits.people.models import Department, Employee
from tenants.crypto import EncryptedTextField, indexer
from tenants.db import connection, copy_rows, transaction_required
from tenants.identity.models import User
from tenants.identity.roles import Role
from tenants.models import Company

# What is known of a person, as text: name, mobile, department (a path), email, hired_on, birthday (ISO days),
# grade, status, left_on. None empties a field; a missing key leaves it.
Values = Mapping[str, str | None]
Told = Callable[[int], None]

BATCH = 5000
_PLAIN = ("name", "mobile", "email", "birthday", "grade", "status")
_DAYS = ("hired_on", "left_on")


def _nobody(done: int) -> None:
    """Whoever does not care for progress."""


@transaction_required
def add_employees(*, people: Mapping[str, Values], at: datetime, told: Told = _nobody) -> list[Employee]:
    """Add people by employee number, each active one with a user who can be invited. `told` hears how many are done.

    A number that already names a user who is nobody's employee (a clerk) gets no user: roles are never inherited.
    """
    if not people:
        return []
    departments = _departments(people.values())
    index = indexer(purpose=queries.MOBILE)
    numbers = iter(_reserved(Employee, len(people)))
    employees = [
        _filled(
            Employee(pk=next(numbers), employee_no=no, created_at=at, updated_at=at), v, departments, index
        )
        for no, v in people.items()
    ]
    _open_users([employee for employee in employees if employee.is_active], at=at)
    for start in range(0, len(employees), BATCH):
        _copy(Employee, employees[start : start + BATCH])
        told(min(start + BATCH, len(employees)))
    for employee in employees:
        employee._state.adding, employee._state.db = False, "default"
    return employees


@transaction_required
def change_employees(*, changes: Mapping[str, Values], at: datetime, told: Told = _nobody) -> list[Employee]:
    """Change people by employee number: details, leaving, coming back. Returns them as they are now.

    Mobiles may pass from one to another within one call. A leaver has the company's days of grace.
    """
    if not changes:
        return []
    departments = _departments(changes.values())
    index = indexer(purpose=queries.MOBILE)
    employees = list(
        Employee.objects.select_related("user").filter(employee_no__in=list(changes)).order_by("pk")
    )
    moving = [e.pk for e in employees if {"mobile", "status"} & changes[e.employee_no].keys()]
    Employee.objects.filter(pk__in=moving).update(mobile_index="")
    for employee in employees:
        _filled(employee, changes[employee.employee_no], departments, index).updated_at = at
    _begin_grace([e for e in employees if changes[e.employee_no].get("status")], at=at)
    _open_users([employee for employee in employees if employee.is_active and employee.user is None], at=at)
    for start in range(0, len(employees), BATCH):
        _write(employees[start : start + BATCH])
        told(min(start + BATCH, len(employees)))
    _follow_users(employees)
    return employees


@transaction_required
def end_grace(*, at: datetime) -> list[Employee]:
    """Close the door behind leavers whose days of grace are over; returns them. Nothing happens a second time."""
    over = Employee.objects.filter(grace_until__lt=timezone.localdate(at)).select_related("user")
    leavers = list(over.order_by("pk").select_for_update(of=("self",)))
    Employee.objects.filter(pk__in=[leaver.pk for leaver in leavers]).update(grace_until=None)
    for leaver in leavers:
        leaver.grace_until = None
    _follow_users(leavers)
    return leavers


def _departments(people: Iterable[Values]) -> dict[str, Department]:
    """Every department that is named, made where it is new."""
    paths = sorted({path for values in people if (path := values.get("department"))})
    known = set(Department.objects.filter(path__in=paths).values_list("path", flat=True))
    Department.objects.bulk_create(
        [Department(path=path) for path in paths if path not in known], ignore_conflicts=True
    )
    return {department.path: department for department in Department.objects.filter(path__in=paths)}


def _filled(
    employee: Employee,
    values: Values,
    departments: Mapping[str, Department],
    index: Callable[[str], str],
) -> Employee:
    """The one place where an employee's columns are computed from what is known."""
    for field in _PLAIN:
        if field in values:
            setattr(employee, field, values[field] or "")
    for field in _DAYS:
        if field in values:
            setattr(employee, field, values[field])
    if "department" in values:
        employee.department = departments.get(values["department"] or "")
    employee.mobile_index = index(employee.mobile) if employee.mobile else ""
    employee.pinyin = pinyin.searchable(employee.name)
    return employee


def _begin_grace(employees: Sequence[Employee], *, at: datetime) -> None:
    """Leavers may spend for the company's days after the day of leaving; whoever is active has no such day."""
    leavers = [employee for employee in employees if not employee.is_active]
    for employee in employees:
        employee.grace_until = None
    if not leavers:
        return
    days = Company.objects.values_list("leaver_grace_days", flat=True).get(schema_name=connection.schema_name)
    today = timezone.localdate(at)
    for leaver in leavers if days else []:
        last = _day(leaver.left_on or today) + timedelta(days=days)
        leaver.grace_until = last if last >= today else None


def _day(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


# --- writing ---------------------------------------------------------------------------------------------------------


def _reserved(model: type[models.Model], count: int) -> list[int]:
    """So many new primary keys."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [row[0] for row in cursor.fetchall()]


def _columns(model: type[models.Model]) -> list[tuple[str, Callable[[str], str] | None]]:
    """Every column of a model, with what seals its texts."""
    return [
        (field.attname, field.sealer() if isinstance(field, EncryptedTextField) else None)
        for field in model._meta.concrete_fields
    ]


def _rows(columns: Sequence[tuple[str, Any]], objects: Iterable[models.Model]) -> Iterable[tuple[Any, ...]]:
    """The objects as their table's rows."""
    for one in objects:
        values = one.__dict__
        yield tuple(
            [seal(value) if seal and (value := values[name]) else values[name] for name, seal in columns]
        )


def _copy(model: type[models.Model], objects: Iterable[models.Model]) -> None:
    columns = _columns(model)
    copy_rows(model, [name for name, _ in columns], _rows(columns, objects))


def _write(employees: Sequence[Employee]) -> None:
    """One UPDATE for many rows, by way of a temporary table."""
    columns = _columns(Employee)
    names = [name for name, _ in columns]
    changing = [sql.Identifier(name) for name in names if name not in ("id", "employee_no", "created_at")]
    assigned = sql.SQL(", ").join(sql.SQL("{0} = n.{0}").format(name) for name in changing)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE changed_employee (LIKE people_employee) ON COMMIT DROP")
        statement = sql.SQL("COPY changed_employee ({}) FROM STDIN").format(
            sql.SQL(", ").join(map(sql.Identifier, names))
        )
        with cursor.copy(statement) as target:
            for row in _rows(columns, employees):
                target.write_row(row)
        cursor.execute(
            sql.SQL("UPDATE people_employee e SET {} FROM changed_employee n WHERE n.id = e.id").format(
                assigned
            )
        )
        cursor.execute("DROP TABLE changed_employee")


def _open_users(employees: Sequence[Employee], *, at: datetime) -> None:
    """Give each a user in the role of an employee, without a password until the invitation is followed."""
    if not employees:
        return
    numbers = [employee.employee_no for employee in employees]
    taken = set(User.objects.filter(username__in=numbers).values_list("username", flat=True))
    emails = {email.lower() for email in User.objects.exclude(email="").values_list("email", flat=True)}
    wanted = [employee for employee in employees if employee.employee_no not in taken]
    users = []
    for employee, pk in zip(wanted, _reserved(User, len(wanted)), strict=True):
        email = employee.email if employee.email.lower() not in emails else ""
        emails.add(email.lower())
        employee.user = User(
            pk=pk,
            username=employee.employee_no,
            name=employee.name,
            email=email,
            password=UNUSABLE_PASSWORD_PREFIX + secrets.token_hex(20),
            created_at=at,
        )
        users.append(employee.user)
    _copy(User, users)
    group = Group.objects.get(name=str(Role.EMPLOYEE))
    copy_rows(User.groups.through, ("user_id", "group_id"), ((user.pk, group.pk) for user in users))


def _follow_users(employees: Sequence[Employee]) -> None:
    """Users follow their people: a leaver can no longer sign in once there is no grace, a name is shown as it is now."""
    stale = []
    for employee in employees:
        user = employee.user
        if user is not None and (user.is_active, user.name) != (employee.may_spend, employee.name):
            user.is_active, user.name = employee.may_spend, employee.name
            stale.append(user)
    if stale:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE identity_user u SET is_active = n.is_active, name = n.name"
                " FROM unnest(%s::bigint[], %s::boolean[], %s::text[]) AS n(id, is_active, name) WHERE n.id = u.id",
                [[u.pk for u in stale], [u.is_active for u in stale], [u.name for u in stale]],
            )
