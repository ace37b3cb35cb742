"""A company's money: open its account, record, confirm and reverse deposits, hold, draw for a budget."""

from datetime import date, datetime

from django.db import IntegrityError
from django.utils import timezone

from benefits import states
from benefits.funds import receipts, slips
from benefits.funds.errors import (
    CreditInUse,
    DepositExists,
    DepositNotReversible,
    InsufficientFunds,
    InvalidAmount,
    InvalidValueDate,
    ReversalNotCovered,
    SecondPersonNeeded,
)
from benefits.funds.models import Deposit, DepositReversal, FundsAccount, FundsEntry, FundsHold
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
    *,
    company: Company,
    fen: int,
    reference: str,
    payer: str = "",
    value_date: date | None = None,
    slip: slips.Slip | None = None,
    actor: User | None,
    at: datetime,
) -> Deposit:
    """Record a bank transfer; another person confirms it. The same reference and amount again returns the first.

    Raises InvalidAmount, InvalidValueDate, DepositExists.
    """
    if not 0 < fen <= MOST_FEN:
        raise InvalidAmount(value=fen)
    if value_date is not None and value_date > timezone.localdate(at):
        raise InvalidValueDate(value=value_date)
    account = FundsAccount.objects.select_for_update().get(company=company.schema_name)
    earlier = account.deposits.filter(reference=reference).exclude(status=Deposit.Status.REJECTED).first()
    if earlier is not None:
        if earlier.fen != fen:
            raise DepositExists(reference=reference)
        return earlier
    deposit = Deposit(
        account=account,
        fen=fen,
        reference=reference,
        payer=payer,
        value_date=value_date,
        recorded_by=_name(actor),
        recorded_at=at,
    )
    if slip is not None:
        slips.keep(slip, deposit=deposit)
    try:
        deposit.save()
        audit.record("deposit.recorded", deposit, actor=actor, at=at, fen=fen, company=company.schema_name)
    except Exception:
        if slip is not None:
            slips.forget(deposit)
        raise
    return deposit


def _name(actor: User | None) -> str:
    return actor.username if actor else audit.SYSTEM


