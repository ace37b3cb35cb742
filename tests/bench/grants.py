"""Grants to many wallets, in one act and by a rule in steps, against inserting as many bare postings and lots."""

import os
import statistics
import sys
import time
from collections import defaultdict
from uuid import uuid4

from django.db import connection

from benefits.campaigns import operations as campaigns
from benefits.campaigns.definition import Definition
from benefits.people.models import Employee
from benefits.points import operations as points
from tenants.db import transaction
from tests import factories
from tests.bench.measure import Figures, in_turns

WALLETS = int(os.environ.get("BENCH_WALLETS", "20000"))
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

    return {**in_turns(ours=ours, floor=_floor, unit="s"), "wallets": WALLETS}


def _floor() -> None:
    facts = {"key": uuid4().hex[:8], "wallets": WALLETS}
    with transaction(), connection.cursor() as cursor:
        for statement in filter(str.strip, ROWS.split(";")):
            cursor.execute(statement, facts)


def run_campaign() -> Figures:
    """Seconds to rehearse, commit and hand out a rule's grant, step by step, and for the two INSERTs alone."""
    people = factories.employees(WALLETS)
    Employee.objects.filter(pk__in=[one.pk for one in people]).update(city="Bench")
    budget = factories.a_budget(100 * WALLETS * 10)
    said = Definition.of_json(
        {"audience": {"cities": ["Bench"]}, "occasion": {"kind": "once"}, "amount": {"fen": 100}}
    )
    with connection.cursor() as cursor:
        cursor.execute(FLOOR)
        cursor.execute("VACUUM ANALYZE points_account")
    phases: dict[str, list[float]] = defaultdict(list)

    def ours() -> None:
        began = time.perf_counter()
        everything = {"actor": None, "at": factories.AT}
        rule = campaigns.make_rule(name=uuid4().hex, budget=budget, definition=said, **everything)
        campaigns.activate_rule(rule=rule, **everything)
        rehearsal = campaigns.rehearse_rule(rule=rule, day=factories.AT.date(), **everything)
        phases["rehearse"].append(time.perf_counter() - began)
        campaigns.commit_rehearsal(rehearsal=rehearsal, digest=rehearsal.digest, **everything)
        phases["commit"].append(time.perf_counter() - began - phases["rehearse"][-1])
        last = time.perf_counter()
        while campaigns.hand_out(rehearsal=rehearsal, at=factories.AT):
            phases["step"].append(time.perf_counter() - last)
            last = time.perf_counter()
            print(f"  {rehearsal.handed} of {rehearsal.people}", end="\r", file=sys.stderr, flush=True)

    figures = in_turns(ours=ours, floor=_floor, unit="s", rounds=3)
    medians = {name: round(statistics.median(times), 3) for name, times in phases.items()}
    return {
        **figures,
        "wallets": WALLETS,
        "phases": {**medians, "longest_step": round(max(phases["step"]), 3)},
    }
