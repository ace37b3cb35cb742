"""The simulator's own promises: its callbacks, its faults, its command line."""

import asyncio
import json
import subprocess
import sys
import urllib.error
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from benefits.suppliers import http, registry
from benefits.suppliers.base import CallbackError, CallbackForged, CallbackMalformed, Kind, Order, State
from benefits.suppliers.simulator import faults
from tests.supplier_process import ROOT, SupplierProcess


class Mall(ThreadingHTTPServer):
    """Something that is called back: it keeps what it hears and answers what it is told to."""

    def __init__(self) -> None:
        self.heard: list[tuple[bytes, dict[str, str]]] = []
        self.answers: list[tuple[int, bytes]] = []
        super().__init__(("127.0.0.1", 0), Ear)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/callback"


class Ear(BaseHTTPRequestHandler):
    server: Mall

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((body, dict(parse_qsl(urlsplit(self.path).query))))
        status, answer = (
            self.server.answers.pop(0) if self.server.answers else (200, b'{"code":0,"msg":"OK"}')
        )
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def mall() -> Iterator[Mall]:
    server = Mall()
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def order_and_wait(
    simulator: SupplierProcess, mall: Mall, *, callbacks: int, reference: str
) -> list[State | type]:
    """Order a top-up and return what each callback said: a state, or why it proves nothing."""
    order = Order(
        reference, "HF-CMCC-50", Kind.DIRECT, 4925, 4925, account="13800138001", callback_url=mall.url
    )

    async def conversation() -> None:
        async with http.open_session() as session:
            await registry.connect(simulator.config(), session).submit(order)
        for _ in range(60):
            if len(mall.heard) >= callbacks:
                break
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.15)

    asyncio.run(conversation())
    said: list[State | type] = []
    for body, query in mall.heard:
        try:
            said.append(registry.connect(simulator.config()).read_callback(body, query, {}).state)
        except CallbackError as error:
            said.append(type(error))
    return said


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("", [State.SUCCESS]),
        ("fail_later", [State.FAILED]),
        ("callback_duplicate", [State.SUCCESS] * 3),
        ("callback_early", [State.SUCCESS]),
        ("callback_late:0.3", [State.SUCCESS]),
        ("callback_lost", []),
        ("callback_contradicting", [State.SUCCESS, State.FAILED]),
        ("callback_failed_first", [State.FAILED, State.SUCCESS]),
        ("callback_regressing", [State.SUCCESS, State.IN_PROGRESS]),
        ("callback_forged", [State.SUCCESS, CallbackForged]),
        ("callback_garbage", [State.SUCCESS, CallbackMalformed]),
        ("callback_unknown_order", [State.SUCCESS, State.SUCCESS]),
    ],
)
def test_callbacks(simulator: SupplierProcess, mall: Mall, fault: str, said: list[State | type]) -> None:
    simulator.faults(*([fault] if fault else []))

    heard = order_and_wait(simulator, mall, callbacks=len(said), reference=f"CB-{fault}")

    assert sorted(map(str, heard)) == sorted(map(str, said))


def test_a_callback_is_repeated_until_it_is_acknowledged(simulator: SupplierProcess, mall: Mall) -> None:
    simulator.faults(retries=5, retry_after=0.1)
    mall.answers = [(503, b""), (200, b"<html>")]

    assert order_and_wait(simulator, mall, callbacks=3, reference="CB-again") == [State.SUCCESS] * 3


def test_a_callback_can_be_sent_by_hand(simulator: SupplierProcess, mall: Mall) -> None:
    order_and_wait(simulator, mall, callbacks=1, reference="CB-hand")

    simulator.call("POST", "/_sim/callback", {"reference": "CB-hand", "state": "failed", "forged": True})

    with pytest.raises(CallbackForged):
        registry.connect(simulator.config()).read_callback(*mall.heard[-1], {})


def test_a_script_meets_one_submission_after_the_other() -> None:
    profile = faults.from_dict({"targets": {"R1": ["drop", "timeout_after_accept", "balance_empty"]}})
    met = [profile.pick("submit", reference="R1", account="", product="", nth=n) for n in range(1, 5)]
    assert met == ["drop", "timeout_after_accept", "balance_empty", ""]


def test_the_same_seed_meets_the_same_orders() -> None:
    def met(seed: int) -> list[str]:
        profile = faults.parse("lying", seed=seed)
        return [profile.pick("submit", reference=f"R{n}", account="", product="") for n in range(300)]

    assert met(1) == met(1) != met(2)
    assert 0.1 < sum(bool(name) for name in met(1)) / 300 < 0.5


def test_what_fired_is_counted(simulator: SupplierProcess, mall: Mall) -> None:
    before = simulator.call("GET", "/_sim/faults")["fired"].get("fail_later", 0)
    simulator.faults("fail_later")
    order_and_wait(simulator, mall, callbacks=1, reference="CB-count")
    assert simulator.call("GET", "/_sim/faults")["fired"]["fail_later"] == before + 1


@pytest.mark.parametrize(
    "body", ['"nonsense"', "[]", '{"rates":{"x":1}}', '{"settings":{"x":1}}', "{", '{"rates":5}']
)
def test_bad_faults_are_refused_with_a_sentence(simulator: SupplierProcess, body: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        simulator.call("PUT", "/_sim/faults", json.loads(body) if body != "{" else "{")
    assert error.value.code == 400
    assert json.load(error.value)["error"]["message"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--port", "99999"], "--port"),
        (["--port", "0", "--faults", "nonsense"], "--faults"),
        (["--port", "0", "--faults", "{"], "--faults"),
        (["--port", "0", "--goods", "/nowhere.json"], "--goods"),
        ([], "--port"),
    ],
)
def test_bad_usage_is_a_sentence_and_exit_2(tmp_path: Path, arguments: list[str], word: str) -> None:
    command = [sys.executable, "-m", "benefits.suppliers.simulator", "--state", str(tmp_path), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert word in done.stderr
    assert "Traceback" not in done.stderr
