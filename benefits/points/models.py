"""Accounts, postings, lots, budgets and grants of one company. Company schema; all amounts are integer fen.

A posting is one row that moves fen from a source to a destination: balanced by construction. Triggers keep the
stored balances and what is left of a lot; nothing else may write them, and the rows they follow from are final.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from benefits.people.models import Employee


class Account(models.Model):
    """A place where value stands. Wallets and budgets store their balance, so that it can never be below zero;
    the company's own accounts derive it, so that redemptions share no row."""

    class Kind(models.TextChoices):
        FUNDED = "funded", _("funded")
        BUDGET = "budget", _("budget")
        ALLOTTED = "allotted", _("being handed out")
        WALLET = "wallet", _("wallet")
        HELD = "held", _("held")
        DELIVERED = "delivered", _("delivered")
        LAPSED = "lapsed", _("lapsed")
        LOSS = "loss", _("paid by the platform")

    kind = models.CharField(max_length=10, choices=Kind.choices)
    employee = models.OneToOneField(
        Employee, null=True, blank=True, on_delete=models.PROTECT, related_name="wallet"
    )
    balance_fen = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(balance_fen__isnull=True) | Q(balance_fen__gte=0), name="account_not_overdrawn"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["allotted", "budget", "wallet"], balance_fen__isnull=False)
                | (~Q(kind__in=["allotted", "budget", "wallet"]) & Q(balance_fen__isnull=True)),
                name="account_stores_a_balance_where_it_is_scarce",
            ),
            models.CheckConstraint(
                condition=Q(kind="wallet", employee__isnull=False)
                | (~Q(kind="wallet") & Q(employee__isnull=True)),
                name="account_wallet_is_an_employees",
            ),
            models.UniqueConstraint(
                fields=["kind"],
                condition=~Q(kind__in=["budget", "wallet"]),
                name="account_one_of_the_company",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Posting(models.Model):
    """Fen moving from one account to another. Balanced by construction; never updated or deleted."""

    class Kind(models.TextChoices):
        LOAD = "load", _("loaded")
        UNLOAD = "unload", _("returned to funds")
        MOVE = "move", _("moved to another budget")
        ALLOT = "allot", _("set aside for a grant")
        GRANT = "grant", _("granted")
        RECALL = "recall", _("taken back")
        REDEEM = "redeem", _("redeemed")
        DELIVER = "deliver", _("delivered")
        REFUND = "refund", _("refunded")
        EXPIRE = "expire", _("expired")
        LAPSE = "lapse", _("lapsed")
        GOODWILL = "goodwill", _("paid by the platform")
        RECOVER = "recover", _("taken back by the platform")
        REVERSE = "reverse", _("reversed")

    kind = models.CharField(max_length=10, choices=Kind.choices)
    # Kept by the triggers: a foreign key would lock the accounts that all redemptions share.
    source = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    destination = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    fen = models.BigIntegerField()
    reference = models.CharField(max_length=80, unique=True)
    reverses = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="reversal"
    )
    at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(condition=Q(fen__gt=0), name="posting_moves_value"),
            models.CheckConstraint(condition=~Q(source=F("destination")), name="posting_goes_elsewhere"),
            models.CheckConstraint(
                condition=Q(kind="reverse", reverses__isnull=False)
                | (~Q(kind="reverse") & Q(reverses__isnull=True)),
                name="posting_reversal_names_what_it_reverses",
            ),
        ]
        indexes = [models.Index(fields=["kind", "at"], name="posting_kind_at")]

    def __str__(self) -> str:
        return self.reference


