"""`make demo` with ONCE=1 does the whole job, and done again it changes nothing."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from config import processes
from config.places import BASE
from tests import environment

pytestmark = pytest.mark.slow


def test_the_job_and_the_job_again(database_template: str, django_db_blocker: Any, tmp_path: Path) -> None:
    with django_db_blocker.unblock(), environment.copy(environment.empty_template()) as name:
        surroundings = {
            **processes.environment(port=processes.free_port()),
            "DATABASE_URL": environment.database_url(name),
            "MALL_STATE": str(tmp_path),
            "ONCE": "1",
        }
        surroundings["PORT"] = surroundings["PUBLIC_PORT"]
        first = _run(surroundings)
        again = _run(surroundings)

    acme, globex = first["companies"]["acme"], first["companies"]["globex"]
    assert acme["roster"]["failed"] == globex["roster"]["failed"] == 1
    assert acme["employees"] == acme["roster"]["created"] == acme["granted_to"] == 47
    assert acme["funds_fen"] == acme["deposit_fen"] - acme["budget_fen"]
    for company in (acme, globex):
        paid = sum(order["price_fen"] for order in company["orders"])
        assert paid == company["delivered_fen"] + company["refunded_fen"]
        assert company["billed_fen"] == company["delivered_fen"]
    assert [order["status"] for order in acme["orders"]].count("refunded") == 1
    assert first["violations"] == 0
    assert Path(first["invoice_pdf"]).read_bytes().startswith(b"%PDF-")
    for book in ("roster_report", "statement_xlsx"):
        assert zipfile.is_zipfile(first[book])

    assert again["companies"]["acme"]["roster"]["created"] == 0
    assert again["companies"]["acme"]["orders"] == acme["orders"]
    assert again["companies"]["acme"]["invoices"] == acme["invoices"]


def _run(surroundings: dict[str, str]) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "config.demo"],
        cwd=BASE,
        env={**os.environ, **surroundings},
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])
