"""`seal_journal`: seals what waits, in every company and on the platform, or in one."""

from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser

from benefits.journal import operations, queries
from tenants import operations as tenants
from tenants.commands import JsonCommand
from tenants.db import connection
from tenants.models import Company
from tenants.tasks import PUBLIC


class Command(JsonCommand):
    """Seal everything that is committed, and anchor the last checkpoint of each company."""

    help = "Seal every posting and audit event that waits, and write and mail the anchors that are due."

    def add_to(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--company", metavar="SCHEMA", default="", help="a company, or public; all if absent"
        )

    def work(self, *, at: datetime, **options: Any) -> dict[str, Any]:
        sealed = {schema: self._close(schema, at) for schema in _schemas(options["company"])}
        return {"sealed": sealed, "records": sum(one["records"] for one in sealed.values())}

    def _close(self, schema: str, at: datetime) -> dict[str, Any]:
        enter(schema)
        try:
            count = operations.close(at=at)
            last = queries.last_checkpoint()
            return {
                "records": count,
                "last": last.last if last else 0,
                "checkpoint": last.number if last else 0,
            }
        finally:
            connection.set_schema_to_public()


def enter(schema: str) -> None:
    """Enter a company's schema, or the platform's. Raises CompanyNotFound."""
    if schema == PUBLIC:
        connection.set_schema_to_public()
    else:
        connection.set_tenant(tenants.find_company(schema))


def _schemas(one: str) -> list[str]:
    if one:
        return [one]
    companies = Company.objects.exclude(status=Company.Status.OPENING)
    return [PUBLIC, *companies.values_list("schema_name", flat=True)]
