"""The kinds of requests, one entry each: what it is about, what is checked when it is asked, how it is carried out.

Whatever carries a request out is safe to repeat with the same key: a crash between doing it and noting it changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from benefits.approvals.errors import SubjectGone
from benefits.approvals.models import Kind
from benefits.campaigns import operations as campaigns
from benefits.campaigns.errors import RehearsalStale
from benefits.campaigns.models import GrantRule, Rehearsal
from benefits.funds import queries as funds
from benefits.funds.errors import InsufficientFunds
from benefits.points import budgets
from benefits.points import operations as points
from benefits.points.errors import InsufficientBudget, InvalidPoints
from benefits.points.models import Account, Budget
from tenants.db import connection
from tenants.errors import IllegalTransition
from tenants.identity.models import User


@dataclass(frozen=True)
class Request:
    """What somebody asked for, with the row that it is about."""

    subject: Any
    fen: int
    details: Mapping[str, Any]
    request_key: UUID
    actor: User
    at: datetime


def _nothing(subject: Any, at: datetime) -> None:
    """Most subjects need not know that they wait."""


@dataclass(frozen=True)
class Way:
    """How requests of one kind are told, checked and carried out.

    `words` is a sentence over the request's details, which `describe` completes with the names as they are; `check`
    objects to what plainly cannot be; `hold` and `release` tell the subject that it waits, and that nothing will come
    of it; `is_quick` says that a page may wait for `carry_out`.
    """

    model: type[models.Model]
    words: Any
    describe: Callable[[Request], dict[str, Any]]
    check: Callable[[Request], None]
    carry_out: Callable[[Request], models.Model]
    hold: Callable[[Request], None] = lambda request: None
    release: Callable[[Request], None] = lambda request: None
    is_quick: bool = True


def _budget_names(request: Request) -> dict[str, Any]:
    return {"budget": request.subject.name}


def _both_names(request: Request) -> dict[str, Any]:
    return {"budget": request.subject.name, "to_name": _target(request).name}


def _target(request: Request) -> Budget:
    found = Budget.objects.filter(pk=request.details["to"]).first()
    if found is None:
        raise SubjectGone
    return found


def _check_load(request: Request) -> None:
    _check_amount(request)
    points.refuse_closed(points.own_budget(request.subject), at=request.at)
    available = funds.available_fen(connection.schema_name)
    if request.fen > available:
        raise InsufficientFunds(needed_fen=request.fen, available_fen=available)


def _check_return(request: Request) -> None:
    _check_amount(request)
    budget: Budget = request.subject
    left = Account.objects.get(pk=budget.account_id).balance_fen or 0
    if request.fen > left:
        raise InsufficientBudget(budget=budget.name, needed_fen=request.fen, available_fen=left)


def _check_move(request: Request) -> None:
    _check_return(request)
    points.refuse_closed(points.own_budget(_target(request)), at=request.at)


def _check_amount(request: Request) -> None:
    if request.fen <= 0:
        raise InvalidPoints(asked_fen=request.fen, most_fen=points.MOST_FEN_EACH)


def _load(request: Request) -> models.Model:
    return points.load_budget(
        budget=request.subject,
        fen=request.fen,
        request_key=request.request_key,
        actor=request.actor,
        at=request.at,
    )


def _move(request: Request) -> models.Model:
    return budgets.move_budget(
        source=request.subject,
        target=_target(request),
        fen=request.fen,
        request_key=request.request_key,
        actor=request.actor,
        at=request.at,
    )


def _return(request: Request) -> models.Model:
    return points.unload_budget(
        budget=request.subject,
        fen=request.fen,
        request_key=request.request_key,
        actor=request.actor,
        at=request.at,
    )


def _rehearsal_names(request: Request) -> dict[str, Any]:
    rehearsal: Rehearsal = request.subject
    return {
        "rule": rehearsal.rule.name,
        "budget": rehearsal.version.budget.name,
        "day": rehearsal.day.isoformat(),
        "people": rehearsal.people,
        "digest": rehearsal.digest,
    }


def _check_rehearsal(request: Request) -> None:
    rehearsal: Rehearsal = request.subject
    if request.details.get("digest", rehearsal.digest) != rehearsal.digest:
        raise RehearsalStale
    budget = rehearsal.version.budget
    left = Account.objects.get(pk=budget.account_id).balance_fen or 0
    if rehearsal.total_fen > left:
        raise InsufficientBudget(budget=budget.name, needed_fen=rehearsal.total_fen, available_fen=left)


def _grant(request: Request) -> models.Model:
    digest = request.details.get("digest", request.subject.digest)
    return campaigns.commit_rehearsal(
        rehearsal=request.subject, digest=digest, actor=request.actor, at=request.at
    )


def _hold_rehearsal(request: Request) -> None:
    campaigns.await_approval(rehearsal=request.subject, actor=request.actor, at=request.at)


def _drop_rehearsal(request: Request) -> None:
    if request.subject.status == Rehearsal.Status.WAITING:
        campaigns.discard(rehearsal=request.subject, actor=request.actor, at=request.at)


def _rule_names(request: Request) -> dict[str, Any]:
    rule: GrantRule = request.subject
    return {"rule": rule.name, "budget": rule.budget.name, "version": rule.version_id}


def _check_rule(request: Request) -> None:
    """A rule says what it says: another version would be another request."""
    rule: GrantRule = request.subject
    if rule.status not in (GrantRule.Status.DRAFT, GrantRule.Status.PAUSED):
        raise IllegalTransition(status=rule.get_status_display())


def _activate(request: Request) -> models.Model:
    version = request.subject.versions.filter(pk=request.details.get("version")).first()
    return campaigns.activate_rule(rule=request.subject, version=version, actor=request.actor, at=request.at)


WAYS: Mapping[str, Way] = {
    Kind.LOAD: Way(
        model=Budget,
        words=_("Load the budget “%(budget)s”"),
        describe=_budget_names,
        check=_check_load,
        carry_out=_load,
    ),
    Kind.RETURN: Way(
        model=Budget,
        words=_("Return from the budget “%(budget)s” to the funds"),
        describe=_budget_names,
        check=_check_return,
        carry_out=_return,
    ),
    Kind.MOVE: Way(
        model=Budget,
        words=_("Move from the budget “%(budget)s” to “%(to_name)s”"),
        describe=_both_names,
        check=_check_move,
        carry_out=_move,
    ),
    Kind.GRANT: Way(
        model=Rehearsal,
        words=_("Grant by “%(rule)s” for %(day)s"),
        describe=_rehearsal_names,
        check=_check_rehearsal,
        carry_out=_grant,
        hold=_hold_rehearsal,
        release=_drop_rehearsal,
        is_quick=False,
    ),
    Kind.RULE: Way(
        model=GrantRule,
        words=_("Activate the rule “%(rule)s”"),
        describe=_rule_names,
        check=_check_rule,
        carry_out=_activate,
    ),
}


def words(kind: str, details: Mapping[str, Any]) -> str:
    """What was asked, in one line of the reader's language."""
    return str(WAYS[kind].words) % details


def subject_text(subject: models.Model) -> str:
    """How a request names its row: "points.budget:3"."""
    return f"{subject._meta.label_lower}:{subject.pk}"


def find_subject(kind: str, text: str) -> Any:
    """The row that a request is about. Raises SubjectGone."""
    found = WAYS[kind].model._default_manager.filter(pk=int(text.partition(":")[2])).first()
    if found is None:
        raise SubjectGone
    return found
