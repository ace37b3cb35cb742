"""Employees: many at once. A roster import is the usual caller; every statement is one for all of them."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group

from benefits.people import queries
from benefits.people.models import Department, Employee
from tenants.db import connection, transaction_required
from tenants.identity.models import User
from tenants.identity.roles import Role

# What is known of a person, as text: name, mobile, department (a path), email, hired_on, birthday (ISO days),
# grade, status, left_on. None empties a field; a missing key leaves it.
Values = Mapping[str, str | None]
Told = Callable[[int], None]

BATCH = 2000
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
    added: list[Employee] = []
    employees = [
        _filled(Employee(employee_no=no, created_at=at, updated_at=at), v, departments)
        for no, v in people.items()
    ]
    _open_users([employee for employee in employees if employee.is_active])
    for start in range(0, len(employees), BATCH):
        added += Employee.objects.bulk_create(employees[start : start + BATCH])
        told(len(added))
    return added


@transaction_required
def change_employees(*, changes: Mapping[str, Values], at: datetime, told: Told = _nobody) -> list[Employee]:
    """Change people by employee number: details, leaving, coming back. Returns them as they are now.

    Mobiles may pass from one to another within one call.
    """
    if not changes:
        return []
    departments = _departments(changes.values())
    employees = list(
        Employee.objects.select_related("user").filter(employee_no__in=list(changes)).order_by("pk")
    )
    moving = [e.pk for e in employees if {"mobile", "status"} & changes[e.employee_no].keys()]
    Employee.objects.filter(pk__in=moving).update(mobile_index="")
    for employee in employees:
        _filled(employee, changes[employee.employee_no], departments).updated_at = at
    _open_users([employee for employee in employees if employee.is_active and employee.user is None])
    for start in range(0, len(employees), BATCH):
        _write(employees[start : start + BATCH])
        told(min(start + BATCH, len(employees)))
    _follow_users(employees)
    return employees


def _departments(people: Iterable[Values]) -> dict[str, Department]:
    """Every department that is named, made where it is new."""
    paths = sorted({path for values in people if (path := values.get("department"))})
    known = set(Department.objects.filter(path__in=paths).values_list("path", flat=True))
    Department.objects.bulk_create(
        [Department(path=path) for path in paths if path not in known], ignore_conflicts=True
    )
    return {department.path: department for department in Department.objects.filter(path__in=paths)}


def _filled(employee: Employee, values: Values, departments: Mapping[str, Department]) -> Employee:
    for field in _PLAIN:
        if field in values:
            setattr(employee, field, values[field] or "")
    for field in _DAYS:
        if field in values:
            setattr(employee, field, values[field])
    if "department" in values:
        employee.department = departments.get(values["department"] or "")
    employee.mobile_index = queries.mobile_index(employee.mobile)
    return employee


_COLUMNS = {
    "name": "text", "mobile": "text", "mobile_index": "text", "email": "text", "department_id": "bigint",
    "hired_on": "date", "birthday": "text", "grade": "text", "status": "text", "left_on": "date",
    "user_id": "bigint", "updated_at": "timestamptz",
}  # fmt: skip


def _write(employees: Sequence[Employee]) -> None:
    """One UPDATE for many rows."""
    fields = {field.attname: field for field in Employee._meta.concrete_fields}
    arrays = [
        [fields[column].get_db_prep_save(getattr(e, column), connection) for e in employees]
        for column in _COLUMNS
    ]
    unnested = ", ".join(f"%s::{kind}[]" for kind in _COLUMNS.values())
    assignments = ", ".join(f"{column} = u.{column}" for column in _COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE people_employee e SET {assignments}"
            f" FROM unnest(%s::bigint[], {unnested}) AS u(id, {', '.join(_COLUMNS)}) WHERE e.id = u.id",
            [[employee.pk for employee in employees], *arrays],
        )


def _open_users(employees: Sequence[Employee]) -> None:
    """Give each a user in the role of an employee, without a password until the invitation is followed."""
    taken = set(
        User.objects.filter(username__in=[e.employee_no for e in employees]).values_list(
            "username", flat=True
        )
    )
    emails = {email.lower() for email in User.objects.exclude(email="").values_list("email", flat=True)}
    users = []
    for employee in employees:
        if employee.employee_no in taken:
            continue
        email = employee.email if employee.email.lower() not in emails else ""
        emails.add(email.lower())
        employee.user = User(
            username=employee.employee_no,
            name=employee.name,
            email=email,
            password=UNUSABLE_PASSWORD_PREFIX + secrets.token_hex(20),
        )
        users.append(employee.user)
    User.objects.bulk_create(users, batch_size=BATCH)
    group = Group.objects.get(name=str(Role.EMPLOYEE))
    memberships = User.groups.through
    memberships.objects.bulk_create(
        [memberships(user_id=user.pk, group_id=group.pk) for user in users], batch_size=BATCH
    )


def _follow_users(employees: Sequence[Employee]) -> None:
    """Users follow their people: a leaver can no longer sign in, a name is shown as it is written now."""
    stale = []
    for employee in employees:
        user = employee.user
        if user is not None and (user.is_active, user.name) != (employee.is_active, employee.name):
            user.is_active, user.name = employee.is_active, employee.name
            stale.append(user)
    User.objects.bulk_update(stale, ["is_active", "name"], batch_size=BATCH)
