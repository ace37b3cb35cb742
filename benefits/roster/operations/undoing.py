"""An applied import is taken back, as far as nobody has built on it since."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from benefits.roster.errors import UndoRefused
from benefits.roster.models import RosterImport
from benefits.roster.operations.applying import person_of
from benefits.roster.operations.claims import AT_REST, Phase, Status, claim
from benefits.states import advance
from tenants import audit
from tenants.db import durable, transaction
from tenants.identity.models import User


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
    applied = RosterImport.objects.filter(status__in=[Status.APPLIED, Status.UNDOING])
    if applied.filter(applied_at__gt=roster_import.applied_at).exists():
        raise UndoRefused(reason="not_latest", days=days)
    if roster_import.applied_at and at - roster_import.applied_at > timedelta(days=days):
        raise UndoRefused(reason="too_late", days=days)
    if roster_import.forgotten_at:
        raise UndoRefused(reason="forgotten", days=days)


@durable
def undo_now(*, roster_import: RosterImport, at: datetime) -> RosterImport:
    """Put the roster back as it was, in one transaction. Safe to repeat. Raises BeingWorkedOn."""
    if roster_import.status == Status.UNDONE or not claim(roster_import, Status.UNDOING, at=at):
        return roster_import
    with transaction():
        undone = {"restored": 0, "removed": 0, "kept": [], "points_returned_fen": 0}
        result = {**roster_import.result, "undo": undone}
        advance(
            roster_import,
            Status.UNDONE,
            undone_at=at,
            result=result,
            **AT_REST | {"phase": Phase.DONE},
        )
        audit.record("roster.undone", roster_import, actor=person_of(roster_import.undone_by_id), at=at)
    return roster_import