class Budget(models.Model):
    """A pot of points with an owner and a validity; `categories` (slugs) limit what it may be spent on, none = all.

    When its validity is over, what it still holds goes back to the funds, over to another budget, or stays for a person
    to decide. The platform's own budget (`purpose` goodwill, one a company) pays what the platform gives employees.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")

    class AtEnd(models.TextChoices):
        STAY = "stay", _("stays until someone decides")
        RETURN = "return", _("goes back to the funds")
        CARRY = "carry", _("goes over to another budget")

    class Purpose(models.TextChoices):
        COMPANY = "company", _("the company's")
        GOODWILL = "goodwill", _("the platform's")

    FLOW = {Status.OPEN: frozenset({Status.CLOSED}), Status.CLOSED: frozenset()}

    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="budget")
    name = models.CharField(max_length=80, unique=True)
    owner = models.CharField(max_length=80)
    categories = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    from_date = models.DateField()
    to_date = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    purpose = models.CharField(max_length=10, choices=Purpose.choices, default=Purpose.COMPANY)
    cost_centre = models.CharField(max_length=40, blank=True)
    department = models.CharField(
        max_length=200, blank=True
    )  # the path of the department that pays, as it was
    at_end = models.CharField(max_length=10, choices=AtEnd.choices, default=AtEnd.STAY)
    carry_to = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="carried_from"
    )
    ended_at = models.DateTimeField(null=True, blank=True)  # when what it held was dealt with
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(to_date__isnull=True) | Q(to_date__gte=F("from_date")),
                name="budget_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(at_end="carry", carry_to__isnull=False)
                | (~Q(at_end="carry") & Q(carry_to__isnull=True)),
                name="budget_carries_over_to_one",
            ),
            models.CheckConstraint(condition=~Q(carry_to=F("pk")), name="budget_carries_over_to_another"),
            models.UniqueConstraint(
                fields=["purpose"], condition=Q(purpose="goodwill"), name="budget_one_of_the_platform"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Grant(models.Model):
    """Points moved from a budget to wallets in one act; each employee's part is a lot.

    A large one is handed out in steps: its total is set aside first, so that it ends as it was decided. `source` names
    what it came of where that was no person's single act: "campaigns.rehearsal:7".
    """

    class Status(models.TextChoices):
        RUNNING = "running", _("being handed out")
        DONE = "done", _("handed out")

    FLOW = {Status.RUNNING: frozenset({Status.DONE}), Status.DONE: frozenset()}

    budget = models.ForeignKey(Budget, on_delete=models.PROTECT, related_name="grants")
    reason = models.CharField(max_length=120)
    audience = models.JSONField(default=dict)
    request_key = models.UUIDField(unique=True)
    request_digest = models.CharField(max_length=64)
    employees = models.PositiveIntegerField()
    total_fen = models.BigIntegerField()
    expires_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DONE)
    source = models.CharField(max_length=60, blank=True)
    granted_by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(total_fen__gt=0) & Q(employees__gt=0), name="grant_gives_something"
            ),
            models.UniqueConstraint(fields=["source"], condition=~Q(source=""), name="grant_one_a_source"),
        ]

    def __str__(self) -> str:
        return self.reason


class Lot(models.Model):
    """One employee's part of a grant. Lots are spent earliest expiry first; a trigger keeps what remains.

    `occasion` is what it was given for, where a person gets one once: "rule:12:birthday:2026".
    """

    # Triggers see that all three are there and belong together: keys would look for each of them row by row.
    wallet = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="lots", db_constraint=False, db_index=False
    )
    grant = models.ForeignKey(
        Grant, on_delete=models.PROTECT, related_name="lots", db_constraint=False, db_index=False
    )
    budget = models.ForeignKey(Budget, on_delete=models.PROTECT, related_name="lots", db_constraint=False)
    granted_fen = models.BigIntegerField()
    remaining_fen = models.BigIntegerField(default=0)
    expires_at = models.DateTimeField(null=True, blank=True)
    occasion = models.CharField(max_length=60, blank=True, default="", db_default="")
    at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["grant", "wallet"], name="lot_one_a_grant_and_wallet"),
            models.UniqueConstraint(
                fields=["wallet", "occasion"],
                condition=~Q(occasion=""),
                name="lot_one_an_occasion_and_wallet",
            ),
            models.CheckConstraint(
                condition=Q(granted_fen__gt=0, remaining_fen__gte=0, remaining_fen__lte=F("granted_fen")),
                name="lot_not_overdrawn",
            ),
        ]
        # Without `remaining_fen`, so that spending from a lot writes no index.
        indexes = [models.Index(fields=["wallet", "expires_at"], name="lot_of_a_wallet")]

    def __str__(self) -> str:
        return f"lot {self.pk}"


class LotEntry(models.Model):
    """What a posting put into a lot (positive) or took from it (negative), and for which item. Final."""

    # Kept by the triggers; the unique constraint begins with the lot and finds its entries.
    lot = models.ForeignKey(
        Lot, on_delete=models.PROTECT, related_name="entries", db_constraint=False, db_index=False
    )
    posting = models.ForeignKey(
        Posting, on_delete=models.PROTECT, related_name="lot_entries", db_constraint=False
    )
    fen = models.BigIntegerField()
    item = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(condition=~Q(fen=0), name="lot_entry_moves_value"),
            models.UniqueConstraint(fields=["lot", "posting", "item"], name="lot_entry_once"),
        ]
        indexes = [models.Index(fields=["item"], condition=~Q(item=""), name="lot_entry_item")]

    def __str__(self) -> str:
        return f"{self.lot_id} {self.fen}"


class LotExtension(models.Model):
    """A lot that lives longer because a refund came to it after, or shortly before, its end. Final."""

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="extensions")
    posting = models.ForeignKey(Posting, on_delete=models.PROTECT, related_name="+")
    before = models.DateTimeField()
    after = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(condition=Q(after__gt=F("before")), name="lot_extension_lengthens"),
            models.UniqueConstraint(fields=["posting", "lot"], name="lot_extension_once_a_refund"),
        ]

    def __str__(self) -> str:
        return f"{self.lot_id} {self.after:%Y-%m-%d}"


class Reminder(models.Model):
    """An employee told once that points expire on a day, so many days before."""

    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="reminders")
    expires_on = models.DateField()
    days = models.PositiveSmallIntegerField()
    fen = models.BigIntegerField()
    at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["employee", "expires_on", "days"], name="reminder_once"),
            models.CheckConstraint(condition=Q(fen__gt=0), name="reminder_is_of_something"),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id} {self.expires_on}"
