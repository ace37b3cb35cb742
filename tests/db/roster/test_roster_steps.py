"""What people decide about an import on its way: how it is read, what is corrected, when it is stopped or given up."""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import tenant_context

from benefits.people.models import Employee
from benefits.points import leavers
from benefits.points.models import Account, Posting
from benefits.roster import operations, queries, readings, sandbox
from benefits.roster.errors import (
    BeingWorkedOn,
    NeedsCheck,
    PlanTooOld,
    RepairRefused,
    RosterChanged,
    TooManyLeavers,
    TooManyRepairs,
    TooManyUploads,
)
from benefits.roster.models import RosterImport, RosterRow, TaughtHeading
from benefits.roster.operations import applying
from benefits.roster.plan import Mode
from benefits.roster.shapes import Checked, Choices, Column
from tenants.errors import IllegalTransition
from tenants.identity.models import AuditEvent, User
from tenants.models import Company
from tests.db.roster.test_roster_imports import AT, LI, WANG, agreed, counts, planned, upload
from tests.db.roster.test_roster_undo import granted, imported

WRONG = ["A3", "赵磊", "1380013800"]


@pytest.fixture
def read_with(monkeypatch: pytest.MonkeyPatch) -> list[Choices]:
    """The choices that the sandbox was given, in order; the real one answers."""
    seen: list[Choices] = []
    real = sandbox.check_file

    def check_file(path: Path, choices: Choices = Choices(), **more: Any) -> Checked:
        seen.append(choices)
        return real(path, choices, **more)

    monkeypatch.setattr(sandbox, "check_file", check_file)
    return seen


def again(found: RosterImport, at: datetime = AT) -> RosterImport:
    return operations.check(roster_import=queries.find_import(found.pk), at=at)


# --- how it is read --------------------------------------------------------------------------------------------------


def test_choices_are_kept_sealed_and_given_to_the_reading(
    acme: Company, tmp_path: Path, read_with: list[Choices]
) -> None:
    found = planned([WANG, LI], tmp_path)

    chosen = operations.choose(
        roster_import=found, header_row=1, columns={"mobile": ()}, without_hidden=True, actor=None, at=AT
    )
    assert chosen.status == "received"
    again(chosen)

    assert (read_with[-1].columns, read_with[-1].header_row, read_with[-1].without_hidden) == (
        {"mobile": ()}, 1, True,
    )  # fmt: skip
    assert queries.find_import(found.pk).status == "planned"
    assert AuditEvent.objects.filter(action="roster.chosen").exists()


