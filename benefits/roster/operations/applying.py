"""A confirmed plan becomes true, in one transaction."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from benefits.people import operations as people
from benefits.people.hold import await_roster
from benefits.people.models import Department
from benefits.points import operations as points
from benefits.points.leavers import settle
from benefits.roster import queries, readings
from benefits.roster.errors import RosterChanged
from benefits.roster.models import RosterImport
from benefits.roster.operations import storing
from benefits.roster.operations.claims import (
    AT_REST,
    Phase,
    Status,
    claim,
    discard,
    heed,
    let_go,
    without_collector,
)
from benefits.roster.plan import Action, Mode, Plan, Step, Values, plan
from benefits.roster.progress import Progress, Stopped
from benefits.roster.shapes import Checked
from benefits.states import advance
from tenants import audit
from tenants.db import connection, durable, transaction, transaction_required
from tenants.identity.models import User


@durable
@without_collector()
def apply(*, roster_import: RosterImport, at: datetime) -> RosterImport:
    """Make the confirmed plan true, in one transaction. Safe to repeat: an applied import stays as it is.

    Raises RosterChanged (a new plan then waits for confirmation), BeingWorkedOn, FileChanged.
    """
    if roster_import.status == Status.APPLIED or not claim(roster_import, Status.CONFIRMED, at=at):
        return roster_import
    try:
        checked = readings.read(roster_import)
        with Progress(roster_import.pk, at=at) as progress, transaction():
            is_same = _apply(roster_import, checked, progress, at=at)
    except Stopped:
        with transaction():
            discard(roster_import, actor=None, at=at)
        return roster_import
    except Exception:
        let_go(roster_import)
        raise
    if not is_same:
        raise RosterChanged(plan_digest=roster_import.plan_digest)
    return roster_import


@transaction_required
def _apply(roster_import: RosterImport, checked: Checked, progress: Progress, *, at: datetime) -> bool:
    """Apply what was confirmed and say True; or, where the roster has moved on, plan anew and say False."""
    await_roster()
    progress.enter(Phase.PLANNING, 0)
    found = plan(checked.employees, checked.held, queries.present(), Mode(roster_import.mode))
    if found.digest != roster_import.plan_digest:
        heed(roster_import)
        storing.store_plan(roster_import, checked, found)
        advance(
            roster_import,
            Status.PLANNED,
            roster_changed=True,
            checked_at=at,
            plan_digest=found.digest,
            **AT_REST,
        )
        return False
    result = _change_people(roster_import, found, progress, at=at) | {"failed": roster_import.problems}
    heed(roster_import)
    done = AT_REST | {"phase": Phase.DONE, "rows_done": len(found.steps)}
    advance(roster_import, Status.APPLIED, applied_at=at, result=result, **done)
    actor = person_of(roster_import.confirmed_by_id)
    audit.record("roster.applied", roster_import, actor=actor, at=at, **result)
    return True


def person_of(pk: int | None) -> User | None:
    """Whoever asked for it, where they are still there."""
    return User.objects.filter(pk=pk).first() if pk else None


@transaction_required
def _change_people(
    roster_import: RosterImport, found: Plan, progress: Progress, *, at: datetime
) -> dict[str, int]:
    """Leavers first, so that their mobiles are free; then changes; then those who join, with their wallets."""
    steps: dict[Action, list[Step]] = {action: [] for action in Action}
    for step in found.steps:
        steps[step.action].append(step)
    changed = [*steps[Action.UPDATE], *steps[Action.RETURN]]
    _remember(roster_import, [step.employee_no for step in (*steps[Action.LEAVE], *changed)])
    departments = _departments()
    done = len(steps[Action.UNCHANGED])
    progress.enter(Phase.LEAVING, done)
    today = timezone.localdate(at).isoformat()
    leavers: dict[str, Values] = {s.employee_no: {"left_on": today, **s.after} for s in steps[Action.LEAVE]}
    gone = people.change(changes=leavers, at=at, told=progress.told)
    returned_fen = settle(pks=gone, reason=f"roster {roster_import.pk}", at=at)
    done += len(leavers)
    progress.enter(Phase.CHANGING, done)
    now = people.change(changes={s.employee_no: s.after for s in changed}, at=at, told=progress.told)
    progress.enter(Phase.JOINING, done + len(changed))
    joined = people.join(
        people={s.employee_no: s.after for s in steps[Action.JOIN]}, at=at, told=progress.told
    )
    points.open_wallets_of(pks=[*now, *joined])
    _remember_departments(roster_import, before=departments)
    result = {
        "created": len(joined),
        "updated": len(changed),
        "unchanged": len(steps[Action.UNCHANGED]),
        "left": len(leavers),
    }
    return result | {"returned_fen": returned_fen} if returned_fen else result


_REMEMBER = """
INSERT INTO roster_before (roster_import_id, employee_id, was, user_was, had_wallet)
SELECT %s, e.id, to_jsonb(e), CASE WHEN u.id IS NOT NULL
        THEN jsonb_build_object('id', u.id, 'name', u.name, 'is_active', u.is_active) END,
    EXISTS (SELECT 1 FROM points_account a WHERE a.employee_id = e.id)
FROM people_employee e LEFT JOIN identity_user u ON u.id = e.user_id WHERE e.employee_no = ANY(%s)
"""


@transaction_required
def _remember(roster_import: RosterImport, numbers: list[str]) -> None:
    """How these people stand now, to the last column, for undoing."""
    with connection.cursor() as cursor:
        cursor.execute(_REMEMBER, [roster_import.pk, numbers])


def _departments() -> set[str]:
    return set(Department.objects.values_list("path", flat=True))


@transaction_required
def _remember_departments(roster_import: RosterImport, *, before: set[str]) -> None:
    roster_import.facts["departments_made"] = sorted(_departments() - before)
    roster_import.save(update_fields=["facts"])
