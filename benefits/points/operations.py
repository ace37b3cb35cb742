"""Budgets and grants: open, load, unload, grant; and the accounts that a company and its people start with."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone

from benefits.funds import operations as funds
from benefits.people import queries as people
from benefits.people.models import Employee
from benefits.points import ledger
from benefits.points.errors import (
    BudgetClosed,
    BudgetExists,
    BudgetNotFound,
    InsufficientBudget,
    InvalidCarryOver,
    InvalidExpiry,
    InvalidPoints,
    NobodyToGrantTo,
    PointsRateFixed,
    RepeatedEmployees,
    RequestKeyReused,
    UnknownEmployees,
)
from benefits.points.models import Account, Budget, Grant, Posting
from tenants import audit
from tenants.db import connection, savepoint, transaction, transaction_required
from tenants.identity.models import User
from tenants.models import Company

MOST_FEN_EACH = 1_000_000_00  # a million yuan a person in one grant: more is a typing error


@dataclass(frozen=True)
class Audience:
    """Who a grant is for: everyone active, some departments (with what is below them), or a list with amounts in fen."""

    everyone: bool = False
    departments: tuple[str, ...] = ()
    amounts: tuple[tuple[str, int], ...] = field(default=(), repr=False)

    def as_json(self) -> dict[str, Any]:
        """What is kept with the grant; of a list only its length."""
        return {"everyone": self.everyone, "departments": list(self.departments), "list": len(self.amounts)}


@transaction_required
def open_books(*, company: Company, at: datetime) -> None:
    """Open the company's own accounts, so that none is ever made on a hot path."""
    for kind in (
        Account.Kind.FUNDED,
        Account.Kind.HELD,
        Account.Kind.DELIVERED,
        Account.Kind.LAPSED,
        Account.Kind.LOSS,
    ):
        Account.objects.create(kind=kind)
    Account.objects.create(kind=Account.Kind.ALLOTTED, balance_fen=0)


@transaction_required
def keep_rate(*, company: Company, changed: Collection[str]) -> None:
    """Object to another number of points for one yuan once any were granted. Raises PointsRateFixed."""
    if "points_per_yuan" in changed and Grant.objects.exists():
        raise PointsRateFixed


@transaction_required
def open_wallets(*, employees: Iterable[Employee]) -> int:
    """Open a wallet for every active employee that has none; returns how many were opened."""
    return open_wallets_of(pks=[employee.pk for employee in employees])


