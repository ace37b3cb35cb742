"""The base of every command: `--json` prints one object, exit codes are 0, 1 and 2, bad input has no traceback."""

import json
import sys
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from tenants.db import connection
from tenants.errors import DomainError


class JsonCommand(BaseCommand):
    """A door for the shell: `work` calls one operation and returns the object to print.

    `work` may set `self.holds = False` for exit code 1: what it checked does not hold.
    """

    holds = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="print exactly one JSON object on standard output"
        )
        self.add_to(parser)

    def add_to(self, parser: CommandParser) -> None:
        """The command's own arguments."""

    def work(self, *, at: datetime, **options: Any) -> dict[str, Any]:
        """Do it and return what to print."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        connection.set_schema_to_public()
        try:
            result = self.work(at=timezone.now(), **options)
        except DomainError as error:
            self._print(error.as_dict(), as_json=options["json"])
            sys.exit(2)
        except CommandError as error:
            self._print(
                {"error": {"code": "bad_usage", "message": str(error), "details": {}}},
                as_json=options["json"],
            )
            sys.exit(2)
        finally:
            connection.set_schema_to_public()
        self._print(result, as_json=options["json"])
        if not self.holds:
            sys.exit(1)

    def _print(self, result: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(result, ensure_ascii=False, default=str))
        elif "error" in result:
            self.stderr.write(f"{result['error']['code']}: {result['error']['message']}")
        else:
            self.stdout.write(self.say(result))

    def say(self, result: dict[str, Any]) -> str:
        """The result for a person; one line a key unless the command says it better."""
        return "\n".join(
            f"{key}: {json.dumps(value, ensure_ascii=False, default=str)}" for key, value in result.items()
        )
