"""What can be redeemed, for every company. Public schema; a company keeps the SKU's code and a snapshot."""

from django.db import models
from django.db.models import F, Q
from django.utils import translation
from django.utils.translation import gettext_lazy as _


def _in_language(chinese: str, english: str) -> str:
    return chinese if (translation.get_language() or "zh").startswith("zh") or not english else english


class Category(models.Model):
    """A shelf of the catalogue: 通讯, 影音, 阅读 …"""

    slug = models.SlugField(max_length=40, unique=True)
    name_zh = models.CharField(max_length=40)
    name_en = models.CharField(max_length=40)
    icon = models.CharField(max_length=40, default="gift")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("position", "slug")
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return _in_language(self.name_zh, self.name_en)


class Product(models.Model):
    """What an employee chooses: 中国移动话费. Its SKUs are the sizes it comes in."""

    class Kind(models.TextChoices):
        TOP_UP = "top_up", _("phone credit")
        DATA = "data", _("mobile data")
        MEMBERSHIP = "membership", _("membership")
        CARD = "card", _("card code")
        BUNDLE = "bundle", _("bundle")

    slug = models.SlugField(max_length=60, unique=True)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="products")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    summary_zh = models.CharField(max_length=160, blank=True)
    summary_en = models.CharField(max_length=160, blank=True)
    description_zh = models.TextField(blank=True)
    description_en = models.TextField(blank=True)
    carrier = models.CharField(max_length=20, blank=True)
    colour = models.CharField(max_length=20, default="teal")
    emblem = models.CharField(max_length=8, blank=True)
    search_text = models.CharField(max_length=400, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ("category__position", "position", "slug")

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return _in_language(self.name_zh, self.name_en)

    @property
    def summary(self) -> str:
        return _in_language(self.summary_zh, self.summary_en)

    @property
    def description(self) -> str:
        return _in_language(self.description_zh, self.description_en)


class Sku(models.Model):
    """One size of a product, with its face value, its price in fen and the tax category of what is delivered."""

    class Speed(models.TextChoices):
        FAST = "fast", _("within minutes")
        SLOW = "slow", _("within 72 hours")

    class Tax(models.TextChoices):
        TELECOM = "telecom", _("basic telecom services")
        TELECOM_DATA = "telecom_data", _("mobile data services")
        INFORMATION = "information", _("information services")
        GOODS = "goods", _("goods")

    code = models.CharField(max_length=40, unique=True)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="skus")
    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60)
    face_fen = models.PositiveBigIntegerField()
    price_fen = models.PositiveBigIntegerField()
    tax_category = models.CharField(max_length=20, choices=Tax.choices)
    speed = models.CharField(max_length=8, choices=Speed.choices, default=Speed.FAST)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ("product", "position", "price_fen")
        constraints = [
            models.CheckConstraint(
                condition=Q(price_fen__gt=0, price_fen__lte=1_000_000), name="sku_price_sensible"
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def name(self) -> str:
        """The size in the reader's language: 50 元, 月卡."""
        return _in_language(self.name_zh, self.name_en)


class BundlePart(models.Model):
    """One SKU inside a bundle's SKU, and the share of the bundle's price that it carries, in fen."""

    bundle = models.ForeignKey(Sku, on_delete=models.CASCADE, related_name="parts")
    part = models.ForeignKey(Sku, on_delete=models.PROTECT, related_name="+")
    price_fen = models.PositiveBigIntegerField()
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("position", "id")
        constraints = [
            models.UniqueConstraint(fields=["bundle", "part"], name="bundle_part_once"),
            models.CheckConstraint(condition=Q(price_fen__gt=0), name="bundle_part_has_a_price"),
            models.CheckConstraint(condition=~Q(bundle=F("part")), name="bundle_is_not_its_own_part"),
        ]

    def __str__(self) -> str:
        return f"{self.bundle_id} ∋ {self.part_id}"


class TaxRate(models.Model):
    """The VAT rate of a tax category from a day on, in basis points (900 = 9 %)."""

    category = models.CharField(max_length=20, choices=Sku.Tax.choices)
    from_date = models.DateField()
    rate_bp = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("category", "from_date")
        constraints = [models.UniqueConstraint(fields=["category", "from_date"], name="tax_rate_one_a_day")]

    def __str__(self) -> str:
        return f"{self.category} {self.rate_bp} bp from {self.from_date}"
