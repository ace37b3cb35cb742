"""What there is before the storm: funded people who can sign in, a catalogue, two suppliers at one simulator."""

import json
import urllib.request
from dataclasses import dataclass

from django.utils import timezone

from benefits.catalogue import seed
from benefits.fulfilment import queries as deliveries
from benefits.fulfilment import upkeep
from benefits.people import operations as people
from benefits.people.models import Employee
from benefits.points import operations as points
from benefits.suppliers.simulator.dialects.goofish import DEFAULT_KEYS
from tenants.db import connection, transaction
from tenants.identity import operations as identity
from tenants.models import Company
from tests import factories
from tests.people import PASSWORD
from tests.processes import Simulator

PERCENT = 97  # of a price, at either supplier
EACH_FEN = 100_000_000  # a million yuan: nobody runs dry
# Shorter than in life, in the same order: a sender gives up, its lease ends, then 'not found' begins to count.
SENDER_SECONDS, LEASE_SECONDS, NOT_FOUND_SECONDS = 3, 8, 12
RHYTHM = {
    "deadline": f"{SENDER_SECONDS}",
    "first_query_after": "1",
    "equal_answers_over": "1",
    "not_found_definite_after": f"{NOT_FOUND_SECONDS}",
}


@dataclass(frozen=True)
class Person:
    """An employee who can sign in."""

    number: str
    mobile: str


def arrange(simulator: Simulator, *, how_many: int) -> list[Person]:
    """Arrange everything in Acme. The last person's number is one that the simulator always fails."""
    connection.set_schema_to_public()
    seed.seed()
    _suppliers(simulator)
    connection.set_tenant(Company.objects.get(schema_name="acme"))
    mobiles = [f"139{place:04d}{7000 + place}" for place in range(1, how_many)] + ["13800000000"]
    staff = [Person(f"S{place}", mobile) for place, mobile in enumerate(mobiles)]
    with transaction():
        made = people.add_employees(
            people={one.number: {"name": one.number, "mobile": one.mobile} for one in staff},
            at=timezone.now(),
        )
        points.open_wallets(employees=made)
    factories.grant(factories.a_budget(EACH_FEN * how_many), dict.fromkeys(Employee.objects.all(), EACH_FEN))
    for one in Employee.objects.select_related("user").filter(user__isnull=False):
        assert one.user is not None
        identity.set_password(user=one.user, password=PASSWORD, actor=one.user, at=timezone.now())
    connection.set_schema_to_public()
    with transaction(), connection.cursor() as cursor:
        # This process does not wait for the disk, and the server is killed soon: one that waits, waits for all.
        cursor.execute("SET LOCAL synchronous_commit = on")
        Company.objects.update(daily_limit_fen=10**12)
    return staff


def _suppliers(simulator: Simulator) -> None:
    for slug in ("north", "south"):
        supplier = upkeep.add_supplier(
            slug=slug,
            name=slug.title(),
            adapter="goofish",
            base_url=simulator.url,
            credentials=json.dumps({**DEFAULT_KEYS, "options": RHYTHM}),
            actor=None,
            at=timezone.now(),
        )
        upkeep.offer_catalogue(supplier=supplier, percent=PERCENT, actor=None, at=timezone.now())
    request = urllib.request.Request(
        f"{simulator.url}/_sim/goods",
        method="PUT",
        data=json.dumps(deliveries.price_list(supplier)).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()
