"""A company's money: open its account, record and confirm deposits, draw for a budget."""

from datetime import datetime

from django.db import IntegrityError

from benefits import states
from benefits.funds.errors import (
    CreditInUse,
    DepositExists,
    InsufficientFunds,
    InvalidAmount,
    SecondPersonNeeded,
)
from benefits.funds.models import Deposit, FundsAccount, FundsEntry
from tenants import audit
from tenants.db import connection, savepoint, transaction, transaction_required
from tenants.identity.models import User
from tenants.models import Company

MOST_FEN = 100_000_000_00  # 100 million yuan: more is a typing error


@transaction_required
def open_account(*, company: Company, at: datetime) -> FundsAccount:
    """Open the funds account of a company that is being opened."""
    return FundsAccount.objects.create(company=company.schema_name)


@transaction
def record_deposit(
    *, company: Company, fen: int, reference: str, actor: User | None, at: datetime
) -> Deposit:
    """Record a bank transfer; another person confirms it. The same reference and amount again returns the first.

    Raises InvalidAmount, DepositExists.
    """
    if not 0 < fen <= MOST_FEN:
        raise InvalidAmount(value=fen)
    account = FundsAccount.objects.select_for_update().get(company=company.schema_name)
    earlier = account.deposits.filter(reference=reference).exclude(status=Deposit.Status.REJECTED).first()
    if earlier is not None:
        if earlier.fen != fen:
            raise DepositExists(reference=reference)
        return earlier
    deposit = Deposit.objects.create(
        account=account,
        fen=fen,
        reference=reference,
        recorded_by=actor.username if actor else audit.SYSTEM,
        recorded_at=at,
    )
    audit.record("deposit.recorded", deposit, actor=actor, at=at, fen=fen, company=company.schema_name)
    return deposit


@transaction
def confirm_deposit(*, deposit: Deposit, actor: User | None, at: datetime) -> Deposit:
    """Confirm that the money arrived: it is in the funds from now on. A confirmed deposit stays as it is.

    Raises SecondPersonNeeded when the same person recorded it, IllegalTransition when it was rejected.
    """
    deposit = Deposit.objects.select_for_update().select_related("account").get(pk=deposit.pk)
    if deposit.status == Deposit.Status.CONFIRMED:
        return deposit
    if actor is not None and actor.username == deposit.recorded_by:
        raise SecondPersonNeeded
    states.advance(
        deposit,
        Deposit.Status.CONFIRMED,
        confirmed_by=actor.username if actor else audit.SYSTEM,
        confirmed_at=at,
    )
    FundsEntry.objects.create(
        account=deposit.account,
        kind=FundsEntry.Kind.DEPOSIT,
        fen=deposit.fen,
        reference=f"deposit:{deposit.pk}",
        at=at,
    )
    audit.record(
        "deposit.confirmed", deposit, actor=actor, at=at, fen=deposit.fen, company=deposit.account.company
    )
    return deposit


@transaction
def reject_deposit(*, deposit: Deposit, actor: User, at: datetime) -> Deposit:
    """Say that the money did not arrive. Raises IllegalTransition when it was confirmed."""
    states.advance(deposit, Deposit.Status.REJECTED, confirmed_by=actor.username, confirmed_at=at)
    audit.record("deposit.rejected", deposit, actor=actor, at=at, fen=deposit.fen)
    return deposit


@transaction
def set_credit_limit(*, company: Company, fen: int, actor: User | None, at: datetime) -> FundsAccount:
    """Set how far a company's funds may go below zero. Raises InvalidAmount, CreditInUse."""
    if not 0 <= fen <= MOST_FEN:
        raise InvalidAmount(value=fen)
    account = FundsAccount.objects.select_for_update().get(company=company.schema_name)
    if account.balance_fen + fen < 0:
        raise CreditInUse(used_fen=-account.balance_fen)
    before, account.credit_limit_fen = account.credit_limit_fen, fen
    account.save(update_fields=["credit_limit_fen"])
    audit.record(
        "credit.set", account, actor=actor, at=at, before_fen=before, fen=fen, company=company.schema_name
    )
    return account


@transaction_required
def draw(*, fen: int, reference: str, at: datetime) -> FundsEntry:
    """Take fen out of the current company's funds for a budget. Raises InsufficientFunds."""
    account = FundsAccount.objects.select_for_update().get(company=connection.schema_name)
    available = account.balance_fen + account.credit_limit_fen
    if fen > available:
        raise InsufficientFunds(needed_fen=fen, available_fen=available)
    try:
        with savepoint():
            return FundsEntry.objects.create(
                account=account, kind=FundsEntry.Kind.LOAD, fen=-fen, reference=reference, at=at
            )
    except IntegrityError as error:
        raise RuntimeError(f"{reference} was drawn before") from error


@transaction_required
def give_back(*, fen: int, reference: str, at: datetime) -> FundsEntry:
    """Return fen from a budget to the current company's funds."""
    account = FundsAccount.objects.get(company=connection.schema_name)
    return FundsEntry.objects.create(
        account=account, kind=FundsEntry.Kind.RETURN, fen=fen, reference=reference, at=at
    )
