"""Threads that start at the same moment, each with a database connection of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from tenants.models import Company

MEET_SECONDS = 30


def at_once(*functions: Callable[[], object], company: Company | None = None) -> list[object]:
    """Run the functions at the same moment in `company`'s schema; return what each returned or raised.

    Without a company: in the schema that the caller is in.
    """
    barrier = threading.Barrier(len(functions))
    tenant = company or getattr(connection, "tenant", None)

    def run(function: Callable[[], object]) -> object:
        try:
            if isinstance(tenant, Company):
                connection.set_tenant(tenant)
            else:
                connection.set_schema_to_public()
            with connection.cursor() as cursor:  # connect before the start, so that the functions really meet
                cursor.execute("SELECT 1")
            barrier.wait(MEET_SECONDS)
            return function()
        except Exception as error:
            return error
        finally:
            connection.set_schema_to_public()
            connection.close()

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(run, functions))
