"""Redeeming in the portal: two taps for one's own number, a confirmation for anything else, and every refusal in place."""

import re
from uuid import uuid4

from benefits.catalogue.models import Product, Sku
from benefits.orders.models import Order
from benefits.people.models import Employee
from benefits.points import queries as points
from tenants.models import Company
from tests.db.portal import stage
from tests.db.portal.conftest import Browser

PRICE = 4950
OTHER = "139 1234 5678"


def body(**changes: str) -> dict[str, str]:
    """What the top-up page posts."""
    return {
        "choice": f"topup-mobile-50:{PRICE}",
        "account": "138 0013 8000",
        "request_key": str(uuid4()),
    } | changes


def hidden(html: str, name: str) -> str:
    match = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert match, name
    return match[1]


def test_ones_own_number_takes_two_taps(browser: Browser, alice: Employee) -> None:
    page = browser.get("/top-up/")
    html = page.content.decode()
    assert "138 0013 8000" in html
    sent = body(request_key=hidden(html, "request_key"))

    answer = browser.post("/benefits/mobile-top-up/", sent)

    order = Order.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == f"/orders/{order.number}/"
    assert (order.price_fen, order.account) == (PRICE, "13800138000")


def test_sent_twice_it_is_one_order(browser: Browser) -> None:
    sent = body()
    first, second = (browser.post("/benefits/mobile-top-up/", sent) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Order.objects.count() == 1


def test_the_same_key_for_something_else_is_refused_in_place(browser: Browser) -> None:
    sent = body()
    browser.post("/benefits/mobile-top-up/", sent)
    answer = browser.post("/benefits/mobile-top-up/", sent | {"choice": "topup-mobile-20:1980"})
    assert answer.status_code == 422
    assert hidden(answer.content.decode(), "request_key") != sent["request_key"]
    assert Order.objects.count() == 1


def test_another_number_is_confirmed_first(browser: Browser) -> None:
    sent = body(account=OTHER)
    page = browser.post("/benefits/mobile-top-up/", sent)
    html = page.content.decode()
    assert page.status_code == 200
    assert not Order.objects.exists()
    assert "139 1234 5678" in html

    again = {name: hidden(html.split("/confirm/")[1], name) for name in ("choice", "account", "request_key")}
    answer = browser.post("/benefits/mobile-top-up/confirm/", again)
    assert answer.status_code == 302
    assert Order.objects.get().account == "13912345678"


def test_a_number_of_another_carrier_is_asked_about(browser: Browser) -> None:
    page = browser.post("/benefits/unicom-top-up/", body(choice="topup-unicom-50:4950"))
    assert "Is this the right carrier?" in page.content.decode()
    assert not Order.objects.exists()


def test_a_number_that_is_none_is_refused_beside_its_field(browser: Browser) -> None:
    for account in [
        "",
        "123",
        "1380013800",
        "138001380000",
        "02012345678",
        "13800138000x",
        "１２３",
        "\u202e13800138000 x",
        "<b>",
    ]:
        page = browser.post("/benefits/mobile-top-up/", body(account=account))
        assert page.status_code == 422
        assert 'aria-invalid="true"' in page.content.decode()
        assert not Order.objects.exists()


def test_a_number_may_be_typed_in_many_ways(browser: Browser) -> None:
    for account in ["+86 138-0013-8000", "１３８００１３８０００", "8613800138000", "138 0013 8000"]:
        assert browser.post("/benefits/mobile-top-up/", body(account=account)).status_code == 302
        assert Order.objects.first().account == "13800138000"


def test_a_size_that_is_none_is_refused(browser: Browser) -> None:
    for choice in [
        "",
        "topup-mobile-50",
        "topup-mobile-50:0",
        "topup-mobile-50:-1",
        "topup-mobile-50:1e3",
        "x:4950:1",
        "\x00:1",
    ]:
        assert browser.post("/benefits/mobile-top-up/", body(choice=choice)).status_code == 422
        assert not Order.objects.exists()


def test_a_size_of_another_kind_is_refused(browser: Browser) -> None:
    assert browser.post("/benefits/mobile-top-up/", body(choice="coffee-cup:2500")).status_code == 409
    assert not Order.objects.exists()


def test_without_a_key_nothing_is_redeemed(browser: Browser) -> None:
    for key in ["", "1", "not-a-uuid", "'"]:
        assert browser.post("/benefits/mobile-top-up/", body(request_key=key)).status_code == 422
        assert not Order.objects.exists()


def test_a_changed_price_is_shown_and_asked_again(browser: Browser) -> None:
    sent = body()
    Sku.objects.filter(code="topup-mobile-50").update(price_fen=5000)
    page = browser.post("/benefits/mobile-top-up/", sent)
    html = page.content.decode()
    assert page.status_code == 409
    assert "The price has changed" in html
    assert hidden(html.split("/confirm/")[1], "choice") == "topup-mobile-50:5000"
    assert not Order.objects.exists()


def test_extra_fields_bind_nothing(browser: Browser, alice: Employee) -> None:
    browser.post("/benefits/mobile-top-up/", body(price_fen="1", employee="2", status="delivered"))
    order = Order.objects.get()
    assert (order.price_fen, order.status, order.employee_id) == (PRICE, "placed", alice.pk)


def test_without_enough_points_the_sizes_say_what_is_missing(bobs: Browser) -> None:
    page = bobs.get("/top-up/")
    assert "short" in page.content.decode()
    answer = bobs.post("/benefits/unicom-top-up/", body(choice="topup-unicom-50:4950", account="18612345678"))
    assert answer.status_code == 409
    assert "not enough points" in answer.content.decode()
    assert not Order.objects.exists()


def test_a_withdrawn_product_is_gone_and_a_withdrawn_size_refused(browser: Browser) -> None:
    sent = body()
    Sku.objects.filter(code="topup-mobile-50").update(is_active=False)
    assert browser.post("/benefits/mobile-top-up/", sent).status_code == 409
    Product.objects.filter(slug="mobile-top-up").update(is_active=False)
    assert browser.get("/benefits/mobile-top-up/").status_code == 404


def test_where_the_company_allows_ones_own_number_only(browser: Browser, shop: Company) -> None:
    Company.objects.filter(pk=shop.pk).update(others_allowed=False)
    answer = browser.post("/benefits/mobile-top-up/confirm/", body(account=OTHER))
    assert answer.status_code == 409
    assert "own number only" in answer.content.decode()


def test_over_the_limit_of_a_day(browser: Browser, shop: Company) -> None:
    Company.objects.filter(pk=shop.pk).update(daily_limit_fen=5000)
    assert browser.post("/benefits/mobile-top-up/", body()).status_code == 302
    assert browser.post("/benefits/mobile-top-up/", body()).status_code == 429


def test_a_membership_by_mail_address_and_a_card_without_account(browser: Browser, alice: Employee) -> None:
    sent = {"choice": "iqiyi-month:2500", "account": "Ann@Example.com", "request_key": str(uuid4())}
    assert browser.post("/benefits/iqiyi/", sent).status_code == 200
    assert browser.post("/benefits/iqiyi/confirm/", sent).status_code == 302
    sent = {"choice": "coffee-cup:2500", "request_key": str(uuid4())}
    assert browser.post("/benefits/coffee/", sent).status_code == 200
    assert browser.post("/benefits/coffee/confirm/", sent).status_code == 302
    assert {order.account for order in Order.objects.all()} == {"Ann@Example.com", ""}


def test_a_bundle_is_one_order_of_several_items(browser: Browser) -> None:
    sent = {"choice": "bundle-commuter:6700", "account": "13800138000", "request_key": str(uuid4())}
    browser.post("/benefits/commuter/confirm/", sent)
    assert Order.objects.get().items.count() == 2


def test_sizes_follow_the_number_and_the_carrier(browser: Browser) -> None:
    faces = browser.post("/benefits/mobile-top-up/sizes/", {"account": "186 1234 5678"}).content.decode()
    assert "topup-unicom-50" in faces
    assert "topup-mobile-50" not in faces
    faces = browser.post(
        "/benefits/mobile-top-up/sizes/", {"account": "186 1234 5678", "carrier": "telecom"}
    ).content.decode()
    assert "topup-telecom-50" in faces


def test_points_of_a_budget_pay_for_its_shelves_only(bobs: Browser) -> None:
    bob = Employee.objects.get(employee_no="A002")
    stage.grant(bob, 3000, budget=stage.a_budget("餐补", categories=("dining",)))
    assert 'name="choice"' in bobs.get("/benefits/coffee/").content.decode()
    assert (
        "disabled"
        not in re.findall(
            r"<input type=\"radio\"[^>]*coffee-cup[^>]*>", bobs.get("/benefits/coffee/").content.decode()
        )[0]
    )
    assert (
        "disabled"
        in re.findall(
            r"<input type=\"radio\"[^>]*topup-unicom-10:[^>]*>", bobs.get("/top-up/").content.decode()
        )[0]
    )


def test_a_refund_returns_the_points(browser: Browser, alice: Employee) -> None:
    browser.post("/benefits/mobile-top-up/", body())
    order = stage.finish(Order.objects.get(), failed="number_suspended")
    page = browser.get(f"/orders/{order.number}/").content.decode()
    assert page.index("49.5 points returned") < page.index("suspended")
    assert points.wallet_of(alice, at=order.placed_at).available_fen == 100_000
