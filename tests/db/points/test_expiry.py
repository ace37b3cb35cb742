"""Lots that are over: what is left goes where the contract says, once, and never what is held for an order.

Taking `ledger.lock` of the wallets away from `expiry._expire` lets a redemption and the expiry take the same
remainder: `test_expiry_and_a_redemption_of_the_same_lot` fails then, with a lot that the database refuses to overdraw.
"""

import signal
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError

from benefits.orders.models import Order
from benefits.points import expiry, overview, queries
from benefits.points.errors import InsufficientPoints
from benefits.points.models import Account, Budget, Lot, LotEntry, LotExtension, Posting
from reports import books
from tenants.db import connection, transaction
from tenants.identity.models import AuditEvent
from tenants.models import Company
from tests import factories
from tests.crashes import run_to
from tests.factories import AT
from tests.races import at_once

DAY = timedelta(days=1)
END = AT + 10 * DAY


def _policy(company: Company, **facts: object) -> None:
    Company.objects.filter(pk=company.pk).update(**facts)


def _budget_of(employee) -> Budget:
    return Budget.objects.get(lots__wallet=employee.wallet)


def _events(action: str) -> list[dict]:
    return list(AuditEvent.objects.filter(action=action).order_by("pk").values_list("facts", flat=True))


def test_what_is_left_goes_back_to_its_budget_at_the_very_instant(acme: Company) -> None:
    alice = factories.an_employee(with_fen=5_000, expires_at=END)
    budget = _budget_of(alice)

    assert expiry.expire_due(at=END - timedelta(microseconds=1)) == 0
    assert expiry.expire_due(at=END) == 1

    assert (factories.wallet_fen(alice), factories.budget_fen(budget)) == (0, 5_000)
    assert Posting.objects.get(kind="expire").fen == 5_000
    assert _events("points.expired") == [{"lots": 1, "employees": 1, "fen": 5_000}]
    assert expiry.expire_due(at=END) == 0
    assert expiry.expire_due(at=END + 400 * DAY) == 0
    assert books.verify([acme]) == []


def test_where_the_contract_says_so_it_lapses(acme: Company) -> None:
    _policy(acme, expiry_policy="lapse")
    alice = factories.an_employee(with_fen=5_000, expires_at=END)
    budget = _budget_of(alice)

    assert expiry.expire_due(at=END) == 1

    assert (factories.wallet_fen(alice), factories.budget_fen(budget)) == (0, 0)
    assert factories.derived_fen("lapsed") == 5_000
    assert queries.figures_of(budget).lapsed_fen == 5_000
    assert overview.figures_of_budgets([budget])[budget.pk] == queries.figures_of(budget)
    assert len(_events("points.lapsed")) == 1
    assert books.verify([acme]) == []


def test_the_policy_of_the_day_counts(acme: Company) -> None:
    alice = factories.an_employee(with_fen=5_000, expires_at=END)
    bob = factories.an_employee("Bob", with_fen=3_000, expires_at=END + DAY)
    assert expiry.expire_due(at=END) == 1
    _policy(acme, expiry_policy="lapse")
    assert expiry.expire_due(at=END + DAY) == 1
    assert (factories.budget_fen(_budget_of(alice)), factories.budget_fen(_budget_of(bob))) == (5_000, 0)


def test_what_is_held_for_an_order_never_expires(acme: Company) -> None:
    factories.a_catalogue()
    alice = factories.an_employee(with_fen=10_000, expires_at=END)
    order = factories.redeem(alice)  # 4,950 fen

    assert expiry.expire_due(at=END) == 1
    assert factories.wallet_fen(alice) == 0
    assert factories.derived_fen("held") == 4_950

    factories.deliver(order, at=END)
    factories.settle(at=END)
    assert factories.derived_fen("delivered") == 4_950
    assert expiry.expire_due(at=END + DAY) == 0
    assert books.verify([acme]) == []


