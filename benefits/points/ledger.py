"""The only writer of value: postings, lots and lot entries. Balances follow by triggers in the database.

The debit of a redemption is written by `points_hold` there (orders/migrations/0002_redeem_function.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from benefits.people.models import Employee
from benefits.points import days
from benefits.points.models import Account, Grant, Lot, LotEntry, LotExtension, Posting
from tenants.db import connection, transaction_required
from tenants.models import Company


@dataclass(frozen=True)
class Share:
    """The part of an amount that is for one item."""

    item: str
    fen: int


def company_account(kind: Account.Kind) -> Account:
    """One of the company's own accounts: funded, held, delivered."""
    return Account.objects.get(kind=kind)


@transaction_required
def post(
    *, kind: Posting.Kind, source: Account, destination: Account, fen: int, reference: str, at: datetime
) -> Posting:
    """Move fen. A reference is used once; the database refuses an overdraft."""
    return Posting.objects.create(
        kind=kind, source=source, destination=destination, fen=fen, reference=reference, at=at
    )


@transaction_required
def reverse(*, posting: Posting, at: datetime) -> Posting:
    """Undo a posting by its opposite, which names it. A posting is reversed at most once; lots go back with it."""
    undone = Posting.objects.create(
        kind=Posting.Kind.REVERSE,
        source=posting.destination,
        destination=posting.source,
        fen=posting.fen,
        reference=f"reverse:{posting.pk}",
        reverses=posting,
        at=at,
    )
    LotEntry.objects.bulk_create(
        LotEntry(lot=entry.lot, posting=undone, fen=-entry.fen, item=entry.item)
        for entry in posting.lot_entries.select_related("lot")
    )
    return undone


@transaction_required
def capture(*, share: Share, reference: str, at: datetime) -> Posting:
    """The item was delivered: what was held for it is spent."""
    return post(
        kind=Posting.Kind.DELIVER,
        source=company_account(Account.Kind.HELD),
        destination=company_account(Account.Kind.DELIVERED),
        fen=share.fen,
        reference=reference,
        at=at,
    )


@transaction_required
def refund(*, wallet: Account, share: Share, reference: str, at: datetime) -> Posting:
    """The item was not delivered: what was held for it goes back to the lots it came from.

    A lot that is over by then lives on for the days that the company grants, so that nothing comes back dead. Not so
    for somebody who left a company that takes leavers' points back: there it goes the way of their other points.
    """
    posting = post(
        kind=Posting.Kind.REFUND,
        source=company_account(Account.Kind.HELD),
        destination=wallet,
        fen=share.fen,
        reference=reference,
        at=at,
    )
    taken = LotEntry.objects.filter(item=share.item, posting__kind=Posting.Kind.REDEEM).select_related("lot")
    entries = [LotEntry(lot=entry.lot, posting=posting, fen=-entry.fen, item=share.item) for entry in taken]
    if sum(entry.fen for entry in entries) != share.fen:
        raise RuntimeError(f"what was taken for {share.item} is not what is refunded")
    LotEntry.objects.bulk_create(entries)
    ends = {entry.lot: entry.lot.expires_at for entry in taken if entry.lot.expires_at}
    if over := {lot: end for lot, end in ends.items() if end <= at}:
        _extend(over, posting, at=at)
    return posting


def _extend(ends: Mapping[Lot, datetime], posting: Posting, *, at: datetime) -> None:
    company = Company.objects.get(schema_name=connection.schema_name)
    gone = Employee.objects.filter(
        wallet=posting.destination_id, status=Employee.Status.LEFT, grace_until__isnull=True
    )
    if company.leaver_policy == Company.LeaverPolicy.RETURN and gone.exists():
        return
    after = days.end_of(timezone.localdate(at) + timedelta(days=company.refund_days))
    LotExtension.objects.bulk_create(
        LotExtension(lot=lot, posting=posting, before=before, after=after, at=at)
        for lot, before in ends.items()
    )


