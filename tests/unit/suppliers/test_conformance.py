"""Every adapter against the real simulator: each way in which a supplier answers, and what it proves."""

import asyncio
import itertools
import socket
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from benefits.suppliers import http, registry
from benefits.suppliers.base import (
    Config,
    ConfigError,
    Kind,
    Order,
    Reason,
    State,
    Supplier,
    SupplierError,
    Verdict,
    disagreements,
)
from tests.supplier_process import SupplierProcess

CONFIGS: dict[str, Callable[..., Config]] = {"goofish": SupplierProcess.config}
T = TypeVar("T")
numbers = itertools.count(1)


def test_every_registered_adapter_is_tested() -> None:
    assert set(CONFIGS) == set(registry.ADAPTERS)


@pytest.fixture(params=sorted(CONFIGS))
def config(request: pytest.FixtureRequest, simulator: SupplierProcess) -> Config:
    return CONFIGS[request.param](simulator)


def a_topup(**changes: Any) -> Order:
    order = Order(
        reference=f"T{next(numbers):06d}",
        product="HF-CMCC-50",
        kind=Kind.DIRECT,
        cost_fen=4925,
        ceiling_fen=4925,
        account="13800138001",
    )
    return replace(order, **changes)


def a_card(**changes: Any) -> Order:
    return a_topup(
        product="KM-GIFT-50", kind=Kind.CARD, cost_fen=4950, ceiling_fen=4950, account="", **changes
    )


def speak(config: Config, what: Callable[[Supplier], Coroutine[Any, Any, T]]) -> T:
    async def conversation() -> T:
        async with http.open_session() as session:
            return await what(registry.connect(config, session))

    return asyncio.run(conversation())


def test_a_topup_is_accepted_and_then_succeeds_as_ordered(config: Config, simulator: SupplierProcess) -> None:
    order = a_topup()

    answer = speak(config, lambda supplier: supplier.submit(order))
    result = speak(config, lambda supplier: supplier.query(order))

    assert answer.verdict is Verdict.ACCEPTED
    assert answer.supplier_ref
    assert result.state is State.SUCCESS
    assert disagreements(order, result) == ()
    assert [d["account"] for d in simulator.truth(order.reference)["deliveries"]] == ["13800138001"]


def test_a_card_comes_with_its_codes_and_never_shows_them(config: Config, simulator: SupplierProcess) -> None:
    order = a_card(quantity=2, reference=f"C{next(numbers)}")
    order = replace(order, cost_fen=9900, ceiling_fen=9900)

    speak(config, lambda supplier: supplier.submit(order))
    result = speak(config, lambda supplier: supplier.query(order))

    assert disagreements(order, result) == ()
    assert len({card.secret for card in result.cards}) == 2
    assert not any(card.secret in repr(result) or card.number in repr(result.cards) for card in result.cards)


REFUSED = [
    (a_topup(product="NOTHING"), Reason.NO_SUCH_PRODUCT),
    (a_topup(ceiling_fen=4924), Reason.PRICE_ABOVE_CEILING),
    (a_topup(quantity=100_000, ceiling_fen=10**10), Reason.OUT_OF_STOCK),
    (a_topup(account=""), Reason.BAD_REQUEST),
]


