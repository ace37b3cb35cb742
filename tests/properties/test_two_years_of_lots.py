"""Two years of lots, with the clock moving: what is over is gone from the wallets, and the books hold at every step.

Whatever is granted, redeemed, delivered, refused, given as goodwill or recalled, whichever policy the contract has that
month: points are in a budget, a wallet, an order, delivered or lapsed, and never expire twice or out of an order.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benefits.fulfilment.models import Attempt, Delivery
from benefits.orders.models import Item, Order
from benefits.points import expiry, goodwill, recall, reminders
from benefits.points.errors import GoodwillGiven, GoodwillNotNeeded, InsufficientPoints
from benefits.points.models import Account, Grant, Lot, LotExtension, Posting
from reports import books
from tenants.identity.models import User
from tenants.models import Company
from tests import factories
from tests.factories import AT

OLGA = User(pk=7, username="olga")
END = AT + timedelta(days=730)

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["grant", "redeem", "redeem", "unknown", "deliver", "fail", "goodwill", "recall", "policy"]
        ),
        st.integers(0, 1),  # who, or which policy
        st.integers(0, 90),  # days until the next step
        st.integers(1, 120),  # days for which what is granted lives
    ),
    min_size=12,
    max_size=18,
)


@pytest.fixture
def company(module_company: Company) -> Iterator[Company]:
    factories.a_catalogue()
    Company.objects.filter(pk=module_company.pk).update(daily_limit_fen=10**9, refund_days=15)
    return module_company


def test_two_years(company: Company) -> None:
    seen: set[str] = set()

    @settings(
        max_examples=10,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(steps=STEPS)
    def live(steps: list[tuple[str, int, int, int]]) -> None:
        _live(company, steps)

    live()
    seen |= set(Posting.objects.values_list("kind", flat=True))
    assert {"expire", "lapse", "goodwill", "recover", "recall", "refund", "deliver"} <= seen, seen
    assert LotExtension.objects.exists(), "the clock never overtook an order"


def _live(company: Company, steps: list[tuple[str, int, int, int]]) -> None:
    people, budget = (
        [factories.an_employee("Alice"), factories.an_employee("Bob")],
        factories.a_budget(200_000),
    )
    at = AT
    for what, who, wait, life in steps:
        _step(company, what, who, people, budget, at=at, life=life)
        _check(company, at)
        at = min(at + timedelta(days=wait), END)
        reminders.remind(at=at)
        expiry.expire_due(at=at, lots=3)
        assert expiry.expire_due(at=at) == 0
        assert not Lot.objects.filter(expires_at__lte=at, remaining_fen__gt=0).exists()
        _check(company, at)


def _step(
    company: Company, what: str, who: int, people: list[Any], budget: Any, *, at: datetime, life: int
) -> None:
    alice = people[who]
    open_orders = Order.objects.filter(employee__in=people, status="placed").order_by("pk")
    match what:
        case "grant":
            factories.grant(budget, {alice: 6_000}, expires_at=at + timedelta(days=life), at=at)
        case "redeem" | "unknown":
            try:
                order = factories.redeem(alice, at=at)
            except InsufficientPoints:
                return
            if what == "unknown":
                attempt = factories.claim(Delivery.objects.get(order_number=order.number), at=at)
                Attempt.objects.filter(pk=attempt.pk).update(status="unknown")
        case "deliver" | "fail":
            if order := open_orders.first():
                _ends(order, "succeeded" if what == "deliver" else "failed", at=at)
        case "goodwill":
            for order in open_orders:
                delivery = Delivery.objects.get(order_number=order.number)
                try:
                    goodwill.credit(
                        delivery=delivery, fen=3_000, reason="Sorry", request_key=uuid4(), seen="unknown", actor=OLGA, at=at
                    )  # fmt: skip
                except (GoodwillGiven, GoodwillNotNeeded):
                    continue
        case "recall":
            if (made := Grant.objects.filter(budget=budget).first()) is not None:
                recall.recall_grant(grant=made, actor=None, at=at)
        case "policy":
            Company.objects.filter(pk=company.pk).update(expiry_policy=["return", "lapse"][who])


def _ends(order: Order, status: str, *, at: datetime) -> None:
    delivery = Delivery.objects.get(order_number=order.number)
    if not delivery.attempts.exists():
        factories.claim(delivery, at=at)
    Attempt.objects.filter(delivery=delivery).update(status=status, finished_at=at)
    Delivery.objects.filter(pk=delivery.pk).update(status=status, finished_at=at)
    assert factories.settle(at=at) == 1


def _check(company: Company, at: datetime) -> None:
    assert books.verify([company]) == []
    in_flight = sum(Item.objects.filter(status="placed").values_list("price_fen", flat=True))
    assert factories.derived_fen("held") == in_flight
    stored = sum(
        Account.objects.filter(balance_fen__isnull=False).values_list("balance_fen", flat=True)  # type: ignore[arg-type]
    )
    derived = {
        kind: factories.derived_fen(kind) for kind in ("funded", "held", "delivered", "lapsed", "loss")
    }
    assert stored + sum(derived.values()) == 0  # every fen that is somewhere came from funds or the platform
