"""What the calendar runs: nothing twice, nothing lost for a week, and what fails is kept and tried again."""

from datetime import timedelta
from uuid import uuid4

from benefits.campaigns import operations as campaigns
from benefits.campaigns import queries
from benefits.campaigns.models import Rehearsal
from benefits.campaigns.operations import rehearsing
from benefits.points import leavers
from benefits.points import operations as points
from benefits.points.models import Grant
from reports import books
from tenants.db import transaction
from tenants.identity.models import AuditEvent
from tenants.models import Company
from tests import factories
from tests.db.campaigns import stage
from tests.db.campaigns.stage import DAY, definition


def test_a_day_is_run_once_and_a_day_with_nobody_leaves_nothing(acme: Company) -> None:
    stage.join("A1", birthday="1990-03-02")
    stage.a_rule(definition("birthday"))
    assert stage.run() == []
    assert not Rehearsal.objects.exists()
    tomorrow = DAY + timedelta(days=1)
    (rehearsal,) = stage.run(tomorrow)
    assert stage.run(tomorrow, 7) == []
    assert (rehearsal.status, rehearsal.made_by, rehearsal.is_scheduled) == ("done", "system", True)
    assert Grant.objects.get().source == f"campaigns.rehearsal:{rehearsal.pk}"
    assert books.verify([acme]) == []


def test_who_is_not_due_is_counted_and_not_kept(acme: Company) -> None:
    stage.join("A1", birthday="1990-03-01")
    stage.join("A2", birthday="1990-03-02")
    stage.a_rule(definition("birthday"))
    (rehearsal,) = stage.run()
    assert rehearsal.counts == {"not_due": 1}
    assert [row.employee_no for row in rehearsal.rows.all()] == ["A1"]


def test_days_without_workers_are_made_up_for_a_week(acme: Company) -> None:
    stage.join("A1", birthday="1990-03-02")
    stage.join("A2", birthday="1990-03-03")
    stage.a_rule(definition("birthday"))
    stage.run()
    stage.run(DAY + timedelta(days=9))
    assert {number for number, _, _ in stage.given()} == {"A2"}
    assert Rehearsal.objects.get().day == DAY + timedelta(days=2)


def test_days_before_a_rule_was_active_are_not_made_up_for(acme: Company) -> None:
    stage.join("A1", birthday="1990-02-28")
    rule = stage.a_rule(definition("birthday"))
    assert stage.run() == []
    campaigns.pause_rule(rule=rule, actor=None, at=stage.at(DAY, 7))
    stage.join("A2", birthday="1990-03-02")
    stage.run(DAY + timedelta(days=1))
    campaigns.activate_rule(rule=rule, actor=None, at=stage.at(DAY + timedelta(days=2)))
    assert stage.run(DAY + timedelta(days=2)) == []


def test_somebody_entered_late_gets_what_is_due_the_same_day(acme: Company) -> None:
    stage.a_rule(definition("joining"))
    stage.join("A1", hired_on=DAY.isoformat())
    stage.run()
    noon = stage.join("A2", hired_on=DAY.isoformat(), hour=12)
    late = stage.join("A3", hired_on=(DAY - timedelta(days=1)).isoformat(), hour=12)
    stage.run(DAY, 13)
    assert {number for number, _, _ in stage.given()} == {"A1", noon.employee_no}
    assert late.employee_no not in {number for number, _, _ in stage.given()}  # before the rule was active


def test_a_budget_that_is_too_small_is_told_and_tried_again(acme: Company) -> None:
    stage.join("A1", birthday="1990-03-01")
    stage.join("A2", birthday="1990-03-01")
    budget = stage.a_budget(1_500)
    stage.a_rule(definition("birthday"), budget=budget)
    assert stage.run() == []
    failed = Rehearsal.objects.get()
    assert (failed.status, failed.failure["code"]) == ("failed", "insufficient_budget")
    assert failed.failure["details"]["shortfall_fen"] == 500
    assert stage.run(DAY, 7) == []
    assert AuditEvent.objects.filter(action="rehearsal.failed").count() == 1

    factories.a_deposit(500, at=stage.at(DAY, 8))
    points.load_budget(budget=budget, fen=500, request_key=uuid4(), actor=None, at=stage.at(DAY, 8))
    (rehearsal,) = stage.run(DAY + timedelta(days=1))
    assert (rehearsal.pk, rehearsal.day, rehearsal.status) == (failed.pk, DAY, "done")
    assert rehearsal.failure == {}
    assert books.verify([acme]) == []


def test_a_failed_day_follows_the_roster(acme: Company) -> None:
    stage.join("A1", birthday="1990-03-01")
    stage.join("A2", birthday="1990-03-01")
    stage.a_rule(definition("birthday"), budget=stage.a_budget(1_500))
    stage.run()
    stage.change("A2", hour=8, status="left", left_on=DAY.isoformat())
    (rehearsal,) = stage.run(DAY, 9)
    assert [row.employee_no for row in queries.rows(rehearsal)] == ["A1"]
    assert sorted(Rehearsal.objects.values_list("status", flat=True)) == ["done", "stale"]


def test_what_was_made_and_not_committed_is_taken_up_again(acme: Company) -> None:
    stage.join("A1", birthday="1990-03-01")
    rule = stage.a_rule(definition("birthday"))
    with transaction():
        made = rehearsing.store(rule=rule, day=DAY, actor=None, at=stage.at(DAY), is_scheduled=True)
    (rehearsal,) = stage.run()
    assert rehearsal.pk == made.pk


def test_a_leaver_between_is_given_what_was_rehearsed(acme: Company) -> None:
    for number in ("A1", "A2"):
        stage.join(number)
    rehearsal = stage.rehearse(stage.a_rule(definition()))
    stage.commit(rehearsal)
    campaigns.hand_out(rehearsal=rehearsal, at=stage.NOW, wallets=1)
    stage.change("A2", hour=7, status="left", left_on=DAY.isoformat())
    stage.hand_out(rehearsal)
    assert {number for number, _, _ in stage.given()} == {"A1", "A2"}
    assert books.verify([acme]) == []


def test_what_reaches_a_leaver_goes_the_way_of_leavers_points(acme: Company) -> None:
    Company.objects.filter(pk=acme.pk).update(leaver_policy=Company.LeaverPolicy.RETURN, leaver_grace_days=0)
    for number in ("A1", "A2"):
        stage.join(number)
    budget = stage.a_budget(2_000)
    rehearsal = stage.commit(stage.rehearse(stage.a_rule(definition(), budget=budget)))
    stage.change("A2", hour=7, status="left", left_on=DAY.isoformat())
    stage.hand_out(rehearsal, now=stage.at(DAY, 8))
    assert factories.budget_fen(budget) == 0
    leavers.end_grace(at=stage.at(DAY, 9))
    leavers.end_grace(at=stage.at(DAY, 10))
    assert factories.budget_fen(budget) == 1_000
    assert books.verify([acme]) == []


def test_a_rehire_gets_an_occasion_once(acme: Company) -> None:
    stage.join("A1", hired_on=DAY.isoformat(), birthday="1990-03-05")
    stage.a_rule(definition("joining"))
    stage.a_rule(definition("birthday"))
    stage.run()
    stage.run(DAY + timedelta(days=4))
    stage.change("A1", day=DAY + timedelta(days=4), hour=8, status="left", left_on="2027-03-05")
    back = DAY + timedelta(days=5)
    stage.change("A1", day=back, status="active", left_on=None, hired_on=back.isoformat())
    assert stage.run(back) == []
    assert len(stage.given()) == 2
