"""Cancelling and sending at the same moment, with real connections and commits: exactly one of the two happens.

Taking FOR UPDATE away from `outcomes.cancel_untouched` lets a claimed delivery be refunded, which fails here.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from benefits.fulfilment import claims, connections
from benefits.fulfilment.models import Attempt, Delivery, Supplier
from benefits.orders import operations as orders
from benefits.orders.errors import NotCancellable
from benefits.orders.models import Order
from benefits.people.models import Employee
from reports import books
from tenants.db import connection, transaction
from tenants.identity.roles import Role
from tenants.models import Company
from tests import factories
from tests.factories import AT
from tests.people import somebody
from tests.races import at_once

FEN = 1_000_000
ROUNDS = 25


@pytest.fixture(scope="module")
def alice(module_company: Company) -> Employee:
    factories.a_catalogue()
    employee = factories.an_employee(with_fen=FEN)
    employee.user = somebody(Role.EMPLOYEE, name="alice")
    employee.save()
    return employee


@pytest.fixture(autouse=True)
def _clean_books(module_company: Company) -> Iterator[None]:
    Company.objects.filter(pk=module_company.pk).update(daily_limit_fen=FEN)
    yield
    assert books.verify([module_company]) == []


def _claim(limit: int = 10) -> list[Attempt]:
    """What a worker does before it sends anything."""
    batches = claims.Batches(connections.Connections(Supplier.objects.all()))
    with transaction():
        attempts, _ = claims.claim_ready(batches=batches, supplier=None, limit=limit, at=AT)
    return attempts


def _cancel(order: Order, alice: Employee) -> Order:
    return orders.cancel(order=order, actor=alice.user, at=AT)


def test_e18_of_a_cancel_and_a_claim_exactly_one_wins(alice: Employee) -> None:
    seen: Counter[str] = Counter()
    for place in range(ROUNDS):
        order = factories.redeem(alice, "bundle-commuter" if place % 2 else "topup-mobile-50")
        before = factories.wallet_fen(alice)

        first, *claimed = at_once(lambda o=order: _cancel(o, alice), _claim, _claim)

        assert not [one for one in claimed if isinstance(one, Exception)], claimed
        _claim()  # what a skipped lock left behind
        attempts = Attempt.objects.filter(delivery__order_number=order.number).count()
        if isinstance(first, Order):
            assert attempts == 0
            assert factories.wallet_fen(alice) == before + order.price_fen
        else:
            assert isinstance(first, NotCancellable)
            assert attempts == order.items.count()
            assert factories.wallet_fen(alice) == before
        seen[type(first).__name__] += 1
    assert set(seen) <= {"Order", "NotCancellable"}


def test_e17_a_cancel_waits_for_the_claim_before_it_and_is_refused(alice: Employee) -> None:
    order = factories.redeem(alice)
    before = factories.wallet_fen(alice)
    claimed = threading.Event()

    def claim_slowly() -> int:
        batches = claims.Batches(connections.Connections(Supplier.objects.all()))
        with transaction():
            attempts, _ = claims.claim_ready(batches=batches, supplier=None, limit=10, at=AT)
            claimed.set()
            _until_somebody_waits()
        return len(attempts)

    def cancel_meanwhile() -> Order:
        claimed.wait(10)
        return _cancel(order, alice)

    attempts, cancelled = at_once(claim_slowly, cancel_meanwhile)

    assert attempts == 1
    assert isinstance(cancelled, NotCancellable)
    assert factories.wallet_fen(alice) == before
    assert Delivery.objects.get(order_number=order.number).status == Delivery.Status.ACTIVE


def test_e17_a_claim_passes_over_what_is_being_cancelled(
    alice: Employee, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = factories.redeem(alice)
    before = factories.wallet_fen(alice)
    cancelling, looked = threading.Event(), threading.Event()

    def pause(name: str) -> None:
        cancelling.set()
        looked.wait(10)

    def claim_meanwhile() -> int:
        cancelling.wait(10)
        try:
            return len(_claim())
        finally:
            looked.set()

    monkeypatch.setattr(orders, "crash_point", pause)
    cancelled, attempts = at_once(lambda: _cancel(order, alice), claim_meanwhile)

    assert isinstance(cancelled, Order)
    assert attempts == 0
    assert _claim() == []
    assert factories.wallet_fen(alice) == before + order.price_fen


def test_one_order_cancelled_many_times_at_once_is_refunded_once(alice: Employee) -> None:
    order = factories.redeem(alice, "bundle-commuter")
    before = factories.wallet_fen(alice)

    results = at_once(*(lambda: _cancel(order, alice) for _ in range(8)))

    assert {type(one) for one in results} == {Order}
    assert factories.wallet_fen(alice) == before + order.price_fen


def test_settling_and_cancelling_never_lock_each_other_up(alice: Employee) -> None:
    for _ in range(8):
        order = factories.redeem(alice, "bundle-commuter")
        factories.deliver(order)
        results = at_once(lambda o=order: _cancel(o, alice), factories.settle, factories.settle)
        assert isinstance(results[0], NotCancellable)
        assert sum(results[1:]) + factories.settle() == 2  # what the cancel held is settled by the next sweep


def _until_somebody_waits(seconds: float = 3.0) -> None:
    """Return once another connection waits for a lock, or after a while: a cancel without a lock never waits here."""
    until = time.monotonic() + seconds
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
            time.sleep(0.02)