@pytest.mark.parametrize(("order", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_a_documented_refusal_is_rejected(
    config: Config, simulator: SupplierProcess, order: Order, reason: Reason
) -> None:
    answer = speak(config, lambda supplier: supplier.submit(order))

    assert (answer.verdict, answer.reason) == (Verdict.REJECTED, reason)
    assert simulator.truth(order.reference)["orders"] == []


def test_a_balance_that_is_too_low_is_rejected(config: Config, simulator: SupplierProcess) -> None:
    simulator.faults("balance_empty")

    answer = speak(config, lambda supplier: supplier.submit(a_topup()))

    assert (answer.verdict, answer.reason) == (Verdict.REJECTED, Reason.BALANCE_LOW)


def test_a_repeated_number_is_unknown_and_delivers_once(config: Config, simulator: SupplierProcess) -> None:
    order = a_topup()

    speak(config, lambda supplier: supplier.submit(order))
    again = speak(config, lambda supplier: supplier.submit(order))

    assert (again.verdict, again.reason) == (Verdict.UNKNOWN, Reason.DUPLICATE)
    speak(config, lambda supplier: supplier.query(order))
    assert len(simulator.truth(order.reference)["deliveries"]) == 1


NOTHING_TAKEN = ["error_500", "error_502_html", "reset_after_read", "drop"]
TAKEN = [
    "timeout_after_accept",
    "reset_after_accept",
    "error_500_after_accept",
    "half_json",
    "empty_200",
    "slow_drip",
    "huge_answer",
]


@pytest.mark.parametrize("fault", NOTHING_TAKEN + TAKEN)
def test_an_answer_that_proves_nothing_is_unknown(
    config: Config, simulator: SupplierProcess, fault: str
) -> None:
    simulator.faults(fault)
    order = a_topup()

    answer = speak(config, lambda supplier: supplier.submit(order))
    result = speak(config, lambda supplier: supplier.query(order))

    assert answer.verdict is Verdict.UNKNOWN
    assert result.state is (State.SUCCESS if fault in TAKEN else State.NOT_FOUND)


def test_a_refusal_with_a_code_that_is_in_no_document_is_unknown(
    config: Config, simulator: SupplierProcess
) -> None:
    simulator.faults(targets={"HF-CMCC-50": "refuse:9999"})

    assert speak(config, lambda supplier: supplier.submit(a_topup())).verdict is Verdict.UNKNOWN


def test_nobody_listening_means_that_nothing_was_sent(config: Config) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nowhere = replace(config, base_url=f"http://127.0.0.1:{taken.getsockname()[1]}")

        assert speak(nowhere, lambda supplier: supplier.submit(a_topup())).verdict is Verdict.NOT_SENT


def test_a_name_without_an_address_means_that_nothing_was_sent(config: Config) -> None:
    nowhere = replace(config, base_url="https://supplier.invalid")

    assert speak(nowhere, lambda supplier: supplier.submit(a_topup())).verdict is Verdict.NOT_SENT


def test_a_host_that_speaks_no_tls_means_that_nothing_was_sent(config: Config) -> None:
    plain = replace(config, base_url=config.base_url.replace("http://", "https://"))

    assert speak(plain, lambda supplier: supplier.submit(a_topup())).verdict is Verdict.NOT_SENT


def test_an_order_that_fails_later_says_why(config: Config, simulator: SupplierProcess) -> None:
    simulator.faults("fail_later")
    order = a_topup()

    answer = speak(config, lambda supplier: supplier.submit(order))
    result = speak(config, lambda supplier: supplier.query(order))

    assert answer.verdict is Verdict.ACCEPTED
    assert result.state is State.FAILED
    assert result.reason in {
        Reason.NUMBER_EMPTY, Reason.NUMBER_SUSPENDED, Reason.MAINTENANCE, Reason.NUMBER_NOT_SUPPORTED,
    }  # fmt: skip
    assert simulator.truth(order.reference)["deliveries"] == []


def test_numbers_that_end_in_0000_fail_in_the_demo(config: Config, simulator: SupplierProcess) -> None:
    simulator.call("PUT", "/_sim/faults", {"settings": {"settle_after": 0}})
    fails, works = a_topup(account="13800130000"), a_topup(account="13800130001")

    speak(config, lambda supplier: supplier.submit(fails))
    speak(config, lambda supplier: supplier.submit(works))

    assert speak(config, lambda supplier: supplier.query(fails)).state is State.FAILED
    assert speak(config, lambda supplier: supplier.query(works)).state is State.SUCCESS


@pytest.mark.parametrize(
    ("fault", "what"),
    [("wrong_amount", "cost"), ("wrong_number", "account"), ("wrong_product", "product")],
)
def test_a_success_that_says_something_else_disagrees(
    config: Config, simulator: SupplierProcess, fault: str, what: str
) -> None:
    simulator.faults(fault)
    order = a_topup()

    speak(config, lambda supplier: supplier.submit(order))
    result = speak(config, lambda supplier: supplier.query(order))

    assert result.state is State.SUCCESS
    assert disagreements(order, result) == (what,)


@pytest.mark.parametrize("fault", ["card_empty", "card_short"])
def test_a_success_without_all_its_codes_disagrees(
    config: Config, simulator: SupplierProcess, fault: str
) -> None:
    simulator.faults(fault)
    order = a_card(reference=f"C{next(numbers)}")

    speak(config, lambda supplier: supplier.submit(order))

    assert "cards" in disagreements(order, speak(config, lambda supplier: supplier.query(order)))


def test_not_found_and_then_found(config: Config, simulator: SupplierProcess) -> None:
    simulator.faults("query_not_found:1")
    order = a_topup()

    async def ask(supplier: Supplier) -> list[State]:
        await supplier.submit(order)
        first = await supplier.query(order)
        await asyncio.sleep(1.1)
        return [first.state, (await supplier.query(order)).state]

    assert speak(config, ask) == [State.NOT_FOUND, State.SUCCESS]


@pytest.mark.parametrize("fault", ["query_500", "query_html", "query_unknown_state"])
def test_a_query_that_cannot_be_read_is_unknown(
    config: Config, simulator: SupplierProcess, fault: str
) -> None:
    simulator.faults(fault)
    order = a_topup()

    speak(config, lambda supplier: supplier.submit(order))

    assert speak(config, lambda supplier: supplier.query(order)).state is State.UNKNOWN


def test_flapping_shows_failed_and_in_progress(config: Config, simulator: SupplierProcess) -> None:
    simulator.faults("query_flapping", settle_after=60)
    order = a_topup()

    speak(config, lambda supplier: supplier.submit(order))
    states = [speak(config, lambda supplier: supplier.query(order)).state for _ in range(2)]

    assert set(states) == {State.FAILED, State.IN_PROGRESS}


def test_balance_info_and_goods(config: Config, simulator: SupplierProcess) -> None:
    simulator.call("PUT", "/_sim/balance", {"fen": 123_456})

    assert speak(config, lambda supplier: supplier.balance()) == 123_456
    assert speak(config, lambda supplier: supplier.info()).account
    goods = {item.product: item for item in speak(config, lambda supplier: supplier.goods())}
    assert goods["HF-CMCC-50"].cost_fen == 4925
    assert goods["KM-GIFT-50"].kind is Kind.CARD
    simulator.call("PUT", "/_sim/balance", {"fen": 100_000_000})


def test_a_wrong_secret_is_refused_everywhere(config: Config) -> None:
    stranger = replace(config, credentials={**config.credentials, "mch_secret": "wrong"})

    answer = speak(stranger, lambda supplier: supplier.submit(a_topup()))

    assert (answer.verdict, answer.reason) == (Verdict.REJECTED, Reason.BAD_SIGNATURE)
    with pytest.raises(SupplierError):
        speak(stranger, lambda supplier: supplier.balance())


@pytest.mark.parametrize(
    "address",
    [
        "http://supplier.example",
        "ftp://localhost",
        "https://user@host.example",
        "not an address",
        "https://h?x=1",
    ],
)
def test_an_unsafe_address_is_refused(config: Config, address: str) -> None:
    with pytest.raises(ConfigError):
        speak(replace(config, base_url=address), lambda supplier: supplier.info())


def test_missing_credentials_are_named(config: Config) -> None:
    with pytest.raises(ConfigError, match="mch_secret"):
        speak(replace(config, credentials={**config.credentials, "mch_secret": ""}), lambda s: s.info())


def test_secrets_do_not_show(config: Config) -> None:
    assert config.credentials["mch_secret"] not in repr(config)


def test_what_was_accepted_survives_a_kill(config: Config, simulator: SupplierProcess) -> None:
    simulator.faults(settle_after=0.5)
    order = a_topup()
    speak(config, lambda supplier: supplier.submit(order))

    simulator.kill()
    simulator.restart()
    simulator.faults()

    async def wait(supplier: Supplier) -> State:
        await asyncio.sleep(0.6)
        return (await supplier.query(order)).state

    assert speak(config, wait) is State.SUCCESS
    assert "delivered" in (simulator.state / "truth.jsonl").read_text(encoding="utf-8")
