from datetime import date, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django_tenants.utils import tenant_context

from benefits.campaigns import operations, queries
from tenants import operations as tenants
from tenants.commands import JsonCommand


class Command(JsonCommand):
    help = "Rehearse a rule for a day: who would get how much, and who would not. Nothing moves."

    def add_to(self, parser: CommandParser) -> None:
        parser.add_argument("schema")
        parser.add_argument("rule", help="its name or number")
        parser.add_argument("--day", help="like 2027-02-06; today unless given")

    def work(self, *, at: datetime, **options: Any) -> dict[str, Any]:
        day = _day(options["day"]) if options["day"] else timezone.localdate(at)
        company = tenants.find_company(options["schema"])
        with tenant_context(company):
            rule = queries.find_rule(options["rule"])
            made = operations.rehearse_rule(rule=rule, day=day, actor=None, at=at)
            departments = queries.by_department(made)
        return {
            "rehearsal_id": made.pk,
            "rule": rule.name,
            "day": day.isoformat(),
            "employees": made.people,
            "total_fen": made.total_fen,
            "left_out": made.counts,
            "departments": [
                {"department": path, "employees": people, "fen": fen} for path, people, fen in departments
            ],
            "expires_at": made.expires_at,
            "digest": made.digest,
        }


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--day must be a day like 2027-02-06, not {text}") from None
