"""Over real HTTP against the running web server: bursts of orders, and callbacks of every kind."""

import concurrent.futures
import gzip
import http.client
import json
import socket
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings
from django.utils import timezone

from benefits.fulfilment import connections, upkeep
from benefits.fulfilment.models import Attempt, CallbackReceived, Delivery
from benefits.orders.models import Order
from benefits.suppliers import signers
from benefits.suppliers.simulator.dialects.goofish import DEFAULT_KEYS
from config import processes
from reports import books
from tenants.db import connection
from tenants.identity.roles import Role
from tenants.models import Company
from tests import environment, factories
from tests.people import client_of, somebody

AT_ONCE = 24
PRICE = 4_950


@pytest.fixture(scope="module")
def web(module_company: Company) -> Iterator[int]:
    """A web server of its own over a database of this module's own, without a worker: nothing moves by itself."""
    factories.a_catalogue()
    Company.objects.filter(pk=module_company.pk).update(daily_limit_fen=10_000_000)
    port = processes.free_port()
    server = processes.web(port=port, state=environment.state())
    with processes.running([server], environment=processes.environment(port=port)):
        connection.set_tenant(module_company)
        yield port


# A burst of orders


def _session(name: str, fen: int) -> tuple[str, object]:
    employee = factories.an_employee(name, with_fen=fen)
    employee.user = somebody(Role.EMPLOYEE, name=name)
    employee.save()
    client = client_of(employee.user, host="acme.localhost")
    return client.cookies[settings.SESSION_COOKIE_NAME].value, employee


def _burst(port: int, session: str, keys: list[str]) -> list[tuple[int, str]]:
    """Post one order a key at the same moment, each over a connection that is open and warm already."""
    barrier = threading.Barrier(len(keys))

    def post(key: str) -> tuple[int, str]:
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        cookie = {"Host": "acme.localhost", "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"}
        link.connect()
        link.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.request("GET", "/benefits/mobile-top-up/", headers=cookie)
        answer = link.getresponse()
        csrf = answer.headers.get("Set-Cookie", "")
        page = answer.read().decode()
        assert answer.status == 200, answer.status
        token = page.split('name="csrfmiddlewaretoken" value="', 1)[1].split('"', 1)[0]
        secret = csrf.split(f"{settings.CSRF_COOKIE_NAME}=", 1)[1].split(";", 1)[0]
        body = (
            f"csrfmiddlewaretoken={token}&request_key={key}&account=13800138000"
            f"&choice=topup-mobile-50%3A{PRICE}"
        )
        headers = cookie | {
            "Cookie": f"{cookie['Cookie']}; {settings.CSRF_COOKIE_NAME}={secret}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        barrier.wait(60)
        link.request("POST", "/benefits/mobile-top-up/confirm/", body, headers)
        answer = link.getresponse()
        answer.read()
        link.close()
        return answer.status, answer.headers.get("Location", "")

    with concurrent.futures.ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(post, keys))


def test_e13_a_burst_with_a_wallet_for_one_is_one_order(web: int, module_company: Company) -> None:
    session, employee = _session("burst", PRICE + 100)
    results = _burst(web, session, [str(uuid4()) for _ in range(AT_ONCE)])
    assert Counter(status for status, _ in results) == {302: 1, 409: AT_ONCE - 1}
    assert Order.objects.filter(employee=employee).count() == 1
    assert factories.wallet_fen(employee) == 100
    assert books.verify([module_company]) == []


def test_e13_a_burst_of_one_key_is_one_order_and_one_answer(web: int, module_company: Company) -> None:
    session, employee = _session("repeat", 10 * PRICE)
    results = _burst(web, session, [str(uuid4())] * AT_ONCE)
    assert Counter(results).most_common(1)[0][1] == AT_ONCE
    assert results[0][0] == 302
    assert Order.objects.filter(employee=employee).count() == 1
    assert factories.wallet_fen(employee) == 9 * PRICE


# Callbacks


@pytest.fixture(scope="module")
def waiting(web: int) -> Attempt:
    """An attempt that the supplier has accepted."""
    supplier = upkeep.add_supplier(
        slug="first", name="First", adapter="goofish", base_url="http://127.0.0.1:9",
        credentials=json.dumps(DEFAULT_KEYS), actor=None, at=timezone.now(),
    )  # fmt: skip
    order = factories.redeem(factories.an_employee("Carol", with_fen=PRICE))
    attempt = factories.claim(Delivery.objects.get(order_number=order.number))
    Attempt.objects.filter(pk=attempt.pk).update(supplier=supplier, status=Attempt.Status.WAITING)
    assert connections.adapter_of(supplier)
    return Attempt.objects.get(pk=attempt.pk)


def _signed(body: bytes) -> str:
    query = {"mch_id": DEFAULT_KEYS["mch_id"], "timestamp": "1772413200"}
    sign = signers.goofish(**DEFAULT_KEYS, body=body, timestamp=query["timestamp"])
    return f"/callbacks/first/?mch_id={query['mch_id']}&timestamp={query['timestamp']}&sign={sign}"


