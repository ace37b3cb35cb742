from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser

from reports import books
from tenants import operations as tenants
from tenants.commands import JsonCommand
from tenants.models import Company


class Command(JsonCommand):
    help = "Check every promise that a query can check, in every company or in one."

    def add_to(self, parser: CommandParser) -> None:
        parser.add_argument("--company", metavar="SCHEMA", default="")

    def work(self, *, at: datetime, **options: Any) -> dict[str, Any]:
        companies = (
            [tenants.find_company(options["company"])]
            if options["company"]
            else list(Company.objects.exclude(status=Company.Status.OPENING))
        )
        violations = books.verify(companies, at=at)
        self.holds = not violations
        checks = [*books.PUBLIC_CHECKS, *books.COMPANY_CHECKS]
        return {
            "checked": {
                "companies": len(companies),
                "checks": len(checks),
                "promises": sorted({check.promise for check in checks}),
            },
            "violations": [asdict(violation) for violation in violations],
        }
