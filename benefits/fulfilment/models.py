"""Deliveries, their attempts at suppliers, and what suppliers said. Public schema; amounts are integer fen.

A delivery names its company by schema name and its item by id: no foreign key crosses the schema line.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tenants.crypto import EncryptedTextField


class Supplier(models.Model):
    """An upstream, reached through the adapter of its dialect. Credentials are sealed and never shown."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    adapter = models.CharField(max_length=20)
    base_url = models.CharField(max_length=200)
    credentials = EncryptedTextField(home="public", blank=True)
    is_active = models.BooleanField(default=True)
    paused_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.name


class Offer(models.Model):
    """One supplier's product code, cost and stock for a SKU."""

    supplier = models.ForeignKey(Supplier, on_delete=models.PROTECT, related_name="offers")
    sku_code = models.CharField(max_length=40, db_index=True)
    supplier_code = models.CharField(max_length=60)
    cost_fen = models.PositiveBigIntegerField()
    stock = models.PositiveIntegerField(null=True, blank=True)
    priority = models.PositiveSmallIntegerField(default=100)
    is_active = models.BooleanField(default=True)
    paused_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("sku_code", "priority", "id")
        constraints = [
            models.UniqueConstraint(fields=["supplier", "sku_code", "supplier_code"], name="offer_once"),
        ]

    def __str__(self) -> str:
        return f"{self.supplier_id} {self.supplier_code}"


class Batch(models.Model):
    """Deliveries that were claimed and sent to one supplier together."""

    supplier = models.ForeignKey(Supplier, on_delete=models.PROTECT, related_name="batches")
    size = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return f"batch {self.pk}"


class Delivery(models.Model):
    """The task of delivering one item. The row is the queue: `due_at` says when somebody must look at it next.

    An outcome (succeeded or failed) is committed here; the company's orders settle it and set `settled_at`.
    """

    class Status(models.TextChoices):
        READY = "ready", _("waiting to be sent")
        ACTIVE = "active", _("with the supplier")
        SUCCEEDED = "succeeded", _("delivered")
        FAILED = "failed", _("failed")

    FLOW = {
        Status.READY: frozenset({Status.ACTIVE, Status.FAILED}),
        Status.ACTIVE: frozenset({Status.READY, Status.SUCCEEDED, Status.FAILED}),
        Status.SUCCEEDED: frozenset(),
        Status.FAILED: frozenset(),
    }

    company = models.CharField(max_length=63)
    item_id = models.BigIntegerField()
    order_number = models.CharField(max_length=24)
    sku_code = models.CharField(max_length=40)
    kind = models.CharField(max_length=12)
    speed = models.CharField(max_length=8)
    face_fen = models.BigIntegerField()
    ceiling_fen = models.BigIntegerField()
    account = EncryptedTextField(home="public", blank=True)
    account_hint = models.CharField(max_length=60, blank=True)
    account_index = models.CharField(max_length=64, blank=True, db_index=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.READY)
    reason = models.CharField(max_length=40, blank=True)
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["company", "item_id"], name="delivery_one_an_item"),
            models.CheckConstraint(
                condition=(Q(status__in=["succeeded", "failed"], finished_at__isnull=False))
                | (Q(status__in=["ready", "active"], finished_at__isnull=True, settled_at__isnull=True)),
                name="delivery_final_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(status="ready"), name="delivery_to_send"),
            models.Index(
                fields=["company"],
                condition=Q(status__in=["succeeded", "failed"], settled_at__isnull=True),
                name="delivery_to_settle",
            ),
            models.Index(fields=["order_number"], name="delivery_order"),
        ]

    def __str__(self) -> str:
        return f"{self.company} {self.order_number}"


