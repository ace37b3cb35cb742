"""Taking back what is unused of a grant: a mistake that some have not spent yet. What is held or spent stays theirs."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, QuerySet, Sum

from benefits.points import ledger
from benefits.points.errors import GrantNotFound, GrantRunning
from benefits.points.models import Budget, Grant, Lot, Posting
from tenants import audit
from tenants.db import transaction
from tenants.identity.models import User


@dataclass(frozen=True)
class Recallable:
    """What a recall would take now: from how many employees, of how many, and how much of how much."""

    employees: int
    of_employees: int
    fen: int
    of_fen: int


def recallable(grant: Grant) -> Recallable:
    """What of a grant is still unused in wallets. Raises GrantNotFound, GrantRunning."""
    _refuse(grant)
    unused = _unused(grant, None).aggregate(employees=Count("pk"), fen=Sum("remaining_fen"))
    return Recallable(
        employees=unused["employees"],
        of_employees=grant.employees,
        fen=unused["fen"] or 0,
        of_fen=grant.total_fen,
    )


@transaction
def recall_grant(
    *, grant: Grant, actor: User | None, at: datetime, employees: Collection[int] | None = None
) -> int:
    """Return what these employees (pk; all without a list) have not used of a grant to its budget; returns the fen.

    Safe to repeat: what was taken is not there any more. Raises GrantNotFound, GrantRunning.
    """
    _refuse(grant)
    lots = dict(_unused(grant, employees).values_list("pk", "wallet"))
    # As a grant and a redemption lock: the budget first, then the wallets; what is left is read after that.
    ledger.lock([grant.budget.account_id])
    ledger.lock(list(lots.values()))
    taken = ledger.take(lots=list(lots), kind=Posting.Kind.RECALL, word="recalled", at=at)
    fen = sum(one.fen for one in taken)
    if fen:
        wallets = sum(one.wallets for one in taken)
        audit.record("points.recalled", grant, actor=actor, at=at, employees=wallets, fen=fen)
    return fen


def _unused(grant: Grant, employees: Collection[int] | None) -> QuerySet[Lot]:
    lots = Lot.objects.filter(grant=grant, remaining_fen__gt=0).order_by()
    return lots if employees is None else lots.filter(wallet__employee__in=employees)


def _refuse(grant: Grant) -> None:
    grant = Grant.objects.select_related("budget").get(pk=grant.pk)
    if grant.budget.purpose != Budget.Purpose.COMPANY:
        raise GrantNotFound
    if grant.status != Grant.Status.DONE:
        raise GrantRunning(reason=grant.reason)
