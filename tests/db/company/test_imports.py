"""Roster imports by way of the console: looked at, confirmed, watched."""

from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from benefits.people.models import Employee
from benefits.roster import operations
from benefits.roster.models import RosterImport
from tenants.models import Company
from tests.db.company.conftest import a_budget, employ

Status = RosterImport.Status
ROSTERS = Path(__file__).parents[2] / "fixtures" / "rosters"


def upload(client: Client, lines: str, mode: str = "merge") -> RosterImport:
    """A CSV by way of the upload page, then what the worker does."""
    file = SimpleUploadedFile("员工.csv", lines.encode())
    response = client.post(reverse("company_import_new"), {"file": file, "mode": mode})
    assert response.status_code == 302, response.content.decode()[:500]
    found = RosterImport.objects.first()
    assert found is not None
    assert response["Location"] == reverse("company_import", args=[found.pk])
    operations.check(roster_import=found, at=timezone.now())
    return found


def page(client: Client, found: RosterImport, query: str = "") -> str:
    return client.get(reverse("company_import", args=[found.pk]) + query).content.decode()


def confirm(client: Client, found: RosterImport, **fields: str) -> int:
    found.refresh_from_db()
    response = client.post(
        reverse("company_import_confirm", args=[found.pk]), {"plan": found.plan_digest, **fields}
    )
    return response.status_code


def test_from_upload_to_people(hr: Client) -> None:
    found = upload(
        hr, "工号,姓名,手机号,部门,积分\nB1,王伟,13800138001,研发部,500\nB2,李娜,1380013800,市场部,\n"
    )
    shown = page(hr, found)
    assert "1 digit short" in shown
    assert "waiting" in shown
    assert "王伟" not in shown
    everything = page(hr, found, "?show=all")
    assert "138 **** 8001" in everything
    assert "13800138001" not in everything
    assert not Employee.objects.exists()
    assert confirm(hr, found) == 302
    waiting = page(hr, found)
    assert "hx-get" in waiting
    assert "every 600ms" in waiting
    operations.apply(roster_import=found, at=timezone.now())
    done = hr.get(reverse("company_import_progress", args=[found.pk]))
    assert (done.status_code, done["HX-Refresh"]) == (204, "true")
    result = page(hr, found)
    assert "1 joined" in result
    assert "1 row was held back" in result
    assert "hx-get" not in result
    assert Employee.objects.get().name == "王伟"
    assert "员工.csv" in hr.get(reverse("company_imports")).content.decode()


def test_progress_asks_again_while_it_is_under_way(hr: Client) -> None:
    file = SimpleUploadedFile("a.csv", "工号,姓名\nB1,王伟\n".encode())
    hr.post(reverse("company_import_new"), {"file": file, "mode": "merge"})
    found = RosterImport.objects.get()
    part = hr.get(reverse("company_import_progress", args=[found.pk]))
    assert part.status_code == 200
    assert b"hx-get" in part.content
    assert b"<html" not in part.content


def test_changes_are_shown_before_and_after(hr: Client) -> None:
    employ(1)
    found = upload(hr, "工号,姓名,部门\nA001,员工1,财务部\n")
    shown = page(hr, found)
    assert "<del>" in shown
    assert "技术中心/后端组" in shown
    assert "财务部" in shown
    confirm(hr, found)
    operations.apply(roster_import=found, at=timezone.now())
    employee = hr.get(reverse("company_employee", args=[Employee.objects.get().pk])).content.decode()
    assert "Roster changes" in employee
    assert "<del>" in employee


def test_another_plan_than_the_one_seen_is_refused_in_place(hr: Client) -> None:
    found = upload(hr, "工号,姓名\nB1,王伟\n")
    response = hr.post(reverse("company_import_confirm", args=[found.pk]), {"plan": "0" * 64})
    assert response.status_code == 409
    assert b"has changed since" in response.content
    found.refresh_from_db()
    assert found.status == Status.PLANNED
    assert hr.post(reverse("company_import_confirm", args=[found.pk]), {}).status_code == 422
    assert confirm(hr, found) == 302
    assert confirm(hr, found) == 409  # it is under way already