def test_headings_that_were_corrected_are_remembered(
    acme: Company, tmp_path: Path, read_with: list[Choices], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = planned([WANG], tmp_path)
    offered = [
        Column("C", "手机号", (), "mobile", "spelling"),
        Column("D", "花名", (), None, ""),
    ]
    monkeypatch.setattr(queries, "mapping", lambda _: {"offered": offered})

    operations.choose(
        roster_import=found, columns={"mobile": (), "grade": (3,)}, remember=True, actor=None, at=AT
    )

    assert dict(TaughtHeading.objects.values_list("heading", "field")) == {"手机号": "", "花名": "grade"}
    again(found)
    assert read_with[-1].spellings == {"手机号": "", "花名": "grade"}


def test_another_table_drops_the_corrections(acme: Company, tmp_path: Path) -> None:
    found = planned([WANG, WRONG], tmp_path)
    operations.repair(roster_import=found, repairs={(3, "mobile"): "13800138003"}, actor=None, at=AT)

    operations.choose(roster_import=found, columns={}, actor=None, at=AT)
    assert queries.find_import(found.pk).choices.repairs
    again(found)
    operations.choose(roster_import=found, header_row=2, actor=None, at=AT)

    assert not queries.find_import(found.pk).choices.repairs


def test_a_file_without_a_header_may_be_shown_one(acme: Company) -> None:
    found = operations.receive(
        file=ContentFile(b"a,b\n1,2\n"), file_name="a.csv", mode=Mode.MERGE, actor=None, at=AT
    )
    operations.check(roster_import=found, at=AT)
    assert found.reject["code"] == "no_header"

    chosen = operations.choose(
        roster_import=found, header_row=1, columns={"employee_no": (0,), "name": (1,)}, actor=None, at=AT
    )

    assert chosen.status == "received"


def test_a_damaged_file_has_nothing_to_choose(acme: Company) -> None:
    found = operations.receive(
        file=ContentFile(b"%PDF-1.7"), file_name="a.xlsx", mode=Mode.MERGE, actor=None, at=AT
    )
    operations.check(roster_import=found, at=AT)

    with pytest.raises(IllegalTransition):
        operations.choose(roster_import=found, header_row=1, actor=None, at=AT)


# --- corrections -----------------------------------------------------------------------------------------------------


def test_corrections_wait_for_another_check(acme: Company, tmp_path: Path, read_with: list[Choices]) -> None:
    found = planned([WANG, WRONG], tmp_path)

    operations.repair(
        roster_import=found, repairs={(3, "mobile"): "13800138003"}, skip=[2], actor=None, at=AT
    )

    found = queries.find_import(found.pk)
    assert (found.status, found.needs_check) == ("planned", True)
    with pytest.raises(NeedsCheck):
        operations.confirm(roster_import=found, plan_digest=found.plan_digest, actor=None, at=AT)
    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed_choices FROM roster_rosterimport WHERE id = %s", [found.pk])
        assert "13800138003" not in cursor.fetchone()[0]
    operations.recheck(roster_import=found, actor=None, at=AT)
    found = again(found)
    assert not found.needs_check
    assert (read_with[-1].repairs, read_with[-1].skipped) == ({(3, "mobile"): "13800138003"}, frozenset({2}))


def test_a_row_left_out_can_be_taken_in_again(acme: Company, tmp_path: Path) -> None:
    found = planned([WANG, LI], tmp_path)
    operations.repair(roster_import=found, repairs={}, skip=[2], actor=None, at=AT)
    operations.repair(roster_import=found, repairs={}, unskip=[2], actor=None, at=AT)

    assert queries.find_import(found.pk).choices.skipped == frozenset()


@pytest.mark.parametrize(
    "cell", [(99, "mobile"), (3, "shoe_size"), (3, "row")], ids=["row", "field", "not a field"]
)
def test_what_is_not_there_cannot_be_corrected(acme: Company, tmp_path: Path, cell: tuple[int, str]) -> None:
    found = planned([WANG, WRONG], tmp_path)

    with pytest.raises(RepairRefused) as error:
        operations.repair(roster_import=found, repairs={cell: "x"}, actor=None, at=AT)

    assert error.value.details == {"row": cell[0], "field": cell[1]}
    with pytest.raises(RepairRefused):
        operations.repair(roster_import=found, repairs={(3, "mobile"): "1" * 501}, actor=None, at=AT)
    assert not queries.find_import(found.pk).needs_check


def test_more_corrections_than_can_be_kept_point_to_the_workbook(
    acme: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benefits.roster.operations.checking.MOST_REPAIRS", 1)
    found = planned([WANG, WRONG], tmp_path)

    with pytest.raises(TooManyRepairs):
        operations.repair(
            roster_import=found,
            repairs={(3, "mobile"): "13800138003", (3, "name"): "赵石"},
            actor=None,
            at=AT,
        )

    assert not queries.find_import(found.pk).choices.repairs


def test_the_same_problem_is_grouped(acme: Company, tmp_path: Path) -> None:
    found = planned([WANG, WRONG, ["A4", "钱", None, None, "no-address"]], tmp_path)

    groups = queries.issue_groups(found)

    assert {(group["code"], group["field"], group["count"]) for group in groups} == {
        ("invalid_mobile", "mobile", 1), ("invalid_email", "email", 1),
    }  # fmt: skip
    assert [row.row for row in queries.rows(found, code="invalid_mobile")] == [3]
    assert [row.row for row in queries.rows(found, field="email")] == [4]
    assert [row.row for row in queries.rows(found, field="email", code="invalid_mobile")] == []
    assert [row.row for row in queries.rows(found, search="王")] == [2]
    assert [row.row for row in queries.rows(found, search="a4")] == [4]


# --- guards ----------------------------------------------------------------------------------------------------------


def test_a_plan_of_yesterday_is_made_again(acme: Company, tmp_path: Path) -> None:
    found = planned([WANG], tmp_path)

    with pytest.raises(PlanTooOld):
        operations.confirm(
            roster_import=found, plan_digest=found.plan_digest, actor=None, at=AT + timedelta(hours=25)
        )

    operations.recheck(roster_import=found, actor=None, at=AT + timedelta(hours=25))
    again(found, AT + timedelta(hours=25))
    assert agreed(queries.find_import(found.pk), AT + timedelta(hours=26)).status == "applied"


def test_many_leavers_are_counted_out_loud(acme: Company, tmp_path: Path) -> None:
    imported([[f"N{i}", "王伟"] for i in range(30)], tmp_path, at=AT)
    found = planned([[f"N{i}", "王伟"] for i in range(20)], tmp_path, Mode.FULL)

    for typed in (None, 9, 1000):
        with pytest.raises(TooManyLeavers) as error:
            operations.confirm(
                roster_import=found, plan_digest=found.plan_digest, leavers=typed, actor=None, at=AT
            )
    assert error.value.details["leaving"] == found.counts["leave"] >= 10

    few = planned([[f"N{i}", "王伟"] for i in range(30)], tmp_path, Mode.MERGE)
    assert operations.confirm(roster_import=few, plan_digest=few.plan_digest, actor=None, at=AT)


def test_a_flood_of_uploads(acme: Company, globex: Company, tmp_path: Path, settings: Any) -> None:
    settings.ROSTER_UPLOADS_A_MINUTE = 2
    hana = User.objects.create_user("hana")

    def send(at: datetime) -> RosterImport:
        return operations.receive(file=ContentFile(b"x"), file_name="a", mode=Mode.MERGE, actor=hana, at=at)

    send(AT)
    send(AT)
    with pytest.raises(TooManyUploads) as error:
        send(AT + timedelta(seconds=59))
    assert error.value.status == 429
    with tenant_context(globex):
        operations.receive(
            file=ContentFile(b"x"),
            file_name="a",
            mode=Mode.MERGE,
            actor=User.objects.create_user("olga"),
            at=AT,
        )
    assert send(AT + timedelta(seconds=61)).status == "received"


# --- stopping and failing --------------------------------------------------------------------------------------------


def test_stopping_while_it_is_applied_changes_nothing(
    acme: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = planned([WANG, LI], tmp_path)
    operations.confirm(roster_import=found, plan_digest=found.plan_digest, actor=None, at=AT)
    before = queries.roster_digest()
    real = applying.settle

    def settle(**facts: Any) -> int:
        with monkeypatch.context() as patch:
            patch.setattr("tenants.db.in_transaction", lambda: True)
            RosterImport.objects.filter(pk=found.pk).update(stop_requested_at=AT)
        return real(**facts)

    monkeypatch.setattr(applying, "settle", settle)
    operations.apply(roster_import=found, at=AT)

    found = queries.find_import(found.pk)
    assert (found.status, found.result) == ("cancelled", {})
    assert queries.roster_digest() == before
    assert not Employee.objects.filter(employee_no="A1").exists()


def test_asking_a_running_import_to_stop(acme: Company, tmp_path: Path) -> None:
    found = planned([WANG], tmp_path)
    operations.confirm(roster_import=found, plan_digest=found.plan_digest, actor=None, at=AT)
    RosterImport.objects.filter(pk=found.pk).update(claimed_at=AT)

    operations.cancel(roster_import=found, actor=None, at=AT)
    found = queries.find_import(found.pk)
    assert (found.status, found.stop_requested_at) == ("confirmed", AT)
    with pytest.raises(BeingWorkedOn):
        operations.apply(roster_import=found, at=AT)

    # Its worker died: the next one finds the wish.
    operations.apply(roster_import=found, at=AT + 2 * queries.LEASE)
    assert queries.find_import(found.pk).status == "cancelled"


def test_stopping_while_it_is_checked(acme: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = upload([WANG], tmp_path)
    real = readings.read

    def read(one: RosterImport) -> Checked:
        operations.cancel(roster_import=queries.find_import(one.pk), actor=None, at=AT)
        return real(one)

    monkeypatch.setattr(readings, "read", read)
    operations.check(roster_import=found, at=AT)

    assert queries.find_import(found.pk).status == "cancelled"


def test_what_is_applied_cannot_be_cancelled(acme: Company, tmp_path: Path) -> None:
    found = imported([WANG], tmp_path, at=AT)

    with pytest.raises(IllegalTransition):
        operations.cancel(roster_import=found, actor=None, at=AT)
    assert RosterRow.objects.filter(roster_import=found).exists()


@pytest.mark.parametrize("step", ["check", "apply"])
def test_it_is_given_up_after_three_failures(
    acme: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    found = upload([WANG], tmp_path) if step == "check" else planned([WANG], tmp_path)
    if step == "apply":
        operations.confirm(roster_import=found, plan_digest=found.plan_digest, actor=None, at=AT)
    run = getattr(operations, step)

    def fail(_: RosterImport) -> Checked:
        raise OSError("disk")

    with monkeypatch.context() as patch:
        patch.setattr(readings, "read", fail)
        for _ in range(3):
            with pytest.raises(OSError, match="disk"):
                run(roster_import=queries.find_import(found.pk), at=AT)
        run(roster_import=queries.find_import(found.pk), at=AT)

    found = queries.find_import(found.pk)
    assert (found.status, found.reject["code"], found.reject["reason"]) == ("rejected", "failed", step)
    assert "三次" in queries.rejection(found) or "three" in queries.rejection(found)
    assert not Employee.objects.filter(employee_no="A1").exists()
    operations.recheck(roster_import=found, actor=None, at=AT)
    assert again(found).status == "planned"


def test_an_undo_that_fails_leaves_the_import_applied(
    acme: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = imported([WANG], tmp_path, at=AT)
    operations.undo(roster_import=found, actor=None, at=AT)
    RosterImport.objects.filter(pk=found.pk).update(attempts=3)

    operations.undo_now(roster_import=queries.find_import(found.pk), at=AT)

    found = queries.find_import(found.pk)
    assert found.status == "applied"
    assert found.result["undo_failed_at"]
    operations.undo(roster_import=found, actor=None, at=AT)
    assert operations.undo_now(roster_import=queries.find_import(found.pk), at=AT).status == "undone"


# --- the reading that is kept ----------------------------------------------------------------------------------------


def test_a_file_is_read_once(acme: Company, tmp_path: Path, read_with: list[Choices]) -> None:
    imported([WANG, LI], tmp_path, at=AT)
    assert len(read_with) == 1

    same = planned([WANG, LI], tmp_path)

    assert len(read_with) == 1
    assert counts(same) == {"unchanged": 2}
    stored = Path(same.file.path).parent
    assert not any("王伟".encode() in path.read_bytes() for path in stored.iterdir())


def test_a_reading_that_was_lost_is_made_again(
    acme: Company, tmp_path: Path, read_with: list[Choices]
) -> None:
    found = planned([WANG], tmp_path)
    os.remove(found.reading.path)

    assert agreed(found).result["created"] == 1
    assert len(read_with) == 2


def test_ten_times_the_people_take_as_many_statements(acme: Company, tmp_path: Path) -> None:
    def statements(count: int, letter: str) -> int:
        people = [
            [f"{letter}{i:05}", "王伟", f"13{letter}{i:08}".replace("P", "5").replace("Q", "6")]
            for i in range(count)
        ]
        with CaptureQueriesContext(connection) as captured:
            agreed(planned(people, tmp_path))
        return len(captured)

    few, many = statements(100, "P"), statements(1000, "Q")
    assert many <= few + 2


# --- keeping and forgetting ------------------------------------------------------------------------------------------


def test_old_files_and_rows_are_deleted_and_counts_stay(
    acme: Company, tmp_path: Path, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    found, waiting = imported([WANG], tmp_path, at=AT), planned([LI], tmp_path)
    stored = Path(found.file.path)
    assert operations.forget_old(at=AT + timedelta(days=89)) == 0

    with django_capture_on_commit_callbacks(execute=True):
        assert operations.forget_old(at=AT + timedelta(days=91)) == 2

    found = queries.find_import(found.pk)
    assert not stored.exists()
    assert (found.status, found.file.name, found.counts["join"], found.result["created"]) == (
        "applied",
        "",
        1,
        1,
    )
    assert queries.find_import(waiting.pk).status == "cancelled"
    assert not RosterRow.objects.exists()
    assert operations.forget_old(at=AT + timedelta(days=91)) == 0


# --- leavers ---------------------------------------------------------------------------------------------------------


def test_frozen_points_stay_in_the_wallet(acme: Company, tmp_path: Path) -> None:
    imported([WANG], tmp_path, at=AT)
    granted(acme, "A1")

    imported([[*WANG, "离职"]], tmp_path)

    assert Account.objects.get(employee__employee_no="A1").balance_fen == 500
    assert leavers.end_grace(at=AT + timedelta(days=400)) == 0


def test_returned_points_go_to_their_budgets_once(acme: Company, tmp_path: Path) -> None:
    Company.objects.filter(pk=acme.pk).update(leaver_policy="return")
    imported([WANG], tmp_path, at=AT)
    first, second = granted(acme, "A1", 500), granted(acme, "A1", 700)
    second.status = "closed"
    second.save()

    imported([[*WANG, "离职"]], tmp_path)
    leavers.end_grace(at=AT + timedelta(days=1))

    recalled = Posting.objects.filter(kind="recall")
    assert sorted(recalled.values_list("fen", "destination_id")) == [
        (500, first.account_id), (700, second.account_id),
    ]  # fmt: skip
    assert AuditEvent.objects.get(action="points.returned").facts == {"wallets": 1, "fen": 1200}


@pytest.mark.committed
def test_twenty_confirmations_at_once(
    race_company: Company, tmp_path: Path, at_once: Callable[..., list[object]]
) -> None:
    found = planned([WANG, LI], tmp_path)

    def press() -> object:
        done = operations.confirm(
            roster_import=queries.find_import(found.pk), plan_digest=found.plan_digest, actor=None, at=AT
        )
        return operations.apply(roster_import=done, at=AT)

    results = at_once(*[press] * 20)

    assert sum(isinstance(result, RosterImport) for result in results) == 1
    assert all(
        isinstance(r, RosterImport | IllegalTransition | BeingWorkedOn | RosterChanged) for r in results
    )
    assert AuditEvent.objects.filter(action="roster.applied").count() == 1
    assert Employee.objects.filter(employee_no__in=["A1", "A2"]).count() == 2
