"""Invoices and credit notes of every company, and the series they are numbered in. Public schema; amounts are fen.

What was issued is final: triggers refuse any change but the one that records its files, numbers that leave a gap,
and lines or billed entries that do not add up to the total.
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class NumberSeries(models.Model):
    """The last number given in a series and year. It moves by one, in the transaction that writes the invoice."""

    code = models.CharField(max_length=4)
    year = models.PositiveSmallIntegerField()
    last_number = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "number series"
        constraints = [
            models.UniqueConstraint(fields=["code", "year"], name="series_one_a_year"),
            models.CheckConstraint(condition=Q(last_number__gt=0), name="series_begins_at_one"),
        ]

    def __str__(self) -> str:
        return f"{self.code}{self.year}"


class Invoice(models.Model):
    """What the platform bills a company for a month, or a credit note that corrects one of its invoices."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("invoice")
        CREDIT_NOTE = "credit_note", _("credit note")

    class Status(models.TextChoices):
        ISSUED = "issued", _("files being made")
        FAILED = "failed", _("files could not be made")
        FILED = "filed", _("issued")

    FLOW = {
        Status.ISSUED: frozenset({Status.FILED, Status.FAILED}),
        Status.FAILED: frozenset({Status.FILED, Status.FAILED}),
        Status.FILED: frozenset(),
    }
    SERIES = {Kind.INVOICE: "ZD", Kind.CREDIT_NOTE: "HZ"}

    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.INVOICE)
    series = models.ForeignKey(NumberSeries, on_delete=models.PROTECT, related_name="invoices")
    serial = models.PositiveIntegerField()
    number = models.CharField(max_length=20, unique=True)
    company = models.CharField(max_length=63)
    company_name = models.CharField(max_length=120)
    month_date = models.DateField()
    corrects = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="credit_notes"
    )
    snapshot = models.TextField()
    total_fen = models.BigIntegerField()
    net_fen = models.BigIntegerField()
    tax_fen = models.BigIntegerField()
    line_count = models.PositiveIntegerField()
    entry_count = models.PositiveIntegerField()
    issued_at = models.DateTimeField()
    issued_by = models.CharField(max_length=80)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ISSUED)
    pdf_path = models.CharField(max_length=200, blank=True)
    pdf_sha256 = models.CharField(max_length=64, blank=True)
    workbook_path = models.CharField(max_length=200, blank=True)
    workbook_sha256 = models.CharField(max_length=64, blank=True)
    filed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-issued_at", "-id")
        indexes = [models.Index(fields=["company", "month_date"], name="invoice_of_a_company")]
        constraints = [
            models.UniqueConstraint(fields=["series", "serial"], name="invoice_serial_once"),
            models.CheckConstraint(
                condition=Q(total_fen=F("net_fen") + F("tax_fen")), name="invoice_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(kind="invoice", total_fen__gt=0, corrects__isnull=True)
                | Q(kind="credit_note", total_fen__lt=0, corrects__isnull=False),
                name="invoice_bills_and_credit_note_corrects",
            ),
            models.CheckConstraint(
                condition=(
                    Q(status="filed", filed_at__isnull=False)
                    & ~Q(pdf_path="")
                    & ~Q(pdf_sha256="")
                    & ~Q(workbook_path="")
                    & ~Q(workbook_sha256="")
                )
                | (~Q(status="filed") & Q(filed_at__isnull=True, pdf_path="", workbook_path="")),
                name="invoice_filed_has_files",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class InvoiceLine(models.Model):
    """All deliveries of one SKU at one price and tax rate. `gross_fen` includes tax."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    sku_code = models.CharField(max_length=40)
    product = models.CharField(max_length=150)
    tax_category = models.CharField(max_length=40)
    quantity = models.IntegerField()
    unit_fen = models.BigIntegerField()
    gross_fen = models.BigIntegerField()
    rate_bp = models.PositiveSmallIntegerField()
    net_fen = models.BigIntegerField()
    tax_fen = models.BigIntegerField()

    class Meta:
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="line_position_once"),
            models.CheckConstraint(
                condition=Q(gross_fen=F("quantity") * F("unit_fen"))
                & Q(gross_fen=F("net_fen") + F("tax_fen")),
                name="line_adds_up",
            ),
            models.CheckConstraint(condition=~Q(quantity=0), name="line_bills_something"),
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id}/{self.position}"


class BilledEntry(models.Model):
    """A ledger entry of a company and the invoice that bills it: a delivery (positive) or its reversal (negative).

    Each entry is billed once, and each item's delivery once. Company rows are named by id: no key crosses schemas.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="entries")
    company = models.CharField(max_length=63)
    posting_id = models.BigIntegerField()
    item_id = models.BigIntegerField()
    fen = models.BigIntegerField()
    rate_bp = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name_plural = "billed entries"
        constraints = [
            models.UniqueConstraint(fields=["company", "posting_id"], name="entry_billed_once"),
            models.UniqueConstraint(
                fields=["company", "item_id"], condition=Q(fen__gt=0), name="item_billed_once"
            ),
            models.CheckConstraint(condition=~Q(fen=0), name="entry_has_value"),
        ]

    def __str__(self) -> str:
        return f"{self.company} {self.posting_id}"
