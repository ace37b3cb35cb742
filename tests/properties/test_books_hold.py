"""Whatever is done in whatever order, no fen is made or lost: every promise and a plain model hold after each step."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from benefits.fulfilment.models import Delivery
from benefits.orders.models import Order
from benefits.people.models import Employee
from benefits.points import operations as points
from benefits.points.errors import InsufficientBudget, InsufficientPoints
from benefits.points.models import Budget
from reports import books
from tenants.models import Company
from tests import factories
from tests.factories import AT

SKUS = ["topup-mobile-10", "topup-mobile-50", "iqiyi-month", "bundle-commuter"]
ALL = [*SKUS, "qq-music-month"]
PRICES = {"topup-mobile-10": 990, "topup-mobile-50": 4_950, "iqiyi-month": 2_500, "bundle-commuter": 6_700}


class Books(RuleBasedStateMachine):
    """Money into funds, a budget, two wallets, orders, outcomes and back, beside a model in plain integers."""

    company: Company
    orders: Bundle[Any] = Bundle("orders")
    done: Bundle[Any] = Bundle("done")

    @initialize()
    def open(self) -> None:
        """A budget, two wallets that hold something and no limit but what they hold."""
        Company.objects.filter(pk=self.company.pk).update(daily_limit_fen=10**9)
        self.budget: Budget = factories.a_budget(40_000)
        self.people: list[Employee] = [factories.an_employee("Alice"), factories.an_employee("Bob")]
        factories.grant(self.budget, dict.fromkeys(self.people, 8_000))
        self.funds = factories.funds_fen(self.company)
        self.left = 24_000
        self.wallets = [8_000, 8_000]
        self.held = factories.derived_fen("held")
        self.delivered = factories.derived_fen("delivered")

    @rule(fen=st.integers(1, 20_000))
    def deposit_and_load(self, fen: int) -> None:
        """The company pays, and loads all of it twice with one key."""
        factories.a_deposit(fen)
        key = uuid4()
        for _ in range(2):
            points.load_budget(budget=self.budget, fen=fen, request_key=key, actor=None, at=AT)
        self.left += fen

    @rule(fen=st.integers(1, 20_000))
    def unload(self, fen: int) -> None:
        """What the budget holds goes back to funds; more than that is refused."""
        try:
            points.unload_budget(budget=self.budget, fen=fen, request_key=uuid4(), actor=None, at=AT)
        except InsufficientBudget:
            assert fen > self.left
        else:
            self.left -= fen
            self.funds += fen

    @rule(who=st.integers(0, 1), fen=st.integers(1, 15_000))
    def grant(self, who: int, fen: int) -> None:
        """Points for one person, sent twice with one key."""
        key = uuid4()
        try:
            for _ in range(2):
                factories.grant(self.budget, {self.people[who]: fen}, key=key)
        except InsufficientBudget:
            assert fen > self.left
        else:
            self.left -= fen
            self.wallets[who] += fen

    @rule(target=orders, who=st.integers(0, 1), sku=st.sampled_from(SKUS), repeated=st.booleans())
    def redeem(self, who: int, sku: str, repeated: bool) -> Any:
        """One order, sent once or twice with one key."""
        key: UUID = uuid4()
        try:
            order = factories.redeem(self.people[who], sku, key=key)
        except InsufficientPoints:
            assert PRICES[sku] > self.wallets[who]
            return multiple()
        self.wallets[who] -= PRICES[sku]
        self.held += PRICES[sku]
        if repeated:
            assert factories.redeem(self.people[who], sku, key=key) == order
        return order, who

    @rule(target=done, order=consumes(orders), fails=st.sampled_from([[], ["topup-mobile-50"], ALL]))
    def outcome(self, order: tuple[Order, int], fails: list[str]) -> Any:
        """The supplier delivers each item or refuses it; of a bundle perhaps one part."""
        factories.deliver(order[0], fails=fails)
        return order

    @rule(order=consumes(done))
    def settle(self, order: tuple[Order, int]) -> None:
        """Everything with an outcome is closed: delivered, or back in the wallet."""
        unsettled = Delivery.objects.filter(
            company="acme", settled_at__isnull=True, finished_at__isnull=False
        )
        expected = list(unsettled.values_list("order_number", "status", "ceiling_fen"))
        owners = dict(Order.objects.values_list("number", "employee_id"))
        assert factories.settle() == len(expected)
        for number, status, fen in expected:
            self.held -= fen
            if status == "succeeded":
                self.delivered += fen
            else:
                mine = [one.pk for one in self.people]
                if owners[number] in mine:
                    self.wallets[mine.index(owners[number])] += fen
        assert factories.settle() == 0

    @invariant()
    def promises_hold(self) -> None:
        """Every check of the books, and the model."""
        assert books.verify([self.company]) == []
        if not hasattr(self, "wallets"):
            return
        assert [factories.wallet_fen(one) for one in self.people] == self.wallets
        assert factories.budget_fen(self.budget) == self.left
        assert factories.funds_fen(self.company) == self.funds
        assert factories.derived_fen("held") == self.held
        assert factories.derived_fen("delivered") == self.delivered


@pytest.fixture
def company(module_company: Company) -> Iterator[Company]:
    """Acme in a database of its own; each run of the machine brings new people and a new budget."""
    factories.a_catalogue()
    return module_company


def test_no_fen_is_made_or_lost(company: Company) -> None:
    Books.company = company
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=10, stateful_step_count=16, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    placed = Order.objects.values_list("status", flat=True)
    assert {"placed", "delivered", "refunded"} <= set(placed), "the machine did too little to prove anything"
    assert len(placed) >= 10
