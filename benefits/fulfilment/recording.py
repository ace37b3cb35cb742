"""What an answer means for an attempt and its delivery. Only here an outcome is decided.

A definite failure is a documented refusal of a reference that was sent exactly once, or equal answers to our own
questions; a success is our own question answered with the number, product and cost of the order. All else is unknown.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from benefits import states
from benefits.fulfilment import breaker, claims, routing, schedule
from benefits.fulfilment.connections import order_of
from benefits.fulfilment.errors import CodesRepeated
from benefits.fulfilment.models import Attempt, Case, Delivery, Offer
from benefits.fulfilment.vault import codes
from benefits.suppliers.base import Answer, Reason, Result, Rhythm, State, Verdict, disagreements
from tenants.db import transaction_required


@dataclass(frozen=True, slots=True)
class Claim:
    """Which sending of an attempt something belongs to."""

    attempt_id: int
    batch_id: int | None
    sends: int

    @classmethod
    def of(cls, attempt: Attempt) -> "Claim":
        return cls(attempt.pk, attempt.batch_id, attempt.sends)


FINAL = frozenset({Attempt.Status.SUCCEEDED, Attempt.Status.FAILED})
# While one of these is open, a person decides and nothing moves by itself.
HOLDING = (Case.Kind.CONTRADICTION, Case.Kind.CODES)


@transaction_required
def record_answer(*, attempt: Attempt, claim: Claim, answer: Answer, rhythm: Rhythm, at: datetime) -> None:
    """Record what a submission brought. `attempt` is locked; it may have moved on while we waited.

    Only the answer to the newest claim ends or repeats a sending; a late one can only say that the order is there.
    """
    if attempt.status in FINAL:
        return
    in_time = attempt.status == Attempt.Status.SENDING and claim == Claim.of(attempt)
    called_back = _was_called_back(attempt)
    if answer.verdict is Verdict.ACCEPTED:
        final = answer.result is not None and answer.result.state in (State.SUCCESS, State.FAILED)
        wait = 0.0 if final or called_back else rhythm.first_query_after
        _set(
            attempt,
            Attempt.Status.WAITING,
            due_at=at + timedelta(seconds=wait),
            supplier_reference=answer.supplier_ref[:80],
        )
    elif answer.verdict is Verdict.NOT_SENT and in_time:
        _record_not_sent(attempt, answer, at=at)
    elif answer.verdict is Verdict.REJECTED and in_time and attempt.sends == 1 and not called_back:
        _fail(attempt, reason=answer.reason, detail=answer.detail, at=at)
    elif in_time:
        wait = 0.0 if answer.verdict is Verdict.REJECTED or called_back else rhythm.first_query_after
        earliest = (attempt.sent_at or at) + timedelta(seconds=wait)
        _set(attempt, Attempt.Status.UNKNOWN, due_at=max(at, earliest), detail=answer.detail[:300])


@transaction_required
def record_result(*, attempt: Attempt, result: Result, rhythm: Rhythm, at: datetime) -> None:
    """Record what a question brought. `attempt` is locked; it may have moved on while we waited."""
    if attempt.status in FINAL or attempt.status == Attempt.Status.SENDING:
        return
    if _is_held(attempt):
        _keep_asking(attempt, at=at)
    elif result.state is State.SUCCESS:
        _record_success(attempt, result, at=at)
    elif result.state is State.FAILED:
        _record_failed(attempt, result, rhythm, at=at)
    elif result.state is State.NOT_FOUND:
        _record_not_found(attempt, result, rhythm, at=at)
    elif result.state is State.IN_PROGRESS:
        _set(attempt, Attempt.Status.WAITING, not_found=0, failed_answers=0)
        _keep_asking(attempt, at=at)
    else:
        _set(attempt, attempt.status, not_found=0, failed_answers=0, detail=result.detail[:300])
        _keep_asking(attempt, at=at)


@transaction_required
def withdraw(*, attempt: Attempt, at: datetime) -> None:
    """Take back a sending that waits for a supplier that takes none now. `attempt` is locked and due.

    What never left this machine goes to another offer; what may have left in an earlier sending is asked after.
    """
    if attempt.sends:
        _set(attempt, Attempt.Status.UNKNOWN, due_at=at)
    else:
        _fail(attempt, reason=Reason.NO_CHANNEL, detail="the supplier takes no orders now", at=at)


@transaction_required
def open_case(attempt: Attempt, kind: Case.Kind, *, detail: str, at: datetime) -> None:
    """Put a question before a person, once as long as it is open."""
    Case.objects.get_or_create(
        attempt=attempt,
        kind=kind,
        status=Case.Status.OPEN,
        defaults={"detail": detail[:300], "opened_at": at},
    )


def _record_success(attempt: Attempt, result: Result, *, at: datetime) -> None:
    differs = disagreements(order_of(attempt), result)
    if differs:
        kind = Case.Kind.CODES if differs == ("cards",) else Case.Kind.CONTRADICTION
        _hold(attempt, kind, detail=f"success with another {', '.join(differs)}", at=at)
        return
    if result.cards:
        try:
            codes.store(delivery=attempt.delivery, cards=result.cards, at=at)
        except CodesRepeated:
            _hold(
                attempt, Case.Kind.CODES, detail="success with a card code that is already someone's", at=at
            )
            return
    reference = result.supplier_ref[:80] or attempt.supplier_reference
    _set(attempt, Attempt.Status.SUCCEEDED, finished_at=at, supplier_reference=reference)
    states.advance(attempt.delivery, Delivery.Status.SUCCEEDED, finished_at=at, reason="")
    _close_overdue(attempt, at=at)


def _record_failed(attempt: Attempt, result: Result, rhythm: Rhythm, *, at: datetime) -> None:
    answers = attempt.failed_answers + 1
    if answers >= rhythm.equal_answers:
        _fail(attempt, reason=result.reason, detail=result.detail, at=at)
        return
    again = at + timedelta(seconds=rhythm.equal_answers_over)
    _set(attempt, Attempt.Status.WAITING, failed_answers=answers, not_found=0, due_at=again)


def _record_not_found(attempt: Attempt, result: Result, rhythm: Rhythm, *, at: datetime) -> None:
    """'Not found' counts from the last send, at a supplier that says so, for an order it never owned up to."""
    after = rhythm.not_found_definite_after
    sent_at = attempt.sent_at or attempt.created_at
    if after is None or attempt.status == Attempt.Status.WAITING:
        _set(attempt, attempt.status, failed_answers=0, detail=result.detail[:300])
        _keep_asking(attempt, at=at)
        return
    definite_at = sent_at + timedelta(seconds=after)
    if at < definite_at:
        _set(attempt, attempt.status, failed_answers=0, not_found=0)
        _keep_asking(attempt, at=at, not_later_than=definite_at)
        return
    answers = attempt.not_found + 1
    if answers >= rhythm.equal_answers:
        _fail(attempt, reason=Reason.OTHER, detail="the supplier does not know the order", at=at)
        return
    again = at + timedelta(seconds=rhythm.equal_answers_over)
    _set(attempt, attempt.status, failed_answers=0, not_found=answers, due_at=again)


def _record_not_sent(attempt: Attempt, answer: Answer, *, at: datetime) -> None:
    """Nothing left this machine: send again under the same reference, or let another supplier have it."""
    sends = attempt.sends - 1
    age = at - attempt.created_at
    elsewhere = age > schedule.UNREACHABLE and _others(attempt, at=at, now=True)
    if sends == 0 and (elsewhere or age > schedule.patience(attempt.delivery.speed)):
        _set(attempt, attempt.status, sends=0)
        _fail(attempt, reason=Reason.NO_CHANNEL, detail="the supplier cannot be reached", at=at)
        return
    again = schedule.next_send(created_at=attempt.created_at, at=at)
    _set(attempt, Attempt.Status.SENDING, sends=sends, batch=None, due_at=again, detail=answer.detail[:300])


def _fail(attempt: Attempt, *, reason: Reason, detail: str, at: datetime) -> None:
    """End an attempt definitely; the delivery goes to the next offer, or fails."""
    _set(attempt, Attempt.Status.FAILED, reason=str(reason), detail=detail[:300], finished_at=at)
    _close_overdue(attempt, at=at)
    breaker.count(attempt, at=at)
    delivery = attempt.delivery
    if reason not in routing.HOPELESS and _others(attempt, at=at):
        states.advance(delivery, Delivery.Status.READY, due_at=at, reason=str(reason))
    else:
        claims.fail_delivery(delivery, reason=str(reason), at=at)


def _others(attempt: Attempt, *, at: datetime, now: bool = False) -> bool:
    """Whether an offer that was not tried yet may take the delivery: now, or also once its pause ends."""
    delivery = attempt.delivery
    offers = list(Offer.objects.filter(sku_code=delivery.sku_code).select_related("supplier").order_by("pk"))
    tried = Attempt.objects.filter(delivery=delivery).values_list("offer_id", flat=True)
    choice = routing.route(delivery, offers, tried=tried, at=at)
    return choice.offer is not None or (choice.may_wait and not now)


def _hold(attempt: Attempt, kind: Case.Kind, *, detail: str, at: datetime) -> None:
    open_case(attempt, kind, detail=detail, at=at)
    _set(attempt, attempt.status, detail=detail[:300])
    _keep_asking(attempt, at=at)


def _is_held(attempt: Attempt) -> bool:
    return Case.objects.filter(attempt=attempt, kind__in=HOLDING, status=Case.Status.OPEN).exists()


def _keep_asking(attempt: Attempt, *, at: datetime, not_later_than: datetime | None = None) -> None:
    delivery = attempt.delivery
    if schedule.is_overdue(speed=delivery.speed, created_at=attempt.created_at, at=at):
        open_case(attempt, Case.Kind.OVERDUE, detail="the outcome has been unknown for too long", at=at)
    due_at = schedule.next_query(speed=delivery.speed, sent_at=attempt.sent_at or attempt.created_at, at=at)
    if not_later_than:
        due_at = min(due_at, not_later_than)
    # A callback that came while we asked has set an earlier time, and may know more than the answer we hold.
    if attempt.due_at > at:
        Attempt.objects.filter(pk=attempt.pk).update(due_at=due_at)


def _was_called_back(attempt: Attempt) -> bool:
    return attempt.callbacks.filter(is_genuine=True).exists()


def _close_overdue(attempt: Attempt, *, at: datetime) -> None:
    for case in Case.objects.filter(attempt=attempt, kind=Case.Kind.OVERDUE, status=Case.Status.OPEN):
        states.advance(case, Case.Status.CLOSED, closed_at=at, closed_by="system", resolution="answered")


def _set(attempt: Attempt, status: str, **changes: object) -> None:
    states.advance(attempt, status, **changes)
