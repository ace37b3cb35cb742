"""A rule's life: made as a draft, revised, activated, paused, ended. What it said at each time stays."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from benefits.campaigns.definition import Definition
from benefits.campaigns.errors import RuleChanged, RuleExists
from benefits.campaigns.models import GrantRule, Rehearsal, RuleVersion
from benefits.points.errors import BudgetNotFound
from benefits.points.models import Budget
from benefits.states import advance
from tenants import audit
from tenants.db import savepoint, transaction, transaction_required
from tenants.identity.models import User

Status = GrantRule.Status


@transaction
def make_rule(
    *, name: str, budget: Budget, definition: Definition, actor: User | None, at: datetime
) -> GrantRule:
    """Make a rule as a draft: it gives nothing before it is activated. Raises RuleExists, InvalidRule, BudgetNotFound."""
    return create(name=name, budget=budget, definition=definition, actor=actor, at=at)


@transaction_required
def create(
    *,
    name: str,
    budget: Budget,
    definition: Definition,
    actor: User | None,
    at: datetime,
    **more: Any,
) -> GrantRule:
    """`make_rule` inside a transaction; `more` are further columns."""
    _refuse_foreign(budget)
    made_by = actor.username if actor else audit.SYSTEM
    rule = GrantRule(
        name=name,
        budget=budget,
        kind=definition.occasion.kind,
        made_by=made_by,
        created_at=at,
        **more,
    )
    _save(rule, definition, made_by=made_by, at=at)
    audit.record("rule.made", rule, actor=actor, at=at)
    return rule


@transaction
def revise_rule(
    *,
    rule: GrantRule,
    definition: Definition,
    name: str = "",
    budget: Budget | None = None,
    actor: User | None,
    at: datetime,
) -> RuleVersion:
    """Have a rule say something else from now on; it is a draft again, and open rehearsals of it are out of date.

    Raises RuleExists, InvalidRule, BudgetNotFound, IllegalTransition for one that has ended.
    """
    rule = _locked(rule)
    advance(rule, Status.DRAFT, ran_at=None)
    if budget is not None:
        _refuse_foreign(budget)
        rule.budget = budget
    rule.name, rule.kind = name or rule.name, definition.occasion.kind
    version = _save(rule, definition, made_by=actor.username if actor else audit.SYSTEM, at=at)
    _outdate(rule)
    audit.record("rule.revised", rule, actor=actor, at=at, version=version.number)
    return version


@transaction
def activate_rule(
    *, rule: GrantRule, version: RuleVersion | None = None, actor: User | None, at: datetime
) -> GrantRule:
    """Put a rule to work from today on; days on which it was not active are never made up for.

    An active one stays as it is. With `version`, it must still be that one. Raises RuleChanged, IllegalTransition.
    """
    rule = _locked(rule)
    if version is not None and rule.version_id != version.pk:
        raise RuleChanged(name=rule.name)
    if rule.status == Status.ACTIVE:
        return rule
    advance(rule, Status.ACTIVE, active_from=timezone.localdate(at), ran_at=None)
    audit.record("rule.activated", rule, actor=actor, at=at)
    return rule


@transaction
def pause_rule(*, rule: GrantRule, actor: User | None, at: datetime) -> GrantRule:
    """Have a rule give nothing until it is activated again; what runs is handed out. Raises IllegalTransition."""
    rule = _locked(rule)
    advance(rule, Status.PAUSED)
    _outdate(rule)
    audit.record("rule.paused", rule, actor=actor, at=at)
    return rule


@transaction
def end_rule(*, rule: GrantRule, actor: User | None, at: datetime) -> GrantRule:
    """Put a rule out of work for good; what runs is handed out. Raises IllegalTransition."""
    rule = _locked(rule)
    advance(rule, Status.ENDED)
    _outdate(rule)
    audit.record("rule.ended", rule, actor=actor, at=at)
    return rule


def _locked(rule: GrantRule) -> GrantRule:
    """The rule as it is now; whoever changes or commits it waits. Rows may refer to it meanwhile."""
    return GrantRule.objects.select_for_update(no_key=True).get(pk=rule.pk)


def _refuse_foreign(budget: Budget) -> None:
    if budget.purpose != Budget.Purpose.COMPANY:
        raise BudgetNotFound(name=budget.name)


@transaction_required
def _save(rule: GrantRule, definition: Definition, *, made_by: str, at: datetime) -> RuleVersion:
    """Write the rule with a new version. Whoever made the definition by hand has it checked like any other."""
    data = Definition.of_json(definition.as_json()).as_json()
    try:
        with savepoint():
            rule.save()
    except IntegrityError as error:
        if "grant_rule_one_a_name" not in str(error):
            raise
        raise RuleExists(name=rule.name) from error
    version = RuleVersion.objects.create(
        rule=rule,
        number=rule.versions.count() + 1,
        budget=rule.budget,
        definition=data,
        made_by=made_by,
        at=at,
    )
    rule.version = version
    rule.save(update_fields=["version"])
    return version


@transaction_required
def _outdate(rule: GrantRule) -> None:
    """What was rehearsed and not committed is not what the rule would do any more."""
    open_ones = [Rehearsal.Status.MADE, Rehearsal.Status.WAITING, Rehearsal.Status.FAILED]
    for rehearsal in Rehearsal.objects.filter(rule=rule, status__in=open_ones).order_by("pk"):
        advance(rehearsal, Rehearsal.Status.STALE)
