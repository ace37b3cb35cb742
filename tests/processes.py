"""Fixtures with real processes: a worker, a supplier simulator, a web server and a browser."""

import contextlib
import json
import os
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from config import processes
from tests import environment

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Simulator:
    """A running supplier simulator and what a test may ask of it."""

    port: int
    state: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def truth(self, reference: str = "") -> Any:
        """What it really delivered."""
        return self._ask("GET", f"/_sim/truth?reference={reference}")

    def faults(self) -> Any:
        """What it does wrong now, and how often it has."""
        return self._ask("GET", "/_sim/faults")

    def set_faults(self, profile: str | dict[str, Any]) -> None:
        """From now on behave like this; a profile's name or an object."""
        self._ask("PUT", "/_sim/faults", profile)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


@dataclass(frozen=True)
class Mall:
    """A whole mall of real processes over a database of its own."""

    port: int
    simulator: Simulator

    def url(self, host: str, path: str = "/") -> str:
        """An address in the mall: `url("acme")` is Acme's portal, `url("")` the platform."""
        return f"http://{f'{host}.' if host else ''}localhost:{self.port}{path}"


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    """A supplier simulator in a process of its own."""
    with _simulator(tmp_path / "simulator", callback_port=None) as simulator:
        yield simulator


@pytest.fixture
def worker(race_company: object) -> Iterator[None]:
    """A real worker over the real broker, for the database of `race_company`."""
    _empty_broker()
    with processes.running([processes.worker(state=environment.state())], environment=_environment()):
        yield


@pytest.fixture(scope="module")
def mall(
    database_template: str,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Mall]:
    """Everything running, shared by the tests of one module: web server, worker, beat and simulator.

    This process too is turned to the mall's database, so that a test can arrange and look with the product's own
    operations. Its suppliers lead to the simulator.
    """
    from tests.conftest import committed_database

    port = processes.free_port()
    folder = tmp_path_factory.mktemp("simulator")
    with django_db_blocker.unblock(), committed_database(database_template):
        _empty_broker()
        with _simulator(folder, callback_port=port) as simulator:
            state = environment.state()
            parts = [
                processes.web(port=port, state=state),
                processes.worker(state=state),
                processes.beat(state=state),
            ]
            with processes.running(parts, environment=_environment(port)):
                yield Mall(port=port, simulator=simulator)


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Debian's Chromium, which resolves *.localhost by itself."""
    from playwright.sync_api import sync_playwright

    if not Path(CHROMIUM).exists():
        pytest.fail(f"{CHROMIUM} is missing: apt-get install chromium")
    # Playwright runs an event loop in this thread, in which Django would refuse every query.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def phone(browser: "Browser") -> Iterator["Page"]:
    """A page of 390 pixels, in Chinese. The test fails if a page logs an error or asks another host for anything."""
    yield from _page(browser, width=390, height=844)


@pytest.fixture
def desk(browser: "Browser") -> Iterator["Page"]:
    """A page of 1440 pixels, in Chinese, watched like `phone`."""
    yield from _page(browser, width=1440, height=900)


def _page(browser: "Browser", *, width: int, height: int) -> Iterator["Page"]:
    context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(15_000)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: _own_host(request.url) or complaints.append(f"asked {request.url}"))
    yield page
    context.close()
    assert not complaints, complaints


def _own_host(url: str) -> bool:
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return parts.scheme in ("data", "blob", "about") or (parts.hostname or "").endswith("localhost")


@contextlib.contextmanager
def _simulator(folder: Path, *, callback_port: int | None) -> Iterator[Simulator]:
    port = processes.free_port()
    process = processes.simulator(port=port, state=folder)
    with processes.running([process], environment=_environment(callback_port)):
        yield Simulator(port=port, state=folder)


def _environment(port: int | None = None) -> dict[str, str]:
    return processes.environment(port=port or 8000)


def _empty_broker() -> None:
    """Messages that an earlier test's worker left are about rows of a database that is gone."""
    from config.celery import app

    with contextlib.suppress(OSError), app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=3)
        app.control.purge(connection=broker)
