"""Budgets and grants by way of the console: in place when refused, once however often sent."""

import re
from datetime import timedelta
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from benefits.funds import queries as funds
from benefits.people.models import Employee
from benefits.points import queries
from benefits.points.models import Account, Budget, Grant
from tenants.models import Company
from tests.db.company.conftest import a_budget, employ, pay_in


def wallet(employee_no: str) -> int:
    return Account.objects.get(employee__employee_no=employee_no).balance_fen or 0


def text(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined]


def test_a_budget_is_opened_and_named_once(hr: Client) -> None:
    fields = {"name": "Spring", "owner": "Hana", "from_date": "2026-03-01", "to_date": ""}
    response = hr.post(reverse("company_budget_new"), fields)
    assert response["Location"] == reverse("company_budget", args=[Budget.objects.get().pk])
    again = hr.post(reverse("company_budget_new"), fields)
    assert again.status_code == 422
    assert "already a budget" in text(again)
    assert 'value="Spring"' in text(again)
    wrong = hr.post(reverse("company_budget_new"), {**fields, "name": "S2", "to_date": "2026-02-01"})
    assert "lies before the first" in text(wrong)
    assert Budget.objects.count() == 1


def test_loading_twice_with_one_key_loads_once(hr: Client, acme: Company) -> None:
    pay_in(acme, 1000)
    budget = a_budget(acme)
    fields = {"load-amount": "600.50", "load-request_key": str(uuid4())}
    for _ in range(2):
        assert hr.post(reverse("company_budget_load", args=[budget.pk]), fields).status_code == 302
    assert queries.figures_of(budget).left_fen == 60_050
    assert funds.available_fen("acme") == 39_950


def test_too_little_in_the_funds_is_said_at_the_amount(hr: Client, acme: Company) -> None:
    pay_in(acme, 100)
    budget = a_budget(acme)
    response = hr.post(
        reverse("company_budget_load", args=[budget.pk]),
        {"load-amount": "150", "load-request_key": str(uuid4())},
    )
    page = text(response)
    assert response.status_code == 422
    assert "¥100.00" in page
    assert "¥50.00 too little" in page
    assert 'value="150"' in page
    for amount in ("", "-1", "0", "1.234", "abc", "１００", "1e9", "99999999999999999999"):
        again = hr.post(
            reverse("company_budget_load", args=[budget.pk]),
            {"load-amount": amount, "load-request_key": str(uuid4())},
        )
        assert again.status_code == 422, amount
    assert hr.post(reverse("company_budget_load", args=[budget.pk]), {"load-amount": "1"}).status_code == 422
    assert queries.figures_of(budget).left_fen == 0


def test_what_is_not_granted_goes_back(hr: Client, acme: Company) -> None:
    budget = a_budget(acme, yuan=100)
    url = reverse("company_budget_return", args=[budget.pk])
    short = hr.post(url, {"return-amount": "100.01", "return-request_key": str(uuid4())})
    assert short.status_code == 422
    assert "too little" in text(short)
    assert hr.post(url, {"return-amount": "40", "return-request_key": str(uuid4())}).status_code == 302
    assert (queries.figures_of(budget).left_fen, funds.available_fen("acme")) == (6_000, 4_000)


def fields_for(budget: Budget, **changes: str) -> dict[str, str]:
    return {
        "budget": str(budget.pk),
        "whom": "all",
        "points": "20",
        "reason": "Festival",
        "expires": (timezone.localdate() + timedelta(days=30)).isoformat(),
        "request_key": str(uuid4()),
        **changes,
    }


def confirmation(page: str) -> dict[str, str]:
    """What the button of the preview sends."""
    found = re.search(r'name="confirm" value="([^"]+)"', page)
    assert found, "the preview has no button to grant"
    return {"confirm": found[1]}


def test_a_grant_is_shown_then_made_once(hr: Client, acme: Company) -> None:
    employ(3)
    budget = a_budget(acme, yuan=100)
    fields = fields_for(budget)
    preview = text(hr.post(reverse("company_grant_new"), fields))
    assert "员工1" in preview
    assert not Grant.objects.exists()
    for _ in range(2):
        done = hr.post(reverse("company_grant_new"), fields | confirmation(preview))
        assert done["Location"] == reverse("company_grant", args=[Grant.objects.get().pk])
    assert [wallet(f"A00{n}") for n in (1, 2, 3)] == [2_000, 2_000, 2_000]
    page = text(hr.get(reverse("company_grant", args=[Grant.objects.get().pk])))
    assert "员工3" in page
    assert fields["expires"] in page


def test_amounts_are_in_the_companys_points(hr: Client, acme: Company) -> None:
    employ(1)
    budget = a_budget(acme, yuan=100)
    acme.points_per_yuan = 100
    acme.save()
    fields = fields_for(budget, points="550")
    preview = text(hr.post(reverse("company_grant_new"), fields))
    assert "550" in preview
    assert "¥5.50" in preview
    hr.post(reverse("company_grant_new"), fields | confirmation(preview))
    assert wallet("A001") == 550


