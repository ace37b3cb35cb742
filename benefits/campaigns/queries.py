"""Reads of rules and rehearsals; all amounts in fen."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Case, Count, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from psycopg import sql

from benefits.campaigns import roll
from benefits.campaigns.errors import RuleNotFound
from benefits.campaigns.models import GrantRule, Rehearsal, RehearsalRow, RuleVersion
from benefits.campaigns.rehearse import forecast
from benefits.people.models import Employee
from tenants.db import connection
from tenants.models import Company

STALLED = timedelta(seconds=30)  # a step takes less: whoever was at it is gone
GETS, LEFT_OUT = "gets", "left_out"
_ORDER = ("active", "draft", "paused", "ended")


def rules(*, with_single: bool = False) -> QuerySet[GrantRule]:
    """Rules, those at work first, then the newest; the rules of single grants only on request."""
    rank = Case(*(When(status=status, then=Value(place)) for place, status in enumerate(_ORDER)))
    found = GrantRule.objects.select_related("budget", "version").annotate(rank=rank)
    return (found if with_single else found.filter(is_single=False)).order_by("rank", "-id")


def find_rule(name: str) -> GrantRule:
    """The rule of a name or number, not one of those that ended, or RuleNotFound."""
    found = GrantRule.objects.select_related("budget", "version").exclude(status=GrantRule.Status.ENDED)
    mine = Q(name=name) | (Q(pk=int(name)) if name.isascii() and name.isdecimal() and len(name) < 10 else Q())
    rule = found.filter(mine).order_by("-id").first()
    if rule is None:
        raise RuleNotFound(name=name)
    return rule


def current(rule: GrantRule) -> RuleVersion:
    """What a rule says now."""
    return RuleVersion.objects.select_related("budget").get(pk=rule.version_id or 0)


def rehearsals(rule: GrantRule | None = None) -> QuerySet[Rehearsal]:
    """Rehearsals, of one rule or of all, the newest first."""
    found = Rehearsal.objects.select_related("rule", "version", "version__budget", "grant")
    return found.filter(rule=rule) if rule is not None else found


def rows(rehearsal: Rehearsal, *, search: str = "", show: str = GETS) -> QuerySet[RehearsalRow]:
    """Who gets something, or who is left out and why, with each one's `name`; `search` is part of a number or name."""
    name = Employee.objects.filter(pk=OuterRef("employee_id")).values("name")[:1]
    found = RehearsalRow.objects.filter(rehearsal=rehearsal).annotate(name=Subquery(name))
    found = found.filter(place__gt=0) if show == GETS else found.exclude(place__gt=0)
    if search:
        named = Employee.objects.filter(Q(name__icontains=search) | Q(pinyin__icontains=search.lower()))
        found = found.filter(Q(employee_no__icontains=search) | Q(employee_id__in=named.values("pk")))
    return found.order_by("employee_no")


def by_department(rehearsal: Rehearsal) -> list[tuple[str, int, int]]:
    """(department's path, people, fen) of those who get something."""
    found = RehearsalRow.objects.filter(rehearsal=rehearsal, place__gt=0).order_by()
    sums = found.values("department").annotate(people=Count("id"), fen=Sum("fen")).order_by("department")
    return [(row["department"], row["people"], int(row["fen"])) for row in sums]


@dataclass(frozen=True)
class Progress:
    """How far a rehearsal is handed out."""

    handed: int
    people: int
    fen: int
    total_fen: int

    @property
    def percent(self) -> int:
        return 100 * self.handed // self.people if self.people else 100


def progress(rehearsal: Rehearsal) -> Progress:
    """How far it is now."""
    handed = Rehearsal.objects.values_list("handed", flat=True).get(pk=rehearsal.pk)
    given = RehearsalRow.objects.filter(rehearsal=rehearsal, place__gt=0, place__lte=handed)
    return Progress(
        handed=handed,
        people=rehearsal.people,
        fen=int(given.aggregate(fen=Sum("fen"))["fen"] or 0),
        total_fen=rehearsal.total_fen,
    )


def next_days(rule: GrantRule, from_day: date, n: int) -> list[tuple[date, int, int]]:
    """The next n days of a year on which something is due: (day, people, fen), as the roster is now."""
    definition = current(rule).definition_of()
    found = forecast(
        definition,
        people=roll.people_for(definition),
        first=from_day,
        last=from_day + timedelta(days=366),
    )
    return [(day, people, fen) for day, (people, fen) in list(found.items())[:n]]


def running() -> QuerySet[Rehearsal]:
    """Those that are being handed out."""
    return Rehearsal.objects.filter(status=Rehearsal.Status.RUNNING).order_by("pk")


def owed(employees: Collection[int]) -> set[int]:
    """Those of these employees (pk) whose part of a grant is set aside and not yet handed out."""
    rows = RehearsalRow.objects.filter(
        rehearsal__status=Rehearsal.Status.RUNNING,
        place__gt=F("rehearsal__handed"),
        employee_id__in=employees,
    )
    return set(rows.values_list("employee_id", flat=True))


def find_rehearsal(pk: int) -> Rehearsal:
    """The rehearsal of a number."""
    return Rehearsal.objects.select_related("rule", "version__budget", "grant").get(pk=pk)


def estimate(rule: GrantRule, *, day: date, days: int = 365) -> int:
    """What a rule would give from a day on, in fen, with the roster as it is today."""
    definition = current(rule).definition_of()
    last = day + timedelta(days=days - 1)
    found = forecast(definition, people=roll.people_for(definition), first=day, last=last)
    return sum(fen for _, fen in found.values())


def stalled_everywhere(at: datetime) -> list[tuple[str, int]]:
    """(schema, rehearsal) of what nobody has handed out of for a while, in any open company, in one statement."""
    schemas = Company.objects.filter(status=Company.Status.OPEN).values_list("schema_name", flat=True)
    one = sql.SQL(
        "SELECT {name}, id FROM {schema}.campaigns_rehearsal WHERE status = 'running'"
        " AND COALESCE(worked_at, committed_at) < {before}"
    )
    parts = [
        one.format(name=sql.Literal(schema), schema=sql.Identifier(schema), before=sql.Literal(at - STALLED))
        for schema in schemas
    ]
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(parts))
        return [(str(schema), int(pk)) for schema, pk in cursor.fetchall()]
