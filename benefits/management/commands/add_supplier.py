from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from benefits.fulfilment import upkeep
from benefits.fulfilment.models import Supplier
from benefits.suppliers.registry import ADAPTERS
from tenants.commands import JsonCommand


class Command(JsonCommand):
    help = (
        "Add a supplier, or change its address and credentials, and offer it for every SKU of the catalogue."
    )

    def add_to(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--name", required=True)
        parser.add_argument("--adapter", required=True, choices=sorted(ADAPTERS))
        parser.add_argument("--base-url", required=True)
        parser.add_argument(
            "--credentials", required=True, help="a JSON object, as docs/suppliers/<adapter>.md says"
        )
        parser.add_argument(
            "--offer-all", type=int, metavar="PERCENT", help="offer every SKU at this share of its price"
        )

    def work(self, *, at: datetime, **options: Any) -> dict[str, Any]:
        supplier = self._supplier(at=at, **options)
        percent = options["offer_all"]
        offers = (
            upkeep.offer_catalogue(supplier=supplier, percent=percent, actor=None, at=at) if percent else 0
        )
        return {"supplier": supplier.slug, "new_offers": offers}

    def _supplier(self, *, at: datetime, **options: Any) -> Supplier:
        facts = {name: options[name] for name in ("name", "base_url", "credentials")}
        found = Supplier.objects.filter(slug=options["slug"]).first()
        if found is None:
            return upkeep.add_supplier(
                slug=options["slug"], adapter=options["adapter"], **facts, actor=None, at=at
            )
        if found.adapter != options["adapter"]:
            raise CommandError(
                f"“{found.slug}” speaks {found.adapter}: add another supplier for {options['adapter']}"
            )
        return upkeep.change_supplier(supplier=found, is_active=found.is_active, **facts, actor=None, at=at)
