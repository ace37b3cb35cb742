"""Ask, approve, refuse, withdraw, carry out, let lapse; limits and delegations."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, models
from django.utils import translation

from benefits.approvals import kinds, limits, mail, queries
from benefits.approvals.errors import (
    AboveLimit,
    AlreadyAsked,
    ApprovalOverdue,
    AskerHasNoAccess,
    NobodyCanApprove,
    NotYourDecision,
    NotYourRequest,
    SubjectGone,
)
from benefits.approvals.kinds import Request
from benefits.approvals.limits import ASKERS
from benefits.approvals.models import Approval, Kind
from benefits.points.errors import RequestKeyReused
from benefits.states import advance
from tenants import audit
from tenants.crash import crash_point
from tenants.db import durable, savepoint, transaction, transaction_required
from tenants.errors import DomainError, IllegalTransition
from tenants.identity.models import User

_OPEN = (Approval.Status.WAITING, Approval.Status.APPROVED)
_SINGLE = (Kind.GRANT, Kind.RULE)  # as the constraint approval_one_open_of_a_grant_or_rule says


@durable
def submit(
    *,
    kind: str,
    subject: models.Model,
    fen: int,
    request_key: UUID,
    details: Mapping[str, Any],
    actor: User,
    at: datetime,
) -> Approval | None:
    """Carry out what the actor may do alone and return None; make a request of anything above and return that.

    The same key again returns the first request. Raises what carrying it out raises, AlreadyAsked, NobodyCanApprove,
    RequestKeyReused.
    """
    if earlier := Approval.objects.filter(request_key=request_key).first():
        return _same(earlier, kind=kind, subject=subject, fen=fen)
    way = kinds.WAYS[kind]
    request = Request(subject, fen, details, request_key, actor, at)
    if not limits.read().does_alone(kind, actor.roles, fen):
        return _ask(kind=kind, request=request)
    if kind in _SINGLE and _open_about(kind, subject):
        raise AlreadyAsked
    way.carry_out(request)
    return None


def refuse_above_limit(*, kind: str, fen: int, actor: User) -> None:
    """Object to something that moves `fen` by the way, where the actor may not do that alone. Raises AboveLimit."""
    if fen > 0 and not limits.read().does_alone(kind, actor.roles, fen):
        raise AboveLimit(asked_fen=fen)


def _same(earlier: Approval, *, kind: str, subject: models.Model, fen: int) -> Approval:
    if (earlier.kind, earlier.subject, earlier.fen) != (kind, kinds.subject_text(subject), fen):
        raise RequestKeyReused
    return earlier


def _open_about(kind: str, subject: models.Model) -> bool:
    return Approval.objects.filter(kind=kind, subject=kinds.subject_text(subject), status__in=_OPEN).exists()


@transaction
def _ask(*, kind: str, request: Request) -> Approval:
    way, at = kinds.WAYS[kind], request.at
    way.check(request)
    approval = Approval(
        kind=kind,
        subject=kinds.subject_text(request.subject),
        fen=request.fen,
        details={**request.details, **way.describe(request)},
        request_key=request.request_key,
        asked_by=request.actor,
        asked_at=at,
        due_at=at + timedelta(days=settings.APPROVAL_DAYS),
    )
    if not queries.bench(at).deciders(approval):
        raise NobodyCanApprove(asked_fen=request.fen)
    try:
        with savepoint():
            approval.save(force_insert=True)
    except IntegrityError as error:
        earlier = Approval.objects.filter(request_key=request.request_key).first()
        if earlier is None:
            raise AlreadyAsked from error
        return _same(earlier, kind=kind, subject=request.subject, fen=request.fen)
    way.hold(request)
    audit.record(
        "approval.asked",
        approval,
        actor=request.actor,
        at=at,
        kind=kind,
        about=approval.subject,
        fen=request.fen,
    )
    return approval


@transaction
def approve(*, approval: Approval, note: str, actor: User, at: datetime) -> Approval:
    """Say yes: what was asked is carried out next, by `carry_out`. By the same person again: changes nothing.

    Raises NotYourDecision, ApprovalOverdue, AskerHasNoAccess, IllegalTransition.
    """
    approval = _locked(approval)
    if approval.decided_by_id == actor.pk and approval.status != Approval.Status.REFUSED:
        return approval
    decider = _decider(approval, actor=actor, at=at)
    asker = approval.asked_by
    if not asker.is_active or not ASKERS & asker.roles:
        raise AskerHasNoAccess(name=str(asker))
    advance(
        approval,
        Approval.Status.APPROVED,
        decided_by=actor,
        acting_for=decider.acting_for,
        decided_at=at,
        note=note,
    )
    audit.record("approval.approved", approval, actor=actor, at=at, **_on_behalf(approval))
    return approval


@transaction
def refuse(*, approval: Approval, note: str, actor: User, at: datetime) -> Approval:
    """Say no. By the same person again: changes nothing.

    Raises NotYourDecision, ApprovalOverdue, IllegalTransition.
    """
    approval = _locked(approval)
    if approval.decided_by_id == actor.pk and approval.status == Approval.Status.REFUSED:
        return approval
    decider = _decider(approval, actor=actor, at=at)
    advance(
        approval,
        Approval.Status.REFUSED,
        decided_by=actor,
        acting_for=decider.acting_for,
        decided_at=at,
        closed_at=at,
        note=note,
    )
    _release(approval, at=at)
    audit.record("approval.refused", approval, actor=actor, at=at, **_on_behalf(approval))
    return approval


@transaction
def withdraw(*, approval: Approval, actor: User, at: datetime) -> Approval:
    """Take back what one asked for and nobody has decided. Raises NotYourRequest, IllegalTransition."""
    approval = _locked(approval)
    if approval.asked_by_id != actor.pk:
        raise NotYourRequest
    if approval.status == Approval.Status.WITHDRAWN:
        return approval
    advance(approval, Approval.Status.WITHDRAWN, closed_at=at)
    _release(approval, at=at)
    audit.record("approval.withdrawn", approval, actor=actor, at=at, fen=approval.fen)
    return approval


@transaction_required
def _locked(approval: Approval) -> Approval:
    return (
        Approval.objects.select_for_update(of=("self",))
        .select_related("asked_by", "decided_by", "acting_for")
        .get(pk=approval.pk)
    )


def _decider(approval: Approval, *, actor: User, at: datetime) -> queries.Decider:
    if approval.status != Approval.Status.WAITING:
        raise IllegalTransition(status=approval.get_status_display())
    if at >= approval.due_at:
        raise ApprovalOverdue
    decider = queries.bench(at).decider(approval, actor)
    if decider is None:
        raise NotYourDecision
    return decider


def _on_behalf(approval: Approval) -> dict[str, Any]:
    facts: dict[str, Any] = {"fen": approval.fen, "asked_by": approval.asked_by.username}
    if approval.acting_for is not None:
        facts["acting_for"] = approval.acting_for.username
    return facts


@transaction_required
def _release(approval: Approval, *, at: datetime) -> None:
    """Nothing will come of it: whatever waited for it need not any more."""
    with suppress(SubjectGone):
        kinds.WAYS[approval.kind].release(_request(approval, at=at))


def _request(approval: Approval, *, at: datetime) -> Request:
    subject = kinds.find_subject(approval.kind, approval.subject)
    return Request(subject, approval.fen, approval.details, approval.request_key, approval.asked_by, at)


@durable
def carry_out(*, approval: Approval, at: datetime) -> Approval:
    """Do what was approved, for whoever asked, and note how it ended; safe to repeat, also after a crash in between.

    A refusal by what is there now ends as failed, with the error's code and sentence.
    """
    approval = queries.approvals().get(pk=approval.pk)
    if approval.status != Approval.Status.APPROVED:
        return approval
    crash_point("before_carry_out")
    try:
        made = kinds.WAYS[approval.kind].carry_out(_request(approval, at=at))
    except DomainError as error:
        return _failed(approval, error=error, at=at)
    crash_point("after_carry_out")
    return _done(approval, made=made, at=at)


@transaction
def _done(approval: Approval, *, made: models.Model, at: datetime) -> Approval:
    # Whoever else carried it out at the same moment did the same thing, once: the first to note it is right.
    with suppress(IllegalTransition):
        advance(
            approval,
            Approval.Status.DONE,
            closed_at=at,
            result=kinds.subject_text(made),
            failure="",
            failure_words={},
        )
        audit.record(
            "approval.done",
            approval,
            actor=approval.asked_by,
            at=at,
            fen=approval.fen,
            decided_by=approval.decided_by.username if approval.decided_by else "",
            **({"acting_for": approval.acting_for.username} if approval.acting_for else {}),
        )
    return approval


@transaction
def _failed(approval: Approval, *, error: DomainError, at: datetime) -> Approval:
    words = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            words[language] = str(error)
    with suppress(IllegalTransition):
        advance(approval, Approval.Status.FAILED, closed_at=at, failure=error.code, failure_words=words)
        _release(approval, at=at)
        audit.record(
            "approval.failed", approval, actor=approval.asked_by, at=at, fen=approval.fen, code=error.code
        )
    return approval


def carry_out_due(*, at: datetime) -> int:
    """Carry out whatever is approved and not yet done: what a lost bell or a killed worker left. Returns how many."""
    due = list(queries.approvals().filter(status=Approval.Status.APPROVED).order_by("pk")[:100])
    for approval in due:
        carry_out(approval=approval, at=at)
    return len(due)


def lapse_overdue(*, at: datetime) -> int:
    """Close the requests that nobody decided in time; returns how many."""
    overdue = Approval.objects.filter(status=Approval.Status.WAITING, due_at__lte=at).order_by("pk")[:500]
    return sum(_lapse(approval, at=at) for approval in list(overdue))


@transaction
def _lapse(approval: Approval, *, at: datetime) -> int:
    approval = _locked(approval)
    if approval.status != Approval.Status.WAITING:
        return 0
    advance(approval, Approval.Status.LAPSED, closed_at=at)
    _release(approval, at=at)
    audit.record("approval.lapsed", approval, actor=None, at=at, fen=approval.fen)
    return 1


@durable
def remind_due(*, at: datetime) -> int:
    """Write to whoever may decide: a day after it was asked, and on the last day. Returns how many were due."""
    due = _mark_reminded(at=at)
    for approval in due:
        mail.remind(approval=approval, at=at)
    return len(due)


@transaction
def _mark_reminded(*, at: datetime) -> list[Approval]:
    """Note first, then write: whoever is killed in between costs a mail, and nobody gets the same one twice."""
    due = list(
        queries.waiting(at)
        .filter(queries.reminder_due(at))
        .select_for_update(of=("self",), skip_locked=True)[:200]
    )
    Approval.objects.filter(pk__in=[one.pk for one in due]).update(reminded_at=at)
    return due


@durable
def tend(*, at: datetime) -> None:
    """Everything that the clock brings about: carry out what was left, let lapse, remind."""
    carry_out_due(at=at)
    lapse_overdue(at=at)
    remind_due(at=at)
