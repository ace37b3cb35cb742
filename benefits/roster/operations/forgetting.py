"""Files and what was read from them are kept no longer than they are needed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from benefits.roster.models import RosterImport
from benefits.roster.operations.claims import Status, forget
from tenants import audit
from tenants.db import transaction


@transaction
def forget_old(*, at: datetime) -> int:
    """Delete files and rows of imports that ended long ago; counts, who and when stay. Returns how many."""
    long_ago = at - timedelta(days=settings.ROSTER_KEEP_DAYS)
    old = RosterImport.objects.filter(forgotten_at__isnull=True, created_at__lt=long_ago)
    found = list(
        old.exclude(status__in=[Status.CONFIRMED, Status.UNDOING]).select_for_update(skip_locked=True)
    )
    for one in found:
        forget(one, at=at)
        audit.record("roster.forgotten", one, actor=None, at=at)
    return len(found)
