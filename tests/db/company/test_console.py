"""Who may open what in the company console, what the lists cost, and what they hide."""

import re

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse

from benefits.people.models import Employee
from tenants.identity.models import User
from tenants.models import Company
from tests.db.company.conftest import Door, a_budget, employ

EVERYONE = {"hr", "approver", "finance"}
READ = {
    "company_overview": EVERYONE,
    "company_employees": {"hr", "approver"},
    "company_imports": {"hr"},
    "company_import_new": {"hr"},
    "company_people": set[str](),
    "company_budgets": EVERYONE,
    "company_budget_new": {"hr"},
    "company_grants": EVERYONE,
    "company_grant_new": {"hr"},
    "company_funds": EVERYONE,
    "company_proof": {"finance"},
    "company_proof_state": {"finance"},
}
ROLES = ("employee", "editor", "hr", "approver", "finance")


@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_its_pages_and_no_other(role: str, signed_in: Door) -> None:
    client = signed_in(role)
    for name, who in READ.items():
        status = client.get(reverse(name)).status_code
        assert status == (200 if role in who else 403), (role, name, status)


def test_strangers_are_sent_to_sign_in(signed_in: Door) -> None:
    for name in READ:
        response = signed_in().get(reverse(name))
        assert response.status_code == 302, name
        assert response["Location"].startswith("/accounts/login/"), name


def test_every_page_of_the_console_says_who_may_use_it() -> None:
    for pattern in get_resolver("benefits.web.company.urls").url_patterns:
        allowed = getattr(pattern.callback, "allowed", frozenset())
        assert allowed, pattern.name
        assert not {"anyone", "signed_in", "employee"} & allowed, pattern.name


@pytest.mark.parametrize("role", ["approver", "finance"])
def test_readers_change_nothing(role: str, signed_in: Door, acme: Company) -> None:
    budget = a_budget(acme)
    client = signed_in(role)
    for name in ("company_budget_load", "company_budget_return"):
        assert client.post(reverse(name, args=[budget.pk])).status_code == 403
    assert client.post(reverse("company_grant_new")).status_code == 403
    assert (
        "Load from the funds" not in client.get(reverse("company_budget", args=[budget.pk])).content.decode()
    )


def test_an_administrator_needs_a_second_factor(signed_in: Door) -> None:
    assert signed_in("admin").get(reverse("company_overview"))["Location"].endswith("/2fa/totp/activate/")


@pytest.mark.parametrize(
    "name", ["company_overview", "company_employees", "company_budgets", "company_grants", "company_funds"]
)
def test_a_list_costs_few_queries_however_long(name: str, hr: Client, acme: Company) -> None:
    employ(60)
    for number in range(5):
        a_budget(acme, name=f"B{number}", yuan=10)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert hr.get(reverse(name)).status_code == 200
    asked = [
        query for query in queries if not query["sql"].startswith(("SET search_path", "SAVEPOINT", "RELEASE"))
    ]
    assert len(asked) <= 20, [query["sql"][:90] for query in asked]


def test_mobiles_are_masked_and_found_whole(hr: Client) -> None:
    employ(3)
    found = hr.get(reverse("company_employees"), {"q": "138 0000 0002"}).content.decode()
    assert "员工2" in found
    assert "员工1" not in found
    assert "138 **** 0002" in found
    assert "13800000002" not in found
    one = Employee.objects.get(employee_no="A002")
    for name in ("company_employee", "company_employee_peek"):
        page = hr.get(reverse(name, args=[one.pk])).content.decode()
        assert "138 **** 0002" in page
        assert "13800000002" not in page


@pytest.mark.parametrize(
    "query",
    [
        "?q=%00",
        "?q=%27%22%3Cscript%3E",
        "?page=999999999999999999999",
        "?page=x&show=%00",
        "?department=%00%F0",
        "?q=" + "x" * 500,
    ],
)
def test_odd_addresses_are_answered(query: str, hr: Client) -> None:
    employ(1)
    for name in (
        "company_employees",
        "company_grants",
        "company_budgets",
        "company_imports",
        "company_funds",
    ):
        response = hr.get(reverse(name) + query)
        assert response.status_code == 200
        assert b"<script>" not in response.content.replace(b"<script src", b"").replace(b"<script>x", b"")
    assert hr.get(reverse("company_grant_new") + "?budget=99999999&import=%00&no=%00").status_code == 200


def test_what_is_not_there_is_a_404(hr: Client) -> None:
    for name in (
        "company_employee",
        "company_budget",
        "company_grant",
        "company_import",
        "company_employee_peek",
    ):
        for pk in (999_999, 10**30):
            assert hr.get(reverse(name, args=[pk])).status_code == 404, (name, pk)


def test_another_company_sees_nothing_of_it(hr: Client, acme: Company, globex: Company) -> None:
    employ(2)
    budget = a_budget(acme, name="Acme's own", yuan=5)
    connection.set_tenant(globex)
    user = User.objects.create_user("globex-hr", password="x")
    user.groups.set(Group.objects.filter(name="hr"))
    client = Client(HTTP_HOST="globex.localhost")
    client.force_login(user)
    assert "员工1" not in client.get(reverse("company_employees")).content.decode()
    assert "Acme" not in client.get(reverse("company_budgets")).content.decode()
    connection.set_tenant(globex)
    assert client.get(reverse("company_budget", args=[budget.pk])).status_code == 404


def test_nothing_is_inline_and_nothing_from_elsewhere(hr: Client, acme: Company) -> None:
    employ(2)
    a_budget(acme, yuan=5)
    for name in (name for name, who in READ.items() if "hr" in who):
        page = hr.get(reverse(name)).content.decode()
        for bad in (" style=", " onclick=", "<style", 'src="http', 'href="http'):
            assert bad not in page, (name, bad)


@pytest.mark.parametrize("role", ["hr", "approver", "finance"])
def test_the_navigation_offers_only_what_opens(role: str, signed_in: Door) -> None:
    client = signed_in(role)
    page = client.get(reverse("company_overview")).content.decode()
    links = re.findall(r'class="nav-item" href="([^"]+)"', page)
    assert len(links) >= 4
    for link in links:
        assert client.get(link).status_code == 200, (role, link)
