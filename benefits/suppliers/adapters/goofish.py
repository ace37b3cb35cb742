"""The goofish standard: JSON over POST, a signed query, amounts in fen (docs/suppliers/goofish.md)."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aiohttp

from benefits.suppliers import http, signers, wire
from benefits.suppliers.base import (
    Answer,
    Callback,
    CallbackForged,
    CallbackMalformed,
    CardCode,
    Config,
    ConfigError,
    Goods,
    Info,
    Kind,
    Order,
    Reason,
    Reply,
    Result,
    Rhythm,
    State,
    SupplierError,
    Verdict,
)

CREDENTIALS = ("app_id", "app_secret", "mch_id", "mch_secret")
CREATE = {Kind.DIRECT: "/goofish/order/recharge/create", Kind.CARD: "/goofish/order/purchase/create"}
ORDER_TYPE = {Kind.DIRECT: 1, Kind.CARD: 2}
KINDS = {1: Kind.DIRECT, 2: Kind.CARD}
STATES = {10: State.IN_PROGRESS, 20: State.SUCCESS, 30: State.FAILED}

# Documented refusals: the order was not taken. A code that is not here leaves the order unknown.
REFUSALS = {
    401: Reason.BAD_SIGNATURE,
    408: Reason.CLOCK,
    1000: Reason.ACCOUNT_CLOSED,
    1001: Reason.ACCOUNT_CLOSED,
    1002: Reason.BALANCE_LOW,
    1100: Reason.NO_SUCH_PRODUCT,
    1101: Reason.OFF_SALE,
    1102: Reason.OUT_OF_STOCK,
    1201: Reason.BAD_REQUEST,
    1202: Reason.PRICE_ABOVE_CEILING,
}
ORDER_NOT_FOUND = 1200
ORDER_EXISTS = 1203

# Failed orders carry free text only; these words tell the employee what to do about it.
REMARKS = (
    ("空号", Reason.NUMBER_EMPTY),
    ("停机", Reason.NUMBER_SUSPENDED),
    ("实名", Reason.REAL_NAME),
    ("黑名单", Reason.BLACKLISTED),
    ("维护", Reason.MAINTENANCE),
    ("不支持", Reason.NUMBER_NOT_SUPPORTED),
    ("库存", Reason.OUT_OF_STOCK),
    ("无货", Reason.OUT_OF_STOCK),
    ("渠道", Reason.NO_CHANNEL),
)


class Goofish:
    """One supplier that speaks the goofish standard."""

    def __init__(
        self,
        config: Config,
        session: aiohttp.ClientSession | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if missing := [name for name in CREDENTIALS if not config.credentials.get(name)]:
            raise ConfigError(f"{config.code}: set {', '.join(missing)} in the supplier's credentials.")
        self._keys = {name: config.credentials[name] for name in CREDENTIALS}
        self._clock = clock
        self._code = config.code
        deadline = _seconds(config, "deadline", 10.0) or 10.0
        http.checked_address(config.base_url)
        self._client = http.Client(session, config.base_url, deadline=deadline) if session else None
        self._rhythm = Rhythm(
            first_query_after=_seconds(config, "first_query_after", 3.0) or 0.0,
            # A request is refused once its timestamp is 300 s old, so what is not there a minute later
            # can no longer come to be.
            not_found_definite_after=_seconds(config, "not_found_definite_after", 360.0),
            equal_answers_over=_seconds(config, "equal_answers_over", 2.0) or 0.0,
            request_valid=300.0,
        )

    @property
    def rhythm(self) -> Rhythm:
        return self._rhythm

    async def submit(self, order: Order) -> Answer:
        """Create a top-up or card order under our own number."""
        body: dict[str, Any] = {
            "order_no": order.reference,
            "goods_no": order.product,
            "buy_quantity": order.quantity,
            "max_amount": order.ceiling_fen,
            "notify_url": order.callback_url,
            "biz_order_no": order.reference,
        }
        if order.kind is Kind.DIRECT:
            body["biz_content"] = {"account": order.account}
        try:
            code, message, data = await self._ask(CREATE[order.kind], body)
        except http.NotSent as error:
            return Answer(Verdict.NOT_SENT, detail=str(error))
        except (http.NoAnswer, wire.Unreadable) as error:
            return Answer(Verdict.UNKNOWN, detail=str(error))
        if code in REFUSALS:
            return Answer(Verdict.REJECTED, reason=REFUSALS[code], detail=f"{code} {message}")
        if code == ORDER_EXISTS:
            return Answer(Verdict.UNKNOWN, reason=Reason.DUPLICATE, detail=f"{code} {message}")
        if (
            code != 0
            or data.get("order_no") != order.reference
            or wire.whole(data, "order_status") not in STATES
        ):
            return Answer(Verdict.UNKNOWN, reason=Reason.OTHER, detail=f"{code} {message}")
        result = _result(data)
        return Answer(Verdict.ACCEPTED, supplier_ref=result.supplier_ref, result=result)

    async def query(self, order: Order) -> Result:
        """Ask for the order by our own number."""
        body = {"order_type": ORDER_TYPE[order.kind], "order_no": order.reference}
        try:
            code, message, data = await self._ask("/goofish/order/detail", body)
        except (http.HttpError, wire.Unreadable) as error:
            return Result(State.UNKNOWN, detail=str(error))
        if code == ORDER_NOT_FOUND:
            return Result(State.NOT_FOUND, detail=f"{code} {message}")
        if code != 0:
            return Result(State.UNKNOWN, detail=f"{code} {message}")
        if data.get("order_no") != order.reference:
            return Result(State.UNKNOWN, detail="the answer is about another order")
        return _result(data)

    def read_callback(self, body: bytes, query: Mapping[str, str], headers: Mapping[str, str]) -> Callback:
        """Check the signature over the bytes as received, then read what the message is about.

        Its age is not checked: a supplier repeats a message for hours, and a hint does no harm.
        Raises CallbackForged, CallbackMalformed.
        """
        sign = signers.goofish(**self._keys, body=body, timestamp=query.get("timestamp", ""))
        if not signers.same(sign, query.get("sign", "").lower()):
            raise CallbackForged("the signature is missing or wrong")
        if not signers.same(self._keys["mch_id"], query.get("mch_id", "")):
            raise CallbackForged("the merchant is another one")
        try:
            data = wire.read_object(body)
        except wire.Unreadable as error:
            raise CallbackMalformed(str(error)) from None
        reference = wire.text(data, "order_no", 64)
        if not reference:
            raise CallbackMalformed("order_no is missing")
        state = STATES.get(wire.whole(data, "order_status") or 0, State.UNKNOWN)
        return Callback(
            reference=reference,
            state=state,
            supplier_ref=wire.text(data, "out_order_no", 64),
            event_id=hashlib.sha256(body).hexdigest(),
            detail=wire.remark(wire.text(data, "remark")),
        )

    def callback_reply(self, *, known: bool) -> Reply:
        """Acknowledge a message, or say that the order is not ours, which stops the repeats."""
        if known:
            return Reply(200, b'{"code":0,"msg":"OK"}')
        return Reply(200, '{"code":1200,"msg":"订单不存在"}'.encode())

    async def balance(self) -> int:
        """Return what our account at the supplier holds, in fen. Raises SupplierError."""
        fen = wire.whole(await self._get("/goofish/user/info", {}), "balance")
        if fen is None:
            raise SupplierError(f"{self._code}: the answer holds no balance")
        return fen

    async def info(self) -> Info:
        """Ask who answers at this address and what it can do. Raises SupplierError."""
        data = await self._get("/goofish/open/info", {})
        features = data.get("features")
        flags = features.items() if isinstance(features, dict) else ()
        return Info(str(data.get("app_id", "")), {str(name): flag is True for name, flag in flags})

    async def goods(self) -> Sequence[Goods]:
        """List all products with cost and stock, page by page. Raises SupplierError."""
        found: list[Goods] = []
        for page in range(1, 201):
            data = await self._get("/goofish/goods/list", {"page_no": page, "page_size": 100})
            rows = data.get("list")
            if not isinstance(rows, list):
                raise SupplierError(f"{self._code}: the answer holds no list of goods")
            found += [goods for row in rows if isinstance(row, dict) and (goods := _goods(row))]
            if len(rows) < 100:
                return found
        raise SupplierError(f"{self._code}: more than 20,000 goods")

    async def goods_detail(self, product: str, kind: Kind) -> Goods:
        """Return one product with its cost and stock as they are now. Raises SupplierError."""
        data = await self._get("/goofish/goods/detail", {"goods_type": ORDER_TYPE[kind], "goods_no": product})
        if goods := _goods(data):
            return goods
        raise SupplierError(f"{self._code}: the answer holds no goods")

    async def _get(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            code, message, data = await self._ask(path, body)
        except wire.Unreadable as error:
            raise SupplierError(f"{self._code}: {error}") from None
        if code != 0:
            raise SupplierError(f"{self._code}: {code} {message}")
        return data

    async def _ask(self, path: str, body: dict[str, Any]) -> tuple[int, str, dict[str, Any]]:
        """Sign, send and read one envelope: its code, its message without secrets, its data."""
        if self._client is None:
            raise ConfigError(f"{self._code}: no HTTP session is open")
        payload = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        timestamp = str(int(self._clock()))
        sign = signers.goofish(**self._keys, body=payload, timestamp=timestamp)
        query = {"mch_id": self._keys["mch_id"], "timestamp": timestamp, "sign": sign}
        response = await self._client.post(path, query=query, body=payload)
        if response.status != 200:
            raise wire.Unreadable(f"HTTP {response.status}")
        envelope = wire.read_object(response.body)
        code = envelope.get("code")
        if type(code) is not int:
            raise wire.Unreadable("the answer has no code")
        data = envelope.get("data")
        return code, wire.remark(wire.text(envelope, "msg")), data if isinstance(data, dict) else {}


def _result(data: Mapping[str, Any]) -> Result:
    state = STATES.get(wire.whole(data, "order_status") or 0, State.UNKNOWN)
    content = data.get("biz_content")
    account = content.get("account") if isinstance(content, dict) else None
    remark = wire.text(data, "remark")
    return Result(
        state=state,
        supplier_ref=wire.text(data, "out_order_no", 64),
        account=account if isinstance(account, str) else None,
        product=wire.text(data, "goods_no", 64) or None,
        quantity=wire.whole(data, "buy_quantity"),
        cost_fen=wire.whole(data, "order_amount"),
        reason=_reason(remark) if state is State.FAILED else Reason.NONE,
        detail=wire.remark(remark),
        cards=_cards(data.get("card_items")),
    )


def _reason(remark: str) -> Reason:
    return next((reason for word, reason in REMARKS if word in remark), Reason.OTHER)


def _cards(items: object) -> tuple[CardCode, ...]:
    if not isinstance(items, list):
        return ()
    return tuple(
        CardCode(secret=secret, number=wire.text(item, "card_no", 500))
        for item in items
        if isinstance(item, dict) and (secret := wire.text(item, "card_pwd", 500))
    )


def _goods(row: Mapping[str, Any]) -> Goods | None:
    kind = KINDS.get(wire.whole(row, "goods_type") or 0)
    product = wire.text(row, "goods_no", 64)
    cost_fen = wire.whole(row, "price")
    if kind is None or not product or cost_fen is None:
        return None
    return Goods(
        product=product,
        kind=kind,
        name=wire.text(row, "goods_name"),
        cost_fen=cost_fen,
        stock=wire.whole(row, "stock") or 0,
        on_sale=wire.whole(row, "status") == 1,
    )


def _seconds(config: Config, name: str, default: float) -> float | None:
    """Read an option in seconds; the word `never` means None."""
    value = config.options.get(name, "")
    if value == "":
        return default
    if value == "never":
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 10**6:
        raise ConfigError(f"{config.code}: {name} must be a number of seconds or 'never', not {value!r}.")
    return seconds
