"""A company in which everything has happened once, and its journal."""

import contextlib
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benefits.journal import evidence, operations, verify
from benefits.orders.models import Order
from benefits.people.models import Employee
from tenants.models import Company
from tests import factories

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def _anchors(settings: Any, tmp_path: Path) -> None:
    settings.JOURNAL_ANCHORS = tmp_path / "anchors"


@pytest.fixture
def alice(acme: Company) -> Employee:
    """Somebody who can spend, in a mall with goods."""
    factories.a_catalogue()
    return factories.an_employee(with_fen=40_000)


@pytest.fixture
def order(alice: Employee) -> Order:
    """An order of two items, one delivered and one refunded, sealed in two steps."""
    made = factories.redeem(alice, "bundle-commuter")
    operations.seal(at=NOW)
    factories.deliver(made, fails=["qq-music-month"])
    factories.settle()
    operations.seal(at=NOW + timedelta(minutes=1))
    return made


@pytest.fixture
def pack(order: Order, tmp_path: Path) -> Path:
    """The evidence of all of it."""
    folder = tmp_path / "pack"
    evidence.export(folder, since=None, until=None, at=LATER)
    return folder


@pytest.fixture
def verified() -> Callable[..., tuple[int, str]]:
    """Runs the verifier: its exit code, and what it said."""

    def run(*arguments: object) -> tuple[int, str]:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = verify.main([str(one) for one in arguments])
        return code, out.getvalue()

    return run
