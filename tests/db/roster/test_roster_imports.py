"""A roster from upload to the people it makes, on a real database."""

import io
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile, File
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import tenant_context

from benefits.people.models import Department, Employee
from benefits.points.models import Account
from benefits.roster import operations, queries
from benefits.roster.errors import BeingWorkedOn, FileChanged, RosterChanged, RosterTooLarge, RowsHeldBack
from benefits.roster.models import RosterImport, RosterRow
from benefits.roster.plan import Mode
from tenants.errors import IllegalTransition
from tenants.identity.models import AuditEvent, User
from tenants.models import Company
from tests.unit.roster import books

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WANG = ["A1", "王伟", "13800138001", "技术中心/后端组", "wang@example.com", "2020-01-06", 500]
LI = ["A2", "李娜", "13800138002", "市场中心", None, None, None]


def upload(
    people: Sequence[Sequence[Any]], tmp_path: Path, mode: Mode = Mode.MERGE, name: str = "员工.xlsx"
) -> RosterImport:
    path = books.roster(tmp_path / "roster.xlsx", *people)
    with path.open("rb") as file:
        return operations.receive(file=File(file), file_name=name, mode=mode, actor=None, at=AT)


def planned(people: Sequence[Sequence[Any]], tmp_path: Path, mode: Mode = Mode.MERGE) -> RosterImport:
    return operations.check(roster_import=upload(people, tmp_path, mode), at=AT)


def applied(people: Sequence[Sequence[Any]], tmp_path: Path, mode: Mode = Mode.MERGE) -> dict[str, int]:
    return agreed(planned(people, tmp_path, mode)).result


def agreed(found: RosterImport, at: datetime = AT) -> RosterImport:
    """Confirmed and applied, however many leave."""
    operations.confirm(
        roster_import=found,
        plan_digest=found.plan_digest,
        leavers=found.counts["leave"],
        actor=None,
        at=at,
    )
    return operations.apply(roster_import=found, at=at)


def counts(found: RosterImport) -> dict[str, int]:
    return {action: count for action, count in found.counts.items() if count}


def test_people_join_with_department_user_and_wallet(acme: Company, tmp_path: Path) -> None:
    assert applied([WANG, LI], tmp_path) == {
        "created": 2,
        "updated": 0,
        "unchanged": 0,
        "left": 0,
        "failed": 0,
    }

    wang = Employee.objects.get(employee_no="A1")
    assert (wang.name, wang.mobile, wang.email, wang.hired_on) == (
        "王伟",
        "13800138001",
        "wang@example.com",
        date(2020, 1, 6),
    )
    assert wang.department.path == "技术中心/后端组"
    assert wang.wallet.balance_fen == 0
    assert wang.user.roles == {"employee"}
    assert not wang.user.has_usable_password()
    assert AuditEvent.objects.filter(action="roster.applied").get().facts["created"] == 2


def test_nothing_changes_before_it_is_confirmed(acme: Company, tmp_path: Path) -> None:
    before = Employee.objects.count()

    found = planned([WANG, LI], tmp_path)

    assert counts(found) == {"join": 2}
    assert Employee.objects.count() == before
    row = queries.rows(found, employee_no="A1").get()
    assert row.person["after"]["department"] == "技术中心/后端组"
    assert queries.points(found) == [("A1", "500")]


def test_the_same_file_again_changes_nothing(acme: Company, tmp_path: Path) -> None:
    applied([WANG, LI], tmp_path)
    people = list(Employee.objects.values())

    again = upload([WANG, LI], tmp_path)
    assert again.repeats is not None
    result = applied([WANG, LI], tmp_path)

    assert result == {"created": 0, "updated": 0, "unchanged": 2, "left": 0, "failed": 0}
    assert list(Employee.objects.values()) == people
    assert Account.objects.filter(employee__employee_no__in=["A1", "A2"]).count() == 2


def test_applying_twice_applies_once(acme: Company, tmp_path: Path) -> None:
    found = planned([WANG], tmp_path)
    operations.confirm(roster_import=found, plan_digest=found.plan_digest, actor=None, at=AT)
    first = operations.apply(roster_import=found, at=AT).result

    assert operations.apply(roster_import=queries.find_import(found.pk), at=AT).result == first
    with pytest.raises(IllegalTransition):
        operations.confirm(roster_import=found, plan_digest=found.plan_digest, actor=None, at=AT)


