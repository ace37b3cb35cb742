from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser
from django_tenants.utils import tenant_context

from reports import balances
from tenants import operations as tenants
from tenants.commands import JsonCommand


class Command(JsonCommand):
    help = (
        "What an account of a company held at an instant: funds, held, delivered, budget:3, wallet:A00123, …"
    )

    def add_to(self, parser: CommandParser) -> None:
        parser.add_argument("schema")
        parser.add_argument("account")
        parser.add_argument(
            "--at", dest="instant", default="", help="2026-11-24T18:30, or a day for its end; now without"
        )

    def work(self, *, at: datetime, **options: Any) -> dict[str, Any]:
        with tenant_context(tenants.find_company(options["schema"])):
            instant = balances.instant_of(options["instant"]) if options["instant"] else at
            return balances.balance_at(account=options["account"], at=instant).as_json()
