"""What an employee may try with ids and fields that are not theirs to send: E02 to E08."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from benefits.orders.models import Order
from benefits.people.models import Employee
from benefits.points import queries as points
from tenants.models import Company
from tests import factories
from tests.db.portal.conftest import Browser
from tests.db.portal.test_redeeming import PRICE, body

QUANTITIES = ["0", "-1", "1.5", "1e3", "１", "100000000000000000000"]


def test_e02_e03_an_order_of_another_company_is_missing_however_well_its_number_is_known(
    browser: Browser, globex: Company
) -> None:
    connection.set_tenant(globex)
    theirs = factories.redeem(factories.an_employee(with_fen=50_000))
    connection.set_tenant(browser.company)

    missing = browser.get(f"/orders/{'9' * len(theirs.number)}/")
    assert missing.status_code == 404
    for page in ("", "live/", "cancel/"):
        answer = browser.get(f"/orders/{theirs.number}/{page}")
        assert answer.status_code == 404, page
        assert theirs.number not in answer.content.decode(), page
    for page in ("cancel/", "again/", "codes/1/"):
        assert browser.post(f"/orders/{theirs.number}/{page}").status_code in (404, 405), page


def test_e04_a_wider_filter_finds_no_colleague(browser: Browser, alice: Employee, bobs: Browser) -> None:
    browser.post("/benefits/mobile-top-up/", body())
    number = Order.objects.get().number

    for name in ("employee", "employee_id", "employee__id", "wallet", "user"):
        for path in ("/orders/", "/wallet/"):
            page = bobs.get(path, {name: str(alice.pk)}).content.decode()
            assert number not in page, (path, name)


def test_e06_fields_that_nobody_offered_are_not_taken(
    browser: Browser, alice: Employee, bobs: Browser
) -> None:
    bob = Employee.objects.exclude(pk=alice.pk).get()
    more: dict[str, Any] = {
        "price": "1", "price_fen": "1", "wallet": str(bob.pk), "employee": str(bob.pk), "employee_id": str(bob.pk),
        "state": "delivered", "status": "delivered", "schema": "globex", "company": "globex",
    }  # fmt: skip

    browser.post("/benefits/mobile-top-up/", body(**more))

    order = Order.objects.get()
    assert (order.employee_id, order.price_fen, order.status) == (alice.pk, PRICE, Order.Status.PLACED)
    assert points.wallet_of(alice, at=factories.AT).available_fen == 100_000 - PRICE


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_e07_e08_there_is_no_quantity_to_multiply_by(
    browser: Browser, alice: Employee, quantity: str
) -> None:
    sent = body(quantity=quantity, count=quantity, request_key=str(uuid4()))

    browser.post("/benefits/mobile-top-up/", sent)

    order = Order.objects.get()
    assert (order.price_fen, order.items.count()) == (PRICE, 1)
    assert points.wallet_of(alice, at=factories.AT).available_fen == 100_000 - PRICE


@pytest.mark.parametrize("price", ["0", "-4950", "49.5", "4.95e3", "４９５０", "1" + "0" * 30, ""])
def test_e07_e08_a_price_that_is_none_is_refused(browser: Browser, price: str) -> None:
    answer = browser.post("/benefits/mobile-top-up/", body(choice=f"topup-mobile-50:{price}"))

    assert 400 <= answer.status_code < 500
    assert not Order.objects.exists()
