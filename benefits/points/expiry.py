"""What becomes of lots that are over: what is left goes back to their budgets, or lapses, as the company's contract says.

Only what lies in wallets expires: what is held for an order is the order's until its outcome is known. What the
platform gave goes back to the platform's own budget, whatever the company's contract says.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from benefits.points import ledger
from benefits.points.models import Account, Budget, Lot, Posting
from tenants import audit
from tenants.crash import crash_point
from tenants.db import connection, durable, transaction
from tenants.models import Company


@durable
def expire_due(*, at: datetime, lots: int = 5000) -> int:
    """Take what is left of every lot that is over, so many lots a transaction; returns the lots taken.

    Safe to repeat, to run twice at once and to be killed: a lot's remainder is taken once.
    """
    due = Lot.objects.filter(remaining_fen__gt=0, expires_at__lte=at).order_by("budget", "wallet", "pk")
    found = iter(list(due.values_list("pk", "wallet", "budget__account", "budget__purpose")))
    taken = 0
    for chunk in _chunks(found, lots):
        taken += _expire(chunk, at=at)
        crash_point("in_expiry")
    return taken


Due = tuple[int, int, int, str]  # lot, wallet, account of its budget, purpose of its budget


def _chunks(due: Iterator[Due], size: int) -> Iterator[list[Due]]:
    while chunk := list(islice(due, size)):
        yield chunk


@transaction
def _expire(due: Sequence[Due], *, at: datetime) -> int:
    # Like leaving and granting: budgets first, then wallets, each in id order. A redemption that has its wallet first
    # has spent by the time that the remainder is read.
    returns = _returns()
    back = [one for one in due if returns or one[3] == Budget.Purpose.GOODWILL]
    lapsing = [one for one in due if one not in set(back)]
    ledger.lock(sorted({account for _lot, _wallet, account, _purpose in back}))
    ledger.lock(sorted({wallet for _lot, wallet, _account, _purpose in due}))
    taken = [
        *_take(back, kind=Posting.Kind.EXPIRE, to=None, at=at),
        *_take(lapsing, kind=Posting.Kind.LAPSE, to=ledger.company_account(Account.Kind.LAPSED), at=at),
    ]
    return sum(one.lots for one in taken)


def _take(due: Sequence[Due], *, kind: Posting.Kind, to: Account | None, at: datetime) -> list[ledger.Taken]:
    taken = ledger.take(
        lots=[lot for lot, _wallet, _account, _purpose in due],
        kind=kind,
        word="expire",
        to=to,
        over=at,
        at=at,
    )
    for one in taken:
        audit.record(
            "points.expired" if to is None else "points.lapsed",
            f"points.budget:{one.budget}",
            actor=None,
            at=at,
            lots=one.lots,
            employees=one.wallets,
            fen=one.fen,
        )
    return taken


def _returns() -> bool:
    policy = Company.objects.values_list("expiry_policy", flat=True).get(schema_name=connection.schema_name)
    return policy == Company.ExpiryPolicy.RETURN
