"""Card codes: sealed to the company, delivery and place they belong to; shown through one function only.

The database's own sealing binds a value to its column; the one here binds it to its row as well.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from cryptography.exceptions import InvalidTag
from django.db import IntegrityError

from benefits.fulfilment.errors import CodesNotFound, CodesRepeated, CodesUnreadable
from benefits.fulfilment.models import CardCode, Delivery
from benefits.suppliers import base
from tenants import audit, crypto
from tenants.crash import crash_point
from tenants.db import connection, savepoint, transaction, transaction_required
from tenants.identity.models import User
from tenants.identity.roles import Role

logger = logging.getLogger(__name__)

PUBLIC = "public"
MAY_SEE_ANY = frozenset({Role.OPERATOR, Role.PLATFORM_ADMIN})


@dataclass(frozen=True, slots=True)
class ShownCode:
    """A code in clear, for the page of its owner; it does not show itself anywhere else."""

    number: str = field(repr=False)
    secret: str = field(repr=False)
    expires_on: date | None = None


@transaction_required
def store(*, delivery: Delivery, cards: Sequence[base.CardCode], at: datetime) -> None:
    """Seal the codes of a delivery, in the transaction that commits its outcome.

    Raises CodesRepeated when a code is already someone's; nothing is stored then.
    """
    rows = [
        CardCode(
            delivery=delivery,
            position=position,
            card_number=_seal(card.number, delivery, position, "number"),
            code=_seal(card.secret, delivery, position, "code"),
            code_index=crypto.blind_index(card.secret, purpose="card_code", schema=PUBLIC),
            stored_at=at,
        )
        for position, card in enumerate(cards, start=1)
    ]
    try:
        with savepoint():
            CardCode.objects.bulk_create(rows)
    except IntegrityError:
        raise CodesRepeated from None


def reveal(*, delivery: Delivery, actor: User, at: datetime) -> list[ShownCode]:
    """Open the codes of a delivery for its owner, or for an operator with the right.

    The audit event is committed before anything is shown; without it nothing is. The caller has checked that the
    order is the actor's own. Raises CodesNotFound, CodesUnreadable.
    """
    if connection.schema_name == PUBLIC:
        if not actor.roles & MAY_SEE_ANY:
            raise CodesNotFound
    elif connection.schema_name != delivery.company:
        raise CodesNotFound
    shown = _reveal(delivery=delivery, actor=actor, at=at)
    if shown is None:
        logger.error("a card code of delivery %s does not open in its place", delivery.pk)
        raise CodesUnreadable
    return shown


@transaction
def _reveal(*, delivery: Delivery, actor: User, at: datetime) -> list[ShownCode] | None:
    rows = list(CardCode.objects.filter(delivery=delivery).order_by("position").select_for_update())
    if not rows:
        raise CodesNotFound
    audit.record(
        "card_code.revealed", delivery, actor=actor, at=at, codes=len(rows), company=delivery.company
    )
    CardCode.objects.filter(delivery=delivery, first_shown_at__isnull=True).update(first_shown_at=at)
    crash_point("in_reveal")
    try:
        return [
            ShownCode(
                number=_open(row.card_number, delivery, row.position, "number"),
                secret=_open(row.code, delivery, row.position, "code"),
                expires_on=row.expires_on,
            )
            for row in rows
        ]
    except (InvalidTag, ValueError, KeyError):
        return None  # the event stays: somebody tried


def _purpose(delivery: Delivery, position: int, what: str) -> str:
    return f"card_{what}:{delivery.pk}:{position}"


def _seal(text: str, delivery: Delivery, position: int, what: str) -> str:
    if not text:
        return ""
    return crypto.encrypt(text, schema=delivery.company, purpose=_purpose(delivery, position, what))


def _open(token: str, delivery: Delivery, position: int, what: str) -> str:
    if not token:
        return ""
    return crypto.decrypt(token, schema=delivery.company, purpose=_purpose(delivery, position, what))
