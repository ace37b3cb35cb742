"""Sending and asking: what each way of answering does to a delivery."""

import json
import socket
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection

from benefits.fulfilment import connections, operations, routing
from benefits.fulfilment.engine import Tally
from benefits.fulfilment.errors import AttemptNotUnknown
from benefits.fulfilment.models import Attempt, Batch, Case, Offer, Supplier
from benefits.suppliers.adapters.goofish import Goofish
from benefits.suppliers.base import Answer, Verdict
from benefits.suppliers.pool import Pool
from tenants.db import savepoint, transaction
from tests.db.fulfilment.conftest import (
    Clock,
    a_delivery,
    an_offer,
    delivered,
    statuses,
    the_attempt,
)
from tests.supplier_process import SupplierProcess

Run = Callable[..., Tally]


def test_a_delivery_is_sent_asked_after_and_succeeds(
    supplier: Supplier, upstream: SupplierProcess, run: Run
) -> None:
    delivery = a_delivery()

    first = run()
    assert statuses(delivery) == ("active", ["waiting"])
    second = run(3)

    assert statuses(delivery) == ("succeeded", ["succeeded"])
    assert delivered(upstream) == ["13800138001"]
    attempt = the_attempt(delivery)
    assert attempt.supplier_reference.startswith("SIM")
    assert attempt.cost_fen == 4925
    assert delivery.finished_at is not None
    assert delivery.settled_at is None
    assert (first.batches, first.sent, second.succeeded) == (1, 1, 1)
    assert second.companies == {"acme"}
    assert Batch.objects.get().size == 1


def test_the_reference_is_stored_before_it_is_used(
    supplier: Supplier, upstream: SupplierProcess, run: Run
) -> None:
    deliveries = [a_delivery() for _ in range(5)]
    run()
    received = {row["reference"] for row in upstream.truth()["submissions"]}
    assert received == {the_attempt(delivery).reference for delivery in deliveries}


def test_a_final_answer_is_asked_after_at_once(
    supplier: Supplier, upstream: SupplierProcess, run: Run
) -> None:
    upstream.faults("callback_early")
    delivery = a_delivery()

    run()

    assert statuses(delivery) == ("succeeded", ["succeeded"])


def test_a_refusal_goes_to_the_next_offer(
    second_supplier: Supplier, upstream: SupplierProcess, other_upstream: SupplierProcess, run: Run
) -> None:
    upstream.faults("refuse:1102")
    delivery = a_delivery()

    run()
    run(3)

    assert statuses(delivery) == ("succeeded", ["failed", "succeeded"])
    assert delivered(upstream, other_upstream) == ["13800138001"]


def test_a_refusal_by_the_last_offer_fails_the_delivery(
    supplier: Supplier, upstream: SupplierProcess, run: Run
) -> None:
    upstream.faults("refuse:1102")
    delivery = a_delivery()

    tally = run()

    assert statuses(delivery) == ("failed", ["failed"])
    assert delivery.reason == "out_of_stock"
    assert (tally.failed, tally.companies) == (1, {"acme"})
    assert delivered(upstream) == []


def test_a_sku_without_an_offer_fails_at_once(supplier: Supplier, run: Run) -> None:
    delivery = a_delivery(sku_code="nobody-sells-this")
    assert run().failed == 1
    assert statuses(delivery) == ("failed", [])
    assert delivery.reason == "no_offer"


def test_an_offer_above_the_ceiling_is_not_used(
    supplier: Supplier, upstream: SupplierProcess, run: Run
) -> None:
    delivery = a_delivery(ceiling_fen=4924)
    run()
    assert statuses(delivery) == ("failed", [])
    assert upstream.truth()["submissions"] == []


@pytest.mark.parametrize(
    "fault",
    [
        "timeout_after_accept",
        "reset_after_accept",
        "error_500_after_accept",
        "half_json",
        "empty_200",
        "slow_drip",
    ],
)
def test_an_answer_lost_after_acceptance_is_never_sent_elsewhere(
    second_supplier: Supplier,
    upstream: SupplierProcess,
    other_upstream: SupplierProcess,
    run: Run,
    fault: str,
) -> None:
    upstream.faults(fault)
    delivery = a_delivery()

    tally = run()
    assert statuses(delivery) == ("active", ["unknown"])
    assert tally.unknown == 1
    run(3)

    assert statuses(delivery) == ("succeeded", ["succeeded"])
    assert delivered(upstream, other_upstream) == ["13800138001"]


