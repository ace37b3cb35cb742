"""A process is killed at its worst moment; whoever comes back finishes the work once."""

import signal
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from benefits.fulfilment.models import Delivery
from benefits.orders.models import Item, Order
from benefits.points.models import Posting
from reports import books
from tenants.models import Company
from tests import factories
from tests.crashes import run_to
from tests.factories import AT

SETTLE = "from tests import factories; print(factories.settle())"
KEY = "0b6f6f9e-7a3f-4a44-9c8e-0a4f3d6f4c11"


@pytest.fixture(scope="module")
def mall(module_company: Company) -> Company:
    """Acme in a database of its own, where what commits is there for other processes."""
    factories.a_catalogue()
    return module_company


def test_a_redemption_killed_after_its_commit_is_one_order_when_it_is_sent_again(
    mall: Company, tmp_path: Path
) -> None:
    alice = factories.an_employee(with_fen=20_000, number="CRASH1")
    command = [
        "manage.py",
        "redeem",
        "acme",
        "CRASH1",
        "topup-mobile-50",
        "--account",
        "13800138000",
        "--key",
        KEY,
        "--json",
    ]

    killed = run_to("after_debit_commit", tmp_path / "mark", *command)
    assert killed.returncode == -signal.SIGKILL
    assert killed.stdout == ""
    order = Order.objects.get(employee=alice)  # nobody was told, and yet it stands
    assert Delivery.objects.get(order_number=order.number).status == "ready"

    again = run_to("after_debit_commit", tmp_path / "mark", *command)

    assert again.returncode == 0, again.stderr
    assert f'"order_no": "{order.number}"' in again.stdout
    assert Order.objects.filter(employee=alice).count() == 1
    assert factories.wallet_fen(alice) == 20_000 - 4_950
    assert books.verify([mall]) == []


def test_a_refund_killed_half_way_is_one_refund_when_it_is_settled_again(
    mall: Company, tmp_path: Path
) -> None:
    alice = factories.an_employee(with_fen=20_000)
    order = factories.redeem(alice, "bundle-commuter")
    factories.deliver(order, fails=["topup-mobile-50", "qq-music-month"])

    killed = _settle(crash_at="in_refund", mark=tmp_path / "mark")
    assert killed.returncode == -signal.SIGKILL
    assert not Posting.objects.filter(kind="refund").exists()
    assert not Item.objects.filter(order=order).exclude(status="placed").exists()
    assert books.verify([mall]) == []

    again = _settle(crash_at="in_refund", mark=tmp_path / "mark")

    assert (again.returncode, again.stdout.strip()) == (0, "2"), again.stderr
    assert Posting.objects.filter(kind="refund", destination=alice.wallet).count() == 2
    assert factories.wallet_fen(alice) == 20_000
    order.refresh_from_db()
    assert order.status == "refunded"
    assert factories.settle(at=AT + timedelta(days=1)) == 0
    assert books.verify([mall]) == []


def _settle(*, crash_at: str, mark: Path) -> subprocess.CompletedProcess[str]:
    enter = (
        "from tenants.models import Company; connection.set_tenant(Company.objects.get(schema_name='acme'));"
    )
    setup = "import django; django.setup(); from django.db import connection;"
    return run_to(crash_at, mark, "-c", f"{setup} {enter} {SETTLE}")
