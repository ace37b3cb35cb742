"""HR takes back what is unused of a grant: never what is held or spent, once, and while others spend."""

from collections import Counter
from uuid import uuid4

import pytest

from benefits.orders.models import Order
from benefits.points import leavers, recall
from benefits.points.errors import GrantNotFound, GrantRunning, InsufficientPoints
from benefits.points.models import Budget, Grant, Posting
from reports import books
from tenants.db import transaction
from tenants.identity.models import AuditEvent
from tenants.models import Company
from tests import factories
from tests.factories import AT
from tests.races import at_once


def test_only_what_is_unused_of_that_grant_goes_back(acme: Company) -> None:
    factories.a_catalogue()
    alice, bob, budget = factories.an_employee(), factories.an_employee("Bob"), factories.a_budget(30_000)
    wrong = factories.grant(budget, {alice: 6_000, bob: 6_000})
    factories.grant(budget, {alice: 2_000})
    order = factories.redeem(alice)  # 4,950 fen of the wrong grant, held

    found = recall.recallable(wrong)
    assert (found.employees, found.of_employees, found.fen, found.of_fen) == (2, 2, 7_050, 12_000)
    assert recall.recall_grant(grant=wrong, actor=None, at=AT) == 7_050
    assert (factories.wallet_fen(alice), factories.wallet_fen(bob)) == (2_000, 0)
    assert factories.budget_fen(budget) == 30_000 - 14_000 + 7_050
    assert recall.recall_grant(grant=wrong, actor=None, at=AT) == 0
    event = AuditEvent.objects.get(action="points.recalled")
    assert event.facts == {"employees": 2, "fen": 7_050}

    factories.deliver(order, fails=["topup-mobile-50"])
    factories.settle()  # it comes back to where it was, and can be taken again
    assert recall.recallable(wrong).fen == 4_950
    assert recall.recall_grant(grant=wrong, actor=None, at=AT) == 4_950
    assert books.verify([acme]) == []


def test_from_some_only(acme: Company) -> None:
    alice, bob, budget = factories.an_employee(), factories.an_employee("Bob"), factories.a_budget(30_000)
    made = factories.grant(budget, {alice: 6_000, bob: 6_000})
    assert recall.recall_grant(grant=made, employees=[bob.pk], actor=None, at=AT) == 6_000
    assert (factories.wallet_fen(alice), factories.wallet_fen(bob)) == (6_000, 0)


def test_one_that_is_being_handed_out_and_the_platforms_are_refused(acme: Company) -> None:
    alice, budget = factories.an_employee(), factories.a_budget(30_000)
    made = factories.grant(budget, {alice: 6_000})
    Grant.objects.filter(pk=made.pk).update(status="running")
    with pytest.raises(GrantRunning):
        recall.recall_grant(grant=made, actor=None, at=AT)
    Grant.objects.filter(pk=made.pk).update(status="done")
    Budget.objects.filter(pk=budget.pk).update(purpose="goodwill")
    with pytest.raises(GrantNotFound):
        recall.recallable(made)


def test_undoing_a_leaving_does_not_give_back_what_was_recalled(acme: Company) -> None:
    Company.objects.filter(pk=acme.pk).update(leaver_policy="return")
    alice, budget = factories.an_employee(), factories.a_budget(30_000)
    wrong = factories.grant(budget, {alice: 6_000})
    factories.grant(budget, {alice: 1_000})
    recall.recall_grant(grant=wrong, actor=None, at=AT)
    type(alice).objects.filter(pk=alice.pk).update(status="left")
    with transaction():
        assert leavers.settle(pks=[alice.pk], reason="test", at=AT) == 1_000
        assert leavers.undo_return(employees=[alice.pk], since=AT, at=AT) == 1_000
    assert factories.wallet_fen(alice) == 1_000
    assert books.verify([acme]) == []


def test_a_recall_and_a_redemption_at_the_same_moment(race_company: Company) -> None:
    factories.a_catalogue()
    Company.objects.filter(pk=race_company.pk).update(daily_limit_fen=10**9)
    budget, seen = factories.a_budget(200_000), Counter[str]()
    for place in range(12):
        alice = factories.an_employee(f"Racer {place}")
        made = factories.grant(budget, {alice: 4_950}, key=uuid4())

        order, *taken = at_once(
            lambda one=alice: factories.redeem(one),
            *[lambda one=made: recall.recall_grant(grant=one, actor=None, at=AT)] * 2,
        )

        assert isinstance(order, Order | InsufficientPoints), order
        assert sum(taken) == (0 if isinstance(order, Order) else 4_950), taken  # type: ignore[arg-type]
        assert factories.wallet_fen(alice) == 0
        seen[type(order).__name__] += 1
    assert Posting.objects.filter(kind="recall").count() == seen["InsufficientPoints"]
    assert books.verify([race_company]) == []