def test_a_reset_stays_unknown_until_not_found_is_definite(
    second_supplier: Supplier, upstream: SupplierProcess, other_upstream: SupplierProcess, run: Run
) -> None:
    upstream.faults("reset_after_read")
    delivery = a_delivery()

    run()
    for seconds in (3, 7, 20, 30, 120, 120):
        run(seconds)
        assert statuses(delivery) == ("active", ["unknown"])
    run(60)
    assert statuses(delivery) == ("active", ["unknown"]), "one answer is not enough"
    upstream.faults()
    run(2)
    run(3)

    assert statuses(delivery) == ("succeeded", ["failed", "succeeded"])
    assert delivered(upstream, other_upstream) == ["13800138001"]


def test_not_found_and_then_found(
    second_supplier: Supplier, upstream: SupplierProcess, other_upstream: SupplierProcess, run: Run
) -> None:
    upstream.faults("timeout_after_accept", "query_not_found:1.6")
    delivery = a_delivery()

    run()
    run(3)
    assert statuses(delivery) == ("active", ["unknown"])
    time.sleep(0.8)
    run(10)

    assert statuses(delivery) == ("succeeded", ["succeeded"])
    assert delivered(other_upstream) == []


def test_an_order_that_was_accepted_is_never_given_up_as_not_found(
    second_supplier: Supplier, upstream: SupplierProcess, run: Run
) -> None:
    upstream.faults("query_not_found:600")
    delivery = a_delivery()

    for seconds in (0, 3, 400, 400, 400, 3600, 3600):
        run(seconds)

    assert statuses(delivery) == ("active", ["waiting"])
    assert Case.objects.get().kind == Case.Kind.OVERDUE


def test_an_order_taken_after_a_502_is_found(supplier: Supplier, upstream: SupplierProcess, run: Run) -> None:
    upstream.faults("slow_queue:0.5")
    delivery = a_delivery()

    run()
    run(3)
    assert statuses(delivery) == ("active", ["unknown"])
    time.sleep(0.6)
    run(10)

    assert statuses(delivery) == ("succeeded", ["succeeded"])


def test_a_failure_counts_when_it_is_repeated(
    supplier: Supplier, upstream: SupplierProcess, run: Run
) -> None:
    upstream.faults("fail_later")
    delivery = a_delivery()

    run()
    run(3)
    assert statuses(delivery) == ("active", ["waiting"])
    run(2)

    assert statuses(delivery) == ("failed", ["failed"])
    assert delivery.reason
    assert delivered(upstream) == []


def test_a_number_that_cannot_be_topped_up_is_not_tried_elsewhere(
    second_supplier: Supplier, upstream: SupplierProcess, other_upstream: SupplierProcess, run: Run
) -> None:
    upstream.faults("fail_later")
    deliveries = [a_delivery() for _ in range(12)]

    run()
    run(3)
    run(2)

    hopeless = [one for one in deliveries if the_attempt(one).reason in routing.HOPELESS]
    assert hopeless, "one of the simulator's reasons is about the number itself"
    assert all(statuses(one) == ("failed", ["failed"]) for one in hopeless)
    assert len(other_upstream.truth()["submissions"]) == len(deliveries) - len(hopeless)


def test_flapping_between_failed_and_in_progress_is_no_failure(
    second_supplier: Supplier, upstream: SupplierProcess, other_upstream: SupplierProcess, run: Run
) -> None:
    upstream.faults("query_flapping", settle_after=1.2)
    delivery = a_delivery()

    run()
    for _ in range(5):
        run(30)
    time.sleep(1.2)
    run(600)

    assert statuses(delivery) == ("succeeded", ["succeeded"])
    assert delivered(upstream, other_upstream) == ["13800138001"]


@pytest.mark.parametrize("fault", ["wrong_amount", "wrong_number", "wrong_product"])
def test_a_success_about_something_else_is_a_case_and_moves_nothing(
    second_supplier: Supplier,
    upstream: SupplierProcess,
    other_upstream: SupplierProcess,
    run: Run,
    fault: str,
) -> None:
    upstream.faults(fault)
    delivery = a_delivery()

    run()
    for seconds in (3, 60, 600, 7200):
        run(seconds)

    assert statuses(delivery) == ("active", ["waiting"])
    assert Case.objects.get(kind=Case.Kind.CONTRADICTION).attempt == the_attempt(delivery)
    assert other_upstream.truth()["submissions"] == []


@pytest.mark.parametrize(("decision", "ends"), [("delivered", "succeeded"), ("failed", "failed")])
def test_a_person_decides_a_case(
    supplier: Supplier, upstream: SupplierProcess, run: Run, clock: Clock, decision: str, ends: str
) -> None:
    upstream.faults("wrong_amount")
    delivery = a_delivery()
    run()
    run(3)

    operations.decide_case(
        case=Case.objects.get(), decision=decision, note="asked them", actor=None, at=clock()
    )

    assert statuses(delivery) == (ends, [ends])
    run(60)
    assert statuses(delivery) == (ends, [ends])


