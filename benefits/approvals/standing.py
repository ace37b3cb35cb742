"""What stands until somebody changes it: the limits of each role, and who decides in whose place on which days."""

from collections.abc import Mapping
from datetime import date, datetime

from django.utils import timezone

from benefits.approvals import queries
from benefits.approvals.errors import (
    DelegationOverlaps,
    InvalidDelegation,
    InvalidLimit,
    LimitsAreAdministrators,
    NotYourDelegation,
)
from benefits.approvals.limits import DECIDERS, Limit
from benefits.approvals.models import ApprovalLimit, Delegation
from tenants import audit
from tenants.db import transaction
from tenants.identity.models import User
from tenants.identity.roles import Role


@transaction
def set_limits(*, kind: str, rows: Mapping[str, Limit], actor: User, at: datetime) -> None:
    """Set all limits of a kind at once; without any, whoever may do it at all does it alone.

    Raises LimitsAreAdministrators, InvalidLimit.
    """
    if Role.ADMIN not in actor.roles:
        raise LimitsAreAdministrators
    for role, limit in rows.items():
        if role not in DECIDERS or min(limit.alone_fen or 0, limit.approves_fen or 0) < 0:
            raise InvalidLimit
    before = {row.role: row for row in ApprovalLimit.objects.select_for_update().filter(kind=kind)}
    was = {role: Limit(row.alone_fen, row.approves_fen) for role, row in before.items()}
    if was == dict(rows):
        return
    ApprovalLimit.objects.filter(kind=kind).exclude(role__in=rows).delete()
    for role, limit in rows.items():
        ApprovalLimit.objects.update_or_create(
            kind=kind,
            role=role,
            defaults={"alone_fen": limit.alone_fen, "approves_fen": limit.approves_fen},
        )
    audit.record(
        "limits.set",
        f"approvals.approvallimit:{kind}",
        actor=actor,
        at=at,
        before=_facts(was),
        after=_facts(rows),
    )


def _facts(rows: Mapping[str, Limit]) -> str:
    """Limits in fen as one line: "hr 100000/0, admin any/any" (alone/approves)."""

    def word(fen: int | None) -> str:
        return "any" if fen is None else str(fen)

    return ", ".join(
        f"{role} {word(one.alone_fen)}/{word(one.approves_fen)}" for role, one in sorted(rows.items())
    )


@transaction
def delegate(
    *, from_user: User, to_user: User, from_date: date, to_date: date, actor: User, at: datetime
) -> Delegation:
    """Have `to_user` decide for `from_user` on these days, both included.

    Raises NotYourDelegation, InvalidDelegation, DelegationOverlaps.
    """
    if to_user == actor or (from_user != actor and Role.ADMIN not in actor.roles):
        raise NotYourDelegation
    if from_user == to_user or to_date < from_date or to_date < timezone.localdate(at):
        raise InvalidDelegation
    # Whoever hands on or stands in is locked, in order, so that no chain comes about at the same moment.
    pair = [from_user.pk, to_user.pk]
    list(User.objects.select_for_update(no_key=True).filter(pk__in=pair).order_by("pk"))
    if set(queries.staff().filter(pk__in=pair).values_list("pk", flat=True)) != set(pair):
        raise InvalidDelegation
    if taken := queries.overlapping(from_user, to_user, from_date, to_date):
        raise DelegationOverlaps(name=str(taken))
    made = Delegation.objects.create(
        from_user=from_user, to_user=to_user, from_date=from_date, to_date=to_date, made_by=actor, made_at=at
    )
    audit.record(
        "delegation.made",
        made,
        actor=actor,
        at=at,
        acting_for=from_user.username,
        stand_in=to_user.username,
        since=str(from_date),
        until=str(to_date),
    )
    return made


@transaction
def end_delegation(*, delegation: Delegation, actor: User, at: datetime) -> Delegation:
    """End a delegation now; ending it again changes nothing. Raises NotYourDelegation."""
    delegation = Delegation.objects.select_for_update().get(pk=delegation.pk)
    if delegation.from_user_id != actor.pk and Role.ADMIN not in actor.roles:
        raise NotYourDelegation
    if delegation.ended_at is None:
        delegation.ended_at = at
        delegation.save(update_fields=["ended_at"])
        audit.record("delegation.ended", delegation, actor=actor, at=at)
    return delegation
