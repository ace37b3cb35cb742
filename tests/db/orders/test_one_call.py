"""A redemption is one call of the database: what it costs, which rows it takes, and in which order it refuses."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError
from django.test.utils import CaptureQueriesContext

from benefits.catalogue.models import BundlePart, Sku
from benefits.fulfilment.models import Delivery
from benefits.orders import operations as orders
from benefits.orders.errors import InvalidAccount, NotAnEmployee, NotOffered, PriceChanged
from benefits.orders.models import Item, Order
from benefits.people.models import Employee
from benefits.points import operations as points
from benefits.points.errors import InsufficientPoints, RequestKeyReused
from benefits.points.models import LotEntry
from benefits.risk.errors import DailyLimit, OthersNotAllowed
from reports import books
from tenants.db import connection, transaction
from tenants.identity.models import AuditEvent
from tenants.models import Company
from tests import factories
from tests.factories import AT
from tests.races import at_once

PRICE = 4_950


@pytest.fixture(scope="module")
def mall(module_company: Company) -> Company:
    """Acme in a database of its own: what is sent here is what is sent in production, BEGIN and COMMIT included."""
    factories.a_catalogue()
    return module_company


@pytest.mark.parametrize("sku", ["topup-mobile-50", "bundle-commuter", "jd-50"])
def test_a_redemption_is_one_round_trip(mall: Company, sku: str) -> None:
    alice, found, key = factories.an_employee(with_fen=30_000), factories.a_sku(sku), uuid4()
    account = "" if sku == "jd-50" else factories.MOBILE

    for trips in (1, 2):  # placed; and the same again, which also reads the order
        with CaptureQueriesContext(connection) as sent:
            order = factories.redeem(alice, found, key=key, account=account)
        assert len(sent) == trips, [one["sql"][:60] for one in sent]

    assert order == Order.objects.get(employee=alice)


def test_the_order_that_comes_back_is_the_order_that_was_written(mall: Company) -> None:
    order = factories.redeem(factories.an_employee(with_fen=PRICE))

    stored = Order.objects.get(pk=order.pk)

    fields = [field.attname for field in Order._meta.concrete_fields]
    assert [getattr(order, name) for name in fields] == [getattr(stored, name) for name in fields]
    assert not order.get_deferred_fields()
    assert not order._state.adding
    assert order._state.db == "default"


def test_a_redemption_is_never_part_of_another_transaction(mall: Company) -> None:
    alice = factories.an_employee(with_fen=PRICE)

    with pytest.raises(RuntimeError, match="inside a transaction"), transaction():
        factories.redeem(alice)

    assert factories.wallet_fen(alice) == PRICE


# Redemptions meet at nothing but the wallet: not at an account, a budget, the catalogue or the company.
SHARED = {
    "points_account": "employee_id IS DISTINCT FROM {alice}",
    "points_budget": "true",
    "points_grant": "true",
    "catalogue_sku": "true",
    "catalogue_product": "true",
    "fulfilment_offer": "true",
    "fulfilment_supplier": "true",
    "tenants_company": "true",
}


def test_a_redemption_locks_no_row_but_its_own(mall: Company) -> None:
    alice = factories.an_employee(with_fen=PRICE)
    inside: Callable[..., Order] = orders.redeem.__wrapped__  # type: ignore[attr-defined]

    def look() -> None:
        with connection.cursor() as cursor:
            for table, rows in SHARED.items():
                cursor.execute(f"SELECT 1 FROM {table} WHERE {rows.format(alice=alice.pk)} FOR UPDATE NOWAIT")

    with transaction():
        inside(
            employee=alice, sku=factories.a_sku(), account=factories.MOBILE, quoted_fen=PRICE, request_key=uuid4(),
            actor=None, at=AT,
        )  # fmt: skip
        connection.check_constraints()
        assert at_once(look) == [None]


def test_fifty_buyers_spend_one_wallet_to_exactly_nothing(mall: Company) -> None:
    Company.objects.filter(pk=mall.pk).update(daily_limit_fen=10**9)
    alice, buyers = factories.an_employee(), iter(range(50))
    budget = factories.a_budget(20 * PRICE)
    for fen in (7_000, 13_000, 79_000):  # three lots, whose borders are no multiples of the price
        factories.grant(budget, {alice: fen})

    def buy() -> list[str]:
        found = []
        for _ in buyers:  # twenty at a time
            try:
                found.append(factories.redeem(alice).status)
            except InsufficientPoints as error:
                found.append(error.code)
        return found

    results = at_once(*(buy for _ in range(20)))

    outcomes = [one for found in results for one in found]  # type: ignore[attr-defined]
    assert sorted(outcomes) == ["insufficient_points"] * 30 + ["placed"] * 20
    assert factories.wallet_fen(alice) == 0
    assert books.verify([mall]) == []


def test_an_items_part_may_come_of_several_lots_and_a_lot_serve_several_items(mall: Company) -> None:
    alice, budget = factories.an_employee(), factories.a_budget(10_000)
    for fen in (1_000, 3_900, 600, 4_500):
        factories.grant(budget, {alice: fen})

    order = factories.redeem(alice, "bundle-commuter")  # 4,900 and 1,800

    taken = LotEntry.objects.filter(posting=order.debit).order_by("id").values_list("item", "fen")
    first, second = (f"item:{pk}" for pk in order.items.values_list("pk", flat=True))
    assert list(taken) == [(first, -1_000), (first, -3_900), (second, -600), (second, -1_200)]


def test_the_call_works_on_its_own_company_whoever_calls(mall: Company) -> None:
    alice = factories.an_employee(with_fen=PRICE)
    arguments = ", ".join(["%s"] * 16)
    values = [
        alice.pk, uuid4(), "d", "topup-mobile-50", PRICE, "", "20260302999999999999", "a", "h", "d", "i", "system", None,
        "", AT, AT,
    ]  # fmt: skip
    connection.set_schema_to_public()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT refusal FROM acme.orders_redeem({arguments})", values)
        assert cursor.fetchone() == (None,)
    connection.set_tenant(mall)

    assert factories.wallet_fen(alice) == 0
    assert Delivery.objects.filter(order_number=values[6]).values_list("company", flat=True).get() == "acme"


@pytest.fixture
def refused(acme: Company) -> dict[str, Any]:
    """Somebody whose redemption is refused for every reason at once."""
    factories.a_catalogue()
    alice, key = factories.an_employee(with_fen=PRICE + 990, mobile="13912345678"), uuid4()
    factories.redeem(alice, "topup-mobile-10", key=key, account="13912345678")
    Company.objects.filter(pk=acme.pk).update(others_allowed=False, daily_limit_fen=990)
    Employee.objects.filter(pk=alice.pk).update(status=Employee.Status.LEFT)
    Sku.objects.filter(code="topup-mobile-50").update(price_fen=PRICE + 1, is_active=False)
    return {"employee": alice, "key": key, "account": "x", "sku": factories.a_sku(), "quoted_fen": PRICE}


def test_reasons_are_given_in_the_same_order(acme: Company, refused: dict[str, Any]) -> None:
    def refusal() -> type[Exception] | None:
        try:
            factories.redeem(**refused)
        except (InvalidAccount, RequestKeyReused, NotOffered, NotAnEmployee, PriceChanged, OthersNotAllowed,
                DailyLimit, InsufficientPoints) as error:  # fmt: skip
            return type(error)
        return None

    everyone, fifty = Employee.objects.all(), Sku.objects.filter(code="topup-mobile-50")
    company = Company.objects.filter(pk=acme.pk)
    steps: list[tuple[type[Exception], Callable[[], Any]]] = [
        (InvalidAccount, lambda: refused.update(account=factories.MOBILE)),
        (RequestKeyReused, lambda: refused.update(key=uuid4())),
        (NotAnEmployee, lambda: everyone.update(status=Employee.Status.ACTIVE)),
        (NotOffered, lambda: fifty.update(is_active=True)),
        (PriceChanged, lambda: refused.update(quoted_fen=PRICE + 1)),
        (OthersNotAllowed, lambda: company.update(others_allowed=True)),
        (DailyLimit, lambda: company.update(daily_limit_fen=10**6)),
        (InsufficientPoints, lambda: factories.grant(factories.a_budget(1), {refused["employee"]: 1})),
    ]
    for reason, mend in steps:
        assert refusal() is reason
        assert Order.objects.count() == 1
        assert Delivery.objects.count() == 1
        mend()
    assert refusal() is None
    assert Order.objects.count() == 2


def test_a_sku_that_is_gone_is_refused_before_anything_but_the_key(refused: dict[str, Any]) -> None:
    refused |= {"key": uuid4(), "account": factories.MOBILE}
    refused["sku"].code = "gone"

    with pytest.raises(NotOffered):
        factories.redeem(**refused)


def test_a_bundle_without_parts_is_not_offered(acme: Company) -> None:
    factories.a_catalogue()
    BundlePart.objects.all().delete()

    with pytest.raises(NotOffered):
        factories.redeem(factories.an_employee(with_fen=10_000), "bundle-commuter")


def test_who_never_had_a_wallet_is_refused(acme: Company) -> None:
    factories.a_catalogue()
    alice = Employee.objects.create(employee_no="X1", name="Alice", created_at=AT, updated_at=AT)

    with pytest.raises(NotAnEmployee):
        factories.redeem(alice)


@pytest.mark.parametrize(
    "table", ["orders_order", "orders_item", "public.fulfilment_delivery", "identity_auditevent"]
)
def test_whatever_fails_after_the_debit_undoes_it(acme: Company, table: str) -> None:
    factories.a_catalogue()
    alice = factories.an_employee(with_fen=10_000)
    _break(table)

    before = connection.savepoint()
    with pytest.raises(DatabaseError, match="broken"):
        factories.redeem(alice)
    connection.savepoint_rollback(before)

    assert factories.wallet_fen(alice) == 10_000
    assert not Order.objects.exists()
    assert not Item.objects.exists()
    assert not Delivery.objects.exists()
    assert factories.derived_fen("held") == 0
    assert not AuditEvent.objects.filter(action="order.placed").exists()


def _break(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION break_down() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$;"
            f"CREATE TRIGGER break_down BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION break_down()"
        )


def test_redemptions_go_on_while_a_grant_of_the_same_budget_is_under_way(
    mall: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A grant holds its budget and the wallets that it reaches until it commits, and nobody else's."""
    budget, alice, others = factories.a_budget(100_000), factories.an_employee(), factories.employees(50)
    factories.grant(budget, {alice: PRICE})
    granted, redeemed = threading.Event(), threading.Event()
    record = points.audit.record

    def pause(action: str, *arguments: Any, **facts: Any) -> Any:
        if action == "points.granted":  # the last thing before the commit
            granted.set()
            assert redeemed.wait(20)
        return record(action, *arguments, **facts)

    def redeem_meanwhile() -> str:
        assert granted.wait(20)
        try:
            return factories.redeem(alice).status
        finally:
            redeemed.set()

    monkeypatch.setattr(points.audit, "record", pause)
    made, status = at_once(lambda: factories.grant(budget, dict.fromkeys(others, 100)), redeem_meanwhile)

    assert not isinstance(made, Exception), made
    assert status == "placed"
    assert factories.wallet_fen(others[0]) == 100
