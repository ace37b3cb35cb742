"""Where a budget's value is: in a fixed number of queries however many budgets are asked after; all amounts in fen."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, Sum

from benefits.points.models import Budget, Grant, Lot, LotEntry, Posting
from tenants.db import connection

_DELIVERED = "EXISTS (SELECT 1 FROM points_posting d WHERE d.reference = 'deliver:' || e.item)"
_REFUNDED = "EXISTS (SELECT 1 FROM points_posting r WHERE r.reference = 'refund:' || e.item)"


@dataclass(frozen=True)
class BudgetFigures:
    """Where a budget's value is. What came in (loaded, moved in) less what went out again (returned, moved out) = in the
    budget + being handed out + in wallets + held + delivered + lapsed, always."""

    loaded_fen: int
    returned_fen: int
    moved_in_fen: int
    moved_out_fen: int
    left_fen: int
    allotted_fen: int
    granted_fen: int
    in_wallets_fen: int
    held_fen: int
    delivered_fen: int
    lapsed_fen: int

    @property
    def whole_fen(self) -> int:
        """What the budget is worth altogether: what came in and has not gone out again as a whole."""
        return self.loaded_fen + self.moved_in_fen - self.returned_fen - self.moved_out_fen

    @property
    def used_fen(self) -> int:
        """What is no longer in the budget itself."""
        return self.whole_fen - self.left_fen

    @property
    def percent_used(self) -> int:
        """What is used of the whole, rounded down, so that 100 means all of it."""
        return 100 * self.used_fen // self.whole_fen if self.whole_fen else 0

    @property
    def adds_up(self) -> bool:
        """Whether every fen is somewhere."""
        parts = (
            self.left_fen,
            self.allotted_fen,
            self.in_wallets_fen,
            self.held_fen,
            self.delivered_fen,
            self.lapsed_fen,
        )
        return self.whole_fen == sum(parts)


def of(budgets: Sequence[Budget]) -> dict[int, BudgetFigures]:
    """The figures of several budgets by their id, in five queries."""
    pks = [budget.pk for budget in budgets]
    moved = _moved([budget.account_id for budget in budgets])
    allotted, lots, spent, gone = _allotted(pks), _in_wallets(pks), _spent(pks), _gone(pks)
    found = {}
    for budget in budgets:
        came = {kind: moved.get((budget.account_id, "in", kind), 0) for kind in Posting.Kind}
        went = {kind: moved.get((budget.account_id, "out", kind), 0) for kind in Posting.Kind}
        held, delivered = spent.get(budget.pk, (0, 0))
        handing_out = allotted.get(budget.pk, 0)
        set_aside = went[Posting.Kind.ALLOT]
        found[budget.pk] = BudgetFigures(
            loaded_fen=came[Posting.Kind.LOAD] + came[Posting.Kind.GOODWILL],
            returned_fen=went[Posting.Kind.UNLOAD] + gone.get((budget.pk, Posting.Kind.RECOVER), 0),
            moved_in_fen=came[Posting.Kind.MOVE],
            moved_out_fen=went[Posting.Kind.MOVE],
            left_fen=budget.account.balance_fen or 0,
            allotted_fen=handing_out,
            granted_fen=went[Posting.Kind.GRANT] + set_aside - handing_out,
            in_wallets_fen=lots.get(budget.pk, 0),
            held_fen=held,
            delivered_fen=delivered,
            lapsed_fen=gone.get((budget.pk, Posting.Kind.LAPSE), 0),
        )
    return found


def _moved(accounts: list[int]) -> dict[tuple[int, str, str], int]:
    """What came to and went from these budgets' accounts by kind, without what leavers and expiry brought back."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT destination_id, 'in', kind, sum(fen) FROM points_posting
            WHERE destination_id = ANY(%(ids)s) AND kind IN ('load', 'goodwill', 'move') GROUP BY 1, 3
            UNION ALL
            SELECT source_id, 'out', kind, sum(fen) FROM points_posting
            WHERE source_id = ANY(%(ids)s) AND kind IN ('unload', 'move', 'allot', 'grant') GROUP BY 1, 3
            """,
            {"ids": accounts},
        )
        return {(account, way, kind): int(fen) for account, way, kind, fen in cursor.fetchall()}


def _allotted(budgets: list[int]) -> dict[int, int]:
    """What grants that are being handed out have not handed out yet."""
    given = Lot.objects.filter(grant__status=Grant.Status.RUNNING, budget__in=budgets).order_by()
    done = dict(given.values("budget").annotate(fen=Sum("granted_fen")).values_list("budget", "fen"))
    running = Grant.objects.filter(status=Grant.Status.RUNNING, budget__in=budgets).order_by()
    totals = running.values("budget").annotate(fen=Sum("total_fen")).values_list("budget", "fen")
    return {budget: fen - done.get(budget, 0) for budget, fen in totals}


def _in_wallets(budgets: list[int]) -> dict[int, int]:
    lots = Lot.objects.filter(budget__in=budgets).order_by()
    return dict(lots.values("budget").annotate(fen=Sum("remaining_fen")).values_list("budget", "fen"))


def _gone(budgets: list[int]) -> dict[tuple[int, str], int]:
    """What of these budgets' lots lapsed, or was taken back by the platform, by budget and kind."""
    kinds = [Posting.Kind.LAPSE, Posting.Kind.RECOVER]
    entries = LotEntry.objects.filter(posting__kind__in=kinds, lot__budget__in=budgets).order_by()
    grouped = entries.values(budget=F("lot__budget"), kind=F("posting__kind")).annotate(taken=Sum("fen"))
    return {(row["budget"], row["kind"]): -row["taken"] for row in grouped}


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
