import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _
from django_tenants.utils import tenant_context

from benefits.roster import operations, queries
from benefits.roster.errors import RosterRejected
from benefits.roster.models import RosterImport
from benefits.roster.plan import Mode
from tenants.commands import JsonCommand
from tenants.errors import DomainError
from tenants.operations import find_company


class Command(JsonCommand):
    help = "Import a roster into a company: check, plan and apply it."

    def add_to(self, parser: CommandParser) -> None:
        parser.add_argument("schema", help="the company's key")
        parser.add_argument("file", help="an .xlsx, .xls, .ods, .csv or .txt file")
        parser.add_argument("--mode", choices=[mode.value for mode in Mode], default=Mode.MERGE.value)
        parser.add_argument(
            "--leavers",
            type=int,
            help="how many people may leave by it, where that is a large part of the staff",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would change and change nothing")

    def work(self, *, at: datetime, **options: Any) -> dict[str, Any]:
        started = time.perf_counter()
        path = Path(options["file"])
        if not path.is_file():
            raise CommandError(_("There is no file %(path)s.") % {"path": path})
        with tenant_context(find_company(options["schema"])):
            found = self._import(
                path,
                mode=Mode(options["mode"]),
                dry_run=options["dry_run"],
                leavers=options["leavers"],
                at=at,
            )
            return {**found, "seconds": round(time.perf_counter() - started, 3)}

    def _import(
        self, path: Path, *, mode: Mode, dry_run: bool, leavers: int | None, at: datetime
    ) -> dict[str, Any]:
        with path.open("rb") as file:
            found = operations.receive(file=File(file), file_name=path.name, mode=mode, actor=None, at=at)
        found = operations.check(roster_import=found, at=at)
        if found.status == RosterImport.Status.REJECTED:
            raise RosterRejected(reject_code=found.reject["code"], reason=queries.rejection(found))
        if dry_run:
            answer = {"import_id": None, "dry_run": True, **_planned(found)}
            operations.cancel(roster_import=found, actor=None, at=at)
            return answer
        try:
            found = operations.confirm(
                roster_import=found, plan_digest=found.plan_digest, leavers=leavers, actor=None, at=at
            )
            found = operations.apply(roster_import=found, at=at)
        except DomainError:
            with suppress(DomainError):
                operations.cancel(roster_import=queries.find_import(found.pk), actor=None, at=at)
            raise
        return {"import_id": found.pk, **found.result}


def _planned(found: RosterImport) -> dict[str, int]:
    counts = found.counts
    return {
        "created": counts["join"],
        "updated": counts["update"] + counts["return"],
        "unchanged": counts["unchanged"],
        "left": counts["leave"],
        "failed": counts["problem"],
    }