def test_a_query_that_cannot_be_read_changes_nothing(
    supplier: Supplier, upstream: SupplierProcess, run: Run
) -> None:
    upstream.faults("query_500")
    delivery = a_delivery()
    for seconds in (0, 3, 10, 60):
        run(seconds)
    assert statuses(delivery) == ("active", ["waiting"])


def test_an_outcome_that_stays_unknown_for_an_hour_is_a_case_and_still_asked_after(
    supplier: Supplier, upstream: SupplierProcess, run: Run
) -> None:
    upstream.faults("silence")
    delivery = a_delivery()
    for seconds in (0, 3, 600, 3600, 3600):
        run(seconds)
    assert Case.objects.get().kind == Case.Kind.OVERDUE
    assert statuses(delivery) == ("active", ["waiting"])


# Nothing was sent


def unreachable(supplier: Supplier) -> str:
    """Point a supplier at a port where nobody listens; returns where it really is."""
    where = supplier.base_url
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        Supplier.objects.filter(pk=supplier.pk).update(base_url=f"http://127.0.0.1:{nobody.getsockname()[1]}")
    return where


def test_what_was_not_sent_is_sent_again_under_the_same_reference(
    supplier: Supplier, upstream: SupplierProcess, run: Run
) -> None:
    where = unreachable(supplier)
    delivery = a_delivery()

    tally = run()
    attempt = the_attempt(delivery)
    assert (attempt.status, attempt.sends, tally.sent) == ("sending", 0, 0)
    run(1)
    Supplier.objects.filter(pk=supplier.pk).update(base_url=where)
    run(5)
    run(3)

    assert statuses(delivery) == ("succeeded", ["succeeded"])
    assert the_attempt(delivery).reference == attempt.reference
    assert the_attempt(delivery).sends == 1


def test_a_supplier_out_of_reach_loses_the_order_to_another(
    second_supplier: Supplier, supplier: Supplier, other_upstream: SupplierProcess, run: Run
) -> None:
    unreachable(supplier)
    delivery = a_delivery()

    for seconds in (0, 30, 60, 60):
        run(seconds)
    run(3)

    assert statuses(delivery) == ("succeeded", ["failed", "succeeded"])


def test_a_lone_supplier_out_of_reach_ends_in_a_refund(supplier: Supplier, run: Run) -> None:
    unreachable(supplier)
    delivery = a_delivery()

    for seconds in (0, 60, 120, 400):
        run(seconds)
    assert statuses(delivery) == ("active", ["sending"])
    run(100)

    assert statuses(delivery) == ("failed", ["failed"])


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"paused_until": "2100-01-01T00:00Z"}, {"base_url": "x"}]
)
def test_what_was_not_sent_does_not_wait_for_a_supplier_that_takes_no_orders(
    second_supplier: Supplier, supplier: Supplier, run: Run, change: dict[str, object]
) -> None:
    unreachable(supplier)
    delivery = a_delivery()
    run()
    Supplier.objects.filter(pk=supplier.pk).update(**change)
    run(1)
    run(3)
    assert statuses(delivery) == ("succeeded", ["failed", "succeeded"])


def test_what_may_have_been_sent_is_still_asked_after_when_its_supplier_is_switched_off(
    second_supplier: Supplier, supplier: Supplier, upstream: SupplierProcess, run: Run, clock: Clock
) -> None:
    upstream.faults("timeout_after_accept")
    delivery = a_delivery()
    run()
    Supplier.objects.filter(pk=supplier.pk).update(is_active=False)
    operations.send_again(attempt=the_attempt(delivery), actor=None, at=clock())
    run()
    assert statuses(delivery) == ("succeeded", ["succeeded"])


def test_an_unknown_outcome_at_a_misconfigured_supplier_becomes_a_case(
    supplier: Supplier, upstream: SupplierProcess, run: Run
) -> None:
    upstream.faults("drop")
    delivery = a_delivery()
    run()
    Supplier.objects.filter(pk=supplier.pk).update(credentials="{")
    for seconds in (3, 60, 3600):
        run(seconds)
    assert statuses(delivery) == ("active", ["unknown"])
    assert Case.objects.get().kind == Case.Kind.OVERDUE


# Claims that nobody came back to


