"""The roster changed by hand: one person added or edited, some or many moved, leaving, coming back.

The same rules as an import's: a number is one person's for good, a mobile is one active person's, wallets are opened
for whoever is active, leavers' points follow the company's policy. Each person's change is recorded field by field;
what is personal stands there masked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils import timezone

from benefits import mobile as numbers
from benefits.people import operations as people
from benefits.people.errors import (
    EmployeeChanged,
    EmployeeNumberTaken,
    EmployeesNotFound,
    MobileTaken,
    SimilarEmployeeNumber,
)
from benefits.people.hold import hold_roster
from benefits.people.models import Employee
from benefits.people.operations import Values
from benefits.people.queries import mobile_index
from benefits.points import operations as points
from benefits.points.leavers import settle
from tenants import audit
from tenants.db import connection, transaction, transaction_required
from tenants.identity.errors import OwnAccess
from tenants.identity.models import User

DETAILS = ("name", "mobile", "department", "email", "hired_on", "birthday", "grade", "city", "regular_on")
Changes = dict[str, list[str]]  # field: [before, after], as they may be kept


@dataclass(frozen=True)
class Done:
    """What came of changing many: how many changed, how many were like that before, fen that went back to budgets."""

    changed: int
    unchanged: int = 0
    returned_fen: int = 0


@transaction
def add(*, employee_no: str, values: Values, actor: User | None, at: dt.datetime) -> Employee:
    """Somebody new, active, with a wallet and a user to invite.

    Raises EmployeeNumberTaken, SimilarEmployeeNumber, MobileTaken, RosterBusy.
    """
    hold_roster()
    if Employee.objects.filter(employee_no=employee_no).exists():
        raise EmployeeNumberTaken(employee_no=employee_no)
    if other := _similar(employee_no):
        raise SimilarEmployeeNumber(other=other)
    _refuse_taken({employee_no: mobile_index(values.get("mobile") or "")})
    joined = people.add_employees(people={employee_no: {**values, "status": "active"}}, at=at)
    points.open_wallets_of(pks=[one.pk for one in joined])
    after = _kept(values)
    changes = {field: ["", text] for field, text in after.items() if text}
    audit.record("employee.added", joined[0], actor=actor, at=at, changes=changes)
    return joined[0]


@transaction
def edit(
    *, employee: Employee, values: Values, seen: dt.datetime, actor: User | None, at: dt.datetime
) -> Employee:
    """Change details of one person; None empties one. `seen` is when the person looked at was last changed.

    Raises EmployeeChanged where somebody saved in between, MobileTaken, RosterBusy.
    """
    hold_roster()
    now = Employee.objects.select_related("department").get(pk=employee.pk)
    if now.updated_at != seen:
        raise EmployeeChanged(employee_no=now.employee_no)
    before = known(now)
    changed: Values = {
        field: value or None for field, value in values.items() if (value or "") != before[field]
    }
    if not changed:
        return now
    if now.is_active and changed.get("mobile"):
        _refuse_taken({now.employee_no: mobile_index(changed["mobile"] or "")})
    _change([now], {now.employee_no: changed}, "employee.changed", actor=actor, at=at)
    return Employee.objects.select_related("department").get(pk=employee.pk)


@transaction
def set_department(*, employees: Sequence[int], department: str, actor: User | None, at: dt.datetime) -> Done:
    """Move people (pk) to a department, or out of any where it is empty. Raises EmployeesNotFound, RosterBusy."""
    hold_roster()
    found = _find(employees)
    moving = [one for one in found if (one.department.path if one.department else "") != department]
    changes: dict[str, Values] = {one.employee_no: {"department": department or None} for one in moving}
    _change(moving, changes, "employee.changed", actor=actor, at=at)
    return _done("employees.moved", moving, found, actor=actor, at=at)


@transaction
def leave(
    *, employees: Sequence[int], left_on: dt.date | None = None, actor: User | None, at: dt.datetime
) -> Done:
    """Mark people (pk) as left on a day, today without one: sign-in and points follow the company's policy.

    Nobody marks themselves. Raises EmployeesNotFound, OwnAccess, RosterBusy.
    """
    hold_roster()
    found = _find(employees)
    if actor is not None and any(one.user_id == actor.pk for one in found):
        raise OwnAccess
    leaving = [one for one in found if one.is_active]
    day = (left_on or timezone.localdate(at)).isoformat()
    changes: dict[str, Values] = {one.employee_no: {"status": "left", "left_on": day} for one in leaving}
    gone = _change(leaving, changes, "employee.left", actor=actor, at=at)
    returned = settle(pks=gone, reason="by hand", at=at)
    return _done("employees.left", leaving, found, fen=returned, actor=actor, at=at)


@transaction
def bring_back(*, employees: Sequence[int], actor: User | None, at: dt.datetime) -> Done:
    """Make people (pk) who left active again. Raises MobileTaken, EmployeesNotFound, RosterBusy."""
    hold_roster()
    found = _find(employees)
    returning = [one for one in found if not one.is_active]
    _refuse_taken({one.employee_no: one.mobile_index for one in returning})
    changes: dict[str, Values] = {one.employee_no: {"status": "active", "left_on": None} for one in returning}
    back = _change(returning, changes, "employee.returned", actor=actor, at=at)
    points.open_wallets_of(pks=back)
    return _done("employees.returned", returning, found, actor=actor, at=at)


def known(employee: Employee) -> dict[str, str]:
    """What is known of somebody, as `values` of the operations: texts, ISO days, the path of the department."""
    return {field: _text(employee, field) for field in DETAILS}


def masked(field: str, text: str) -> str:
    """A value as a record may keep it: enough to recognise, not enough to find the person."""
    if not text:
        return ""
    if field == "mobile":
        return numbers.masked(text)
    if field == "birthday":
        return f"****{text[4:]}" if len(text) == 10 else "****"
    if field == "name":
        return text[0] + "*" * min(len(text) - 1, 6)
    if field == "email":
        name, at, host = text.partition("@")
        return f"{name[:1]}***{at}{host}"
    return text


# --- parts -----------------------------------------------------------------------------------------------------------


def _find(pks: Iterable[int]) -> list[Employee]:
    """All of these people, without what is sealed. Raises EmployeesNotFound where one is missing."""
    wanted = set(pks)
    found = Employee.objects.select_related("department").defer("mobile", "birthday").filter(pk__in=wanted)
    people = list(found.order_by("pk"))
    if len(people) != len(wanted):
        raise EmployeesNotFound
    return people


def _similar(employee_no: str) -> str:
    """Another number with more or fewer leading zeros; empty where there is none."""
    bare = employee_no.lstrip("0")
    if not employee_no.isdigit() or not bare:
        return ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT employee_no FROM people_employee WHERE ltrim(employee_no, '0') = %s LIMIT 1", [bare]
        )
        row = cursor.fetchone()
    return str(row[0]) if row else ""


def _refuse_taken(indexes: Mapping[str, str]) -> None:
    """Nobody (by number) may take a mobile that an active person has, nor two of them the same one."""
    holders: dict[str, str] = {}
    for number, index in indexes.items():
        if index and (other := holders.setdefault(index, number)) != number:
            raise MobileTaken(employee_no=number, other=other)
    others = Employee.objects.filter(status=Employee.Status.ACTIVE, mobile_index__in=holders)
    others = others.exclude(employee_no__in=indexes)
    if taken := others.order_by("employee_no").values_list("mobile_index", "employee_no").first():
        raise MobileTaken(employee_no=holders[taken[0]], other=taken[1])


@transaction_required
def _change(
    employees: Sequence[Employee],
    changes: Mapping[str, Values],
    action: str,
    *,
    actor: User | None,
    at: dt.datetime,
) -> list[int]:
    """Change these people, given as they were, and record each one's fields; returns their primary keys."""
    pks = people.change(changes=changes, at=at)
    audit.record_each(
        action,
        ((one, {"changes": _changes(one, changes[one.employee_no])}) for one in employees),
        actor=actor,
        at=at,
    )
    return pks


def _text(employee: Employee, field: str) -> str:
    """What one field of somebody holds, as `values` have it."""
    if field == "department":
        return employee.department.path if employee.department else ""
    value = getattr(employee, field)
    return value.isoformat() if isinstance(value, dt.date) else value or ""


def _kept(values: Values) -> dict[str, str]:
    return {field: masked(field, value or "") for field, value in values.items()}


def _changes(employee: Employee, values: Values) -> Changes:
    found = {}
    for field, after in _kept(values).items():
        before = masked(field, _text(employee, field)) if field != "status" else ""
        if field != "status" and (before or after):
            found[field] = [before, after]
    return found


@transaction_required
def _done(
    action: str,
    changed: Sequence[Employee],
    found: Sequence[Employee],
    *,
    fen: int = 0,
    actor: User | None,
    at: dt.datetime,
) -> Done:
    """One event for the whole of a change of many, besides each one's own."""
    if len(found) > 1 and changed:
        facts = {"employees": len(changed)} | ({"fen": fen} if fen else {})
        audit.record(action, "employees:chosen", actor=actor, at=at, **facts)
    return Done(len(changed), len(found) - len(changed), fen)
