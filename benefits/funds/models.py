"""A company's money at the platform. Public schema; all amounts are integer fen.

The balance is kept by a trigger on the entries and by nothing else; entries are never updated or deleted.
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class FundsAccount(models.Model):
    """What a company may still load into budgets: paid in advance, or within its credit line."""

    company = models.CharField(max_length=63, unique=True)
    balance_fen = models.BigIntegerField(default=0)
    credit_limit_fen = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(balance_fen__gte=-1 * F("credit_limit_fen")), name="funds_not_overdrawn"
            ),
        ]

    def __str__(self) -> str:
        return self.company


class FundsEntry(models.Model):
    """One change of a funds account, signed: a deposit adds, a load into a budget takes, a return adds."""

    class Kind(models.TextChoices):
        DEPOSIT = "deposit", _("deposit")
        LOAD = "load", _("loaded into a budget")
        RETURN = "return", _("returned from a budget")

    account = models.ForeignKey(FundsAccount, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    fen = models.BigIntegerField()
    reference = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["account", "reference"], name="funds_entry_reference_once"),
            models.CheckConstraint(
                condition=(Q(kind__in=["deposit", "return"], fen__gt=0) | Q(kind="load", fen__lt=0)),
                name="funds_entry_sign_fits_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.fen}"


class Deposit(models.Model):
    """A bank transfer of a company: recorded by one person, confirmed by another, then in the funds."""

    class Status(models.TextChoices):
        RECORDED = "recorded", _("to be confirmed")
        CONFIRMED = "confirmed", _("confirmed")
        REJECTED = "rejected", _("rejected")

    FLOW = {
        Status.RECORDED: frozenset({Status.CONFIRMED, Status.REJECTED}),
        Status.CONFIRMED: frozenset(),
        Status.REJECTED: frozenset(),
    }

    account = models.ForeignKey(FundsAccount, on_delete=models.PROTECT, related_name="deposits")
    fen = models.BigIntegerField()
    reference = models.CharField(max_length=60)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RECORDED)
    recorded_by = models.CharField(max_length=80)
    recorded_at = models.DateTimeField()
    confirmed_by = models.CharField(max_length=80, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["account", "reference"],
                condition=~Q(status="rejected"),
                name="deposit_reference_once",
            ),
            models.CheckConstraint(condition=Q(fen__gt=0), name="deposit_adds"),
        ]

    def __str__(self) -> str:
        return self.reference
