"""Roster imports: receive a file, check and plan it, confirm the plan, apply it, or cancel."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.db.models import Q
from django.utils import timezone

from benefits.people import operations as people
from benefits.points import operations as points
from benefits.roster import queries, sandbox
from benefits.roster.errors import BeingWorkedOn, FileChanged, RosterChanged, RosterTooLarge, RowsHeldBack
from benefits.roster.models import RosterImport, RosterRow
from benefits.roster.plan import Action, Mode, Plan, Step, Values, plan
from benefits.roster.progress import Progress
from benefits.roster.shapes import Checked, Issue, Person
from benefits.states import advance
from tenants import audit
from tenants.db import connection, durable, transaction, transaction_required
from tenants.identity.models import User

_ROWS_AT_ONCE = 2000
Status, Phase = RosterImport.Status, RosterImport.Phase


@dataclass(frozen=True)
class _Reading:
    """A file that was read, and the plan it makes against the roster as it is now."""

    checked: Checked
    plan: Plan


def receive(
    *, file: File[bytes], file_name: str, mode: Mode, actor: User | None, at: datetime
) -> RosterImport:
    """Keep a file for checking. A file that was applied before says so in `repeats`.

    Raises RosterTooLarge.
    """
    limit = settings.ROSTER_MAX_BYTES
    data = file.read(limit + 1)
    if len(data) > limit:
        raise RosterTooLarge(megabytes=limit // 1_048_576)
    digest = hashlib.sha256(data).hexdigest()
    name = "".join(char for char in file_name.replace("\\", "/").rpartition("/")[2] if char.isprintable())
    with transaction():
        found = RosterImport(
            mode=mode,
            file_name=name[-200:] or "-",
            size=len(data),
            digest=digest,
            repeats=RosterImport.objects.filter(digest=digest, status=Status.APPLIED).first(),
            created_by=actor.username if actor else audit.SYSTEM,
            created_at=at,
        )
        found.file.save("roster", ContentFile(data), save=False)
        try:
            found.save()
        except Exception:
            found.file.delete(save=False)
            raise
        audit.record("roster.received", found, actor=actor, at=at, size=len(data), mode=str(mode))
    return found


@durable
def check(*, roster_import: RosterImport, at: datetime) -> RosterImport:
    """Read the file in the sandbox and plan what it would change; or reject it. Safe to repeat.

    Raises BeingWorkedOn.
    """
    if roster_import.status != Status.RECEIVED:
        return roster_import
    _claim(roster_import, Status.RECEIVED, at=at)
    checked = _read(roster_import)
    with transaction():
        if checked.outcome == "rejected":
            _reject(roster_import, checked, at=at)
            return roster_import
        found = plan(checked.employees, checked.held, queries.present(), Mode(roster_import.mode))
        _store(roster_import, _Reading(checked, found))
        advance(roster_import, Status.PLANNED, checked_at=at, claimed_at=None, phase=Phase.WAITING)
    return roster_import


@transaction
def confirm(
    *,
    roster_import: RosterImport,
    plan_digest: str,
    all_or_nothing: bool = False,
    actor: User | None,
    at: datetime,
) -> RosterImport:
    """Have the plan applied that a person has seen. A worker does it; the roster may still prove to have changed.

    Raises RosterChanged, RowsHeldBack, IllegalTransition.
    """
    roster_import = RosterImport.objects.select_for_update().get(pk=roster_import.pk)
    if roster_import.status == Status.PLANNED and roster_import.plan_digest != plan_digest:
        raise RosterChanged(plan_digest=roster_import.plan_digest)
    if all_or_nothing and roster_import.problems:
        raise RowsHeldBack(rows=roster_import.problems)
    advance(
        roster_import,
        Status.CONFIRMED,
        confirmed_by=actor.username if actor else audit.SYSTEM,
        confirmed_by_id=actor.pk if actor else None,
        phase=Phase.WAITING,
        rows_done=0,
        roster_changed=False,
        claimed_at=None,
    )
    audit.record("roster.confirmed", roster_import, actor=actor, at=at, plan=plan_digest[:16])
    return roster_import


@durable
def apply(*, roster_import: RosterImport, at: datetime) -> RosterImport:
    """Make the confirmed plan true, in one transaction. Safe to repeat: an applied import stays as it is.

    Raises RosterChanged (a new plan then waits for confirmation), BeingWorkedOn, FileChanged.
    """
    if roster_import.status == Status.APPLIED:
        return roster_import
    _claim(roster_import, Status.CONFIRMED, at=at)
    try:
        checked = _read(roster_import)
        with Progress(roster_import.pk) as progress, transaction():
            is_same = _apply(roster_import, checked, progress, at=at)
    except Exception:
        RosterImport.objects.filter(pk=roster_import.pk, status=Status.CONFIRMED).update(claimed_at=None)
        raise
    if not is_same:
        raise RosterChanged(plan_digest=roster_import.plan_digest)
    return roster_import


@transaction
def cancel(*, roster_import: RosterImport, actor: User | None, at: datetime) -> RosterImport:
    """Throw the plan away, with the file and everything that was read from it. Raises IllegalTransition."""
    advance(roster_import, Status.CANCELLED)
    RosterRow.objects.filter(roster_import=roster_import).delete()
    roster_import.file.delete(save=False)
    RosterImport.objects.filter(pk=roster_import.pk).update(file="")
    audit.record("roster.cancelled", roster_import, actor=actor, at=at)
    return roster_import


# --- reading -------------------------------------------------------------------------------------------------


def _claim(roster_import: RosterImport, status: str, *, at: datetime) -> None:
    """Take the import for this worker, unless another one is at it."""
    with transaction():
        free = Q(claimed_at__isnull=True) | Q(claimed_at__lt=at - queries.LEASE)
        mine = RosterImport.objects.filter(free, pk=roster_import.pk, status=status)
        taken = mine.update(claimed_at=at, phase=Phase.READING, rows_done=0)
        roster_import.refresh_from_db()
    if not taken:
        raise BeingWorkedOn(since=roster_import.claimed_at)


def _read(roster_import: RosterImport) -> Checked:
    with queries.opened_file(roster_import) as path:
        if hashlib.sha256(path.read_bytes()).hexdigest() != roster_import.digest:
            raise FileChanged
        return sandbox.check_file(path)


@transaction_required
def _reject(roster_import: RosterImport, checked: Checked, *, at: datetime) -> None:
    reject = {"code": checked.reject_code, "reason": checked.reject_reason, "params": checked.reject_params}
    advance(roster_import, Status.REJECTED, reject=reject, checked_at=at, claimed_at=None, phase=Phase.DONE)
    audit.record("roster.rejected", roster_import, actor=None, at=at, code=checked.reject_code)


# --- the stored plan -----------------------------------------------------------------------------------------


@transaction_required
def _store(roster_import: RosterImport, reading: _Reading) -> None:
    """Keep the plan: a row for each fate, and the digest that stands for all of them."""
    checked, found = reading.checked, reading.plan
    RosterRow.objects.filter(roster_import=roster_import).delete()
    rows = sorted(_rows(roster_import, checked, found), key=lambda row: (row.row is None, row.row or 0))
    RosterRow.objects.bulk_create(rows, batch_size=_ROWS_AT_ONCE)
    counts = dict.fromkeys(RosterRow.Action.values, 0)
    for row in rows:
        counts[row.action] += 1
    roster_import.counts = counts
    roster_import.rows_total = len(found.steps)
    roster_import.plan_digest = found.digest
    roster_import.facts = {
        "sheet": checked.sheet,
        "header_row": checked.header_row,
        "columns": {name: list(letters) for name, letters in checked.columns.items()},
        "notes": [[note.code, note.params] for note in checked.notes],
    }
    roster_import.save(update_fields=["counts", "rows_total", "plan_digest", "facts"])


def _rows(roster_import: RosterImport, checked: Checked, found: Plan) -> Iterable[RosterRow]:
    issues: dict[int, list[Issue]] = {}
    for issue in (*checked.issues, *found.issues):
        issues.setdefault(issue.row, []).append(issue)
    for step in found.steps:
        yield _row(roster_import, step.row, str(step.action), step.employee_no, _person_of_step(step), ())
    stopped = {issue.row for issue in found.issues}
    for person in (*checked.held, *(p for p in checked.employees if p.row in stopped)):
        yield _row(
            roster_import,
            person.row,
            "problem",
            person.employee_no or "",
            _person_of_row(person),
            issues[person.row],
        )
    for issue in checked.issues:
        if issue.code == "identical_duplicate":
            yield _row(roster_import, issue.row, "double", "", {}, [issue])


def _row(
    roster_import: RosterImport,
    row: int | None,
    action: str,
    employee_no: str,
    person: dict[str, object],
    issues: Iterable[Issue],
) -> RosterRow:
    return RosterRow(
        roster_import=roster_import,
        row=row,
        action=action,
        employee_no=employee_no,
        sealed=json.dumps(person, ensure_ascii=False) if person else "",
        issues=[[issue.field, issue.code, issue.severity, issue.params] for issue in issues],
    )


def _person_of_step(step: Step) -> dict[str, object]:
    person: dict[str, object] = {"name": step.name, "before": step.before, "after": step.after}
    return person | {"points": step.points} if step.points is not None else person


def _person_of_row(person: Person) -> dict[str, object]:
    after = {key: str(value) for key, value in person._asdict().items() if value is not None and key != "row"}
    return {"name": person.name or "", "before": {}, "after": after}


# --- applying ------------------------------------------------------------------------------------------------


@transaction_required
def _apply(roster_import: RosterImport, checked: Checked, progress: Progress, *, at: datetime) -> bool:
    """Apply what was confirmed and say True; or, where the roster has moved on, plan anew and say False."""
    with connection.cursor() as cursor:
        # Readers and redemptions go on; whoever else would change employees waits for this to end.
        cursor.execute("LOCK TABLE people_employee IN SHARE ROW EXCLUSIVE MODE")
    progress.enter(Phase.PLANNING, 0)
    found = plan(checked.employees, checked.held, queries.present(), Mode(roster_import.mode))
    if found.digest != roster_import.plan_digest:
        _store(roster_import, _Reading(checked, found))
        advance(
            roster_import,
            Status.PLANNED,
            roster_changed=True,
            checked_at=at,
            claimed_at=None,
            phase=Phase.WAITING,
            plan_digest=found.digest,
        )
        return False
    result = _change_people(found, progress, at=at) | {"failed": roster_import.problems}
    advance(
        roster_import,
        Status.APPLIED,
        applied_at=at,
        result=result,
        claimed_at=None,
        phase=Phase.DONE,
        rows_done=len(found.steps),
    )
    confirmed_by = roster_import.confirmed_by_id
    actor = User.objects.filter(pk=confirmed_by).first() if confirmed_by else None
    audit.record("roster.applied", roster_import, actor=actor, at=at, **result)
    return True


@transaction_required
def _change_people(found: Plan, progress: Progress, *, at: datetime) -> dict[str, int]:
    """Leavers first, so that their mobiles are free; then changes; then those who join, with their wallets."""
    steps: dict[Action, list[Step]] = {action: [] for action in Action}
    for step in found.steps:
        steps[step.action].append(step)
    done = len(steps[Action.UNCHANGED])
    progress.enter(Phase.LEAVING, done)
    today = timezone.localdate(at).isoformat()
    leavers: dict[str, Values] = {
        step.employee_no: {"left_on": today, **step.after} for step in steps[Action.LEAVE]
    }
    people.change_employees(changes=leavers, at=at, told=progress.told)
    done += len(leavers)
    progress.enter(Phase.CHANGING, done)
    changed = [*steps[Action.UPDATE], *steps[Action.RETURN]]
    returned = {step.employee_no for step in steps[Action.RETURN]}
    now = people.change_employees(
        changes={s.employee_no: s.after for s in changed}, at=at, told=progress.told
    )
    points.open_wallets(employees=[employee for employee in now if employee.employee_no in returned])
    progress.enter(Phase.JOINING, done + len(changed))
    joined = people.add_employees(
        people={step.employee_no: step.after for step in steps[Action.JOIN]}, at=at, told=progress.told
    )
    points.open_wallets(employees=[employee for employee in joined if employee.is_active])
    return {
        "created": len(joined),
        "updated": len(changed),
        "unchanged": len(steps[Action.UNCHANGED]),
        "left": len(leavers),
    }
