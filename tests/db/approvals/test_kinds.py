"""Each kind: what may be asked, what is carried out, and what a change meanwhile does."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from benefits.approvals import operations
from benefits.approvals.errors import AlreadyAsked
from benefits.approvals.limits import Limit
from benefits.approvals.models import Approval, Kind
from benefits.campaigns import operations as campaigns
from benefits.campaigns.definition import Amount, Audience, Definition, Expiry, Occasion
from benefits.campaigns.models import GrantRule, Rehearsal
from benefits.points.errors import InsufficientBudget
from benefits.points.models import Budget
from tenants.identity.models import User
from tests import factories
from tests.db.approvals.conftest import AT, set_limits
from tests.factories import budget_fen, wallet_fen

LATER = AT + timedelta(hours=1)
EVERYONE = Audience(everyone=True)


@pytest.fixture(autouse=True)
def _limited(admin: User, arno: User) -> None:
    for kind in Kind.values:
        set_limits(admin, kind, hr=Limit(10_000, 0))


def ask(kind: str, subject: object, fen: int, actor: User, **details: object) -> Approval:
    made = operations.submit(
        kind=kind,
        subject=subject,  # type: ignore[arg-type]
        fen=fen,
        request_key=uuid4(),
        details=details,
        actor=actor,
        at=AT,
    )
    assert made is not None
    return made


def decide(asked: Approval, arno: User) -> Approval:
    approved = operations.approve(approval=asked, note="", actor=arno, at=LATER)
    return operations.carry_out(approval=approved, at=LATER)


def rehearsed(budget: Budget, hana: User, fen: int = 20_000) -> Rehearsal:
    return campaigns.once(
        name="Gift",
        budget=budget,
        audience=EVERYONE,
        amount=Amount(fen=fen),
        expiry=Expiry(),
        day=timezone.localdate(AT),
        actor=hana,
        at=AT,
    )


def test_a_return(budget: Budget, hana: User, arno: User) -> None:
    assert decide(ask("return", budget, 30_000, hana), arno).status == "done"
    assert budget_fen(budget) == 70_000
    with pytest.raises(InsufficientBudget):
        ask("return", budget, 70_001, hana)


def test_a_move_says_where_to(budget: Budget, hana: User, arno: User) -> None:
    other = factories.a_budget(name="Autumn")
    asked = ask("move", budget, 30_000, hana, to=other.pk)
    assert asked.details == {"to": other.pk, "budget": "Spring", "to_name": "Autumn"}
    assert decide(asked, arno).status == "done"
    assert (budget_fen(budget), budget_fen(other)) == (70_000, 30_000)


def test_a_move_into_what_was_closed_meanwhile_fails(budget: Budget, hana: User, arno: User) -> None:
    other = factories.a_budget(name="Autumn")
    asked = ask("move", budget, 30_000, hana, to=other.pk)
    Budget.objects.filter(pk=other.pk).update(status="closed")
    failed = decide(asked, arno)
    assert (failed.status, failed.failure) == ("failed", "budget_closed")
    assert budget_fen(budget) == 100_000


def test_a_grant_waits_and_is_then_handed_out(budget: Budget, hana: User, arno: User) -> None:
    people = [factories.an_employee() for _ in range(2)]
    rehearsal = rehearsed(budget, hana)
    asked = ask("grant", rehearsal, rehearsal.total_fen, hana, digest=rehearsal.digest)
    rehearsal.refresh_from_db()
    assert (rehearsal.status, asked.details["people"]) == ("waiting", rehearsal.people)
    with pytest.raises(AlreadyAsked):
        ask("grant", rehearsal, rehearsal.total_fen, hana, digest=rehearsal.digest)
    done = decide(asked, arno)
    assert (done.status, done.result) == ("done", f"campaigns.rehearsal:{rehearsal.pk}")
    rehearsal.refresh_from_db()
    assert (rehearsal.status, rehearsal.committed_by) == ("running", hana.username)
    while campaigns.hand_out(rehearsal=rehearsal, at=LATER):
        pass
    assert [wallet_fen(one) for one in people] == [20_000, 20_000]


@pytest.mark.parametrize("end", ["refuse", "withdraw", "lapse"])
def test_a_grant_that_is_not_approved_is_dropped(budget: Budget, hana: User, arno: User, end: str) -> None:
    factories.an_employee()
    rehearsal = rehearsed(budget, hana)
    asked = ask("grant", rehearsal, rehearsal.total_fen, hana, digest=rehearsal.digest)
    if end == "refuse":
        operations.refuse(approval=asked, note="no", actor=arno, at=LATER)
    elif end == "withdraw":
        operations.withdraw(approval=asked, actor=hana, at=LATER)
    else:
        operations.lapse_overdue(at=asked.due_at)
    rehearsal.refresh_from_db()
    assert rehearsal.status == "dropped"
    assert budget_fen(budget) == 100_000


def test_a_grant_whose_roster_changed_fails_as_out_of_date(budget: Budget, hana: User, arno: User) -> None:
    factories.an_employee()
    rehearsal = rehearsed(budget, hana)
    asked = ask("grant", rehearsal, rehearsal.total_fen, hana, digest=rehearsal.digest)
    factories.an_employee()
    failed = decide(asked, arno)
    assert (failed.status, failed.failure) == ("failed", "rehearsal_stale")
    rehearsal.refresh_from_db()
    assert rehearsal.status == "stale"
    assert budget_fen(budget) == 100_000


def a_rule(budget: Budget, hana: User) -> GrantRule:
    definition = Definition(EVERYONE, Occasion(kind="birthday"), Amount(fen=20_000), Expiry())
    return campaigns.make_rule(name="Birthday", budget=budget, definition=definition, actor=hana, at=AT)


def test_a_rule_is_activated_as_it_was_asked(budget: Budget, hana: User, arno: User) -> None:
    rule = a_rule(budget, hana)
    assert decide(ask("rule", rule, 99_999, hana), arno).status == "done"
    rule.refresh_from_db()
    assert rule.status == "active"


def test_a_rule_that_was_revised_meanwhile_is_another_one(budget: Budget, hana: User, arno: User) -> None:
    rule = a_rule(budget, hana)
    asked = ask("rule", rule, 99_999, hana)
    definition = Definition(EVERYONE, Occasion(kind="birthday"), Amount(fen=90_000), Expiry())
    campaigns.revise_rule(rule=rule, definition=definition, actor=hana, at=AT)
    failed = decide(asked, arno)
    assert (failed.status, failed.failure) == ("failed", "rule_changed")
    rule.refresh_from_db()
    assert rule.status == "draft"


def test_the_platform_s_budget_is_not_moved_by_a_company(budget: Budget, hana: User) -> None:
    Budget.objects.filter(pk=budget.pk).update(purpose="goodwill")
    with pytest.raises(Exception) as error:  # noqa: PT011
        ask("load", Budget.objects.get(pk=budget.pk), 30_000, hana)
    assert getattr(error.value, "code", "") == "budget_not_found"
