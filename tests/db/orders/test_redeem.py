"""What a redemption accepts and what it refuses; what is refused changes nothing."""

from datetime import timedelta
from uuid import uuid4

import pytest

from benefits.catalogue.models import Product, Sku
from benefits.fulfilment.models import Attempt, Delivery, Offer, Supplier
from benefits.orders import queries
from benefits.orders.errors import InvalidAccount, NotAnEmployee, NotOffered, OrderNotFound, PriceChanged
from benefits.orders.models import Order
from benefits.people.models import Employee
from benefits.points.errors import InsufficientPoints, RequestKeyReused
from benefits.points.models import Posting
from benefits.risk.errors import DailyLimit, OthersNotAllowed
from reports import books
from tenants.identity.models import AuditEvent
from tenants.models import Company
from tests import factories
from tests.factories import AT, MOBILE


@pytest.fixture(autouse=True)
def _catalogue(acme: Company) -> None:
    factories.a_catalogue()


def _nothing_happened(employee: Employee, fen: int) -> None:
    assert factories.wallet_fen(employee) == fen
    assert not Order.objects.exists()
    assert not Delivery.objects.exists()
    assert not Posting.objects.filter(kind="redeem").exists()


def test_a_redemption_writes_order_debit_delivery_and_trace_together(acme: Company) -> None:
    alice = factories.an_employee(with_fen=10_000)

    order = factories.redeem(alice, account="+86 138-0013-8000")

    assert (order.status, order.price_fen, order.account, order.account_hint) == (
        "placed", 4_950, MOBILE, "138 **** 8000",
    )  # fmt: skip
    assert (order.debit.kind, order.debit.fen) == ("redeem", 4_950)
    delivery = Delivery.objects.get(order_number=order.number)
    assert (delivery.status, delivery.account, delivery.ceiling_fen, delivery.company) == (
        "ready", MOBILE, 4_950, "acme",
    )  # fmt: skip
    event = AuditEvent.objects.get(action="order.placed")
    assert event.subject == f"orders.order:{order.pk}"
    assert MOBILE not in str(event.facts)
    assert factories.wallet_fen(alice) == 5_050


def test_neither_the_order_nor_the_delivery_holds_the_number_in_clear() -> None:
    order = factories.redeem(factories.an_employee(with_fen=10_000), account="13911112222")

    for table, where in (("orders_order", f"id = {order.pk}"), ("public.fulfilment_delivery", "true")):
        row = _row(table, where)
        assert "13911112222" not in row
    assert "13911112222" not in order.request_digest


def test_a_bundle_makes_one_item_and_delivery_a_part() -> None:
    order = factories.redeem(factories.an_employee(with_fen=10_000), "bundle-commuter")

    assert list(order.items.values_list("position", "sku_code", "price_fen")) == [
        (1, "topup-mobile-50", 4_900), (2, "qq-music-month", 1_800),
    ]  # fmt: skip
    assert sorted(Delivery.objects.values_list("ceiling_fen", flat=True)) == [1_800, 4_900]


# E09: the price is the one that was quoted, or the order is refused and says the new one.
def test_a_price_that_changed_since_the_page_was_loaded_is_refused_with_the_new_one() -> None:
    alice = factories.an_employee(with_fen=10_000)
    sku = factories.a_sku()
    Sku.objects.filter(pk=sku.pk).update(price_fen=4_800)

    with pytest.raises(PriceChanged) as error:
        factories.redeem(alice, sku)  # the page still holds 4,950

    assert error.value.details == {"quoted_fen": 4_950, "price_fen": 4_800}
    _nothing_happened(alice, 10_000)


# E10: withdrawn, or nobody supplies it.
@pytest.mark.parametrize("how", ["sku", "product", "offer", "supplier", "part"])
def test_what_is_not_on_offer_is_refused(how: str) -> None:
    alice = factories.an_employee(with_fen=10_000)
    sku = factories.a_sku("bundle-commuter" if how == "part" else "topup-mobile-50")
    if how == "sku":
        Sku.objects.filter(pk=sku.pk).update(is_active=False)
    elif how == "product":
        Product.objects.filter(pk=sku.product_id).update(is_active=False)
    elif how == "offer":
        Offer.objects.filter(sku_code=sku.code).update(is_active=False)
    elif how == "supplier":
        Supplier.objects.update(is_active=False)
    else:
        Offer.objects.filter(sku_code="qq-music-month").update(is_active=False)

    with pytest.raises(NotOffered):
        factories.redeem(alice, sku)

    _nothing_happened(alice, 10_000)


