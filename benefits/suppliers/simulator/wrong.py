"""The ways in which an answer goes wrong on the wire."""

import asyncio
import socket
import struct

from aiohttp import web

from .supplier import SimulatedSupplier

PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


async def answer(
    supplier: SimulatedSupplier, request: web.Request, body: bytes, *, fault: str
) -> web.StreamResponse:
    """Give `body` as the answer, or do to it what `fault` says."""
    name = fault.partition(":")[0]
    if supplier.faults.settings.answer_after:
        await asyncio.sleep(supplier.faults.settings.answer_after)
    if name in ("error_500", "error_500_after_accept"):
        return page(500)
    if name in ("error_502_html", "slow_queue"):
        return page(502)
    if name in ("reset_after_read", "reset_after_accept"):
        return _reset(request)
    if name in ("drop", "timeout_after_accept"):
        await _wait(supplier, supplier.faults.settings.hang)
        return _reset(request)
    if name == "half_json":
        return web.Response(body=body[: len(body) // 2], content_type="application/json")
    if name == "empty_200":
        return web.Response(body=b"", content_type="application/json")
    if name == "huge_answer":
        return web.Response(body=b" " * (4 << 20) + body, content_type="application/json")
    if name == "slow_drip":
        return await _drip(supplier, request, body)
    return web.Response(body=body, content_type="application/json")


def page(status: int) -> web.Response:
    """Answer with a page where JSON is expected."""
    return web.Response(status=status, text=PAGE, content_type="text/html")


async def _wait(supplier: SimulatedSupplier, seconds: float) -> None:
    try:
        await asyncio.wait_for(supplier.stopping.wait(), timeout=seconds)
    except TimeoutError:
        return


def _reset(request: web.Request) -> web.Response:
    """Close the connection with a reset rather than a goodbye."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response(status=500)


async def _drip(supplier: SimulatedSupplier, request: web.Request, body: bytes) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_length = len(body)
    await response.prepare(request)
    for n in range(len(body)):
        if supplier.stopping.is_set():
            break
        try:
            await response.write(body[n : n + 1])
        except (ConnectionError, RuntimeError):
            break
        await asyncio.sleep(supplier.faults.settings.drip)
    return response
