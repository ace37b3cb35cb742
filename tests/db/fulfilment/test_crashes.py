"""Senders that meet, and senders that die at every named place: each order is delivered once or failed, never both."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from benefits.fulfilment import operations
from benefits.fulfilment.engine import Tally
from benefits.fulfilment.models import Attempt, CardCode, Delivery, Supplier
from tenants.identity.models import AuditEvent
from tenants.models import Company
from tests.db.fulfilment.conftest import a_card_delivery, a_delivery, a_supplier, an_offer, delivered
from tests.supplier_process import ROOT, SupplierProcess

pytestmark = pytest.mark.committed
DELIVERIES = 6


@pytest.fixture
def committed(race_company: Company, upstream: SupplierProcess) -> Supplier:
    """A supplier with offers, really committed."""
    connection.set_schema_to_public()
    supplier = a_supplier(upstream, "first", first_query_after="0", equal_answers_over="0")
    an_offer(supplier)
    an_offer(supplier, sku="gift-50", code="KM-GIFT-50", cost_fen=4950)
    return supplier


def test_two_senders_at_once_take_different_deliveries(
    committed: Supplier, upstream: SupplierProcess, at_once: Callable[..., list[object]]
) -> None:
    for number in range(40):
        a_delivery(at=timezone.now(), account=f"138001380{number:02d}")

    tallies = at_once(*[lambda: operations.send_due(clock=timezone.now)] * 3)

    assert all(isinstance(tally, Tally) for tally in tallies), tallies
    assert sum(tally.sent for tally in tallies if isinstance(tally, Tally)) == 40
    assert Attempt.objects.count() == 40
    submissions = [row["reference"] for row in upstream.truth()["submissions"]]
    assert len(submissions) == len(set(submissions)) == 40
    settle(seconds=5)
    assert sorted(delivered(upstream)) == [f"138001380{number:02d}" for number in range(40)]


def settle(*, seconds: float) -> None:
    """Run the engine as if that much time had passed."""
    for extra in (0, 1, 2, 3):
        operations.send_due(clock=lambda later=seconds + extra: timezone.now() + timedelta(seconds=later))


def run_and_crash(point: str, mark: Path) -> int:
    environment = os.environ | {
        "MALL_CRASH_AT": point, "MALL_CRASH_MARK": str(mark), "DELIVERY_LEASE_SECONDS": "60",
    }  # fmt: skip
    command = [sys.executable, "manage.py", "run_batches", "--once", "--json"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode


@pytest.mark.parametrize(
    "point", ["after_attempt_commit", "after_send", "before_record", "after_record", "after_query"]
)
def test_a_sender_that_dies_loses_and_doubles_nothing(
    committed: Supplier, upstream: SupplierProcess, tmp_path: Path, point: str
) -> None:
    for number in range(DELIVERIES):
        a_delivery(at=timezone.now(), account=f"1380013800{number}")

    assert run_and_crash(point, tmp_path / "mark") == -signal.SIGKILL
    known = set(Attempt.objects.values_list("reference", flat=True))
    received = {row["reference"] for row in upstream.truth()["submissions"]}
    assert received <= known, "nothing is sent under a reference that is not stored"
    settle(seconds=61)
    settle(seconds=500)

    went_to = delivered(upstream)
    for delivery in Delivery.objects.all():
        expected = 1 if delivery.status == "succeeded" else 0
        assert went_to.count(delivery.account) == expected
        assert delivery.status in ("succeeded", "failed")
    if point != "after_attempt_commit":
        assert len(went_to) == DELIVERIES
    assert Attempt.objects.count() == DELIVERIES
    assert len(upstream.truth()["submissions"]) == len(received | known & received)


def test_a_reader_that_dies_shows_nothing_and_leaves_no_trace(
    committed: Supplier, upstream: SupplierProcess, tmp_path: Path
) -> None:
    delivery = a_card_delivery(at=timezone.now())
    settle(seconds=0)
    delivery.refresh_from_db()
    assert delivery.status == "succeeded"
    script = (
        "import django; django.setup()\n"
        "from django.db import connection\n"
        "from django.utils import timezone\n"
        "from benefits.fulfilment.models import Delivery\n"
        "from benefits.fulfilment.vault import codes\n"
        "from tenants.identity.models import User\n"
        "from tenants.models import Company\n"
        f"delivery = Delivery.objects.get(pk={delivery.pk})\n"
        "connection.set_tenant(Company.objects.get(schema_name='acme'))\n"
        "print(codes.reveal(delivery=delivery, actor=User.objects.first(), at=timezone.now())[0].secret)\n"
    )
    environment = os.environ | {
        "MALL_CRASH_AT": "in_reveal", "MALL_CRASH_MARK": str(tmp_path / "mark"),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }  # fmt: skip

    def read() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", script]
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    def traces() -> int:
        connection.set_tenant(Company.objects.get(schema_name="acme"))
        return AuditEvent.objects.filter(action="card_code.revealed").count()

    died = read()
    assert (died.returncode, died.stdout, traces()) == (-signal.SIGKILL, "", 0)
    assert CardCode.objects.get().first_shown_at is None
    shown = read()
    assert (shown.returncode, traces()) == (0, 1)
    assert shown.stdout.strip() in json.dumps(upstream.truth()["deliveries"])


def test_the_command_prints_its_figures(committed: Supplier, upstream: SupplierProcess) -> None:
    a_delivery(at=timezone.now())
    upstream.faults("callback_early")
    command = [sys.executable, "manage.py", "run_batches", "--once", "--supplier", "first", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert {"batches": 1, "sent": 1, "succeeded": 1, "failed": 0, "unknown": 0}.items() <= figures.items()


def test_the_command_refuses_a_supplier_that_is_not_there(committed: Supplier) -> None:
    command = [sys.executable, "manage.py", "run_batches", "--once", "--supplier", "nobody", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "supplier_not_found"
    assert "Traceback" not in done.stderr