@dataclass(frozen=True)
class Part:
    """One wallet's part of a grant that is handed out in steps, and what it is given for, once a wallet."""

    wallet: int
    fen: int
    occasion: str


@transaction_required
def allot(*, grant: Grant, at: datetime) -> Posting:
    """Set a grant's whole total aside from its budget, whose account the caller has locked."""
    return post(
        kind=Posting.Kind.ALLOT,
        source=grant.budget.account,
        destination=company_account(Account.Kind.ALLOTTED),
        fen=grant.total_fen,
        reference=f"allot:{grant.pk}",
        at=at,
    )


# One statement: postings, lots and the lots' first entries. The triggers see all of it when it is done.
_HAND_OUT = """
WITH part AS (
    SELECT * FROM unnest(%(wallets)s::bigint[], %(amounts)s::bigint[], %(occasions)s::text[]) AS p(wallet, fen, occasion)
), posted AS (
    INSERT INTO points_posting (kind, source_id, destination_id, fen, reference, at)
    SELECT 'grant', %(source)s, wallet, fen, 'grant:' || %(grant)s || ':' || wallet, %(at)s FROM part
    RETURNING id, destination_id, fen
), made AS (
    INSERT INTO points_lot (wallet_id, grant_id, budget_id, granted_fen, remaining_fen, expires_at, occasion, at)
    SELECT wallet, %(grant)s, %(budget)s, fen, 0, %(expires_at)s, occasion, %(at)s FROM part
    RETURNING id, wallet_id
)
INSERT INTO points_lotentry (lot_id, posting_id, fen, item)
SELECT m.id, p.id, p.fen, '' FROM made m JOIN posted p ON p.destination_id = m.wallet_id
"""


@transaction_required
def grant(*, grant: Grant, amounts: Sequence[tuple[int, int]], at: datetime) -> None:
    """Move points from the grant's budget to wallets, each as a lot; `amounts` are (wallet id, fen) pairs."""
    parts = [Part(wallet, fen, "") for wallet, fen in sorted(amounts)]
    with connection.cursor() as cursor:
        _hand_out(cursor, grant, parts, source=grant.budget.account_id, at=at)


