"""One redemption, with everything that it writes, against pgbench's TPC-B-like transaction on the same server.

The company has a history: tables that PostgreSQL knows to be large, as pgbench's are. Everybody's points come from one
budget; beside it the same with a budget for each, so that a row that redemptions share would show.
"""

import subprocess
import sys
from typing import Any
from uuid import uuid4

import psycopg
from django.db import connection

from benefits.people.models import Employee
from benefits.points import operations as points
from config import postgres
from tenants.models import Company
from tests import environment, factories
from tests.bench.measure import Figures, in_turns
from tests.bench.redeemer import CLIENTS, PROCESSES, SECONDS, SHARED, SINGLE

SCALE = 10
EACH = 30  # people of each client
EACH_FEN = 20_000_000  # nobody runs dry


def run() -> Figures:
    """Redemptions a second by eight clients on wallets filled from one budget, and TPC-B-like transactions a second."""
    company = Company.objects.get(schema_name="acme")
    Company.objects.update(daily_limit_fen=10**12)
    factories.a_catalogue()
    assert company.is_open
    _fill()
    pgbench, redeemers = _Pgbench(), _Redeemers()
    try:
        redeemers.run(SHARED)
        redeemers.run(SINGLE)
        _analyse()
        figures = in_turns(
            ours=lambda: redeemers.run(SHARED), floor=pgbench.run, unit="transactions/s", more_is_better=True
        )
        budgets = in_turns(
            ours=lambda: redeemers.run(SHARED), floor=lambda: redeemers.run(SINGLE)[0], unit="redemptions/s",
            more_is_better=True,
        )  # fmt: skip
    finally:
        redeemers.end()
        pgbench.drop()
    return {
        **figures,
        "clients": CLIENTS,
        "statements": _statements(),
        "synchronous_commit": "on",
        "one_budget_beside_a_budget_each": _compared(budgets),
    }


def _compared(figures: Figures) -> dict[str, Any]:
    return {
        "one_budget": figures["ours"],
        "a_budget_each": figures["floor"],
        "ratio": figures["ratio_to_floor"],
        "spread": figures["spread"],
    }


def _fill() -> None:
    """As many people with points of one budget as with a budget of their own."""
    shared, single = factories.employees(CLIENTS * EACH), factories.employees(CLIENTS * EACH)
    budget = factories.a_budget(EACH_FEN * len(shared))
    _grant(budget, shared)
    for one in single:
        _grant(factories.a_budget(EACH_FEN), [one])
    Employee.objects.filter(pk__in=[one.pk for one in shared]).update(grade=SHARED)
    Employee.objects.filter(pk__in=[one.pk for one in single]).update(grade=SINGLE)


def _grant(budget: Any, people: list[Employee]) -> None:
    points.grant(
        budget=budget, audience=points.Audience(amounts=tuple((one.employee_no, EACH_FEN) for one in people)), fen=0,
        reason="Bench", expires_at=None, request_key=uuid4(), actor=None, at=factories.AT,
    )  # fmt: skip


def _analyse() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


class _Redeemers:
    """Eight clients in four processes, as web workers with two threads each; they wait between the rounds."""

    def __init__(self) -> None:
        self._workers = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.bench.redeemer", str(number)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for number in range(PROCESSES)
        ]  # fmt: skip
        for worker in self._workers:
            assert self._hear(worker) == "ready"

    def run(self, people: str) -> tuple[float, float]:
        """One round: redemptions a second of all clients, and their CPU seconds."""
        for worker in self._workers:
            assert worker.stdin is not None
            worker.stdin.write(f"{people}\n")
            worker.stdin.flush()
        answers = [[float(word) for word in self._hear(worker).split()] for worker in self._workers]
        return sum(rate for rate, _ in answers), sum(cpu for _, cpu in answers)

    def end(self) -> None:
        for worker in self._workers:
            worker.communicate(timeout=30)

    def _hear(self, worker: subprocess.Popen[str]) -> str:
        assert worker.stdout is not None
        return worker.stdout.readline().strip()


def _statements() -> int:
    from django.test.utils import CaptureQueriesContext

    alice = Employee.objects.filter(grade=SHARED).order_by("pk").first()
    assert alice is not None
    sku = factories.a_sku()
    with CaptureQueriesContext(connection) as captured:
        factories.redeem(alice, sku)
    return len(captured)


class _Pgbench:
    """pgbench's own tables in a database of their own."""

    def __init__(self) -> None:
        self._database = f"mall_pgbench_{uuid4().hex[:8]}"
        with psycopg.connect(environment.database_url("postgres"), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {self._database}")
        self._program("-i", "-q", "-s", str(SCALE))

    def run(self) -> float:
        out = self._program("-n", "-c", str(CLIENTS), "-j", "2", "-T", str(SECONDS))
        return float(next(line for line in out.splitlines() if line.startswith("tps = ")).split()[2])

    def drop(self) -> None:
        with psycopg.connect(environment.database_url("postgres"), autocommit=True) as admin:
            environment.drop(admin, self._database)

    def _program(self, *arguments: str) -> str:
        command = [str(postgres.binary("pgbench")), *arguments, environment.database_url(self._database)]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
