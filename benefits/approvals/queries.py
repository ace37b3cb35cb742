"""What waits for whom, what somebody asked for, and who stands in for whom."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.utils import timezone
from psycopg import sql

from benefits.approvals import limits
from benefits.approvals.limits import DECIDERS, Limits
from benefits.approvals.models import Approval, Delegation, Kind
from tenants.db import connection
from tenants.identity.models import User
from tenants.identity.roles import Role
from tenants.models import Company

FIRST_REMINDER = timedelta(days=1)  # after it was asked
LAST_DAY = timedelta(days=1)  # before it lapses
BELL = timedelta(seconds=20)  # so long the bell rung at the decision has before it is rung again


@dataclass(frozen=True)
class Decider:
    """Somebody who may decide, on their own or for whom they stand in."""

    user: User
    acting_for: User | None = None


@dataclass(frozen=True)
class Bench:
    """Everybody who may decide anything on a day, and the limits, read once for many questions."""

    limits: Limits
    staff: tuple[User, ...]
    stand_ins: tuple[Delegation, ...]

    def deciders(self, approval: Approval) -> list[Decider]:
        """Who may decide this; each once, on their own rather than for another."""
        found: dict[int, Decider] = {}
        for user in self.staff:
            if user.pk != approval.asked_by_id and self._covers(user, approval):
                found[user.pk] = Decider(user)
        by_pk = {user.pk: user for user in self.staff}
        for one in self.stand_ins:
            giver, taker = by_pk.get(one.from_user_id), by_pk.get(one.to_user_id)
            if giver is None or taker is None or approval.asked_by_id in (giver.pk, taker.pk):
                continue
            if taker.pk not in found and self._covers(giver, approval):
                found[taker.pk] = Decider(taker, acting_for=giver)
        return list(found.values())

    def decider(self, approval: Approval, user: User) -> Decider | None:
        """As whom this person may decide it, if at all."""
        return next((one for one in self.deciders(approval) if one.user.pk == user.pk), None)

    def _covers(self, user: User, approval: Approval) -> bool:
        held = [group.name for group in user.groups.all()]
        return self.limits.approves(approval.kind, held, approval.fen)


def bench(at: datetime) -> Bench:
    """Who decides on this day; whose role it is come first."""
    people = sorted(staff(), key=lambda user: all(group.name != Role.APPROVER for group in user.groups.all()))
    return Bench(limits=limits.read(), staff=tuple(people), stand_ins=tuple(in_force(timezone.localdate(at))))


def staff() -> QuerySet[User]:
    """Everybody active who works with value in the console, with their roles."""
    return (
        User.objects.filter(is_active=True, groups__name__in=[str(role) for role in DECIDERS])
        .distinct()
        .prefetch_related("groups")
        .order_by("name", "username")
    )


def in_force(day: date) -> QuerySet[Delegation]:
    """Who stands in for whom on a day."""
    return Delegation.objects.filter(ended_at=None, from_date__lte=day, to_date__gte=day).order_by("pk")


def approvals() -> QuerySet[Approval]:
    """All requests, the newest first, with their people."""
    return Approval.objects.select_related("asked_by", "decided_by", "acting_for")


def waiting(at: datetime) -> QuerySet[Approval]:
    """What still can be decided, the oldest first."""
    return approvals().filter(status=Approval.Status.WAITING, due_at__gt=at).order_by("asked_at", "pk")


def waiting_for(user: User, at: datetime) -> QuerySet[Approval]:
    """What this person may decide now, on their own or for whom they stand in, the oldest first."""
    set_limits = limits.read()
    givers = User.objects.filter(
        is_active=True, pk__in=in_force(timezone.localdate(at)).filter(to_user=user).values("from_user")
    )
    mine = _within(set_limits, user.roles)
    for giver in givers:
        mine |= _within(set_limits, giver.roles) & ~Q(asked_by=giver)
    return waiting(at).filter(mine).exclude(asked_by=user)


def _within(set_limits: Limits, roles: Iterable[str]) -> Q:
    held = list(roles)
    found = Q(pk__in=[])
    for kind in Kind.values:
        if most := set_limits.approves_fen(kind, held):
            found |= Q(kind=kind, fen__lte=most)
    return found


def count_waiting_for(user: User, at: datetime) -> int:
    """How many requests this person may decide now; one query where nothing waits at all."""
    if not waiting(at).exclude(asked_by=user).exists():
        return 0
    return waiting_for(user, at).count()


def asked_by(user: User) -> QuerySet[Approval]:
    """What this person asked for, the newest first."""
    return approvals().filter(asked_by=user)


def of_subject(subject: str) -> QuerySet[Approval]:
    """The requests about one row, "points.budget:3", the newest first."""
    return approvals().filter(subject=subject)


def delegations() -> QuerySet[Delegation]:
    """All delegations, the newest first."""
    return Delegation.objects.select_related("from_user", "to_user", "made_by")


def overlapping(from_user: User, to_user: User, from_date: date, to_date: date) -> User | None:
    """Whom a new delegation would collide with: somebody with a stand-in already, or a stand-in who would hand on."""
    same_days = Delegation.objects.filter(ended_at=None, from_date__lte=to_date, to_date__gte=from_date)
    if same_days.filter(Q(from_user=from_user) | Q(to_user=from_user)).exists():
        return from_user
    if same_days.filter(from_user=to_user).exists():
        return to_user
    return None


def reminder_due(at: datetime) -> Q:
    """Which waiting requests are to be reminded of: once after a day, and once on the last day."""
    first = Q(reminded_at=None, asked_at__lte=at - FIRST_REMINDER)
    last = Q(due_at__lte=at + LAST_DAY) & (Q(reminded_at=None) | Q(reminded_at__lt=F("due_at") - LAST_DAY))
    return first | last


def find_approval(pk: int) -> Approval:
    """The request of this number."""
    return approvals().get(pk=pk)


def companies_to_tend(at: datetime) -> list[str]:
    """The open companies where the clock has brought something about, found in one statement."""
    schemas = list(Company.objects.filter(status=Company.Status.OPEN).values_list("schema_name", flat=True))
    if not schemas:
        return []
    one = sql.SQL(
        "SELECT {name} WHERE EXISTS (SELECT 1 FROM {schema}.approvals_approval WHERE status = 'approved'"
        " AND decided_at <= {bell} OR status = 'waiting' AND (due_at <= {at}"
        " OR reminded_at IS NULL AND asked_at <= {first}"
        " OR due_at <= {last} AND (reminded_at IS NULL OR reminded_at < due_at - {day})))"
    )
    moments = {
        "at": sql.Literal(at),
        "bell": sql.Literal(at - BELL),
        "first": sql.Literal(at - FIRST_REMINDER),
        "last": sql.Literal(at + LAST_DAY),
        "day": sql.Literal(LAST_DAY),
    }
    parts = [
        one.format(name=sql.Literal(schema), schema=sql.Identifier(schema), **moments) for schema in schemas
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(parts))
        return [str(schema) for (schema,) in cursor.fetchall()]
