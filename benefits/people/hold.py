"""One change of the roster at a time: whoever writes employees or departments holds it while they do."""

from django.db import OperationalError
from psycopg.errors import LockNotAvailable

from benefits.people.errors import RosterBusy
from tenants.db import connection, transaction_required

PATIENCE = "4s"


@transaction_required
def await_roster() -> None:
    """Hold the roster until the transaction ends, however long it takes to get it; reading and redeeming go on."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE people_employee IN SHARE ROW EXCLUSIVE MODE")


@transaction_required
def hold_roster() -> None:
    """`await_roster` for a person who waits: raises RosterBusy after a few seconds."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
            await_roster()
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise RosterBusy from error
        raise
