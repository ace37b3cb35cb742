"""Reads of a company's money."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import F, Q, QuerySet, Sum, Window
from django.db.models.functions import Coalesce
from django.utils import timezone

from benefits.funds.errors import ReceiptNotFound
from benefits.funds.models import Deposit, DepositReversal, FundsAccount, FundsEntry, FundsHold, Receipt


def account_of(schema: str) -> FundsAccount:
    """The funds account of a company."""
    return FundsAccount.objects.get(company=schema)


def available_fen(schema: str) -> int:
    """What the company may still load: its balance and its credit line, without what is held, in fen."""
    return account_of(schema).available_fen


def is_low(account: FundsAccount) -> bool:
    """Whether less may be loaded than the company wants to be warned at."""
    return account.warn_below_fen is not None and account.available_fen < account.warn_below_fen


def entries_of(schema: str) -> QuerySet[FundsEntry]:
    """The company's funds as a list, newest first."""
    return FundsEntry.objects.filter(account__company=schema).order_by("-id")


@dataclass(frozen=True)
class Statement:
    """A company's funds in a period: `lines` are the entries in their order, each with `running_fen` after it, counted
    from the opening balance. Opening + in − out = closing, because all are sums of the same entries."""

    opening_fen: int
    in_fen: int
    out_fen: int
    lines: QuerySet[FundsEntry]

    @property
    def closing_fen(self) -> int:
        return self.opening_fen + self.in_fen - self.out_fen


def statement(account: FundsAccount, *, first: date | None, last: date | None) -> Statement:
    """The funds from the first to the last day, both included; without one, from the beginning or until now."""
    entries = FundsEntry.objects.filter(account=account)
    inside = entries
    opening = 0
    if first is not None:
        opening = _sum(entries.filter(at__lt=_start_of(first)))
        inside = inside.filter(at__gte=_start_of(first))
    if last is not None:
        inside = inside.filter(at__lt=_start_of(last + timedelta(days=1)))
    running = Window(Sum("fen"), order_by=[F("at").asc(), F("id").asc()])
    return Statement(
        opening_fen=opening,
        in_fen=_sum(inside.filter(fen__gt=0)),
        out_fen=-_sum(inside.filter(fen__lt=0)),
        lines=inside.annotate(running_fen=running + opening).order_by("at", "id"),
    )


def _start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _sum(entries: QuerySet[FundsEntry]) -> int:
    return int(entries.aggregate(fen=Coalesce(Sum("fen"), 0))["fen"])


def deposits_to_confirm() -> QuerySet[Deposit]:
    """Deposits of every company that wait for a second person."""
    return (
        Deposit.objects.filter(status=Deposit.Status.RECORDED)
        .select_related("account")
        .order_by("recorded_at")
    )


def deposits_of(account: FundsAccount) -> QuerySet[Deposit]:
    """A company's deposits with their receipts, the newest first."""
    return account.deposits.select_related("receipt").order_by("-id")


def reversals_to_decide() -> QuerySet[DepositReversal]:
    """Reversals of every company that wait for a second person."""
    return (
        DepositReversal.objects.filter(status=DepositReversal.Status.ASKED)
        .select_related("deposit__account")
        .order_by("asked_at")
    )


def reversed_deposits(deposits: list[int]) -> set[int]:
    """Those of these deposits (pk) that were taken out of the funds again."""
    done = DepositReversal.objects.filter(Q(status=DepositReversal.Status.DONE), deposit__in=deposits)
    return set(done.values_list("deposit", flat=True))


def holds_of(account: FundsAccount) -> QuerySet[FundsHold]:
    """What is held of a company's funds now."""
    return account.holds.filter(released_at__isnull=True)


def find_receipt(*, number: str, schema: str = "") -> Receipt:
    """A receipt by its number, of one company or of any. Raises ReceiptNotFound."""
    found = Receipt.objects.select_related("deposit__account").filter(number=number)
    if schema:
        found = found.filter(company=schema)
    receipt = found.first()
    if receipt is None:
        raise ReceiptNotFound(number=number)
    return receipt