@transaction_required
def hand_out(*, grant: Grant, parts: Sequence[Part], at: datetime) -> None:
    """Move these parts of a running grant to their wallets, each as a lot; what was set aside is locked, then they are."""
    ordered = sorted(parts, key=lambda part: part.wallet)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM points_account WHERE kind = 'allotted' FOR UPDATE")
        source = cursor.fetchone()[0]
        wallets = [part.wallet for part in ordered]
        cursor.execute("SELECT 1 FROM points_account WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [wallets])
        _hand_out(cursor, grant, ordered, source=source, at=at)


def _hand_out(cursor: Any, grant: Grant, parts: Sequence[Part], *, source: int, at: datetime) -> None:
    cursor.execute(
        _HAND_OUT,
        {
            "source": source,
            "grant": grant.pk,
            "budget": grant.budget_id,
            "expires_at": grant.expires_at,
            "at": at,
            "wallets": [part.wallet for part in parts],
            "amounts": [part.fen for part in parts],
            "occasions": [part.occasion for part in parts],
        },
    )
    if cursor.rowcount != len(parts):
        raise RuntimeError(f"grant {grant.pk} reached {cursor.rowcount} of {len(parts)} wallets")


# What is left of lots leaves their wallets: to the budgets that they came from, a closed one too (its account still
# belongs to the company, which can unload it to its funds), or to one account. The reference names the lot's last
# entry, so that the same remainder leaves once, and what a refund adds later is another.
_TAKE = """
WITH due AS (
    SELECT l.id AS lot, l.budget_id, l.wallet_id, coalesce(%(to)s, b.account_id) AS account_id, l.remaining_fen AS fen,
        %(word)s || ':' || l.id || ':' || (SELECT max(e.id) FROM points_lotentry e WHERE e.lot_id = l.id) AS reference
    FROM points_lot l JOIN points_budget b ON b.id = l.budget_id
    WHERE l.id = ANY(%(lots)s) AND l.remaining_fen > 0 AND (%(over)s::timestamptz IS NULL OR l.expires_at <= %(over)s)
), posted AS (
    INSERT INTO points_posting (kind, source_id, destination_id, fen, reference, at)
    SELECT %(kind)s, wallet_id, account_id, fen, reference, %(at)s FROM due ORDER BY lot
    RETURNING id, reference, fen
), entered AS (
    INSERT INTO points_lotentry (lot_id, posting_id, fen, item)
    SELECT d.lot, p.id, -p.fen, '' FROM posted p JOIN due d ON d.reference = p.reference
    RETURNING lot_id, fen
)
SELECT d.budget_id, count(*), count(DISTINCT d.wallet_id), (-sum(e.fen))::bigint
FROM entered e JOIN due d ON d.lot = e.lot_id GROUP BY 1 ORDER BY 1
"""
_GIVE_BACK = """
WITH due AS (
    SELECT p.id, p.source_id, p.destination_id, p.fen FROM points_posting p
    WHERE p.kind = 'recall' AND p.reference LIKE 'recall:%%' AND p.source_id = ANY(%(wallets)s) AND p.at >= %(since)s
        AND NOT EXISTS (SELECT 1 FROM points_posting r WHERE r.reverses_id = p.id)
), posted AS (
    INSERT INTO points_posting (kind, source_id, destination_id, fen, reference, reverses_id, at)
    SELECT 'reverse', destination_id, source_id, fen, 'reverse:' || id, id, %(at)s FROM due ORDER BY id
    RETURNING id, reverses_id
), entered AS (
    INSERT INTO points_lotentry (lot_id, posting_id, fen, item)
    SELECT e.lot_id, p.id, -e.fen, e.item FROM posted p JOIN points_lotentry e ON e.posting_id = p.reverses_id
    RETURNING fen
)
SELECT coalesce(sum(fen), 0)::bigint FROM entered
"""


@transaction_required
def lock_for_returning(wallets: Sequence[int]) -> None:
    """The budgets first, as a grant locks them, then the wallets, as a redemption does; each in id order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM points_account WHERE kind = 'budget' ORDER BY id FOR UPDATE")
    lock(wallets)


@transaction_required
def lock(accounts: Sequence[int]) -> None:
    """Lock these accounts, in id order whatever order they come in."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM points_account WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [list(accounts)]
        )


@dataclass(frozen=True)
class Taken:
    """What left lots of one budget at once."""

    budget: int
    lots: int
    wallets: int
    fen: int


@transaction_required
def take(
    *,
    lots: Sequence[int],
    kind: Posting.Kind,
    word: str,
    at: datetime,
    to: Account | None = None,
    over: datetime | None = None,
) -> list[Taken]:
    """Move what is left of these lots (only of those over at `over`) to their budgets, or to one account.

    The caller has locked their wallets, and the budgets' accounts where these receive. `word` opens the references.
    """
    facts = {
        "lots": list(lots), "kind": kind.value, "word": word, "at": at, "over": over, "to": to.pk if to else None
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, facts)
        return [Taken(*map(int, row)) for row in cursor.fetchall()]


@transaction_required
def take_back(*, wallets: Sequence[int], at: datetime) -> int:
    """Return everything unspent of these wallets, lot by lot, to its budgets; returns the fen. They are locked before."""
    lock_for_returning(wallets)
    lots = list(
        Lot.objects.filter(wallet__in=wallets, remaining_fen__gt=0).order_by().values_list("pk", flat=True)
    )
    return sum(taken.fen for taken in take(lots=lots, kind=Posting.Kind.RECALL, word="recall", at=at))


@transaction_required
def give_back(*, wallets: Sequence[int], since: datetime, at: datetime) -> int:
    """Reverse what was returned of these wallets since then; returns the fen. The database refuses an overdraft."""
    lock_for_returning(wallets)
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, {"wallets": list(wallets), "since": since, "at": at})
        return int(cursor.fetchone()[0])
