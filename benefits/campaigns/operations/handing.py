"""Handing out: a running grant goes to its wallets in the rows' order, one step a transaction, whoever dies between."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from benefits.campaigns.models import GrantRule, Rehearsal, RehearsalRow
from benefits.points import allotting
from benefits.points.ledger import Part
from benefits.states import advance
from tenants import audit
from tenants.db import durable, transaction, transaction_required

WALLETS = 2000  # a step: a redemption of one of them waits for it, some tenths of a second
Status = Rehearsal.Status


@transaction
def hand_out(*, rehearsal: Rehearsal, at: datetime, wallets: int = WALLETS) -> int:
    """The next step; returns how many got their points. 0 where another worker is at it, or nothing is left to do.

    Row for row what was rehearsed: who has left since then is given it too.
    """
    # The row is the lock: it says how far the grant is, and changes in the transaction that hands out.
    running = Rehearsal.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
    found = running.select_related("grant").filter(pk=rehearsal.pk, status=Status.RUNNING).first()
    if found is None or found.grant is None:
        return 0
    rows = RehearsalRow.objects.filter(
        rehearsal=found, place__gt=found.handed, place__lte=found.handed + wallets
    )
    parts = [
        Part(
            wallet=wallet or 0, fen=fen, occasion=occasion
        )  # the database knows no row with a place and no wallet
        for wallet, fen, occasion in rows.values_list("wallet_id", "fen", "occasion")
    ]
    if parts:
        allotting.hand_out(grant=found.grant, parts=parts, at=at)
    handed = found.handed + len(parts)
    Rehearsal.objects.filter(pk=found.pk).update(handed=handed, worked_at=at)
    if handed == found.people:
        _finish(found, at=at)
    rehearsal.refresh_from_db()
    return len(parts)


@durable
def hand_out_while(*, rehearsal: Rehearsal, clock: Callable[[], datetime], seconds: float) -> bool:
    """Steps until it is done or so many seconds have passed; returns whether more is left that nobody else is at."""
    until = time.monotonic() + seconds
    while hand_out(rehearsal=rehearsal, at=clock()):
        if rehearsal.status != Status.RUNNING:
            return False
        if time.monotonic() > until:
            return True
    return False


@transaction_required
def _finish(rehearsal: Rehearsal, *, at: datetime) -> None:
    assert rehearsal.grant is not None
    allotting.finish(grant=rehearsal.grant)
    advance(rehearsal, Status.DONE, done_at=at)
    rule = rehearsal.rule
    if rule.is_single and rule.status != GrantRule.Status.ENDED:
        advance(rule, GrantRule.Status.ENDED)
    audit.record("rehearsal.handed_out", rehearsal, actor=None, at=at, employees=rehearsal.people)
