"""Reads of wallets, lots, budgets and the books; all amounts in fen."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from benefits.people.models import Employee
from benefits.points import figures
from benefits.points.errors import BudgetNotFound
from benefits.points.figures import BudgetFigures
from benefits.points.models import Budget, Grant, Lot, LotExtension, Posting
from tenants.db import connection


@dataclass(frozen=True)
class Wallet:
    """What an employee sees first: spendable now, in process, granted this year, and what expires next."""

    available_fen: int
    held_fen: int
    granted_this_year_fen: int
    expiring_fen: int
    expires_at: datetime | None


def wallet_of(employee: Employee, *, at: datetime) -> Wallet:
    """The employee's wallet at an instant."""
    lots = Lot.objects.filter(wallet__employee=employee)
    alive = lots.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=at), remaining_fen__gt=0)
    sums = alive.aggregate(available=Coalesce(Sum("remaining_fen"), 0), first=Min("expires_at"))
    expiring = (
        alive.filter(expires_at=sums["first"]).aggregate(fen=Coalesce(Sum("remaining_fen"), 0))["fen"]
        if sums["first"]
        else 0
    )
    granted = lots.filter(at__year=at.year).aggregate(fen=Coalesce(Sum("granted_fen"), 0))["fen"]
    return Wallet(
        available_fen=sums["available"],
        held_fen=_held_fen(employee),
        granted_this_year_fen=granted,
        expiring_fen=expiring,
        expires_at=sums["first"],
    )


def _held_fen(employee: Employee) -> int:
    # What was redeemed and has been neither delivered nor refunded. A closing posting names the item in its reference.
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT coalesce(sum(-e.fen), 0) FROM points_account a
                JOIN points_posting p ON p.source_id = a.id AND p.kind = 'redeem'
                JOIN points_lotentry e ON e.posting_id = p.id
                WHERE a.employee_id = %s AND NOT {_DELIVERED} AND NOT {_REFUNDED}""",
            [employee.pk],
        )
        return int(cursor.fetchone()[0])


_DELIVERED = "EXISTS (SELECT 1 FROM points_posting d WHERE d.reference = 'deliver:' || e.item)"
_REFUNDED = "EXISTS (SELECT 1 FROM points_posting r WHERE r.reference = 'refund:' || e.item)"


def available_for(employee: Employee, *, category: str, at: datetime) -> int:
    """What the employee can spend on a category, in fen."""
    return int(
        Lot.objects.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=at),
            Q(budget__categories=[]) | Q(budget__categories__contains=[category]),
            wallet__employee=employee,
            remaining_fen__gt=0,
        ).aggregate(fen=Coalesce(Sum("remaining_fen"), 0))["fen"]
    )


def lots_of(employee: Employee) -> QuerySet[Lot]:
    """The employee's lots that hold something, earliest expiry first; `is_lengthened` where a refund did so."""
    return (
        Lot.objects.filter(wallet__employee=employee, remaining_fen__gt=0)
        .annotate(is_lengthened=Exists(LotExtension.objects.filter(lot=OuterRef("pk"))))
        .select_related("grant", "budget")
        .order_by("expires_at", "at", "id")
    )


# What of each item was paid from the platform's goodwill: (item, fen). The company is not billed for it.
GOODWILL_PARTS = """
(SELECT e.item, (-sum(e.fen))::bigint AS fen FROM points_budget b JOIN points_lot l ON l.budget_id = b.id
JOIN points_lotentry e ON e.lot_id = l.id JOIN points_posting r ON r.id = e.posting_id AND r.kind = 'redeem'
WHERE b.purpose = 'goodwill' GROUP BY e.item)
"""


