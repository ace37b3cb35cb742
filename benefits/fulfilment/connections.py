"""From our rows to what an adapter needs: a supplier's configuration, an attempt's order."""

import json
import logging
from collections.abc import Iterable

from django.conf import settings

from benefits.fulfilment.errors import SupplierMisconfigured
from benefits.fulfilment.models import Attempt, Supplier
from benefits.suppliers import registry
from benefits.suppliers.base import Config, ConfigError, Kind, Order, Rhythm
from benefits.suppliers.base import Supplier as Adapter

logger = logging.getLogger(__name__)


def config_of(supplier: Supplier) -> Config:
    """Read a supplier's sealed credentials: a JSON object, with the adapter's settings under `options`.

    Raises SupplierMisconfigured.
    """
    try:
        values = json.loads(supplier.credentials or "{}")
        options = values.pop("options", {})
        credentials = {str(name): str(value) for name, value in values.items()}
        settings_ = {str(name): str(value) for name, value in options.items()}
    except (ValueError, AttributeError):
        problem = "its credentials are not a JSON object."
        raise SupplierMisconfigured(slug=supplier.slug, problem=problem) from None
    return Config(supplier.slug, supplier.adapter, supplier.base_url, credentials, settings_)


def adapter_of(supplier: Supplier) -> Adapter:
    """Return the adapter without a connection: for its rhythm and for reading callbacks.

    Raises SupplierMisconfigured.
    """
    try:
        return registry.connect(config_of(supplier))
    except ConfigError as error:
        raise SupplierMisconfigured(slug=supplier.slug, problem=str(error)) from None


class Connections:
    """The suppliers of one run, each read once. One that cannot be used, or came later, is not among them."""

    def __init__(self, suppliers: Iterable[Supplier]) -> None:
        self.configs: dict[int, Config] = {}
        self.adapters: dict[int, Adapter] = {}
        for supplier in suppliers:
            try:
                self.adapters[supplier.pk] = adapter_of(supplier)
                self.configs[supplier.pk] = config_of(supplier)
            except SupplierMisconfigured as error:
                logger.error("%s", error)

    def __contains__(self, supplier: Supplier) -> bool:
        return supplier.pk in self.configs

    def rhythm(self, supplier: Supplier) -> Rhythm:
        """The supplier's rhythm; a cautious one where it cannot be used."""
        return self.adapters[supplier.pk].rhythm if supplier in self else Rhythm()


def order_of(attempt: Attempt) -> Order:
    """Return the order as it is sent: what was routed, at the cost that was routed, for the account of the item."""
    delivery = attempt.delivery
    cost_fen = attempt.cost_fen or 0
    return Order(
        reference=attempt.reference,
        product=attempt.offer.supplier_code,
        kind=Kind.CARD if delivery.kind == "card" else Kind.DIRECT,
        cost_fen=cost_fen,
        # A success at another cost is a contradiction, so the supplier is asked to refuse a higher one.
        ceiling_fen=cost_fen,
        account=delivery.account,
        callback_url=f"{settings.CALLBACK_BASE_URL}/callbacks/{attempt.supplier.slug}/",
    )
