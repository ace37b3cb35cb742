"""One process of the clients that redeem: as many threads as a web worker has, each with a connection."""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

CLIENTS = 8
PROCESSES = 4
SECONDS = 4


def work(number: int) -> None:
    """Be one process of the clients: warm up, wait for the word, redeem until the time is over, print the rate."""
    from django.db import connection

    from benefits.people.models import Employee
    from tenants.models import Company
    from tests import factories

    threads = CLIENTS // PROCESSES
    go, until = Event(), [0.0]

    def client(place: int) -> int:
        connection.set_tenant(Company.objects.get(schema_name="acme"))
        mine = list(Employee.objects.order_by("pk")[number * threads + place :: CLIENTS])
        sku = factories.a_sku()
        factories.redeem(mine[0], sku)
        ready[place].set()
        go.wait()
        done = 0
        while time.monotonic() < until[0]:
            factories.redeem(mine[done % len(mine)], sku)
            done += 1
        connection.close()
        return done

    ready = [Event() for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        running = [pool.submit(client, place) for place in range(threads)]
        for event in ready:
            event.wait(60)
        print("ready", flush=True)
        sys.stdin.readline()
        began = time.monotonic()
        until[0] = began + SECONDS
        go.set()
        done = sum(one.result() for one in running)
    print(done / (time.monotonic() - began), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    work(int(sys.argv[1]))