def test_changes_are_shown_field_by_field_and_blanks_erase_nothing(acme: Company, tmp_path: Path) -> None:
    applied([WANG, LI], tmp_path)

    found = planned([["A1", "王伟", "13800138009", None, None, "2020-01-06"]], tmp_path)

    row = queries.rows(found).get()
    assert row.action == "update"
    assert (row.person["before"], row.person["after"]) == (
        {"mobile": "13800138001"},
        {"mobile": "13800138009"},
    )
    operations.confirm(roster_import=found, plan_digest=found.plan_digest, actor=None, at=AT)
    operations.apply(roster_import=found, at=AT)
    wang = Employee.objects.get(employee_no="A1")
    assert (wang.mobile, wang.email, wang.department.path) == (
        "13800138009",
        "wang@example.com",
        "技术中心/后端组",
    )
    assert queries.find_import(found.pk).result["updated"] == 1


def test_two_people_swap_their_mobiles(acme: Company, tmp_path: Path) -> None:
    applied([WANG, LI], tmp_path)

    result = applied([["A1", "王伟", "13800138002"], ["A2", "李娜", "13800138001"]], tmp_path)

    assert result["updated"] == 2
    assert {e.employee_no: e.mobile for e in Employee.objects.filter(employee_no__in=["A1", "A2"])} == {
        "A1": "13800138002",
        "A2": "13800138001",
    }


def test_a_mobile_of_somebody_else_is_a_problem(acme: Company, tmp_path: Path) -> None:
    applied([WANG, LI], tmp_path)

    found = planned([["A3", "赵磊", "13800138001"], ["A4", "钱多", "13800138004"]], tmp_path)

    assert counts(found) == {"join": 1, "problem": 1}
    assert queries.rows(found, action="problem").get().issues[0][1] == "mobile_taken"


def test_lost_zeros_never_make_a_second_person(acme: Company, tmp_path: Path) -> None:
    applied([["00123", "王伟", "13800138001"]], tmp_path)

    found = planned([[123, "王伟", "13800138001"]], tmp_path)

    assert queries.rows(found).get().issues[0][1] == "similar_employee_no"


def test_leaving_and_coming_back(acme: Company, tmp_path: Path) -> None:
    applied([WANG, LI], tmp_path)

    assert applied([[*WANG, "离职"]], tmp_path)["left"] == 1
    wang = Employee.objects.select_related("user").get(employee_no="A1")
    assert (wang.status, wang.left_on, wang.user.is_active) == ("left", date(2026, 3, 2), False)
    assert (
        applied([["A5", "新人", "13800138001"]], tmp_path)["created"] == 1
    )  # a leaver's mobile is free again

    result = applied([["A1", "王伟", "13800138007", None, None, None, None, "在职"]], tmp_path)
    assert result["updated"] == 1
    wang.refresh_from_db()
    assert (wang.status, wang.left_on) == ("active", None)
    assert User.objects.get(pk=wang.user_id).is_active


def test_in_full_mode_whoever_is_missing_leaves(acme: Company, tmp_path: Path) -> None:
    applied([WANG, LI], tmp_path)
    others = Employee.objects.filter(status="active").exclude(employee_no__in=["A1", "A2"]).count()

    found = planned([WANG], tmp_path, Mode.FULL)

    assert counts(found) == {"unchanged": 1, "leave": 1 + others}
    assert queries.rows(found, employee_no="A2").get().row is None


def test_in_full_mode_a_row_with_a_problem_protects_its_person(acme: Company, tmp_path: Path) -> None:
    applied([WANG, LI], tmp_path)

    found = planned([WANG, ["A2", "李娜", "1380013800"]], tmp_path, Mode.FULL)

    assert not queries.rows(found, action="leave", employee_no="A2").exists()


def test_a_changed_roster_asks_again(acme: Company, tmp_path: Path) -> None:
    found = planned([WANG, LI], tmp_path)
    seen = found.plan_digest
    applied([["A1", "王伟", "13800138001"]], tmp_path)
    operations.confirm(roster_import=found, plan_digest=seen, actor=None, at=AT)

    with pytest.raises(RosterChanged) as error:
        operations.apply(roster_import=found, at=AT)

    assert error.value.status == 409
    found = queries.find_import(found.pk)
    assert (found.status, found.roster_changed) == ("planned", True)
    assert counts(found) == {"update": 1, "join": 1}
    assert not Employee.objects.filter(employee_no="A2").exists()
    with pytest.raises(RosterChanged):
        operations.confirm(roster_import=found, plan_digest=seen, actor=None, at=AT)


