"""Orders and their items. Company schema; all amounts are integer fen."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from benefits.people.models import Employee
from benefits.points.models import Posting
from tenants.crypto import EncryptedTextField


class Order(models.Model):
    """What an employee redeemed, with a snapshot of what it was that day. Its debit is one posting."""

    class Status(models.TextChoices):
        PLACED = "placed", _("in process")
        DELIVERED = "delivered", _("delivered")
        PARTLY = "partly", _("partly delivered")
        REFUNDED = "refunded", _("refunded")

    FLOW = {
        Status.PLACED: frozenset({Status.DELIVERED, Status.PARTLY, Status.REFUNDED}),
        Status.DELIVERED: frozenset(),
        Status.PARTLY: frozenset(),
        Status.REFUNDED: frozenset(),
    }

    number = models.CharField(max_length=24, unique=True)
    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="orders", db_index=False)
    request_key = models.UUIDField()
    request_digest = models.CharField(max_length=64)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PLACED)
    sku_code = models.CharField(max_length=40)
    product_slug = models.CharField(max_length=60)
    name_zh = models.CharField(max_length=150)
    name_en = models.CharField(max_length=150)
    price_fen = models.BigIntegerField()
    account = EncryptedTextField(blank=True)
    account_hint = models.CharField(max_length=60, blank=True)
    debit = models.OneToOneField(Posting, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["employee", "request_key"], name="order_one_a_request_key"),
            models.CheckConstraint(condition=Q(price_fen__gt=0), name="order_costs_something"),
            models.CheckConstraint(
                condition=Q(status="placed", finished_at__isnull=True)
                | (~Q(status="placed") & Q(finished_at__isnull=False)),
                name="order_final_has_a_time",
            ),
        ]
        indexes = [models.Index(fields=["employee", "-placed_at"], name="order_of_an_employee")]

    def __str__(self) -> str:
        return self.number


class Item(models.Model):
    """One deliverable of an order for one account. Closed by exactly one posting: delivered, or refunded."""

    class Status(models.TextChoices):
        PLACED = "placed", _("in process")
        DELIVERED = "delivered", _("delivered")
        REFUNDED = "refunded", _("refunded")

    FLOW = {
        Status.PLACED: frozenset({Status.DELIVERED, Status.REFUNDED}),
        Status.DELIVERED: frozenset(),
        Status.REFUNDED: frozenset(),
    }

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="items", db_index=False)
    position = models.PositiveSmallIntegerField(default=1)
    sku_code = models.CharField(max_length=40)
    kind = models.CharField(max_length=12)
    name_zh = models.CharField(max_length=150)
    name_en = models.CharField(max_length=150)
    tax_category = models.CharField(max_length=20)
    face_fen = models.BigIntegerField()
    price_fen = models.BigIntegerField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PLACED)
    settlement = models.OneToOneField(
        Posting, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(max_length=40, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="item_position_once"),
            models.CheckConstraint(condition=Q(price_fen__gt=0), name="item_costs_something"),
            models.CheckConstraint(
                condition=Q(status="placed", settlement__isnull=True, settled_at__isnull=True)
                | (~Q(status="placed") & Q(settlement__isnull=False, settled_at__isnull=False)),
                name="item_closed_by_a_posting",
            ),
        ]
        indexes = [models.Index(fields=["status", "settled_at"], name="item_settled")]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.position}"
