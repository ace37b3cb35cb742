"""The pages of second signatures: who sees what, asks, decides, sets limits and names a stand-in."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from benefits.approvals import standing
from benefits.approvals.limits import Limit
from benefits.approvals.models import Approval, ApprovalLimit, Delegation
from benefits.points.models import Budget
from tenants.db import connection
from tenants.identity.models import AuditEvent, User
from tenants.identity.roles import Role
from tenants.models import Company
from tests import people
from tests.db.company.conftest import Door, a_budget, pay_in
from tests.factories import budget_fen

HOST = "acme.localhost"


@pytest.fixture
def budget(acme: Company) -> Budget:
    made = a_budget(acme, yuan=1_000)
    pay_in(acme, 10_000)
    return made


@pytest.fixture
def admin(signed_in: Door) -> Client:
    user = people.somebody(Role.ADMIN, name="ada")
    client = signed_in()
    client.force_login(user)
    client.user = user  # type: ignore[attr-defined]
    return client


@pytest.fixture
def limited(admin: Client) -> None:
    standing.set_limits(
        kind="load",
        rows={"hr": Limit(10_000, 0)},
        actor=admin.user,  # type: ignore[attr-defined]
        at=timezone.now(),
    )


def load(client: Client, budget: Budget, yuan: str, *, follow: bool = True) -> object:
    data = {"load-amount": yuan, "load-request_key": str(uuid4())}
    return client.post(f"/company/budgets/{budget.pk}/load/", data, follow=follow)


def text(response: object) -> str:
    return re.sub(r"\s+", " ", response.content.decode())  # type: ignore[attr-defined]


@pytest.fixture
def asked(hr: Client, budget: Budget, limited: None) -> Approval:
    load(hr, budget, "500")
    return Approval.objects.get()


def address(asked: Approval, step: str = "") -> str:
    return f"/company/approvals/{asked.pk}/{step}"


def test_above_the_limit_a_load_waits_and_says_for_whom(
    hr: Client, budget: Budget, limited: None, signed_in: Door
) -> None:
    assert "were loaded" in text(load(hr, budget, "100"))
    page = text(load(hr, budget, "500"))
    assert "This is above what you may do alone" in page
    assert "it waits for" in page, "the budget's page shows the request"
    assert budget_fen(budget) == 110_000
    home = text(hr.get("/company/"))
    assert "You wait for" in home and "Load the budget “Spring”" in home and "ada" in home


def test_an_approver_sees_it_first_and_approves(asked: Approval, budget: Budget, signed_in: Door) -> None:
    approver = signed_in("approver")
    home = text(approver.get("/company/"))
    assert "1 decision waits for you" in home and 'class="count count-alert">1<' in home
    page = text(approver.get(address(asked)))
    assert "¥1,000.00" in page and "¥1,500.00" in page, "what the budget holds before and after"
    done = text(approver.post(address(asked, "approve/"), {"note": "fine"}, follow=True))
    assert "Approved and carried out." in done and "fine" in done
    assert budget_fen(budget) == 150_000
    assert "decision waits" not in text(approver.get("/company/"))
    again = approver.post(address(asked, "approve/"), {}, follow=True)
    assert again.status_code == 200 and budget_fen(budget) == 150_000


def test_a_refusal_needs_a_word(asked: Approval, signed_in: Door, hr: Client) -> None:
    approver = signed_in("approver")
    empty = approver.post(address(asked, "refuse/"), {"note": " "})
    assert empty.status_code == 422 and "Say why" in text(empty)
    approver.post(address(asked, "refuse/"), {"note": "too much"})
    page = text(hr.get(address(asked)))
    assert "refused" in page and "too much" in page
    late = approver.post(address(asked, "approve/"), {})
    assert late.status_code == 409 and "This is now" in text(late)


def test_the_asker_may_only_withdraw(asked: Approval, hr: Client, budget: Budget) -> None:
    page = text(hr.get(address(asked)))
    assert "You asked for this" in page and "Your decision" not in page
    for step in ("approve/", "refuse/"):
        refused = hr.post(address(asked, step), {"note": "mine"})
        assert refused.status_code == 403 and "You may not decide this" in text(refused)
    hr.post(address(asked, "withdraw/"))
    asked.refresh_from_db()
    assert asked.status == "withdrawn" and budget_fen(budget) == 100_000


@pytest.mark.parametrize("role", ["hr", "finance"])
def test_who_has_no_limit_reads_and_does_not_decide(asked: Approval, signed_in: Door, role: str) -> None:
    other = signed_in(role)
    assert "above your limit" in text(other.get(address(asked)))
    assert other.post(address(asked, "approve/"), {}).status_code == 403
    assert other.post(address(asked, "withdraw/"), {}).status_code == 403
    assert "All that wait" in text(other.get("/company/approvals/?show=open"))


def test_what_fails_says_why_to_both(asked: Approval, signed_in: Door, hr: Client, budget: Budget) -> None:
    Budget.objects.filter(pk=budget.pk).update(status=Budget.Status.CLOSED)
    approver = signed_in("approver")
    approver.post(address(asked, "approve/"), {})
    for client in (approver, hr):
        page = text(client.get(address(asked)))
        assert "The budget “Spring” is not open today." in page and "budget_closed" in page
    hr.cookies["language"] = "zh-hans"
    assert "福利预算“Spring”今天不在有效期内" in text(hr.get(address(asked))) or "Spring" in text(
        hr.get(address(asked))
    )


@pytest.mark.parametrize("show", ["mine", "asked", "open", "decided", "nonsense"])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_lists_in_both_languages(
    asked: Approval, hr: Client, signed_in: Door, show: str, language: str
) -> None:
    for client in (hr, signed_in("approver")):
        client.cookies["language"] = language
        page = client.get(f"/company/approvals/?show={show}&kind=load")
        assert page.status_code == 200
        assert ("审批" in text(page)) is (language == "zh-hans")


def test_a_page_of_requests_asks_a_fixed_number_of_queries(
    budget: Budget,
    hr: Client,
    limited: None,
    signed_in: Door,
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    approver = signed_in("approver")
    for count in (1, 8):
        for _ in range(count):
            load(hr, budget, "500", follow=False)
        with django_assert_max_num_queries(26):
            approver.get("/company/approvals/")


def test_a_request_of_another_company_is_not_there(
    asked: Approval, globex: Company, acme: Company, budget: Budget
) -> None:
    connection.set_tenant(globex)
    client = people.client_of(people.somebody(Role.APPROVER, name="gil"), host="globex.localhost")
    connection.set_tenant(acme)
    for method, step in (("get", ""), ("post", "approve/"), ("post", "refuse/"), ("post", "withdraw/")):
        answer = getattr(client, method)(address(asked, step), {"note": "x"})
        assert answer.status_code == 404
    connection.set_tenant(acme)
    asked.refresh_from_db()
    assert asked.status == "waiting"


def test_an_administrator_sets_limits_and_others_read_them(admin: Client, hr: Client) -> None:
    page = text(admin.get("/company/approvals/limits/"))
    assert "any amount" in page
    data = {
        "load-is_limited": "on",
        "load-alone_hr": "100.50",
        "load-alone_admin": "",
        "load-approves_hr": "0",
        "load-approves_approver": "5000",
        "load-approves_finance": "0",
        "load-approves_admin": "",
    }
    assert admin.post("/company/approvals/limits/load/", data).status_code == 302
    rows = {row.role: (row.alone_fen, row.approves_fen) for row in ApprovalLimit.objects.all()}
    assert rows == {
        "hr": (10_050, 0),
        "approver": (0, 500_000),
        "finance": (0, 0),
        "admin": (None, None),
    }
    event = AuditEvent.objects.get(action="limits.set")
    assert event.facts["before"] == "" and "hr 10050/0" in event.facts["after"]
    read = text(hr.get("/company/approvals/limits/"))
    assert "up to ¥100.50" in read and "Save" not in read
    assert hr.post("/company/approvals/limits/load/", data).status_code == 403
    wrong = admin.post("/company/approvals/limits/load/", {**data, "load-alone_hr": "-5"})
    assert wrong.status_code == 422 and "is not an amount" in text(wrong)
    assert admin.post("/company/approvals/limits/nonsense/", data).status_code == 404
    admin.post("/company/approvals/limits/load/", {})
    assert not ApprovalLimit.objects.exists(), "unticked: nobody needs a second person"


def test_one_names_a_stand_in_for_oneself_and_ends_it(asked: Approval, signed_in: Door, hr: Client) -> None:
    approver, finance = signed_in("approver"), signed_in("finance")
    today = timezone.localdate()
    data = {
        "from_user": approver.user.pk,  # type: ignore[attr-defined]
        "to_user": finance.user.pk,  # type: ignore[attr-defined]
        "from_date": today.isoformat(),
        "to_date": (today + timedelta(days=3)).isoformat(),
    }
    page = text(approver.post("/company/approvals/delegations/", data, follow=True))
    assert "decides for" in page and "in force" in page
    assert "Today you decide for" in text(finance.get("/company/approvals/delegations/"))
    assert "You decide this for" in text(finance.get(address(asked)))
    repeated = approver.post("/company/approvals/delegations/", data)
    assert repeated.status_code == 409 and "already has a stand-in" in text(repeated)
    made = Delegation.objects.get()
    assert hr.post(f"/company/approvals/delegations/{made.pk}/end/").status_code == 404
    approver.post(f"/company/approvals/delegations/{made.pk}/end/")
    assert "above your limit" in text(finance.get(address(asked)))


def test_only_an_administrator_names_a_stand_in_for_others(admin: Client, signed_in: Door) -> None:
    approver, finance = signed_in("approver"), signed_in("finance")
    today = timezone.localdate().isoformat()
    days = {"from_date": today, "to_date": today}
    other = {"from_user": approver.user.pk, "to_user": finance.user.pk, **days}  # type: ignore[attr-defined]
    assert finance.post("/company/approvals/delegations/", other).status_code == 422
    mine = {"from_user": approver.user.pk, "to_user": admin.user.pk, **days}  # type: ignore[attr-defined]
    assert admin.post("/company/approvals/delegations/", mine).status_code == 422
    assert admin.post("/company/approvals/delegations/", other).status_code == 302
    assert User.objects.filter(delegations_given__made_by=admin.user).exists()  # type: ignore[attr-defined]


def test_closing_a_budget_does_not_go_round_the_limit(admin: Client, hr: Client, budget: Budget) -> None:
    standing.set_limits(
        kind="return",
        rows={"hr": Limit(10_000, 0)},
        actor=admin.user,  # type: ignore[attr-defined]
        at=timezone.now(),
    )
    page = text(hr.post(f"/company/budgets/{budget.pk}/close/", follow=True))
    assert "above what you may do alone" in page
    budget.refresh_from_db()
    assert budget.status == "open" and budget_fen(budget) == 100_000