def history_of(employee: Employee, *, limit: int = 50, before: int | None = None) -> list[dict[str, Any]]:
    """The wallet's postings, newest first, each with the balance after it:
    rows of {id, kind, at, fen (signed), balance_fen, reference, subject}. A grant of the platform's is `goodwill`."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH mine AS (
                SELECT p.id, p.kind, p.at, p.reference,
                    CASE WHEN p.destination_id = a.id THEN p.fen ELSE -p.fen END AS fen
                FROM points_account a JOIN points_posting p ON a.id IN (p.source_id, p.destination_id)
                WHERE a.employee_id = %(employee)s),
            walked AS (SELECT mine.*, (sum(fen) OVER (ORDER BY id))::bigint AS balance_fen FROM mine)
            SELECT w.id, CASE WHEN b.purpose = 'goodwill' THEN 'goodwill' ELSE w.kind END AS kind, w.at, w.fen,
                w.balance_fen, w.reference, g.reason AS subject
            FROM walked w
            LEFT JOIN points_grant g ON g.id = CASE WHEN w.kind = 'grant' THEN split_part(w.reference, ':', 2)::bigint END
            LEFT JOIN points_budget b ON b.id = g.budget_id
            WHERE %(before)s::bigint IS NULL OR w.id < %(before)s
            ORDER BY w.id DESC LIMIT %(limit)s
            """,
            {"employee": employee.pk, "before": before, "limit": limit},
        )
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def find_budget(name: str) -> Budget:
    """The budget of a name, or BudgetNotFound."""
    budget = budgets().filter(name=name).first()
    if budget is None:
        raise BudgetNotFound(name=name)
    return budget


def figures_of(budget: Budget) -> BudgetFigures:
    """The figures of one budget, as they are now."""
    return figures.of([Budget.objects.select_related("account").get(pk=budget.pk)])[budget.pk]


def budgets() -> QuerySet[Budget]:
    """The company's own budgets with their accounts, the newest first; the platform's is not among them."""
    return (
        Budget.objects.filter(purpose=Budget.Purpose.COMPANY)
        .select_related("account")
        .annotate(last_grant_at=Max("grants__at"))
        .order_by("-id")
    )


def budgets_of_references(references: Collection[str]) -> dict[str, Budget]:
    """The budgets that were loaded or unloaded by postings of these references, by reference."""
    postings = Posting.objects.filter(reference__in=references, kind__in=["load", "unload"])
    accounts = {
        posting.reference: posting.destination_id if posting.kind == Posting.Kind.LOAD else posting.source_id
        for posting in postings
    }
    found = {budget.account_id: budget for budget in Budget.objects.filter(account__in=accounts.values())}
    return {reference: found[account] for reference, account in accounts.items() if account in found}


def grants() -> QuerySet[Grant]:
    """The company's grants, the newest first."""
    return Grant.objects.filter(budget__purpose=Budget.Purpose.COMPANY).select_related("budget")


def owners_with_postings(employees: Collection[int], *, since: datetime | None = None) -> set[int]:
    """Those of these employees (pk) whose wallet value moved into or out of, ever or after an instant."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT a.employee_id FROM points_account a WHERE a.employee_id = ANY(%(pks)s) AND EXISTS (
                SELECT 1 FROM points_posting p WHERE a.id = p.source_id AND p.at > coalesce(%(since)s::timestamptz, '-infinity')
                UNION ALL
                SELECT 1 FROM points_posting p WHERE a.id = p.destination_id
                    AND p.at > coalesce(%(since)s::timestamptz, '-infinity'))""",
            {"pks": list(employees), "since": since},
        )
        return {row[0] for row in cursor.fetchall()}


def owners_short_of(employees: Collection[int], *, since: datetime | None) -> set[int]:
    """Those of these leavers (pk) whose returned points are no longer in the budgets that they went back to."""
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH due AS (
                SELECT a.employee_id, p.destination_id, p.fen FROM points_account a
                JOIN points_posting p ON p.source_id = a.id AND p.kind = 'recall'
                    AND p.reference LIKE 'recall:%%' AND p.at >= %s
                WHERE a.employee_id = ANY(%s) AND NOT EXISTS (
                    SELECT 1 FROM points_posting r WHERE r.reverses_id = p.id)
            ), short AS (
                SELECT d.destination_id FROM due d JOIN points_account b ON b.id = d.destination_id
                GROUP BY d.destination_id, b.balance_fen HAVING sum(d.fen) > b.balance_fen)
            SELECT DISTINCT employee_id FROM due JOIN short USING (destination_id)""",
            [since, list(employees)],
        )
        return {row[0] for row in cursor.fetchall()}
