"""Numbers have no gap and no repeat, whatever rolls back, races or dies."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import count

import pytest

from reports.invoices import billing, document, operations
from reports.invoices.models import BilledEntry, Invoice, NumberSeries
from reports.periods import Month
from tenants.db import transaction
from tenants.models import Company
from tests.db.reports.bookkeeping import Books, china

pytestmark = pytest.mark.committed

JANUARY = Month(2026, 1)
AT = china("2026-02-01 03:00")
THREADS, ROUNDS = 8, 25
AtOnce = Callable[..., list[object]]


class Undone(Exception):
    pass


def bill(posting: int) -> billing.Bill:
    printed = document.line(product="话费", tax_category="电信", quantity=1, unit_fen=5000, rate_bp=900)
    entry = billing.Entry(
        posting_id=posting, item_id=posting, fen=5000, delivered_at=AT, reverses=None, sku_code="x", product="话费",
        tax_category="telecom", rate_bp=900,
    )  # fmt: skip
    return billing.Bill(corrects=None, lines=(billing.Line("x", printed),), entries=(entry,))


def test_numbers_have_no_gap_under_threads_with_rollbacks(race_company: Company, at_once: AtOnce) -> None:
    postings = count(1)

    def work(seed: int) -> int:
        issued, dice = 0, random.Random(seed)
        for _ in range(ROUNDS):
            try:
                with transaction():
                    operations._issue_one(
                        bill(next(postings)), company=race_company, month=JANUARY, actor=None, at=AT
                    )
                    if dice.random() < 0.2:
                        raise Undone
                issued += 1
            except Undone:
                pass
        return issued

    results = at_once(*(lambda seed=seed: work(seed) for seed in range(THREADS)))
    assert all(isinstance(result, int) for result in results), results
    serials = sorted(Invoice.objects.values_list("serial", flat=True))
    assert 0 < len(serials) < THREADS * ROUNDS
    assert len(serials) == sum(results)  # type: ignore[arg-type]
    assert serials == list(range(1, len(serials) + 1))
    assert NumberSeries.objects.get().last_number == len(serials)


def test_two_issuers_at_once_bill_once(race_books: Books, at_once: AtOnce) -> None:
    for _ in range(20):
        race_books.deliver("cmcc-50", at=china("2026-01-10 10:00"))

    def run() -> object:
        return operations.close_month(company=race_books.company, month=JANUARY, actor=None, at=AT)

    results = at_once(run, run, run)
    assert all(isinstance(result, list) for result in results), results
    (invoice,) = Invoice.objects.all()
    assert (invoice.status, invoice.total_fen, BilledEntry.objects.count()) == ("filed", 20 * 5000, 20)


@pytest.fixture
def script(tmp_path: object) -> Callable[[str], int]:
    """Run Python in a process of its own, in this test's database; returns how it ended."""
    head = """
import os, signal, django
from datetime import datetime
django.setup()
from django.db import connection
from reports.invoices import operations, pdf
from reports.periods import Month
from tenants.models import Company
connection.set_schema_to_public()
facts = dict(
    company=Company.objects.get(schema_name="acme"), month=Month(2026, 1), actor=None,
    at=datetime.fromisoformat("2026-02-01T03:00+08:00"))
def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
"""

    def run(body: str) -> int:
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
        return subprocess.run(
            [sys.executable, "-c", head + body], env=environment, check=False, timeout=60
        ).returncode

    return run


def test_death_before_the_commit_uses_no_number(race_books: Books, script: Callable[[str], int]) -> None:
    race_books.deliver("cmcc-50", at=china("2026-01-10 10:00"))
    assert script("operations._write_entries = die\noperations.issue(**facts)") == -signal.SIGKILL
    assert not Invoice.objects.exists()
    assert not NumberSeries.objects.exists()
    (invoice,) = operations.close_month(company=race_books.company, month=JANUARY, actor=None, at=AT)
    assert invoice.number == "ZD2026-000001"


def test_death_between_number_and_file_is_repaired(race_books: Books, script: Callable[[str], int]) -> None:
    race_books.deliver("cmcc-50", at=china("2026-01-10 10:00"))
    assert script("pdf.render = die\noperations.close_month(**facts)") == -signal.SIGKILL
    assert Invoice.objects.get().status == Invoice.Status.ISSUED
    (invoice,) = operations.close_month(company=race_books.company, month=JANUARY, actor=None, at=AT)
    assert (invoice.number, invoice.status) == ("ZD2026-000001", "filed")
    assert BilledEntry.objects.count() == 1
