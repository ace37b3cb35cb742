from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from benefits.roster import answers, sandbox
from tenants.commands import JsonCommand


class Command(JsonCommand):
    help = "Read and check a roster without any company and without changing anything."

    def add_to(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="an .xlsx, .xls, .ods, .csv or .txt file")

    def work(self, *, at: datetime, **options: Any) -> dict[str, Any]:
        path = Path(options["file"])
        if not path.is_file():
            raise CommandError(_("There is no file %(path)s.") % {"path": path})
        return answers.to_json(sandbox.check_file(path.resolve()), file=path.name)

    def say(self, result: dict[str, Any]) -> str:
        if result["outcome"] == "rejected":
            return f"{result['file']}: {result['message']}"
        lines = [f"{result['file']}: {result['summary']}"]
        lines += [issue["message"] for issue in result["issues"]]
        return "\n".join(lines)
