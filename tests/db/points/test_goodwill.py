"""What the platform gives an employee: never the company's money, never billed, taken back only where it is unspent."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError

from benefits.fulfilment.models import Attempt, Delivery
from benefits.orders.models import Item, Order
from benefits.people.models import Employee
from benefits.points import expiry, goodwill, leavers, overview, queries
from benefits.points.errors import (
    GoodwillGiven,
    GoodwillNotNeeded,
    GoodwillTooMuch,
    InvalidPoints,
    NobodyToGrantTo,
    RequestKeyReused,
)
from benefits.points.models import Budget, Grant, Lot, Posting
from reports import books, deliveries, departments, employees, grants
from reports.invoices import billing
from reports.invoices import operations as invoices
from reports.invoices import queries as invoice_queries
from reports.periods import Month
from reports.statement import statement
from tenants.db import connection, transaction
from tenants.identity.models import AuditEvent, User
from tenants.models import Company
from tests import factories
from tests.factories import AT
from tests.races import at_once

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MARCH = Month(2026, 3)
APRIL = AT.replace(month=4, day=1)
REASON = "Your top-up takes too long"


@pytest.fixture
def company(acme: Company) -> Company:
    _stage(acme)
    return acme


def _stage(company: Company) -> None:
    factories.a_catalogue()
    Company.objects.filter(pk=company.pk).update(
        credit_code="91440300708461136T", daily_limit_fen=10**9, leaver_policy="freeze"
    )
    company.refresh_from_db()


@pytest.fixture
def olga() -> User:
    """One of the platform's people; only her name and number matter here."""
    return User(pk=7, username="olga")


def _delivery(order: Order) -> Delivery:
    return Delivery.objects.get(order_number=order.number)


def _unknown(employee: Employee, sku: str = "topup-mobile-50", *, at=AT) -> Order:
    """An order that its supplier gave no answer about."""
    order = factories.redeem(employee, sku, at=at)
    attempt = factories.claim(_delivery(order), at=at)
    Attempt.objects.filter(pk=attempt.pk).update(status="unknown")
    return order


def _ends(order: Order, *, succeeds: bool, at=AT + HOUR) -> None:
    """The supplier knows at last; it is settled."""
    delivery = _delivery(order)
    status = "succeeded" if succeeds else "failed"
    Attempt.objects.filter(delivery=delivery).update(status=status, finished_at=at)
    Delivery.objects.filter(pk=delivery.pk).update(status=status, finished_at=at)
    assert factories.settle(at=at) == 1


def _credit(order: Order, fen: int, olga: User, *, seen: str = "unknown", key: UUID | None = None) -> Grant:
    return goodwill.credit(
        delivery=_delivery(order),
        fen=fen,
        reason=REASON,
        request_key=key or uuid4(),
        seen=seen,
        actor=olga,
        at=AT,
    )


def test_goodwill_for_an_unknown_order_can_be_spent_while_the_hold_stays(
    company: Company, olga: User
) -> None:
    alice = factories.an_employee(with_fen=4_950)
    order = _unknown(alice)

    made = _credit(order, 5_000, olga)

    assert (factories.wallet_fen(alice), factories.derived_fen("held")) == (5_000, 4_950)
    assert factories.derived_fen("loss") == -5_000
    lot = Lot.objects.get(grant=made)
    assert (lot.expires_at - AT).days in (180, 181)
    assert made.source == f"orders.item:{order.items.get().pk}"
    row = queries.history_of(alice)[0]
    assert (row["kind"], row["fen"], row["subject"]) == ("goodwill", 5_000, REASON)
    assert goodwill.figures() == goodwill.Figures(5_000, 0, 5_000, 0, 0)
    assert books.verify([company]) == []


