"""Budgets after they were opened: revised, moved between, closed, and ended when their validity is over.

What a budget holds at its end stays, goes back to the funds, or goes over to another budget, as `at_end` says; so does
what comes back to it later from wallets. A closed budget keeps nothing: where it says *stay*, it returns to the funds.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError
from django.db.models import Q
from django.utils import timezone

from benefits import states
from benefits.points import figures, ledger
from benefits.points.errors import (
    BudgetBusy,
    BudgetExists,
    CategoriesOnlyWiden,
    InsufficientBudget,
    InvalidCarryOver,
    InvalidPoints,
    InvalidValidity,
    RequestKeyReused,
)
from benefits.points.models import Account, Budget, Grant, Posting
from benefits.points.operations import (
    MOST_FEN_EACH,
    own_budget,
    refuse_carry_over,
    refuse_closed,
    return_to_funds,
)
from tenants import audit
from tenants.crash import crash_point
from tenants.db import durable, savepoint, transaction, transaction_required
from tenants.identity.models import User

AtEnd = Budget.AtEnd
TERMS = (
    "name", "owner", "from_date", "to_date", "categories", "cost_centre", "department", "at_end", "carry_to_id",
)  # fmt: skip


@transaction
def revise_budget(
    *,
    budget: Budget,
    name: str,
    owner: str,
    from_date: date,
    to_date: date | None,
    categories: Sequence[str],
    cost_centre: str,
    department: str,
    at_end: str,
    carry_to: Budget | None,
    actor: User | None,
    at: datetime,
) -> Budget:
    """Change a budget's terms; what was and what is stand in the audit trail. Nothing different changes nothing.

    Raises BudgetExists, InvalidValidity, InvalidCarryOver, CategoriesOnlyWiden, BudgetClosed.
    """
    _lock([budget.account_id])
    budget = own_budget(budget)
    if budget.status != Budget.Status.OPEN:
        refuse_closed(budget, at=at)
    before = _terms(budget)
    _refuse_validity(budget, from_date=from_date, to_date=to_date, at=at)
    if carry_to is not None:
        if carry_to.pk == budget.pk:
            raise InvalidCarryOver(budget=carry_to.name)
        refuse_carry_over(carry_to, after=to_date)
    if not _widens(budget.categories, categories) and _is_out(budget):
        raise CategoriesOnlyWiden
    if to_date != budget.to_date:
        budget.ended_at = None  # it lives on, and ends anew
    budget.name, budget.owner, budget.from_date, budget.to_date = name, owner, from_date, to_date
    budget.categories, budget.cost_centre, budget.department = list(categories), cost_centre, department
    budget.at_end, budget.carry_to = at_end, carry_to
    after = _terms(budget)
    if after == before:
        return budget
    try:
        with savepoint():
            budget.save()
    except IntegrityError as error:
        raise BudgetExists(name=name) from error
    changed = [term for term in TERMS if before[term] != after[term]]
    audit.record(
        "budget.revised",
        budget,
        actor=actor,
        at=at,
        changed=changed,
        before={term: before[term] for term in changed},
        after={term: after[term] for term in changed},
    )
    return budget


def _terms(budget: Budget) -> dict[str, object]:
    values = {term: getattr(budget, term) for term in TERMS}
    return {
        term: value.isoformat() if isinstance(value, date) else str(value) if term == "at_end" else value
        for term, value in values.items()
    }


def _refuse_validity(budget: Budget, *, from_date: date, to_date: date | None, at: datetime) -> None:
    if to_date is not None and to_date != budget.to_date and to_date < timezone.localdate(at):
        raise InvalidValidity(value=to_date)
    if to_date is not None and to_date < from_date:
        raise InvalidValidity(value=to_date)
    if from_date != budget.from_date and budget.grants.exists():
        raise InvalidValidity(value=from_date)


def _widens(old: Iterable[str], new: Iterable[str]) -> bool:
    """Whether everything that was allowed still is; nothing named is everything."""
    before, after = set(old), set(new)
    return not after or bool(before and before <= after)


def _is_out(budget: Budget) -> bool:
    """Whether points of the budget are with employees, or on their way to or from them."""
    now = figures.of([Budget.objects.select_related("account").get(pk=budget.pk)])[budget.pk]
    return now.in_wallets_fen + now.held_fen + now.allotted_fen > 0


@transaction
def move_budget(
    *, source: Budget, target: Budget, fen: int, request_key: UUID, actor: User | None, at: datetime
) -> Posting:
    """Move fen from one budget to another, whatever each may be spent on. The same key again changes nothing.

    Out of a budget that is closed or over, too. Raises InvalidPoints, InsufficientBudget, BudgetClosed (the target),
    RequestKeyReused.
    """
    if fen <= 0 or source.pk == target.pk:
        raise InvalidPoints(asked_fen=max(fen, 0), most_fen=MOST_FEN_EACH)
    accounts = _lock([source.account_id, target.account_id])
    source, target = own_budget(source), own_budget(target)
    reference = f"move:{request_key}"
    if earlier := Posting.objects.filter(reference=reference).first():
        if (earlier.source_id, earlier.destination_id, earlier.fen) != (
            source.account_id,
            target.account_id,
            fen,
        ):
            raise RequestKeyReused
        return earlier
    refuse_closed(target, at=at)
    left = accounts[source.account_id].balance_fen or 0
    if fen > left:
        raise InsufficientBudget(budget=source.name, needed_fen=fen, available_fen=left)
    return _move(source=source, target=target, fen=fen, reference=reference, actor=actor, at=at)


@transaction_required
def _lock(accounts: Iterable[int]) -> dict[int, Account]:
    """Lock budgets' accounts in id order, and read them."""
    rows = Account.objects.select_for_update().filter(pk__in=set(accounts)).order_by("pk")
    return {account.pk: account for account in rows}


