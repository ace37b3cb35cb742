from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser
from django_tenants.utils import tenant_context

from reports import explain
from tenants import operations as tenants
from tenants.commands import JsonCommand


class Command(JsonCommand):
    help = "Where value came from and where it went, from any budget, grant, lot, wallet, order, item or invoice."

    def add_to(self, parser: CommandParser) -> None:
        parser.add_argument("schema")
        parser.add_argument("of", metavar="KIND:KEY", help="lot:12, order:202611240001, wallet:A00123, …")

    def work(self, *, at: datetime, **options: Any) -> dict[str, Any]:
        with tenant_context(tenants.find_company(options["schema"])):
            return explain.explain(of=options["of"]).as_json()
