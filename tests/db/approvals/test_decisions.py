"""Who may decide what, and what a decision does."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError

from benefits.approvals import operations, queries
from benefits.approvals.errors import (
    ApprovalOverdue,
    AskerHasNoAccess,
    NobodyCanApprove,
    NotYourDecision,
    NotYourRequest,
)
from benefits.approvals.limits import ANY_FEN, Limit, Limits
from benefits.approvals.models import Approval
from benefits.funds.errors import InsufficientFunds
from benefits.points.errors import InvalidPoints, RequestKeyReused
from benefits.points.models import Budget, Posting
from tenants.db import connection, savepoint
from tenants.errors import IllegalTransition
from tenants.identity.models import AuditEvent, User
from tenants.identity.roles import Role
from tenants.models import Company
from tests.db.approvals.conftest import AT, Person, ask, set_limits, submit
from tests.factories import budget_fen

LATER = AT + timedelta(hours=1)


def test_without_any_limit_everybody_acts_alone(budget: Budget, hana: User) -> None:
    assert submit(budget, hana, 900_000) is None
    assert budget_fen(budget) == 1_000_000
    assert not Approval.objects.exists()


def test_up_to_the_limit_one_acts_alone_and_above_it_a_request_is_made(
    budget: Budget, hana: User, arno: User, limited: None
) -> None:
    assert submit(budget, hana, 10_000) is None
    asked = submit(budget, hana, 10_001)
    assert asked is not None
    assert (asked.status, asked.subject, asked.details) == (
        "waiting",
        f"points.budget:{budget.pk}",
        {"budget": "Spring"},
    )
    assert budget_fen(budget) == 110_000
    assert AuditEvent.objects.filter(action="approval.asked", actor=hana.username).count() == 1


@pytest.mark.parametrize(
    ("roles", "alone", "approves"),
    [
        ({"hr"}, 10_000, 0),
        ({"approver"}, 0, 500),
        ({"admin"}, ANY_FEN, ANY_FEN),
        ({"finance"}, 0, 0),
        ({"employee"}, 0, 0),
        ({"hr", "approver"}, 10_000, 500),
        ({"hr", "admin"}, ANY_FEN, ANY_FEN),
        ({"approver", "admin"}, ANY_FEN, ANY_FEN),
    ],
)
def test_the_largest_limit_of_several_roles_counts(roles: set[str], alone: int, approves: int) -> None:
    table = Limits({"load": {"hr": Limit(10_000, 0), "approver": Limit(0, 500), "admin": Limit(None, None)}})
    assert table.alone_fen("load", roles) == alone
    assert table.approves_fen("load", roles) == approves
    assert table.alone_fen("move", roles) == ANY_FEN, "a kind without limits is done alone"


@pytest.mark.parametrize(
    ("limit", "fen", "covered"),
    [(0, 0, False), (0, 1, False), (1, 0, True), (1, 1, True), (1, 2, False), (None, 10**15, True)],
)
def test_nothing_is_nothing_and_any_is_any(limit: int | None, fen: int, covered: bool) -> None:
    table = Limits({"rule": {"hr": Limit(limit, limit)}})
    assert table.does_alone("rule", {"hr"}, fen) is covered
    assert table.approves("rule", {"hr"}, fen) is covered


def test_approvers_and_administrators_approve_any_amount_until_a_limit_says_otherwise() -> None:
    table = Limits({"load": {"hr": Limit(0, 0)}})
    assert table.approves("load", {"approver"}, 10**15)
    assert table.approves("load", {"admin"}, 10**15)
    assert not table.approves("load", {"finance"}, 1)
    assert not table.does_alone("load", {"admin"}, 1), "limits bind administrators as well"


def test_an_approved_load_is_carried_out_for_the_asker_once(
    budget: Budget, hana: User, arno: User, limited: None
) -> None:
    asked = ask(budget, hana)
    approved = operations.approve(approval=asked, note="fine", actor=arno, at=LATER)
    assert (approved.status, approved.decided_by, approved.note) == ("approved", arno, "fine")
    assert budget_fen(budget) == 100_000, "approving alone moves nothing"
    for _ in range(2):
        done = operations.carry_out(approval=approved, at=LATER)
    posting = Posting.objects.get(reference=f"load:{asked.request_key}")
    assert (done.status, done.result) == ("done", f"points.posting:{posting.pk}")
    assert budget_fen(budget) == 150_000
    loaded = AuditEvent.objects.get(action="budget.loaded", facts__fen=50_000)
    noted = AuditEvent.objects.get(action="approval.done")
    assert loaded.actor == noted.actor == hana.username
    assert noted.facts["decided_by"] == arno.username


def test_approving_twice_and_sending_twice_change_nothing(
    budget: Budget, hana: User, arno: User, limited: None
) -> None:
    key = uuid4()
    asked = ask(budget, hana, request_key=key)
    assert ask(budget, hana, request_key=key) == asked
    with pytest.raises(RequestKeyReused):
        submit(budget, hana, 60_000, request_key=key)
    first = operations.approve(approval=asked, note="", actor=arno, at=LATER)
    again = operations.approve(approval=asked, note="other", actor=arno, at=LATER + timedelta(hours=1))
    assert (again.decided_at, again.note) == (first.decided_at, "")
    assert AuditEvent.objects.filter(action="approval.approved").count() == 1


def test_whoever_asked_never_decides(budget: Budget, person: Person, arno: User, limited: None) -> None:
    both = person(Role.HR, Role.APPROVER, name="both")
    asked = ask(budget, both)
    for decide in (operations.approve, operations.refuse):
        with pytest.raises(NotYourDecision):
            decide(approval=asked, note="", actor=both, at=LATER)
    assert list(queries.waiting_for(both, LATER)) == []
    deciders = [one.user for one in queries.bench(LATER).deciders(asked)]
    assert arno in deciders and both not in deciders


def test_the_database_refuses_that_the_asker_decides(
    budget: Budget, hana: User, arno: User, limited: None
) -> None:
    asked = ask(budget, hana)
    decided = "UPDATE approvals_approval SET status = 'approved', decided_at = now(), decided_by_id = %s"
    for sql, values in (
        (decided + " WHERE id = %s", [hana.pk, asked.pk]),
        (decided + ", acting_for_id = %s WHERE id = %s", [arno.pk, hana.pk, asked.pk]),
        ("UPDATE approvals_approval SET fen = 1 WHERE id = %s", [asked.pk]),
        ("UPDATE approvals_approval SET asked_by_id = %s WHERE id = %s", [arno.pk, asked.pk]),
        ("DELETE FROM approvals_approval WHERE id = %s", [asked.pk]),
    ):
        with pytest.raises(DatabaseError), savepoint(), connection.cursor() as cursor:
            cursor.execute(sql, values)
    operations.refuse(approval=asked, note="", actor=arno, at=LATER)
    with pytest.raises(DatabaseError), savepoint():
        Approval.objects.filter(pk=asked.pk).update(status="approved")


@pytest.mark.parametrize("fen", [500, 501])
def test_above_their_own_limit_nobody_approves(
    budget: Budget, hana: User, arno: User, admin: User, fen: int
) -> None:
    set_limits(admin, "load", hr=Limit(100, 0), approver=Limit(0, 500))
    asked = ask(budget, hana, fen)
    may = fen <= 500
    assert queries.waiting_for(arno, LATER).exists() is may
    assert (queries.count_waiting_for(arno, LATER), queries.count_waiting_for(admin, LATER)) == (int(may), 1)
    if may:
        assert operations.approve(approval=asked, note="", actor=arno, at=LATER).status == "approved"
    else:
        with pytest.raises(NotYourDecision):
            operations.approve(approval=asked, note="", actor=arno, at=LATER)


def test_what_nobody_could_approve_is_not_asked(
    budget: Budget, hana: User, limited: None, admin: User
) -> None:
    set_limits(admin, "load", hr=Limit(100, 0), admin=Limit(0, 500))
    with pytest.raises(NobodyCanApprove) as error:
        submit(budget, hana, 501)
    assert "5.01" in str(error.value)
    assert not Approval.objects.exists()


def test_what_plainly_cannot_be_is_not_asked(budget: Budget, hana: User, arno: User, limited: None) -> None:
    with pytest.raises(InsufficientFunds):
        submit(budget, hana, 5_000_000)
    with pytest.raises(InvalidPoints):
        submit(budget, hana, -1)


def test_a_refusal_and_a_withdrawal_are_final(budget: Budget, hana: User, arno: User, limited: None) -> None:
    refused, withdrawn = ask(budget, hana), ask(budget, hana)
    assert operations.refuse(approval=refused, note="too much", actor=arno, at=LATER).status == "refused"
    with pytest.raises(NotYourRequest):
        operations.withdraw(approval=withdrawn, actor=arno, at=LATER)
    assert operations.withdraw(approval=withdrawn, actor=hana, at=LATER).status == "withdrawn"
    for one in (refused, withdrawn):
        with pytest.raises(IllegalTransition):
            operations.approve(approval=one, note="", actor=arno, at=LATER)
        operations.carry_out(approval=one, at=LATER)
    assert budget_fen(budget) == 100_000


def test_in_time_and_too_late(budget: Budget, hana: User, arno: User, limited: None) -> None:
    in_time, late = ask(budget, hana), ask(budget, hana)
    moment = timedelta(seconds=1)
    operations.approve(approval=in_time, note="", actor=arno, at=in_time.due_at - moment)
    with pytest.raises(ApprovalOverdue):
        operations.approve(approval=late, note="", actor=arno, at=late.due_at)
    assert operations.lapse_overdue(at=late.due_at - moment) == 0
    assert operations.lapse_overdue(at=late.due_at) == 1
    late.refresh_from_db()
    assert late.status == "lapsed"


def test_whoever_lost_their_access_gets_nothing_approved(
    budget: Budget, hana: User, arno: User, limited: None
) -> None:
    asked = ask(budget, hana)
    User.objects.filter(pk=hana.pk).update(is_active=False)
    with pytest.raises(AskerHasNoAccess):
        operations.approve(approval=asked, note="", actor=arno, at=LATER)
    assert operations.refuse(approval=asked, note="", actor=arno, at=LATER).status == "refused"


def test_a_change_meanwhile_fails_with_its_code_and_sentence(
    budget: Budget, hana: User, arno: User, limited: None
) -> None:
    asked = ask(budget, hana)
    operations.approve(approval=asked, note="", actor=arno, at=LATER)
    Budget.objects.filter(pk=budget.pk).update(status=Budget.Status.CLOSED)
    assert operations.carry_out_due(at=LATER) == 1
    asked.refresh_from_db()
    assert (asked.status, asked.failure) == ("failed", "budget_closed")
    assert "Spring" in asked.failure_words["zh-hans"]
    assert asked.failure_words["en"] == "The budget “Spring” is not open today."
    assert operations.carry_out_due(at=LATER) == 0


def test_another_company_sees_nothing(
    budget: Budget, hana: User, arno: User, limited: None, globex: Company
) -> None:
    ask(budget, hana)
    acme = connection.tenant
    connection.set_tenant(globex)
    assert not Approval.objects.exists()
    connection.set_tenant(acme)
    assert Approval.objects.count() == 1


def test_limits_below_nothing_and_of_unknown_roles_are_refused(admin: User) -> None:
    with pytest.raises(IntegrityError), savepoint(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO approvals_approvallimit (kind, role, alone_fen, approves_fen) VALUES ('load', 'hr', -1, 0)"
        )
    with pytest.raises(IntegrityError), savepoint(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO approvals_approvallimit (kind, role) VALUES ('load', 'employee')")
