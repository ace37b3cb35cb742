"""A person says yes to a plan, or throws it away."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from benefits.people.models import Employee
from benefits.roster import queries
from benefits.roster.errors import NeedsCheck, PlanTooOld, RosterChanged, RowsHeldBack, TooManyLeavers
from benefits.roster.models import RosterImport
from benefits.roster.operations.claims import AT_REST, Status, discard
from benefits.states import advance
from tenants import audit
from tenants.db import transaction, transaction_required
from tenants.errors import IllegalTransition
from tenants.identity.models import User

PLAN_HOURS = 24


@transaction
def confirm(
    *,
    roster_import: RosterImport,
    plan_digest: str,
    all_or_nothing: bool = False,
    leavers: int | None = None,
    actor: User | None,
    at: datetime,
) -> RosterImport:
    """Have the plan applied that a person has seen. A worker does it; the roster may still prove to have changed.

    Raises RosterChanged, NeedsCheck, PlanTooOld, RowsHeldBack, TooManyLeavers, IllegalTransition.
    """
    roster_import = RosterImport.objects.select_for_update().get(pk=roster_import.pk)
    if roster_import.status == Status.PLANNED:
        _refuse(roster_import, plan_digest, at=at)
        if all_or_nothing and roster_import.problems:
            raise RowsHeldBack(rows=roster_import.problems)
        _refuse_leavers(roster_import, leavers)
    advance(
        roster_import,
        Status.CONFIRMED,
        confirmed_by=actor.username if actor else audit.SYSTEM,
        confirmed_by_id=actor.pk if actor else None,
        roster_changed=False,
        **AT_REST,
    )
    leaving = roster_import.counts.get("leave", 0)
    audit.record(
        "roster.confirmed", roster_import, actor=actor, at=at, plan=plan_digest[:16], leaving=leaving
    )
    return roster_import


def _refuse(roster_import: RosterImport, plan_digest: str, *, at: datetime) -> None:
    if roster_import.plan_digest != plan_digest:
        raise RosterChanged(plan_digest=roster_import.plan_digest)
    if roster_import.needs_check:
        raise NeedsCheck
    if roster_import.checked_at and at - roster_import.checked_at > timedelta(hours=PLAN_HOURS):
        raise PlanTooOld(hours=PLAN_HOURS)


def _refuse_leavers(roster_import: RosterImport, typed: int | None) -> None:
    leaving = queries.leavers_to_type(roster_import)
    if leaving and typed != leaving:
        active = Employee.objects.filter(status=Employee.Status.ACTIVE).count()
        raise TooManyLeavers(leaving=leaving, active=active, share=settings.ROSTER_LEAVER_SHARE)


@transaction
def cancel(*, roster_import: RosterImport, actor: User | None, at: datetime) -> RosterImport:
    """Throw the plan away, with the file and everything that was read from it.

    While a worker applies it, this asks the worker to stop: it undoes what it has begun, and cancels then.
    Raises IllegalTransition.
    """
    running = RosterImport.objects.filter(
        pk=roster_import.pk,
        status__in=[Status.RECEIVED, Status.CONFIRMED],
        claimed_at__gte=at - queries.LEASE,
    )
    if running.update(stop_requested_at=at):
        roster_import.refresh_from_db()
        audit.record("roster.stop_requested", roster_import, actor=actor, at=at)
        return roster_import
    _refuse_what_cannot_be_cancelled(roster_import)
    discard(roster_import, actor=actor, at=at)
    return roster_import


@transaction_required
def _refuse_what_cannot_be_cancelled(roster_import: RosterImport) -> None:
    found = RosterImport.objects.select_for_update().get(pk=roster_import.pk)
    if found.status not in (Status.RECEIVED, Status.PLANNED, Status.CONFIRMED):
        raise IllegalTransition(status=found.get_status_display())
