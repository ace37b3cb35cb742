"""What rules will give within a year on today's roster: worked out once, then kept for some minutes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Max

from benefits.campaigns import queries, rehearse, roll
from benefits.campaigns.definition import Definition
from benefits.campaigns.models import GrantRule, Rehearsal
from benefits.campaigns.occasions import KINDS
from benefits.people.models import Employee
from benefits.web.company.shown import Amounts

A_YEAR, A_MONTH, A_WEEK = 365, 31, 7  # days that are looked at, today included
KEPT_SECONDS = 900
MOST_RULES = 50
MOST_FAILED = 5


@dataclass(frozen=True)
class Due:
    """A day on which a rule gives something: to how many people, and how much in all."""

    day: date
    people: int
    fen: int


def ahead(rules: Sequence[GrantRule], today: date, *, days: int = A_YEAR) -> dict[int, list[Due]]:
    """The coming days of each rule that the calendar runs, by the rule's id; the roster is read once for all of them."""
    meanings = {rule.pk: rule.version.definition_of() for rule in rules if rule.is_scheduled and rule.version}
    if not meanings:
        return {rule.pk: [] for rule in rules}
    stamp = Employee.objects.aggregate(changed=Max("updated_at"), count=Count("pk"))
    keys = {
        f"rule-ahead:{rule.version_id}:{today}:{days}:{stamp['changed']}:{stamp['count']}".replace(
            " ", "_"
        ): rule.pk
        for rule in rules
        if rule.pk in meanings
    }
    kept: dict[str, list[Due]] = cache.get_many(keys)
    found = {keys[key]: dues for key, dues in kept.items()}
    if missing := {key: pk for key, pk in keys.items() if pk not in found}:
        made = _work_out({pk: meanings[pk] for pk in missing.values()}, today, days)
        cache.set_many({key: made[pk] for key, pk in missing.items()}, KEPT_SECONDS)
        found |= made
    return {rule.pk: found.get(rule.pk, []) for rule in rules}


def _work_out(meanings: dict[int, Definition], today: date, days: int) -> dict[int, list[Due]]:
    has_birthdays = any(KINDS[one.occasion.kind].needs == "birthday" for one in meanings.values())
    people = roll.people(with_birthdays=has_birthdays, with_leavers=False)
    last = today + timedelta(days=days - 1)
    return {
        pk: [
            Due(day, count, fen)
            for day, (count, fen) in rehearse.forecast(meaning, people=people, first=today, last=last).items()
        ]
        for pk, meaning in meanings.items()
    }


def coming(rules: Sequence[GrantRule], today: date) -> dict[int, Due]:
    """The next day of each rule that has one within a year; most are found within a month, which takes less time."""
    found = {pk: dues[0] for pk, dues in ahead(rules, today, days=A_MONTH).items() if dues}
    later = [rule for rule in rules if rule.pk not in found]
    return found | {pk: dues[0] for pk, dues in ahead(later, today).items() if dues}


def this_week(show: Amounts, today: date) -> dict[str, Any]:
    """What rules at work give within seven days, and which of their grants could not be made."""
    rules = list(queries.rules().filter(status=GrantRule.Status.ACTIVE)[:MOST_RULES])
    if not rules:
        return {"rows": [], "failed": [], "has_rules": False}
    week = ahead(rules, today, days=A_WEEK)
    dues = [(one, rule) for rule in rules for one in week[rule.pk]]
    failed = queries.rehearsals().filter(status=Rehearsal.Status.FAILED)[:MOST_FAILED]
    return {
        "rows": [
            {
                "rule": rule,
                "day": one.day,
                "people": one.people,
                "cost": show.with_unit(one.fen),
            }
            for one, rule in sorted(dues, key=lambda due: (due[0].day, due[1].pk))
        ],
        "failed": list(failed),
        "has_rules": True,
    }
