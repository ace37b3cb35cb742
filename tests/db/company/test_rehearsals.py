"""Rehearsals by way of the console: seen to the row, handed out as seen or not at all, once however often it is sent."""

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any
from uuid import uuid4

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from benefits.approvals.models import Approval, ApprovalLimit, Kind
from benefits.campaigns import operations
from benefits.campaigns.models import GrantRule, Rehearsal
from benefits.people.models import Employee
from benefits.points.models import Account, Budget, Grant
from tenants.models import Company
from tests.db.company.conftest import a_budget, employ
from tests.db.company.test_budgets_and_grants import confirmation, fields_for
from tests.db.company.test_rules import a_rule

Door = Callable[..., Client]
ONCE = {"kind": "once"}


def text(response: Any) -> str:
    return str(response.content.decode())


def rehearsed(hr: Client, rule: GrantRule) -> Rehearsal:
    """Today's rehearsal, made by way of the page."""
    day = timezone.localdate().isoformat()
    made = hr.post(reverse("company_rule_rehearse", args=[rule.pk]), {"day": day})
    found = Rehearsal.objects.order_by("-pk")[0]
    assert made["Location"] == reverse("company_rehearsal", args=[found.pk])
    return found


def sent(page: str) -> dict[str, str]:
    """What the button of the page sends."""
    return {
        name: re.search(rf'name="{name}" value="([^"]+)"', page)[1]  # type: ignore[index]
        for name in ("digest", "request_key")
    }


def hand_out(rehearsal: Rehearsal) -> None:
    rehearsal.refresh_from_db()
    while rehearsal.status == Rehearsal.Status.RUNNING:
        operations.hand_out(rehearsal=rehearsal, at=timezone.now(), wallets=2)
        rehearsal.refresh_from_db()


def wallets() -> list[int]:
    found = Account.objects.filter(kind=Account.Kind.WALLET).order_by("employee__employee_no")
    return [balance or 0 for balance in found.values_list("balance_fen", flat=True)]


@pytest.fixture
def rule(acme: Company) -> GrantRule:
    """Everyone gets 20 yuan when HR says so; the budget holds 100 yuan."""
    employ(3)
    employ(1, first=9, department="市场部")
    return a_rule(a_budget(acme, yuan=100), name="Festival", active=True, occasion=ONCE)


def test_what_was_seen_is_handed_out_once(hr: Client, rule: GrantRule) -> None:
    found = rehearsed(hr, rule)
    url = reverse("company_rehearsal", args=[found.pk])
    page = text(hr.get(url))
    assert "员工1" in page
    assert "市场部" in page
    assert "80 points to 4 employees" in re.sub(r"\s+", " ", page)
    assert wallets() == [0, 0, 0, 0]
    form = sent(page)
    for _ in range(2):
        done = hr.post(reverse("company_rehearsal_commit", args=[found.pk]), form)
        assert done["Location"] == url
    assert Grant.objects.count() == 1
    running = text(hr.get(url))
    assert "0</span> / 4" in running
    assert hr.get(reverse("company_rehearsal_progress", args=[found.pk])).status_code == 200
    assert "still being handed out" in text(hr.get(reverse("company_grant", args=[Grant.objects.get().pk])))
    operations.hand_out(rehearsal=found, at=timezone.now(), wallets=2)
    assert "2</span> / 4" in text(hr.get(reverse("company_rehearsal_progress", args=[found.pk])))
    hand_out(found)
    over = hr.get(reverse("company_rehearsal_progress", args=[found.pk]))
    assert (over.status_code, over["HX-Refresh"]) == (204, "true")
    assert wallets() == [2_000] * 4
    assert reverse("company_grant", args=[Grant.objects.get().pk]) in text(hr.get(url))
    again = hr.post(
        reverse("company_rehearsal_commit", args=[found.pk]), form | {"request_key": str(uuid4())}
    )
    assert again.status_code in (302, 409)
    assert wallets() == [2_000] * 4


def test_another_roster_than_the_one_seen_is_refused(hr: Client, rule: GrantRule) -> None:
    found = rehearsed(hr, rule)
    form = sent(text(hr.get(reverse("company_rehearsal", args=[found.pk]))))
    employ(1, first=20)
    refused = hr.post(reverse("company_rehearsal_commit", args=[found.pk]), form)
    assert refused.status_code == 409
    page = text(refused)
    assert "has changed since" in page
    assert "Rehearse again" in page
    assert 'id="hand_out"' not in page
    found.refresh_from_db()
    assert found.status == Rehearsal.Status.STALE
    assert not Grant.objects.exists()
    again = rehearsed(hr, rule)
    assert again.people == 5


def test_a_digest_of_something_else_is_refused(hr: Client, rule: GrantRule) -> None:
    found = rehearsed(hr, rule)
    url = reverse("company_rehearsal_commit", args=[found.pk])
    key = str(uuid4())
    assert hr.post(url, {"digest": "0" * 64, "request_key": key}).status_code == 409
    assert hr.post(url, {"digest": "", "request_key": key}).status_code == 422
    assert hr.post(url, {"digest": found.digest, "request_key": "x"}).status_code == 422
    assert hr.post(url, {}).status_code == 422
    found.refresh_from_db()
    assert found.status == Rehearsal.Status.MADE
    assert not Grant.objects.exists()


