"""`make demo` with ONCE=1 does the whole job, and done again it changes nothing, whatever dies meanwhile."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config import postgres, processes, services
from config.places import BASE, Place
from tests import environment
from tests.storm import place as places

pytestmark = pytest.mark.slow
SECONDS = 400


def test_the_job_and_the_job_again(database_template: str, django_db_blocker: Any, tmp_path: Path) -> None:
    with django_db_blocker.unblock(), environment.copy(environment.empty_template()) as name:
        surroundings = {
            **os.environ,
            **processes.environment(port=processes.free_port()),
            "DATABASE_URL": environment.database_url(name),
            "MALL_STATE": str(tmp_path),
            "ONCE": "1",
        }
        surroundings["PORT"] = surroundings["PUBLIC_PORT"]
        with _started(surroundings) as demo:
            first = _outcome(demo)
        with _started(surroundings) as demo:
            again = _outcome(demo)

    _assert_done(first)
    acme = first["companies"]["acme"]
    assert acme["roster"]["failed"] == 1
    assert acme["employees"] == acme["roster"]["created"] == acme["granted_to"] == 47
    assert again["companies"]["acme"]["roster"]["created"] == 0
    assert again["companies"]["acme"]["orders"] == acme["orders"]
    assert again["companies"]["acme"]["invoices"] == acme["invoices"]


@pytest.fixture
def place() -> Iterator[Place]:
    """Services of this test alone, since it kills them."""
    place = Place(BASE / "var" / "tests" / "deaths")
    _forget(place)
    yield place
    _forget(place)


def _forget(place: Place) -> None:
    services.remove(place)
    shutil.rmtree(place.state, ignore_errors=True)


def test_web_worker_and_database_die_while_people_redeem(place: Place) -> None:
    surroundings = {key: value for key, value in os.environ.items() if not key.endswith("_URL")}
    surroundings |= {"MALL_STATE": str(place.state), "ONCE": "1", "PORT": str(processes.free_port())}
    with _started(surroundings) as demo:
        kills = (
            lambda: _kill_child(demo, "gunicorn"),
            lambda: _kill_child(demo, "worker"),
            lambda: places.kill_postmaster(place),
        )
        for orders, kill in enumerate(kills, start=1):
            _await(partial(_has_orders, place, orders), demo)
            kill()
        outcome = _outcome(demo)

    _assert_done(outcome)


@contextlib.contextmanager
def _started(surroundings: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "config.demo"]
    with subprocess.Popen(
        command, cwd=BASE, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as demo:
        try:
            yield demo
        finally:
            demo.terminate()


def _outcome(demo: subprocess.Popen[str]) -> Any:
    told, _ = demo.communicate(timeout=SECONDS)
    assert demo.returncode == 0, told[-4000:]
    return json.loads(told.splitlines()[-1])


def _assert_done(outcome: Any) -> None:
    assert outcome["violations"] == 0
    for company in outcome["companies"].values():
        paid = sum(order["price_fen"] for order in company["orders"])
        assert paid == company["delivered_fen"] + company["refunded_fen"]
        assert company["billed_fen"] == company["delivered_fen"]
        assert company["funds_fen"] == company["deposit_fen"] - company["budget_fen"]
    assert [order["status"] for order in outcome["companies"]["acme"]["orders"]].count("refunded") == 1
    assert Path(outcome["invoice_pdf"]).read_bytes().startswith(b"%PDF-")
    for book in ("roster_report", "statement_xlsx"):
        assert zipfile.is_zipfile(outcome[book])


def _has_orders(place: Place, least: int) -> bool:
    """Whether Acme's people have placed so many orders."""
    where = {"host": str(postgres.server(place).sockets), "user": postgres.ROLE, "dbname": postgres.DATABASE}
    try:
        with psycopg.connect(**where, connect_timeout=5) as connection:
            row = connection.execute("SELECT count(*) FROM acme.orders_order").fetchone()
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
        return False
    return row is not None and row[0] >= least


def _kill_child(demo: subprocess.Popen[str], word: str) -> None:
    children = Path(f"/proc/{demo.pid}/task").glob("*/children")
    for pid in (pid for found in children for pid in found.read_text().split()):
        if word in Path(f"/proc/{pid}/cmdline").read_text().split("\0"):
            os.killpg(int(pid), signal.SIGKILL)
            return
    raise AssertionError(f"{word} does not run")


def _await(holds: Callable[[], bool], demo: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert demo.poll() is None, demo.stdout.read() if demo.stdout else ""
        assert time.monotonic() < deadline
        time.sleep(0.1)
