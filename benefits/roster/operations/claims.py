"""Which worker has an import: taken for some time, given up after some attempts, stopped where a person asks."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial

from django.db.models import F, Q

from benefits.roster import queries
from benefits.roster.errors import BeingWorkedOn
from benefits.roster.models import RosterImport, RosterRow
from benefits.roster.progress import Stopped
from benefits.states import advance
from tenants import audit
from tenants.db import after_commit, transaction, transaction_required
from tenants.identity.models import User

MOST_ATTEMPTS = 3
Status, Phase = RosterImport.Status, RosterImport.Phase
# How an import stands that no worker has and nobody waits for.
AT_REST: dict[str, object] = {
    "claimed_at": None,
    "started_at": None,
    "stop_requested_at": None,
    "attempts": 0,
    "rows_done": 0,
    "phase": Phase.WAITING,
}


def claim(roster_import: RosterImport, status: str, *, at: datetime) -> bool:
    """Take the import for this worker. False where it was to stop, or was tried too often and is given up.

    Raises BeingWorkedOn.
    """
    with transaction():
        free = Q(claimed_at__isnull=True) | Q(claimed_at__lt=at - queries.LEASE)
        mine = RosterImport.objects.filter(free, pk=roster_import.pk, status=status)
        taken = mine.update(
            claimed_at=at, started_at=at, phase=Phase.READING, rows_done=0, attempts=F("attempts") + 1
        )
        roster_import.refresh_from_db()
        if not taken:
            raise BeingWorkedOn(since=roster_import.claimed_at)
        if roster_import.stop_requested_at is not None:
            discard(roster_import, actor=None, at=at)
            return False
        if roster_import.attempts > MOST_ATTEMPTS:
            _give_up(roster_import, at=at)
            return False
    return True


@contextmanager
def without_collector() -> Iterator[None]:
    """A hundred thousand rows are no garbage: looking through them again and again takes a quarter of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@transaction_required
def heed(roster_import: RosterImport) -> None:
    """Raise Stopped where a person asked for it; from here on they would wait for this transaction."""
    asked = RosterImport.objects.select_for_update().values_list("stop_requested_at", flat=True)
    if asked.get(pk=roster_import.pk) is not None:
        raise Stopped


def let_go(roster_import: RosterImport) -> None:
    """Leave it to the next worker: this one failed."""
    waiting = RosterImport.objects.filter(pk=roster_import.pk, claimed_at__isnull=False)
    waiting.filter(status__in=[Status.RECEIVED, Status.CONFIRMED, Status.UNDOING]).update(claimed_at=None)


@transaction_required
def discard(roster_import: RosterImport, *, actor: User | None, at: datetime) -> None:
    """Cancel: the plan goes, with the file and everything that was read from it. Raises IllegalTransition."""
    advance(roster_import, Status.CANCELLED, **AT_REST)
    forget(roster_import, at=at)
    audit.record("roster.cancelled", roster_import, actor=actor, at=at)


@transaction_required
def forget(roster_import: RosterImport, *, at: datetime) -> None:
    """Delete what was read from the file, and the file once that is committed; the counts stay."""
    RosterRow.objects.filter(roster_import=roster_import).delete()
    roster_import.befores.all().delete()
    for stored in (roster_import.file, roster_import.reading):
        if stored.name:
            after_commit(partial(stored.storage.delete, stored.name))
    RosterImport.objects.filter(pk=roster_import.pk).update(
        file="", reading="", sealed_choices="", sealed_facts="", forgotten_at=at
    )
    roster_import.refresh_from_db()


@transaction_required
def _give_up(roster_import: RosterImport, *, at: datetime) -> None:
    """It failed as often as it may. Nothing of it was changed, and the page says so."""
    step = {Status.RECEIVED: "check", Status.CONFIRMED: "apply"}.get(Status(roster_import.status), "undo")
    if step == "undo":
        result = {**roster_import.result, "undo_failed_at": at.isoformat()}
        advance(roster_import, Status.APPLIED, result=result, **AT_REST | {"phase": Phase.DONE})
    else:
        reject = {"code": "failed", "reason": step, "params": {}}
        advance(roster_import, Status.REJECTED, reject=reject, **AT_REST | {"phase": Phase.DONE})
    audit.record("roster.failed", roster_import, actor=None, at=at, step=step)
