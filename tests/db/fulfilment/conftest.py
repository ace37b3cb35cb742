"""Deliveries against a real supplier simulator, under a clock that a test moves by hand."""

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benefits.fulfilment import operations
from benefits.fulfilment.engine import Tally
from benefits.fulfilment.models import Attempt, Delivery, Offer, Supplier
from benefits.suppliers.simulator.dialects.goofish import DEFAULT_KEYS
from tests.supplier_process import SupplierProcess

items = itertools.count(1)


class Clock:
    """The time of the mall, from now on only as a test says; the simulator keeps its own."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def supplier_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SupplierProcess]:
    process = SupplierProcess(Path(tmp_path_factory.mktemp("supplier")))
    yield process
    process.stop()


@pytest.fixture(scope="session")
def second_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SupplierProcess]:
    process = SupplierProcess(Path(tmp_path_factory.mktemp("second")))
    yield process
    process.stop()


@pytest.fixture
def upstream(supplier_process: SupplierProcess) -> SupplierProcess:
    """The simulator behind the first supplier, honest until a test says otherwise."""
    supplier_process.call("POST", "/_sim/reset")
    supplier_process.faults()
    return supplier_process


@pytest.fixture
def other_upstream(second_process: SupplierProcess) -> SupplierProcess:
    second_process.call("POST", "/_sim/reset")
    second_process.faults()
    return second_process


def a_supplier(process: SupplierProcess, slug: str, **options: str) -> Supplier:
    quick = {"deadline": "1", "first_query_after": "3", "equal_answers_over": "2"}
    credentials = {**DEFAULT_KEYS, "options": quick | options}
    return Supplier.objects.create(
        slug=slug, name=slug, adapter="goofish", base_url=process.url, credentials=json.dumps(credentials)
    )


def an_offer(
    supplier: Supplier, *, sku: str = "mobile-50", code: str = "HF-CMCC-50", **changes: Any
) -> Offer:
    values = {"cost_fen": 4925, "priority": 100} | changes
    return Offer.objects.create(supplier=supplier, sku_code=sku, supplier_code=code, **values)


def a_delivery(*, at: datetime | None = None, **changes: Any) -> Delivery:
    """A top-up that was ordered a second ago, unless told otherwise."""
    at = at or datetime.now(UTC) - timedelta(seconds=1)
    number = next(items)
    values: dict[str, Any] = {
        "company": "acme",
        "item_id": number,
        "order_number": f"A{number:08d}",
        "sku_code": "mobile-50",
        "kind": "top_up",
        "speed": "fast",
        "face_fen": 5000,
        "ceiling_fen": 4990,
        "account": "13800138001",
        "account_hint": "138 **** 8001",
    } | changes
    index = operations.account_index(values["account"])
    return Delivery.objects.create(account_index=index, due_at=at, created_at=at, **values)


def a_card_delivery(**changes: Any) -> Delivery:
    return a_delivery(
        sku_code="gift-50", kind="card", ceiling_fen=5000, account="", account_hint="", **changes
    )


@pytest.fixture
def supplier(public: None, upstream: SupplierProcess) -> Supplier:
    """One supplier with one offer for the top-up and one for the card."""
    supplier = a_supplier(upstream, "first")
    an_offer(supplier)
    an_offer(supplier, sku="gift-50", code="KM-GIFT-50", cost_fen=4950)
    return supplier


@pytest.fixture
def second_supplier(supplier: Supplier, other_upstream: SupplierProcess) -> Supplier:
    """Another one that comes second."""
    second = a_supplier(other_upstream, "second")
    an_offer(second, priority=200)
    an_offer(second, sku="gift-50", code="KM-GIFT-50", cost_fen=4950, priority=200)
    return second


@pytest.fixture
def run(clock: Clock) -> Callable[..., Tally]:
    """Let some seconds pass, then run the engine once."""

    def run(seconds: float = 0.0, **options: Any) -> Tally:
        clock.forward(seconds)
        return operations.send_due(clock=clock, **options)

    return run


def the_attempt(delivery: Delivery) -> Attempt:
    return Attempt.objects.filter(delivery=delivery).latest("number")


def statuses(delivery: Delivery) -> tuple[str, list[str]]:
    """The delivery's status and those of its attempts, first to last."""
    delivery.refresh_from_db()
    attempts = Attempt.objects.filter(delivery=delivery).order_by("number")
    return delivery.status, [attempt.status for attempt in attempts]


def delivered(*processes: SupplierProcess) -> list[str]:
    """The accounts to which value really went."""
    return [row["account"] for process in processes for row in process.truth()["deliveries"]]
