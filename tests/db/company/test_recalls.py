"""Taking back what is unused of a grant, by way of the console: looked at first, done once, by those who may."""

from django.test import Client
from django.urls import reverse

from benefits.points import queries
from benefits.points.models import Budget, Grant
from tenants.models import Company
from tests import factories
from tests.db.company.conftest import Door


def text(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined]


def _a_grant() -> tuple[Grant, Budget]:
    factories.a_catalogue()
    alice, bob, budget = factories.an_employee(), factories.an_employee("Bob"), factories.a_budget(30_000)
    made = factories.grant(budget, {alice: 6_000, bob: 6_000})
    factories.redeem(alice)
    return made, budget


def test_hr_sees_how_much_of_how_many_and_takes_it_back_once(hr: Client, acme: Company) -> None:
    made, budget = _a_grant()
    page, address = reverse("company_grant", args=[made.pk]), reverse("company_grant_recall", args=[made.pk])
    assert address in text(hr.get(page))

    preview = text(hr.get(address))
    assert "70.5" in preview and "of 2" in preview and budget.name in preview
    assert queries.figures_of(budget).left_fen == 18_000  # looking changes nothing

    answer = hr.post(address, {"confirm": "1"}, follow=True)
    assert "70.5 points went back to the budget" in text(answer)
    assert queries.figures_of(budget).left_fen == 25_050
    assert address not in text(hr.get(page))
    assert "Nothing is left of it" in text(hr.get(address))
    hr.post(address, {"confirm": "1"})
    assert queries.figures_of(budget).left_fen == 25_050


def test_a_running_one_is_refused_in_words_and_the_platforms_is_not_there(hr: Client, acme: Company) -> None:
    made, budget = _a_grant()
    address = reverse("company_grant_recall", args=[made.pk])
    Grant.objects.filter(pk=made.pk).update(status="running")
    assert address not in text(hr.get(reverse("company_grant", args=[made.pk])))
    for answer in (hr.get(address), hr.post(address)):
        assert answer.status_code == 409
        assert "still being handed out" in text(answer)
    Budget.objects.filter(pk=budget.pk).update(purpose="goodwill")
    for name, pk in (
        ("company_grant_recall", made.pk),
        ("company_grant", made.pk),
        ("company_budget", budget.pk),
    ):
        assert hr.get(reverse(name, args=[pk])).status_code == 404
    assert budget.name not in text(hr.get(reverse("company_budgets")))
    assert budget.name not in text(hr.get(reverse("company_grant_new")))


def test_readers_may_look_at_the_grant_and_not_take_it_back(signed_in: Door, acme: Company) -> None:
    made, _budget = _a_grant()
    for role in ("approver", "finance"):
        door = signed_in(role)
        assert "Take back" not in text(door.get(reverse("company_grant", args=[made.pk])))
        assert door.post(reverse("company_grant_recall", args=[made.pk])).status_code == 403
