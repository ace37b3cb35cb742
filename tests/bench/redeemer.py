"""One process of the clients that redeem: as many threads as a web worker has, each with a connection."""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

CLIENTS = 8
PROCESSES = 4
SECONDS = 3
SHARED, SINGLE = "one budget", "a budget each"  # whose points: what stands in the people's grade


def work(number: int) -> None:
    """Say that it is ready; at every word redeem for a while and print redemptions a second and CPU seconds."""
    with ThreadPoolExecutor(CLIENTS // PROCESSES) as pool:
        clients = range(number * CLIENTS // PROCESSES, (number + 1) * CLIENTS // PROCESSES)
        list(pool.map(lambda client: redeem(client, SHARED, seconds=0.1), clients))
        print("ready", flush=True)
        for line in sys.stdin:
            began, cpu = time.monotonic(), time.process_time()
            people = line.strip()
            done = sum(pool.map(lambda client: redeem(client, people, seconds=SECONDS), clients))  # noqa: B023
            print(done / (time.monotonic() - began), time.process_time() - cpu, flush=True)


def redeem(client: int, grade: str, *, seconds: float) -> int:
    """Redeem for one client's own people until the time is over; returns how often."""
    from django.db import connection

    from benefits.people.models import Employee
    from tenants.models import Company
    from tests import factories

    connection.set_tenant(Company.objects.get(schema_name="acme"))
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")  # the tests' settings switch it off
    people = list(Employee.objects.filter(grade=grade).order_by("pk")[client::CLIENTS])
    sku = factories.a_sku()
    done, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        day, place = divmod(done, len(people))  # once a day each
        factories.redeem(people[place], sku, at=factories.AT + timedelta(days=day))
        done += 1
    connection.close()
    return done


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    work(int(sys.argv[1]))
