from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.core.management.base import CommandParser
from django_tenants.utils import tenant_context

from benefits import tasks
from benefits.catalogue import queries as catalogue
from benefits.orders import operations as orders
from benefits.orders.errors import NotOffered
from benefits.people import queries as people
from benefits.points import queries as points
from tenants import operations as tenants
from tenants.commands import JsonCommand


class Command(JsonCommand):
    help = "Redeem one SKU for an employee; the same key again returns the same order."

    def add_to(self, parser: CommandParser) -> None:
        parser.add_argument("schema")
        parser.add_argument("employee_no")
        parser.add_argument("sku")
        parser.add_argument("--account", required=True)
        parser.add_argument("--key", required=True)

    def work(self, *, at: datetime, **options: Any) -> dict[str, Any]:
        company = tenants.find_company(options["schema"])
        with tenant_context(company):
            employee = people.find_employee(options["employee_no"])
            sku = catalogue.find_sku(options["sku"])
            if sku is None:
                raise NotOffered(product=options["sku"])
            order = orders.redeem(
                employee=employee,
                sku=sku,
                account=options["account"],
                quoted_fen=sku.price_fen,
                request_key=_key(options["key"]),
                actor=None,
                at=at,
            )
            tasks.ring_delivery()
            return {
                "order_no": order.number,
                "status": order.status,
                "price_fen": order.price_fen,
                "wallet_fen": points.wallet_of(employee, at=at).available_fen,
            }


def _key(text: str) -> UUID:
    # A UUID as it is; any other text by its name-based UUID, so that a script may use keys of its own.
    try:
        return UUID(text)
    except ValueError:
        return uuid5(NAMESPACE_URL, text)
