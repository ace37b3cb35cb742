"""An applied import is taken back, as far as nobody has built on it since.

Whoever it changed is put back as they were, to the last column. Whoever joined by it is removed with their unused
wallet and the user who never signed in. People who were changed, paid or used since are kept as they are, and named.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from benefits.campaigns import queries as campaigns
from benefits.people import queries as people
from benefits.people.hold import await_roster
from benefits.people.models import Department, Employee
from benefits.points import queries as points
from benefits.points.leavers import undo_return
from benefits.roster import queries
from benefits.roster.errors import UndoRefused
from benefits.roster.models import RosterImport, RosterRow
from benefits.roster.operations.applying import person_of
from benefits.roster.operations.claims import AT_REST, Phase, Status, claim, let_go, without_collector
from benefits.roster.progress import Progress
from benefits.states import advance
from tenants import audit
from tenants.db import connection, durable, transaction, transaction_required
from tenants.identity.models import User

BATCH = 5000
NAMED = 500  # kept people whom the result lists one by one
Kept = dict[str, str]  # employee number to reason


@transaction
def undo(*, roster_import: RosterImport, actor: User | None, at: datetime) -> RosterImport:
    """Have the latest applied import taken back; a worker does it. Raises UndoRefused, IllegalTransition."""
    roster_import = RosterImport.objects.select_for_update().get(pk=roster_import.pk)
    if roster_import.status == Status.APPLIED:
        _refuse(roster_import, at=at)
    advance(
        roster_import,
        Status.UNDOING,
        undone_by=actor.username if actor else audit.SYSTEM,
        undone_by_id=actor.pk if actor else None,
        **AT_REST,
    )
    audit.record("roster.undo_requested", roster_import, actor=actor, at=at)
    return roster_import


def _refuse(roster_import: RosterImport, *, at: datetime) -> None:
    days = settings.ROSTER_UNDO_DAYS
    if queries.applied_after(roster_import).exists():
        raise UndoRefused(reason="not_latest", days=days)
    if at - (roster_import.applied_at or at) > timedelta(days=days):
        raise UndoRefused(reason="too_late", days=days)
    if roster_import.forgotten_at:
        raise UndoRefused(reason="forgotten", days=days)


def foresee_undo(*, roster_import: RosterImport) -> dict[str, Any]:
    """What undoing an applied import now would do, in the words of its result; nothing is changed."""
    kept: Kept = {}
    joined = _joined(roster_import, kept)
    restored = _restorable(roster_import, kept, leaving={pk for pk, _ in joined})
    return {"restored": len(restored), "removed": len(joined), **_told(kept)}


def _told(kept: Kept) -> dict[str, Any]:
    named = [{"employee_no": number, "reason": reason} for number, reason in sorted(kept.items())[:NAMED]]
    return {"kept": named, "kept_total": len(kept)}


@durable
@without_collector()
def undo_now(*, roster_import: RosterImport, at: datetime) -> RosterImport:
    """Put the roster back as it was, in one transaction. Safe to repeat. Raises BeingWorkedOn."""
    if roster_import.status == Status.UNDONE or not claim(roster_import, Status.UNDOING, at=at):
        return roster_import
    try:
        with Progress(roster_import.pk, at=at) as progress, transaction():
            _undo(roster_import, progress, at=at)
    except Exception:
        let_go(roster_import)
        raise
    return roster_import


@transaction_required
def _undo(roster_import: RosterImport, progress: Progress, *, at: datetime) -> None:
    await_roster()
    progress.enter(Phase.RESTORING, 0)
    kept: Kept = {}
    joined = _joined(roster_import, kept)
    restored = _restorable(roster_import, kept, leaving={pk for pk, _ in joined})
    _remove([pk for pk, _ in joined], [user for _, user in joined if user], told=progress.told)
    progress.told(len(joined))
    returned_fen = _restore(roster_import, restored, at=at)
    _remove_empty_departments(roster_import)
    undone = {
        "restored": len(restored),
        "removed": len(joined),
        **_told(kept),
        "points_returned_fen": returned_fen,
    }
    roster_import.befores.all().delete()
    done = AT_REST | {"phase": Phase.DONE, "rows_done": len(joined) + len(restored)}
    advance(
        roster_import, Status.UNDONE, undone_at=at, result={**roster_import.result, "undo": undone}, **done
    )
    facts = {"restored": len(restored), "removed": len(joined), "kept": len(kept), "fen": returned_fen}
    audit.record("roster.undone", roster_import, actor=person_of(roster_import.undone_by_id), at=at, **facts)


# --- who joined ------------------------------------------------------------------------------------------------------


def _joined(roster_import: RosterImport, kept: Kept) -> list[tuple[int, int | None]]:
    """(employee, user) of those who joined by the import and whom nothing holds here; the others are noted as kept."""
    numbers = RosterRow.objects.filter(roster_import=roster_import, action="join").values("employee_no")
    found = Employee.objects.filter(employee_no__in=numbers, created_at=roster_import.applied_at)
    rows = list(found.values_list("pk", "user_id", "employee_no", "updated_at"))
    pks, users = [row[0] for row in rows], [row[1] for row in rows if row[1]]
    moved = points.owners_with_postings(pks)
    used, used_users = people.referred_to(pks) | campaigns.owed(pks), people.users_in_use(users)
    free: list[tuple[int, int | None]] = []
    for pk, user, number, updated_at in rows:
        if updated_at != roster_import.applied_at:
            kept[number] = "changed"
        elif pk in moved:
            kept[number] = "points"
        elif user in used_users:
            kept[number] = "signed_in"
        elif pk in used:
            kept[number] = "in_use"
        else:
            free.append((pk, user))
    return free


@transaction_required
def _remove(employees: list[int], users: list[int], *, told: Callable[[int], object]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM points_account WHERE employee_id = ANY(%s)", [employees])
        cursor.execute("DELETE FROM people_employee WHERE id = ANY(%s)", [employees])
    _remove_users(users, told=told)


@transaction_required
def _remove_users(users: Sequence[int], *, told: Callable[[int], object] = bool) -> None:
    """Some at a time, so that it is seen to go on: for each user every table that may refer to one is asked."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for start in range(0, len(users), BATCH):
            some = list(users[start : start + BATCH])
            for table in ("identity_user_groups", "identity_user_user_permissions"):
                cursor.execute(f"DELETE FROM {table} WHERE user_id = ANY(%s)", [some])
            cursor.execute("DELETE FROM identity_user WHERE id = ANY(%s)", [some])
            told(start + len(some))
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


