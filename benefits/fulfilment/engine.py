"""The delivery engine: claim, call, record. One thread keeps the database, the pool's thread keeps the requests.

Requests are fed from claimed rows as others finish, so a slow supplier never holds up a wave.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings

from benefits.fulfilment import claims, recording
from benefits.fulfilment.connections import Connections, order_of
from benefits.fulfilment.models import Attempt, Delivery, Supplier
from benefits.fulfilment.recording import Claim
from benefits.suppliers.base import Answer, Result, Rhythm, State
from benefits.suppliers.pool import Finished, Pool
from tenants.crash import crash_point
from tenants.db import durable, transaction

logger = logging.getLogger(__name__)

UNASKED = Result(State.UNKNOWN, detail="the supplier cannot be used as it is set up")
Clock = Callable[[], datetime]


@dataclass(slots=True)
class Tally:
    """What one run did. `companies` have outcomes that their orders can settle."""

    batches: int = 0
    sent: int = 0
    succeeded: int = 0
    failed: int = 0
    unknown: int = 0
    asked: int = 0
    companies: set[str] = field(default_factory=set)

    def add(self, other: "Tally") -> None:
        """Add the figures of a later run; what is unknown is what was unknown last."""
        for name in ("batches", "sent", "asked", "succeeded", "failed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.unknown = other.unknown
        self.companies |= other.companies

    def as_dict(self) -> dict[str, int]:
        """The figures that the command prints."""
        return {
            "batches": self.batches,
            "sent": self.sent,
            "asked": self.asked,
            "succeeded": self.succeeded,
            "failed": self.failed,
            "unknown": self.unknown,
        }


@durable
def work(
    *, clock: Clock, send: bool, ask: bool, supplier: Supplier | None = None, seconds: float = 45.0
) -> Tally:
    """Send and ask for what is due until nothing is, or until `seconds` are over; then wait for what is in flight."""
    run = _Run(clock=clock, connections=Connections(Supplier.objects.all()), supplier=supplier)
    until = time.monotonic() + seconds
    with Pool[Claim](settings.DELIVERY_IN_FLIGHT) as pool:
        while True:
            more = time.monotonic() < until
            claimed = run.claim(pool, send=send and more, ask=ask and more)
            if not pool.in_flight and not claimed:
                break
            run.record(pool.finished(wait=0.25))
    return run.finish()


class _Run:
    """One run of the engine: its suppliers, its batches, its figures."""

    def __init__(self, *, clock: Clock, connections: Connections, supplier: Supplier | None) -> None:
        self._clock = clock
        self._connections = connections
        self._supplier = supplier
        self._batches = claims.Batches(connections)
        self._tally = Tally()
        self._unknown: set[int] = set()

    def claim(self, pool: Pool[Claim], *, send: bool, ask: bool) -> int:
        """Fill the free places of the pool; returns how many rows were taken."""
        taken = 0
        if send and pool.free:
            taken += self._claim_sends(pool)
        if ask and pool.free:
            taken += self._claim_questions(pool)
        return taken

    def _claim_sends(self, pool: Pool[Claim]) -> int:
        at, started = self._clock(), time.monotonic()
        with transaction():
            attempts, stuck = claims.claim_unsent(
                batches=self._batches, supplier=self._supplier, limit=pool.free, at=at
            )
            for attempt in stuck:
                recording.withdraw(attempt=attempt, at=at)
            fresh, hopeless = claims.claim_ready(
                batches=self._batches, supplier=self._supplier, limit=pool.free - len(attempts), at=at
            )
        crash_point("after_attempt_commit")
        failed = [one.delivery for one in stuck if one.delivery.status == Delivery.Status.FAILED]
        self._count_failed([*hopeless, *failed])
        not_after = started + claims.lease().total_seconds() / 2
        for attempt in [*attempts, *fresh]:
            config = self._connections.configs[attempt.supplier_id]
            pool.submit(Claim.of(attempt), config, order_of(attempt), not_after=not_after)
        return len(attempts) + len(stuck) + len(fresh) + len(hopeless)

    def _claim_questions(self, pool: Pool[Claim]) -> int:
        at = self._clock()
        with transaction():
            claimed = claims.claim_questions(supplier=self._supplier, limit=pool.free, at=at)
            for attempt in claimed:
                if attempt.supplier not in self._connections:
                    recording.record_result(attempt=attempt, result=UNASKED, rhythm=Rhythm(), at=at)
        attempts = [attempt for attempt in claimed if attempt.supplier in self._connections]
        for attempt in attempts:
            pool.query(Claim.of(attempt), self._connections.configs[attempt.supplier_id], order_of(attempt))
        self._tally.asked += len(attempts)
        return len(claimed)

    def record(self, finished: Sequence[Finished[Claim]]) -> None:
        """Record what has finished, in one transaction; if that breaks, one by one, so that one row spoils no other."""
        if not finished:
            return
        crash_point("after_send" if isinstance(finished[0].outcome, Answer) else "after_query")
        try:
            self._record_together(finished)
        except Exception:
            logger.exception("recording %d answers together broke; recording them one by one", len(finished))
            for one in finished:
                try:
                    self._record_together([one])
                except Exception:
                    # Its lease runs out, and it is asked after as unknown.
                    logger.exception("recording the answer to attempt %d broke", one.key.attempt_id)
        crash_point("after_record")

    def _record_together(self, finished: Sequence[Finished[Claim]]) -> None:
        at = self._clock()
        with transaction():
            ids = [one.key.attempt_id for one in finished]
            rows = (
                Attempt.objects.filter(pk__in=ids)
                .select_related("delivery", "offer", "supplier")
                .order_by("pk")
            )
            attempts = rows.select_for_update(of=("self",)).in_bulk()
            for one in sorted(finished, key=lambda one: one.key.attempt_id):
                attempt = attempts[one.key.attempt_id]
                rhythm = self._connections.rhythm(attempt.supplier)
                if isinstance(one.outcome, Answer):
                    recording.record_answer(
                        attempt=attempt, claim=one.key, answer=one.outcome, rhythm=rhythm, at=at
                    )
                else:
                    recording.record_result(attempt=attempt, result=one.outcome, rhythm=rhythm, at=at)
            crash_point("before_record")
        for one in finished:
            self._count(one, attempts[one.key.attempt_id])

    def _count(self, one: Finished[Claim], attempt: Attempt) -> None:
        if isinstance(one.outcome, Answer) and attempt.sends:
            self._tally.sent += 1
        self._unknown.discard(attempt.pk)
        if attempt.status == Attempt.Status.UNKNOWN:
            self._unknown.add(attempt.pk)
        elif attempt.status == Attempt.Status.SUCCEEDED:
            self._tally.succeeded += 1
            self._tally.companies.add(attempt.delivery.company)
        elif attempt.delivery.status == Delivery.Status.FAILED:
            self._count_failed([attempt.delivery])

    def _count_failed(self, deliveries: Sequence[Delivery]) -> None:
        self._tally.failed += len(deliveries)
        self._tally.companies |= {delivery.company for delivery in deliveries}

    def finish(self) -> Tally:
        """Close the batches and return the figures."""
        with transaction():
            self._tally.batches = self._batches.finish(at=self._clock())
        self._tally.unknown = len(self._unknown)
        return self._tally
