"""Rehearsals: what a rule would give on a day, kept to the row for a person to look at and confirm."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from benefits.campaigns import queries, rehearse, roll
from benefits.campaigns.definition import Amount, Audience, Definition, Expiry, Occasion
from benefits.campaigns.models import ONCE, GrantRule, Rehearsal, RehearsalRow, RuleVersion
from benefits.campaigns.operations import rules
from benefits.campaigns.rehearse import Result
from benefits.points import days
from benefits.points.models import Budget
from benefits.states import advance
from tenants import audit
from tenants.db import copy_rows, transaction, transaction_required
from tenants.identity.models import User

Status = Rehearsal.Status


@transaction
def rehearse_rule(*, rule: GrantRule, day: date, actor: User | None, at: datetime) -> Rehearsal:
    """Work out what a rule would give on any day, and keep it. Nothing moves."""
    return store(rule=rule, day=day, actor=actor, at=at)


@transaction
def once(
    *,
    name: str,
    budget: Budget,
    audience: Audience,
    amount: Amount,
    expiry: Expiry,
    day: date,
    actor: User | None,
    at: datetime,
) -> Rehearsal:
    """A single grant, rehearsed for today: a rule of its own, which ends when it is handed out. Raises InvalidRule."""
    definition = Definition(audience, Occasion(ONCE), amount, expiry)
    active = {"status": GrantRule.Status.ACTIVE, "active_from": day, "is_single": True}
    rule = rules.create(name=name, budget=budget, definition=definition, actor=actor, at=at, **active)
    return store(rule=rule, day=day, actor=actor, at=at)


@transaction_required
def await_approval(*, rehearsal: Rehearsal, actor: User | None, at: datetime) -> Rehearsal:
    """Somebody else must decide first; whoever asks them keeps both in one transaction. Raises IllegalTransition."""
    advance(rehearsal, Status.WAITING)
    audit.record("rehearsal.waiting", rehearsal, actor=actor, at=at, fen=rehearsal.total_fen)
    return rehearsal


@transaction
def drop_rehearsal(*, rehearsal: Rehearsal, actor: User | None, at: datetime) -> Rehearsal:
    """It will not be carried out; a single grant's rule ends with it. Raises IllegalTransition."""
    return discard(rehearsal=rehearsal, actor=actor, at=at)


@transaction_required
def discard(*, rehearsal: Rehearsal, actor: User | None, at: datetime) -> Rehearsal:
    """`drop_rehearsal` inside a transaction."""
    advance(rehearsal, Status.DROPPED)
    rule = rehearsal.rule
    if rule.is_single and rule.status != GrantRule.Status.ENDED:
        advance(rule, GrantRule.Status.ENDED)
    audit.record("rehearsal.dropped", rehearsal, actor=actor, at=at)
    return rehearsal


@transaction_required
def store(
    *, rule: GrantRule, day: date, actor: User | None, at: datetime, is_scheduled: bool = False
) -> Rehearsal:
    """Rehearse and keep it. Of what the calendar runs, those who are simply not due are only counted."""
    version = queries.current(rule)
    result = work_out(version, day=day, with_leavers=not is_scheduled)
    last_day = version.definition_of().expiry.last_day(day)
    rehearsal = Rehearsal.objects.create(
        rule=rule,
        version=version,
        day=day,
        is_scheduled=is_scheduled,
        digest=digest_of(result, version, day),
        people=len(result.getting),
        total_fen=result.total_fen,
        counts=dict(result.counts),
        expires_at=days.end_of(last_day) if last_day else None,
        made_by=actor.username if actor else audit.SYSTEM,
        at=at,
    )
    columns = [field.attname for field in RehearsalRow._meta.concrete_fields if field.attname != "id"]
    copy_rows(RehearsalRow, columns, _rows(rehearsal, result, but=rehearse.NOT_DUE if is_scheduled else None))
    audit.record(
        "rehearsal.made", rehearsal, actor=actor, at=at, employees=rehearsal.people, fen=rehearsal.total_fen
    )
    return rehearsal


def work_out(version: RuleVersion, *, day: date, with_leavers: bool = False) -> Result:
    """What a version gives on a day, as the roster is and after all that was given."""
    definition = version.definition_of()
    people = roll.people_for(definition, with_leavers=with_leavers)
    result = rehearse.rehearse(definition, rule_key=key_of(version), day=day, people=people)
    return roll.without_given(result, rule_id=version.rule_id)


def key_of(version: RuleVersion) -> str:
    """What the occasions of a rule begin with, whichever its version."""
    return f"rule:{version.rule_id}"


def digest_of(result: Result, version: RuleVersion, day: date) -> str:
    """What a person confirms of a result."""
    expires_on = version.definition_of().expiry.last_day(day)
    return result.digest(rule_key=key_of(version), version=version.number, day=day, expires_on=expires_on)


def _rows(rehearsal: Rehearsal, result: Result, *, but: str | None) -> Iterator[tuple[Any, ...]]:
    """The rows in the order of the table's columns."""
    place = 0
    for row in result.rows:
        if row.reason == but:
            continue
        place += not row.reason
        yield (
            rehearsal.pk,
            0 if row.reason else place,
            row.employee_id,
            row.employee_no,
            row.wallet_id,
            row.department,
            row.fen,
            row.occasion,
            row.reason,
        )