# --- who was changed -------------------------------------------------------------------------------------------------

_TOUCHED = """
SELECT b.employee_id, b.was->>'employee_no', b.was->>'status', b.was->>'mobile_index', e.status,
    e.updated_at IS NOT DISTINCT FROM %(applied_at)s AND (b.was->>'department_id' IS NULL
        OR (b.was->>'department_id')::bigint IN (SELECT id FROM people_department)), a.id, (b.was->>'user_id')::bigint
FROM roster_before b LEFT JOIN people_employee e ON e.id = b.employee_id
LEFT JOIN points_account a ON a.employee_id = b.employee_id WHERE b.roster_import_id = %(import)s ORDER BY b.id
"""


def _restorable(
    roster_import: RosterImport, kept: Kept, *, leaving: Collection[int]
) -> dict[int, tuple[str, str]]:
    """employee -> (number, mobile index) of those who can be put back; the others are noted as kept."""
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHED, {"import": roster_import.pk, "applied_at": roster_import.applied_at})
        rows = cursor.fetchall()
    since = roster_import.applied_at
    back = [row[0] for row in rows if row[2] == "left" and row[4] == "active"]
    moved = points.owners_with_postings(back, since=since)
    short = points.owners_short_of(
        [row[0] for row in rows if row[2] == "active" and row[4] == "left"], since=since
    )
    found: dict[int, tuple[str, str]] = {}
    for pk, number, was, index, _now, is_same, _wallet, _user in rows:
        if not is_same:
            kept[number] = "changed"
        elif pk in moved:
            kept[number] = "points"
        elif pk in short:
            kept[number] = "budget"
        else:
            found[pk] = (number, index if was == "active" else "")
    _keep_taken_mobiles(found, kept, leaving=leaving)
    return found


