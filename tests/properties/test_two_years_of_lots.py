"""Two years of lots, with the clock moving: what is over is gone from the wallets, and the books hold at every step.

Whatever is granted, redeemed, delivered, refused, given as goodwill or recalled, whichever policy the contract has that
month: points are in a budget, a wallet, an order, delivered or lapsed, and never expire twice or out of an order.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

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

DOINGS = {
    "grant": 5, "redeem": 4, "unknown": 5, "deliver": 2, "fail": 4, "goodwill": 5, "recall": 1, "policy": 2,
}  # fmt: skip
SEEDS = range(5)


@pytest.fixture
def company(module_company: Company) -> Iterator[Company]:
    factories.a_catalogue()
    Company.objects.filter(pk=module_company.pk).update(daily_limit_fen=10**9, refund_days=15)
    return module_company


def test_two_years(company: Company) -> None:
    for seed in SEEDS:
        _live(company, random.Random(seed))

    seen = set(Posting.objects.values_list("kind", flat=True))
    assert {"expire", "lapse", "goodwill", "recover", "recall", "refund", "deliver"} <= seen, seen
    assert LotExtension.objects.exists(), "the clock never overtook an order"


def _live(company: Company, chance: random.Random) -> None:
    people, budget, at = (
        [factories.an_employee("Alice"), factories.an_employee("Bob")],
        factories.a_budget(300_000),
        AT,
    )
    for alice in people:
        factories.grant(budget, {alice: 6_000}, expires_at=at + timedelta(days=20))
    while at < END:
        [what] = chance.choices(list(DOINGS), weights=list(DOINGS.values()))
        _step(company, what, chance.randint(0, 1), people, budget, at=at, life=chance.randint(1, 90))
        at = min(at + timedelta(days=chance.choice([0, 1, 10, 30, 60])), END)
        reminders.remind(at=at)
        expiry.expire_due(at=at, lots=3)
        assert expiry.expire_due(at=at) == 0
        assert not Lot.objects.filter(expires_at__lte=at, remaining_fen__gt=0).exists()
        _check(company)


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


def _check(company: Company) -> None:
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
