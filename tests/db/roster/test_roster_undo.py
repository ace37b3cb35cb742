"""An import taken back: the roster is what it was, and what people built on it since stays."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from benefits.campaigns import operations as campaigns
from benefits.campaigns.definition import Definition
from benefits.people import operations as people
from benefits.people.models import Department, Employee
from benefits.points import leavers
from benefits.points import operations as points
from benefits.points.models import Account, Budget, Posting
from benefits.points.operations import Audience
from benefits.roster import operations, queries
from benefits.roster.errors import UndoRefused
from benefits.roster.models import Before, RosterImport
from benefits.roster.plan import Mode
from reports import books
from tenants.db import transaction
from tenants.errors import IllegalTransition
from tenants.identity.models import AuditEvent, User
from tenants.models import Company
from tests.db.company.conftest import a_budget
from tests.db.roster.test_roster_imports import LI, WANG, agreed, planned

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
SOON = AT + timedelta(minutes=5)


def imported(
    people: Sequence[Sequence[Any]], tmp_path: Path, mode: Mode = Mode.MERGE, at: datetime = LATER
) -> RosterImport:
    found = planned(people, tmp_path, mode)
    return agreed(found, at)


def undone(found: RosterImport, at: datetime = LATER + timedelta(minutes=1)) -> dict[str, Any]:
    operations.undo(roster_import=found, actor=None, at=at)
    result: dict[str, Any] = operations.undo_now(roster_import=queries.find_import(found.pk), at=at).result
    return dict(result["undo"])


def counted(undo: dict[str, Any]) -> tuple[int, int, int]:
    return undo["restored"], undo["removed"], undo["kept_total"]


def state() -> tuple[str, list[dict[str, Any]], list[dict[str, Any]], int]:
    return (
        queries.roster_digest(),
        list(Employee.objects.order_by("pk").values()),
        list(User.objects.order_by("pk").values()),
        Account.objects.count(),
    )


def test_everything_is_as_it_was(acme: Company, tmp_path: Path) -> None:
    imported([WANG, LI, ["A3", "赵磊", "13800138003", "市场中心"]], tmp_path, at=AT)
    imported([["A3", "赵磊", "13800138003", None, None, None, None, "离职"]], tmp_path, at=SOON)
    before = state()

    found = imported(
        [
            ["A1", "王伟", "13800138002", "新部门/一组", "w@example.com"],  # takes the number of a leaver
            ["A3", "赵小磊", "13800138003", "市场中心"],  # returns
            ["A4", "新人", "13800138001", "新部门"],  # with a number that became free
        ],
        tmp_path,
        Mode.FULL,
    )
    assert (found.result["created"], found.result["updated"]) == (1, 2)
    assert found.result["left"] >= 1
    assert queries.roster_digest() != before[0]

    undo = undone(found)

    assert counted(undo) == (2 + found.result["left"], 1, 0)
    assert state() == before
    assert not Department.objects.filter(path__startswith="新部门").exists()
    assert not Before.objects.filter(roster_import=found).exists()
    found = queries.find_import(found.pk)
    assert (found.status, found.undone_by) == ("undone", "system")
    assert AuditEvent.objects.filter(action="roster.undone").get().facts["removed"] == 1
    assert books.verify([acme]) == []


def test_undoing_twice_undoes_once(acme: Company, tmp_path: Path) -> None:
    found = imported([WANG], tmp_path)
    first = undone(found)

    again = operations.undo_now(roster_import=queries.find_import(found.pk), at=LATER)

    assert again.result["undo"] == first
    with pytest.raises(IllegalTransition):
        operations.undo(roster_import=again, actor=None, at=LATER)


def test_after_undoing_the_same_file_is_a_new_one(acme: Company, tmp_path: Path) -> None:
    undone(imported([WANG], tmp_path))

    again = planned([WANG], tmp_path)

    assert (again.repeats, again.counts["join"]) == (None, 1)
    assert agreed(again, LATER + timedelta(hours=1)).result["created"] == 1


def test_people_with_points_or_changes_since_are_kept_and_named(acme: Company, tmp_path: Path) -> None:
    budget = a_budget(acme, yuan=100)
    imported([WANG], tmp_path, at=AT)
    found = imported(
        [
            ["A1", "王大伟", "13800138001"],
            LI,
            ["A3", "赵磊", "13800138003"],
            ["A4", "钱多"],
            ["A5", "孙", "13800138005"],
        ],
        tmp_path,
    )
    points.grant(
        budget=budget, audience=Audience(amounts=(("A2", 500),)), fen=0, reason="x", expires_at=None,
        request_key=uuid4(), actor=None, at=LATER + timedelta(seconds=5),
    )  # fmt: skip
    with transaction():
        people.change_employees(changes={"A1": {"grade": "P7"}}, at=LATER + timedelta(seconds=6))
    User.objects.filter(username="A4").update(last_login=LATER)

    undo = undone(found)

    assert counted(undo) == (0, 2, 3)
    assert undo["kept"] == [
        {"employee_no": "A1", "reason": "changed"},
        {"employee_no": "A2", "reason": "points"},
        {"employee_no": "A4", "reason": "signed_in"},
    ]
    assert set(Employee.objects.filter(employee_no__startswith="A").values_list("employee_no", flat=True)) == {
        "A1", "A2", "A4",
    }  # fmt: skip
    assert not User.objects.filter(username__in=["A3", "A5"]).exists()


def test_a_mobile_that_somebody_else_has_by_now_is_left_to_them(acme: Company, tmp_path: Path) -> None:
    imported([WANG], tmp_path, at=AT)
    found = imported([["A1", "王伟", "13800138009"], ["A2", "李娜", "13800138001"]], tmp_path)
    User.objects.filter(username="A2").update(last_login=LATER)

    undo = undone(found)

    assert undo["kept"] == [
        {"employee_no": "A1", "reason": "mobile_taken"},
        {"employee_no": "A2", "reason": "signed_in"},
    ]
    assert Employee.objects.get(employee_no="A1").mobile == "13800138009"


def granted(company: Company, number: str, fen: int = 500) -> Budget:
    budget = a_budget(company, name=f"B{uuid4().hex[:6]}", yuan=100)
    points.grant(
        budget=budget, audience=Audience(amounts=((number, fen),)), fen=0, reason="x", expires_at=None,
        request_key=uuid4(), actor=None, at=AT,
    )  # fmt: skip
    return budget


def test_points_that_went_back_come_again(acme: Company, tmp_path: Path) -> None:
    Company.objects.filter(pk=acme.pk).update(leaver_policy="return")
    imported([WANG, LI], tmp_path, at=AT)
    budget = granted(acme, "A1")
    before = state()
    found = imported([[*WANG, "离职"]], tmp_path)
    assert found.result["returned_fen"] == 500
    assert Account.objects.get(employee__employee_no="A1").balance_fen == 0
    assert Account.objects.get(pk=budget.account_id).balance_fen == 100_00

    undo = undone(found)

    assert undo["points_returned_fen"] == 500
    assert state()[:3] == before[:3]
    assert Account.objects.get(employee__employee_no="A1").balance_fen == 500
    assert Account.objects.get(pk=budget.account_id).balance_fen == 95_00
    assert Posting.objects.filter(kind="reverse").count() == 1


def test_points_that_were_granted_to_others_since_keep_the_leaver(acme: Company, tmp_path: Path) -> None:
    Company.objects.filter(pk=acme.pk).update(leaver_policy="return")
    imported([WANG, LI], tmp_path, at=AT)
    budget = granted(acme, "A1")
    found = imported([[*WANG, "离职"]], tmp_path)
    points.unload_budget(budget=budget, fen=99_00, request_key=uuid4(), actor=None, at=LATER)

    undo = undone(found)

    assert undo["kept"] == [{"employee_no": "A1", "reason": "budget"}]
    assert Employee.objects.get(employee_no="A1").status == "left"


def test_only_the_latest_and_only_for_some_days(acme: Company, tmp_path: Path) -> None:
    first = imported([WANG], tmp_path, at=AT)
    second = imported([LI], tmp_path)

    with pytest.raises(UndoRefused) as error:
        operations.undo(roster_import=first, actor=None, at=LATER)
    assert error.value.as_dict()["error"]["details"]["reason"] == "not_latest"
    with pytest.raises(UndoRefused) as error:
        operations.undo(roster_import=second, actor=None, at=LATER + timedelta(days=8))
    assert "7" in str(error.value)
    assert (queries.undoable(first, LATER), queries.undoable(second, LATER)) == (False, True)

    undone(second)
    assert queries.undoable(queries.find_import(first.pk), LATER)
    before_first = undone(queries.find_import(first.pk))
    assert counted(before_first) == (0, 1, 0)


def test_days_of_grace(acme: Company, tmp_path: Path) -> None:
    Company.objects.filter(pk=acme.pk).update(leaver_policy="return", leaver_grace_days=10)
    imported([WANG], tmp_path, at=AT)
    granted(acme, "A1")

    found = imported([[*WANG, "离职"]], tmp_path)

    wang = Employee.objects.select_related("user").get(employee_no="A1")
    assert (wang.is_active, wang.may_spend, wang.user.is_active) == (False, True, True)
    assert "returned_fen" not in found.result
    assert leavers.end_grace(at=LATER + timedelta(days=10)) == 0
    assert leavers.end_grace(at=LATER + timedelta(days=11)) == 1
    assert leavers.end_grace(at=LATER + timedelta(days=11)) == 0
    wang = Employee.objects.select_related("user").get(employee_no="A1")
    assert (wang.may_spend, wang.user.is_active) == (False, False)
    assert Account.objects.get(employee__employee_no="A1").balance_fen == 0


def test_whoever_is_promised_points_stays_until_they_are_handed_out(acme: Company, tmp_path: Path) -> None:
    found = imported([WANG, LI], tmp_path)
    budget = a_budget(acme, yuan=50)
    said = Definition.of_json(
        {"audience": {"numbers": [["A1", None]]}, "occasion": {"kind": "once"}, "amount": {"fen": 500}}
    )
    at = LATER + timedelta(seconds=30)
    rule = campaigns.make_rule(name="Promise", budget=budget, definition=said, actor=None, at=at)
    campaigns.activate_rule(rule=rule, actor=None, at=at)
    rehearsal = campaigns.rehearse_rule(rule=rule, day=timezone.localdate(at), actor=None, at=at)
    campaigns.commit_rehearsal(rehearsal=rehearsal, digest=rehearsal.digest, actor=None, at=at)

    undo = undone(found)

    assert counted(undo) == (0, 1, 1)
    assert undo["kept"] == [{"employee_no": "A1", "reason": "in_use"}]
    assert campaigns.hand_out(rehearsal=rehearsal, at=at) == 1
    assert books.verify([acme]) == []
