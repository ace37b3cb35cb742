"""Two years of whatever companies do with points, in any order, at once, and with the clock moving on: it all holds.

After every step each check of the books passes, what the company paid in is all somewhere, a refused act has changed
nothing, and nothing spendable is over. Beside it runs a model in plain integers where an act happens alone.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from benefits.campaigns import operations as campaigns
from benefits.campaigns import queries as rules
from benefits.campaigns.definition import Amount, Audience, Definition, Expiry, Occasion
from benefits.fulfilment.models import Delivery
from benefits.orders import operations as orders
from benefits.orders.models import Item, Order
from benefits.people.models import Employee
from benefits.points import budgets, expiry, goodwill, leavers, recall, reminders
from benefits.points import operations as points
from benefits.points.models import Account, Grant, Lot, Posting
from benefits.roster import staff
from reports import balances, books
from tenants.db import connection
from tenants.errors import DomainError
from tenants.identity.models import User
from tenants.models import Company
from tests import factories
from tests.factories import AT
from tests.races import at_once

SKUS = ("topup-mobile-10", "topup-mobile-50", "iqiyi-month", "bundle-commuter")
BUDGETS, PEOPLE = 2, 3
ACTS: list[str] = []  # what happened, over all runs: a machine that did too little proves nothing


class Year(RuleBasedStateMachine):
    """A company with two budgets (one for some categories alone), three employees, a monthly rule and a clock."""

    company: Company
    operator: User

    @initialize(policy=st.sampled_from(["return", "lapse"]), leavers_return=st.booleans())
    def open(self, policy: str, leavers_return: bool) -> None:
        self.at: datetime = AT
        Company.objects.filter(pk=self.company.pk).update(
            daily_limit_fen=10**9,
            expiry_policy=policy,
            leaver_policy="return" if leavers_return else "freeze",
        )
        self.since = balances_of(self.company)
        self.budgets = [factories.a_budget(30_000), factories.a_budget(30_000, categories=["phone"])]
        self.paid_in = 60_000
        self.people = [factories.an_employee(f"P{n}") for n in range(PEOPLE)]
        for one in self.people:
            factories.grant(self.budgets[0], {one: 8_000}, expires_at=AT + timedelta(days=20))
        audience = Audience(numbers=tuple((one.employee_no, None) for one in self.people))
        self.rule = campaigns.make_rule(
            name=f"Monthly {uuid4().hex[:8]}",
            budget=self.budgets[0],
            definition=Definition(
                audience, Occasion("monthly", day=5), Amount(fen=500), Expiry("months", months=2)
            ),
            actor=None,
            at=AT,
        )
        campaigns.activate_rule(rule=self.rule, actor=None, at=AT)

    # --- one act at a time ------------------------------------------------------------------------------------------

    @rule(days=st.integers(1, 45))
    def time_passes(self, days: int) -> None:
        """The house is kept as the calendar wants it: rules run, lots expire, people are reminded, grace ends."""
        self.at += timedelta(days=days)
        for _ in range(2):  # what runs again changes nothing
            before = self.state()
            self.keep_house()
        assert self.state() == before
        over = Lot.objects.filter(remaining_fen__gt=0, expires_at__lte=self.at)
        assert not over.exists(), "something that is over can still be spent"

    def keep_house(self) -> None:
        expiry.expire_due(at=self.at)
        campaigns.run_due(at=self.at)
        self.hand_out()
        reminders.remind(at=self.at)
        leavers.end_grace(at=self.at)

    def hand_out(self) -> None:
        for rehearsal in rules.running():
            while campaigns.hand_out(rehearsal=rehearsal, at=self.at, wallets=1):
                pass

    @rule(which=st.integers(0, BUDGETS - 1), fen=st.integers(1, 20_000))
    def pay_in_and_load(self, which: int, fen: int) -> None:
        factories.a_deposit(fen, at=self.at)
        self.paid_in += fen
        self.attempt(self.load, which, fen)

    @rule(which=st.integers(0, BUDGETS - 1), fen=st.integers(1, 25_000))
    def unload_some(self, which: int, fen: int) -> None:
        self.attempt(self.unload, which, fen)

    @rule(source=st.integers(0, BUDGETS - 1), fen=st.integers(1, 25_000))
    def move_some(self, source: int, fen: int) -> None:
        self.attempt(self.move, source, fen)

    @rule(
        which=st.integers(0, BUDGETS - 1),
        who=st.integers(0, PEOPLE - 1),
        fen=st.integers(1, 12_000),
        days=st.sampled_from([None, 1, 8, 31, 90]),
    )
    def grant_some(self, which: int, who: int, fen: int, days: int | None) -> None:
        self.attempt(self.grant, which, who, fen, days)

    @rule(who=st.integers(0, PEOPLE - 1), sku=st.sampled_from(SKUS))
    def redeem_one(self, who: int, sku: str) -> None:
        self.attempt(self.redeem, who, sku)

    @rule(succeeds=st.booleans(), lately=st.booleans())
    def an_outcome(self, succeeds: bool, lately: bool) -> None:
        """A supplier answers for the oldest or the newest open delivery, whenever that is."""
        open_ones = Delivery.objects.filter(
            company="acme", finished_at__isnull=True, item_id__in=self.item_ids()
        )
        delivery = open_ones.order_by("-pk" if lately else "pk").first()
        if delivery is not None:
            factories.record_outcome(delivery, succeeds=succeeds, at=self.at)
            self.did("succeeded" if succeeds else "failed")

    @rule()
    def settle(self) -> None:
        """What has an outcome is closed: delivered, or back in its lots, over or not."""
        factories.settle(at=self.at)
        assert factories.settle(at=self.at) == 0

    @rule(who=st.integers(0, PEOPLE - 1))
    def cancel_one(self, who: int) -> None:
        order = Order.objects.filter(employee=self.people[who], status="placed").order_by("pk").first()
        if order is not None and self.people[who].user is not None:
            self.attempt(orders.cancel, order=order, actor=self.people[who].user, at=self.at)

    @rule(place=st.integers(0, 50))
    def recall_one(self, place: int) -> None:
        grants = list(Grant.objects.filter(budget__in=self.budgets).order_by("pk"))
        self.attempt(self.recall, grants[place % len(grants)])

    @rule(fen=st.integers(1, 3_000), place=st.integers(0, 50))
    def give_goodwill(self, fen: int, place: int) -> None:
        """For something that failed, or whose outcome nobody knows, once an item."""
        deliveries = list(Delivery.objects.filter(company="acme", item_id__in=self.item_ids()).order_by("pk"))
        if deliveries:
            delivery = deliveries[place % len(deliveries)]
            self.attempt(
                goodwill.credit, delivery=delivery, fen=fen, reason="sorry", request_key=uuid4(),
                seen=goodwill.state_of(delivery), actor=self.operator, at=self.at,
            )  # fmt: skip

    @rule(who=st.integers(0, PEOPLE - 1))
    def leave_or_return(self, who: int) -> None:
        employee = Employee.objects.get(pk=self.people[who].pk)
        act = staff.leave if employee.is_active else staff.bring_back
        self.attempt(act, employees=[employee.pk], actor=None, at=self.at)

    # --- several at once --------------------------------------------------------------------------------------------

    @rule(data=st.data())
    def all_at_once(self, data: st.DataObject) -> None:
        """Up to four acts at the same moment: each happens whole or not at all, in whatever order."""
        who, which = data.draw(st.integers(0, PEOPLE - 1)), data.draw(st.integers(0, BUDGETS - 1))
        fen = data.draw(st.integers(1_000, 9_000))
        grant = Grant.objects.filter(budget__in=self.budgets).order_by("-pk").first()
        acts: list[Callable[[], object]] = [
            lambda: self.redeem(who, "topup-mobile-50"),
            lambda: self.redeem(who, "iqiyi-month"),
            lambda: self.grant(which, who, fen, 30),
            lambda: self.move(which, fen),
            lambda: self.unload(which, fen),
            lambda: expiry.expire_due(at=self.at),
            lambda: factories.settle(at=self.at),
            lambda: campaigns.run_due(at=self.at),
            lambda: grant and self.recall(grant),
        ]
        chosen = data.draw(st.lists(st.sampled_from(acts), min_size=2, max_size=4))
        answers = at_once(*chosen, company=self.company)
        unexpected = [
            one for one in answers if isinstance(one, Exception) and not isinstance(one, DomainError)
        ]
        assert not unexpected, unexpected
        self.did("at once")
        self.hand_out()

    # --- the acts ---------------------------------------------------------------------------------------------------

    def load(self, which: int, fen: int) -> object:
        return points.load_budget(
            budget=self.budgets[which], fen=fen, request_key=uuid4(), actor=None, at=self.at
        )

    def unload(self, which: int, fen: int) -> object:
        return points.unload_budget(
            budget=self.budgets[which], fen=fen, request_key=uuid4(), actor=None, at=self.at
        )

    def move(self, source: int, fen: int) -> object:
        return budgets.move_budget(
            source=self.budgets[source], target=self.budgets[1 - source], fen=fen, request_key=uuid4(), actor=None,
            at=self.at,
        )  # fmt: skip

    def grant(self, which: int, who: int, fen: int, days: int | None) -> object:
        until = None if days is None else self.at + timedelta(days=days)
        return factories.grant(self.budgets[which], {self.people[who]: fen}, expires_at=until, at=self.at)

    def redeem(self, who: int, sku: str) -> object:
        return factories.redeem(self.people[who], sku, at=self.at)

    def recall(self, grant: Grant) -> object:
        return recall.recall_grant(grant=grant, actor=None, at=self.at)

    def attempt(self, act: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        """Do it; what is refused has changed nothing."""
        before = self.state()
        try:
            act(*args, **kwargs)
        except DomainError:
            assert self.state() == before, f"{act} was refused and changed something"
            self.did(f"{act.__name__} refused")
        else:
            self.did(act.__name__)

    def did(self, what: str) -> None:
        ACTS.append(what)

    # --- what holds -------------------------------------------------------------------------------------------------

    def state(self) -> list[tuple[Any, ...]]:
        """Every balance and lot, and how many postings there are."""
        return [
            *Account.objects.filter(balance_fen__isnull=False)
            .order_by("pk")
            .values_list("pk", "balance_fen"),
            *Lot.objects.order_by("pk").values_list("pk", "remaining_fen", "expires_at"),
            (Posting.objects.count(), Order.objects.count(), factories.funds_fen(self.company)),
        ]

    def item_ids(self) -> list[int]:
        return list(Item.objects.filter(order__employee__in=self.people).values_list("pk", flat=True))

    @invariant()
    def promises_hold(self) -> None:
        assert books.verify([self.company]) == []

    @invariant()
    def what_was_paid_in_is_somewhere(self) -> None:
        if not hasattr(self, "paid_in"):
            return
        now = balances_of(self.company)
        assert sum(now.values()) - sum(self.since.values()) == self.paid_in, now

    @invariant()
    def the_past_stays(self) -> None:
        """What the books say of an instant does not change with what happens later."""
        if not hasattr(self, "at"):
            return
        told = {
            name: balances.balance_at(account=name, at=self.at).fen
            for name in (f"budget:{self.budgets[0].pk}", f"wallet:{self.people[0].employee_no}", "held")
        }
        assert told[f"budget:{self.budgets[0].pk}"] == factories.budget_fen(self.budgets[0])
        assert told[f"wallet:{self.people[0].employee_no}"] == factories.wallet_fen(self.people[0])
        earlier: dict[str, tuple[datetime, int]] = self.__dict__.setdefault("told", {})
        for name, (at, fen) in earlier.items():
            if at < self.at:
                assert balances.balance_at(account=name, at=at).fen == fen, name
        for name, fen in told.items():
            if name not in earlier or earlier[name][0] == self.at:
                earlier[name] = (self.at, fen)


def balances_of(company: Company) -> dict[str, int]:
    """Where all value is: funds, the scarce accounts, and the company's own; `loss` is what the platform put in."""
    stored = Account.objects.filter(balance_fen__isnull=False).aggregate(fen=Sum("balance_fen"))["fen"] or 0
    own = {kind: factories.derived_fen(kind) for kind in ("held", "delivered", "lapsed", "loss")}
    return {"funds": factories.funds_fen(company), "stored": stored, **own}


@pytest.fixture
def company(module_company: Company) -> Iterator[Company]:
    """Acme in a database of its own; each run of the machine brings new people, budgets and a rule."""
    factories.a_catalogue()
    return module_company


def test_two_years_of_points(company: Company) -> None:
    Year.company = company
    connection.set_schema_to_public()
    Year.operator = User.objects.create_user("olga", password=None, name="Olga")
    connection.set_tenant(company)
    run_state_machine_as_test(
        Year,
        settings=settings(
            max_examples=6, stateful_step_count=20, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate],
        ),
    )  # fmt: skip
    done = set(ACTS)
    assert {
        "at once",
        "failed",
        "succeeded",
        "load",
        "unload",
        "move",
        "grant",
        "redeem",
        "recall",
    } <= done, done
    kinds = set(Posting.objects.values_list("kind", flat=True))
    assert {"load", "unload", "move", "allot", "grant", "redeem", "deliver", "refund", "recall"} <= kinds, (
        kinds
    )
    assert {"expire", "lapse", "goodwill"} <= kinds, kinds
