"""Budgets after they were opened: moved between, revised, closed, ended; the equation holds whatever happened."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection
from django.db import transaction as raw

from benefits.points import budgets, leavers, ledger, operations, overview, queries
from benefits.points.errors import (
    BudgetBusy,
    BudgetClosed,
    BudgetNotFound,
    CategoriesOnlyWiden,
    InsufficientBudget,
    InvalidCarryOver,
    InvalidPoints,
    InvalidValidity,
    RequestKeyReused,
)
from benefits.points.models import Account, Budget, Grant, Posting
from reports import books
from tenants.db import transaction
from tenants.identity.models import AuditEvent
from tenants.models import Company
from tests import factories
from tests.factories import AT

TODAY = AT.date()
LATER = AT + timedelta(days=40)
END = TODAY + timedelta(days=30)


def move(source: Budget, target: Budget, fen: int, *, key: Any = None, at: datetime = AT) -> Posting:
    return budgets.move_budget(
        source=source, target=target, fen=fen, request_key=key or uuid4(), actor=None, at=at
    )


def revise(budget: Budget, *, at: datetime = AT, **changes: Any) -> Budget:
    budget.refresh_from_db()
    terms = {
        name: getattr(budget, name)
        for name in (
            "name",
            "owner",
            "from_date",
            "to_date",
            "categories",
            "cost_centre",
            "department",
            "at_end",
            "carry_to",
        )
    }
    return budgets.revise_budget(budget=budget, **terms | changes, actor=None, at=at)


def close(budget: Budget, *, at: datetime = AT) -> Budget:
    return budgets.close_budget(budget=budget, actor=None, at=at)


def trail(budget: Budget) -> list[str]:
    found = AuditEvent.objects.filter(subject=f"points.budget:{budget.pk}").order_by("pk")
    return list(found.values_list("action", flat=True))


def test_a_move_takes_from_one_and_gives_to_the_other(acme: Company) -> None:
    source, target = factories.a_budget(1_000), factories.a_budget(categories=["phone"])
    key = uuid4()
    first = move(source, target, 400, key=key)
    assert move(source, target, 400, key=key) == first
    assert (factories.budget_fen(source), factories.budget_fen(target)) == (600, 400)
    with pytest.raises(RequestKeyReused):
        move(source, target, 401, key=key)
    with pytest.raises(RequestKeyReused):
        move(target, source, 400, key=key)
    assert trail(source)[-1] == "budget.moved_out"
    assert trail(target)[-1] == "budget.moved_in"
    assert queries.figures_of(source).moved_out_fen == queries.figures_of(target).moved_in_fen == 400
    assert books.verify([acme]) == []


@pytest.mark.parametrize("fen", [0, -1, 1_001])
def test_a_move_of_nothing_or_too_much_is_refused(acme: Company, fen: int) -> None:
    source, target = factories.a_budget(1_000), factories.a_budget()
    with pytest.raises((InvalidPoints, InsufficientBudget)):
        move(source, target, fen)
    assert factories.budget_fen(source) == 1_000


def test_a_move_to_itself_or_to_one_that_is_not_open_is_refused(acme: Company) -> None:
    source = factories.a_budget(1_000)
    with pytest.raises(InvalidPoints):
        move(source, source, 1)
    closed = close(factories.a_budget())
    over = factories.a_budget(to_date=TODAY)
    for target, at in ((closed, AT), (over, AT + timedelta(days=1))):
        with pytest.raises(BudgetClosed):
            move(source, target, 1, at=at)
    assert move(factories.a_budget(10, to_date=TODAY), source, 10, at=LATER), "out of one that is over"


def test_the_platforms_budget_is_not_the_companys_to_move(acme: Company) -> None:
    own = factories.a_budget(1_000)
    platforms = factories.a_budget(500, name="goodwill")
    Budget.objects.filter(pk=platforms.pk).update(purpose=Budget.Purpose.GOODWILL)
    platforms.refresh_from_db()
    for attempt in (
        lambda: move(platforms, own, 1),
        lambda: move(own, platforms, 1),
        lambda: close(platforms),
        lambda: revise(platforms, owner="me"),
        lambda: operations.load_budget(budget=platforms, fen=1, request_key=uuid4(), actor=None, at=AT),
        lambda: operations.unload_budget(budget=platforms, fen=1, request_key=uuid4(), actor=None, at=AT),
        lambda: queries.find_budget("goodwill"),
    ):
        with pytest.raises(BudgetNotFound):
            attempt()
    assert platforms not in queries.budgets()


def test_what_is_revised_stands_in_the_trail(acme: Company) -> None:
    budget = factories.a_budget(1_000, to_date=END)
    next_year = factories.a_budget()
    revise(budget, owner="Lin", cost_centre="CC-7", at_end="carry", carry_to=next_year)
    event = AuditEvent.objects.filter(action="budget.revised").get()
    assert event.facts["changed"] == ["owner", "cost_centre", "at_end", "carry_to_id"]
    assert event.facts["before"] == {
        "owner": "hana",
        "cost_centre": "",
        "at_end": "stay",
        "carry_to_id": None,
    }
    assert event.facts["after"]["carry_to_id"] == next_year.pk
    budget.refresh_from_db()
    revise(budget)
    assert AuditEvent.objects.filter(action="budget.revised").count() == 1, "nothing was different"


def test_a_validity_is_not_rewritten(acme: Company) -> None:
    budget = factories.a_budget(1_000, to_date=END)
    with pytest.raises(InvalidValidity):
        revise(budget, to_date=TODAY - timedelta(days=1))
    with pytest.raises(InvalidValidity):
        revise(budget, from_date=TODAY + timedelta(days=9), to_date=TODAY + timedelta(days=8))
    assert revise(budget, from_date=TODAY, to_date=TODAY).to_date == TODAY
    factories.grant(budget, {factories.an_employee(): 100})
    with pytest.raises(InvalidValidity):
        revise(budget, from_date=TODAY - timedelta(days=3))
    assert revise(budget, to_date=None, at=LATER).to_date is None


def test_categories_only_widen_while_employees_hold_points_of_it(acme: Company) -> None:
    alice = factories.an_employee()
    limited = factories.a_budget(1_000, categories=["phone", "video"])
    assert revise(limited, categories=["phone"]).categories == ["phone"], "nobody holds any"
    factories.grant(limited, {alice: 100})
    for categories in (["video"], ["video", "music"]):
        with pytest.raises(CategoriesOnlyWiden):
            revise(limited, categories=categories)
    assert revise(limited, categories=["phone", "video"]).categories == ["phone", "video"]
    assert revise(limited, categories=[]).categories == []
    with pytest.raises(CategoriesOnlyWiden):
        revise(limited, categories=["phone"])


@pytest.mark.parametrize("which", ["itself", "closed", "shorter", "same end", "the platform's"])
def test_only_an_open_budget_that_lives_longer_takes_over(acme: Company, which: str) -> None:
    budget = factories.a_budget(to_date=END)
    target = {
        "itself": lambda: budget,
        "closed": lambda: close(factories.a_budget()),
        "shorter": lambda: factories.a_budget(to_date=END - timedelta(days=1)),
        "same end": lambda: factories.a_budget(to_date=END),
        "the platform's": lambda: factories.a_budget(),
    }[which]()
    if which == "the platform's":
        Budget.objects.filter(pk=target.pk).update(purpose=Budget.Purpose.GOODWILL)
        target.refresh_from_db()
    with pytest.raises(InvalidCarryOver):
        revise(budget, at_end="carry", carry_to=target)
    if which != "itself":
        with pytest.raises(InvalidCarryOver):
            operations.open_budget(
                name="x",
                owner="x",
                from_date=TODAY,
                to_date=END,
                at_end="carry",
                carry_to=target,
                actor=None,
                at=AT,
            )


@pytest.mark.parametrize("at_end", ["stay", "return", "carry"])
def test_closing_leaves_nothing_behind(acme: Company, at_end: str) -> None:
    other = factories.a_budget()
    budget = factories.a_budget(1_000)
    revise(budget, at_end=at_end, carry_to=other if at_end == "carry" else None)
    alice = factories.an_employee()
    factories.grant(budget, {alice: 300})
    close(budget)
    close(budget)
    budget.refresh_from_db()
    assert (budget.status, budget.ended_at) == ("closed", AT)
    assert factories.budget_fen(budget) == 0
    assert factories.wallet_fen(alice) == 300
    carried = at_end == "carry"
    assert (factories.budget_fen(other), factories.funds_fen(acme)) == ((700, 0) if carried else (0, 700))
    with pytest.raises(BudgetClosed):
        operations.load_budget(budget=budget, fen=1, request_key=uuid4(), actor=None, at=AT)
    with pytest.raises(BudgetClosed):
        revise(budget, owner="x")
    assert trail(budget).count("budget.closed") == 1
    assert books.verify([acme]) == []


def test_running_grants_and_a_closed_heir_block_closing(acme: Company) -> None:
    other = factories.a_budget()
    budget = factories.a_budget(1_000)
    revise(budget, at_end="carry", carry_to=other)
    grant = factories.grant(budget, {factories.an_employee(): 300})
    Grant.objects.filter(pk=grant.pk).update(status=Grant.Status.RUNNING)
    with pytest.raises(BudgetBusy):
        close(budget)
    Grant.objects.filter(pk=grant.pk).update(status=Grant.Status.DONE)
    close(other)
    with pytest.raises(InvalidCarryOver):
        close(budget)
    assert factories.budget_fen(budget) == 700


@pytest.mark.parametrize("at_end", ["stay", "return", "carry"])
def test_the_end_of_a_validity_is_dealt_with_once(acme: Company, at_end: str) -> None:
    heir = factories.a_budget(from_date=END + timedelta(days=60))
    budget = factories.a_budget(1_000, to_date=END)
    revise(budget, at_end=at_end, carry_to=heir if at_end == "carry" else None)
    assert budgets.end_budgets(at=AT + timedelta(days=30)) == 0, "its last day is not over"
    assert budgets.end_budgets(at=LATER) == 1
    assert budgets.end_budgets(at=LATER) == 0
    budget.refresh_from_db()
    assert (budget.status, budget.ended_at) == ("open", LATER)
    expected = {"stay": (1_000, 0, 0), "return": (0, 1_000, 0), "carry": (0, 0, 1_000)}[at_end]
    assert (factories.budget_fen(budget), factories.funds_fen(acme), factories.budget_fen(heir)) == expected
    assert trail(budget).count("budget.ended") == 1
    assert books.verify([acme]) == []


def test_what_comes_back_late_goes_the_same_way(acme: Company) -> None:
    alice = factories.an_employee()
    ended = factories.a_budget(1_000, to_date=END)
    revise(ended, at_end="return")
    closed = factories.a_budget(1_000)
    staying = factories.a_budget(1_000, to_date=END)
    for budget in (ended, closed, staying):
        factories.grant(budget, {alice: 400})
    close(closed)
    budgets.end_budgets(at=LATER)
    assert factories.funds_fen(acme) == 1_200
    with transaction():
        ledger.take_back(wallets=[alice.wallet.pk], at=LATER)
    assert [factories.budget_fen(one) for one in (ended, closed, staying)] == [400, 400, 1_000]
    assert budgets.end_budgets(at=LATER + timedelta(days=1)) == 2
    assert budgets.end_budgets(at=LATER + timedelta(days=2)) == 0
    assert [factories.budget_fen(one) for one in (ended, closed, staying)] == [0, 0, 1_000]
    assert factories.funds_fen(acme) == 2_000
    kinds = [entry.kind for entry in overview.recent_entries(ended)]
    assert kinds == ["unload", "recall", "unload", "load"]
    assert books.verify([acme]) == []


def test_an_end_that_cannot_be_carried_over_waits_and_one_that_is_extended_ends_anew(acme: Company) -> None:
    heir = factories.a_budget()
    budget = factories.a_budget(1_000, to_date=END)
    revise(budget, at_end="carry", carry_to=heir)
    close(heir)
    assert budgets.end_budgets(at=LATER) == 0
    budget.refresh_from_db()
    assert budget.ended_at is None
    revise(budget, at_end="stay", carry_to=None, at=LATER)
    assert budgets.end_budgets(at=LATER) == 1
    budget.refresh_from_db()
    revise(budget, at_end="return", to_date=LATER.date() + timedelta(days=5), at=LATER)
    assert budget.ended_at is not None
    assert budgets.end_budgets(at=LATER) == 0
    assert budgets.end_budgets(at=LATER + timedelta(days=6)) == 1
    assert factories.funds_fen(acme) == 1_000


def test_the_equation_names_every_place(acme: Company) -> None:
    factories.a_catalogue()
    budget, other = factories.a_budget(50_000), factories.a_budget(2_000)
    alice, bob = factories.an_employee(), factories.an_employee("Bob")
    factories.grant(budget, {alice: 20_000, bob: 3_000})
    factories.deliver(factories.redeem(alice))
    factories.settle()
    factories.redeem(alice, "topup-mobile-10")
    move(budget, other, 1_000)
    move(other, budget, 500)
    operations.unload_budget(budget=budget, fen=700, request_key=uuid4(), actor=None, at=AT)
    with transaction():
        ledger.take_back(wallets=[bob.wallet.pk], at=AT)
        allotted = ledger.company_account(Account.Kind.ALLOTTED)
        ledger.post(
            kind=Posting.Kind.ALLOT,
            source=budget.account,
            destination=allotted,
            fen=600,
            reference="allot:1",
            at=AT,
        )
        Grant.objects.create(
            budget=budget,
            reason="x",
            request_key=uuid4(),
            request_digest="x",
            employees=2,
            total_fen=600,
            status="running",
            granted_by="x",
            at=AT,
        )
        lapsed = ledger.company_account(Account.Kind.LAPSED)
        posting = ledger.post(
            kind=Posting.Kind.LAPSE,
            source=alice.wallet,
            destination=lapsed,
            fen=100,
            reference="expire:1",
            at=AT,
        )
        posting.lot_entries.create(lot=alice.wallet.lots.get(), fen=-100)
    figures = queries.figures_of(budget)
    assert figures.adds_up
    assert (figures.loaded_fen, figures.moved_in_fen, figures.returned_fen, figures.moved_out_fen) == (
        50_000,
        500,
        700,
        1_000,
    )
    assert figures.left_fen == 50_000 - 23_000 + 3_000 - 1_000 + 500 - 700 - 600
    assert (figures.held_fen, figures.delivered_fen) == (990, 4_950)
    assert figures.in_wallets_fen == 20_000 - 990 - 4_950 - 100
    assert figures.allotted_fen == 600
    assert figures.lapsed_fen == 100
    assert figures.whole_fen == 48_800
    names = {violation.check for violation in books.verify([acme])}
    assert not names & {"budgets_add_up", "set_aside_is_being_handed_out"}


def test_when_a_budget_runs_out_is_told_by_its_pace(acme: Company) -> None:
    budget = factories.a_budget(10_000)
    alice = factories.an_employee()
    factories.grant(budget, {alice: 2_000}, at=AT + timedelta(days=1))

    def forecast(days: int) -> date | None:
        return overview.runs_out_on(budget, queries.figures_of(budget), at=AT + timedelta(days=days))

    assert forecast(10) is None, "too early to tell"
    assert forecast(20) == TODAY + timedelta(days=20 + 8_000 * 20 // 2_000)
    assert forecast(200) is None, "nothing was granted lately"


def test_two_moves_of_the_last_fen(race_company: Company, at_once: Callable[..., list[object]]) -> None:
    source = factories.a_budget(1_000)
    first, second = factories.a_budget(), factories.a_budget()
    answers = at_once(
        *(lambda target=target: move(source, target, 1_000) for target in (first, second, first, second))
    )
    assert sum(isinstance(answer, Posting) for answer in answers) == 1
    assert sum(isinstance(answer, InsufficientBudget) for answer in answers) == 3
    assert factories.budget_fen(source) == 0
    assert books.verify([race_company]) == []


def test_moves_both_ways_and_a_grant_and_a_return_do_not_block_one_another(
    race_company: Company, at_once: Callable[..., list[object]]
) -> None:
    one, two = factories.a_budget(1_000), factories.a_budget(1_000)
    alice = factories.an_employee()
    factories.grant(one, {alice: 200})

    def leave() -> int:
        with transaction():
            return ledger.take_back(wallets=[alice.wallet.pk], at=AT)

    key = uuid4()
    answers = at_once(
        lambda: move(one, two, 300),
        lambda: move(two, one, 300),
        lambda: move(two, one, 50, key=key),
        lambda: move(two, one, 50, key=key),
        lambda: factories.grant(two, {alice: 600}),
        lambda: operations.unload_budget(budget=one, fen=100, request_key=uuid4(), actor=None, at=AT),
        leave,
    )
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert books.verify([race_company]) == []
    total = factories.budget_fen(one) + factories.budget_fen(two) + factories.wallet_fen(alice)
    assert total + factories.funds_fen(race_company) == 2_000


def test_a_grant_and_a_move_of_the_last_fen(
    race_company: Company, at_once: Callable[..., list[object]]
) -> None:
    budget, other = factories.a_budget(1_000), factories.a_budget()
    alice = factories.an_employee()
    answers = at_once(lambda: move(budget, other, 1_000), lambda: factories.grant(budget, {alice: 1_000}))
    assert sum(isinstance(answer, InsufficientBudget) for answer in answers) == 1
    assert factories.budget_fen(other) + factories.wallet_fen(alice) == 1_000


def test_the_end_is_dealt_with_once_by_many_workers(
    race_company: Company, at_once: Callable[..., list[object]]
) -> None:
    heir = factories.a_budget()
    ending = [factories.a_budget(1_000, to_date=END) for _ in range(3)]
    for budget in ending[:2]:
        revise(budget, at_end="return")
    revise(ending[2], at_end="carry", carry_to=heir)
    answers = at_once(
        *(lambda: budgets.end_budgets(at=LATER) for _ in range(4)), lambda: close(ending[0], at=LATER)
    )
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert factories.funds_fen(race_company) == 2_000
    assert factories.budget_fen(heir) == 1_000
    assert books.verify([race_company]) == []


@pytest.mark.parametrize(
    ("sql", "refusal"),
    [
        (
            "INSERT INTO points_posting (kind, source_id, destination_id, fen, reference, at)"
            " VALUES ('move', {one}, {two}, 1001, 'x', now())",
            "account_not_overdrawn",
        ),
        ("UPDATE points_budget SET carry_to_id = id, at_end = 'carry' WHERE account_id = {one}", "another"),
        ("UPDATE points_budget SET at_end = 'carry' WHERE account_id = {one}", "budget_carries_over_to_one"),
        ("UPDATE points_posting SET kind = 'move' WHERE kind = 'load'", "points_posting"),
        ("UPDATE points_account SET balance_fen = 5 WHERE id = {one}", "follows from its postings"),
    ],
)
def test_the_database_refuses(acme: Company, sql: str, refusal: str) -> None:
    one, two = factories.a_budget(1_000), factories.a_budget()
    with pytest.raises(IntegrityError, match=refusal), raw.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.format(one=one.account_id, two=two.account_id))


def test_leavers_points_of_a_closed_budget_end_in_the_funds(acme: Company) -> None:
    acme.leaver_policy = "return"
    acme.save()
    alice = factories.an_employee(with_fen=500)
    close(Budget.objects.get())
    alice.status = "left"
    alice.save()
    with transaction():
        assert leavers.settle(pks=[alice.pk], reason="test", at=AT) == 500
    budgets.end_budgets(at=LATER)
    assert factories.funds_fen(acme) == 500
    assert books.verify([acme]) == []
