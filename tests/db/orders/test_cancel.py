"""Cancelling: an order that no supplier was given is taken back whole; any other is left as it is."""

import pytest

from benefits.fulfilment.models import Attempt, Delivery
from benefits.orders import operations as orders
from benefits.orders import queries
from benefits.orders.errors import NotCancellable, OrderNotFound
from benefits.orders.models import Order
from benefits.people.models import Employee
from benefits.points.models import Lot, Posting
from reports import books
from tenants.identity.models import AuditEvent, User
from tenants.identity.roles import Role
from tenants.models import Company
from tests import factories
from tests.factories import AT
from tests.people import somebody

PRICE = 4_950


@pytest.fixture(autouse=True)
def _catalogue(acme: Company) -> None:
    factories.a_catalogue()


def _alice(fen: int = 20_000) -> tuple[Employee, User]:
    alice = factories.an_employee(with_fen=fen)
    alice.user = somebody(Role.EMPLOYEE, name="alice")
    alice.save()
    return alice, alice.user


def _lots(employee: Employee) -> list[tuple[int, int]]:
    return list(
        Lot.objects.filter(wallet__employee=employee).order_by("pk").values_list("pk", "remaining_fen")
    )


@pytest.mark.parametrize("sku", ["topup-mobile-50", "bundle-commuter"])
def test_an_order_that_was_not_sent_is_cancelled_whole(acme: Company, sku: str) -> None:
    alice, user = _alice(3_000)
    factories.grant(factories.a_budget(20_000), {alice: 20_000})  # the order takes from two lots
    before = _lots(alice)
    order = factories.redeem(alice, sku)

    found = orders.cancel(order=order, actor=user, at=AT)

    assert found.status == Order.Status.REFUNDED
    assert {item.reason for item in found.items.all()} == {"cancelled"}
    assert _lots(alice) == before
    assert Posting.objects.filter(kind="refund").count() == found.items.count()
    deliveries = Delivery.objects.filter(order_number=order.number)
    assert {(one.status, one.reason, one.settled_at) for one in deliveries} == {("failed", "cancelled", AT)}
    assert AuditEvent.objects.get(action="order.cancelled").actor == user.username
    assert books.verify([acme]) == []


def test_a_cancelled_order_is_never_claimed_nor_settled_again() -> None:
    alice, user = _alice()
    orders.cancel(order=factories.redeem(alice), actor=user, at=AT)
    with pytest.raises(Attempt.DoesNotExist):
        factories.claim(Delivery.objects.get())
    assert factories.settle() == 0
    assert factories.wallet_fen(alice) == 20_000


def test_cancelling_again_changes_nothing() -> None:
    alice, user = _alice()
    order = factories.redeem(alice)
    for _ in range(3):
        assert orders.cancel(order=order, actor=user, at=AT).status == Order.Status.REFUNDED
    assert Posting.objects.filter(kind="refund").count() == 1
    assert AuditEvent.objects.filter(action="order.cancelled").count() == 1


@pytest.mark.parametrize(
    "how", ["claimed", "unknown", "delivered", "refused", "settled", "with the next offer"]
)
def test_e17_an_order_that_a_supplier_was_given_is_not_cancelled(acme: Company, how: str) -> None:
    alice, user = _alice()
    order = factories.redeem(alice)
    delivery = Delivery.objects.get()
    match how:
        case "claimed":
            factories.claim(delivery)
        case "unknown":
            attempt = factories.claim(delivery)
            Attempt.objects.filter(pk=attempt.pk).update(status=Attempt.Status.UNKNOWN)
        case "with the next offer":
            attempt = factories.claim(delivery)
            Attempt.objects.filter(pk=attempt.pk).update(status=Attempt.Status.FAILED, finished_at=AT)
            Delivery.objects.filter(pk=delivery.pk).update(status=Delivery.Status.READY)
        case _:
            factories.deliver(order, fails=["topup-mobile-50"] if how == "refused" else [])
    if how == "settled":
        factories.settle()
    wallet, rows = factories.wallet_fen(alice), list(Delivery.objects.values_list())

    with pytest.raises(NotCancellable):
        orders.cancel(order=order, actor=user, at=AT)

    assert factories.wallet_fen(alice) == wallet
    assert list(Delivery.objects.values_list()) == rows
    assert not AuditEvent.objects.filter(action="order.cancelled").exists()
    assert books.verify([acme]) == []


def test_one_sent_part_of_a_bundle_keeps_the_whole() -> None:
    alice, user = _alice()
    order = factories.redeem(alice, "bundle-commuter")
    factories.claim(Delivery.objects.order_by("pk").last())
    wallet = factories.wallet_fen(alice)
    with pytest.raises(NotCancellable):
        orders.cancel(order=order, actor=user, at=AT)
    assert factories.wallet_fen(alice) == wallet
    assert sorted(Delivery.objects.values_list("status", flat=True)) == ["active", "ready"]


def test_e01_a_colleagues_order_is_not_there_to_cancel() -> None:
    alice, _ = _alice()
    order = factories.redeem(alice)
    with pytest.raises(OrderNotFound):
        orders.cancel(order=order, actor=somebody(Role.EMPLOYEE, name="bob"), at=AT)
    assert Delivery.objects.get().status == Delivery.Status.READY


def test_the_timeline_tells_of_it() -> None:
    alice, user = _alice()
    order = factories.redeem(alice)
    orders.cancel(order=order, actor=user, at=AT)
    steps = queries.timeline_of(queries.find_order(alice, order.number))
    assert [step["step"] for step in steps] == ["placed", "cancelled"]


def test_what_was_cancelled_counts_no_more_towards_the_days_limit(acme: Company) -> None:
    acme.daily_limit_fen = PRICE
    acme.save()
    alice, user = _alice()
    orders.cancel(order=factories.redeem(alice), actor=user, at=AT)
    assert factories.redeem(alice).status == Order.Status.PLACED
