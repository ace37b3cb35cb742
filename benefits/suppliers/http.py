"""The one HTTP client of the mall. It never retries, never follows, and knows whether a byte may have left.

HttpError
 ├─ NotSent    no connection came about: nothing was sent
 └─ NoAnswer   a connection was there: the request may have arrived, whatever happened then
"""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

import aiohttp
from yarl import URL

from .base import ConfigError, SupplierError

MAX_BODY = 1 << 20  # bytes of an answer; more is no answer
IN_FLIGHT = 64


class HttpError(SupplierError):
    """A request without an answer."""


class NotSent(HttpError):
    """Nothing was sent: no address, no connection or no trusted certificate."""


class NoAnswer(HttpError):
    """Something may have been sent, and no complete answer came."""


@dataclass(frozen=True, slots=True)
class Response:
    """A complete answer, whatever it says."""

    status: int
    body: bytes = field(repr=False)


@asynccontextmanager
async def open_session(*, in_flight: int = IN_FLIGHT) -> AsyncIterator[aiohttp.ClientSession]:
    """Open the pool of connections that all adapters of one run share."""
    connector = aiohttp.TCPConnector(limit=in_flight, limit_per_host=in_flight, keepalive_timeout=4)
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=[_trace()],
        auto_decompress=False,
        trust_env=False,
        raise_for_status=False,
    ) as session:
        yield session


class Client:
    """Requests to one supplier's own host, and to no other."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, *, deadline: float = 10.0) -> None:
        self._session = session
        self._base = checked_address(base_url)
        self._deadline = deadline

    async def post(
        self, path: str, *, query: Mapping[str, str], body: bytes, content_type: str = "application/json"
    ) -> Response:
        """Send one POST and read its whole answer within the deadline (seconds, from start to end).

        Raises NotSent when no connection came about, NoAnswer for everything that happened later.
        """
        trip = SimpleNamespace(connected=False)
        url = self._base.joinpath(path.lstrip("/"), encoded=False).with_query(dict(query))
        if url.origin() != self._base.origin():
            raise ConfigError(f"{path} leaves the supplier's host.")
        headers = {"Content-Type": content_type, "Accept-Encoding": "identity", "User-Agent": "benefits-mall"}
        try:
            async with asyncio.timeout(self._deadline):
                async with self._session.post(
                    url, data=body, headers=headers, allow_redirects=False, trace_request_ctx=trip,
                    timeout=aiohttp.ClientTimeout(total=None),
                ) as response:  # fmt: skip
                    return Response(response.status, await _capped(response))
        except (aiohttp.ClientError, TimeoutError, OSError, ssl.SSLError, ValueError) as error:
            detail = type(error).__name__
            raise (NoAnswer(detail) if trip.connected else NotSent(detail)) from error


async def _capped(response: aiohttp.ClientResponse) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > MAX_BODY:
            response.close()
            raise NoAnswer(f"an answer of more than {MAX_BODY} bytes")
        parts.append(part)
    return b"".join(parts)


def _trace() -> aiohttp.TraceConfig:
    """Mark a request from the moment it has a connection: from then on a byte may have left."""
    trace = aiohttp.TraceConfig()

    async def connected(_session: object, context: SimpleNamespace, _params: object) -> None:
        if context.trace_request_ctx is not None:
            context.trace_request_ctx.connected = True

    trace.on_connection_create_end.append(connected)
    trace.on_connection_reuseconn.append(connected)
    trace.on_request_headers_sent.append(connected)
    return trace


def checked_address(base_url: str) -> URL:
    """Return a supplier's address, which must be https unless the host is this machine. Raises ConfigError."""
    try:
        url = URL(base_url)
    except ValueError:
        raise ConfigError(f"{base_url!r} is not an address.") from None
    if url.scheme not in {"http", "https"} or not url.host or url.user or url.query_string or url.fragment:
        raise ConfigError(
            "The address must be https://host[:port][/path], without a user, query or fragment."
        )
    if url.scheme == "http" and not is_local(url.host):
        raise ConfigError("The address must begin with https:// unless the host is this machine.")
    return url


def is_local(host: str) -> bool:
    """Say whether a host is this machine or a bare name of a private network (a container's)."""
    if host == "localhost" or host.endswith(".localhost") or ("." not in host and ":" not in host):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