def test_in_small_steps_each_with_one_event_a_budget(acme: Company) -> None:
    budgets = [factories.a_budget(6_000), factories.a_budget(6_000)]
    people = factories.employees(6)
    for budget in budgets:
        factories.grant(budget, dict.fromkeys(people, 1_000), expires_at=END)

    assert expiry.expire_due(at=END, lots=4) == 12

    assert [factories.budget_fen(budget) for budget in budgets] == [6_000, 6_000]
    assert Counter(facts["lots"] for facts in _events("points.expired")) == {4: 2, 2: 2}
    assert books.verify([acme]) == []


# --- Refunds to lots that are over -----------------------------------------------------------------------------------


def _refund_at(order: Order, at) -> None:
    factories.deliver(order, fails=[item.sku_code for item in order.items.all()], at=at)
    factories.settle(at=at)


def test_a_refund_to_a_lot_that_is_over_can_be_spent_for_the_days_of_the_company(acme: Company) -> None:
    factories.a_catalogue()
    _policy(acme, refund_days=20)
    alice = factories.an_employee(with_fen=10_000, expires_at=END)
    order = factories.redeem(alice)
    assert expiry.expire_due(at=END) == 1

    _refund_at(order, END + 5 * DAY)

    lot = Lot.objects.get(wallet=alice.wallet)
    assert lot.remaining_fen == 4_950
    extension = LotExtension.objects.get()
    assert (extension.before, extension.after) == (END, lot.expires_at)
    assert (
        lot.expires_at.astimezone(AT.tzinfo).isoformat() == "2026-04-07T00:00:00+08:00"
    )  # 17 March + 20 days
    assert queries.wallet_of(alice, at=END + 6 * DAY).available_fen == 4_950
    again = factories.redeem(alice, at=END + 6 * DAY)
    _refund_at(again, END + 7 * DAY)  # not over: nothing is lengthened a second time
    assert LotExtension.objects.count() == 1
    assert expiry.expire_due(at=lot.expires_at) == 1
    assert Posting.objects.filter(kind="expire").count() == 2
    assert factories.budget_fen(_budget_of(alice)) == 10_000
    assert books.verify([acme]) == []


def test_a_refund_to_two_lots_that_are_over_lengthens_both(acme: Company) -> None:
    factories.a_catalogue()
    alice, budget = factories.an_employee(), factories.a_budget(6_000)
    factories.grant(budget, {alice: 3_000}, expires_at=END)
    factories.grant(budget, {alice: 3_000}, expires_at=END + DAY)
    order = factories.redeem(alice)
    _refund_at(order, END + 2 * DAY)
    assert LotExtension.objects.count() == 2
    assert {lot.expires_at for lot in Lot.objects.all()} == {LotExtension.objects.all()[0].after}
    assert books.verify([acme]) == []


def test_a_leaver_whose_points_go_back_gets_no_longer_time(acme: Company) -> None:
    factories.a_catalogue()
    _policy(acme, leaver_policy="return")
    alice = factories.an_employee(with_fen=10_000, expires_at=END)
    order = factories.redeem(alice)
    type(alice).objects.filter(pk=alice.pk).update(status="left")
    _refund_at(order, END + DAY)
    assert not LotExtension.objects.exists()
    assert Lot.objects.get(wallet=alice.wallet).expires_at == END


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE points_lot SET expires_at = expires_at + interval '1 day'",
        "UPDATE points_lot SET expires_at = expires_at - interval '1 day'",
        "UPDATE points_lot SET expires_at = NULL",
        "UPDATE points_lotextension SET after = after + interval '1 day'",
        "DELETE FROM points_lotextension",
        "INSERT INTO points_lotextension (lot_id, posting_id, before, after, at)"
        " SELECT l.id, p.id, l.expires_at, l.expires_at + interval '1 day', now() FROM points_lot l, points_posting p"
        " WHERE p.kind = 'grant'",
        "INSERT INTO points_lotextension (lot_id, posting_id, before, after, at)"
        " SELECT l.id, p.id, l.expires_at - interval '9 days', l.expires_at + interval '1 day', now()"
        " FROM points_lot l, points_posting p WHERE p.kind = 'refund'",
        "INSERT INTO points_lotextension (lot_id, posting_id, before, after, at)"
        " SELECT lot_id, posting_id, before, after, at FROM points_lotextension",
    ],
)
def test_the_database_refuses_another_end(acme: Company, statement: str) -> None:
    factories.a_catalogue()
    alice = factories.an_employee(with_fen=10_000, expires_at=END)
    _refund_at(factories.redeem(alice), END + DAY)
    with pytest.raises(DatabaseError), transaction(), connection.cursor() as cursor:
        cursor.execute(statement)