class Attempt(models.Model):
    """One submission of a delivery to one supplier, under a reference that was stored before it was used.

    At most one attempt of a delivery is live or has succeeded; a partial unique index holds that.
    """

    class Status(models.TextChoices):
        SENDING = "sending", _("being sent")
        WAITING = "waiting", _("accepted by the supplier")
        UNKNOWN = "unknown", _("being verified")
        SUCCEEDED = "succeeded", _("delivered")
        FAILED = "failed", _("refused or failed")

    FLOW = {
        Status.SENDING: frozenset(
            {Status.SENDING, Status.WAITING, Status.UNKNOWN, Status.SUCCEEDED, Status.FAILED}
        ),
        Status.WAITING: frozenset({Status.WAITING, Status.UNKNOWN, Status.SUCCEEDED, Status.FAILED}),
        Status.UNKNOWN: frozenset(
            {Status.SENDING, Status.WAITING, Status.UNKNOWN, Status.SUCCEEDED, Status.FAILED}
        ),
        Status.SUCCEEDED: frozenset(),
        Status.FAILED: frozenset(),
    }

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="attempts")
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="+")
    supplier = models.ForeignKey(Supplier, on_delete=models.PROTECT, related_name="attempts")
    batch = models.ForeignKey(Batch, null=True, blank=True, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    reference = models.CharField(max_length=40, unique=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.SENDING)
    sends = models.PositiveSmallIntegerField(default=0)
    queries = models.PositiveSmallIntegerField(default=0)
    not_found = models.PositiveSmallIntegerField(default=0)
    failed_answers = models.PositiveSmallIntegerField(default=0)
    supplier_reference = models.CharField(max_length=80, blank=True)
    cost_fen = models.BigIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    routing = models.JSONField(default=dict)
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=["delivery"], condition=~Q(status="failed"), name="attempt_one_live_a_delivery"
            ),
            models.UniqueConstraint(fields=["delivery", "number"], name="attempt_number_once"),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(status__in=["sending", "waiting", "unknown"]),
                name="attempt_to_ask",
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class CallbackReceived(models.Model):
    """A callback as it came, kept whatever it said. It is a hint: only our own query moves anything."""

    supplier = models.ForeignKey(Supplier, on_delete=models.PROTECT, related_name="callbacks")
    attempt = models.ForeignKey(
        Attempt, null=True, blank=True, on_delete=models.PROTECT, related_name="callbacks"
    )
    reference = models.CharField(max_length=80, blank=True)
    is_genuine = models.BooleanField()
    says = models.CharField(max_length=20, blank=True)
    body_digest = models.CharField(max_length=64)
    received_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "callbacks received"

    def __str__(self) -> str:
        return self.reference


class Case(models.Model):
    """A contradiction or a question that a person has to look at. Nothing moves by itself while it is open."""

    class Kind(models.TextChoices):
        CONTRADICTION = "contradiction", _("the answer does not fit the order")
        OVERDUE = "overdue", _("unknown for too long")
        LATE_SUCCESS = "late_success", _("delivered after the refund")
        REVERSAL = "reversal", _("failed after the delivery")
        CODES = "codes", _("card codes missing or repeated")

    class Status(models.TextChoices):
        OPEN = "open", pgettext_lazy("case", "open")
        CLOSED = "closed", pgettext_lazy("case", "closed")

    FLOW = {Status.OPEN: frozenset({Status.CLOSED}), Status.CLOSED: frozenset()}

    kind = models.CharField(max_length=16, choices=Kind.choices)
    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="cases")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    detail = models.CharField(max_length=300)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=80, blank=True)
    resolution = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["attempt", "kind"], condition=Q(status="open"), name="case_one_open_of_a_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.attempt_id}"


class CardCode(models.Model):
    """A redeemable secret in the vault: sealed, of exactly one delivery, known twice by its digest alone."""

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="card_codes")
    position = models.PositiveSmallIntegerField(default=1)
    card_number = EncryptedTextField(home="public", blank=True)
    code = EncryptedTextField(home="public")
    code_index = models.CharField(max_length=64, unique=True)
    expires_on = models.DateField(null=True, blank=True)
    stored_at = models.DateTimeField()
    first_shown_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("delivery", "position")
        constraints = [
            models.UniqueConstraint(fields=["delivery", "position"], name="card_code_position_once")
        ]

    def __str__(self) -> str:
        return f"card code {self.pk}"
