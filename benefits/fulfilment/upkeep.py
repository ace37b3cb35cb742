"""Suppliers and their offers: added, changed, switched off. Credentials go in and never come out again."""

import json
from datetime import datetime

from django.db import IntegrityError

from benefits.catalogue.models import Product, Sku
from benefits.fulfilment import connections
from benefits.fulfilment.errors import SupplierExists, SupplierMisconfigured
from benefits.fulfilment.models import Offer, Supplier
from tenants import audit
from tenants.db import savepoint, transaction
from tenants.identity.models import User


@transaction
def add_supplier(
    *, slug: str, name: str, adapter: str, base_url: str, credentials: str, actor: User | None, at: datetime
) -> Supplier:
    """Add an upstream; its credentials are a JSON object, sealed here. Raises SupplierExists, SupplierMisconfigured."""
    supplier = Supplier(slug=slug, name=name, adapter=adapter, base_url=base_url, credentials=credentials)
    _check(supplier)
    try:
        with savepoint():
            supplier.save()
    except IntegrityError:
        raise SupplierExists(slug=slug) from None
    audit.record("supplier.added", supplier, actor=actor, at=at, slug=slug, adapter=adapter)
    return supplier


@transaction
def change_supplier(
    *,
    supplier: Supplier,
    name: str,
    base_url: str,
    is_active: bool,
    credentials: str = "",
    actor: User | None,
    at: datetime,
) -> Supplier:
    """Change a supplier; empty credentials leave those that are there. Raises SupplierMisconfigured."""
    supplier = Supplier.objects.select_for_update().get(pk=supplier.pk)
    supplier.name, supplier.base_url, supplier.is_active = name, base_url, is_active
    if credentials:
        supplier.credentials = credentials
    _check(supplier)
    supplier.save()
    audit.record(
        "supplier.changed",
        supplier,
        actor=actor,
        at=at,
        slug=supplier.slug,
        active=is_active,
        keys=bool(credentials),
    )
    return supplier


@transaction
def set_offer(
    *,
    supplier: Supplier,
    sku_code: str,
    supplier_code: str,
    cost_fen: int,
    priority: int = 100,
    stock: int | None = None,
    is_active: bool = True,
    actor: User | None,
    at: datetime,
) -> Offer:
    """Add a supplier's offer for a SKU, or change its cost, stock and priority."""
    values = {"cost_fen": cost_fen, "priority": priority, "stock": stock, "is_active": is_active}
    offer, _ = Offer.objects.update_or_create(
        supplier=supplier, sku_code=sku_code, supplier_code=supplier_code, defaults=values
    )
    audit.record("offer.set", offer, actor=actor, at=at, supplier=supplier.slug, sku=sku_code, **values)
    return offer


@transaction
def offer_catalogue(*, supplier: Supplier, percent: int, actor: User | None, at: datetime) -> int:
    """Offer every SKU that has none of this supplier yet, at a share of its price; returns how many were added."""
    offered = set(supplier.offers.values_list("sku_code", flat=True))
    skus = (
        Sku.objects.filter(is_active=True)
        .exclude(product__kind=Product.Kind.BUNDLE)
        .exclude(code__in=offered)
    )
    new = Offer.objects.bulk_create(
        Offer(
            supplier=supplier,
            sku_code=sku.code,
            supplier_code=sku.code,
            cost_fen=sku.price_fen * percent // 100,
        )
        for sku in skus
    )
    audit.record("supplier.offers", supplier, actor=actor, at=at, added=len(new))
    return len(new)


def _check(supplier: Supplier) -> None:
    try:
        values = json.loads(supplier.credentials or "{}")
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise SupplierMisconfigured(slug=supplier.slug, problem="its credentials are not a JSON object.")
    connections.adapter_of(supplier)
