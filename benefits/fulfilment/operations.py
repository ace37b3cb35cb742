"""What is done with deliveries: send what is due, ask after what is open, hear callbacks, decide cases."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from benefits import states
from benefits.fulfilment import connections, engine, recording
from benefits.fulfilment.engine import Clock, Tally
from benefits.fulfilment.errors import AttemptNotUnknown, CallbackForged, CallbackUnreadable
from benefits.fulfilment.models import Attempt, CallbackReceived, Case, Delivery, Offer, Supplier
from benefits.suppliers import base
from benefits.suppliers.base import Reply, State
from tenants import audit, crypto
from tenants.db import durable, transaction
from tenants.identity.models import User

# Forged callbacks kept for one supplier in an hour; more of them say nothing new.
FORGED_KEPT = 100


def account_index(account: str) -> str:
    """The digest by which an operator finds the deliveries to an account."""
    return crypto.blind_index(account, purpose="delivery_account", schema="public") if account else ""


@durable
def send_due(*, clock: Clock, supplier: Supplier | None = None, seconds: float = 45.0) -> Tally:
    """Route and send what is due, and ask what falls due meanwhile. Safe to run anywhere, any number of times."""
    return engine.work(clock=clock, send=True, ask=True, supplier=supplier, seconds=seconds)


@durable
def ask_due(*, clock: Clock, supplier: Supplier | None = None, seconds: float = 45.0) -> Tally:
    """Ask after every attempt that is due to be asked after. Safe to run anywhere, any number of times."""
    return engine.work(clock=clock, send=False, ask=True, supplier=supplier, seconds=seconds)


def receive_callback(
    *, supplier: Supplier, body: bytes, query: Mapping[str, str], headers: Mapping[str, str], at: datetime
) -> Reply:
    """Keep a callback and ask its supplier at once; nothing else moves. Returns what the supplier expects to hear.

    Raises CallbackForged, CallbackUnreadable, SupplierMisconfigured.
    """
    adapter = connections.adapter_of(supplier)
    digest = hashlib.sha256(body).hexdigest()
    try:
        callback = adapter.read_callback(body, query, headers)
    except base.CallbackForged:
        _keep_forged(supplier=supplier, digest=digest, at=at)
        raise CallbackForged from None
    except base.CallbackMalformed:
        raise CallbackUnreadable from None
    return adapter.callback_reply(
        known=_keep_callback(supplier=supplier, callback=callback, digest=digest, at=at)
    )


@transaction
def _keep_callback(*, supplier: Supplier, callback: base.Callback, digest: str, at: datetime) -> bool:
    """Keep a genuine callback; returns whether it is about an attempt of ours at this supplier."""
    rows = Attempt.objects.select_for_update().filter(supplier=supplier, reference=callback.reference)
    attempt = rows.first()
    CallbackReceived.objects.create(
        supplier=supplier,
        attempt=attempt,
        reference=callback.reference[:80],
        is_genuine=True,
        says=callback.state,
        body_digest=digest,
        received_at=at,
    )
    if attempt is None:
        return False
    if attempt.status in (Attempt.Status.WAITING, Attempt.Status.UNKNOWN):
        Attempt.objects.filter(pk=attempt.pk).update(due_at=at)
    elif attempt.status == Attempt.Status.SUCCEEDED and callback.state is State.FAILED:
        recording.open_case(attempt, Case.Kind.REVERSAL, detail="a callback says failed after success", at=at)
    elif attempt.status == Attempt.Status.FAILED and callback.state is State.SUCCESS:
        recording.open_case(
            attempt, Case.Kind.LATE_SUCCESS, detail="a callback says success after failure", at=at
        )
    return True


@transaction
def _keep_forged(*, supplier: Supplier, digest: str, at: datetime) -> None:
    recent = CallbackReceived.objects.filter(
        supplier=supplier, is_genuine=False, received_at__gt=at - timedelta(hours=1)
    )
    if recent[:FORGED_KEPT].count() < FORGED_KEPT:
        CallbackReceived.objects.create(
            supplier=supplier, is_genuine=False, body_digest=digest, received_at=at
        )


@transaction
def send_again(*, attempt: Attempt, actor: User | None, at: datetime) -> Attempt:
    """Send an unknown attempt once more, under the same reference to the same supplier, because a person asks for it.

    From then on a refusal proves nothing, and 'not found' counts from the new sending. Raises AttemptNotUnknown.
    """
    attempt = Attempt.objects.select_for_update().get(pk=attempt.pk)
    if attempt.status != Attempt.Status.UNKNOWN:
        raise AttemptNotUnknown(status=attempt.get_status_display())
    states.advance(attempt, Attempt.Status.SENDING, batch=None, due_at=at, not_found=0, failed_answers=0)
    audit.record("attempt.sent_again", attempt, actor=actor, at=at, reference=attempt.reference)
    return attempt


@transaction
def decide_case(*, case: Case, decision: str, note: str, actor: User | None, at: datetime) -> Case:
    """Close a case as a person decided: `ask` lets the engine go on, `delivered` and `failed` are final outcomes.

    A final outcome is only for an attempt that is still open. Raises IllegalTransition.
    """
    case = Case.objects.select_for_update().get(pk=case.pk)
    attempt = Attempt.objects.select_for_update().select_related("delivery").get(pk=case.attempt_id)
    by = actor.username if actor else audit.SYSTEM
    states.advance(
        case, Case.Status.CLOSED, closed_at=at, closed_by=by, resolution=f"{decision}: {note}"[:300]
    )
    if decision == "delivered":
        states.advance(attempt, Attempt.Status.SUCCEEDED, finished_at=at)
        states.advance(attempt.delivery, Delivery.Status.SUCCEEDED, finished_at=at, reason="")
    elif decision == "failed":
        states.advance(attempt, Attempt.Status.FAILED, finished_at=at, reason="decided")
        states.advance(attempt.delivery, Delivery.Status.FAILED, finished_at=at, reason="decided")
    elif decision == "ask":
        Attempt.objects.filter(pk=attempt.pk).exclude(status__in=recording.FINAL).update(due_at=at)
    else:
        raise ValueError(f"no decision {decision!r}")
    audit.record("case.decided", case, actor=actor, at=at, decision=decision, reference=attempt.reference)
    return case


@transaction
def pause_supplier(*, supplier: Supplier, until: datetime | None, actor: User | None, at: datetime) -> None:
    """Open the circuit of a supplier by hand until a time, or close it with None. What was sent is still asked after."""
    Supplier.objects.filter(pk=supplier.pk).update(paused_until=until)
    audit.record("supplier.paused", supplier, actor=actor, at=at, until=until.isoformat() if until else "")


@transaction
def pause_offer(*, offer: Offer, until: datetime | None, actor: User | None, at: datetime) -> None:
    """Take an offer out of routing until a time, or bring it back with None."""
    Offer.objects.filter(pk=offer.pk).update(paused_until=until)
    audit.record("offer.paused", offer, actor=actor, at=at, until=until.isoformat() if until else "")