def test_who_gave_it_is_in_the_platforms_record_and_not_in_the_companys(company: Company, olga: User) -> None:
    _credit(_unknown(factories.an_employee(with_fen=4_950)), 5_000, olga)

    assert not AuditEvent.objects.filter(actor="olga").exists()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT actor, facts->>'fen' FROM public.identity_auditevent WHERE action = 'goodwill.given'"
        )
        assert cursor.fetchall() == [("olga", "5000")]


def test_once_an_item_and_the_same_key_gives_the_first(company: Company, olga: User) -> None:
    order, key = _unknown(factories.an_employee(with_fen=4_950)), uuid4()
    made = _credit(order, 5_000, olga, key=key)
    assert _credit(order, 5_000, olga, key=key).pk == made.pk
    with pytest.raises(RequestKeyReused):
        _credit(order, 4_000, olga, key=key)
    with pytest.raises(GoodwillGiven):
        _credit(order, 1_000, olga)
    assert Posting.objects.filter(kind="goodwill").count() == 1


@pytest.mark.parametrize(
    ("fen", "error"), [(0, InvalidPoints), (-1, InvalidPoints), (20_001, GoodwillTooMuch)]
)
def test_amounts_that_one_person_may_not_give(company: Company, olga: User, fen: int, error: type) -> None:
    order = _unknown(factories.an_employee(with_fen=4_950))
    with pytest.raises(error):
        _credit(order, fen, olga)


def test_only_for_what_is_unknown_or_failed_and_as_it_was_seen(company: Company, olga: User) -> None:
    alice = factories.an_employee(with_fen=20_000)
    placed, unknown = factories.redeem(alice), _unknown(alice)
    for order, seen in ((placed, "unknown"), (placed, ""), (unknown, "failed"), (unknown, "")):
        with pytest.raises(GoodwillNotNeeded):
            _credit(order, 1_000, olga, seen=seen)
    _ends(unknown, succeeds=True)
    with pytest.raises(GoodwillNotNeeded):
        _credit(unknown, 1_000, olga)


def test_somebody_who_left_gets_none(company: Company, olga: User) -> None:
    alice = factories.an_employee(with_fen=4_950)
    order = _unknown(alice)
    Employee.objects.filter(pk=alice.pk).update(status="left")
    with pytest.raises(NobodyToGrantTo):
        _credit(order, 1_000, olga)


def test_after_a_late_failure_what_is_unspent_goes_back_and_what_is_spent_is_the_platforms_loss(
    company: Company, olga: User
) -> None:
    alice = factories.an_employee(with_fen=4_950)
    order = _unknown(alice)
    _credit(order, 6_000, olga)
    second = factories.redeem(alice)  # 4,950 fen of goodwill

    _ends(order, succeeds=False)

    assert factories.wallet_fen(alice) == 4_950  # their own points; the 1,050 unspent went back
    assert goodwill.figures() == goodwill.Figures(6_000, 1_050, 0, 4_950, 0)
    _ends_normally(second)
    assert goodwill.figures() == goodwill.Figures(6_000, 1_050, 0, 0, 4_950)
    assert factories.derived_fen("loss") == -4_950
    assert books.verify([company]) == []


def _ends_normally(order: Order) -> None:
    factories.deliver(order, at=AT + 2 * HOUR)
    factories.settle(at=AT + 2 * HOUR)


def test_goodwill_that_was_held_when_the_order_failed_goes_back_when_it_is_refunded_itself(
    company: Company, olga: User
) -> None:
    alice = factories.an_employee(with_fen=4_950)
    order = _unknown(alice)
    _credit(order, 5_000, olga)
    second = factories.redeem(alice)
    _ends(order, succeeds=False)
    factories.deliver(second, fails=["topup-mobile-50"], at=AT + 2 * HOUR)
    factories.settle(at=AT + 2 * HOUR)

    assert factories.wallet_fen(alice) == 4_950
    assert factories.derived_fen("loss") == 0
    assert books.verify([company]) == []


