"""The yes to a roster's plan, stopping it, and taking it back, by way of the console."""

from datetime import timedelta

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from benefits.people.models import Employee
from benefits.roster import operations, queries
from benefits.roster.models import RosterImport
from tenants.db import transaction
from tenants.models import Company
from tests.db.company.conftest import employ
from tests.db.company.test_imports import confirm, page, upload

Status = RosterImport.Status


def confirmation(client: Client, found: RosterImport) -> str:
    return client.get(reverse("company_import_confirm", args=[found.pk])).content.decode()


def applied(client: Client, lines: str, mode: str = "merge", **fields: str) -> RosterImport:
    found = upload(client, lines, mode)
    assert confirm(client, found, **fields) == 302
    found.refresh_from_db()
    operations.apply(roster_import=found, at=timezone.now())
    return found


def test_the_effect_is_told_exactly(hr: Client) -> None:
    employ(20)
    lines = "".join(f"A{n:03d},员工{n},技术中心/后端组\n" for n in range(3, 21))
    found = upload(hr, f"工号,姓名,部门\nB1,王伟,财务部\nA002,员工2,财务部\n{lines}", mode="full")
    shown = confirmation(hr, found)
    assert "+1" in shown
    assert "~1" in shown
    assert "1 person leaves" in shown
    assert "A001" in shown
    assert "department 1" in shown
    assert "They can no longer sign in, at once." in shown
    assert "stays there" in shown
    assert "Many would leave" not in shown  # one of twenty
    assert confirm(hr, found) == 302


def test_the_policy_for_leavers_is_stated(hr: Client, acme: Company) -> None:
    Company.objects.filter(pk=acme.pk).update(leaver_policy="return", leaver_grace_days=30)
    employ(20)
    lines = "".join(f"A{n:03d},员工{n}\n" for n in range(2, 21))
    shown = confirmation(hr, upload(hr, f"工号,姓名\n{lines}", mode="full"))
    assert "30 more days" in shown
    assert "goes back to the budgets" in shown


def test_all_or_none_waits_for_the_last_problem(hr: Client) -> None:
    found = upload(hr, "工号,姓名,手机号\nB1,王伟,13800138001\nB2,李娜,138\n")
    assert "1 row stays out" in confirmation(hr, found)
    response = hr.post(
        reverse("company_import_confirm", args=[found.pk]), {"plan": found.plan_digest, "rows": "all"}
    )
    assert response.status_code == 409
    assert b"nothing was applied" in response.content
    assert confirm(hr, found, rows="good") == 302


def test_what_was_typed_is_checked_before_it_is_confirmed(hr: Client) -> None:
    found = upload(hr, "工号,姓名,手机号\nB1,王伟,13800138001\nB2,李娜,138\n")
    hr.post(reverse("company_import_cells", args=[found.pk]), {"cell-3-mobile": "13800138002"})
    assert "Check again first" in confirmation(hr, found)
    assert confirm(hr, found) == 409


def test_a_plan_of_yesterday_is_checked_again(hr: Client) -> None:
    found = upload(hr, "工号,姓名\nB1,王伟\n")
    RosterImport.objects.filter(pk=found.pk).update(checked_at=timezone.now() - timedelta(hours=25))
    response = hr.post(reverse("company_import_confirm", args=[found.pk]), {"plan": found.plan_digest})
    assert response.status_code == 409
    assert b"more than 24 hours ago" in response.content
    assert b"Check again" in response.content
    hr.post(reverse("company_import_recheck", args=[found.pk]))
    found.refresh_from_db()
    operations.check(roster_import=found, at=timezone.now())
    assert confirm(hr, found) == 302


def test_a_running_import_is_asked_to_stop(hr: Client) -> None:
    found = upload(hr, "工号,姓名\nB1,王伟\n")
    confirm(hr, found)
    assert "Stop and change nothing" in page(hr, found)
    RosterImport.objects.filter(pk=found.pk).update(claimed_at=timezone.now())
    assert hr.post(reverse("company_import_cancel", args=[found.pk])).status_code == 302
    assert "It is being stopped" in page(hr, found)
    RosterImport.objects.filter(pk=found.pk).update(claimed_at=None)
    operations.apply(roster_import=found, at=timezone.now())
    found.refresh_from_db()
    assert found.status == Status.CANCELLED
    assert not Employee.objects.exists()


def test_progress_tells_how_fast_it_goes(hr: Client) -> None:
    found = upload(hr, "工号,姓名\nB1,王伟\n")
    confirm(hr, found)
    RosterImport.objects.filter(pk=found.pk).update(
        phase="joining",
        rows_done=40_000,
        rows_total=100_000,
        started_at=timezone.now() - timedelta(seconds=10),
        claimed_at=timezone.now(),
    )
    part = hr.get(reverse("company_import_progress", args=[found.pk])).content.decode()
    assert "40,000" in part
    assert "rows a second" in part
    assert "seconds left" in part


def test_undoing_says_what_it_does_and_does_it(hr: Client) -> None:
    employ(2)
    before = queries.roster_digest()
    found = applied(hr, "工号,姓名,部门\nA001,员工1,财务部\nB1,王伟,财务部\nB2,李娜,财务部\n")
    assert "Undo this import" in page(hr, found)
    shown = hr.get(reverse("company_import_undo", args=[found.pk])).content.decode()
    assert "−2" in shown
    assert "↺1" in shown
    assert hr.post(reverse("company_import_undo", args=[found.pk])).status_code == 302
    assert "hx-get" in page(hr, found)
    operations.undo_now(roster_import=found, at=timezone.now())
    assert "2 removed, 1 put back" in page(hr, found)
    assert queries.roster_digest() == before
    assert "undone" in hr.get(reverse("company_imports")).content.decode()


def test_people_changed_since_are_kept_and_named(hr: Client) -> None:
    found = applied(hr, "工号,姓名\nB1,王伟\nB2,李娜\n")
    with transaction():
        Employee.objects.filter(employee_no="B2").update(grade="P7", updated_at=timezone.now())
    shown = hr.get(reverse("company_import_undo", args=[found.pk])).content.decode()
    assert "B2" in shown
    assert "changed since by others" in shown
    hr.post(reverse("company_import_undo", args=[found.pk]))
    found.refresh_from_db()
    operations.undo_now(roster_import=found, at=timezone.now())
    shown = page(hr, found)
    assert "1 removed" in shown
    assert "1 person stayed" in shown
    assert Employee.objects.get().employee_no == "B2"


def test_only_the_latest_is_undone(hr: Client) -> None:
    first = applied(hr, "工号,姓名\nB1,王伟\n")
    applied(hr, "工号,姓名\nB2,李娜\n")
    assert "Undo this import" not in page(hr, first)
    response = hr.post(reverse("company_import_undo", args=[first.pk]))
    assert response.status_code == 409
    assert b"Only the latest one" in response.content
    planned = upload(hr, "工号,姓名\nB3,张敏\n")
    assert hr.get(reverse("company_import_undo", args=[planned.pk])).status_code == 302
    assert hr.post(reverse("company_import_undo", args=[planned.pk])).status_code == 409
