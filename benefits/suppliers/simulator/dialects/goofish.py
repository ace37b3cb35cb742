"""The goofish standard as its supplier side speaks it: routes, envelope, signature, callbacks."""

import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web
from yarl import URL

from benefits.suppliers import signers
from benefits.suppliers.simulator import wrong
from benefits.suppliers.simulator.goods import Item
from benefits.suppliers.simulator.store import Submission
from benefits.suppliers.simulator.supplier import SESSION, SimulatedSupplier, Taken

STATES = {"in_progress": 10, "success": 20, "failed": 30}
TYPES = {"direct": 1, "card": 2}
REFUSALS = {
    "balance_low": (1002, "商户余额不足"),
    "no_such_product": (1100, "商品不存在"),
    "off_sale": (1101, "商品不可用"),
    "out_of_stock": (1102, "商品库存不足"),
    "price_above_ceiling": (1202, "下单金额低于成本价"),
    "order_exists": (1203, "下单管家订单号已存在"),
}
DEFAULT_KEYS = {
    "app_id": "677859093659717",
    "app_secret": "simulator-app-secret",
    "mch_id": "1001",
    "mch_secret": "simulator-mch-secret",
}
CLOCK_TOLERANCE = 300  # seconds


class GoofishSide:
    """The routes of one simulated goofish supplier."""

    name = "goofish"

    def __init__(self, supplier: SimulatedSupplier, keys: Mapping[str, str], app: web.Application) -> None:
        self._supplier = supplier
        self._keys = dict(keys)
        self._app = app
        post = app.router.add_post
        post("/goofish/open/info", self._signed(self._info))
        post("/goofish/user/info", self._signed(self._user))
        post("/goofish/goods/list", self._signed(self._goods_list))
        post("/goofish/goods/detail", self._signed(self._goods_detail))
        post("/goofish/order/recharge/create", self._signed(self._recharge))
        post("/goofish/order/purchase/create", self._signed(self._purchase))
        post("/goofish/order/detail", self._signed(self._detail))

    def callback_body(self, order: sqlite3.Row, state: str) -> str:
        body: dict[str, Any] = {
            "order_type": TYPES[order["kind"]],
            "order_no": order["reference"],
            "out_order_no": order["supplier_ref"],
            "order_status": STATES[state],
            "end_time": int(order["finished_at"] or order["accepted_at"]),
        }
        if order["kind"] == "card" and state == "success":
            body["card_items"] = _card_items(order)
        if order["remark"]:
            body["remark"] = order["remark"]
        return _compact(body)

    def callback_url(self, url: str, body: str, *, forged: bool, at: float) -> str:
        timestamp = str(int(at))
        keys = self._keys | ({"mch_secret": "not-the-secret"} if forged else {})
        sign = signers.goofish(**keys, body=body.encode(), timestamp=timestamp)
        return str(URL(url).update_query(mch_id=self._keys["mch_id"], timestamp=timestamp, sign=sign))

    def is_acknowledged(self, status: int, body: bytes) -> bool:
        try:
            answer = json.loads(body)
        except ValueError:
            return False
        return status == 200 and isinstance(answer, dict) and answer.get("code") in (0, 1200)

    def _signed(
        self, handle: Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def checked(request: web.Request) -> web.StreamResponse:
            raw = await request.read()
            timestamp = request.query.get("timestamp", "")
            sign = signers.goofish(**self._keys, body=raw, timestamp=timestamp)
            if request.query.get("mch_id") != self._keys["mch_id"]:
                return _refuse(1000, "商户不存在")
            if not signers.same(sign, request.query.get("sign", "")):
                return _refuse(401, "签名错误")
            if not timestamp.isdigit() or abs(self._supplier.clock() - int(timestamp)) > CLOCK_TOLERANCE:
                return _refuse(408, "时间戳已超过有效期")
            try:
                body = json.loads(raw or b"{}")
            except ValueError:
                return _refuse(1, "请求错误")
            return await handle(request, body if isinstance(body, dict) else {})

        return checked

    async def _info(self, _request: web.Request, _body: dict[str, Any]) -> web.StreamResponse:
        features = {"is_support_order_refund": False, "is_support_goods_notify": False}
        return _ok({"app_id": int(self._keys["app_id"]), "features": features})

    async def _user(self, _request: web.Request, _body: dict[str, Any]) -> web.StreamResponse:
        return _ok({"balance": self._supplier.store.balance()})

    async def _goods_list(self, _request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        wanted = body.get("goods_type")
        rows = [_goods(item) for item in self._supplier.goods.values() if wanted in (None, TYPES[item.kind])]
        size = min(max(int(body.get("page_size") or 50), 1), 100)
        start = (max(int(body.get("page_no") or 1), 1) - 1) * size
        return _ok({"list": rows[start : start + size], "count": len(rows)})

    async def _goods_detail(self, _request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        item = self._supplier.goods.get(str(body.get("goods_no")))
        return _ok(_goods(item)) if item else _refuse(1100, "商品不存在")

    async def _recharge(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        content = body.get("biz_content")
        account = content.get("account") if isinstance(content, dict) else None
        return await self._create(request, body, "direct", account if isinstance(account, str) else "")

    async def _purchase(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return await self._create(request, body, "card", "")

    async def _create(
        self, request: web.Request, body: dict[str, Any], kind: str, account: str
    ) -> web.StreamResponse:
        reference, product = body.get("order_no"), body.get("goods_no")
        quantity, ceiling = body.get("buy_quantity"), body.get("max_amount")
        notify_url = body.get("notify_url")
        if (
            not (isinstance(reference, str) and reference and isinstance(product, str))
            or type(quantity) is not int
            or quantity < 1
            or not (ceiling is None or type(ceiling) is int)
            or (kind == "direct" and not account)
        ):
            return _refuse(1201, "下单参数错误")
        submission = Submission(
            dialect=self.name,
            reference=reference,
            kind=kind,
            product=product,
            account=account,
            quantity=quantity,
            ceiling_fen=ceiling,
            notify_url=notify_url if isinstance(notify_url, str) else "",
        )
        taken = await self._supplier.take(submission, self._app[SESSION])
        return await wrong.answer(self._supplier, request, _created(taken, self._supplier), fault=taken.fault)

    async def _detail(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        order, state = self._supplier.look_up(str(body.get("order_no")))
        if order is None:
            return _refuse(1200, "订单不存在")
        if order["query_fault"] in ("query_500", "query_html"):
            return wrong.page(500 if order["query_fault"] == "query_500" else 200)
        data = _order(order, state)
        if order["query_fault"] == "query_unknown_state":
            data["order_status"] = 99
        return _ok(data)


def _created(taken: Taken, supplier: SimulatedSupplier) -> bytes:
    if taken.refusal.isdigit():
        return _compact({"code": int(taken.refusal), "msg": "下单被拒绝"}).encode()
    if taken.refusal:
        code, message = REFUSALS[taken.refusal]
        return _compact({"code": code, "msg": message}).encode()
    if taken.order is None:
        return b""
    order = supplier.store.find(taken.order["reference"]) or taken.order
    return _compact({"code": 0, "msg": "OK", "data": _order(order, order["state"])}).encode()


def _order(order: sqlite3.Row, state: str) -> dict[str, Any]:
    data: dict[str, Any] = {
        "order_type": TYPES[order["kind"]],
        "order_no": order["reference"],
        "out_order_no": order["supplier_ref"],
        "order_status": STATES[state],
        "order_amount": order["cost_fen"],
        "goods_no": order["product"],
        "goods_name": order["product"],
        "buy_quantity": order["quantity"],
        "order_time": int(order["accepted_at"]),
    }
    if order["kind"] == "direct":
        data["biz_content"] = {"account": order["account"]}
    elif state == "success":
        data["card_items"] = _card_items(order)
    if order["finished_at"]:
        data["end_time"] = int(order["finished_at"])
    if order["remark"]:
        data["remark"] = order["remark"]
    return data


def _card_items(order: sqlite3.Row) -> list[dict[str, str]]:
    return [{"card_no": card["number"], "card_pwd": card["secret"]} for card in json.loads(order["cards"])]


def _goods(item: Item) -> dict[str, Any]:
    return {
        "goods_no": item.product,
        "goods_type": TYPES[item.kind],
        "goods_name": item.name,
        "price": item.cost_fen,
        "stock": item.stock,
        "status": 1 if item.on_sale else 2,
        "update_time": 1_700_000_000,
    }


def _ok(data: dict[str, Any]) -> web.Response:
    return web.Response(
        text=_compact({"code": 0, "msg": "OK", "data": data}), content_type="application/json"
    )


def _refuse(code: int, message: str) -> web.Response:
    return web.Response(text=_compact({"code": code, "msg": message}), content_type="application/json")


def _compact(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