@transaction_required
def open_wallets_of(*, pks: Sequence[int]) -> int:
    """Open a wallet for every active one of these employees that has none; returns how many were opened."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO points_account (kind, employee_id, balance_fen)"
            " SELECT 'wallet', e.id, 0 FROM people_employee e WHERE e.id = ANY(%s) AND e.status = 'active'"
            " AND NOT EXISTS (SELECT 1 FROM points_account a WHERE a.employee_id = e.id) ORDER BY e.id",
            [list(pks)],
        )
        return int(cursor.rowcount)


@transaction
def open_budget(
    *,
    name: str,
    owner: str,
    from_date: date,
    to_date: date | None = None,
    categories: Sequence[str] = (),
    cost_centre: str = "",
    department: str = "",
    at_end: str = Budget.AtEnd.STAY,
    carry_to: Budget | None = None,
    actor: User | None,
    at: datetime,
) -> Budget:
    """Open an empty budget. Raises BudgetExists, InvalidCarryOver."""
    if carry_to is not None:
        refuse_carry_over(carry_to, after=to_date)
    account = Account.objects.create(kind=Account.Kind.BUDGET, balance_fen=0)
    try:
        with savepoint():
            budget = Budget.objects.create(
                account=account,
                name=name,
                owner=owner,
                categories=list(categories),
                from_date=from_date,
                to_date=to_date,
                cost_centre=cost_centre,
                department=department,
                at_end=at_end,
                carry_to=carry_to,
                created_at=at,
            )
    except IntegrityError as error:
        raise BudgetExists(name=name) from error
    audit.record("budget.opened", budget, actor=actor, at=at)
    return budget


@transaction
def load_budget(*, budget: Budget, fen: int, request_key: UUID, actor: User | None, at: datetime) -> Posting:
    """Move fen from the company's funds into a budget. The same key again changes nothing.

    Raises InvalidPoints, InsufficientFunds, BudgetClosed, RequestKeyReused.
    """
    if fen <= 0:
        raise InvalidPoints(asked_fen=fen, most_fen=MOST_FEN_EACH)
    # Like a grant and an unload: the account is the lock, never the budget's row, which every grant refers to.
    account = Account.objects.select_for_update().get(pk=budget.account_id)
    budget = own_budget(budget)
    reference = f"load:{request_key}"
    if earlier := Posting.objects.filter(reference=reference).first():
        if (earlier.destination_id, earlier.fen) != (account.pk, fen):
            raise RequestKeyReused
        return earlier
    refuse_closed(budget, at=at)
    funds.draw(fen=fen, reference=reference, at=at)
    posting = ledger.post(
        kind=Posting.Kind.LOAD,
        source=ledger.company_account(Account.Kind.FUNDED),
        destination=account,
        fen=fen,
        reference=reference,
        at=at,
    )
    audit.record("budget.loaded", budget, actor=actor, at=at, fen=fen)
    return posting


@transaction
def unload_budget(
    *, budget: Budget, fen: int, request_key: UUID, actor: User | None, at: datetime
) -> Posting:
    """Return fen of a budget to the company's funds. The same key again changes nothing.

    Raises InvalidPoints, InsufficientBudget, RequestKeyReused.
    """
    if fen <= 0:
        raise InvalidPoints(asked_fen=fen, most_fen=MOST_FEN_EACH)
    account = Account.objects.select_for_update().get(pk=budget.account_id)
    budget = own_budget(budget)
    reference = f"unload:{request_key}"
    if earlier := Posting.objects.filter(reference=reference).first():
        if (earlier.source_id, earlier.fen) != (account.pk, fen):
            raise RequestKeyReused
        return earlier
    if fen > (account.balance_fen or 0):
        raise InsufficientBudget(budget=budget.name, needed_fen=fen, available_fen=account.balance_fen or 0)
    return return_to_funds(budget=budget, account=account, fen=fen, reference=reference, actor=actor, at=at)


@transaction_required
def return_to_funds(
    *, budget: Budget, account: Account, fen: int, reference: str, actor: User | None, at: datetime
) -> Posting:
    """Move fen from a budget, whose account the caller has locked, to the company's funds."""
    posting = ledger.post(
        kind=Posting.Kind.UNLOAD,
        source=account,
        destination=ledger.company_account(Account.Kind.FUNDED),
        fen=fen,
        reference=reference,
        at=at,
    )
    funds.give_back(fen=fen, reference=reference, at=at)
    audit.record("budget.unloaded", budget, actor=actor, at=at, fen=fen)
    return posting


@transaction
def grant(
    *,
    budget: Budget,
    audience: Audience,
    fen: int,
    reason: str,
    expires_at: datetime | None,
    request_key: UUID,
    actor: User | None,
    at: datetime,
) -> Grant:
    """Grant `fen` to each of the audience (or each one's own amount of a list), in one act or not at all.

    The same key again returns the first grant. Raises NobodyToGrantTo, UnknownEmployees, RepeatedEmployees,
    InsufficientBudget, BudgetClosed, InvalidPoints, InvalidExpiry, RequestKeyReused.
    """
    # The budget's account is the scarce thing: two grants from one budget happen one after another.
    account = Account.objects.select_for_update().get(pk=budget.account_id)
    budget = Budget.objects.select_related("account").get(pk=budget.pk)
    digest = _digest(budget.pk, audience.as_json(), audience.amounts, fen, reason, expires_at)
    if earlier := Grant.objects.filter(request_key=request_key).first():
        if earlier.request_digest != digest:
            raise RequestKeyReused
        return earlier
    refuse_closed(budget, at=at)
    if expires_at is not None and expires_at <= at:
        raise InvalidExpiry(value=timezone.localdate(expires_at))
    amounts = amounts_of(audience, fen=fen)
    total = sum(amount for _, amount in amounts)
    if total > (account.balance_fen or 0):
        raise InsufficientBudget(budget=budget.name, needed_fen=total, available_fen=account.balance_fen or 0)
    made = Grant.objects.create(
        budget=budget,
        reason=reason,
        audience=audience.as_json(),
        request_key=request_key,
        request_digest=digest,
        employees=len(amounts),
        total_fen=total,
        expires_at=expires_at,
        granted_by=actor.username if actor else audit.SYSTEM,
        at=at,
    )
    ledger.grant(grant=made, amounts=amounts, at=at)
    audit.record("points.granted", made, actor=actor, at=at, employees=len(amounts), fen=total)
    return made


