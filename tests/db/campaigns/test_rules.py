"""A rule's life, its rehearsals, and the one act that turns a rehearsal into a grant."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.db.utils import InternalError

from benefits.campaigns import operations as campaigns
from benefits.campaigns import queries
from benefits.campaigns.definition import Amount, Audience, Expiry
from benefits.campaigns.errors import (
    DayNotCommitted,
    InvalidRule,
    RehearsalEmpty,
    RehearsalStale,
    RuleChanged,
    RuleExists,
    RuleNotActive,
)
from benefits.campaigns.models import GrantRule, Rehearsal, RehearsalRow, RuleVersion
from benefits.points import overview
from benefits.points import queries as points
from benefits.points.errors import BudgetClosed, InsufficientBudget, InvalidExpiry
from benefits.points.models import Account, Budget, Grant, Lot, Posting
from reports import books
from tenants.db import savepoint
from tenants.errors import IllegalTransition
from tenants.identity.models import AuditEvent
from tenants.models import Company
from tests import factories
from tests.db.campaigns import stage
from tests.db.campaigns.stage import DAY, NOW, definition


def test_a_grant_is_set_aside_then_handed_out_in_steps(acme: Company) -> None:
    for number in ("A1", "A2", "A3", "A4", "A5"):
        stage.join(number, department="研发" if number < "A4" else "市场")
    budget = stage.a_budget(10_000)
    rule = stage.a_rule(definition(expiry={"kind": "months", "months": 1}), budget=budget)

    rehearsal = stage.rehearse(rule)
    assert (rehearsal.people, rehearsal.total_fen, rehearsal.counts) == (5, 5_000, {})
    assert queries.by_department(rehearsal) == [("市场", 2, 2_000), ("研发", 3, 3_000)]
    assert not Grant.objects.exists()

    stage.commit(rehearsal)
    figures = points.figures_of(budget)
    assert (figures.left_fen, figures.allotted_fen, figures.granted_fen) == (5_000, 5_000, 0)
    assert books.verify([acme]) == []

    assert campaigns.hand_out(rehearsal=rehearsal, at=NOW, wallets=2) == 2
    figures = points.figures_of(budget)
    assert (figures.left_fen, figures.allotted_fen, figures.granted_fen) == (5_000, 3_000, 2_000)
    assert overview.figures_of_budgets([Budget.objects.select_related("account").get()]) == {
        budget.pk: figures
    }
    done = queries.progress(rehearsal)
    assert (done.handed, done.people, done.fen, done.percent) == (2, 5, 2_000, 40)
    assert books.verify([acme]) == []

    assert campaigns.hand_out(rehearsal=rehearsal, at=NOW, wallets=2) == 2
    assert campaigns.hand_out(rehearsal=rehearsal, at=NOW, wallets=2) == 1
    assert campaigns.hand_out(rehearsal=rehearsal, at=NOW, wallets=2) == 0
    rehearsal.refresh_from_db()
    assert (rehearsal.status, rehearsal.grant.status) == ("done", "done")
    assert stage.lots(rehearsal) == stage.rehearsed(rehearsal)
    assert {lot.expires_at for lot in Lot.objects.all()} == {stage.at(DAY.replace(month=4, day=2), 0)}
    allotted = Account.objects.get(kind="allotted")
    assert allotted.balance_fen == 0
    assert set(Posting.objects.filter(kind="grant").values_list("source", flat=True)) == {allotted.pk}
    assert AuditEvent.objects.filter(action="rehearsal.handed_out").count() == 1
    assert books.verify([acme]) == []


def test_committed_again_it_stays_one_grant(acme: Company) -> None:
    stage.join("A1")
    rehearsal = stage.rehearse(stage.a_rule(definition()))
    stage.commit(rehearsal)
    stage.commit(rehearsal)
    stage.hand_out(rehearsal)
    stage.commit(rehearsal)
    assert Grant.objects.count() == 1

    again = stage.rehearse(rehearsal.rule)
    assert (again.people, again.counts) == (0, {"already_given": 1})
    with pytest.raises(RehearsalEmpty):
        stage.commit(again)


def test_two_rehearsals_of_one_day_give_once(acme: Company) -> None:
    stage.join("A1")
    rule = stage.a_rule(definition())
    one, other = stage.rehearse(rule), stage.rehearse(rule)
    stage.commit(one)  # set aside, and not handed out yet
    with pytest.raises(RehearsalStale):
        stage.commit(other)
    other.refresh_from_db()
    assert other.status == "stale"
    with pytest.raises(RehearsalStale):
        stage.commit(other)


@pytest.mark.parametrize("what", ["join", "leave", "move", "revise"])
def test_what_has_changed_since_is_not_granted(acme: Company, what: str) -> None:
    stage.join("A1", department="研发")
    rule = stage.a_rule(definition())
    rehearsal = stage.rehearse(rule)
    if what == "join":
        stage.join("A2")
    elif what == "leave":
        stage.change("A1", status="left", left_on=DAY.isoformat())
    elif what == "move":
        stage.change("A1", department="市场")
    else:
        campaigns.revise_rule(rule=rule, definition=definition(amount=2000), actor=None, at=NOW)
        campaigns.activate_rule(rule=rule, actor=None, at=NOW)
    with pytest.raises(RehearsalStale):
        stage.commit(rehearsal)
    rehearsal.refresh_from_db()
    assert rehearsal.status == "stale"
    assert not Grant.objects.exists()


def test_what_changes_for_nobody_who_gets_something_is_no_change(acme: Company) -> None:
    stage.join("A1", department="研发")
    rehearsal = stage.rehearse(stage.a_rule(definition(audience={"departments": ["研发"]})))
    stage.join("A2", department="市场")
    stage.change("A1", grade="P5")
    assert stage.commit(rehearsal).status == "running"


def test_another_digest_is_somebody_elses_rehearsal(acme: Company) -> None:
    stage.join("A1")
    rehearsal = stage.rehearse(stage.a_rule(definition()))
    with pytest.raises(RehearsalStale):
        campaigns.commit_rehearsal(rehearsal=rehearsal, digest="0" * 64, actor=None, at=NOW)
    rehearsal.refresh_from_db()
    assert rehearsal.status == "made"


def test_a_budget_that_was_drained_meanwhile_gives_nothing_at_all(acme: Company) -> None:
    for number in ("A1", "A2"):
        stage.join(number)
    bob = factories.an_employee("Bob", number="Z9")
    budget = stage.a_budget(2_999)
    rehearsal = stage.rehearse(
        stage.a_rule(definition(audience={"numbers": [["A1", None], ["A2", None]]}), budget=budget)
    )
    factories.grant(budget, {bob: 1_000}, at=NOW)
    with pytest.raises(InsufficientBudget):
        stage.commit(rehearsal)
    rehearsal.refresh_from_db()
    assert (rehearsal.status, Grant.objects.count()) == ("made", 1)
    assert books.verify([acme]) == []


def test_a_closed_budget_and_a_past_expiry_are_refused(acme: Company) -> None:
    stage.join("A1")
    closed = factories.a_budget(
        5_000,
        from_date=DAY - timedelta(days=9),
        to_date=DAY - timedelta(days=1),
        at=stage.at(DAY - timedelta(days=2)),
    )
    with pytest.raises(BudgetClosed):
        stage.commit(stage.rehearse(stage.a_rule(definition(), budget=closed)))
    over = {"kind": "date", "day": (DAY - timedelta(days=1)).isoformat()}
    with pytest.raises(InvalidExpiry):
        stage.commit(stage.rehearse(stage.a_rule(definition(expiry=over))))


@pytest.mark.parametrize(("ahead", "is_taken"), [(1, False), (0, True), (-7, True), (-8, False)])
def test_today_and_a_week_back_can_be_committed(acme: Company, ahead: int, is_taken: bool) -> None:
    stage.join("A1")
    rehearsal = stage.rehearse(stage.a_rule(definition()), day=DAY + timedelta(days=ahead))
    if is_taken:
        assert stage.commit(rehearsal).status == "running"
    else:
        with pytest.raises(DayNotCommitted):
            stage.commit(rehearsal)


def test_a_rule_gives_nothing_until_it_is_active(acme: Company) -> None:
    stage.join("A1")
    rule = stage.a_rule(definition(), active=False)
    rehearsal = stage.rehearse(rule)
    with pytest.raises(RuleNotActive):
        stage.commit(rehearsal)
    campaigns.activate_rule(rule=rule, actor=None, at=NOW)
    assert stage.commit(rehearsal).status == "running"
    campaigns.pause_rule(rule=rule, actor=None, at=NOW)
    with pytest.raises(RuleNotActive):
        stage.commit(stage.rehearse(rule))
    campaigns.end_rule(rule=rule, actor=None, at=NOW)
    with pytest.raises(IllegalTransition):
        campaigns.activate_rule(rule=rule, actor=None, at=NOW)
    assert stage.hand_out(rehearsal) == 1  # what was committed is handed out


def test_a_revised_rule_is_a_draft_and_keeps_what_it_said(acme: Company) -> None:
    rule = stage.a_rule(definition("monthly", day=5), name="Lunch")
    other = stage.a_budget()
    first = queries.current(rule)
    version = campaigns.revise_rule(
        rule=rule,
        definition=definition("monthly", 2000, day=6),
        name="Meals",
        budget=other,
        actor=None,
        at=NOW,
    )
    rule.refresh_from_db()
    assert (rule.status, rule.name, rule.budget, version.number) == ("draft", "Meals", other, 2)
    assert [one.definition_of().amount.fen for one in rule.versions.all()] == [2000, 1000]
    assert first.budget != other
    with pytest.raises(RuleChanged):
        campaigns.activate_rule(rule=rule, version=first, actor=None, at=NOW)
    assert campaigns.activate_rule(rule=rule, version=version, actor=None, at=NOW).status == "active"


def test_names_are_used_once_among_rules_that_have_not_ended(acme: Company) -> None:
    rule = stage.a_rule(definition("joining"), name="Welcome")
    with pytest.raises(RuleExists):
        stage.a_rule(definition("joining"), name="Welcome")
    other = stage.a_rule(definition("joining"), name="Hello")
    with pytest.raises(RuleExists):
        campaigns.revise_rule(
            rule=other, definition=definition("joining"), name="Welcome", actor=None, at=NOW
        )
    campaigns.end_rule(rule=rule, actor=None, at=NOW)
    stage.a_rule(definition("joining"), name="Welcome")
    assert queries.find_rule("Welcome").status == "active"


def test_a_definition_made_by_hand_is_checked_like_any_other(acme: Company) -> None:
    with pytest.raises(InvalidRule):
        campaigns.once(
            name="Gift",
            budget=stage.a_budget(),
            audience=Audience(everyone=True),
            amount=Amount(fen=-1),
            expiry=Expiry(),
            day=DAY,
            actor=None,
            at=NOW,
        )
    assert not GrantRule.objects.exists()


def test_a_single_grant_ends_with_its_rehearsal(acme: Company) -> None:
    stage.join("A1")
    stage.join("A2")
    single = {
        "budget": stage.a_budget(),
        "audience": Audience(numbers=(("A1", 700), ("A2", None), ("A9", 1))),
        "amount": Amount(fen=300),
        "expiry": Expiry("days", days=30),
        "day": DAY,
        "actor": None,
        "at": NOW,
    }
    rehearsal = campaigns.once(name="Gift", **single)
    assert [row.fen for row in queries.rows(rehearsal)] == [700, 300]
    assert not queries.rules().exists() and queries.rules(with_single=True).count() == 1
    stage.commit(rehearsal)
    stage.hand_out(rehearsal)
    assert GrantRule.objects.get().status == "ended"
    dropped = campaigns.once(name="Gift", **single)
    campaigns.drop_rehearsal(rehearsal=dropped, actor=None, at=NOW)
    assert set(GrantRule.objects.values_list("status", flat=True)) == {"ended"}
    with pytest.raises(IllegalTransition):
        stage.commit(dropped)


def test_who_is_left_out_is_shown_with_the_reason(acme: Company) -> None:
    stage.join("A1", birthday="1990-03-01", grade="P5")
    stage.join("A2", birthday="1990-03-02", grade="P5")
    stage.join("A3", grade="P5")
    stage.join("A4", birthday="1990-03-01", grade="P5")
    stage.change("A4", status="left", left_on=DAY.isoformat())
    stage.join("A5", birthday="1990-03-01")
    rule = stage.a_rule(definition("birthday", audience={"grades": ["P5"]}))
    rehearsal = stage.rehearse(rule)
    assert rehearsal.counts == {"left": 1, "no_day": 1, "not_due": 1, "not_in_audience": 1}
    assert [(row.employee_no, row.name) for row in queries.rows(rehearsal)] == [("A1", "NA1")]
    left_out = queries.rows(rehearsal, show=queries.LEFT_OUT)
    assert [(row.employee_no, row.reason) for row in left_out] == [
        ("A2", "not_due"),
        ("A3", "no_day"),
        ("A4", "left"),
    ]
    assert [row.employee_no for row in queries.rows(rehearsal, search="na3", show=queries.LEFT_OUT)] == ["A3"]


def test_what_comes_next_and_what_a_year_costs(acme: Company) -> None:
    stage.join("A1", hired_on="2026-03-01", birthday="1992-02-29")
    stage.join("A2", hired_on="2025-06-15")
    rule = stage.a_rule(definition("anniversary", {"by_years": {1: 100, 2: 250}}))
    assert queries.next_days(rule, DAY, 3) == [
        (DAY, 1, 100),
        (DAY.replace(month=6, day=15), 1, 250),
        (DAY.replace(year=2028), 1, 250),
    ]
    assert campaigns.estimate(rule, day=DAY) == 350
    assert campaigns.estimate(rule, day=DAY, days=367) == 600


def test_the_database_refuses_what_must_never_be(acme: Company) -> None:
    stage.join("A1")
    rule = stage.a_rule(definition())
    rehearsal = stage.rehearse(rule)
    stage.commit(rehearsal)
    stage.hand_out(rehearsal)
    lot = Lot.objects.get()
    other = factories.grant(stage.a_budget(), {factories.an_employee(): 1}, at=NOW)
    for change in (
        lambda: RuleVersion.objects.update(definition={}),
        lambda: RehearsalRow.objects.update(fen=1),
        lambda: RehearsalRow.objects.all().delete(),
        lambda: Rehearsal.objects.filter(pk=rehearsal.pk).update(handed=2),
        lambda: Rehearsal.objects.filter(pk=rehearsal.pk).update(status="made"),
        lambda: Lot.objects.create(
            wallet=lot.wallet,
            grant=other,
            budget=lot.budget,
            granted_fen=1,
            occasion=lot.occasion,
            at=NOW,
        ),
    ):
        with pytest.raises((IntegrityError, InternalError)), savepoint():
            change()
