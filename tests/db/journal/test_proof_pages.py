"""The pages of proof: finance sees the seal and takes evidence away, an employee the receipt of an own order."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from benefits.journal import keys, operations, verify
from benefits.orders.models import Order
from benefits.people.models import Employee
from benefits.web.company import journal
from tenants.db import connection
from tenants.identity.models import AuditEvent
from tenants.identity.roles import Role
from tenants.models import Company
from tests import factories
from tests.db.journal.conftest import NOW
from tests.people import client_of, somebody

Verified = Callable[..., tuple[int, str]]


@pytest.fixture
def finance(acme: Company) -> Iterator[Client]:
    client = client_of(somebody(Role.FINANCE), host="acme.localhost")
    client.cookies["language"] = "en"
    yield client
    connection.set_tenant(acme)


def test_finance_sees_how_far_the_books_are_sealed(finance: Client, acme: Company) -> None:
    assert "Nothing is sealed yet" in finance.get("/company/proof/").content.decode()
    connection.set_tenant(acme)
    made = operations.seal(at=timezone.now())
    assert made is not None
    page = finance.get("/company/proof/").content.decode()
    assert bytes(made.head).hex() in page
    assert keys.current().id in page
    state = finance.get("/company/proof/state.json").json()
    assert state["checkpoint"]["head"] == bytes(made.head).hex()
    assert keys.is_signed(state["checkpoint"])
    assert (state["waiting"], state["mailed"]) == (0, None)


def test_a_pack_is_downloaded_verifies_and_leaves_a_trace(
    finance: Client, order: Order, acme: Company, verified: Verified, tmp_path: Path
) -> None:
    answer = finance.post("/company/proof/evidence.zip", {"first": "2026-01-01", "last": "2026-12-31"})
    assert answer.status_code == 200
    assert "attachment" in answer["Content-Disposition"]
    assert "sandbox" in answer["Content-Security-Policy"]
    path = tmp_path / "evidence.zip"
    path.write_bytes(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    assert "manifest.json" in zipfile.ZipFile(io.BytesIO(path.read_bytes())).namelist()
    assert verified(path)[0] == 0
    connection.set_tenant(acme)
    event = AuditEvent.objects.get(action="evidence.exported")
    assert event.facts["first"] == 1


@pytest.mark.parametrize(
    ("first", "last", "status", "said"),
    [
        ("2020-01-01", "2020-01-31", 404, "Nothing was sealed in this period"),
        ("last week", "", 422, "“last week” is not a day"),
        ("2026-05-02", "2026-05-01", 422, "the first day before the last"),
        ("0001-01-01", "9999-12-31", 422, "is not a day"),
        ("x" * 5000, "<script>", 422, "is not a day"),
    ],
)
def test_what_cannot_be_packed_says_why(
    finance: Client, order: Order, first: str, last: str, status: int, said: str
) -> None:
    answer = finance.post("/company/proof/evidence.zip", {"first": first, "last": last})
    assert (answer.status_code, said in answer.content.decode()) == (status, True)
    assert "<script>" not in answer.content.decode().split("<main", 1)[1]


def test_a_pack_that_is_too_large_is_the_commands(
    finance: Client, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "MOST_RECORDS", 3)
    answer = finance.post("/company/proof/evidence.zip", {"first": "", "last": ""})
    assert (answer.status_code, "export_evidence" in answer.content.decode()) == (422, True)
    assert finance.get("/company/proof/evidence.zip").status_code == 405


def test_an_employee_keeps_the_receipt_of_an_own_order(
    acme: Company, alice: Employee, verified: Verified, tmp_path: Path
) -> None:
    browser, stranger = _browser(alice), _browser(factories.an_employee("Bob"))
    connection.set_tenant(acme)
    order = factories.redeem(alice)
    factories.deliver(order)
    factories.settle()
    address = f"/orders/{order.number}/receipt.json"
    assert browser.get(address).status_code == 409
    assert "within about a minute" in browser.get(f"/orders/{order.number}/").content.decode()
    connection.set_tenant(acme)
    operations.seal(at=NOW)
    assert address in browser.get(f"/orders/{order.number}/").content.decode()
    answer = browser.get(address)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert "attachment" in answer["Content-Disposition"]
    (tmp_path / "receipt.json").write_bytes(answer.content)
    (tmp_path / "keys.json").write_bytes(verify.canonical(keys.published()) + b"\n")
    assert verified(tmp_path / "receipt.json", "--keys", tmp_path / "keys.json")[0] == 0
    assert json.loads(answer.content)["order"] == order.number
    assert stranger.get(address).status_code == 404
    connection.set_tenant(acme)


def _browser(employee: Employee) -> Client:
    user: Any = somebody(Role.EMPLOYEE, name=employee.employee_no)
    Employee.objects.filter(pk=employee.pk).update(user=user)
    client = client_of(user, host="acme.localhost")
    client.cookies["language"] = "en"
    return client
