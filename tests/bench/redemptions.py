"""One redemption, with everything that it writes, against pgbench's TPC-B-like transaction on the same server."""

import subprocess
import sys
from uuid import uuid4

import psycopg
from django.db import connection

from benefits.people.models import Employee
from benefits.points import operations as points
from config import postgres
from tenants.models import Company
from tests import environment, factories
from tests.bench.measure import Figures, in_turns
from tests.bench.redeemer import CLIENTS, PROCESSES, SECONDS

SCALE = 10
EACH_FEN = 40_000_000  # nobody runs dry


def run() -> Figures:
    """Redemptions a second by eight clients on wallets filled from one budget, and TPC-B-like transactions a second."""
    company = Company.objects.get(schema_name="acme")
    Company.objects.update(daily_limit_fen=10**12)
    factories.a_catalogue()
    people = factories.employees(CLIENTS * 25)
    points.grant(
        budget=factories.a_budget(EACH_FEN * len(people)), audience=points.Audience(everyone=True), fen=EACH_FEN,
        reason="Bench", expires_at=None, request_key=uuid4(), actor=None, at=factories.AT,
    )  # fmt: skip
    assert company.is_open
    pgbench, redeemers = _Pgbench(), _Redeemers()
    try:
        figures = in_turns(ours=redeemers.run, floor=pgbench.run, unit="transactions/s", more_is_better=True)
    finally:
        redeemers.end()
        pgbench.drop()
    return {
        **figures,
        "clients": CLIENTS,
        "statements": _statements(),
        "synchronous_commit": _setting("synchronous_commit"),
    }


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

    def run(self) -> tuple[float, float]:
        """One round: redemptions a second of all clients, and their CPU seconds."""
        for worker in self._workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
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

    alice = Employee.objects.order_by("pk").first()
    assert alice is not None
    sku = factories.a_sku()
    with CaptureQueriesContext(connection) as captured:
        factories.redeem(alice, sku)
    return len(captured)


def _setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return str(cursor.fetchone()[0])


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