def test_all_or_nothing(acme: Company, tmp_path: Path) -> None:
    found = planned([WANG, ["A2", None, "13800138002"]], tmp_path)

    with pytest.raises(RowsHeldBack):
        operations.confirm(
            roster_import=found, plan_digest=found.plan_digest, all_or_nothing=True, actor=None, at=AT
        )

    operations.confirm(roster_import=found, plan_digest=found.plan_digest, actor=None, at=AT)
    assert operations.apply(roster_import=found, at=AT).result["failed"] == 1


def test_a_rejected_file_says_why(acme: Company) -> None:
    found = operations.receive(
        file=ContentFile(b"%PDF-1.7"), file_name="a.xlsx", mode=Mode.MERGE, actor=None, at=AT
    )

    operations.check(roster_import=found, at=AT)

    assert (found.status, found.reject["code"]) == ("rejected", "unsupported_format")
    assert queries.rejection(found)


def test_a_file_over_the_limit_is_not_kept(acme: Company, settings: Any) -> None:
    settings.ROSTER_MAX_BYTES = 1024
    with pytest.raises(RosterTooLarge):
        operations.receive(file=ContentFile(b"x" * 1025), file_name="a", mode=Mode.MERGE, actor=None, at=AT)

    assert not RosterImport.objects.exists()


def test_a_file_name_is_shown_never_used(acme: Company, tmp_path: Path) -> None:
    found = upload([WANG], tmp_path, name="..\\../../etc/=cmd\x00<b>.xlsx")

    assert found.file_name == "=cmd<b>.xlsx"
    assert found.file.name.startswith("rosters/")


def test_what_is_stored_is_sealed(acme: Company, tmp_path: Path) -> None:
    found = planned([WANG], tmp_path)

    stored = Path(found.file.path).read_bytes()
    assert stored
    assert not stored.startswith(b"PK")
    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed FROM roster_rosterrow WHERE roster_import_id = %s", [found.pk])
        assert "王伟" not in str(cursor.fetchall())


def test_a_swapped_file_is_noticed(acme: Company, tmp_path: Path) -> None:
    found, other = planned([WANG], tmp_path), upload([LI], tmp_path)
    operations.confirm(roster_import=found, plan_digest=found.plan_digest, actor=None, at=AT)
    RosterImport.objects.filter(pk=found.pk).update(file=other.file.name)

    with pytest.raises(FileChanged):
        operations.apply(roster_import=queries.find_import(found.pk), at=AT)


def test_one_worker_at_a_time(acme: Company, tmp_path: Path) -> None:
    found = upload([WANG], tmp_path)
    RosterImport.objects.filter(pk=found.pk).update(claimed_at=AT)

    with pytest.raises(BeingWorkedOn):
        operations.check(roster_import=found, at=AT)

    assert list(queries.stalled(AT)) == []
    later = AT + 2 * queries.LEASE
    assert list(queries.stalled(later)) == [found]
    assert operations.check(roster_import=found, at=later).status == "planned"


