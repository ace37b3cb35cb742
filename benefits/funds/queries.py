"""Reads of a company's money."""

from django.db.models import QuerySet

from benefits.funds.models import Deposit, FundsAccount, FundsEntry


def account_of(schema: str) -> FundsAccount:
    """The funds account of a company."""
    return FundsAccount.objects.get(company=schema)


def available_fen(schema: str) -> int:
    """What the company may still load: its balance and its credit line, in fen."""
    account = account_of(schema)
    return account.balance_fen + account.credit_limit_fen


def entries_of(schema: str) -> QuerySet[FundsEntry]:
    """The company's funds as a list, newest first."""
    return FundsEntry.objects.filter(account__company=schema).order_by("-id")


def deposits_to_confirm() -> QuerySet[Deposit]:
    """Deposits of every company that wait for a second person."""
    return (
        Deposit.objects.filter(status=Deposit.Status.RECORDED)
        .select_related("account")
        .order_by("recorded_at")
    )