@transaction_required
def _move(
    *, source: Budget, target: Budget, fen: int, reference: str, actor: User | None, at: datetime
) -> Posting:
    posting = ledger.post(
        kind=Posting.Kind.MOVE,
        source=Account(pk=source.account_id),
        destination=Account(pk=target.account_id),
        fen=fen,
        reference=reference,
        at=at,
    )
    audit.record("budget.moved_out", source, actor=actor, at=at, fen=fen, budget=target.pk)
    audit.record("budget.moved_in", target, actor=actor, at=at, fen=fen, budget=source.pk)
    return posting


@transaction
def close_budget(*, budget: Budget, actor: User | None, at: datetime) -> Budget:
    """Close a budget for good; what it holds goes over to another, where it says so, or back to the funds.

    Lots that were granted from it stay as they are. A closed one stays closed. Raises BudgetBusy while grants from it
    are being handed out, InvalidCarryOver when the other budget is no longer open.
    """
    accounts = _lock_all()
    budget = own_budget(budget)
    if budget.status == Budget.Status.CLOSED:
        return budget
    if budget.grants.filter(status=Grant.Status.RUNNING).exists():
        raise BudgetBusy(budget=budget.name)
    fen = accounts[budget.account_id].balance_fen or 0
    if not _clear(budget, fen=fen, closing=True, actor=actor, at=at):
        raise InvalidCarryOver(budget=str(budget.carry_to))
    states.advance(budget, Budget.Status.CLOSED, ended_at=budget.ended_at or at)
    audit.record("budget.closed", budget, actor=actor, at=at, fen=fen)
    return budget


@transaction_required
def _lock_all() -> dict[int, Account]:
    """Lock every budget's account, as returning points does: which one takes over is known only then."""
    return _lock(Budget.objects.values_list("account", flat=True))


@transaction_required
def _clear(budget: Budget, *, fen: int, closing: bool, actor: User | None, at: datetime) -> bool:
    """Send what a budget holds where it goes at the end; False where the budget that takes it over cannot."""
    if not fen or (budget.at_end == AtEnd.STAY and not closing):
        return True
    reference = f"end:{budget.pk}:{at:%Y%m%d%H%M%S%f}"
    target = budget.carry_to
    if target is None:
        account = Account(pk=budget.account_id)
        return_to_funds(budget=budget, account=account, fen=fen, reference=reference, actor=actor, at=at)
        return True
    over = target.to_date is not None and target.to_date < timezone.localdate(at)
    if target.status != Budget.Status.OPEN or over:
        return False
    _move(source=budget, target=target, fen=fen, reference=reference, actor=actor, at=at)
    return True


@durable
def end_budgets(*, at: datetime) -> int:
    """Do what is due with budgets that are over, and with what came back to ended and closed ones; returns how many.

    One transaction a budget: safe to repeat, to run twice at once and to be killed. One that cannot be carried over waits.
    """
    ended = 0
    for budget in _due(at):
        ended += _end(budget, at=at)
        crash_point("in_budget_ends")
    return ended


def _due(at: datetime) -> list[Budget]:
    is_over = Q(status=Budget.Status.OPEN, to_date__lt=timezone.localdate(at), ended_at__isnull=True)
    holds = Q(account__balance_fen__gt=0)
    came_back = holds & (Q(status=Budget.Status.CLOSED) | (Q(ended_at__isnull=False) & ~Q(at_end=AtEnd.STAY)))
    return list(Budget.objects.filter(is_over | came_back, purpose=Budget.Purpose.COMPANY).order_by("pk"))


@transaction
def _end(budget: Budget, *, at: datetime) -> bool:
    accounts = _lock_all()
    found = next((one for one in _due(at) if one.pk == budget.pk), None)
    if found is None:
        return False  # somebody was faster
    fen = accounts[found.account_id].balance_fen or 0
    closed = found.status == Budget.Status.CLOSED
    if not _clear(found, fen=fen, closing=closed, actor=None, at=at):
        return False
    if found.ended_at is None:
        found.ended_at = at
        found.save(update_fields=["ended_at"])
        audit.record("budget.ended", found, actor=None, at=at, fen=fen, at_end=str(found.at_end))
    return True
