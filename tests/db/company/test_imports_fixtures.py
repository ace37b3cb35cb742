"""Every roster of the collection by way of the page: uploaded, looked at, confirmed; then the people are on the roster."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.html import escape

from benefits.people.models import Employee
from benefits.roster import operations, queries
from benefits.roster.models import RosterImport

ROSTERS = Path(os.environ.get("ROSTERS_DIR") or Path(__file__).parents[2] / "fixtures" / "rosters")
EXPECTED = sorted(ROSTERS.glob("*.expected.json"))
KEPT = ("name", "mobile", "department", "email", "hired_on", "birthday", "grade", "status")


@pytest.mark.parametrize("expectation", EXPECTED, ids=lambda path: path.name.split(".")[0])
def test_the_page_brings_the_people_of(expectation: Path, hr: Client) -> None:
    expected = json.loads(expectation.read_text(encoding="utf-8"))
    found = _checked(hr, ROSTERS / expected["file"])
    page = hr.get(reverse("company_import", args=[found.pk]) + "?show=all")
    assert page.status_code == 200

    if expected["outcome"] == "rejected":
        codes = {
            expected["reject_code"],
            *(t["reject_code"] for t in expected["tolerated"] if "outcome" in t),
        }
        assert (found.status, found.reject["code"] in codes) == (RosterImport.Status.REJECTED, True)
        with translation.override("en"):
            assert escape(queries.rejection(found)) in page.content.decode()
        assert not Employee.objects.exists()
        return

    unchecked = {one["row"] for one in expected["tolerated"] if "row" in one}
    errors = {one["row"] for one in expected["issues"] if one["severity"] == "error"} - unchecked
    held = set(queries.rows(found, action="problem").values_list("row", flat=True)) - unchecked
    assert held == errors
    confirmed = hr.post(reverse("company_import_confirm", args=[found.pk]), {"plan": found.plan_digest})
    assert confirmed.status_code == 302
    operations.apply(roster_import=found, at=timezone.now())
    people = [one for one in expected["employees"] if one["row"] not in unchecked]
    assert people
    for person in people:
        assert _known(person["employee_no"]) == {"status": "active", **_wanted(person)}


def _checked(hr: Client, path: Path) -> RosterImport:
    file = SimpleUploadedFile(path.name, path.read_bytes())
    assert hr.post(reverse("company_import_new"), {"file": file, "mode": "merge"}).status_code == 302
    found = RosterImport.objects.get()
    operations.check(roster_import=found, at=timezone.now())
    found.refresh_from_db()
    return found


def _wanted(person: dict[str, Any]) -> dict[str, Any]:
    return {field: person[field] for field in KEPT if field in person}


def _known(number: str) -> dict[str, Any]:
    employee = Employee.objects.select_related("department").get(employee_no=number)
    values = {field: getattr(employee, field) for field in KEPT} | {
        "department": employee.department.path if employee.department else "",
        "hired_on": employee.hired_on.isoformat() if employee.hired_on else "",
    }
    return {field: value for field, value in values.items() if value}