def _keep_taken_mobiles(found: dict[int, tuple[str, str]], kept: Kept, *, leaving: Collection[int]) -> None:
    """A mobile that somebody else has by now is not taken away again: who had it stays as they are."""
    active = Employee.objects.filter(status=Employee.Status.ACTIVE).exclude(mobile_index="")
    others = dict(active.values_list("mobile_index", "pk")) if found else {}
    while True:
        refused = [
            pk
            for pk, (_number, index) in found.items()
            if index and (holder := others.get(index)) and holder not in found and holder not in leaving
        ]
        if not refused:
            return
        for pk in refused:
            kept[found.pop(pk)[0]] = "mobile_taken"


_FREE = "UPDATE people_employee SET mobile_index = '' WHERE id = ANY(%s)"
_RESTORE = """
UPDATE people_employee e SET ({columns}) = (SELECT {columns} FROM jsonb_populate_record(e, b.was))
FROM roster_before b WHERE b.roster_import_id = %s AND b.employee_id = e.id AND e.id = ANY(%s)
"""
_RESTORE_USERS = """
UPDATE identity_user u SET name = b.user_was->>'name', is_active = (b.user_was->>'is_active')::boolean
FROM roster_before b WHERE b.roster_import_id = %s AND b.employee_id = ANY(%s) AND u.id = (b.user_was->>'id')::bigint
"""
_MADE_USERS = """
SELECT e.user_id FROM roster_before b JOIN people_employee e ON e.id = b.employee_id
WHERE b.roster_import_id = %s AND e.id = ANY(%s) AND e.user_id IS NOT NULL AND b.was->>'user_id' IS NULL
"""
_UNUSED_WALLETS = """
DELETE FROM points_account a USING roster_before b WHERE b.roster_import_id = %s AND b.employee_id = ANY(%s)
    AND NOT b.had_wallet AND a.employee_id = b.employee_id
    AND NOT EXISTS (SELECT 1 FROM points_posting p WHERE a.id IN (p.source_id, p.destination_id))
"""


@transaction_required
def _restore(roster_import: RosterImport, found: Iterable[int], *, at: datetime) -> int:
    """Put people, their users and the points that they lost by leaving back; returns those fen."""
    pks = list(found)
    if not pks:
        return 0
    columns = ", ".join(field.attname for field in Employee._meta.concrete_fields if field.attname != "id")
    which = [roster_import.pk, pks]
    with connection.cursor() as cursor:
        cursor.execute(_MADE_USERS, which)
        users = {row[0] for row in cursor.fetchall()}
        cursor.execute(_FREE, [pks])
        cursor.execute(_RESTORE.format(columns=columns), which)
        cursor.execute(_RESTORE_USERS, which)
        cursor.execute(_UNUSED_WALLETS, which)
    unused = users - people.users_in_use(users)
    _remove_users(sorted(unused))
    User.objects.filter(pk__in=users - unused).update(is_active=False)
    back = Employee.objects.filter(pk__in=pks, status=Employee.Status.ACTIVE).values_list("pk", flat=True)
    since: Any = roster_import.applied_at
    return undo_return(employees=list(back), since=since, at=at)


@transaction_required
def _remove_empty_departments(roster_import: RosterImport) -> None:
    made = roster_import.facts.get("departments_made", [])
    Department.objects.filter(path__in=made, employees__isnull=True).delete()
