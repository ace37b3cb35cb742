"""The simulated supplier itself, whatever the dialect: it takes orders, ends them, and tells about it."""

import asyncio
import hashlib
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
from aiohttp import web

from .faults import Faults
from .goods import Item
from .store import Store, Submission

SESSION = web.AppKey("session", aiohttp.ClientSession)  # for callbacks
OPPOSITE = {"success": "failed", "failed": "success", "in_progress": "success"}
BEFORE_EFFECT = {"error_500", "error_502_html", "reset_after_read", "drop"}
REMARKS = ("该号码为空号", "号码已停机,请缴清欠费后再试", "运营商系统维护中", "该运营商地区不支持充值")


class Dialect(Protocol):
    """How one kind of supplier writes its callbacks."""

    name: str

    def callback_body(self, order: sqlite3.Row, state: str) -> str: ...

    def callback_url(self, url: str, body: str, *, forged: bool, at: float) -> str: ...

    def is_acknowledged(self, status: int, body: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a submission: an order, or a refusal in a word (or a dialect's own code); and how the
    answer goes astray."""

    order: sqlite3.Row | None
    refusal: str
    fault: str


class SimulatedSupplier:
    """One supplier with its books, its goods and its faults."""

    def __init__(
        self,
        *,
        store: Store,
        goods: dict[str, Item],
        faults: Faults,
        default_callback_url: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self.goods = goods
        self.faults = faults
        self.clock = clock
        self.dialects: dict[str, Dialect] = {}
        self.stopping = asyncio.Event()
        self._default_callback_url = default_callback_url
        self._wake = asyncio.Event()
        self._sending: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, submission: Submission, session: aiohttp.ClientSession) -> Taken:
        """Decide over one submission and keep what was decided."""
        reference = submission.reference
        nth = self.store.submission_count(reference) + 1
        fault = self.faults.pick(
            "submit", reference=reference, account=submission.account, product=submission.product, nth=nth
        )
        refusal = self._refusal(submission, fault)
        order: sqlite3.Row | None = None
        if fault.startswith("slow_queue"):
            self._spawn(self._accept_later(submission, self.faults.param(fault, 2.6)))
        elif not refusal and fault not in BEFORE_EFFECT:
            order = self._accept(submission, nth)
        outcome = refusal or ("accepted" if order else "nothing")
        self.store.record_submission(reference=reference, fault=fault, outcome=outcome, at=self.clock())
        if order and order["callback_fault"] == "callback_early":
            self._end(order)
            await self._send_due(session, only=reference)
        return Taken(order, refusal, fault)

    def _refusal(self, submission: Submission, fault: str) -> str:
        """Return why the order is refused, in a word or a dialect's code, or the empty text."""
        if fault.startswith("refuse"):
            code = int(self.faults.param(fault, 0))
            return str(code) if code else "off_sale"
        if fault == "balance_empty":
            return "balance_low"
        if self.faults.settings.honours_reference and self.store.find(submission.reference):
            return "order_exists"
        item = self.goods.get(submission.product)
        if item is None or item.kind != submission.kind:
            return "no_such_product"
        if not item.on_sale:
            return "off_sale"
        if item.stock < submission.quantity:
            return "out_of_stock"
        cost_fen = item.cost_fen * submission.quantity
        if submission.ceiling_fen is not None and cost_fen > submission.ceiling_fen:
            return "price_above_ceiling"
        return "balance_low" if cost_fen > self.store.balance() else ""

    def _accept(self, submission: Submission, nth: int) -> sqlite3.Row:
        item = self.goods[submission.product]
        item.stock -= submission.quantity
        about = {
            "reference": submission.reference,
            "account": submission.account,
            "product": submission.product,
        }
        faults = {stage: self.faults.pick(stage, **about, nth=nth) for stage in ("fate", "query", "callback")}
        at = self.clock()
        settle_at = None if faults["fate"] == "silence" else at + self.faults.settings.settle_after
        order = self.store.accept(
            submission,
            cost_fen=item.cost_fen * submission.quantity,
            faults=faults,
            at=at,
            settle_at=settle_at,
        )
        self._wake.set()
        return order

    async def _accept_later(self, submission: Submission, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if not self._refusal(submission, ""):
            self._accept(submission, 1)

    def look_up(self, reference: str) -> tuple[sqlite3.Row | None, str]:
        """Return an order as a query shows it, and the state it shows."""
        order = self.store.find(reference)
        if order is None:
            return None, ""
        if order["state"] == "in_progress" and order["settle_at"] and order["settle_at"] <= self.clock():
            self._end(order)
            order = self.store.get(order["id"])
        fault = order["query_fault"]
        nth = self.store.count_query(order)
        age = self.clock() - order["accepted_at"]
        if fault.startswith("query_not_found") and age < self.faults.param(fault, 90.0):
            return None, ""
        if fault == "forgotten" and order["state"] != "in_progress":
            return None, ""
        if fault == "query_flapping" and order["state"] == "in_progress":
            return order, "failed" if nth % 2 else "in_progress"
        return order, str(order["state"])

    async def run(self, session: aiohttp.ClientSession) -> None:
        """End orders and send callbacks as they fall due, until told to stop."""
        while not self.stopping.is_set():
            for order in self.store.due_orders(self.clock()):
                self._end(order)
            self._spawn(self._send_due(session))
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), timeout=0.1)
            except TimeoutError:
                continue
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        self.stopping.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _end(self, order: sqlite3.Row) -> None:
        """Let an order succeed or fail, as its fate says, and plan the callbacks."""
        at = self.clock()
        if order["fate"].startswith("fail_later"):
            digest = hashlib.sha256(str(order["reference"]).encode()).digest()
            self.store.fail(order, remark=REMARKS[digest[0] % len(REMARKS)], at=at)
        else:
            self.store.succeed(order, delivered=self._delivered(order), at=at)
        self._plan_callbacks(self.store.get(order["id"]), at)

    def _delivered(self, order: sqlite3.Row) -> dict[str, Any]:
        fate = order["fate"]
        count = order["quantity"] if order["kind"] == "card" else 0
        if fate == "card_empty":
            count = 0
        elif fate == "card_short":
            count = max(count - 1, 0)
        seed = "repeated" if fate == "card_repeated" else f"{order['supplier_ref']}:{order['reference']}"
        account = order["account"]
        return {
            "account": "13800000000" if fate == "wrong_number" and account != "13800000000" else account,
            "product": "SOMETHING-ELSE" if fate == "wrong_product" else order["product"],
            "cost_fen": order["cost_fen"] * (10 if fate == "wrong_amount" else 1),
            "cards": [_card(f"{self.faults.seed}:{seed}:{n}") for n in range(count)],
        }

    def _plan_callbacks(self, order: sqlite3.Row, at: float) -> None:
        fault, state = order["callback_fault"], order["state"]
        if fault == "callback_lost":
            return
        wait = self.faults.param(fault, 1800.0) if fault.startswith("callback_late") else 0.0
        states = {
            "callback_duplicate": [state] * 3,
            "callback_contradicting": ["success", "failed"],
            "callback_failed_first": ["failed", "success"],
            "callback_regressing": [state, "in_progress"],
        }.get(fault, [state])
        for n, told in enumerate(states):
            self.plan_callback(order, state=told, due_at=at + wait + n * 0.05)
        if fault == "callback_forged":
            self.plan_callback(order, state=OPPOSITE[state], forged=True, due_at=at)
        elif fault == "callback_garbage":
            self.plan_callback(order, body="<xml>?</xml>", due_at=at)
        elif fault == "callback_unknown_order":
            stranger = self.dialects[order["dialect"]].callback_body(order, state)
            self.plan_callback(order, body=stranger.replace(order["reference"], "NOBODYS-ORDER"), due_at=at)

    def plan_callback(
        self, order: sqlite3.Row, *, state: str = "", body: str = "", forged: bool = False, due_at: float
    ) -> int:
        """Plan one message about an order, true or not; returns its number, 0 where no URL is known."""
        url = order["notify_url"] or self._default_callback_url
        if not url:
            return 0
        body = body or self.dialects[order["dialect"]].callback_body(order, state or order["state"])
        self._wake.set()
        return self.store.schedule_callback(
            dialect=order["dialect"],
            reference=order["reference"],
            url=url,
            body=body,
            forged=forged,
            due_at=due_at,
        )

    async def _send_due(self, session: aiohttp.ClientSession, *, only: str = "") -> None:
        rows = [row for row in self.store.due_callbacks(self.clock()) if row["id"] not in self._sending]
        rows = [row for row in rows if not only or row["reference"] == only]
        self._sending |= {row["id"] for row in rows}
        await asyncio.gather(*(self.send(session, row) for row in rows))

    async def send(self, session: aiohttp.ClientSession, row: sqlite3.Row) -> str:
        """Send one callback and keep its answer; it is repeated later unless acknowledged."""
        dialect = self.dialects[row["dialect"]]
        url = dialect.callback_url(row["url"], row["body"], forged=bool(row["forged"]), at=self.clock())
        headers = {"Content-Type": "application/json"}
        acknowledged = False
        try:
            timeout = aiohttp.ClientTimeout(total=10)
            async with session.post(
                url, data=row["body"].encode(), headers=headers, timeout=timeout
            ) as response:
                text = (await response.content.read(2000)).decode("utf-8", "replace")
                acknowledged = dialect.is_acknowledged(response.status, text.encode())
                answer = f"{response.status} {text}"
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            answer = type(error).__name__
        at, settings = self.clock(), self.faults.settings
        finished = acknowledged or row["forged"] or row["tries"] + 1 >= settings.retries
        self.store.callback_sent(
            row["id"], answer=answer, done_at=at if finished else None, next_at=at + settings.retry_after
        )
        self._sending.discard(row["id"])
        return answer


def _card(seed: str) -> dict[str, str]:
    digest = hashlib.sha256(seed.encode()).hexdigest().upper()
    secret = "-".join(digest[n : n + 4] for n in range(0, 16, 4))
    return {"number": f"8{int(digest[16:28], 16):015d}"[:16], "secret": secret}
