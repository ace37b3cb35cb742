"""`simulate_supplier`: a thin door to the supplier simulator."""

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from benefits.suppliers.simulator import command, server


class Command(BaseCommand):
    """Serve a simulated supplier until it is stopped."""

    help = "Run a supplier simulator: a separate HTTP process with faults on demand and a truth file."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        command.add_arguments(parser)

    def handle(self, **values: Any) -> None:
        try:
            options = command.read_options(argparse.Namespace(**values))
        except command.BadOptions as error:
            raise CommandError(str(error), returncode=2) from None
        sys.exit(server.run(options))
