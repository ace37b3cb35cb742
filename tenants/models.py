"""Companies and their domains. Public schema."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_tenants.models import DomainMixin, TenantMixin


class Company(TenantMixin):
    """A tenant. Its schema name is the key by which the public schema speaks of it."""

    class Status(models.TextChoices):
        OPENING = "opening", _("being opened")
        OPEN = "open", pgettext_lazy("company", "open")
        SUSPENDED = "suspended", _("suspended")
        CLOSED = "closed", _("closed")

    class LeaverPolicy(models.TextChoices):
        FREEZE = "freeze", _("points stay in the wallet, which is locked")
        RETURN = "return", _("unspent points go back to their budgets")

    class ExpiryPolicy(models.TextChoices):
        RETURN = "return", _("expired points go back to their budgets")
        LAPSE = "lapse", _("expired points lapse")

    FLOW = {
        Status.OPENING: frozenset({Status.OPEN}),
        Status.OPEN: frozenset({Status.SUSPENDED, Status.CLOSED}),
        Status.SUSPENDED: frozenset({Status.OPEN, Status.CLOSED}),
        Status.CLOSED: frozenset(),
    }

    auto_create_schema = False
    auto_drop_schema = False

    name = models.CharField(max_length=120)
    short_name = models.CharField(max_length=40, blank=True)
    credit_code = models.CharField(max_length=18, blank=True)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.OPENING)
    points_per_yuan = models.PositiveSmallIntegerField(default=1)
    points_name = models.CharField(max_length=20, blank=True)
    brand_colour = models.CharField(max_length=7, blank=True)
    language = models.CharField(max_length=10, default="zh-hans")
    address = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    bank_name = models.CharField(max_length=100, blank=True)
    bank_account = models.CharField(max_length=40, blank=True)
    daily_limit_fen = models.PositiveBigIntegerField(default=200_000)
    others_allowed = models.BooleanField(default=True)
    leaver_policy = models.CharField(max_length=10, choices=LeaverPolicy.choices, default=LeaverPolicy.FREEZE)
    leaver_grace_days = models.PositiveSmallIntegerField(default=0)  # for which a leaver may still spend
    expiry_policy = models.CharField(max_length=10, choices=ExpiryPolicy.choices, default=ExpiryPolicy.RETURN)
    refund_days = models.PositiveSmallIntegerField(
        default=30
    )  # for which a refund to an expired lot can be spent
    opened_at = models.DateTimeField()

    class Meta:
        ordering = ("schema_name",)
        constraints = [
            models.CheckConstraint(
                condition=Q(points_per_yuan__in=[1, 10, 100]), name="company_points_rate_known"
            ),
            models.CheckConstraint(
                condition=Q(leaver_policy__in=["freeze", "return"]) & Q(leaver_grace_days__lte=365),
                name="company_leaver_policy_known",
            ),
            models.CheckConstraint(
                condition=Q(expiry_policy__in=["return", "lapse"], refund_days__gte=1, refund_days__lte=365),
                name="company_expiry_policy_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def display_name(self) -> str:
        """The short name where there is one."""
        return self.short_name or self.name

    @property
    def is_open(self) -> bool:
        return self.status == self.Status.OPEN


class Domain(DomainMixin):
    """A host name that leads to a company. Stored in lower case, without port."""

    class Meta:
        ordering = ("domain",)


class SchemaTemplate(models.Model):
    """The dump of an empty, migrated company schema, replayed under a new name when a company opens."""

    digest = models.CharField(max_length=64, unique=True)
    sql = models.TextField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.digest[:12]