def test_a_list_may_give_each_their_own(hr: Client, acme: Company) -> None:
    employ(3)
    budget = a_budget(acme, yuan=100)
    fields = fields_for(
        budget, whom="list", points="5", listing="工号,积分\nA001, 30\nA002\t12.5\r\n\nA003\n"
    )
    preview = text(hr.post(reverse("company_grant_new"), fields))
    hr.post(reverse("company_grant_new"), fields | confirmation(preview))
    assert [wallet(f"A00{n}") for n in (1, 2, 3)] == [3_000, 1_250, 500]


def test_a_file_becomes_a_list(hr: Client, acme: Company) -> None:
    employ(2)
    budget = a_budget(acme, yuan=100)
    file = SimpleUploadedFile("生日.csv", "名单\n员工编号,福利积分\nA001,30\nA002,7\n".encode("gb18030"))
    preview = text(hr.post(reverse("company_grant_new"), {**fields_for(budget, whom="list"), "file": file}))
    assert "A001\t30\nA002\t7" in preview
    fields = fields_for(budget, whom="list", listing="A001\t30\nA002\t7")
    hr.post(reverse("company_grant_new"), fields | confirmation(preview))
    assert (wallet("A001"), wallet("A002")) == (3_000, 700)


def test_a_wrong_list_is_refused_in_place(hr: Client, acme: Company) -> None:
    employ(1)
    budget = a_budget(acme, yuan=100)
    for listing, said in (
        ("A001,5\nA999,5", "A999"),
        ("A001,5\nA001,6", "row 2 repeats"),
        ("A001,many", "row 1 with points"),
        ("A001,0.001", "is not an amount"),
        ("A001,0", "more than ¥0"),
        ("\n\n", "Type or paste"),
        ("A001\x00", ""),
    ):
        response = hr.post(reverse("company_grant_new"), fields_for(budget, whom="list", listing=listing))
        assert response.status_code == 422, listing
        assert said in text(response), listing
    for name, data in (
        ("x.xlsx", b"PK\x03\x04rubbish"),
        ("x.csv", b"a,b\n1,2\n"),
        ("x.xls", b"\xd0\xcf\x11\xe0"),
    ):
        upload = {**fields_for(budget, whom="list"), "file": SimpleUploadedFile(name, data)}
        assert hr.post(reverse("company_grant_new"), upload).status_code == 422, name
    assert not Grant.objects.exists()


def test_a_budget_that_is_too_small_offers_to_load_it(hr: Client, acme: Company) -> None:
    employ(3)
    budget = a_budget(acme, yuan=10)
    fields = fields_for(budget)
    page = text(hr.post(reverse("company_grant_new"), fields))
    assert "¥50.00 are lacking" in page
    assert "?load=50.00" in page
    assert 'name="confirm"' not in page
    forced = hr.post(reverse("company_grant_new"), fields | {"confirm": "3:6000"})
    assert forced.status_code == 422
    assert not Grant.objects.exists()


def test_a_roster_that_changed_since_is_shown_again(hr: Client, acme: Company) -> None:
    employ(2)
    budget = a_budget(acme, yuan=1000)
    fields = fields_for(budget)
    button = confirmation(text(hr.post(reverse("company_grant_new"), fields)))
    employ(1, first=9)
    again = hr.post(reverse("company_grant_new"), fields | button)
    assert "has changed since" in text(again)
    assert not Grant.objects.exists()


def test_going_back_keeps_what_was_typed(hr: Client, acme: Company) -> None:
    employ(1)
    budget = a_budget(acme, yuan=10)
    fields = fields_for(budget, whom="list", listing="A001\t3", reason="Tea & cake")
    page = text(hr.post(reverse("company_grant_new"), fields | {"change": "1"}))
    assert "Tea &amp; cake" in page
    assert "A001\t3" in page
    assert fields["request_key"] in page


def test_departments_reach_what_is_below_them(hr: Client, acme: Company) -> None:
    employ(2)
    employ(1, first=5, department="市场部")
    employ(1, first=6, department="技术中心")
    budget = a_budget(acme, yuan=100)
    fields = fields_for(budget, whom="departments", departments="技术中心")
    button = confirmation(text(hr.post(reverse("company_grant_new"), fields)))
    hr.post(reverse("company_grant_new"), fields | button)
    assert Grant.objects.get().employees == 3
    assert wallet("A005") == 0
    assert hr.post(reverse("company_grant_new"), fields_for(budget, whom="departments")).status_code == 422


def test_those_chosen_in_the_list_are_prefilled(hr: Client, acme: Company) -> None:
    employ(2)
    a_budget(acme)
    page = text(hr.get(reverse("company_grant_new"), {"no": ["A001", "A002"]}))
    assert "A001\nA002" in page


def test_the_overview_adds_up(hr: Client, acme: Company) -> None:
    employ(2)
    budget = a_budget(acme, yuan=100)
    fields = fields_for(budget)
    hr.post(
        reverse("company_grant_new"),
        fields | confirmation(text(hr.post(reverse("company_grant_new"), fields))),
    )
    context = hr.get(reverse("company_overview")).context
    assert context["books"] == {"in_budgets": "60", "in_wallets": "40", "held": "0", "delivered": "0"}
    assert context["people"]["active"] == Employee.objects.count() == 2
    assert context["steps_left"] == 0
