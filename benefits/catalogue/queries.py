"""Reads of the catalogue."""

from collections.abc import Sequence
from datetime import date

from django.db.models import Min, Q, QuerySet

from benefits.catalogue.models import Category, Product, Sku, TaxRate


def categories() -> QuerySet[Category]:
    """The shelves that hold something, in order."""
    return Category.objects.filter(products__is_active=True).distinct().order_by("position", "slug")


def products(*, category: str = "", search: str = "", at_most_fen: int | None = None) -> QuerySet[Product]:
    """Products on offer with their lowest price (`from_fen`); search knows names, pinyin and initials."""
    found = (
        Product.objects.filter(is_active=True, skus__is_active=True)
        .select_related("category")
        .annotate(from_fen=Min("skus__price_fen", filter=Q(skus__is_active=True)))
        .order_by("category__position", "position", "slug")  # a grouped query drops the usual order
    )
    if category:
        found = found.filter(category__slug=category)
    for word in search.lower().split()[:5]:
        found = found.filter(search_text__contains=word)
    return found.filter(from_fen__lte=at_most_fen) if at_most_fen is not None else found


def find_product(slug: str) -> Product | None:
    """A product on offer, or None."""
    return Product.objects.filter(is_active=True, slug=slug).select_related("category").first()


def skus_of(product: Product) -> QuerySet[Sku]:
    """The product's sizes on offer, in order."""
    return product.skus.filter(is_active=True).order_by("position", "price_fen")


def find_sku(code: str) -> Sku | None:
    """A SKU by its code with its product and category, on offer or not."""
    return Sku.objects.select_related("product__category").filter(code=code).first()


def is_offered(sku: Sku) -> bool:
    """Whether a SKU may be redeemed as far as the catalogue is concerned."""
    return sku.is_active and sku.product.is_active


def parts_of(sku: Sku) -> Sequence[tuple[Sku, int]]:
    """What is delivered for one SKU, as (SKU, price share in fen): the parts of a bundle, or the SKU itself."""
    if sku.product.kind != Product.Kind.BUNDLE:
        return [(sku, sku.price_fen)]
    return [(part.part, part.price_fen) for part in sku.parts.select_related("part__product__category")]


def tax_rate(category: str, *, on: date) -> int:
    """The VAT rate of a tax category on a day, in basis points."""
    rate = TaxRate.objects.filter(category=category, from_date__lte=on).order_by("-from_date").first()
    if rate is None:
        raise LookupError(f"no tax rate for {category} on {on}")
    return rate.rate_bp