def amounts_of(audience: Audience, *, fen: int) -> list[tuple[int, int]]:
    """Whom the audience reaches today, as (wallet id, fen) pairs. Also what a preview counts."""
    if audience.amounts:
        return _amounts_of_list(audience.amounts)
    if not 0 < fen <= MOST_FEN_EACH:
        raise InvalidPoints(asked_fen=fen, most_fen=MOST_FEN_EACH)
    active = Employee.objects.filter(status=Employee.Status.ACTIVE)
    if not audience.everyone:
        active = people.in_departments(active, audience.departments)
    wallets = list(active.values_list("wallet__pk", flat=True).order_by("wallet__pk"))
    if not wallets:
        raise NobodyToGrantTo
    return [(wallet, fen) for wallet in wallets]


def _amounts_of_list(amounts: Sequence[tuple[str, int]]) -> list[tuple[int, int]]:
    for _, amount in amounts:
        if not 0 < amount <= MOST_FEN_EACH:
            raise InvalidPoints(asked_fen=amount, most_fen=MOST_FEN_EACH)
    named = Counter(number for number, _ in amounts)
    if repeated := [number for number, times in named.items() if times > 1]:
        raise RepeatedEmployees(numbers=repeated)
    with connection.cursor() as cursor:  # one array: as many placeholders would cost more than the grant
        cursor.execute(
            "SELECT e.employee_no, a.id FROM people_employee e JOIN points_account a ON a.employee_id = e.id"
            " WHERE e.status = 'active' AND e.employee_no = ANY(%s)",
            [[number for number, _ in amounts]],
        )
        wallets = dict(cursor.fetchall())
    unknown = [number for number, _ in amounts if number not in wallets]
    if unknown:
        raise UnknownEmployees(numbers=unknown)
    return [(wallets[number], amount) for number, amount in amounts]


def own_budget(budget: Budget) -> Budget:
    """The budget as it is now, if it is the company's own: the platform's is moved by the platform. Or BudgetNotFound."""
    found = Budget.objects.filter(pk=budget.pk, purpose=Budget.Purpose.COMPANY).first()
    if found is None:
        raise BudgetNotFound(name=budget.name)
    return found


def refuse_carry_over(target: Budget, *, after: date | None) -> None:
    """Object to a budget that cannot take over what another one leaves: it is not open, or ends no later."""
    ends_first = target.to_date is not None and (after is None or target.to_date <= after)
    if target.status != Budget.Status.OPEN or target.purpose != Budget.Purpose.COMPANY or ends_first:
        raise InvalidCarryOver(budget=target.name)


def refuse_closed(budget: Budget, *, at: datetime) -> None:
    """Object to a budget that is closed, or not valid today."""
    today = timezone.localdate(at)
    ended = budget.to_date is not None and today > budget.to_date
    if budget.status != Budget.Status.OPEN or today < budget.from_date or ended:
        raise BudgetClosed(budget=budget.name)


def _digest(*facts: Any) -> str:
    return hashlib.sha256(json.dumps(facts, default=str, sort_keys=True).encode()).hexdigest()
