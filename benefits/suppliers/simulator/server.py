"""The simulator as an HTTP server: the dialects' routes, and `/_sim/…` to look inside and change faults."""

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from . import faults as fault_profiles
from .dialects.goofish import DEFAULT_KEYS, GoofishSide
from .faults import BadFaults, Faults
from .goods import Item, default_goods, read_goods
from .store import Store
from .supplier import SESSION, SimulatedSupplier

BALANCE_FEN = 100_000_000
STOPPING = web.AppKey("stopping", asyncio.Event)


@dataclass(frozen=True, slots=True)
class Options:
    """How to run one simulator. Port 0 takes a free one."""

    port: int
    state: Path
    host: str = "127.0.0.1"
    faults: Faults = field(default_factory=Faults)
    goods: dict[str, Item] = field(default_factory=default_goods)
    callback_url: str = ""
    keys: dict[str, str] = field(default_factory=lambda: dict(DEFAULT_KEYS))
    balance_fen: int = BALANCE_FEN


def build(options: Options) -> web.Application:
    """Assemble the application around a store that may already hold a past."""
    app = web.Application(client_max_size=1 << 20)
    store = Store(options.state, balance_fen=options.balance_fen)
    supplier = SimulatedSupplier(
        store=store, goods=options.goods, faults=options.faults, default_callback_url=options.callback_url
    )
    side = GoofishSide(supplier, options.keys, app)
    supplier.dialects[side.name] = side
    _Admin(supplier, app)
    app[STOPPING] = supplier.stopping
    app.cleanup_ctx.append(_running(supplier, store))
    return app


async def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT. The first line on standard output is JSON with the address."""
    app = build(options)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, options.host, options.port, reuse_address=True)
    await site.start()
    port = runner.addresses[0][1]
    print(json.dumps({"simulator": f"http://{options.host}:{port}", "state": str(options.state)}), flush=True)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    app[STOPPING].set()
    await runner.cleanup()


def run(options: Options) -> int:
    """Run one simulator in this process; returns the exit status."""
    try:
        asyncio.run(serve(options))
    except OSError as error:
        print(f"The simulator cannot listen on {options.host}:{options.port}: {error}", file=sys.stderr)
        return 2
    return 0


def _running(supplier: SimulatedSupplier, store: Store) -> Callable[[web.Application], Any]:
    async def context(app: web.Application) -> Any:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            app[SESSION] = session
            loop = asyncio.create_task(supplier.run(session))
            yield
            await supplier.stop()
            await loop
        store.close()

    return context


class _Admin:
    """What a test or an operator does to a running simulator."""

    def __init__(self, supplier: SimulatedSupplier, app: web.Application) -> None:
        self._supplier = supplier
        self._app = app
        add = app.router.add_route
        add("GET", "/_sim/health", self._health)
        add("GET", "/_sim/faults", self._faults)
        add("PUT", "/_sim/faults", _readable(self._set_faults))
        add("POST", "/_sim/faults", _readable(self._set_faults))
        add("GET", "/_sim/truth", self._truth)
        add("GET", "/_sim/goods", self._goods)
        add("PUT", "/_sim/goods", _readable(self._set_goods))
        add("PUT", "/_sim/balance", _readable(self._set_balance))
        add("POST", "/_sim/callback", _readable(self._callback))
        add("POST", "/_sim/reset", self._reset)

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "dialects": sorted(self._supplier.dialects)})

    async def _faults(self, _request: web.Request) -> web.Response:
        return web.json_response(self._supplier.faults.as_dict())

    async def _set_faults(self, body: Any) -> web.Response:
        """Put faults in force from now on: a profile's text, or an object. The counts go on."""
        seed = self._supplier.faults.seed
        changed = fault_profiles.parse(body, seed=seed) if isinstance(body, str) else None
        changed = changed or fault_profiles.from_dict(body, seed=seed)
        changed.fired.update(self._supplier.faults.fired)
        self._supplier.faults = changed
        return web.json_response(changed.as_dict())

    async def _truth(self, request: web.Request) -> web.Response:
        return web.json_response(self._supplier.store.truth(reference=request.query.get("reference", "")))

    async def _goods(self, _request: web.Request) -> web.Response:
        return web.json_response([asdict(item) for item in self._supplier.goods.values()])

    async def _set_goods(self, body: Any) -> web.Response:
        self._supplier.goods = read_goods(body)
        return web.json_response({"goods": len(self._supplier.goods)})

    async def _set_balance(self, body: Any) -> web.Response:
        self._supplier.store.set_balance(int(body["fen"]))
        return web.json_response({"balance_fen": self._supplier.store.balance()})

    async def _callback(self, body: Any) -> web.Response:
        """Send one callback now, true or not: {reference, state, forged}; answers what the mall answered."""
        order = self._supplier.store.find(str(body["reference"]))
        if order is None:
            raise ValueError("no such order")
        number = self._supplier.plan_callback(
            order,
            state=body.get("state", ""),
            forged=bool(body.get("forged")),
            due_at=self._supplier.clock() + 3600,
        )
        if not number:
            raise ValueError("the order has no callback address")
        row = self._supplier.store.callback(number)
        answer = await self._supplier.send(self._app[SESSION], row)
        self._supplier.store.callback_sent(number, answer=answer, done_at=self._supplier.clock(), next_at=0)
        return web.json_response({"answer": answer})

    async def _reset(self, _request: web.Request) -> web.Response:
        self._supplier.store.reset(balance_fen=BALANCE_FEN)
        self._supplier.faults.fired.clear()
        return web.json_response({"ok": True})


def _readable(
    handle: Callable[[Any], Awaitable[web.Response]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Answer 400 with a sentence where the body is not what the handler needs."""

    async def checked(request: web.Request) -> web.Response:
        try:
            return await handle(await request.json())
        except (BadFaults, ValueError, KeyError, TypeError, AttributeError) as error:
            message = str(error) or type(error).__name__
            return web.json_response({"error": {"code": "bad_request", "message": message}}, status=400)

    return checked