def test_a_claim_found_after_its_lease_is_unknown_and_never_new(
    second_supplier: Supplier,
    upstream: SupplierProcess,
    other_upstream: SupplierProcess,
    run: Run,
    clock: Clock,
) -> None:
    delivery = a_delivery()
    run()
    Attempt.objects.update(status="sending", due_at=clock() + timedelta(seconds=60))

    run(59)
    assert statuses(delivery) == ("active", ["sending"])
    run(1)

    assert statuses(delivery) == ("succeeded", ["succeeded"])
    assert len(upstream.truth()["submissions"]) == 1
    assert other_upstream.truth()["submissions"] == []


def test_a_sender_that_was_stopped_does_not_send_any_more(
    supplier: Supplier, upstream: SupplierProcess, run: Run
) -> None:
    delivery = a_delivery()
    run()
    order = connections.order_of(the_attempt(delivery))
    with Pool[int](1) as pool:
        pool.submit(1, connections.config_of(supplier), order, not_after=time.monotonic() - 0.001)
        finished = pool.finished(wait=5)

    assert isinstance(finished[0].outcome, Answer)
    assert finished[0].outcome.verdict is Verdict.NOT_SENT
    assert len(upstream.truth()["submissions"]) == 1


def test_a_late_answer_to_an_old_claim_does_not_repeat_the_new_one(
    supplier: Supplier, upstream: SupplierProcess, run: Run, clock: Clock
) -> None:
    from benefits.fulfilment import recording

    upstream.faults("drop")
    delivery = a_delivery()
    run()
    attempt = the_attempt(delivery)
    old = recording.Claim.of(attempt)
    operations.send_again(attempt=attempt, actor=None, at=clock())
    Attempt.objects.update(batch=attempt.batch, sends=2)
    rhythm = connections.adapter_of(supplier).rhythm

    for verdict in (Verdict.NOT_SENT, Verdict.REJECTED, Verdict.UNKNOWN):
        with transaction():
            locked = Attempt.objects.select_for_update().get(pk=attempt.pk)
            recording.record_answer(
                attempt=locked, claim=old, answer=Answer(verdict), rhythm=rhythm, at=clock()
            )
        assert (the_attempt(delivery).status, the_attempt(delivery).sends) == ("sending", 2)


# Sent more than once: the scripted case of a supplier that refuses a repeated order for want of balance


def test_the_refusal_of_a_repeated_sending_proves_nothing(
    second_supplier: Supplier,
    upstream: SupplierProcess,
    other_upstream: SupplierProcess,
    run: Run,
    clock: Clock,
) -> None:
    upstream.faults(targets={"HF-CMCC-50": ["drop", "timeout_after_accept", "balance_empty"]})
    delivery = a_delivery()

    run()
    for _ in range(2):
        assert statuses(delivery) == ("active", ["unknown"])
        operations.send_again(attempt=the_attempt(delivery), actor=None, at=clock())
        run(0.5)

    attempt = the_attempt(delivery)
    outcomes = [row["outcome"] for row in upstream.truth(attempt.reference)["submissions"]]
    assert outcomes == ["nothing", "accepted", "balance_low"]
    assert attempt.sends == 3
    run(10)
    assert statuses(delivery) == ("succeeded", ["succeeded"])
    assert delivered(upstream, other_upstream) == ["13800138001"]


def test_not_found_counts_from_the_last_sending(
    supplier: Supplier, upstream: SupplierProcess, run: Run, clock: Clock
) -> None:
    upstream.faults("drop")
    delivery = a_delivery()
    run()
    clock.forward(300)
    operations.send_again(attempt=the_attempt(delivery), actor=None, at=clock())
    run()

    for seconds in (100, 100, 100, 50):  # 350 s after the last sending, 650 s after the first
        run(seconds)
        assert statuses(delivery) == ("active", ["unknown"])
    run(10)
    run(2)

    assert statuses(delivery) == ("failed", ["failed"])


def test_only_an_unknown_attempt_is_sent_again(supplier: Supplier, run: Run, clock: Clock) -> None:
    delivery = a_delivery()
    run()
    with pytest.raises(AttemptNotUnknown):
        operations.send_again(attempt=the_attempt(delivery), actor=None, at=clock())


# What the database refuses


def test_a_second_live_attempt_is_refused_by_the_database(supplier: Supplier, run: Run) -> None:
    delivery = a_delivery()
    run()
    run(3)
    attempt = the_attempt(delivery)
    assert attempt.status == "succeeded"
    for status in ("sending", "waiting", "unknown", "succeeded"):
        with pytest.raises(IntegrityError, match="attempt_one_live_a_delivery"), transaction():
            insert_attempt(attempt, status)


