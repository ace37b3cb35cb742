"""The commands and the tasks of roster imports."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from benefits import tasks
from benefits.people.models import Employee
from benefits.roster import operations, queries
from benefits.roster.models import RosterImport
from benefits.roster.plan import Mode
from tenants.models import Company
from tests.db.roster.test_roster_imports import LI, WANG, upload

ROSTERS = Path(__file__).parents[2] / "fixtures" / "rosters"


def run(*arguments: str) -> tuple[int, dict[str, Any]]:
    out = StringIO()
    try:
        call_command(*arguments, "--json", stdout=out)
    except SystemExit as stopped:
        return int(stopped.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def test_check_roster_changes_nothing(public: None) -> None:
    code, answer = run("check_roster", str(ROSTERS / "s01_clean_template.xlsx"))

    assert code == 0
    assert (answer["outcome"], answer["sheet"], len(answer["employees"])) == ("ok", "员工信息", 20)


def test_check_roster_rejects_in_words(public: None) -> None:
    code, answer = run("check_roster", str(ROSTERS / "s14_encrypted.xlsx"))

    assert (code, answer["reject_code"]) == (0, "encrypted")
    assert answer["message"]


@pytest.mark.parametrize("command", [["check_roster"], ["import_roster", "acme"]])
def test_a_file_that_is_not_there(public: None, command: list[str]) -> None:
    code, answer = run(*command, "/nowhere.xlsx")

    assert code == 2
    assert answer["error"]["code"] == "bad_usage"


def test_import_roster_and_again(public: None, acme: Company) -> None:
    file = str(ROSTERS / "s05_duplicates_status.xlsx")
    before = Employee.objects.count()

    code, dry = run("import_roster", "acme", file, "--dry-run")
    assert (code, dry["import_id"]) == (0, None)
    code, first = run("import_roster", "acme", file)
    code, again = run("import_roster", "acme", file)

    assert {key: first[key] for key in ("created", "updated", "unchanged", "left", "failed")} == {
        "created": 12, "updated": 0, "unchanged": 0, "left": 0, "failed": 9,
    }  # fmt: skip
    assert {key: dry[key] for key in ("created", "failed")} == {"created": 12, "failed": 9}
    assert (again["created"], again["unchanged"]) == (0, 12)
    from django.db import connection

    connection.set_tenant(acme)
    assert Employee.objects.count() == before + 12


def test_import_roster_of_an_unusable_file(public: None) -> None:
    code, answer = run("import_roster", "acme", str(ROSTERS / "s16_zip_bomb.xlsx"))

    assert code == 2
    assert answer["error"]["code"] == "roster_rejected"
    assert answer["error"]["details"]["reject_code"] == "too_large"


def test_import_roster_asks_for_the_number_of_many_leavers(public: None, acme: Company) -> None:
    clean, other = str(ROSTERS / "s01_clean_template.xlsx"), str(ROSTERS / "s05_duplicates_status.xlsx")
    run("import_roster", "acme", clean)

    code, answer = run("import_roster", "acme", other, "--mode", "full")
    assert (code, answer["error"]["code"]) == (2, "roster_too_many_leavers")
    leaving = answer["error"]["details"]["leaving"]
    code, done = run("import_roster", "acme", other, "--mode", "full", "--leavers", str(leaving))

    assert (code, done["left"]) == (0, leaving)


def test_import_roster_into_no_company(public: None) -> None:
    code, answer = run("import_roster", "nobody", str(ROSTERS / "s01_clean_template.xlsx"))

    assert (code, answer["error"]["code"]) == (2, "company_not_found")


def test_what_waits_is_found_in_its_company(acme: Company, globex: Company, tmp_path: Path) -> None:
    found = upload([WANG, LI], tmp_path)

    late = timezone.now()
    assert ("acme", found.pk, "received") in queries.stalled_everywhere(late)
    assert not [schema for schema, _, _ in queries.stalled_everywhere(late) if schema == "globex"]

    tasks.check_roster_import.run(import_id=found.pk)
    assert queries.find_import(found.pk).status == "planned"
    assert queries.stalled_everywhere(late) == []


def test_the_calendars_tasks(acme: Company, tmp_path: Path) -> None:
    tasks.end_grace.run()
    tasks.forget_rosters.run()
    rung: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks.end_grace, "ring", rung.append)
        patch.setattr(tasks.forget_rosters, "ring", rung.append)
        patch.setattr(tasks.close_journal, "ring", rung.append)
        tasks.keep_house.run()

    assert sorted(rung) == [*["acme"] * 3, *["globex"] * 3, "public"]


@pytest.mark.committed
def test_a_real_worker_checks_and_applies(race_company: Company, worker: None, tmp_path: Path) -> None:
    import time

    def wait(pk: int, status: str) -> RosterImport:
        for _ in range(150):
            found = queries.find_import(pk)
            if found.status == status:
                return found
            time.sleep(0.2)
        raise AssertionError(f"{found.status}, not {status}")

    found = upload([WANG, LI], tmp_path, Mode.MERGE)
    tasks.ring_roster_import("acme", import_id=found.pk, status=found.status)
    found = wait(found.pk, "planned")
    found = operations.confirm(
        roster_import=found, plan_digest=found.plan_digest, actor=None, at=timezone.now()
    )
    tasks.ring_roster_import("acme", import_id=found.pk, status=found.status)

    found = wait(found.pk, "applied")
    assert found.result["created"] == 2

    operations.undo(roster_import=found, actor=None, at=timezone.now())
    tasks.ring_roster_import("acme", import_id=found.pk, status="undoing")
    assert wait(found.pk, "undone").result["undo"]["removed"] == 2
