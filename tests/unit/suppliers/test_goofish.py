"""What only the goofish adapter does: reading callbacks, and answers that are almost right."""

import asyncio
import json
from typing import Any

import pytest

from benefits.suppliers import registry, signers
from benefits.suppliers.adapters.goofish import Goofish
from benefits.suppliers.base import (
    CallbackForged,
    CallbackMalformed,
    Config,
    ConfigError,
    Kind,
    Order,
    State,
    Verdict,
)
from benefits.suppliers.http import Response

KEYS = {"app_id": "1", "app_secret": "as", "mch_id": "1001", "mch_secret": "ms"}
CONFIG = Config("sim", "goofish", "https://supplier.example/open", KEYS)
ORDER = Order("R1", "HF-CMCC-50", Kind.DIRECT, 4925, 4925, account="13800138000")
AGREED = {
    "order_no": "R1", "out_order_no": "S1", "order_status": 20, "order_amount": 4925,
    "goods_no": "HF-CMCC-50",
    "buy_quantity": 1, "biz_content": {"account": "13800138000"},
}  # fmt: skip


def a_message(
    body: bytes, keys: dict[str, str] = KEYS, timestamp: str = "1724414553"
) -> tuple[bytes, dict[str, str]]:
    sign = signers.goofish(**keys, body=body, timestamp=timestamp)
    return body, {"mch_id": keys["mch_id"], "timestamp": timestamp, "sign": sign}


def test_a_signed_callback_is_a_hint_about_our_order() -> None:
    body, query = a_message(b'{"order_no":"R1","out_order_no":"S1","order_status":20}')

    callback = registry.connect(CONFIG).read_callback(body, query, {})

    assert (callback.reference, callback.state, callback.supplier_ref) == ("R1", State.SUCCESS, "S1")
    assert (
        callback.event_id
        == registry.connect(CONFIG).read_callback(*a_message(body, timestamp="2"), {}).event_id
    )


@pytest.mark.parametrize(
    "change",
    [
        {"sign": ""}, {"sign": "0" * 32}, {"sign": "签名"}, {"timestamp": "1724414554"}, {"mch_id": "1002"},
        {"sign": None}, {"timestamp": None}, {"mch_id": None},
    ],
)  # fmt: skip
def test_a_callback_with_anything_changed_is_forged(change: dict[str, str | None]) -> None:
    body, query = a_message(b'{"order_no":"R1","order_status":20}')
    changed = {name: value for name, value in (query | change).items() if value is not None}

    with pytest.raises(CallbackForged):
        registry.connect(CONFIG).read_callback(body, changed, {})


def test_a_right_signature_of_another_body_or_supplier_is_forged() -> None:
    body, query = a_message(b'{"order_no":"R1","order_status":30}')
    with pytest.raises(CallbackForged):
        registry.connect(CONFIG).read_callback(body.replace(b"30", b"20"), query, {})
    body, query = a_message(body, KEYS | {"mch_secret": "another supplier's"})
    with pytest.raises(CallbackForged):
        registry.connect(CONFIG).read_callback(body, query, {})


@pytest.mark.parametrize("body", [b"", b"[]", b"<xml/>", b"{}", b'{"order_no":5}', b"\xb6\xa9"])
def test_a_signed_callback_about_nothing_is_malformed(body: bytes) -> None:
    with pytest.raises(CallbackMalformed):
        registry.connect(CONFIG).read_callback(*a_message(body), {})


@pytest.mark.parametrize("status", ["99", "null", '"20"', "20.0", "true", "-20"])
def test_a_status_that_is_in_no_document_is_unknown(status: str) -> None:
    body = f'{{"order_no":"R1","order_status":{status}}}'.encode()
    assert registry.connect(CONFIG).read_callback(*a_message(body), {}).state is State.UNKNOWN


def test_the_replies_are_what_the_supplier_expects() -> None:
    supplier = registry.connect(CONFIG)
    assert json.loads(supplier.callback_reply(known=True).body) == {"code": 0, "msg": "OK"}
    assert json.loads(supplier.callback_reply(known=False).body)["code"] == 1200


class Scripted:
    """A client that gives one answer."""

    def __init__(self, status: int, body: bytes) -> None:
        self._response = Response(status, body)

    async def post(self, *_: Any, **__: Any) -> Response:
        return self._response


def adapter_that_hears(envelope: Any, status: int = 200) -> Goofish:
    adapter = Goofish(CONFIG, None)
    body = envelope if isinstance(envelope, bytes) else json.dumps(envelope).encode()
    adapter._client = Scripted(status, body)  # type: ignore[assignment]
    return adapter


@pytest.mark.parametrize(
    ("envelope", "status"),
    [
        ({"code": 0, "msg": "OK"}, 200),
        ({"code": "0", "data": AGREED}, 200),
        ({"code": 0, "data": AGREED}, 201),
        ({"code": 0, "data": AGREED | {"order_no": "R2"}}, 200),
        ({"code": 0, "data": AGREED | {"order_status": 99}}, 200),
        ({"code": 0, "data": [AGREED]}, 200),
        ({"code": 1, "msg": "请求错误"}, 200),
        ({"code": 500, "msg": "系统异常"}, 200),
        ({"code": 1209, "msg": "下单超时"}, 200),
        ({"code": 1102}, 500),
        (b'{"code":0,"code":1102}', 200),
    ],
)
def test_an_almost_right_answer_to_a_submission_is_unknown(envelope: Any, status: int) -> None:
    assert asyncio.run(adapter_that_hears(envelope, status).submit(ORDER)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("data", "state"),
    [
        (AGREED, State.SUCCESS),
        (AGREED | {"order_status": 30}, State.FAILED),
        (AGREED | {"order_no": "R2"}, State.UNKNOWN),
        (AGREED | {"order_status": "20"}, State.UNKNOWN),
        ({}, State.UNKNOWN),
    ],
)
def test_a_query_is_about_our_order_or_about_nothing(data: dict[str, Any], state: State) -> None:
    assert asyncio.run(adapter_that_hears({"code": 0, "data": data}).query(ORDER)).state is state


def test_amounts_that_are_not_integers_are_not_said() -> None:
    result = asyncio.run(
        adapter_that_hears({"code": 0, "data": AGREED | {"order_amount": "4925"}}).query(ORDER)
    )
    assert result.cost_fen is None


@pytest.mark.parametrize("value", ["soon", "-1", "nan", "inf"])
def test_a_time_that_is_none_is_named(value: str) -> None:
    with pytest.raises(ConfigError, match="not_found_definite_after"):
        Goofish(
            Config("sim", "goofish", "https://supplier.example", KEYS, {"not_found_definite_after": value}),
            None,
        )


def test_never_is_never() -> None:
    config = Config("sim", "goofish", "https://supplier.example", KEYS, {"not_found_definite_after": "never"})
    assert Goofish(config, None).rhythm.not_found_definite_after is None


def test_an_unknown_dialect_is_named() -> None:
    with pytest.raises(ConfigError, match="goofish"):
        registry.connect(Config("sim", "morse", "", {}))
