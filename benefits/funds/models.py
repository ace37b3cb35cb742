"""A company's money at the platform. Public schema; all amounts are integer fen.

The balance is kept by a trigger on the entries, what is held by a trigger on the holds, and by nothing else. Entries,
receipts and decided deposits are never updated or deleted; a mistake is corrected by an entry that names what it reverses.
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from benefits.states import Flow
from tenants.audit import SYSTEM
from tenants.storage import SealedStorage


class FundsAccount(models.Model):
    """What a company may still load into budgets: paid in advance, or within its credit line, and not held."""

    company = models.CharField(max_length=63, unique=True)
    balance_fen = models.BigIntegerField(default=0)
    credit_limit_fen = models.PositiveBigIntegerField(default=0)
    held_fen = models.PositiveBigIntegerField(default=0, db_default=0)
    warn_below_fen = models.PositiveBigIntegerField(null=True, blank=True)  # none: no warning
    warned_at = models.DateTimeField(null=True, blank=True)  # the crossing that was last told of
    warning_mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(balance_fen__gte=F("held_fen") - F("credit_limit_fen")),
                name="funds_not_overdrawn",
            ),
        ]

    def __str__(self) -> str:
        return self.company

    @property
    def available_fen(self) -> int:
        """What may be loaded now: balance and credit line, without what is held."""
        return self.balance_fen + self.credit_limit_fen - self.held_fen


class FundsEntry(models.Model):
    """One change of a funds account, signed: a deposit adds, a load into a budget takes, a return adds."""

    class Kind(models.TextChoices):
        DEPOSIT = "deposit", _("deposit")
        LOAD = "load", _("loaded into a budget")
        RETURN = "return", _("returned from a budget")
        REVERSE = "reverse", _("deposit corrected")

    account = models.ForeignKey(FundsAccount, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    fen = models.BigIntegerField()
    reference = models.CharField(max_length=80)
    reverses = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="reversal"
    )
    at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["account", "reference"], name="funds_entry_reference_once"),
            models.CheckConstraint(
                condition=(
                    Q(kind__in=["deposit", "return"], fen__gt=0) | Q(kind__in=["load", "reverse"], fen__lt=0)
                ),
                name="funds_entry_sign_fits_kind",
            ),
            models.CheckConstraint(
                condition=Q(kind="reverse", reverses__isnull=False)
                | (~Q(kind="reverse") & Q(reverses__isnull=True)),
                name="funds_entry_reversal_names_what_it_reverses",
            ),
        ]
        indexes = [models.Index(fields=["account", "at", "id"], name="funds_entry_by_time")]

    def __str__(self) -> str:
        return f"{self.kind} {self.fen}"


class Deposit(models.Model):
    """A bank transfer of a company: recorded by one person, confirmed by another, then in the funds.

    The bank's slip is kept sealed in the company's folder, under a name of ours.
    """

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
    payer = models.CharField(max_length=120, blank=True, default="", db_default="")
    value_date = models.DateField(null=True, blank=True)  # the day on which the bank credited it
    slip = models.FileField(storage=SealedStorage(), max_length=120, blank=True, default="", db_default="")
    slip_kind = models.CharField(max_length=4, blank=True, default="", db_default="")
    slip_digest = models.CharField(max_length=64, blank=True, default="", db_default="")
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
            models.CheckConstraint(
                condition=~Q(status="confirmed") | ~Q(confirmed_by=F("recorded_by")) | Q(recorded_by=SYSTEM),
                name="deposit_confirmed_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=Q(slip="", slip_kind="", slip_digest="")
                | (~Q(slip="") & Q(slip_kind__in=["pdf", "png", "jpg"])),
                name="deposit_slip_is_of_a_kind",
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class DepositReversal(models.Model):
    """A confirmed deposit that was a mistake: one person asks, another takes the money out of the funds again."""

    class Status(models.TextChoices):
        ASKED = "asked", pgettext_lazy("deposit reversal", "waiting for a second person")
        DONE = "done", pgettext_lazy("deposit reversal", "taken out of the funds")
        REFUSED = "refused", pgettext_lazy("deposit reversal", "refused")

    FLOW: Flow = {
        Status.ASKED: frozenset({Status.DONE, Status.REFUSED}),
        Status.DONE: frozenset(),
        Status.REFUSED: frozenset(),
    }

    deposit = models.ForeignKey(Deposit, on_delete=models.PROTECT, related_name="reversals")
    reason = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ASKED)
    asked_by = models.CharField(max_length=80)
    asked_at = models.DateTimeField()
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["deposit"], condition=~Q(status="refused"), name="reversal_one_a_deposit"
            ),
            models.CheckConstraint(
                condition=~Q(status="done") | ~Q(decided_by=F("asked_by")),
                name="reversal_done_by_a_second_person",
            ),
        ]

    def __str__(self) -> str:
        return f"reversal of {self.deposit_id}"


class FundsHold(models.Model):
    """Money of a company that may not be loaded for now: set by the platform with a reason, released by it."""

    account = models.ForeignKey(FundsAccount, on_delete=models.PROTECT, related_name="holds")
    fen = models.BigIntegerField()
    reason = models.CharField(max_length=200)
    set_by = models.CharField(max_length=80)
    set_at = models.DateTimeField()
    released_by = models.CharField(max_length=80, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(condition=Q(fen__gt=0), name="hold_is_of_something"),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True, released_by="")
                | (Q(released_at__isnull=False) & ~Q(released_by="")),
                name="hold_released_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"hold {self.fen}"


class ReceiptSeries(models.Model):
    """The last receipt number given in a year. It moves by one, in the transaction that writes the receipt."""

    year = models.PositiveSmallIntegerField(unique=True)
    last_number = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "receipt series"
        constraints = [
            models.CheckConstraint(condition=Q(last_number__gt=0), name="receipt_series_begins_at_one")
        ]

    def __str__(self) -> str:
        return str(self.year)


class Receipt(models.Model):
    """What the platform gives a company for a confirmed deposit. A snapshot: it never changes. Final."""

    PREFIX = "SJ"

    deposit = models.OneToOneField(Deposit, on_delete=models.PROTECT, related_name="receipt")
    series = models.ForeignKey(ReceiptSeries, on_delete=models.PROTECT, related_name="receipts")
    serial = models.PositiveIntegerField()
    number = models.CharField(max_length=20, unique=True)
    company = models.CharField(max_length=63)
    fen = models.BigIntegerField()
    snapshot = models.JSONField()  # seller, payer and amount as they were: see receipts.py
    issued_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["series", "serial"], name="receipt_serial_once"),
            models.CheckConstraint(condition=Q(fen__gt=0), name="receipt_is_of_something"),
        ]

    def __str__(self) -> str:
        return self.number
