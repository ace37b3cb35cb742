"""An order's receipt proves its records against a signed checkpoint, and nothing of it can be changed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benefits.journal import keys, operations, receipts, verify
from benefits.journal.errors import ReceiptNotReady
from benefits.journal.models import Entry
from benefits.orders.models import Order
from benefits.people.models import Employee
from tests import factories
from tests.db.journal.conftest import NOW

Verified = Callable[..., tuple[int, str]]


def test_an_order_is_ready_once_its_debit_is_sealed(alice: Employee) -> None:
    order = factories.redeem(alice)
    with pytest.raises(ReceiptNotReady):
        receipts.receipt_of(order)
    assert receipts.checkpoint_of(order) is None
    made = operations.seal(at=NOW)
    assert receipts.checkpoint_of(order) == made
    assert len(receipts.receipt_of(order)["records"]) == 2


def test_a_receipt_verifies_and_holds_the_whole_order(
    order: Order, verified: Verified, tmp_path: Path
) -> None:
    for _ in range(7):  # so that the proofs have a few steps
        factories.redeem(factories.an_employee(with_fen=9_000))
    operations.seal(at=NOW)
    path, trusted = _written(order, tmp_path)
    code, said = verified(path, "--keys", trusted)
    assert (code, order.number in said) == (0, True), said
    found = [one["record"] for one in json.loads(path.read_bytes())["records"]]
    assert sorted(one["type"] for one in found if one["kind"] == "posting") == ["deliver", "redeem", "refund"]
    assert sorted(one["action"] for one in found if one["kind"] == "event") == [
        "item.delivered", "item.refunded", "order.placed",
    ]  # fmt: skip
    assert verified(path)[0] == 1  # without a key there is nothing to trust
    assert factories.MOBILE.encode() not in path.read_bytes()


def test_every_third_byte_of_a_receipt_counts(order: Order, verified: Verified, tmp_path: Path) -> None:
    path, trusted = _written(order, tmp_path)
    data = path.read_bytes()
    missed = []
    for place in range(0, len(data), 3):
        changed = bytearray(data)
        changed[place] ^= 1
        path.write_bytes(bytes(changed))
        if verified(path, "--keys", trusted)[0] != 1:
            missed.append((place, bytes(changed[max(0, place - 30) : place + 10])))
    assert missed == []


def test_records_of_another_order_or_company_are_no_receipt(
    order: Order, verified: Verified, tmp_path: Path
) -> None:
    path, trusted = _written(order, tmp_path)
    receipt = json.loads(path.read_bytes())
    for change, said in (
        ({"order": "20260101000000000000"}, "no record of order"),
        ({"company": "globex"}, "another company's"),
        (
            {"records": [one for one in receipt["records"] if one["record"]["kind"] == "event"]},
            "no record of order",
        ),
    ):
        path.write_bytes(verify.canonical({**receipt, **change}) + b"\n")
        assert said in verified(path, "--keys", trusted)[1]


def test_a_receipt_of_a_changed_posting_does_not_verify(
    order: Order, verified: Verified, tmp_path: Path
) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE points_posting DISABLE TRIGGER USER")
        cursor.execute("UPDATE points_posting SET fen = fen - 1 WHERE id = %s", [order.debit_id])
    path, trusted = _written(order, tmp_path)
    seq = Entry.objects.get(kind="posting", ref=order.debit_id).seq
    assert verified(path, "--keys", trusted) == (1, f"FLAW  record {seq} was changed\n")


def _written(order: Order, folder: Path) -> tuple[Path, Path]:
    path, trusted = folder / "receipt.json", folder / "keys.json"
    order = Order.objects.get(pk=order.pk)
    _put(path, receipts.receipt_of(order))
    _put(trusted, keys.published())
    return path, trusted


def _put(path: Path, value: Any) -> None:
    path.write_bytes(verify.canonical(value) + b"\n")
