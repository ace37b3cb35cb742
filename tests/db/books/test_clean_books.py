"""Books that the operations wrote hold every promise, whatever happened in them."""

from datetime import timedelta
from uuid import uuid4

from benefits.points import operations as points
from reports import books
from tenants.models import Company
from tests import factories


def test_a_company_that_has_done_nothing_is_clean(acme: Company, globex: Company) -> None:
    assert books.verify([acme, globex]) == []


def test_the_whole_job_leaves_clean_books(acme: Company, globex: Company) -> None:
    factories.a_catalogue()
    alice = factories.an_employee(with_fen=40_000)
    delivered = factories.redeem(alice)
    refunded = factories.redeem(alice, "iqiyi-month")
    partly = factories.redeem(alice, "bundle-commuter")
    card = factories.redeem(alice, "jd-50", account="")
    factories.redeem(alice, "topup-mobile-10")  # stays in flight
    factories.deliver(delivered)
    factories.deliver(refunded, fails=["iqiyi-month"])
    factories.deliver(partly, fails=["qq-music-month"])
    factories.deliver(card)

    assert factories.settle(at=factories.AT + timedelta(minutes=1)) == 5

    for order, status in (
        (delivered, "delivered"),
        (refunded, "refunded"),
        (partly, "partly"),
        (card, "delivered"),
    ):
        order.refresh_from_db()
        assert order.status == status
    assert factories.wallet_fen(alice) == 40_000 - 4950 - 4900 - 5000 - 990
    assert factories.derived_fen("held") == 990
    assert factories.derived_fen("delivered") == 4950 + 4900 + 5000
    assert books.verify([acme, globex]) == []


def test_what_a_budget_returns_is_in_the_funds_again(acme: Company) -> None:
    budget = factories.a_budget(10_000)
    points.unload_budget(budget=budget, fen=4_000, request_key=uuid4(), actor=None, at=factories.AT)

    assert factories.budget_fen(budget) == 6_000
    assert factories.funds_fen(acme) == 4_000
    assert books.verify([acme]) == []
