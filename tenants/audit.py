"""The record of who did what: one call inside the transaction that does it."""

from contextvars import ContextVar
from datetime import datetime
from typing import Any

from django.db import models

from tenants.db import transaction_required
from tenants.identity.models import AuditEvent, User

# Set by the middleware for the length of a request; empty in tasks and commands.
client_address: ContextVar[str] = ContextVar("client_address", default="")

SYSTEM = "system"


@transaction_required
def record(
    action: str, subject: models.Model | str, *, actor: User | None, at: datetime, **facts: Any
) -> AuditEvent:
    """Write one event with the change it tells of; `actor=None` is the system itself.

    Facts are codes, counts and amounts in fen, never a phone number, a name or a card code.
    """
    what = subject if isinstance(subject, str) else f"{subject._meta.label_lower}:{subject.pk}"
    return AuditEvent.objects.create(
        at=at,
        actor=actor.username if actor else SYSTEM,
        actor_id=actor.pk if actor else None,
        action=action,
        subject=what,
        facts=facts,
        address=client_address.get(),
    )