def test_a_budget_that_is_too_small_offers_to_load_it(hr: Client, rule: GrantRule) -> None:
    employ(3, first=30)
    found = rehearsed(hr, rule)
    page = text(hr.get(reverse("company_rehearsal", args=[found.pk])))
    assert "¥40.00 are lacking" in page
    assert "?load=40.00" in page
    assert 'id="hand_out"' not in page
    forced = hr.post(
        reverse("company_rehearsal_commit", args=[found.pk]),
        {"digest": found.digest, "request_key": str(uuid4())},
    )
    assert forced.status_code == 409
    assert "too little" in text(forced)
    assert not Grant.objects.exists()


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("", "This field"),
        ("soon", "valid date"),
        ("2020-01-01", "within a year"),
        ("2026-02-30", "valid date"),
    ],
)
def test_a_wrong_day_is_told_at_the_day(hr: Client, rule: GrantRule, day: str, said: str) -> None:
    response = hr.post(reverse("company_rule_rehearse", args=[rule.pk]), {"day": day})
    assert response.status_code == 422
    assert said in text(response)
    assert not Rehearsal.objects.exists()


def test_another_day_may_be_looked_at_but_not_handed_out(hr: Client, acme: Company) -> None:
    employ(2)
    rule = a_rule(
        a_budget(acme, yuan=100), active=True, occasion={"kind": "festival", "festival": "new_year"}
    )
    year = timezone.localdate().year + 1
    hr.post(reverse("company_rule_rehearse", args=[rule.pk]), {"day": f"{year}-01-01"})
    found = Rehearsal.objects.get()
    assert found.people == 2
    page = text(hr.get(reverse("company_rehearsal", args=[found.pk])))
    assert "has not come yet" in page
    assert 'id="hand_out"' not in page
    forced = hr.post(
        reverse("company_rehearsal_commit", args=[found.pk]),
        {"digest": found.digest, "request_key": str(uuid4())},
    )
    assert forced.status_code == 409
    assert not Grant.objects.exists()


def test_people_are_found_and_reasons_told(hr: Client, rule: GrantRule) -> None:
    first = rehearsed(hr, rule)
    hr.post(
        reverse("company_rehearsal_commit", args=[first.pk]),
        {"digest": first.digest, "request_key": str(uuid4())},
    )
    hand_out(first)
    employ(1, first=50, department="财务部")
    found = rehearsed(hr, rule)
    url = reverse("company_rehearsal", args=[found.pk])
    assert [row["number"] for row in hr.get(url).context["rows"]] == ["A050"]
    left_out = hr.get(url, {"show": "left_out"})
    assert "has had it for this occasion" in text(left_out)
    assert [row["number"] for row in left_out.context["rows"]] == ["A001", "A002", "A003", "A009"]
    for search in ("A009", "员工9"):
        rows = hr.get(url, {"show": "left_out", "q": search}).context["rows"]
        assert [row["number"] for row in rows] == ["A009"], search
    assert hr.get(url, {"show": "left_out", "reason": "left"}).context["rows"] == []
    for odd in ({"page": "x"}, {"page": "999999"}, {"q": "\x00%_'"}, {"show": "x"}, {"reason": "x"}):
        assert hr.get(url, odd).status_code == 200


def test_the_workbook_runs_no_formula(hr: Client, rule: GrantRule) -> None:
    Employee.objects.filter(employee_no="A001").update(name="=1+1")
    found = rehearsed(hr, rule)
    response = hr.post(reverse("company_rehearsal_file", args=[found.pk]))
    assert response["Content-Disposition"].endswith('.xlsx"')
    sheet = openpyxl.load_workbook(BytesIO(b"".join(response))).active  # type: ignore[arg-type]
    assert sheet is not None
    rows = list(sheet.iter_rows(min_row=3, values_only=True))
    assert [row[0] for row in rows] == ["A001", "A002", "A003", "A009"]
    assert (rows[0][1], rows[0][3], sheet["B3"].data_type) == ("=1+1", "20.00", "s")


def test_what_is_dropped_gives_nothing(hr: Client, rule: GrantRule) -> None:
    found = rehearsed(hr, rule)
    dropped = hr.post(reverse("company_rehearsal_drop", args=[found.pk]))
    assert dropped["Location"] == reverse("company_rule", args=[rule.pk])
    assert hr.post(reverse("company_rehearsal_drop", args=[found.pk])).status_code == 409
    page = hr.post(
        reverse("company_rehearsal_commit", args=[found.pk]),
        {"digest": found.digest, "request_key": str(uuid4())},
    )
    assert page.status_code == 409
    assert not Grant.objects.exists()