def test_cancelling_removes_what_was_read(
    acme: Company, tmp_path: Path, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    found = planned([WANG], tmp_path)
    stored = Path(found.file.path)
    assert stored.exists()

    with django_capture_on_commit_callbacks(execute=True):
        operations.cancel(roster_import=found, actor=None, at=AT)

    assert not RosterRow.objects.exists()
    assert not stored.exists()
    with pytest.raises(IllegalTransition):
        operations.confirm(roster_import=found, plan_digest=found.plan_digest, actor=None, at=AT)


def test_one_companys_roster_is_not_anothers(acme: Company, globex: Company, tmp_path: Path) -> None:
    found = planned([WANG, LI], tmp_path)
    operations.confirm(roster_import=found, plan_digest=found.plan_digest, actor=None, at=AT)
    operations.apply(roster_import=found, at=AT)

    with tenant_context(globex):
        assert not RosterImport.objects.exists()
        assert not Employee.objects.filter(employee_no="A1").exists()
        assert not Department.objects.filter(path="市场中心").exists()
        assert counts(planned([WANG], tmp_path)) == {
            "join": 1
        }  # the same mobile in another company is no conflict


def test_a_username_of_a_clerk_is_not_taken_over(acme: Company, tmp_path: Path) -> None:
    User.objects.create_user("A1", name="clerk")

    applied([WANG], tmp_path)

    assert Employee.objects.get(employee_no="A1").user is None


def test_many_people_take_few_statements(acme: Company, tmp_path: Path) -> None:
    people = [[f"N{i:05}", "王伟", f"139{i:08}", f"部门{i % 7}"] for i in range(3000)]
    found = planned(people, tmp_path)
    operations.confirm(roster_import=found, plan_digest=found.plan_digest, actor=None, at=AT)

    with CaptureQueriesContext(
        connection,
    ) as captured:
        operations.apply(roster_import=found, at=AT)

    assert len(captured) < 80
    assert Account.objects.filter(employee__employee_no__startswith="N").count() == 3000


def test_the_problem_workbook_marks_the_users_own_file(acme: Company, tmp_path: Path) -> None:
    import openpyxl

    found = planned([["=1+1", "王伟", "1380013800"], WANG], tmp_path)

    page = openpyxl.load_workbook(io.BytesIO(queries.problem_workbook(found))).active

    assert page["C2"].comment.text
    assert page["C2"].fill.fgColor.rgb == "FFFFC7CE"
    assert (page["A2"].value, page["A2"].data_type) == ("=1+1", "s")
    assert page["B3"].value == "王伟"


@pytest.mark.committed
def test_progress_is_seen_while_it_runs(race_company: Company, tmp_path: Path) -> None:
    found = planned([WANG, LI], tmp_path)
    operations.confirm(roster_import=found, plan_digest=found.plan_digest, actor=None, at=AT)
    from benefits.roster.progress import Progress
    from tenants.db import transaction

    with Progress(found.pk, at=AT) as progress, transaction():
        Employee.objects.update(name="x")
        progress.enter("joining", 1)
        progress.told(1)
        seen = connection.copy()
        seen.set_schema(connection.schema_name)
        with seen.cursor() as cursor:
            cursor.execute("SELECT phase, rows_done FROM roster_rosterimport WHERE id = %s", [found.pk])
            assert cursor.fetchone() == ("joining", 2)
        seen.close()
        RosterImport.objects.filter(pk=found.pk).update(rows_done=0)
        progress.told(1)  # the row is locked by ourselves: it must not wait


@pytest.mark.committed
def test_two_officers_at_once(
    race_company: Company, tmp_path: Path, at_once: Callable[..., list[object]]
) -> None:
    first = planned([WANG, LI], tmp_path)
    second = planned([["A1", "王伟", "13800138001"]], tmp_path)
    for found in (first, second):
        operations.confirm(roster_import=found, plan_digest=found.plan_digest, actor=None, at=AT)

    results = at_once(
        lambda: operations.apply(roster_import=first, at=AT),
        lambda: operations.apply(roster_import=second, at=AT),
    )

    assert sum(isinstance(result, RosterChanged) for result in results) == 1
    assert Employee.objects.filter(employee_no="A1").count() == 1


@pytest.mark.committed
def test_twenty_clicks_apply_once(
    race_company: Company, tmp_path: Path, at_once: Callable[..., list[object]]
) -> None:
    found = planned([WANG, LI], tmp_path)
    operations.confirm(roster_import=found, plan_digest=found.plan_digest, actor=None, at=AT)

    at_once(*[lambda: operations.apply(roster_import=queries.find_import(found.pk), at=AT)] * 6)

    assert AuditEvent.objects.filter(action="roster.applied").count() == 1
    assert Employee.objects.filter(employee_no__in=["A1", "A2"]).count() == 2


_DIE = """
import os, django
django.setup()
from datetime import UTC, datetime
from django.db import connection
from tenants.models import Company
connection.set_tenant(Company.objects.get(schema_name="acme"))
from benefits.points import operations as points
from benefits.roster import operations, queries
points.open_wallets_of = lambda **_: os._exit(9)
operations.apply(roster_import=queries.find_import({pk}), at=datetime(2026, 3, 2, 9, tzinfo=UTC))
"""


@pytest.mark.committed
def test_a_worker_that_dies_halfway_leaves_nothing(race_company: Company, tmp_path: Path) -> None:
    found = planned([WANG, LI], tmp_path)
    operations.confirm(roster_import=found, plan_digest=found.plan_digest, actor=None, at=AT)
    before = Employee.objects.count()
    program = _DIE.format(pk=found.pk)

    died = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )

    assert died.returncode == 9, died.stderr
    assert Employee.objects.count() == before
    found = queries.find_import(found.pk)
    assert found.status == "confirmed"
    with pytest.raises(BeingWorkedOn):
        operations.apply(roster_import=found, at=AT)
    assert operations.apply(roster_import=found, at=AT + 2 * queries.LEASE).result["created"] == 2