def test_a_late_success_is_billed_as_ever_and_the_goodwill_stays(company: Company, olga: User) -> None:
    alice = factories.an_employee(with_fen=4_950)
    order = _unknown(alice)
    _credit(order, 5_000, olga)
    _ends(order, succeeds=True)
    assert factories.wallet_fen(alice) == 5_000
    [bill] = billing.bills(company=company, before=APRIL)
    assert bill.total_fen == 4_950
    assert books.verify([company]) == []


def test_an_apology_for_a_failure_stays_also_where_the_refund_is_settled_later(
    company: Company, olga: User
) -> None:
    alice = factories.an_employee(with_fen=4_950)
    order = factories.redeem(alice)
    factories.deliver(order, fails=["topup-mobile-50"])
    _credit(order, 1_000, olga, seen="failed")  # failed, and not settled yet
    factories.settle()
    assert factories.wallet_fen(alice) == 5_950
    assert books.verify([company]) == []


def test_what_goodwill_paid_is_on_no_invoice_and_in_no_sum_of_the_company(
    company: Company, olga: User
) -> None:
    alice = factories.an_employee(with_fen=9_900, department="Sales")
    unknown = _unknown(alice)
    _credit(unknown, 6_000, olga)
    # Goodwill ends in 180 days, the company's points never: it is spent first. 4,950 of it, then 1,050 and 3,900.
    whole, mixed = factories.redeem(alice), factories.redeem(alice)
    for order in (whole, mixed):
        factories.deliver(order)
    factories.settle()

    assert invoice_queries.unbilled(company, before=APRIL) == (3_900, 1)
    [invoice] = invoices.issue(company=company, month=MARCH, actor=None, at=APRIL)

    assert invoice.total_fen == 3_900
    assert [entry.fen for entry in invoice.entries.all()] == [3_900]
    assert invoice_queries.reconcile(invoice=invoice, company=company).agrees
    assert invoice_queries.unbilled(company, before=APRIL) == (0, 0)
    assert invoices.issue(company=company, month=MARCH, actor=None, at=APRIL) == []
    connection.set_tenant(company)
    assert sum(row[7] for row in deliveries.rows(company, MARCH)) == 3_900
    assert [row[4] for row in employees.rows(company, MARCH)] == [3_900]
    assert [row[5] for row in departments.rows(company, MARCH)] == [3_900]
    assert [row[2] for row in grants.rows(company, MARCH)] == ["Spring festival"]
    report = statement(company=company, month=MARCH, at=AT + DAY)
    assert (report.delivered_fen, report.billed_fen, report.by_platform_fen, report.unbilled_fen) == (
        9_900,
        3_900,
        6_000,
        0,
    )
    assert report.problems == ()
    wallet = next(section for section in report.sections if section.kind == "wallet")
    assert {m.kind: m.fen for m in wallet.movements} == {"grant": 9_900, "goodwill": 6_000, "redeem": -14_850}
    assert books.verify([company]) == []


def test_the_company_sees_neither_the_platforms_budget_nor_its_grant(company: Company, olga: User) -> None:
    alice = factories.an_employee(with_fen=4_950)
    _credit(_unknown(alice), 5_000, olga)
    assert [budget.purpose for budget in queries.budgets()] == ["company"]
    assert queries.grants().count() == 1
    assert overview.granted_between(AT.date(), AT.date()) == 4_950
    expiry.expire_due(at=AT + 200 * DAY)
    assert overview.books().in_budgets_fen == 0
    assert Budget.objects.get(purpose="goodwill").account.balance_fen == 5_000


def test_goodwill_that_is_over_goes_back_to_the_platforms_budget_even_where_points_lapse(
    company: Company, olga: User
) -> None:
    Company.objects.filter(pk=company.pk).update(expiry_policy="lapse")
    alice = factories.an_employee(with_fen=4_950)
    _credit(_unknown(alice), 5_000, olga)
    assert expiry.expire_due(at=AT + 200 * DAY) == 1
    assert factories.derived_fen("lapsed") == 0
    assert goodwill.figures().unspent_fen == 5_000
    assert books.verify([company]) == []