def test_above_the_limit_somebody_else_is_asked(hr: Client, signed_in: Door, rule: GrantRule) -> None:
    ApprovalLimit.objects.create(kind=Kind.GRANT, role="hr", alone_fen=5_000, approves_fen=0)
    signed_in("approver")
    found = rehearsed(hr, rule)
    url = reverse("company_rehearsal", args=[found.pk])
    page = text(hr.get(url))
    assert "Send for approval" in page
    for _ in range(2):
        assert hr.post(reverse("company_rehearsal_commit", args=[found.pk]), sent(page)).status_code == 302
    found.refresh_from_db()
    assert found.status == Rehearsal.Status.WAITING
    asked = Approval.objects.get()
    assert (asked.kind, asked.fen, asked.details["digest"]) == (Kind.GRANT, 8_000, found.digest)
    page = text(hr.get(url))
    assert "Waits for approval" in page
    assert reverse("company_approval", args=[asked.pk]) in page
    assert 'id="hand_out"' not in page
    assert not Grant.objects.exists()


def test_readers_see_and_only_hr_hands_out(hr: Client, signed_in: Door, rule: GrantRule) -> None:
    found = rehearsed(hr, rule)
    url = reverse("company_rehearsal", args=[found.pk])
    for role in ("approver", "finance"):
        door = signed_in(role)
        page = text(door.get(url))
        assert "员工1" in page
        assert 'id="hand_out"' not in page
        assert door.post(reverse("company_rehearsal_file", args=[found.pk])).status_code == 200
        for name in ("commit", "drop"):
            assert door.post(reverse(f"company_rehearsal_{name}", args=[found.pk])).status_code == 403
    for role in ("employee", "editor"):
        assert signed_in(role).get(url).status_code == 403
    found.refresh_from_db()
    assert found.status == Rehearsal.Status.MADE


def test_what_is_not_there_is_not_found(hr: Client, acme: Company) -> None:
    for name in ("company_rehearsal", "company_rehearsal_progress"):
        assert hr.get(reverse(name, args=[987])).status_code == 404
    for name in ("commit", "drop", "file"):
        assert hr.post(reverse(f"company_rehearsal_{name}", args=[987])).status_code == 404


def test_the_page_takes_as_many_queries_for_many_people(hr: Client, rule: GrantRule) -> None:
    few = rehearsed(hr, rule)
    employ(120, first=100)
    many = rehearsed(hr, rule)

    def count(found: Rehearsal) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert hr.get(reverse("company_rehearsal", args=[found.pk])).status_code == 200
        return len(queries)

    count(few)
    assert count(many) == count(few)


def test_a_large_grant_is_rehearsed_and_handed_out_in_steps(hr: Client, acme: Company, settings: Any) -> None:
    settings.GRANT_AT_ONCE = 2
    employ(3)
    budget = a_budget(acme, yuan=100)
    fields = fields_for(budget)
    preview = text(hr.post(reverse("company_grant_new"), fields))
    assert "handed out in steps" in preview
    for _ in range(2):
        made = hr.post(reverse("company_grant_new"), fields | confirmation(preview))
        found = Rehearsal.objects.get()
        assert made["Location"] == reverse("company_rehearsal", args=[found.pk])
    assert not Grant.objects.exists()
    assert "Not handed out yet" in text(hr.get(reverse("company_grants")))
    page = text(hr.get(made["Location"]))
    hr.post(reverse("company_rehearsal_commit", args=[found.pk]), sent(page))
    hand_out(found)
    grant = Grant.objects.get()
    assert (grant.reason, grant.employees, grant.total_fen) == ("Festival", 3, 6_000)
    assert fields["expires"] in text(hr.get(reverse("company_grant", args=[grant.pk])))
    assert wallets() == [2_000] * 3
    assert "No rules yet" in text(hr.get(reverse("company_rules")))


def test_a_list_with_own_amounts_goes_in_steps_too(hr: Client, acme: Company, settings: Any) -> None:
    settings.GRANT_AT_ONCE = 1
    employ(3)
    budget = a_budget(acme, yuan=100)
    fields = fields_for(budget, whom="list", points="5", listing="A001\t30\nA003", expires="")
    preview = text(hr.post(reverse("company_grant_new"), fields))
    hr.post(reverse("company_grant_new"), fields | confirmation(preview))
    found = Rehearsal.objects.get()
    hr.post(
        reverse("company_rehearsal_commit", args=[found.pk]),
        {"digest": found.digest, "request_key": str(uuid4())},
    )
    hand_out(found)
    assert wallets() == [3_000, 0, 500]


def test_the_first_page_tells_what_is_due_and_what_failed(hr: Client, acme: Company) -> None:
    employ(2)
    budget = a_budget(acme)
    today = timezone.localdate()
    a_rule(budget, name="Monthly", active=True, occasion={"kind": "monthly", "day": today.day})
    page = text(hr.get(reverse("company_overview")))
    assert "This week by rules" in page
    assert f"{today.isoformat()} · 2 people" in page
    operations.run_due(at=timezone.now())
    assert Rehearsal.objects.get().status == Rehearsal.Status.FAILED
    assert "could not be given" in text(hr.get(reverse("company_overview")))
    failed = text(hr.get(reverse("company_rehearsal", args=[Rehearsal.objects.get().pk])))
    assert "The budget holds 0 points, which is 40 points too little" in failed
    assert Budget.objects.count() == 1
