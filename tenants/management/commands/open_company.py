import time
from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser
from django_tenants.utils import tenant_context

from tenants import operations
from tenants.commands import JsonCommand
from tenants.identity import links


class Command(JsonCommand):
    help = "Open a company, ready to use."

    def add_to(self, parser: CommandParser) -> None:
        parser.add_argument("schema", help="its key: lower-case letters, digits and _")
        parser.add_argument("--name", required=True)
        parser.add_argument("--domain", required=True)
        parser.add_argument("--credit-code", default="")
        parser.add_argument("--owner-email", default="")
        parser.add_argument("--short-name", default="")
        parser.add_argument("--points-per-yuan", type=int, choices=(1, 10, 100), default=1)

    def work(self, *, at: datetime, **options: Any) -> dict[str, Any]:
        started = time.perf_counter()
        opened = operations.open_company(
            schema=options["schema"],
            name=options["name"],
            domain=options["domain"],
            credit_code=options["credit_code"],
            owner_email=options["owner_email"],
            short_name=options["short_name"],
            points_per_yuan=options["points_per_yuan"],
            actor=None,
            at=at,
        )
        with tenant_context(opened.company):
            path = links.activation_path(opened.owner)
        return {
            "company": opened.company.schema_name,
            "domain": opened.domain,
            "seconds": round(time.perf_counter() - started, 3),
            "owner": {
                "login": opened.owner.username,
                "activation_url": links.absolute(path, company=opened.company),
            },
        }
