"""`run_batches`: routes and sends due deliveries, asks after unknown ones."""

import time
from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from benefits.fulfilment import operations, queries
from benefits.fulfilment.engine import Tally
from tenants.commands import JsonCommand


class Command(JsonCommand):
    """Run the delivery engine in the foreground: once, or until it is stopped."""

    help = "Route and send due deliveries, and ask after those whose outcome is open."

    def add_to(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="do what is due now and stop")
        parser.add_argument(
            "--supplier", metavar="S", default="", help="short name of the only supplier to use"
        )

    def work(self, *, at: datetime, **options: Any) -> dict[str, Any]:
        supplier = queries.find_supplier(options["supplier"]) if options["supplier"] else None
        total = Tally()
        try:
            while True:
                total.add(operations.send_due(clock=timezone.now, supplier=supplier))
                if options["once"]:
                    break
                time.sleep(1)
        except KeyboardInterrupt:
            pass
        return total.as_dict()
