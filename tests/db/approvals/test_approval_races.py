"""Two at once, and a worker killed between doing and noting: one decision, one load."""

import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from benefits.approvals import operations
from benefits.approvals.errors import NotYourDecision
from benefits.approvals.limits import Limit
from benefits.approvals.models import Approval
from benefits.points.models import Budget, Posting
from tenants.errors import IllegalTransition
from tenants.identity.models import AuditEvent, User
from tenants.identity.roles import Role
from tenants.models import Company
from tests import factories, people
from tests.crashes import run_to
from tests.db.approvals.conftest import AT, ask, set_limits
from tests.factories import budget_fen

pytestmark = pytest.mark.committed
AtOnce = Callable[..., list[object]]
LATER = AT + timedelta(hours=1)


@pytest.fixture
def cast(race_company: Company) -> tuple[Budget, User, User, User]:
    """A budget that holds 1,000 yuan, who asks, and two who decide."""
    admin = people.somebody(Role.ADMIN, name="ada")
    hana = people.somebody(Role.HR, Role.APPROVER, name="hana")
    arno, bea = (people.somebody(Role.APPROVER, name=name) for name in ("arno", "bea"))
    budget = factories.a_budget(100_000, name="Spring")
    factories.a_deposit(1_000_000)
    set_limits(admin, "load", hr=Limit(10_000, 0))
    return budget, hana, arno, bea


def test_two_approvers_at_once_make_one_decision(
    cast: tuple[Budget, User, User, User], at_once: AtOnce
) -> None:
    budget, hana, arno, bea = cast
    for round_ in range(3):
        asked = ask(budget, hana)

        def decide(
            operation: Callable[..., Approval], actor: User, asked: Approval = asked
        ) -> Callable[[], Approval]:
            return lambda: operation(approval=asked, note="", actor=actor, at=LATER)

        answers = at_once(decide(operations.approve, arno), decide(operations.refuse, bea))
        assert sorted(isinstance(one, IllegalTransition) for one in answers) == [False, True]
        operations.carry_out_due(at=LATER)
        asked.refresh_from_db()
        assert asked.decided_by in (arno, bea)
        assert (
            AuditEvent.objects.filter(action__in=["approval.approved", "approval.refused"]).count()
            == round_ + 1
        )
    done = Approval.objects.filter(status="done").count()
    assert budget_fen(budget) == 100_000 + done * 50_000


def test_the_asker_in_two_sessions_at_once_decides_nothing(
    cast: tuple[Budget, User, User, User], at_once: AtOnce
) -> None:
    budget, hana, _arno, _bea = cast
    asked = ask(budget, hana)
    decide = [lambda: operations.approve(approval=asked, note="", actor=hana, at=LATER)] * 2
    assert [type(one) for one in at_once(*decide)] == [NotYourDecision, NotYourDecision]


def test_the_same_request_sent_twice_at_once_is_one(
    cast: tuple[Budget, User, User, User], at_once: AtOnce
) -> None:
    budget, hana, _arno, _bea = cast
    key = uuid4()
    answers = at_once(*[lambda: ask(budget, hana, request_key=key)] * 4)
    assert len({one.pk for one in answers}) == 1  # type: ignore[attr-defined]
    assert Approval.objects.count() == 1


def test_carried_out_by_several_at_once_is_done_once(
    cast: tuple[Budget, User, User, User], at_once: AtOnce
) -> None:
    budget, hana, arno, _bea = cast
    approved = operations.approve(approval=ask(budget, hana), note="", actor=arno, at=LATER)
    answers = at_once(*[lambda: operations.carry_out(approval=approved, at=LATER)] * 4)
    assert {one.status for one in answers} == {"done"}  # type: ignore[attr-defined]
    assert budget_fen(budget) == 150_000
    assert AuditEvent.objects.filter(action="approval.done").count() == 1


TEND = (
    "import django; django.setup(); from django.db import connection; from tenants.models import Company;"
    " connection.set_tenant(Company.objects.get(schema_name='acme'));"
    " from benefits.approvals import operations; from tests.factories import AT;"
    " print(operations.carry_out_due(at=AT))"
)


@pytest.mark.parametrize(
    ("place", "held_then"), [("before_carry_out", 100_000), ("after_carry_out", 150_000)]
)
def test_a_worker_killed_before_or_after_doing_it_leaves_it_to_the_sweep(
    cast: tuple[Budget, User, User, User], tmp_path: Path, place: str, held_then: int
) -> None:
    budget, hana, arno, _bea = cast
    approved = operations.approve(approval=ask(budget, hana), note="", actor=arno, at=LATER)
    killed = run_to(place, tmp_path / "mark", "-c", TEND)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    approved.refresh_from_db()
    assert (approved.status, budget_fen(budget)) == ("approved", held_then)
    again = run_to(place, tmp_path / "mark", "-c", TEND)
    assert (again.returncode, again.stdout.strip()) == (0, "1"), again.stderr
    assert operations.carry_out_due(at=LATER) == 0
    approved.refresh_from_db()
    assert (approved.status, budget_fen(budget)) == ("done", 150_000)
    assert Posting.objects.filter(reference=f"load:{approved.request_key}").count() == 1