def test_goodwill_of_a_leaver_goes_back_to_the_platforms_budget(company: Company, olga: User) -> None:
    Company.objects.filter(pk=company.pk).update(leaver_policy="return")
    alice = factories.an_employee(with_fen=9_950)
    _credit(_unknown(alice), 5_000, olga)
    Employee.objects.filter(pk=alice.pk).update(status="left")
    with transaction():
        assert leavers.settle(pks=[alice.pk], reason="test", at=AT) == 10_000
    assert Budget.objects.get(purpose="goodwill").account.balance_fen == 5_000
    assert books.verify([company]) == []


@pytest.mark.parametrize(
    "statement_",
    [
        "INSERT INTO points_budget (account_id, name, owner, categories, from_date, status, purpose, cost_centre, department,"
        " at_end, created_at) SELECT id, 'x', '', '{}', now(), 'open', 'goodwill', '', '', 'stay', now()"
        " FROM points_account WHERE kind = 'held'",
        "INSERT INTO points_posting (kind, source_id, destination_id, fen, reference, at) SELECT kind, source_id,"
        " destination_id, fen, reference, at FROM points_posting WHERE kind = 'goodwill'",
        "UPDATE points_posting SET fen = 1 WHERE kind = 'goodwill'",
        "INSERT INTO points_grant (budget_id, reason, audience, request_key, request_digest, employees, total_fen, status,"
        " source, granted_by, at) SELECT budget_id, reason, audience, gen_random_uuid(), '', 1, 1, 'done', source, '', at"
        " FROM points_grant WHERE source <> ''",
    ],
)
def test_the_database_refuses_goodwill_twice(company: Company, olga: User, statement_: str) -> None:
    _credit(_unknown(factories.an_employee(with_fen=4_950)), 5_000, olga)
    with pytest.raises(DatabaseError), transaction(), connection.cursor() as cursor:
        cursor.execute(statement_)


# --- Races -----------------------------------------------------------------------------------------------------------


def test_goodwill_and_the_outcome_at_the_same_moment(race_company: Company, olga: User) -> None:
    """Whoever is first: either it was still unknown and what is unspent comes back, or nothing is given."""
    _stage(race_company)
    for place in range(12):
        alice = factories.an_employee(f"Racer {place}", with_fen=4_950)
        order = _unknown(alice)
        delivery, item = _delivery(order), Item.objects.get(order=order)

        def fail(pk: int = delivery.pk) -> int:
            Attempt.objects.filter(delivery=pk).update(status="failed", finished_at=AT)
            Delivery.objects.filter(pk=pk).update(status="failed", finished_at=AT)
            return factories.settle()

        given, settled = at_once(lambda one=order: _credit(one, 5_000, olga), fail)

        assert isinstance(given, Grant | GoodwillNotNeeded), given
        assert isinstance(settled, int), settled
        factories.settle()  # what waited for a lock
        item.refresh_from_db()
        assert item.status == "refunded"
        assert factories.wallet_fen(alice) == 4_950
    assert factories.derived_fen("loss") == 0
    assert books.verify([race_company]) == []


def test_two_first_gifts_at_once_make_one_budget(race_company: Company, olga: User) -> None:
    _stage(race_company)
    orders = [_unknown(factories.an_employee(f"Two {place}", with_fen=4_950)) for place in range(2)]
    done = at_once(*(lambda one=order: _credit(one, 5_000, olga) for order in orders * 2))
    assert sum(isinstance(one, Grant) for one in done) == 2, done
    assert all(isinstance(one, Grant | GoodwillGiven) for one in done), done
    assert Budget.objects.filter(purpose="goodwill").count() == 1
    assert books.verify([race_company]) == []