def _says(attempt: Attempt, status: int = 20) -> bytes:
    return json.dumps(
        {"order_type": 1, "order_no": attempt.reference, "out_order_no": "S1", "order_status": status}
    ).encode()


def _call(port: int, body: bytes, *, path: str = "", **headers: str) -> tuple[int, bytes]:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        link.request(
            "POST",
            path or _signed(body),
            body,
            {"Host": "localhost", "Content-Type": "application/json", **headers},
        )
        answer = link.getresponse()
        return answer.status, answer.read()
    finally:
        link.close()


def test_c01_a_signed_callback_is_accepted_and_a_forged_one_is_not(web: int, waiting: Attempt) -> None:
    body = _says(waiting)
    assert _call(web, body) == (200, b'{"code":0,"msg":"OK"}')
    Attempt.objects.filter(pk=waiting.pk).update(due_at=waiting.due_at)
    other = _says(waiting, 30)
    for path in (_signed(body), "/callbacks/first/", _signed(other).replace("sign=", "sign=0")):
        status, answer = _call(web, other, path=path)
        assert (status, json.loads(answer)["error"]["code"]) == (403, "callback_forged")
    assert Attempt.objects.get(pk=waiting.pk).due_at == waiting.due_at


def test_c04_copies_at_once_have_one_effect(web: int, waiting: Attempt) -> None:
    body = _says(waiting)
    before = CallbackReceived.objects.filter(attempt=waiting).count()
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: _call(web, body), range(6)))
    assert set(answers) == {(200, b'{"code":0,"msg":"OK"}')}
    assert CallbackReceived.objects.filter(attempt=waiting).count() == before + 6
    assert Attempt.objects.get(pk=waiting.pk).status == Attempt.Status.WAITING
    assert waiting.delivery.status == Delivery.Status.ACTIVE


@pytest.mark.parametrize(
    ("body", "more", "statuses"),
    [
        (b"", {}, {400}),
        (b"<xml/>", {}, {400}),
        (b"a" * 70_000, {}, {413}),
        ("订单".encode("gbk"), {}, {400}),
        (b"[" * 60_000, {}, {400}),
        (b'{"order_no": NaN, "order_no": 1}', {}, {400, 200}),
        (b"order_no=1&order_status=20", {"Content-Type": "application/x-www-form-urlencoded"}, {400}),
        (gzip.compress(b"0" * 50_000_000), {"Content-Encoding": "gzip"}, {400}),
    ],
    ids=["empty", "xml", "70 kB", "gbk", "deep", "NaN", "form", "gzip bomb"],
)
def test_c13_what_no_supplier_sends_is_refused_in_time(
    web: int, waiting: Attempt, body: bytes, more: dict[str, str], statuses: set[int]
) -> None:
    started = time.monotonic()
    status, _ = _call(web, body, **more)
    assert status in statuses
    assert time.monotonic() - started < 5
    assert Attempt.objects.get(pk=waiting.pk).status == Attempt.Status.WAITING


def test_c13_fifty_megabytes_are_refused_before_they_are_read(web: int, waiting: Attempt) -> None:
    with socket.create_connection(("127.0.0.1", web), timeout=10) as link:
        link.sendall(
            b"POST /callbacks/first/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 52428800\r\n\r\n" + b"x" * 1000
        )
        started = time.monotonic()
        assert link.recv(100).startswith(b"HTTP/1.1 413 ")
        assert time.monotonic() - started < 5


def test_c13_a_body_that_drips_is_cut_off(web: int, waiting: Attempt) -> None:
    with socket.create_connection(("127.0.0.1", web), timeout=30) as link:
        link.sendall(
            b"POST /callbacks/first/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1000\r\n\r\n"
        )
        started, answer = time.monotonic(), b""
        link.settimeout(0.5)
        while time.monotonic() - started < 25 and not answer:
            try:
                link.sendall(b"x")
                answer = link.recv(100)
            except TimeoutError:
                continue
            except OSError:
                break
        assert time.monotonic() - started < 12
        assert answer.startswith(b"HTTP/1.1 400 ")


def test_c14_a_database_that_is_away_asks_for_a_repetition_and_hears_it(web: int, waiting: Attempt) -> None:
    """The web server's database takes no connections for a while; nothing else on the machine is touched."""
    body = _says(waiting)
    name = connection.settings_dict["NAME"]
    connection.close()
    connection.close_pool()
    with psycopg.connect(environment._conninfo(), autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        try:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND query <> ''",
                [name],
            )
            started = time.monotonic()
            assert _call(web, body)[0] == 503
            assert time.monotonic() - started < 25  # the pool waits for 15 s
            ready = urllib.request.Request(f"http://127.0.0.1:{web}/-/ready")
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(ready, timeout=20)
            assert refused.value.code == 503
        finally:
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    until = time.monotonic() + 20
    while (answer := _call(web, body))[0] == 503 and time.monotonic() < until:
        time.sleep(0.5)
    assert answer == (200, b'{"code":0,"msg":"OK"}')
