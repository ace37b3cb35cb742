"""A file comes in."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.conf import settings
from django.core.files.base import ContentFile, File

from benefits.roster.errors import RosterTooLarge, TooManyUploads
from benefits.roster.models import RosterImport
from benefits.roster.plan import Mode
from tenants import audit
from tenants.db import connection, transaction, transaction_required
from tenants.identity.models import User

_MINUTE = timedelta(minutes=1)


def receive(
    *, file: File[bytes], file_name: str, mode: Mode, actor: User | None, at: datetime
) -> RosterImport:
    """Keep a file for checking. A file that was applied before says so in `repeats`.

    Raises RosterTooLarge, TooManyUploads.
    """
    limit = settings.ROSTER_MAX_BYTES
    data = file.read(limit + 1)
    if len(data) > limit:
        raise RosterTooLarge(megabytes=limit // 1_048_576)
    digest = hashlib.sha256(data).hexdigest()
    name = "".join(char for char in file_name.replace("\\", "/").rpartition("/")[2] if char.isprintable())
    with transaction():
        if actor is not None:
            _refuse_a_flood(at=at)
        found = RosterImport(
            mode=mode,
            file_name=name[-200:] or "-",
            size=len(data),
            digest=digest,
            repeats=RosterImport.objects.filter(digest=digest, status=RosterImport.Status.APPLIED).first(),
            created_by=actor.username if actor else audit.SYSTEM,
            created_at=at,
        )
        found.file.save("roster", ContentFile(data), save=False)
        try:
            found.save()
            audit.record("roster.received", found, actor=actor, at=at, size=len(data), mode=str(mode))
        except Exception:
            found.file.delete(save=False)
            raise
    return found


@transaction_required
def _refuse_a_flood(*, at: datetime) -> None:
    """Uploads of one company are counted one after another; other companies do not notice."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('roster upload ' || current_schema(), 0))"
        )
    limit = settings.ROSTER_UPLOADS_A_MINUTE
    if RosterImport.objects.filter(created_at__gt=at - _MINUTE, created_at__lte=at).count() >= limit:
        raise TooManyUploads(limit=limit)
