"""`export_evidence`: writes a company's evidence pack into a folder."""

from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from benefits.journal import evidence, periods
from benefits.management.commands.seal_journal import enter
from tenants.commands import JsonCommand
from tenants.db import connection


class Command(JsonCommand):
    """The pack of a period, or of everything, as an auditor takes it away."""

    help = "Write the sealed records, checkpoints, anchors, keys and verify.py into a folder."

    def add_to(self, parser: CommandParser) -> None:
        parser.add_argument(
            "schema", help="the company's schema name, or public for the platform's own events"
        )
        parser.add_argument("folder", help="a folder that is empty or does not exist yet")
        parser.add_argument(
            "--from", dest="since", default="", metavar="DAY", help="first day, like 2026-11-01"
        )
        parser.add_argument("--to", dest="until", default="", metavar="DAY", help="last day, included")

    def work(self, *, at: datetime, **options: Any) -> dict[str, Any]:
        folder = Path(options["folder"])
        since, until = periods.of_days(options["since"], options["until"])
        enter(options["schema"])
        try:
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise CommandError(f"{folder} is not an empty folder. Name one that does not exist yet.")
            pack = evidence.export(folder, since=since, until=until, at=at)
        except OSError as error:
            raise CommandError(f"{folder} can't be written: {error.strerror}.") from error
        finally:
            connection.set_schema_to_public()
        return {
            "folder": str(folder),
            "first": pack.first,
            "last": pack.last,
            "checkpoints": pack.checkpoints,
            "anchors": pack.anchors,
        }
