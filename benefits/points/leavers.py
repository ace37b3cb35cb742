"""What becomes of the points of those who leave: the company's policy freezes them or returns them to their budgets.

*freeze*: the wallet stays as it is, for whenever they come back. *return*: what is unspent goes back to the budgets it
came from, at once or when the days of grace end; so does what a refund adds afterwards. Sign-in ends at the same time.
"""

from collections.abc import Collection
from datetime import datetime

from benefits.people import operations as people
from benefits.people.models import Employee
from benefits.points import ledger
from benefits.points.models import Account
from tenants import audit
from tenants.db import connection, transaction, transaction_required
from tenants.models import Company

# Wallets of people who left, from which points were returned before, and to which a refund has come since; or a grant
# that was set aside while they were there, and handed out after they had left.
_REFUNDED_LATER = """
SELECT a.employee_id FROM points_account a JOIN people_employee e ON e.id = a.employee_id
WHERE a.kind = 'wallet' AND a.balance_fen > 0 AND e.status = 'left' AND e.grace_until IS NULL
    AND (EXISTS (SELECT 1 FROM points_posting p WHERE p.source_id = a.id AND p.kind = 'recall'
            AND p.reference LIKE 'recall:%')
        OR EXISTS (SELECT 1 FROM points_lot l WHERE l.wallet_id = a.id AND l.occasion <> '' AND l.at >= e.updated_at))
"""


@transaction_required
def _return(pks: Collection[int], *, reason: str, at: datetime) -> int:
    """Return what is left in these people's wallets to the budgets it came from; returns the fen.

    Safe to repeat: an empty wallet has nothing to return. A closed budget takes its points too, and is unloaded as before.
    """
    wallets = list(
        Account.objects.filter(employee_id__in=pks, balance_fen__gt=0).values_list("pk", flat=True)
    )
    if not wallets:
        return 0
    fen = ledger.take_back(wallets=wallets, at=at)
    if fen:
        audit.record("points.returned", f"leavers:{reason}", actor=None, at=at, wallets=len(wallets), fen=fen)
    return fen


@transaction_required
def undo_return(*, employees: Collection[int], since: datetime, at: datetime) -> int:
    """Give people (pk) what was returned of their wallets since then, by reversals; returns the fen.

    Budgets must still hold it (`queries.owners_short_of`): the database refuses otherwise.
    """
    wallets = list(Account.objects.filter(employee_id__in=employees).values_list("pk", flat=True))
    return ledger.give_back(wallets=wallets, since=since, at=at) if wallets else 0


@transaction_required
def settle(*, pks: Collection[int], reason: str, at: datetime) -> int:
    """Employees who have just left, and have no days of grace: follow the company's policy. Returns the fen returned."""
    if not pks or not returns_points():
        return 0
    gone = Employee.objects.filter(pk__in=pks, status=Employee.Status.LEFT, grace_until__isnull=True)
    return _return(list(gone.values_list("pk", flat=True)), reason=reason, at=at)


def returns_points() -> bool:
    """Whether this company's leavers lose what they have not spent."""
    policy = Company.objects.values_list("leaver_policy", flat=True).get(schema_name=connection.schema_name)
    return policy == Company.LeaverPolicy.RETURN


@transaction
def end_grace(*, at: datetime) -> int:
    """Leavers whose days of grace are over can no longer sign in; their points follow the policy. Returns how many.

    Under *return*, refunds that came after the points had gone back follow them.
    """
    leavers = people.end_grace(at=at)
    if leavers:
        audit.record("employees.grace_ended", "leavers:grace", actor=None, at=at, employees=len(leavers))
    if returns_points():
        with connection.cursor() as cursor:
            cursor.execute(_REFUNDED_LATER)
            late = [row[0] for row in cursor.fetchall()]
        _return([*(leaver.pk for leaver in leavers), *late], reason="grace", at=at)
    return len(leavers)