@transaction
def confirm_deposit(*, deposit: Deposit, actor: User | None, at: datetime) -> Deposit:
    """Confirm that the money arrived: it is in the funds from now on, and a receipt is written. It stays as it is.

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
        confirmed_by=_name(actor),
        confirmed_at=at,
    )
    FundsEntry.objects.create(
        account=deposit.account,
        kind=FundsEntry.Kind.DEPOSIT,
        fen=deposit.fen,
        reference=f"deposit:{deposit.pk}",
        at=at,
    )
    receipt = receipts.issue(deposit=deposit, at=at)
    audit.record(
        "deposit.confirmed",
        deposit,
        actor=actor,
        at=at,
        fen=deposit.fen,
        company=deposit.account.company,
        number=receipt.number,
    )
    return deposit


@transaction
def reject_deposit(*, deposit: Deposit, actor: User, at: datetime) -> Deposit:
    """Say that the money did not arrive. Raises IllegalTransition when it was confirmed."""
    states.advance(deposit, Deposit.Status.REJECTED, confirmed_by=actor.username, confirmed_at=at)
    audit.record("deposit.rejected", deposit, actor=actor, at=at, fen=deposit.fen)
    return deposit


@transaction
def ask_reversal(*, deposit: Deposit, reason: str, actor: User | None, at: datetime) -> DepositReversal:
    """Ask to take a deposit, confirmed by mistake, out of the funds again; another person decides.

    Raises DepositNotReversible.
    """
    deposit = Deposit.objects.select_for_update().select_related("account").get(pk=deposit.pk)
    open_or_done = deposit.reversals.exclude(status=DepositReversal.Status.REFUSED)
    if deposit.status != Deposit.Status.CONFIRMED or open_or_done.exists():
        raise DepositNotReversible(reference=deposit.reference)
    asked = DepositReversal.objects.create(deposit=deposit, reason=reason, asked_by=_name(actor), asked_at=at)
    audit.record(
        "deposit.reversal_asked",
        deposit,
        actor=actor,
        at=at,
        fen=deposit.fen,
        company=deposit.account.company,
    )
    return asked


@transaction
def reverse_deposit(*, reversal: DepositReversal, actor: User | None, at: datetime) -> FundsEntry:
    """Take the deposit out of the funds by an entry that names the one it reverses. The receipt stays, and is void.

    Raises SecondPersonNeeded, IllegalTransition, ReversalNotCovered when budgets were loaded with it already.
    """
    reversal = (
        DepositReversal.objects.select_for_update(of=("self",))
        .select_related("deposit__account")
        .get(pk=reversal.pk)
    )
    deposit = reversal.deposit
    if _name(actor) == reversal.asked_by:
        raise SecondPersonNeeded
    states.advance(reversal, DepositReversal.Status.DONE, decided_by=_name(actor), decided_at=at)
    account = FundsAccount.objects.select_for_update().get(pk=deposit.account_id)
    # Only money that is really there goes back: a credit line does not pay for a mistake.
    left = account.balance_fen - account.held_fen
    if deposit.fen > left:
        raise ReversalNotCovered(needed_fen=deposit.fen, available_fen=max(left, 0))
    entry = FundsEntry.objects.create(
        account=account,
        kind=FundsEntry.Kind.REVERSE,
        fen=-deposit.fen,
        reference=f"reverse:{deposit.pk}",
        reverses=account.entries.get(reference=f"deposit:{deposit.pk}"),
        at=at,
    )
    audit.record("deposit.reversed", deposit, actor=actor, at=at, fen=deposit.fen, company=account.company)
    return entry


@transaction
def refuse_reversal(*, reversal: DepositReversal, actor: User | None, at: datetime) -> DepositReversal:
    """Leave the deposit as it is; also whoever asked may take it back. Raises IllegalTransition when it is decided."""
    states.advance(reversal, DepositReversal.Status.REFUSED, decided_by=_name(actor), decided_at=at)
    audit.record("deposit.reversal_refused", reversal.deposit, actor=actor, at=at, fen=reversal.deposit.fen)
    return reversal


@transaction
def hold(*, company: Company, fen: int, reason: str, actor: User | None, at: datetime) -> FundsHold:
    """Keep part of what a company may load from being loaded. Raises InvalidAmount, InsufficientFunds."""
    if not 0 < fen <= MOST_FEN:
        raise InvalidAmount(value=fen)
    account = FundsAccount.objects.select_for_update().get(company=company.schema_name)
    if fen > account.available_fen:
        raise InsufficientFunds(needed_fen=fen, available_fen=account.available_fen)
    held = FundsHold.objects.create(account=account, fen=fen, reason=reason, set_by=_name(actor), set_at=at)
    audit.record("funds.held", held, actor=actor, at=at, fen=fen, company=company.schema_name)
    return held


@transaction
def release(*, held: FundsHold, actor: User | None, at: datetime) -> FundsHold:
    """Let what was held be loaded again; a second release changes nothing."""
    held = FundsHold.objects.select_for_update(of=("self",)).select_related("account").get(pk=held.pk)
    if held.released_at is not None:
        return held
    held.released_by, held.released_at = _name(actor), at
    held.save(update_fields=["released_by", "released_at"])
    audit.record("funds.released", held, actor=actor, at=at, fen=held.fen, company=held.account.company)
    return held


@transaction
def show_slip(*, deposit: Deposit, actor: User, at: datetime) -> slips.Slip:
    """The bank's slip of a deposit, for somebody who may see it; that they did stands in the audit trail."""
    slip = slips.open_slip(deposit)
    audit.record("deposit.slip_opened", deposit, actor=actor, at=at)
    return slip


@transaction
def set_credit_limit(*, company: Company, fen: int, actor: User | None, at: datetime) -> FundsAccount:
    """Set how far a company's funds may go below zero. Raises InvalidAmount, CreditInUse."""
    if not 0 <= fen <= MOST_FEN:
        raise InvalidAmount(value=fen)
    account = FundsAccount.objects.select_for_update().get(company=company.schema_name)
    used = account.held_fen - account.balance_fen
    if fen < used:
        raise CreditInUse(used_fen=used)
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
    if fen > account.available_fen:
        raise InsufficientFunds(needed_fen=fen, available_fen=max(account.available_fen, 0))
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