# --- Races and crashes -----------------------------------------------------------------------------------------------

ROUNDS = 15


@pytest.fixture
def mall(race_company: Company) -> Company:
    factories.a_catalogue()
    _policy(race_company, daily_limit_fen=10**9)
    return race_company


def test_expiry_and_a_redemption_of_the_same_lot(mall: Company) -> None:
    """The redemption asks an instant before the end, the expiry runs an instant after it: one has the points."""
    seen: Counter[str] = Counter()
    just_before = END - timedelta(microseconds=1)
    for place in range(ROUNDS):
        alice = factories.an_employee(f"Racer {place}", with_fen=4_950, expires_at=END)

        order, *expired = at_once(
            lambda one=alice: factories.redeem(one, at=just_before),
            lambda: expiry.expire_due(at=END),
            lambda: expiry.expire_due(at=END),
        )

        assert not [one for one in expired if isinstance(one, Exception)], expired
        assert isinstance(order, Order | InsufficientPoints), order
        assert sum(expired) == (0 if isinstance(order, Order) else 1)
        assert factories.wallet_fen(alice) == 0
        seen[type(order).__name__] += 1
    assert books.verify([mall]) == []
    assert seen.total() == ROUNDS


def test_many_lots_at_once_expire_once(mall: Company) -> None:
    budget, people = factories.a_budget(60_000), factories.employees(30)
    for _time in range(2):
        factories.grant(budget, dict.fromkeys(people, 1_000), expires_at=END)

    done = at_once(*[lambda: expiry.expire_due(at=END, lots=7)] * 4)

    assert sum(done) == 60  # type: ignore[arg-type]
    assert factories.budget_fen(budget) == 60_000
    assert Posting.objects.filter(kind="expire").count() == 60
    assert books.verify([mall]) == []


def test_killed_between_its_steps_it_goes_on_where_it_was(mall: Company, tmp_path: Path) -> None:
    budget, people = factories.a_budget(10_000), factories.employees(10)
    factories.grant(budget, dict.fromkeys(people, 1_000), expires_at=END)
    setup = (
        "import django; django.setup(); from django.db import connection; from tenants.models import Company;"
        " connection.set_tenant(Company.objects.get(schema_name='acme'));"
    )
    command = f"{setup} from benefits.points import expiry; from datetime import datetime; print(expiry.expire_due(at=datetime.fromisoformat('{END.isoformat()}'), lots=4))"  # fmt: skip

    killed = run_to("in_expiry", tmp_path / "mark", "-c", command)
    assert killed.returncode == -signal.SIGKILL
    assert Posting.objects.filter(kind="expire").count() == 4  # the first step stands, no other was begun
    assert books.verify([mall]) == []
    again = run_to("in_expiry", tmp_path / "mark", "-c", command)
    assert again.stdout.strip() == "6", again.stderr
    assert factories.budget_fen(budget) == 10_000
    assert LotEntry.objects.filter(posting__kind="expire").count() == 10
    assert Account.objects.filter(kind="wallet", balance_fen__gt=0).count() == 0
    assert books.verify([mall]) == []
