"""Grants in steps: the whole is set aside from the budget in one act, then handed out wallet by wallet.

What was decided can always be carried out: nobody else can take what is set aside, and a step never waits for another.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.utils import timezone

from benefits.points import ledger
from benefits.points.errors import BudgetClosed, InsufficientBudget, InvalidExpiry
from benefits.points.ledger import Part
from benefits.points.models import Account, Budget, Grant
from benefits.states import advance
from tenants import audit
from tenants.db import transaction_required
from tenants.identity.models import User


@transaction_required
def set_aside(
    *,
    budget: Budget,
    reason: str,
    audience: dict[str, Any],
    source: str,
    digest: str,
    employees: int,
    fen: int,
    expires_at: datetime | None,
    actor: User | None,
    at: datetime,
) -> Grant:
    """Begin a grant of `fen` in all to so many employees. Raises InsufficientBudget, BudgetClosed, InvalidExpiry."""
    account = Account.objects.select_for_update().get(pk=budget.account_id)
    budget = Budget.objects.get(pk=budget.pk)
    today = timezone.localdate(at)
    is_open = budget.status == Budget.Status.OPEN and budget.from_date <= today <= (budget.to_date or today)
    if not is_open:
        raise BudgetClosed(budget=budget.name)
    if expires_at is not None and expires_at <= at:
        raise InvalidExpiry(value=timezone.localdate(expires_at))
    if fen > (account.balance_fen or 0):
        raise InsufficientBudget(budget=budget.name, needed_fen=fen, available_fen=account.balance_fen or 0)
    grant = Grant.objects.create(
        budget=budget,
        reason=reason,
        audience=audience,
        request_key=uuid4(),
        request_digest=digest,
        employees=employees,
        total_fen=fen,
        expires_at=expires_at,
        status=Grant.Status.RUNNING,
        source=source,
        granted_by=actor.username if actor else audit.SYSTEM,
        at=at,
    )
    ledger.allot(grant=grant, at=at)
    audit.record("points.granted", grant, actor=actor, at=at, employees=employees, fen=fen)
    return grant


@transaction_required
def hand_out(*, grant: Grant, parts: Sequence[Part], at: datetime) -> None:
    """One step: these parts of a running grant go to their wallets."""
    ledger.hand_out(grant=grant, parts=parts, at=at)


@transaction_required
def finish(*, grant: Grant) -> None:
    """The last step was done. Raises IllegalTransition."""
    advance(grant, Grant.Status.DONE)