def insert_attempt(like: Attempt, status: str) -> None:
    with savepoint(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO fulfilment_attempt (delivery_id, offer_id, supplier_id, number, reference, status, sends,"
            " queries, not_found, failed_answers, supplier_reference, reason, detail, routing, due_at, created_at)"
            " VALUES (%s, %s, %s, 2, 'x', %s, 0, 0, 0, 0, '', '', '', '{}', now(), now())",
            [like.delivery_id, like.offer_id, like.supplier_id, status],
        )


# Circuit breaker


def test_the_third_failure_of_an_offer_pauses_it(
    second_supplier: Supplier,
    upstream: SupplierProcess,
    other_upstream: SupplierProcess,
    run: Run,
    clock: Clock,
) -> None:
    upstream.faults("refuse:1102")
    for _ in range(3):
        a_delivery(at=clock())
        run(1)
    offer = Offer.objects.get(supplier__slug="first", sku_code="mobile-50")
    assert offer.paused_until == clock() + timedelta(minutes=30)

    spared = a_delivery(at=clock())
    run(1)

    assert len(upstream.truth()["submissions"]) == 3
    assert the_attempt(spared).supplier.slug == "second"


def test_a_balance_that_is_too_low_pauses_the_supplier_for_all_its_products(
    supplier: Supplier, upstream: SupplierProcess, run: Run, clock: Clock
) -> None:
    upstream.faults("balance_empty")
    for _ in range(3):
        a_delivery(at=clock())
        run(1)

    supplier.refresh_from_db()
    assert supplier.paused_until is not None
    waiting = a_delivery(at=clock())
    run(1)
    assert statuses(waiting) == ("ready", [])
    operations.pause_supplier(supplier=supplier, until=None, actor=None, at=clock())
    upstream.faults()
    run(15)
    run(3)
    assert statuses(waiting) == ("succeeded", ["succeeded"])


def test_a_delivery_waits_for_a_pause_only_so_long(supplier: Supplier, run: Run, clock: Clock) -> None:
    operations.pause_supplier(supplier=supplier, until=clock() + timedelta(hours=2), actor=None, at=clock())
    delivery = a_delivery()
    run()
    run(300)
    assert statuses(delivery) == ("ready", [])
    run(400)
    assert statuses(delivery) == ("failed", [])


def test_a_misconfigured_supplier_stops_nobody_else(
    second_supplier: Supplier, supplier: Supplier, run: Run
) -> None:
    Supplier.objects.filter(pk=supplier.pk).update(base_url="http://supplier.example")
    delivery = a_delivery()
    run()
    run(3)
    assert statuses(delivery) == ("succeeded", ["succeeded"])
    assert the_attempt(delivery).supplier.slug == "second"


def test_a_broken_adapter_leaves_the_outcome_unknown(
    supplier: Supplier, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> Answer:
        raise ZeroDivisionError

    monkeypatch.setattr(Goofish, "submit", broken)
    delivery = a_delivery()
    run()
    assert statuses(delivery) == ("active", ["unknown"])


# Routing


def test_the_inputs_of_a_decision_lead_to_it_again(second_supplier: Supplier, run: Run) -> None:
    delivery = a_delivery()
    run()
    attempt = the_attempt(delivery)
    kept = json.loads(json.dumps(attempt.routing))
    assert routing.choose(kept) == kept["chosen"] == attempt.offer_id
    assert "13800138001" not in json.dumps(kept)


def test_the_cheaper_of_equal_offers_is_used(supplier: Supplier, run: Run) -> None:
    cheap = an_offer(supplier, code="HF-CUCC-50", cost_fen=4900)
    an_offer(supplier, code="HF-CTCC-50", cost_fen=4800, stock=0)
    delivery = a_delivery()
    run()
    assert Attempt.objects.filter(delivery=delivery).earliest("number").offer == cheap


def test_only_one_supplier_when_asked(second_supplier: Supplier, supplier: Supplier, run: Run) -> None:
    delivery = a_delivery()
    run(supplier=second_supplier)
    assert statuses(delivery) == ("ready", [])
    run(supplier=supplier)
    assert statuses(delivery) == ("active", ["waiting"])


def test_running_again_changes_nothing(supplier: Supplier, upstream: SupplierProcess, run: Run) -> None:
    delivery = a_delivery()
    run()
    run(3)
    for seconds in (0, 0, 60, 3600):
        assert run(seconds).as_dict() == {
            "batches": 0,
            "sent": 0,
            "asked": 0,
            "succeeded": 0,
            "failed": 0,
            "unknown": 0,
        }
    assert len(upstream.truth()["submissions"]) == 1
    assert statuses(delivery) == ("succeeded", ["succeeded"])
