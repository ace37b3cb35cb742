"""The record of who did what: one call inside the transaction that does it."""

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from django.db import models

from tenants.db import transaction_required
from tenants.identity.models import AuditEvent, User

# Set by the middleware for the length of a request; empty in tasks and commands.
client_address: ContextVar[str] = ContextVar("client_address", default="")

SYSTEM = "system"


def who(actor: User | None) -> tuple[str, int | None, str]:
    """The name, the id and the address under which an event of this actor is kept."""
    return (actor.username, actor.pk, client_address.get()) if actor else (SYSTEM, None, client_address.get())


@transaction_required
def record(
    action: str, subject: models.Model | str, *, actor: User | None, at: datetime, **facts: Any
) -> AuditEvent:
    """Write one event with the change it tells of; `actor=None` is the system itself.

    Facts are codes, counts and amounts in fen, never a phone number, a name or a card code.
    """
    event = _event(action, subject, facts, actor=actor, at=at)
    event.save(force_insert=True)
    return event


@transaction_required
def record_each(
    action: str,
    subjects: Iterable[tuple[models.Model, Mapping[str, Any]]],
    *,
    actor: User | None,
    at: datetime,
) -> int:
    """The same for many subjects, each with its own facts, in a few statements; returns how many."""
    events = [_event(action, subject, facts, actor=actor, at=at) for subject, facts in subjects]
    AuditEvent.objects.bulk_create(events, batch_size=5000)
    return len(events)


def _event(
    action: str, subject: models.Model | str, facts: Mapping[str, Any], *, actor: User | None, at: datetime
) -> AuditEvent:
    name, actor_id, address = who(actor)
    return AuditEvent(
        at=at,
        actor=name,
        actor_id=actor_id,
        action=action,
        subject=subject if isinstance(subject, str) else f"{subject._meta.label_lower}:{subject.pk}",
        facts=dict(facts),
        address=address,
    )
