import uuid
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django_tenants.utils import tenant_context

from benefits import money
from benefits.points import days, operations
from benefits.points import queries as points
from benefits.points.errors import NobodyToGrantTo
from benefits.points.models import Budget, Grant
from benefits.points.operations import Audience
from benefits.roster import lists
from tenants import operations as tenants
from tenants.commands import JsonCommand
from tenants.models import Company


class Command(JsonCommand):
    help = "Grant points from a budget, which is opened and loaded from the company's funds as far as needed."

    def add_to(self, parser: CommandParser) -> None:
        parser.add_argument("schema")
        parser.add_argument("--budget", required=True)
        parser.add_argument("--points", help="points for each; a file may give each one's own")
        parser.add_argument("--reason", default="")
        parser.add_argument("--expires", help="the last day of their validity, like 2026-12-31")
        parser.add_argument("--key", help="a UUID; the same key again changes nothing")
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("--all", action="store_true", dest="everyone")
        whom.add_argument("--department", action="append", default=[])
        whom.add_argument(
            "--file", help="a table with 工号 (employee number) and, where they differ, 积分 (points)"
        )

    def work(self, *, at: datetime, **options: Any) -> dict[str, Any]:
        key = _key(options["key"])
        expires = _day(options["expires"])
        company = tenants.find_company(options["schema"])
        with tenant_context(company):
            fen = money.parse_points(options["points"], company.points_per_yuan) if options["points"] else 0
            audience = self._audience(company, options, fen)
            budget = _budget(options["budget"], at=at)
            if not Grant.objects.filter(request_key=key).exists():
                _load(budget, audience, fen=fen, key=key, at=at)
            made = operations.grant(
                budget=budget,
                audience=audience,
                fen=fen,
                reason=options["reason"] or options["budget"],
                expires_at=days.end_of(expires) if expires else None,
                request_key=key,
                actor=None,
                at=at,
            )
        return {"grant_id": made.pk, "employees": made.employees, "total_fen": made.total_fen}

    def _audience(self, company: Company, options: dict[str, Any], fen: int) -> Audience:
        if not options["file"]:
            if not options["points"]:
                raise CommandError("--points is needed unless a --file gives each one's own")
            return Audience(everyone=options["everyone"], departments=tuple(options["department"]))
        path = Path(options["file"])
        if not path.is_file():
            raise CommandError(f"there is no file {path}")
        amounts = lists.amounts(lists.of_file(path), rate=company.points_per_yuan, fen=fen)
        if not amounts:
            raise NobodyToGrantTo
        return Audience(amounts=amounts)


def _key(text: str | None) -> uuid.UUID:
    try:
        return uuid.UUID(text) if text else uuid.uuid4()
    except ValueError:
        raise CommandError("--key must be a UUID") from None


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise CommandError("--expires must be a day like 2026-12-31") from None


def _budget(name: str, *, at: datetime) -> Budget:
    budget = points.budgets().filter(name=name).first()
    return budget or operations.open_budget(
        name=name, owner="", from_date=timezone.localdate(at), actor=None, at=at
    )


def _load(budget: Budget, audience: Audience, *, fen: int, key: uuid.UUID, at: datetime) -> None:
    """Move what the grant needs and the budget lacks from the company's funds into it."""
    needed = sum(amount for _, amount in operations.amounts_of(audience, fen=fen))
    lacking = needed - (budget.account.balance_fen or 0)
    if lacking > 0:
        operations.load_budget(
            budget=budget, fen=lacking, request_key=uuid.uuid5(key, "load"), actor=None, at=at
        )
