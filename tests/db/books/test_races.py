"""What happens at the same moment, with real connections and real commits. After each, the books are clean."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from benefits.fulfilment.models import Delivery
from benefits.orders.models import Item, Order
from benefits.points import operations as points
from benefits.points.models import Account, Budget, Grant, Posting
from reports import books
from tenants.models import Company
from tests import factories
from tests.factories import AT
from tests.races import at_once

PRICE = 4_950
AT_ONCE = 20


@pytest.fixture(scope="module")
def committed(module_company: Company) -> Company:
    """Acme in a database of this module's own, with a catalogue; every test brings its own people and money."""
    factories.a_catalogue()
    return module_company


@pytest.fixture(autouse=True)
def mall(committed: Company) -> Iterator[Company]:
    """The company; whatever a test did, the books are clean afterwards."""
    Company.objects.filter(pk=committed.pk).update(daily_limit_fen=200_000)
    yield committed
    assert books.verify([committed]) == []


def _outcomes(results: list[object]) -> Counter[str]:
    return Counter(type(one).__name__ for one in results)


def test_a_hundred_people_redeem_from_one_grant_at_once() -> None:
    everyone = factories.employees(100)
    factories.grant(factories.a_budget(100 * PRICE), dict.fromkeys(everyone, PRICE))
    held = factories.derived_fen("held")
    waves = [everyone[first : first + AT_ONCE] for first in range(0, 100, AT_ONCE)]

    results = [
        one for wave in waves for one in at_once(*(lambda who=who: factories.redeem(who) for who in wave))
    ]

    assert _outcomes(results) == {"Order": 100}
    assert len({order.number for order in results}) == 100
    assert not Account.objects.filter(employee__in=everyone, balance_fen__gt=0).exists()
    assert factories.derived_fen("held") == held + 100 * PRICE


def test_twenty_taps_with_a_wallet_for_one_make_one_order() -> None:
    alice = factories.an_employee(with_fen=PRICE + 100)

    results = at_once(*(lambda: factories.redeem(alice) for _ in range(20)))

    assert _outcomes(results) == {"Order": 1, "InsufficientPoints": 19}
    assert factories.wallet_fen(alice) == 100
    number = Order.objects.get(employee=alice).number
    assert Delivery.objects.filter(order_number=number).count() == 1


def test_twenty_taps_with_a_wallet_for_three_make_three_orders() -> None:
    alice = factories.an_employee(with_fen=3 * PRICE + 10)

    results = at_once(*(lambda: factories.redeem(alice) for _ in range(20)))

    assert _outcomes(results) == {"Order": 3, "InsufficientPoints": 17}
    assert factories.wallet_fen(alice) == 10


def test_one_key_sent_twenty_times_at_once_is_one_order_and_one_answer() -> None:
    alice, key = factories.an_employee(with_fen=10 * PRICE), uuid4()

    results = at_once(*(lambda: factories.redeem(alice, key=key) for _ in range(20)))

    assert _outcomes(results) == {"Order": 20}
    assert len({order.number for order in results}) == 1
    assert factories.wallet_fen(alice) == 9 * PRICE


def test_the_daily_limit_holds_when_it_is_reached_at_once(mall: Company) -> None:
    Company.objects.filter(pk=mall.pk).update(daily_limit_fen=2 * PRICE)
    alice = factories.an_employee(with_fen=20 * PRICE)

    results = at_once(*(lambda: factories.redeem(alice) for _ in range(10)))

    assert _outcomes(results) == {"Order": 2, "DailyLimit": 8}


def test_two_people_grant_the_last_points_at_once() -> None:
    budget, everyone = factories.a_budget(1_000), factories.employees(10)

    results = at_once(*(lambda: factories.grant(budget, dict.fromkeys(everyone, 100)) for _ in range(6)))

    assert _outcomes(results) == {"Grant": 1, "InsufficientBudget": 5}
    assert factories.budget_fen(budget) == 0


def test_one_grant_sent_ten_times_at_once_is_one_grant() -> None:
    budget, alice, key = factories.a_budget(1_000), factories.an_employee(), uuid4()

    results = at_once(*(lambda: factories.grant(budget, {alice: 100}, key=key) for _ in range(10)))

    assert _outcomes(results) == {"Grant": 10}
    assert Grant.objects.filter(budget=budget).count() == 1
    assert factories.wallet_fen(alice) == 100


