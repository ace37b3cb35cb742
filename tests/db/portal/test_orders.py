"""Orders in the portal: followed until final, shown to their owner alone, card codes by POST and never kept."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benefits.fulfilment.models import Delivery
from benefits.orders.models import Order
from benefits.people.models import Employee
from tenants.identity.models import AuditEvent
from tenants.models import Company
from tests import factories
from tests.db.portal import stage
from tests.db.portal.conftest import Browser

SECRET = "8H2K-92MD-PPQ1-7X"


def test_an_open_order_asks_again_and_a_final_one_stops(browser: Browser, alice: Employee) -> None:
    order = stage.an_order(alice)
    assert "hx-get" in browser.get(f"/orders/{order.number}/live/").content.decode()
    stage.finish(order)
    final = browser.get(f"/orders/{order.number}/live/").content.decode()
    assert "hx-get" not in final
    assert "Delivered" in final


@pytest.mark.parametrize("path", ["/orders/{}/", "/orders/{}/live/"])
def test_a_colleagues_order_is_as_missing_as_none(bobs: Browser, alice: Employee, path: str) -> None:
    order = stage.an_order(alice)
    theirs, none = bobs.get(path.format(order.number)), bobs.get(path.format("20260101000000000000"))
    assert theirs.status_code == none.status_code == 404
    assert theirs.content == none.content


def test_a_colleague_can_neither_repeat_nor_reveal(bobs: Browser, alice: Employee) -> None:
    order = stage.finish(stage.an_order(alice, "coffee-cup", account=""), secret=SECRET)
    item = order.items.get()
    assert bobs.post(f"/orders/{order.number}/again/").status_code == 404
    answer = bobs.post(f"/orders/{order.number}/codes/{item.pk}/")
    assert answer.status_code == 404
    assert SECRET not in answer.content.decode()


def test_another_companys_order_is_not_there(browser: Browser, alice: Employee, globex: Company) -> None:
    connection.set_tenant(globex)
    carol = stage.an_employee("G001", "韩梅梅", mobile="13900000000", with_fen=10_000)
    order = stage.an_order(carol, account="13900000000")
    connection.set_tenant(browser.company)
    assert browser.get(f"/orders/{order.number}/").status_code == 404


def test_a_code_is_shown_by_post_leaves_a_trace_and_is_not_kept(browser: Browser, alice: Employee) -> None:
    order = stage.finish(stage.an_order(alice, "coffee-cup", account=""), secret=SECRET)
    item = order.items.get()
    assert SECRET not in browser.get(f"/orders/{order.number}/").content.decode()
    assert browser.get(f"/orders/{order.number}/codes/{item.pk}/").status_code == 405

    answer = browser.post(f"/orders/{order.number}/codes/{item.pk}/")

    assert SECRET in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert AuditEvent.objects.filter(action="card_code.revealed").count() == 1


def test_codes_are_not_shown_without_end(
    browser: Browser, alice: Employee, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benefits.web.portal.orders.REVEALS_AN_HOUR", 2)
    order = stage.finish(stage.an_order(alice, "coffee-cup", account=""), secret=SECRET)
    path = f"/orders/{order.number}/codes/{order.items.get().pk}/"
    assert [browser.post(path).status_code for _ in range(3)] == [200, 200, 429]


def test_filters_take_what_they_know(browser: Browser, alice: Employee) -> None:
    stage.an_order(alice)
    for query, status in [
        ("status=refunded", 200),
        ("month=2026-11", 200),
        ("month=2026-99", 200),
        ("month=xx", 200),
        ("page=7", 200),
        ("status=x'", 404),
        ("page=-1", 404),
        ("page=1e9", 404),
        ("page=" + "9" * 30, 404),
        ("page=１", 404),
        ("employee=1", 200),
    ]:
        assert browser.get(f"/orders/?{query}").status_code == status, query


def test_the_list_is_ones_own(bobs: Browser, alice: Employee) -> None:
    order = stage.an_order(alice)
    assert order.number not in bobs.get("/orders/?employee=1").content.decode()


def test_order_again_is_one_confirmation(browser: Browser, alice: Employee) -> None:
    order = stage.an_order(alice, account="13912345678")
    page = browser.post(f"/orders/{order.number}/again/").content.decode()
    assert "139 1234 5678" in page
    assert "topup-mobile-50:4950" in page
    assert Order.objects.count() == 1


def test_the_wallet_walks_every_balance(browser: Browser, alice: Employee) -> None:
    stage.finish(stage.an_order(alice), failed="maintenance")
    page = browser.get("/wallet/").content.decode()
    for text in ("Balance 1,000", "Balance 950.5", "Granted", "Redeemed", "Returned"):
        assert text in page
    assert browser.get("/wallet/?before=x").status_code == 404
    assert browser.get("/wallet/?before=1").status_code == 200


PAGES = (
    "/", "/benefits/", "/benefits/?q=hf&affordable=1", "/benefits/?category=dining", "/top-up/", "/data/", "/benefits/coffee/",
    "/benefits/mobile-top-up/", "/benefits/iqiyi/", "/benefits/commuter/", "/orders/", "/wallet/", "/me/", "/help/",
)  # fmt: skip
MOST = 12


def queries(browser: Browser, path: str) -> list[str]:
    """What a page asks the database; entering the schema is not a question."""
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(path).status_code == 200
    return [
        query["sql"] for query in captured.captured_queries if not query["sql"].startswith("SET search_path")
    ]


@pytest.mark.parametrize("path", PAGES)
def test_pages_ask_little_and_hold_nothing_inline(browser: Browser, alice: Employee, path: str) -> None:
    for _ in range(6):
        stage.an_order(alice)
    html = browser.get(path).content.decode()
    assert len(queries(browser, path)) <= MOST
    for inline in (" style=", " onclick=", "<script>", "<style", "http://", "https://"):
        assert inline not in html, inline


@pytest.mark.parametrize("suffix", ["", "live/"])
def test_an_orders_page_too(browser: Browser, alice: Employee, suffix: str) -> None:
    order = stage.an_order(alice, "bundle-commuter")
    browser.get("/me/")
    assert len(queries(browser, f"/orders/{order.number}/{suffix}")) <= MOST


def test_search_takes_anything(browser: Browser) -> None:
    for q in [
        "hf",
        "话费",
        "huafei",
        "china mobile",
        "%",
        "_",
        "\x00",
        "'",
        "x" * 500,
        "\ud83d",
        "＜script＞",
    ]:
        answer = browser.get("/benefits/", {"q": q.encode("utf-8", "replace").decode()})
        assert answer.status_code == 200
        if q in ("hf", "话费", "huafei", "china mobile"):
            assert "mobile-top-up" in answer.content.decode()


def test_a_shelf_that_is_none_is_not_there(browser: Browser) -> None:
    assert browser.get("/benefits/?category=x").status_code == 404


def test_an_order_can_be_cancelled_until_it_is_sent(browser: Browser, alice: Employee) -> None:
    order = stage.an_order(alice)
    page = browser.get(f"/orders/{order.number}/").content.decode()
    assert page.count(f'href="/orders/{order.number}/cancel/"') == 1
    assert f'action="/orders/{order.number}/cancel/"' in page
    asks = browser.get(f"/orders/{order.number}/cancel/").content.decode()
    assert "Cancel this order?" in asks
    assert Order.objects.get().status == "placed"

    answer = browser.post(f"/orders/{order.number}/cancel/", follow=True)

    assert answer.redirect_chain == [(f"/orders/{order.number}/", 302)]
    page = answer.content.decode()
    for text in (
        "You cancelled it before it was sent.",
        "Cancelled, points returned",
        "49.5 points returned",
    ):
        assert text in page
    assert f"/orders/{order.number}/cancel/" not in page
    assert "hx-get" not in page
    assert "Balance 1,000" in browser.get("/wallet/").content.decode()


def test_e17_what_is_being_sent_offers_no_cancelling(browser: Browser, alice: Employee) -> None:
    order = stage.an_order(alice)
    factories.claim(Delivery.objects.get(), at=timezone.now())
    assert "/cancel/" not in browser.get(f"/orders/{order.number}/").content.decode()
    assert browser.get(f"/orders/{order.number}/cancel/").status_code == 409
    answer = browser.post(f"/orders/{order.number}/cancel/")
    assert answer.status_code == 409
    assert "can no longer be cancelled" in answer.content.decode()
    assert Order.objects.get().status == "placed"


@pytest.mark.parametrize("number", ["{}", "20260101000000000000"])
def test_e01_a_colleagues_order_cannot_be_cancelled(bobs: Browser, alice: Employee, number: str) -> None:
    order = stage.an_order(alice)
    path = f"/orders/{number.format(order.number)}/cancel/"
    assert bobs.get(path).status_code == bobs.post(path).status_code == 404
    assert Order.objects.get().status == "placed"
