#!/usr/bin/env python
"""Django's command line. Where the environment names no database and broker, the embedded ones are started first."""

import os
import sys

from config import services

# They read or write no row.
WITHOUT_SERVICES = (
    "check_roster",
    "compilemessages",
    "collectstatic",
    "help",
    "makemessages",
    "simulate_supplier",
)


def main(arguments: list[str]) -> None:
    """Run one command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    if len(arguments) > 1 and arguments[1] not in WITHOUT_SERVICES and "--help" not in arguments:
        try:
            services.ensure()
        except services.ServiceError as error:
            sys.exit(str(error))
    execute_from_command_line(arguments)


if __name__ == "__main__":
    main(sys.argv)
