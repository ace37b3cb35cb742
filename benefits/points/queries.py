"""Reads of wallets, lots, budgets and the books; all amounts in fen."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from benefits.people.models import Employee
from benefits.points.errors import BudgetNotFound
from benefits.points.models import Account, Budget, Grant, Lot, Posting
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
    """The employee's lots that hold something, earliest expiry first."""
    return (
        Lot.objects.filter(wallet__employee=employee, remaining_fen__gt=0)
        .select_related("grant", "budget")
        .order_by("expires_at", "at", "id")
    )


def history_of(employee: Employee, *, limit: int = 50, before: int | None = None) -> list[dict[str, Any]]:
    """The wallet's postings, newest first, each with the balance after it:
    rows of {id, kind, at, fen (signed), balance_fen, reference, subject}."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH mine AS (
                SELECT p.id, p.kind, p.at, p.reference,
                    CASE WHEN p.destination_id = a.id THEN p.fen ELSE -p.fen END AS fen
                FROM points_account a JOIN points_posting p ON a.id IN (p.source_id, p.destination_id)
                WHERE a.employee_id = %(employee)s),
            walked AS (SELECT mine.*, (sum(fen) OVER (ORDER BY id))::bigint AS balance_fen FROM mine)
            SELECT w.id, w.kind, w.at, w.fen, w.balance_fen, w.reference,
                (SELECT g.reason FROM points_grant g WHERE w.kind = 'grant'
                    AND g.id = nullif(split_part(w.reference, ':', 2), '')::bigint) AS subject
            FROM walked w WHERE %(before)s::bigint IS NULL OR w.id < %(before)s
            ORDER BY w.id DESC LIMIT %(limit)s
            """,
            {"employee": employee.pk, "before": before, "limit": limit},
        )
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def find_budget(name: str) -> Budget:
    """The budget of a name, or BudgetNotFound."""
    budget = Budget.objects.select_related("account").filter(name=name).first()
    if budget is None:
        raise BudgetNotFound(name=name)
    return budget


@dataclass(frozen=True)
class BudgetFigures:
    """Where a budget's value is: loaded = in the budget + set aside for grants that are being handed out
    + in wallets + held + delivered (+ returned), always. What was granted has arrived in wallets."""

    loaded_fen: int
    returned_fen: int
    left_fen: int
    allotted_fen: int
    granted_fen: int
    in_wallets_fen: int
    held_fen: int
    delivered_fen: int


def figures_of(budget: Budget) -> BudgetFigures:
    """The figures of one budget."""
    account = Account.objects.get(pk=budget.account_id)
    loaded = _sum(Posting.objects.filter(kind=Posting.Kind.LOAD, destination=account))
    returned = _sum(Posting.objects.filter(kind=Posting.Kind.UNLOAD, source=account))
    lots = Lot.objects.filter(budget=budget).aggregate(
        granted=Coalesce(Sum("granted_fen"), 0), left=Coalesce(Sum("remaining_fen"), 0)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT coalesce(sum(-e.fen) FILTER (WHERE NOT {_DELIVERED} AND NOT {_REFUNDED}), 0),
                       coalesce(sum(-e.fen) FILTER (WHERE {_DELIVERED}), 0)
                FROM points_lotentry e JOIN points_lot l ON l.id = e.lot_id
                JOIN points_posting p ON p.id = e.posting_id AND p.kind = 'redeem' WHERE l.budget_id = %s""",
            [budget.pk],
        )
        held, delivered = cursor.fetchone()
    return BudgetFigures(
        loaded_fen=loaded,
        returned_fen=returned,
        left_fen=account.balance_fen or 0,
        allotted_fen=allotted_fen([budget.pk]).get(budget.pk, 0),
        granted_fen=lots["granted"],
        in_wallets_fen=lots["left"],
        held_fen=int(held),
        delivered_fen=int(delivered),
    )


def allotted_fen(budgets: Collection[int]) -> dict[int, int]:
    """What of each budget (pk) is set aside and not yet handed out, where there is any."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT g.budget_id, sum(g.total_fen - coalesce(l.fen, 0)) FROM points_grant g
            CROSS JOIN LATERAL (SELECT sum(granted_fen) AS fen FROM points_lot WHERE grant_id = g.id) l
            WHERE g.status = 'running' AND g.budget_id = ANY(%s) GROUP BY 1""",
            [list(budgets)],
        )
        return {budget: int(fen) for budget, fen in cursor.fetchall()}


def _sum(postings: QuerySet[Posting]) -> int:
    return int(postings.aggregate(fen=Coalesce(Sum("fen"), 0))["fen"])


def budgets() -> QuerySet[Budget]:
    """All budgets with their accounts, the newest first."""
    return Budget.objects.select_related("account").annotate(last_grant_at=Max("grants__at")).order_by("-id")


def grants() -> QuerySet[Grant]:
    """All grants, the newest first."""
    return Grant.objects.select_related("budget")


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
                JOIN points_posting p ON p.source_id = a.id AND p.kind = 'recall' AND p.at >= %s
                WHERE a.employee_id = ANY(%s) AND NOT EXISTS (
                    SELECT 1 FROM points_posting r WHERE r.reverses_id = p.id)
            ), short AS (
                SELECT d.destination_id FROM due d JOIN points_account b ON b.id = d.destination_id
                GROUP BY d.destination_id, b.balance_fen HAVING sum(d.fen) > b.balance_fen)
            SELECT DISTINCT employee_id FROM due JOIN short USING (destination_id)""",
            [since, list(employees)],
        )
        return {row[0] for row in cursor.fetchall()}
