"""A rehearsal that was confirmed becomes a grant: its total is set aside in one act, or nothing is."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from benefits.campaigns.errors import DayNotCommitted, RehearsalEmpty, RehearsalStale, RuleNotActive
from benefits.campaigns.models import GrantRule, Rehearsal
from benefits.campaigns.operations import rehearsing
from benefits.people.hold import await_roster, hold_roster
from benefits.points import allotting
from benefits.points.models import Account, Grant
from benefits.states import advance
from tenants import audit
from tenants.db import transaction, transaction_required
from tenants.errors import IllegalTransition
from tenants.identity.models import User

DAYS_BACK = 7  # for how many days workers may be down and nobody goes without
Status = Rehearsal.Status


def commit_rehearsal(*, rehearsal: Rehearsal, digest: str, actor: User | None, at: datetime) -> Rehearsal:
    """Set the total aside and let it be handed out. Safe to repeat: what runs or is done stays as it is.

    Raises RehearsalStale where the same rehearsal made now has another digest, RuleNotActive, RehearsalEmpty,
    DayNotCommitted, InsufficientBudget, BudgetClosed, InvalidExpiry, IllegalTransition, and RosterBusy to a person.
    """
    is_same = _commit(rehearsal, digest, actor=actor, at=at)
    rehearsal.refresh_from_db()
    if not is_same:
        raise RehearsalStale
    return rehearsal


@transaction
def _commit(rehearsal: Rehearsal, digest: str, *, actor: User | None, at: datetime) -> bool:
    """False where it is out of date, which is kept."""
    # The roster stands still until this is committed: nobody who is promised points is removed by an undone import. Then
    # the rule, then the scarce thing: two commits of one rule, or from one budget, happen one after another.
    if actor is None:
        await_roster()
    else:
        hold_roster()
    rule = GrantRule.objects.select_for_update(no_key=True).get(pk=rehearsal.rule_id)
    now = Rehearsal.objects.select_related("version__budget").get(pk=rehearsal.pk)
    Account.objects.select_for_update().get(pk=now.version.budget.account_id)
    if now.digest != digest or now.status == Status.STALE:
        raise RehearsalStale
    if now.status in (Status.RUNNING, Status.DONE):
        return True
    _refuse(now, rule, at=at)
    is_current = rule.version_id == now.version_id
    if not is_current or _digest_now(now) != digest:
        advance(now, Status.STALE)
        return False
    grant = _set_aside(now, rule, actor=actor, at=at)
    advance(
        now,
        Status.RUNNING,
        grant=grant,
        committed_by=actor.username if actor else audit.SYSTEM,
        committed_at=at,
        failure={},
    )
    return True


def _refuse(rehearsal: Rehearsal, rule: GrantRule, *, at: datetime) -> None:
    if rehearsal.status == Status.DROPPED:
        raise IllegalTransition(status=rehearsal.get_status_display())
    if rule.status != GrantRule.Status.ACTIVE:
        raise RuleNotActive(name=rule.name)
    if not 0 <= (timezone.localdate(at) - rehearsal.day).days <= DAYS_BACK:
        raise DayNotCommitted(day=rehearsal.day, days=DAYS_BACK)
    if not rehearsal.people:
        raise RehearsalEmpty


def _digest_now(rehearsal: Rehearsal) -> str:
    result = rehearsing.work_out(rehearsal.version, day=rehearsal.day)
    return rehearsing.digest_of(result, rehearsal.version, rehearsal.day)


@transaction_required
def _set_aside(rehearsal: Rehearsal, rule: GrantRule, *, actor: User | None, at: datetime) -> Grant:
    audience = rehearsal.version.definition["audience"]
    grant = allotting.set_aside(
        budget=rehearsal.version.budget,
        reason=rule.name,
        audience={
            "everyone": audience["everyone"],
            "departments": audience["departments"],
            "list": len(audience["numbers"]),
            "rule": rule.pk,
        },
        source=f"campaigns.rehearsal:{rehearsal.pk}",
        digest=rehearsal.digest,
        employees=rehearsal.people,
        fen=rehearsal.total_fen,
        expires_at=rehearsal.expires_at,
        actor=actor,
        at=at,
    )
    audit.record(
        "rehearsal.committed",
        rehearsal,
        actor=actor,
        at=at,
        employees=rehearsal.people,
        fen=rehearsal.total_fen,
    )
    return grant
