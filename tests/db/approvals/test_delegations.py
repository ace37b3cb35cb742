"""Standing in: with whose limits, on which days, and never for what the absent person asked for."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from benefits.approvals import operations, queries, standing
from benefits.approvals.errors import (
    DelegationOverlaps,
    InvalidDelegation,
    NotYourDecision,
    NotYourDelegation,
)
from benefits.approvals.limits import Limit
from benefits.approvals.models import Delegation
from benefits.points.models import Budget
from tenants.db import connection, savepoint
from tenants.identity.models import AuditEvent, User
from tenants.identity.roles import Role
from tests.db.approvals.conftest import AT, Person, ask, set_limits

TODAY = timezone.localdate(AT)
DAY = timedelta(days=1)


@pytest.fixture
def fin(person: Person) -> User:
    return person(Role.FINANCE, name="fin")


def stand_in(
    absent: User, taker: User, *, first: int = 0, last: int = 2, actor: User | None = None
) -> Delegation:
    return standing.delegate(
        from_user=absent,
        to_user=taker,
        from_date=TODAY + first * DAY,
        to_date=TODAY + last * DAY,
        actor=actor or absent,
        at=AT,
    )


@pytest.mark.parametrize(("after", "may"), [(0, True), (2, True), (3, False)])
def test_a_stand_in_decides_on_these_days_with_the_absent_one_s_limits(
    budget: Budget, hana: User, arno: User, fin: User, limited: None, after: int, may: bool
) -> None:
    asked = ask(budget, hana)
    stand_in(arno, fin)
    at = AT + after * DAY
    assert queries.waiting_for(fin, at).exists() is may
    assert queries.count_waiting_for(fin, at) == int(may)
    if not may:
        with pytest.raises(NotYourDecision):
            operations.approve(approval=asked, note="", actor=fin, at=at)
        return
    approved = operations.approve(approval=asked, note="", actor=fin, at=at)
    assert (approved.decided_by, approved.acting_for) == (fin, arno)
    operations.carry_out(approval=approved, at=at)
    for action in ("approval.approved", "approval.done"):
        assert AuditEvent.objects.get(action=action).facts["acting_for"] == arno.username


def test_before_the_first_day_and_after_an_early_end_nothing_is_handed_on(
    budget: Budget, hana: User, arno: User, fin: User, limited: None
) -> None:
    ask(budget, hana)
    made = stand_in(arno, fin, first=1)
    assert not queries.waiting_for(fin, AT).exists()
    assert queries.waiting_for(fin, AT + DAY).exists()
    standing.end_delegation(delegation=made, actor=arno, at=AT)
    assert not queries.waiting_for(fin, AT + DAY).exists()
    stand_in(arno, fin, first=1)


def test_a_stand_in_never_decides_what_the_absent_one_asked_for(
    budget: Budget, person: Person, fin: User, arno: User, limited: None
) -> None:
    both = person(Role.HR, Role.APPROVER, name="both")
    asked = ask(budget, both)
    made = stand_in(both, fin)
    assert not queries.waiting_for(fin, AT).exists()
    with pytest.raises(NotYourDecision):
        operations.approve(approval=asked, note="", actor=fin, at=AT)
    standing.end_delegation(delegation=made, actor=both, at=AT)
    stand_in(arno, both)
    with pytest.raises(NotYourDecision):
        operations.approve(approval=asked, note="", actor=both, at=AT)


def test_who_approves_in_their_own_right_acts_for_nobody(
    budget: Budget, hana: User, arno: User, person: Person, limited: None
) -> None:
    bea = person(Role.APPROVER, name="bea")
    stand_in(arno, bea)
    approved = operations.approve(approval=ask(budget, hana), note="", actor=bea, at=AT)
    assert approved.acting_for is None


def test_the_absent_one_s_limit_is_the_stand_in_s(
    budget: Budget, hana: User, arno: User, fin: User, admin: User
) -> None:
    set_limits(admin, "load", hr=Limit(0, 0), approver=Limit(0, 500))
    stand_in(arno, fin)
    small, large = ask(budget, hana, 500), ask(budget, hana, 501)
    assert list(queries.waiting_for(fin, AT)) == [small]
    with pytest.raises(NotYourDecision):
        operations.approve(approval=large, note="", actor=fin, at=AT)


def test_whoever_lost_their_role_hands_on_nothing(
    budget: Budget, hana: User, arno: User, fin: User, limited: None
) -> None:
    asked = ask(budget, hana)
    stand_in(arno, fin)
    arno.groups.clear()
    assert not queries.waiting_for(fin, AT).exists()
    with pytest.raises(NotYourDecision):
        operations.approve(approval=asked, note="", actor=fin, at=AT)


def test_one_stand_in_a_day_and_no_chain(arno: User, fin: User, hana: User, person: Person) -> None:
    bea = person(Role.APPROVER, name="bea")
    stand_in(arno, fin, last=2)
    for absent, taker, first in ((arno, bea, 2), (fin, bea, 0), (bea, arno, 1)):
        with pytest.raises(DelegationOverlaps):
            stand_in(absent, taker, first=first, last=4)
    stand_in(arno, bea, first=3, last=4)
    assert stand_in(hana, fin).pk, "one person may stand in for several"


def test_the_database_knows_one_stand_in_a_day_and_nobody_for_themselves(arno: User, fin: User) -> None:
    stand_in(arno, fin)
    insert = (
        "INSERT INTO approvals_delegation (from_user_id, to_user_id, from_date, to_date, made_by_id, made_at)"
        " VALUES (%s, %s, %s, %s, %s, now())"
    )
    for from_pk, to_pk, first, last in (
        (arno.pk, fin.pk, TODAY + 2 * DAY, TODAY + 9 * DAY),
        (fin.pk, fin.pk, TODAY, TODAY),
        (fin.pk, arno.pk, TODAY, TODAY - DAY),
    ):
        with pytest.raises(IntegrityError), savepoint(), connection.cursor() as cursor:
            cursor.execute(insert, [from_pk, to_pk, first, last, arno.pk])


def test_nobody_makes_themselves_a_stand_in(arno: User, fin: User, admin: User, person: Person) -> None:
    for actor, absent, taker in (
        (fin, arno, fin),
        (admin, arno, admin),
        (fin, arno, admin),
        (arno, arno, arno),
    ):
        with pytest.raises(NotYourDelegation):
            stand_in(absent, taker, actor=actor)
    staffer = person(Role.EMPLOYEE, name="emma")
    with pytest.raises(InvalidDelegation):
        stand_in(arno, staffer)
    for first, last in ((1, 0), (-5, -1)):
        with pytest.raises(InvalidDelegation):
            stand_in(arno, fin, first=first, last=last)
    made = stand_in(arno, fin, actor=admin)
    with pytest.raises(NotYourDelegation):
        standing.end_delegation(delegation=made, actor=fin, at=AT)
    assert standing.end_delegation(delegation=made, actor=admin, at=AT).ended_at == AT
