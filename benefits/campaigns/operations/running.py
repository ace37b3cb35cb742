"""What the calendar runs: each active rule, today and for the days shortly before, whoever was down then.

A day is looked at again when the roster has changed, so that somebody entered late gets what is due; what was given
is not given again. Where the budget is too small, the rehearsal is kept with the reason and tried again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from datetime import date, datetime, timedelta

from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from benefits.campaigns import rehearse, roll
from benefits.campaigns.models import ONCE, GrantRule, Rehearsal
from benefits.campaigns.occasions import KINDS
from benefits.campaigns.operations import rehearsing
from benefits.campaigns.operations.committing import DAYS_BACK, commit_rehearsal
from benefits.campaigns.rehearse import Person, Result
from benefits.people.models import Employee
from benefits.states import advance
from tenants import audit
from tenants.db import durable, transaction
from tenants.errors import DomainError

Status = Rehearsal.Status


@durable
def run_due(*, at: datetime) -> list[Rehearsal]:
    """Rehearse and commit what every active rule owes; returns the rehearsals that run now. Nothing happens twice."""
    waiting = list(_waiting(at))
    if not waiting:
        return []
    looks_at_birthdays = any(KINDS[rule.kind].needs == "birthday" for rule, _ in waiting)
    people = roll.people(with_birthdays=looks_at_birthdays, with_leavers=False)
    open_days = set(_open().values_list("rule_id", "day"))
    begun: list[Rehearsal] = []
    ran: list[int | None] = []
    for rule, days in waiting:
        made, is_whole = _run(rule, days, people, open_days, at=at)
        begun += made
        if is_whole:
            ran.append(rule.version_id)
    # A version that is no longer the rule's has not been run.
    GrantRule.objects.filter(version__in=ran, status=GrantRule.Status.ACTIVE).update(ran_at=at)
    return begun


def _waiting(at: datetime) -> Iterator[tuple[GrantRule, list[date]]]:
    """Active rules with the days that they still owe: those since the last run, or all again where the roster changed."""
    changed_at = Employee.objects.aggregate(at=Max("updated_at"))["at"]
    today = timezone.localdate(at)
    scheduled = GrantRule.objects.filter(~Q(kind=ONCE), status=GrantRule.Status.ACTIVE)
    for rule in scheduled.select_related("version").order_by("pk"):
        first = max(rule.active_from or today, today - timedelta(days=DAYS_BACK))
        if rule.ran_at is not None and (changed_at is None or changed_at < rule.ran_at):
            first = max(first, timezone.localdate(rule.ran_at) + timedelta(days=1))
        if first <= today:
            yield rule, [first + timedelta(days=ahead) for ahead in range((today - first).days + 1)]


def _run(
    rule: GrantRule,
    days: Sequence[date],
    people: Sequence[Person],
    open_days: Set[tuple[int, date]],
    *,
    at: datetime,
) -> tuple[list[Rehearsal], bool]:
    """One rule's days, the earliest first; also whether all went well, or they must be looked at again."""
    version = rule.version
    assert version is not None
    definition, key = version.definition_of(), rehearsing.key_of(version)
    begun: list[Rehearsal] = []
    is_whole = True
    for day in days:
        due = rehearse.rehearse(definition, rule_key=key, day=day, people=people)
        result = roll.without_given(due, rule_id=rule.pk)
        if not result.getting and (rule.pk, day) not in open_days:
            continue
        rehearsal = _keep(rule, day, result, rehearsing.digest_of(result, version, day), at=at)
        if rehearsal is None:
            continue
        try:
            begun.append(commit_rehearsal(rehearsal=rehearsal, digest=rehearsal.digest, actor=None, at=at))
        except DomainError as error:
            is_whole = False
            _fail(rehearsal, error, at=at)
    if not is_whole:
        GrantRule.objects.filter(pk=rule.pk).update(ran_at=None)
    return begun, is_whole


def _open() -> QuerySet[Rehearsal]:
    """Those of the calendar that were not committed, yet or because something was in the way."""
    return Rehearsal.objects.filter(is_scheduled=True, status__in=[Status.MADE, Status.FAILED])


def _keep(rule: GrantRule, day: date, result: Result, digest: str, *, at: datetime) -> Rehearsal | None:
    """The open rehearsal of a rule's day as it is now, or None where nobody is owed anything."""
    with transaction():
        GrantRule.objects.select_for_update(no_key=True).get(pk=rule.pk)
        found = _open().filter(rule=rule, day=day).first()
        if found is not None and found.digest == digest and result.getting:
            return found
        if found is not None:
            advance(found, Status.STALE)
        if not result.getting:
            return None
        return rehearsing.store(rule=rule, day=day, actor=None, at=at, is_scheduled=True)


@transaction
def _fail(rehearsal: Rehearsal, error: DomainError, *, at: datetime) -> None:
    """Keep why it was not committed, for a person to see; once for the same reason."""
    rehearsal.refresh_from_db()
    if rehearsal.status not in (Status.MADE, Status.FAILED):
        return
    failure = error.as_dict()["error"]
    kept = {"code": failure["code"], "details": failure["details"]}
    if rehearsal.failure == kept:
        return
    advance(rehearsal, Status.FAILED, failure=kept)
    audit.record("rehearsal.failed", rehearsal, actor=None, at=at, code=failure["code"])