# E11, E16: the same key is the same order, whenever it comes and whatever has changed meanwhile.
def test_the_same_key_returns_the_same_order_for_good() -> None:
    alice, key, sku = factories.an_employee(with_fen=10_000), uuid4(), factories.a_sku()
    first = factories.redeem(alice, sku, key=key)
    Sku.objects.update(is_active=False)
    Employee.objects.filter(pk=alice.pk).update(status=Employee.Status.LEFT)

    again = factories.redeem(alice, sku, key=key, at=AT + timedelta(days=400))

    assert again == first
    assert factories.wallet_fen(alice) == 5_050
    assert AuditEvent.objects.filter(action="order.placed").count() == 1


# E14
@pytest.mark.parametrize(
    "change", [{"sku": "topup-mobile-30"}, {"account": "13911112222"}, {"quoted_fen": 4_951}]
)
def test_the_same_key_with_another_body_is_refused(change: dict) -> None:
    alice, key = factories.an_employee(with_fen=20_000), uuid4()
    first = factories.redeem(alice, key=key)

    with pytest.raises(RequestKeyReused):
        factories.redeem(alice, key=key, **change)

    assert list(Order.objects.all()) == [first]
    assert factories.wallet_fen(alice) == 15_050


def test_an_account_typed_another_way_is_the_same_body() -> None:
    alice, key = factories.an_employee(with_fen=20_000), uuid4()

    assert factories.redeem(alice, key=key) == factories.redeem(alice, key=key, account="0086 138 0013 8000")


# E15
def test_another_persons_key_is_a_new_order_and_never_their_answer() -> None:
    alice, bob = (
        factories.an_employee("Alice", with_fen=10_000),
        factories.an_employee("Bob", with_fen=10_000),
    )
    key = uuid4()

    assert factories.redeem(alice, key=key) != factories.redeem(bob, key=key)
    assert [factories.wallet_fen(one) for one in (alice, bob)] == [5_050, 5_050]


def test_another_companys_key_is_a_new_order(acme: Company, globex: Company) -> None:
    from django.db import connection

    key = uuid4()
    ours = factories.redeem(factories.an_employee(with_fen=10_000), key=key)
    connection.set_tenant(globex)
    theirs = factories.redeem(factories.an_employee(with_fen=10_000), key=key)

    assert ours.number != theirs.number
    assert books.verify([acme, globex]) == []


# E12 for one after another; tests/db/books/test_races.py has it at once.
def test_not_enough_points_says_what_is_missing() -> None:
    alice = factories.an_employee(with_fen=4_949)

    with pytest.raises(InsufficientPoints) as error:
        factories.redeem(alice)

    assert error.value.details == {"needed_fen": 4_950, "available_fen": 4_949}
    _nothing_happened(alice, 4_949)


# E01: a colleague's order is as missing as none.
def test_a_colleagues_order_is_not_found() -> None:
    alice, bob = factories.an_employee("Alice", with_fen=10_000), factories.an_employee("Bob")
    order = factories.redeem(alice)

    for number in (order.number, "20260302000000000000", "", "%"):
        with pytest.raises(OrderNotFound):
            queries.find_order(bob, number)
    assert queries.find_order(alice, order.number) == order
    assert not queries.orders_of(bob)


# E19
@pytest.mark.parametrize(
    "account",
    ["", "abc", "1380013800", "138001380000", "010-12345678", "12800138000", "+1 202 555 0100", "+852 5123 4567",
     "13800138000;13900139000", "１３８００１３８００", "١٣٨٠٠١٣٨٠٠٠", "138\x000013800", "13800138000\n1", "a@example.com"],
)  # fmt: skip
def test_an_account_that_cannot_be_topped_up_is_refused(account: str) -> None:
    alice = factories.an_employee(with_fen=10_000)

    with pytest.raises(InvalidAccount):
        factories.redeem(alice, account=account)

    _nothing_happened(alice, 10_000)