def test_many_leavers_are_typed(hr: Client) -> None:
    employ(5)
    found = upload(hr, "工号,姓名\nA001,员工1\nA002,员工2\n", mode="full")
    assert "3 people leave" in hr.get(reverse("company_import_confirm", args=[found.pk])).content.decode()
    assert confirm(hr, found) == 422
    assert confirm(hr, found, leavers="2") == 422
    assert confirm(hr, found, leavers="3") == 302
    operations.apply(roster_import=found, at=timezone.now())
    assert Employee.objects.filter(status="left").count() == 3


def test_cancelling_deletes_the_file(hr: Client) -> None:
    found = upload(hr, "工号,姓名\nB1,王伟\n")
    assert hr.post(reverse("company_import_cancel", args=[found.pk])).status_code == 302
    found.refresh_from_db()
    assert (found.status, found.file.name) == (Status.CANCELLED, "")
    assert "Nothing was changed" in page(hr, found)
    assert hr.get(reverse("company_import_problems", args=[found.pk])).status_code == 302
    assert hr.post(reverse("company_import_cancel", args=[found.pk])).status_code == 409


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("s14_encrypted.xlsx", "password"),
        ("s16_zip_bomb.xlsx", ""),
    ],
)
def test_a_file_that_cannot_be_used_says_why(name: str, said: str, hr: Client) -> None:
    file = SimpleUploadedFile(name, (ROSTERS / name).read_bytes())
    hr.post(reverse("company_import_new"), {"file": file, "mode": "merge"})
    found = RosterImport.objects.get()
    operations.check(roster_import=found, at=timezone.now())
    shown = page(hr, found)
    assert "cannot be used" in shown
    assert said in shown


def test_nothing_and_too_much_are_refused_at_the_upload(hr: Client, settings: object) -> None:
    assert hr.post(reverse("company_import_new"), {"mode": "merge"}).status_code == 422
    empty = SimpleUploadedFile("a.csv", b"")
    assert b"empty" in hr.post(reverse("company_import_new"), {"mode": "merge", "file": empty}).content
    settings.ROSTER_MAX_BYTES = 1_048_576  # type: ignore[attr-defined]
    large = SimpleUploadedFile("a.csv", b"x" * 1_048_577)
    response = hr.post(reverse("company_import_new"), {"mode": "merge", "file": large})
    assert response.status_code == 422
    assert b"larger than 1 MB" in response.content
    wrong = SimpleUploadedFile("a.csv", b"x")
    assert hr.post(reverse("company_import_new"), {"mode": "other", "file": wrong}).status_code == 422
    assert not RosterImport.objects.exists()


def test_the_problems_come_back_marked(hr: Client) -> None:
    file = SimpleUploadedFile("员工.xlsx", (ROSTERS / "s04_messy_cells.xlsx").read_bytes())
    hr.post(reverse("company_import_new"), {"file": file, "mode": "merge"})
    found = RosterImport.objects.get()
    operations.check(roster_import=found, at=timezone.now())
    response = hr.get(reverse("company_import_problems", args=[found.pk]))
    assert response["Content-Disposition"].startswith("attachment")
    assert openpyxl.load_workbook(BytesIO(response.content)).sheetnames


def test_points_of_the_file_are_offered_for_a_grant(hr: Client, acme: Company) -> None:
    a_budget(acme, yuan=100)
    found = upload(hr, "工号,姓名,积分\nB1,王伟,500\nB2,李娜,12.5\n")
    confirm(hr, found)
    operations.apply(roster_import=found, at=timezone.now())
    assert f"?import={found.pk}" in page(hr, found)
    form = hr.get(reverse("company_grant_new"), {"import": found.pk}).content.decode()
    assert "B1\t500\nB2\t12.5" in form
