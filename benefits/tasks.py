"""The doors that workers use: one call each, ids as keyword arguments, the schema in the header."""

from contextlib import suppress

from celery import shared_task
from django.utils import timezone

from benefits.fulfilment import operations as fulfilment
from benefits.fulfilment import queries as deliveries
from benefits.orders import operations as orders
from benefits.roster import operations as rosters
from benefits.roster import queries as imports
from benefits.roster.errors import BeingWorkedOn, RosterChanged
from tenants.tasks import PUBLIC


@shared_task(name="benefits.send_due")
def send_due() -> None:
    fulfilment.send_due(clock=timezone.now)
    ring_settlements()


@shared_task(name="benefits.ask_due")
def ask_due() -> None:
    fulfilment.ask_due(clock=timezone.now)
    ring_settlements()


@shared_task(name="benefits.settle")
def settle() -> None:
    orders.settle_due(at=timezone.now())


@shared_task(name="benefits.sweep")
def sweep() -> None:
    ring_settlements()


@shared_task(name="benefits.check_roster")
def check_roster(*, import_id: int) -> None:
    with suppress(BeingWorkedOn):
        rosters.check(roster_import=imports.find_import(import_id), at=timezone.now())


@shared_task(name="benefits.apply_roster")
def apply_roster(*, import_id: int) -> None:
    with suppress(BeingWorkedOn, RosterChanged):  # a changed roster waits with a new plan
        rosters.apply(roster_import=imports.find_import(import_id), at=timezone.now())


def ring_settlements() -> None:
    """Ring for every company that has an outcome to settle; what is rung twice is settled once."""
    for schema in deliveries.companies_with_outcomes():
        settle.ring(schema)


def ring_delivery() -> None:
    """Ring for what has just been ordered, once the order is committed."""
    send_due.ring(PUBLIC)