def test_funds_are_not_loaded_twice_when_two_budgets_draw_at_once(mall: Company) -> None:
    budgets = [factories.a_budget() for _ in range(8)]
    factories.a_deposit(1_000)
    there = factories.funds_fen(mall)
    fen = there * 2 // 5

    def load(budget: Budget) -> Posting:
        return points.load_budget(budget=budget, fen=fen, request_key=uuid4(), actor=None, at=AT)

    results = at_once(*(lambda budget=budget: load(budget) for budget in budgets))

    assert _outcomes(results) == {"Posting": 2, "InsufficientFunds": 6}
    assert factories.funds_fen(mall) == there - 2 * fen


def test_a_budget_loaded_unloaded_and_granted_at_once_never_locks_up() -> None:
    budget, alice = factories.a_budget(10_000), factories.an_employee()
    factories.a_deposit(10_000)

    def load():
        points.load_budget(budget=budget, fen=10, request_key=uuid4(), actor=None, at=AT)

    def unload():
        points.unload_budget(budget=budget, fen=10, request_key=uuid4(), actor=None, at=AT)

    def give():
        factories.grant(budget, {alice: 10})

    results = at_once(*(lambda act=act: _repeat(act, 12) for act in (load, unload, give, load, unload, give)))

    assert results == [None] * 6
    assert factories.budget_fen(budget) == 10_000 - 240


def test_several_workers_settle_each_outcome_once() -> None:
    alice = factories.an_employee(with_fen=20 * PRICE)
    placed = [
        factories.redeem(alice, "bundle-commuter" if place % 2 else "topup-mobile-50") for place in range(12)
    ]
    for place, order in enumerate(placed):
        factories.deliver(order, fails=["topup-mobile-50"] if place % 3 == 0 else ["qq-music-month"])

    closed = Posting.objects.filter(kind__in=["deliver", "refund"])
    before = closed.count()

    results = at_once(*(lambda: factories.settle() for _ in range(6)))

    assert sum(results) == Item.objects.filter(order__in=placed).count() == 18
    assert closed.count() == before + 18
    assert not Order.objects.filter(pk__in=[order.pk for order in placed], status="placed").exists()


def test_two_parts_of_one_order_that_are_settled_at_once_finish_it() -> None:
    alice = factories.an_employee(with_fen=100_000)
    for _ in range(12):
        order = factories.redeem(alice, "bundle-commuter")
        factories.deliver(order)

        results = at_once(factories.settle, factories.settle)

        assert sum(results) == 2
        order.refresh_from_db()
        assert order.status == "delivered"


def test_a_wallet_is_granted_refunded_and_spent_at_once() -> None:
    alice, budget = factories.an_employee(with_fen=10 * PRICE), factories.a_budget(2_000)
    for _ in range(5):
        factories.deliver(factories.redeem(alice), fails=["topup-mobile-50"])

    results = at_once(
        factories.settle,
        factories.settle,
        lambda: _repeat(lambda: factories.redeem(alice), 5),
        lambda: _repeat(lambda: factories.grant(budget, {alice: 100}), 10),
        lambda: _repeat(lambda: factories.grant(budget, {alice: 100}), 10),
    )

    assert not [one for one in results if isinstance(one, Exception)]
    assert factories.wallet_fen(alice) == 5 * PRICE + 2_000


def test_an_observer_never_sees_value_made_or_lost(mall: Company) -> None:
    alice = factories.an_employee(with_fen=12 * PRICE)
    seen: list[list[books.Violation]] = []

    def watch() -> None:
        until = time.monotonic() + 20
        while len(seen) < 8 and time.monotonic() < until:
            seen.append(books.verify([mall]))

    def live() -> None:
        for place in range(8):
            factories.deliver(factories.redeem(alice), fails=["topup-mobile-50"] if place % 2 else [])
            factories.settle()

    results = at_once(watch, live, company=mall)

    assert results == [None, None]
    assert len(seen) >= 3
    assert [one for found in seen for one in found] == []


def _repeat(act: Callable[[], object], times: int) -> None:
    for _ in range(times):
        act()
