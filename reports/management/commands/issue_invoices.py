from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser

from reports.invoices import operations
from reports.invoices.models import Invoice
from reports.periods import begun
from tenants.commands import JsonCommand
from tenants.errors import DomainError
from tenants.models import Company
from tenants.operations import find_company


class Command(JsonCommand):
    help = "Close a month: issue each company's invoice and credit notes with their PDF and workbook."

    def add_to(self, parser: CommandParser) -> None:
        parser.add_argument("--month", required=True, help="like 2026-01")
        parser.add_argument("--company", default="", help="one schema; all companies without it")

    def work(self, *, at: datetime, **options: Any) -> dict[str, Any]:
        month = begun(options["month"], at=at)
        companies = (
            [find_company(options["company"])]
            if options["company"]
            else list(Company.objects.exclude(status=Company.Status.OPENING))
        )
        invoices: list[Invoice] = []
        errors = []
        for company in companies:
            try:
                invoices += operations.close_month(company=company, month=month, actor=None, at=at)
            except DomainError as error:
                errors.append({"company": company.schema_name, **error.as_dict()["error"]})
        self.holds = not errors
        return {"month": str(month), "invoices": [_shown(invoice) for invoice in invoices], "errors": errors}


def _shown(invoice: Invoice) -> dict[str, Any]:
    return {
        "number": invoice.number,
        "kind": invoice.kind,
        "company": invoice.company,
        "total_fen": invoice.total_fen,
        "net_fen": invoice.net_fen,
        "tax_fen": invoice.tax_fen,
        "entries": invoice.entry_count,
        "pdf": operations.location(invoice),
        "sha256": invoice.pdf_sha256,
    }
