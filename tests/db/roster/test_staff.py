"""The roster changed by hand, one or many: the rules of an import, wallets, leavers' points, and a record of each field."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from benefits.people import departments
from benefits.people.errors import (
    EmployeeChanged,
    EmployeeNumberTaken,
    EmployeesNotFound,
    MobileTaken,
    RosterBusy,
    SimilarEmployeeNumber,
)
from benefits.people.hold import hold_roster
from benefits.people.models import Department, Employee
from benefits.points.models import Account
from benefits.roster import operations, staff
from tenants.db import connection, transaction
from tenants.identity.errors import OwnAccess
from tenants.identity.models import AuditEvent, User
from tenants.models import Company
from tests import factories
from tests.db.company.conftest import AT, employ
from tests.db.roster.test_roster_imports import agreed, planned

LATER = AT + timedelta(hours=1)


def one(number: str = "A001") -> Employee:
    return Employee.objects.select_related("department", "user").get(employee_no=number)


def last_event(action: str) -> AuditEvent:
    return AuditEvent.objects.filter(action=action).latest("id")


def edited(employee: Employee, *, seen: datetime | None = None, **values: str | None) -> Employee:
    return staff.edit(
        employee=employee, values=values, seen=seen or employee.updated_at, actor=None, at=LATER
    )


def test_somebody_new_has_a_wallet_a_user_and_a_record_without_their_data(acme: Company) -> None:
    made = staff.add(
        employee_no="0007",
        values={
            "name": "张三丰",
            "mobile": "13912345678",
            "department": "技术/后端",
            "birthday": "1990-05-12",
        },
        actor=None,
        at=AT,
    )
    found = one("0007")
    assert (found.pinyin, found.status) == (" zhangsanfeng zsf sanfeng sf", "active")
    assert found.user is not None
    assert Account.objects.filter(employee=made, kind="wallet").exists()
    facts = last_event("employee.added").facts["changes"]
    assert facts == {
        "name": ["", "张**"],
        "mobile": ["", "139 **** 5678"],
        "department": ["", "技术/后端"],
        "birthday": ["", "****-05-12"],
    }


def test_a_number_is_one_persons_for_good(acme: Company) -> None:
    employ(1)
    staff.add(employee_no="0007", values={"name": "甲"}, actor=None, at=AT)
    with pytest.raises(EmployeeNumberTaken):
        staff.add(employee_no="A001", values={"name": "乙"}, actor=None, at=AT)
    with pytest.raises(SimilarEmployeeNumber) as refused:
        staff.add(employee_no="7", values={"name": "乙"}, actor=None, at=AT)
    assert refused.value.details == {"other": "0007"}


def test_a_mobile_is_one_active_persons(acme: Company) -> None:
    employ(2)
    with pytest.raises(MobileTaken) as refused:
        staff.add(employee_no="B1", values={"name": "乙", "mobile": "13800000002"}, actor=None, at=AT)
    assert refused.value.details == {"employee_no": "B1", "other": "A002"}
    with pytest.raises(MobileTaken):
        edited(one(), mobile="13800000002")
    staff.leave(employees=[one("A002").pk], actor=None, at=AT)
    assert edited(one(), mobile="13800000002").mobile == "13800000002"
    with pytest.raises(MobileTaken):
        staff.bring_back(employees=[one("A002").pk], actor=None, at=LATER)


def test_an_edit_records_what_it_changed_and_nothing_else(acme: Company) -> None:
    employ(1)
    edited(one(), name="李四", grade="P6", department="市场", mobile="13800000001", email=None)
    found = one()
    assert (found.name, found.grade, found.department.path, found.updated_at) == ("李四", "P6", "市场", LATER)  # type: ignore[union-attr]
    assert found.pinyin == " lisi ls si s"
    assert found.user.name == "李四"  # type: ignore[union-attr]
    assert last_event("employee.changed").facts["changes"] == {
        "name": ["员**", "李*"],
        "grade": ["", "P6"],
        "department": ["技术中心/后端组", "市场"],
    }
    count = AuditEvent.objects.count()
    edited(one(), name="李四")
    assert AuditEvent.objects.count() == count


def test_whoever_saves_second_is_told(acme: Company) -> None:
    employ(1)
    seen = one()
    edited(seen, grade="P6")
    with pytest.raises(EmployeeChanged):
        edited(seen, grade="P7", seen=AT)
    assert one().grade == "P6"


def test_leaving_closes_the_door_and_coming_back_opens_it(acme: Company) -> None:
    employ(3)
    pks = [one("A001").pk, one("A002").pk]
    done = staff.leave(employees=pks, left_on=date(2026, 2, 28), actor=None, at=AT)
    assert (done.changed, done.unchanged) == (2, 0)
    assert (one().status, one().left_on, one().user.is_active) == ("left", date(2026, 2, 28), False)  # type: ignore[union-attr]
    assert last_event("employee.left").facts["changes"] == {"left_on": ["", "2026-02-28"]}
    assert last_event("employees.left").facts == {"employees": 2}
    assert staff.leave(employees=[*pks, one("A003").pk], actor=None, at=LATER).unchanged == 2
    assert one().left_on == date(2026, 2, 28)
    done = staff.bring_back(employees=pks, actor=None, at=LATER)
    assert (done.changed, one().status, one().left_on, one().user.is_active) == (2, "active", None, True)  # type: ignore[union-attr]


def test_leavers_points_follow_the_companys_policy(acme: Company) -> None:
    budget = factories.a_budget(10_000)
    stays, goes = factories.an_employee("甲"), factories.an_employee("乙")
    factories.grant(budget, {stays: 3000, goes: 4000})
    staff.leave(employees=[stays.pk], actor=None, at=factories.AT)
    assert factories.wallet_fen(stays) == 3000
    acme.leaver_policy = acme.LeaverPolicy.RETURN
    acme.save()
    done = staff.leave(employees=[goes.pk], actor=None, at=factories.AT)
    assert (done.returned_fen, factories.wallet_fen(goes), factories.budget_fen(budget)) == (4000, 0, 7000)


def test_nobody_marks_themselves_as_left(acme: Company) -> None:
    employ(2)
    user = User.objects.get(username="A001")
    with pytest.raises(OwnAccess):
        staff.leave(employees=[one("A001").pk, one("A002").pk], actor=user, at=AT)
    assert one("A002").is_active


def test_one_stranger_among_many_stops_all(acme: Company) -> None:
    employ(2)
    pks = [one("A001").pk, 10**9]
    for change in (
        lambda: staff.leave(employees=pks, actor=None, at=AT),
        lambda: staff.bring_back(employees=pks, actor=None, at=AT),
        lambda: staff.set_department(employees=pks, department="市场", actor=None, at=AT),
    ):
        with pytest.raises(EmployeesNotFound):
            change()
    assert one().is_active
    assert not Department.objects.filter(path="市场").exists()


def test_many_are_moved_in_few_statements(
    acme: Company, django_assert_max_num_queries: Callable[..., object]
) -> None:
    employ(60)
    pks = list(Employee.objects.values_list("pk", flat=True))
    with django_assert_max_num_queries(25):
        done = staff.set_department(employees=pks, department="市场/北方", actor=None, at=LATER)
    assert done.changed == 60
    assert Employee.objects.filter(department__path="市场/北方").count() == 60
    assert AuditEvent.objects.filter(action="employee.changed").count() == 60
    assert staff.set_department(employees=pks[:2], department="", actor=None, at=LATER).changed == 2
    assert one().department is None


def test_a_roster_that_is_held_is_busy_for_the_next(
    race_company: Company, monkeypatch: pytest.MonkeyPatch, at_once: Callable[..., list[object]]
) -> None:
    import threading

    monkeypatch.setattr("benefits.people.hold.PATIENCE", "200ms")
    held, tried = threading.Event(), threading.Event()

    def holds() -> object:
        with transaction():
            hold_roster()
            held.set()
            tried.wait(20)
        return "held"

    def waits() -> object:
        held.wait(20)
        try:
            return staff.add(employee_no="B1", values={"name": "乙"}, actor=None, at=AT)
        except RosterBusy as error:
            return error.code
        finally:
            tried.set()

    assert at_once(holds, waits) == ["held", "roster_busy"]
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


def test_an_import_is_undone_though_the_department_it_took_people_from_is_gone(
    acme: Company, tmp_path: Path
) -> None:
    employ(1, department="旧部门")
    row = ["A001", "员工1", "13800000001", "新部门", None, None, None]
    found = agreed(planned([row], tmp_path), LATER)
    departments.delete(path="旧部门", actor=None, at=LATER)
    operations.undo(roster_import=found, actor=None, at=LATER)
    undone = operations.undo_now(roster_import=found, at=LATER).result["undo"]
    assert undone["kept"] == [{"employee_no": "A001", "reason": "changed"}]
    assert one().department.path == "新部门"  # type: ignore[union-attr]
