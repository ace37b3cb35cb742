"""Opening a company, ready to use, against replaying the template schema's dump."""

from itertools import count

from django.db import connection

from tenants import operations as tenants
from tenants import template
from tenants.db import transaction
from tests import factories
from tests.bench.measure import Figures, in_turns

_numbers = count(1)


def run() -> Figures:
    """Seconds to open a company with its pages, accounts, roles and first login, and to replay the dump alone."""
    before = connection.tenant
    connection.set_schema_to_public()

    def ours() -> None:
        schema = f"bench{next(_numbers)}"
        tenants.open_company(
            schema=schema, name=schema, domain=f"{schema}.localhost", owner_email=f"owner@{schema}.example",
            actor=None, at=factories.AT,
        )  # fmt: skip

    def floor() -> None:
        with transaction():
            template.replay(f"replayed{next(_numbers)}")

    try:
        return in_turns(ours=ours, floor=floor, unit="s")
    finally:
        connection.set_tenant(before)
