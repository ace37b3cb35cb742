from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser

from benefits import money
from benefits.funds import operations as funds
from benefits.funds import queries
from tenants import operations as tenants
from tenants.commands import JsonCommand


class Command(JsonCommand):
    help = "Record a deposit of a company and confirm it: the money is in its funds."

    def add_to(self, parser: CommandParser) -> None:
        parser.add_argument("schema")
        parser.add_argument("yuan", help="like 50000 or 1234.50")
        parser.add_argument(
            "--reference", required=True, help="the bank's reference; the same again changes nothing"
        )

    def work(self, *, at: datetime, **options: Any) -> dict[str, Any]:
        company = tenants.find_company(options["schema"])
        deposit = funds.record_deposit(
            company=company,
            fen=money.parse_yuan(options["yuan"]),
            reference=options["reference"],
            actor=None,
            at=at,
        )
        deposit = funds.confirm_deposit(deposit=deposit, actor=None, at=at)
        return {"deposit_id": deposit.pk, "funds_fen": queries.account_of(company.schema_name).balance_fen}
