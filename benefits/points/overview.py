"""A company's points at a glance, each answer in a fixed number of queries; all amounts in fen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from benefits.points import figures
from benefits.points.figures import BudgetFigures
from benefits.points.models import Account, Budget, Grant, Lot
from benefits.points.queries import grants
from tenants.db import connection


@dataclass(frozen=True)
class Books:
    """Where all of a company's value is."""

    in_budgets_fen: int
    in_wallets_fen: int
    held_fen: int
    delivered_fen: int


def books() -> Books:
    """Where the company's value is now: scarce balances as they are stored, the others as they follow."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT a.kind, coalesce(sum(a.balance_fen), 0)
                + CASE WHEN a.kind IN ('held', 'delivered') THEN
                    (SELECT coalesce(sum(p.fen), 0) FROM points_posting p WHERE p.destination_id = min(a.id))
                    - (SELECT coalesce(sum(p.fen), 0) FROM points_posting p WHERE p.source_id = min(a.id))
                  ELSE 0 END
            FROM points_account a
            WHERE NOT EXISTS (SELECT 1 FROM points_budget b WHERE b.account_id = a.id AND b.purpose = 'goodwill')
            GROUP BY a.kind
            """
        )
        by_kind = {kind: int(fen) for kind, fen in cursor.fetchall()}
    return Books(
        in_budgets_fen=by_kind.get(Account.Kind.BUDGET, 0),
        in_wallets_fen=by_kind.get(Account.Kind.WALLET, 0),
        held_fen=by_kind.get(Account.Kind.HELD, 0),
        delivered_fen=by_kind.get(Account.Kind.DELIVERED, 0),
    )


def figures_of_budgets(budgets: Sequence[Budget]) -> dict[int, BudgetFigures]:
    """The figures of several budgets by their id, in five queries however many there are."""
    return figures.of(budgets)


def expiring_fen(*, after: datetime, days: int) -> int:
    """What in all wallets expires within so many days."""
    return int(
        Lot.objects.filter(
            remaining_fen__gt=0, expires_at__gt=after, expires_at__lte=after + timedelta(days=days)
        ).aggregate(fen=Coalesce(Sum("remaining_fen"), 0))["fen"]
    )


def granted_between(first: date, last: date) -> int:
    """What was granted from the first to the last day, both included."""
    return int(
        grants()
        .filter(at__date__gte=first, at__date__lte=last)
        .aggregate(fen=Coalesce(Sum("total_fen"), 0))["fen"]
    )


def by_department(*, limit: int = 8) -> list[tuple[str, int, int]]:
    """The top departments with most granted: (name, granted, not in wallets any more)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(split_part(d.path, '/', 1), ''), sum(l.granted_fen), sum(l.granted_fen - l.remaining_fen)
            FROM points_lot l JOIN points_account a ON a.id = l.wallet_id
            JOIN people_employee e ON e.id = a.employee_id
            LEFT JOIN people_department d ON d.id = e.department_id
            GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %s
            """,
            [limit],
        )
        return [(name, int(granted), int(used)) for name, granted, used in cursor.fetchall()]


@dataclass(frozen=True)
class BudgetEntry:
    """One change of a budget: a single posting, or all that one return brought back from wallets. Signed fen."""

    kind: str
    at: datetime
    fen: int
    wallets: int
    other: Budget | None  # the budget that a move came from or went to


_ENTRIES = """
WITH mine AS (
    SELECT p.id, p.kind, p.at, p.fen, p.source_id AS other_id, 1 AS sign FROM points_posting p
    WHERE p.destination_id = %(account)s
    UNION ALL
    SELECT p.id, p.kind, p.at, p.fen, p.destination_id, -1 FROM points_posting p
    WHERE p.source_id = %(account)s AND p.kind <> 'grant')
SELECT kind, at, sign * sum(fen), count(*), CASE kind WHEN 'move' THEN min(other_id) END AS other
FROM mine GROUP BY kind, at, sign, CASE WHEN kind IN ('recall', 'expire', 'reverse') THEN 0 ELSE id END
ORDER BY at DESC, max(id) DESC LIMIT %(limit)s
"""


def recent_entries(budget: Budget, *, limit: int = 20) -> list[BudgetEntry]:
    """The latest changes of a budget but for its grants: loads, returns, moves, and what came back from wallets."""
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, {"account": budget.account_id, "limit": limit})
        rows = cursor.fetchall()
    others = {
        other.account_id: other
        for other in Budget.objects.filter(account__in=[row[4] for row in rows if row[4]])
    }
    return [
        BudgetEntry(kind=kind, at=at, fen=int(fen), wallets=wallets, other=others.get(other))
        for kind, at, fen, wallets, other in rows
    ]


PACE_DAYS = 90  # what was granted in so many days tells how fast a budget is used


def runs_out_on(budget: Budget, figures: BudgetFigures, *, at: datetime) -> date | None:
    """The day on which the budget will be empty if it is used as in the last months; none where that cannot be told.

    Told from at least two weeks of use, and for the next five years.
    """
    since = max(at - timedelta(days=PACE_DAYS), budget.created_at)
    days = (at - since).days
    used = Grant.objects.filter(budget=budget, at__gt=since).aggregate(fen=Coalesce(Sum("total_fen"), 0))[
        "fen"
    ]
    if days < 14 or not used or not figures.left_fen:
        return None
    ahead = figures.left_fen * days // used
    return timezone.localdate(at) + timedelta(days=ahead) if ahead <= 5 * 366 else None


def lots_of_grant(grant: Grant) -> QuerySet[Lot]:
    """Each employee's part of a grant, by employee number."""
    return grant.lots.select_related("wallet__employee__department").order_by(
        F("wallet__employee__employee_no")
    )