# E20: since number portability a prefix proves nothing, so it never refuses.
def test_a_number_whose_prefix_belongs_to_another_carrier_is_accepted() -> None:
    alice = factories.an_employee(with_fen=10_000)

    assert factories.redeem(alice, "topup-mobile-50", account="13000138000").account == "13000138000"


# E21
def test_a_company_may_allow_top_ups_of_ones_own_number_only(acme: Company) -> None:
    Company.objects.filter(pk=acme.pk).update(others_allowed=False)
    alice = factories.an_employee(with_fen=20_000, mobile="13912345678")

    with pytest.raises(OthersNotAllowed):
        factories.redeem(alice, account="13912345679")
    with pytest.raises(OthersNotAllowed):
        factories.redeem(alice, "bundle-commuter", account="13912345679")
    _nothing_happened(alice, 20_000)
    factories.redeem(alice, account="139 1234 5678")
    factories.redeem(alice, "iqiyi-month", account="friend@example.com")


def test_the_daily_limit_counts_a_local_day_and_not_what_was_refunded(acme: Company) -> None:
    Company.objects.filter(pk=acme.pk).update(daily_limit_fen=10_000)
    alice = factories.an_employee(with_fen=50_000)
    refunded, kept = factories.redeem(alice), factories.redeem(alice)

    with pytest.raises(DailyLimit) as error:
        factories.redeem(alice)
    assert error.value.details == {"limit_fen": 10_000, "used_fen": 9_900}

    factories.deliver(refunded, fails=["topup-mobile-50"])
    factories.deliver(kept)
    factories.settle()
    factories.redeem(alice)
    with pytest.raises(DailyLimit):
        factories.redeem(alice, at=AT.replace(hour=23, minute=59))
    factories.redeem(alice, at=AT.replace(hour=0, minute=1) + timedelta(days=1))


def test_who_has_left_redeems_nothing_but_still_gets_a_refund() -> None:
    alice = factories.an_employee(with_fen=10_000)
    order = factories.redeem(alice)
    Employee.objects.filter(pk=alice.pk).update(status=Employee.Status.LEFT)

    with pytest.raises(NotAnEmployee):
        factories.redeem(alice)
    factories.deliver(order, fails=["topup-mobile-50"])
    factories.settle()

    assert factories.wallet_fen(alice) == 10_000


# What has an unknown outcome is neither delivered nor refunded, however often it is settled.
def test_an_unknown_outcome_is_not_settled() -> None:
    alice = factories.an_employee(with_fen=10_000)
    order = factories.redeem(alice)
    delivery = Delivery.objects.get(order_number=order.number)
    factories.claim(delivery)
    Attempt.objects.filter(delivery=delivery).update(status="unknown")

    assert factories.settle() == 0
    order.refresh_from_db()
    assert order.status == "placed"
    assert factories.wallet_fen(alice) == 5_050


def test_settling_again_changes_nothing() -> None:
    alice = factories.an_employee(with_fen=20_000)
    done, failed = factories.redeem(alice), factories.redeem(alice)
    factories.deliver(done)
    factories.deliver(failed, fails=["topup-mobile-50"])

    assert factories.settle() == 2
    postings = list(Posting.objects.values_list())
    # A delivery that says unsettled again is what a lost mark looks like: its item is closed already.
    assert [factories.settle() for _ in range(3)] == [0, 0, 0]
    assert list(Posting.objects.values_list()) == postings
    assert factories.wallet_fen(alice) == 15_050


def test_a_timeline_says_what_happened_oldest_first() -> None:
    alice = factories.an_employee(with_fen=20_000)
    order = factories.redeem(alice)
    steps = [step["step"] for step in queries.timeline_of(queries.find_order(alice, order.number))]
    assert steps == ["placed", "waiting"]

    factories.deliver(order, fails=["topup-mobile-50"], at=AT + timedelta(seconds=5))
    factories.settle(at=AT + timedelta(seconds=6))

    steps = queries.timeline_of(queries.find_order(alice, order.number))
    assert [step["step"] for step in steps] == ["placed", "sent", "refunded"]
    assert steps[-1]["reason"] == "number_empty"


def _row(table: str, where: str) -> str:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT row_to_json(t)::text FROM {table} t WHERE {where}")
        return "\n".join(row[0] for row in cursor.fetchall())
