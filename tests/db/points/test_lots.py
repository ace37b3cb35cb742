"""Lots are spent earliest expiry first among those that are eligible, and get back exactly what they gave."""

from datetime import timedelta

import pytest

from benefits.orders.models import Item
from benefits.points import ledger, queries
from benefits.points.errors import InsufficientPoints
from benefits.points.models import Lot, LotEntry, Posting
from reports import books
from tenants.db import transaction
from tenants.models import Company
from tests import factories
from tests.factories import AT

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _catalogue(acme: Company) -> None:
    factories.a_catalogue()


def _left(*grants) -> list[int]:
    return [Lot.objects.get(grant=made).remaining_fen for made in grants]


def test_the_earliest_expiry_goes_first_then_the_oldest_and_what_never_expires_last() -> None:
    alice, budget = factories.an_employee(), factories.a_budget(12_000)
    never = factories.grant(budget, {alice: 3_000}, at=AT - DAY / 4)
    late = factories.grant(budget, {alice: 3_000}, expires_at=AT + 60 * DAY, at=AT - DAY / 5)
    young = factories.grant(budget, {alice: 3_000}, expires_at=AT + 30 * DAY, at=AT - DAY / 6)
    old = factories.grant(budget, {alice: 3_000}, expires_at=AT + 30 * DAY, at=AT - DAY / 3)

    factories.redeem(alice, "topup-mobile-50")  # 4,950 fen
    assert _left(old, young, late, never) == [0, 1_050, 3_000, 3_000]
    factories.redeem(alice, "topup-mobile-50")
    assert _left(old, young, late, never) == [0, 0, 0, 2_100]


def test_an_expired_lot_is_not_spendable_from_its_very_instant() -> None:
    alice, budget = factories.an_employee(), factories.a_budget(20_000)
    factories.grant(budget, {alice: 10_000}, expires_at=AT + DAY)
    factories.grant(budget, {alice: 1_000})

    assert queries.wallet_of(alice, at=AT + DAY).available_fen == 1_000
    with pytest.raises(InsufficientPoints) as error:
        factories.redeem(alice, at=AT + DAY)
    assert error.value.details == {"needed_fen": 4_950, "available_fen": 1_000}
    factories.redeem(alice, at=AT + DAY - timedelta(microseconds=1))


def test_a_lot_is_spent_only_in_the_categories_of_its_budget() -> None:
    alice = factories.an_employee(with_fen=10_000, categories=["video"])

    assert queries.available_for(alice, category="telecom", at=AT) == 0
    assert queries.available_for(alice, category="video", at=AT) == 10_000
    with pytest.raises(InsufficientPoints):
        factories.redeem(alice, "topup-mobile-50")
    factories.redeem(alice, "iqiyi-month")
    assert factories.wallet_fen(alice) == 7_500


def test_a_purchase_passes_over_lots_that_are_not_eligible() -> None:
    alice = factories.an_employee()
    video = factories.grant(
        factories.a_budget(5_000, categories=["video"]), {alice: 5_000}, expires_at=AT + DAY
    )
    general = factories.grant(factories.a_budget(5_000), {alice: 5_000})

    factories.redeem(alice, "topup-mobile-50")

    assert _left(video, general) == [5_000, 50]


def test_a_refund_goes_to_the_lots_it_came_from_even_when_one_has_expired(acme: Company) -> None:
    alice, budget = factories.an_employee(), factories.a_budget(20_000)
    soon = factories.grant(budget, {alice: 2_000}, expires_at=AT + DAY)
    later = factories.grant(budget, {alice: 8_000})
    order = factories.redeem(alice)
    assert _left(soon, later) == [0, 5_050]

    factories.deliver(order, fails=["topup-mobile-50"])
    factories.settle(at=AT + 2 * DAY)

    assert _left(soon, later) == [2_000, 8_000]
    assert queries.wallet_of(alice, at=AT + 2 * DAY).available_fen == 10_000
    assert books.verify([acme]) == []


def test_of_a_bundle_only_the_part_that_failed_is_refunded_to_its_lots(acme: Company) -> None:
    alice, budget = factories.an_employee(), factories.a_budget(20_000)
    first = factories.grant(budget, {alice: 5_500}, expires_at=AT + DAY)
    second = factories.grant(budget, {alice: 5_500}, expires_at=AT + 2 * DAY)
    order = factories.redeem(alice, "bundle-commuter")  # 4,900 for the top-up, 1,800 for the music
    assert _left(first, second) == [0, 4_300]

    factories.deliver(order, fails=["qq-music-month"])
    factories.settle()

    # The music took the last 600 of the first lot and 1,200 of the second.
    assert _left(first, second) == [600, 5_500]
    order.refresh_from_db()
    assert order.status == "partly"
    assert dict(order.items.values_list("sku_code", "status")) == {
        "topup-mobile-50": "delivered",
        "qq-music-month": "refunded",
    }
    assert books.verify([acme]) == []


def test_a_grant_is_reversed_once_and_takes_its_lot_back(acme: Company) -> None:
    alice, budget = factories.an_employee(), factories.a_budget(2_000)
    made = factories.grant(budget, {alice: 2_000})
    posting = Posting.objects.get(kind="grant")

    with transaction():
        undone = ledger.reverse(posting=posting, at=AT)

    assert undone.reverses == posting
    assert _left(made) == [0]
    assert (factories.wallet_fen(alice), factories.budget_fen(budget)) == (0, 2_000)
    assert books.verify([acme]) == []


def test_the_ledger_refuses_to_work_outside_its_callers_transaction() -> None:
    alice = factories.an_employee(with_fen=1_000)
    with pytest.raises(RuntimeError, match="needs its caller's transaction"):
        ledger.reverse(posting=Posting.objects.filter(destination=alice.wallet)[0], at=AT)


def test_a_refund_of_another_amount_than_was_taken_is_a_bug_and_undoes_itself() -> None:
    alice = factories.an_employee(with_fen=10_000)
    order = factories.redeem(alice)
    item = Item.objects.get(order=order)

    share = ledger.Share(f"item:{item.pk}", item.price_fen - 1)
    with pytest.raises(RuntimeError, match="is not what is refunded"), transaction():
        ledger.refund(wallet=alice.wallet, share=share, reference="refund:x", at=AT)

    assert not LotEntry.objects.filter(posting__kind="refund").exists()
    assert factories.wallet_fen(alice) == 5_050


def test_figures_of_a_budget_add_up_whatever_became_of_its_points() -> None:
    budget = factories.a_budget(30_000)
    alice = factories.an_employee()
    factories.grant(budget, {alice: 20_000})
    delivered, refunded = factories.redeem(alice), factories.redeem(alice, "iqiyi-month")
    factories.redeem(alice, "topup-mobile-10")
    factories.deliver(delivered)
    factories.deliver(refunded, fails=["iqiyi-month"])
    factories.settle()

    figures = queries.figures_of(budget)

    assert (figures.loaded_fen, figures.granted_fen, figures.left_fen) == (30_000, 20_000, 10_000)
    assert (figures.held_fen, figures.delivered_fen, figures.in_wallets_fen) == (990, 4_950, 14_060)
    assert figures.left_fen + figures.in_wallets_fen + figures.held_fen + figures.delivered_fen == 30_000
    wallet = queries.wallet_of(alice, at=AT)
    assert (wallet.available_fen, wallet.held_fen) == (14_060, 990)
    history = queries.history_of(alice)
    assert (history[0]["balance_fen"], history[-1]["subject"]) == (14_060, "Spring festival")
