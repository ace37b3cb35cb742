"""What deliveries look like from outside: outcomes to settle, open cases, figures of a supplier."""

from django.db.models import QuerySet

from benefits.catalogue.models import Product, Sku
from benefits.fulfilment.errors import SupplierNotFound
from benefits.fulfilment.models import Case, Delivery, Supplier


def find_supplier(slug: str) -> Supplier:
    """The supplier with this short name. Raises SupplierNotFound."""
    try:
        return Supplier.objects.get(slug=slug)
    except Supplier.DoesNotExist:
        raise SupplierNotFound(slug=slug) from None


def unsettled(company: str) -> QuerySet[Delivery]:
    """Deliveries of a company whose outcome its orders have not settled yet, oldest first."""
    return Delivery.objects.filter(
        company=company,
        status__in=[Delivery.Status.SUCCEEDED, Delivery.Status.FAILED],
        settled_at__isnull=True,
    ).order_by("pk")


def companies_with_outcomes() -> list[str]:
    """Schema names of the companies that have something to settle."""
    rows = Delivery.objects.filter(
        status__in=[Delivery.Status.SUCCEEDED, Delivery.Status.FAILED], settled_at__isnull=True
    )
    return sorted(rows.values_list("company", flat=True).distinct())


def deliveries_of(company: str, order_number: str) -> QuerySet[Delivery]:
    """The deliveries of one order."""
    return Delivery.objects.filter(company=company, order_number=order_number).order_by("pk")


def open_cases() -> QuerySet[Case]:
    """What waits for a person, newest first, with everything a list of them shows."""
    return Case.objects.filter(status=Case.Status.OPEN).select_related(
        "attempt__delivery", "attempt__supplier"
    )


def price_list(supplier: Supplier) -> list[dict[str, object]]:
    """A supplier's offers as the simulator's goods file wants them: rows of {product, kind, name, cost_fen}."""
    kinds = dict(Sku.objects.values_list("code", "product__kind"))
    return [
        {
            "product": offer.supplier_code,
            "kind": "card" if kinds.get(offer.sku_code) == Product.Kind.CARD else "direct",
            "name": offer.sku_code,
            "cost_fen": offer.cost_fen,
        }
        for offer in supplier.offers.filter(is_active=True)
    ]
