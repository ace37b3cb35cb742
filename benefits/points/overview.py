"""A company's points at a glance, each answer in a fixed number of queries; all amounts in fen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from benefits.points.models import Account, Budget, Grant, Lot, Posting
from benefits.points.queries import BudgetFigures, allotted_fen
from tenants.db import connection

_DELIVERED = "EXISTS (SELECT 1 FROM points_posting d WHERE d.reference = 'deliver:' || e.item)"
_REFUNDED = "EXISTS (SELECT 1 FROM points_posting r WHERE r.reference = 'refund:' || e.item)"


@dataclass(frozen=True)
class Books:
    """Where all of a company's value is."""

    in_budgets_fen: int
    allotted_fen: int
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
            FROM points_account a GROUP BY a.kind
            """
        )
        by_kind = {kind: int(fen) for kind, fen in cursor.fetchall()}
    return Books(
        in_budgets_fen=by_kind.get(Account.Kind.BUDGET, 0),
        allotted_fen=by_kind.get(Account.Kind.ALLOTTED, 0),
        in_wallets_fen=by_kind.get(Account.Kind.WALLET, 0),
        held_fen=by_kind.get(Account.Kind.HELD, 0),
        delivered_fen=by_kind.get(Account.Kind.DELIVERED, 0),
    )


def figures_of_budgets(budgets: Sequence[Budget]) -> dict[int, BudgetFigures]:
    """The figures of several budgets by their id, in four queries however many there are."""
    accounts = {budget.account_id: budget.pk for budget in budgets}
    moved = _moved(list(accounts))
    lots = {
        budget: (granted, left)
        for budget, granted, left in Lot.objects.filter(budget__in=[budget.pk for budget in budgets])
        .order_by()
        .values("budget")
        .annotate(granted=Sum("granted_fen"), left=Sum("remaining_fen"))
        .values_list("budget", "granted", "left")
    }
    allotted = allotted_fen(list(accounts.values()))
    spent = _spent(list(accounts.values()))
    figures = {}
    for budget in budgets:
        held, delivered = spent.get(budget.pk, (0, 0))
        granted, in_wallets = lots.get(budget.pk, (0, 0))
        figures[budget.pk] = BudgetFigures(
            loaded_fen=moved.get((budget.account_id, Posting.Kind.LOAD), 0),
            returned_fen=moved.get((budget.account_id, Posting.Kind.UNLOAD), 0),
            left_fen=budget.account.balance_fen or 0,
            allotted_fen=allotted.get(budget.pk, 0),
            granted_fen=granted,
            in_wallets_fen=in_wallets,
            held_fen=held,
            delivered_fen=delivered,
        )
    return figures


def _moved(accounts: list[int]) -> dict[tuple[int, str], int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT destination_id, kind, sum(fen) FROM points_posting
            WHERE destination_id = ANY(%(ids)s) AND kind = 'load' GROUP BY 1, 2
            UNION ALL
            SELECT source_id, kind, sum(fen) FROM points_posting
            WHERE source_id = ANY(%(ids)s) AND kind = 'unload' GROUP BY 1, 2
            """,
            {"ids": accounts},
        )
        return {(account, kind): int(fen) for account, kind, fen in cursor.fetchall()}


def _spent(budgets: list[int]) -> dict[int, tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT l.budget_id,
                       coalesce(sum(-e.fen) FILTER (WHERE NOT {_DELIVERED} AND NOT {_REFUNDED}), 0),
                       coalesce(sum(-e.fen) FILTER (WHERE {_DELIVERED}), 0)
                FROM points_lotentry e JOIN points_lot l ON l.id = e.lot_id
                JOIN points_posting p ON p.id = e.posting_id AND p.kind = 'redeem'
                WHERE l.budget_id = ANY(%s) GROUP BY 1""",
            [budgets],
        )
        return {budget: (int(held), int(delivered)) for budget, held, delivered in cursor.fetchall()}


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
        Grant.objects.filter(at__date__gte=first, at__date__lte=last).aggregate(
            fen=Coalesce(Sum("total_fen"), 0)
        )["fen"]
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


def recent_entries(budget: Budget, *, limit: int = 20) -> QuerySet[Posting]:
    """The latest loads into a budget and returns from it."""
    return Posting.objects.filter(
        Q(kind=Posting.Kind.LOAD, destination=budget.account_id)
        | Q(kind=Posting.Kind.UNLOAD, source=budget.account_id)
    ).order_by("-id")[:limit]


def lots_of_grant(grant: Grant) -> QuerySet[Lot]:
    """Each employee's part of a grant, by employee number."""
    return grant.lots.select_related("wallet__employee__department").order_by(
        F("wallet__employee__employee_no")
    )
