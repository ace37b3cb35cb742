"""The HTTP client against a server that does what it likes."""

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from benefits.suppliers import http


def exchange(
    handle: Callable[[web.Request], Awaitable[web.StreamResponse]], *, deadline: float = 1.0
) -> http.Response:
    async def conversation() -> http.Response:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        try:
            async with http.open_session() as session:
                client = http.Client(session, f"http://127.0.0.1:{port}/base", deadline=deadline)
                return await client.post("/order", query={"a": "1 2"}, body=b"{}")
        finally:
            await runner.cleanup()

    return asyncio.run(conversation())


def test_the_path_is_below_the_base() -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.method} {request.path_qs}")

    assert exchange(echo).body == b"POST /base/order?a=1+2"


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    seen: list[str] = []

    async def redirect(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    assert exchange(redirect).status == 307
    assert seen == ["/base/order"]


def test_the_deadline_is_for_the_whole_answer() -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(50):
            await response.write(b"x")
            await asyncio.sleep(0.1)
        return response

    started = time.monotonic()
    with pytest.raises(http.NoAnswer):
        exchange(drip, deadline=0.5)
    assert time.monotonic() - started < 3


def test_a_compressed_answer_is_not_unpacked() -> None:
    body = gzip.compress(b"0" * (64 << 20))

    async def bomb(_: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    assert len(exchange(bomb, deadline=5).body) < 1 << 20


def test_a_request_is_sent_once() -> None:
    seen: list[str] = []

    async def hang_up(request: web.Request) -> web.Response:
        seen.append(await request.text())
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    with pytest.raises(http.NoAnswer):
        exchange(hang_up)
    assert seen == ["{}"]


def test_half_an_answer_is_none() -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = 100
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return response

    with pytest.raises(http.NoAnswer):
        exchange(half)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True), ("acme.localhost", True), ("127.0.0.1", True), ("::1", True),
        ("simulator", True), ("10.0.0.1", False), ("supplier.example", False), ("127.0.0.1.example", False),
    ],
)  # fmt: skip
def test_which_hosts_are_here(host: str, local: bool) -> None:
    assert http.is_local(host) is local
