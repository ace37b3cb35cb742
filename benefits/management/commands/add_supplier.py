import json
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from benefits.fulfilment import operations
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
        try:
            credentials = json.loads(options["credentials"])
        except ValueError:
            raise CommandError("--credentials is not a JSON object") from None
        supplier = operations.save_supplier(
            slug=options["slug"],
            name=options["name"],
            adapter=options["adapter"],
            base_url=options["base_url"],
            credentials=credentials,
            actor=None,
            at=at,
        )
        percent = options["offer_all"]
        offers = (
            operations.offer_catalogue(supplier=supplier, percent=percent, actor=None, at=at)
            if percent
            else 0
        )
        return {"supplier": supplier.slug, "new_offers": offers}
