"""Budgets are loaded from funds and granted to wallets, in one act or not at all, and once for one key."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benefits.funds.errors import InsufficientFunds
from benefits.people.models import Employee
from benefits.points import operations as points
from benefits.points.errors import (
    BudgetClosed,
    BudgetExists,
    InsufficientBudget,
    InvalidExpiry,
    InvalidPoints,
    NobodyToGrantTo,
    RepeatedEmployees,
    RequestKeyReused,
    UnknownEmployees,
)
from benefits.points.models import Grant, Lot, Posting
from reports import books
from tenants.identity.models import AuditEvent
from tenants.models import Company
from tests import factories
from tests.factories import AT


def _grant(budget, *, fen=500, audience=None, key=None, expires_at=None, reason="Festival", at=AT):
    return points.grant(
        budget=budget,
        audience=audience or points.Audience(everyone=True),
        fen=fen,
        reason=reason,
        expires_at=expires_at,
        request_key=key or uuid4(),
        actor=None,
        at=at,
    )


def test_a_grant_makes_one_lot_and_one_posting_a_wallet(acme: Company) -> None:
    budget = factories.a_budget(5_000)
    alice, bob = factories.an_employee("Alice"), factories.an_employee("Bob")

    made = factories.grant(budget, {alice: 3_000, bob: 1_500}, expires_at=AT + timedelta(days=30))

    assert (made.employees, made.total_fen) == (2, 4_500)
    assert [factories.wallet_fen(one) for one in (alice, bob)] == [3_000, 1_500]
    assert factories.budget_fen(budget) == 500
    assert Lot.objects.get(wallet=alice.wallet).expires_at == AT + timedelta(days=30)
    assert AuditEvent.objects.filter(action="points.granted", subject=f"points.grant:{made.pk}").count() == 1
    assert books.verify([acme]) == []


def test_the_statements_of_a_grant_do_not_grow_with_its_wallets(acme: Company) -> None:
    budget = factories.a_budget(2_000_000)
    factories.employees(10)
    with CaptureQueriesContext(
        connection,
    ) as few:
        _grant(budget)
    factories.employees(990)
    with CaptureQueriesContext(connection) as many:
        _grant(budget)

    assert len(many) == len(few)
    assert Lot.objects.count() == 10 + 1_000
    assert factories.budget_fen(budget) == 2_000_000 - 1_010 * 500
    assert books.verify([acme]) == []


def test_departments_include_what_is_below_them_and_nobody_who_left(acme: Company) -> None:
    budget = factories.a_budget(10_000)
    inside = factories.an_employee("Ada", department="技术中心/后端组")
    besides = factories.an_employee("Bea", department="技术中心二部")
    left = factories.an_employee("Cal", department="技术中心")
    Employee.objects.filter(pk=left.pk).update(status=Employee.Status.LEFT)

    _grant(budget, audience=points.Audience(departments=("技术中心",)))

    assert [factories.wallet_fen(one) for one in (inside, besides, left)] == [500, 0, 0]


def test_the_same_key_grants_once_and_other_content_is_refused(acme: Company) -> None:
    budget, key = factories.a_budget(10_000), uuid4()
    alice = factories.an_employee()
    first = _grant(budget, key=key)

    assert _grant(budget, key=key) == first
    for change in ({"fen": 501}, {"reason": "Other"}, {"expires_at": AT + timedelta(days=1)},
                   {"audience": points.Audience(amounts=((alice.employee_no, 500),))}):  # fmt: skip
        with pytest.raises(RequestKeyReused):
            _grant(budget, key=key, **change)
    assert factories.wallet_fen(alice) == 500
    assert Grant.objects.count() == 1


def test_the_same_key_answers_even_when_the_budget_has_closed_and_the_person_has_left(acme: Company) -> None:
    budget, key = factories.a_budget(500, to_date=AT.date()), uuid4()
    alice = factories.an_employee()
    first = _grant(budget, key=key)
    Employee.objects.filter(pk=alice.pk).update(status=Employee.Status.LEFT)

    assert _grant(budget, key=key, at=AT + timedelta(days=400)) == first


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"fen": 0}, InvalidPoints),
        ({"fen": -1}, InvalidPoints),
        ({"fen": points.MOST_FEN_EACH + 1}, InvalidPoints),
        ({"fen": 10**20}, InvalidPoints),
        ({"fen": 10_001}, InsufficientBudget),
        ({"audience": points.Audience()}, NobodyToGrantTo),
        ({"audience": points.Audience(departments=("不存在",))}, NobodyToGrantTo),
        ({"audience": points.Audience(amounts=(("A1", 1), ("NOBODY", 1)))}, UnknownEmployees),
        ({"audience": points.Audience(amounts=(("A1", 1), ("A1", 2)))}, RepeatedEmployees),
        ({"audience": points.Audience(amounts=(("A1", 0),))}, InvalidPoints),
        ({"audience": points.Audience(amounts=(("A1", 10_000), ("A2", 1)))}, InsufficientBudget),
        ({"expires_at": AT}, InvalidExpiry),
        ({"expires_at": AT - timedelta(days=1)}, InvalidExpiry),
        ({"at": AT - timedelta(days=2)}, BudgetClosed),
        ({"at": AT + timedelta(days=2)}, BudgetClosed),
    ],
)
def test_what_cannot_be_granted_changes_nothing(acme: Company, change, error) -> None:
    budget = factories.a_budget(10_000, to_date=AT.date() + timedelta(days=1))
    factories.an_employee(number="A1")
    factories.an_employee(number="A2")

    with pytest.raises(error):
        _grant(budget, **change)

    assert not Grant.objects.exists()
    assert not Lot.objects.exists()
    assert factories.budget_fen(budget) == 10_000


def test_unknown_numbers_are_named(acme: Company) -> None:
    budget = factories.a_budget(10_000)
    factories.an_employee(number="A1")

    with pytest.raises(UnknownEmployees) as error:
        _grant(budget, audience=points.Audience(amounts=(("A1", 1), ("X7", 1), ("X8", 1))))

    assert error.value.as_dict()["error"]["details"] == {"numbers": "X7, X8"}


def test_a_load_needs_funds_or_credit_and_happens_once(acme: Company) -> None:
    budget, key = factories.a_budget(), uuid4()
    factories.a_deposit(1_000)

    def load(fen, key=key):
        return points.load_budget(budget=budget, fen=fen, request_key=key, actor=None, at=AT)

    with pytest.raises(InsufficientFunds):
        load(1_001)
    first = load(600)
    assert load(600) == first
    with pytest.raises(RequestKeyReused):
        load(601)
    assert (factories.budget_fen(budget), factories.funds_fen(acme)) == (600, 400)
    assert Posting.objects.filter(kind="load").count() == 1
    with pytest.raises(InsufficientFunds):
        load(401, key=uuid4())


def test_an_unload_returns_to_funds_once(acme: Company) -> None:
    budget, key = factories.a_budget(1_000), uuid4()

    def unload(fen, key=key):
        return points.unload_budget(budget=budget, fen=fen, request_key=key, actor=None, at=AT)

    with pytest.raises(InsufficientBudget):
        unload(1_001)
    first = unload(300)
    assert unload(300) == first
    with pytest.raises(RequestKeyReused):
        unload(301)
    for fen in (0, -5):
        with pytest.raises(InvalidPoints):
            unload(fen, key=uuid4())
    assert (factories.budget_fen(budget), factories.funds_fen(acme)) == (700, 300)
    assert books.verify([acme]) == []


def test_two_budgets_never_share_a_name(acme: Company) -> None:
    factories.a_budget(name="2026")

    with pytest.raises(BudgetExists):
        factories.a_budget(name="2026")


def test_every_operation_of_one_company_leaves_the_other_alone(acme: Company, globex: Company) -> None:
    factories.an_employee(with_fen=5_000)

    assert factories.funds_fen(globex) == 0
    connection.set_tenant(globex)
    assert not Posting.objects.exists()
    assert not Lot.objects.exists()
