"""Callbacks over HTTP: a hint that makes us ask, kept whatever it says, and nothing more."""

import json
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from benefits.api import callbacks
from benefits.fulfilment import operations
from benefits.fulfilment.engine import Tally
from benefits.fulfilment.models import Attempt, CallbackReceived, Case, Delivery, Supplier
from benefits.suppliers import signers
from benefits.suppliers.simulator.dialects.goofish import DEFAULT_KEYS
from tests.db.fulfilment.conftest import Clock, a_delivery, delivered, statuses, the_attempt
from tests.supplier_process import SupplierProcess

Run = Callable[..., Tally]


def call(
    body: object, *, slug: str = "first", keys: dict[str, str] | None = None, path: str = "", **more: str
):
    """Post a callback as the supplier does; returns the answer."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    keys = keys or DEFAULT_KEYS
    query = {"mch_id": keys["mch_id"], "timestamp": "1772413200"}
    query["sign"] = signers.goofish(**keys, body=raw, timestamp=query["timestamp"])
    return Client(HTTP_HOST="localhost").post(
        path or f"/callbacks/{slug}/", raw, content_type="application/json", query_params=query | more
    )


def says(attempt: Attempt, status: int) -> dict[str, object]:
    return {"order_type": 1, "order_no": attempt.reference, "out_order_no": "SIM1", "order_status": status}


@pytest.fixture
def waiting(supplier: Supplier, upstream: SupplierProcess, run: Run) -> Delivery:
    """A delivery that the supplier has accepted and that is asked after in three seconds."""
    delivery = a_delivery()
    run()
    return delivery


def test_a_callback_makes_us_ask_at_once(waiting: Delivery, run: Run, clock: Clock) -> None:
    run(1)
    assert statuses(waiting) == ("active", ["waiting"])

    answer = call(says(the_attempt(waiting), 20))
    assert (answer.status_code, answer.json()) == (200, {"code": 0, "msg": "OK"})
    run(1)

    assert statuses(waiting) == ("succeeded", ["succeeded"])
    kept = CallbackReceived.objects.get()
    assert (kept.is_genuine, kept.says, kept.attempt) == (True, "success", the_attempt(waiting))


def test_a_callback_sets_the_time_of_the_next_question(waiting: Delivery) -> None:
    Attempt.objects.update(due_at=timezone.now() + timedelta(hours=1))
    call(says(the_attempt(waiting), 20))
    assert the_attempt(waiting).due_at <= timezone.now()


def test_what_a_callback_says_is_not_believed(waiting: Delivery, upstream: SupplierProcess, run: Run) -> None:
    call(says(the_attempt(waiting), 30))
    assert statuses(waiting) == ("active", ["waiting"])

    run(3)

    assert statuses(waiting) == ("succeeded", ["succeeded"])


def test_duplicates_do_no_more_than_one(waiting: Delivery, upstream: SupplierProcess, run: Run) -> None:
    answers = [call(says(the_attempt(waiting), 20)).status_code for _ in range(3)]
    run(3)
    answers += [call(says(the_attempt(waiting), 20)).status_code for _ in range(3)]

    assert answers == [200] * 6
    assert statuses(waiting) == ("succeeded", ["succeeded"])
    assert CallbackReceived.objects.count() == 6
    assert not Case.objects.exists()
    assert len(delivered(upstream)) == 1


@pytest.mark.parametrize("status", [10, 99])
def test_a_callback_does_not_take_a_final_state_back(waiting: Delivery, run: Run, status: int) -> None:
    run(3)
    call(says(the_attempt(waiting), status))
    assert statuses(waiting) == ("succeeded", ["succeeded"])
    assert not Case.objects.exists()


def test_failed_after_success_is_a_case_once(waiting: Delivery, run: Run) -> None:
    run(3)
    for _ in range(5):
        call(says(the_attempt(waiting), 30))
    assert statuses(waiting) == ("succeeded", ["succeeded"])
    assert Case.objects.get().kind == Case.Kind.REVERSAL


def test_success_after_failure_is_a_case_once(
    supplier: Supplier, upstream: SupplierProcess, run: Run
) -> None:
    upstream.faults("refuse")
    delivery = a_delivery()
    run()
    for _ in range(2):
        call(says(the_attempt(delivery), 20))
    assert statuses(delivery) == ("failed", ["failed"])
    assert Case.objects.get().kind == Case.Kind.LATE_SUCCESS


def test_a_refusal_that_a_callback_contradicts_proves_nothing(
    supplier: Supplier, upstream: SupplierProcess, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.faults("refuse")
    delivery = a_delivery()
    original = operations.engine.recording.record_answer

    def called_back_first(**values):  # type: ignore[no-untyped-def]
        attempt = values["attempt"]
        CallbackReceived.objects.create(
            supplier=attempt.supplier,
            attempt=attempt,
            is_genuine=True,
            says="success",
            body_digest="",
            received_at=values["at"],
        )
        original(**values)

    monkeypatch.setattr(operations.engine.recording, "record_answer", called_back_first)
    run()
    assert statuses(delivery) == ("active", ["unknown"])


# Forged and unreadable


@pytest.mark.parametrize(
    "change",
    [
        {"keys": DEFAULT_KEYS | {"mch_secret": "guessed"}},
        {"sign": ""},
        {"sign": "f" * 32},
        {"timestamp": "1"},
        {"mch_id": "1002"},
        {"sign": "签名"},
    ],
)
def test_a_forged_callback_gets_403_and_changes_nothing(waiting: Delivery, change: dict[str, str]) -> None:
    before = the_attempt(waiting).due_at

    answer = call(says(the_attempt(waiting), 20), **change)

    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "callback_forged"
    assert the_attempt(waiting).due_at == before
    kept = CallbackReceived.objects.get()
    assert (kept.is_genuine, kept.attempt, kept.reference) == (False, None, "")


def test_a_flood_of_forgeries_is_kept_only_so_far(waiting: Delivery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "FORGED_KEPT", 3)
    for _ in range(5):
        assert call({}, sign="0").status_code == 403
    assert CallbackReceived.objects.count() == 3


def test_another_supplier_cannot_speak_of_our_order(waiting: Delivery, second_supplier: Supplier) -> None:
    before = the_attempt(waiting).due_at
    answer = call(says(the_attempt(waiting), 20), slug="second")
    assert answer.json()["code"] == 1200
    assert the_attempt(waiting).due_at == before


def test_an_unknown_order_is_kept_and_answered_by_contract(waiting: Delivery) -> None:
    answer = call({"order_no": "NOBODYS", "order_status": 20})
    assert (answer.status_code, answer.json()["code"]) == (200, 1200)
    assert CallbackReceived.objects.get().attempt is None


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"<xml/>", 400), (b"[]", 400), ("订单".encode("gbk"), 400), (b"a" * 65_537, 413)],
)
def test_what_cannot_be_read_is_refused(waiting: Delivery, body: bytes, status: int) -> None:
    answer = call(body)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
    assert statuses(waiting) == ("active", ["waiting"])


def test_nobodys_slug_is_not_found(waiting: Delivery) -> None:
    assert call({}, slug="nobody").status_code == 404


def test_only_post_is_heard(waiting: Delivery) -> None:
    assert Client(HTTP_HOST="localhost").get("/callbacks/first/").status_code == 405


def test_a_companys_host_hears_no_callbacks(waiting: Delivery) -> None:
    answer = Client(HTTP_HOST="acme.localhost").post(
        "/callbacks/first/", b"{}", content_type="application/json"
    )
    assert answer.status_code in (302, 404)


def test_a_database_that_is_away_asks_for_a_repetition(
    waiting: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: str) -> Supplier:
        raise OperationalError

    monkeypatch.setattr(callbacks.queries, "find_supplier", away)
    assert call(says(the_attempt(waiting), 20)).status_code == 503


def test_a_callback_that_comes_before_our_own_record_is_remembered(
    supplier: Supplier, upstream: SupplierProcess, run: Run, clock: Clock
) -> None:
    delivery = a_delivery()
    run()
    # Back to the moment between the sending and its record.
    Attempt.objects.update(status="sending", due_at=clock() + timedelta(seconds=60))
    attempt = the_attempt(delivery)
    lease = attempt.due_at

    call(says(attempt, 20))

    attempt.refresh_from_db()
    assert (attempt.status, attempt.due_at) == ("sending", lease)


def test_real_callbacks_of_the_simulator_are_signed_as_we_read_them(
    supplier: Supplier, upstream: SupplierProcess, run: Run
) -> None:
    """The address that we send is one that the callback view answers; what is sent there is genuine."""
    delivery = a_delivery()
    run()
    time.sleep(0.3)
    sent = upstream.truth(the_attempt(delivery).reference)["callbacks"][0]
    assert sent["url"].endswith("/callbacks/first/")
    assert call(sent["body"].encode()).json() == {"code": 0, "msg": "OK"}
