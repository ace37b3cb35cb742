"""A grant to 20,000 wallets against inserting as many bare postings and lots."""

from uuid import uuid4

from django.db import connection

from benefits.points import operations as points
from tenants.db import transaction
from tests import factories
from tests.bench.measure import Figures, in_turns

WALLETS = 20_000
FLOOR = """
CREATE TABLE IF NOT EXISTS bench_posting (LIKE points_posting INCLUDING ALL);
CREATE TABLE IF NOT EXISTS bench_lot (LIKE points_lot INCLUDING ALL);
"""
ROWS = """
INSERT INTO bench_posting (kind, source_id, destination_id, fen, reference, at)
SELECT 'grant', 0, id, 100, %(key)s || id, now() FROM points_account WHERE kind = 'wallet' ORDER BY id LIMIT %(wallets)s;
INSERT INTO bench_lot (wallet_id, grant_id, budget_id, granted_fen, remaining_fen, at)
SELECT id, (SELECT coalesce(max(grant_id), 0) + 1 FROM bench_lot), 0, 100, 100, now()
FROM points_account WHERE kind = 'wallet' ORDER BY id LIMIT %(wallets)s;
"""


def run() -> Figures:
    """Seconds for the whole grant with its checks, lots and entries, and for the two INSERTs alone."""
    people = factories.employees(WALLETS)
    budget = factories.a_budget(100 * WALLETS * 10)
    numbers = tuple((one.employee_no, 100) for one in people)
    with connection.cursor() as cursor:
        cursor.execute(FLOOR)
        cursor.execute("VACUUM ANALYZE points_account")

    def ours() -> None:
        points.grant(
            budget=budget, audience=points.Audience(amounts=numbers), fen=0, reason="Bench", expires_at=None,
            request_key=uuid4(), actor=None, at=factories.AT,
        )  # fmt: skip

    def floor() -> None:
        facts = {"key": uuid4().hex[:8], "wallets": WALLETS}
        with transaction(), connection.cursor() as cursor:
            for statement in filter(str.strip, ROWS.split(";")):
                cursor.execute(statement, facts)

    return {**in_turns(ours=ours, floor=floor, unit="s"), "wallets": WALLETS}
