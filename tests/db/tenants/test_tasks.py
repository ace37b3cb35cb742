"""Tasks: each runs in the schema that its message names, whatever ran before it and however it came to be sent."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from celery import chain
from celery.contrib.testing.worker import start_worker
from django.conf import settings

from benefits import tasks
from config.celery import app
from tenants import operations
from tenants.db import connection
from tenants.models import Company
from tenants.tasks import PUBLIC, CompanyTask
from tests.processes import _empty_broker

AT = datetime(2026, 3, 2, 2, tzinfo=UTC)
ran: list[tuple[str, str]] = []


@app.task(name="tests.note", bind=True, base=CompanyTask)
def note(self: CompanyTask, *, word: str, retries: int = 0, breaks: bool = False) -> None:
    """Write down in which schema this runs, by what the database itself says."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        ran.append((word, cursor.fetchone()[0]))
    if self.request.retries < retries:
        raise self.retry(countdown=0.1, max_retries=retries)
    if breaks:
        connection.set_schema_to_public()  # and whatever else a broken task leaves behind
        raise RuntimeError("broken midway")


@pytest.fixture
def worker(race_company: Company) -> Iterator[None]:
    """A real worker over the real broker, in a thread of this process: it knows the task above."""
    _empty_broker()
    ran.clear()
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=20):
        yield


def _wait(number: int, *, seconds: float = 15) -> list[tuple[str, str]]:
    until = time.monotonic() + seconds
    while len(ran) < number and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.2)  # nothing more comes
    return list(ran)


def _in(schema: str) -> dict[str, Any]:
    return {"headers": {"schema": schema}}


def test_t12_a_task_runs_in_its_schema_however_it_is_sent(worker: None) -> None:
    note.ring("acme", word="rung")
    note.apply_async(kwargs={"word": "delayed"}, countdown=0.3, **_in("globex"))
    note.apply_async(kwargs={"word": "retried", "retries": 2}, **_in("globex"))
    chain(note.si(word="first").set(**_in("acme")), note.si(word="second").set(**_in("globex"))).apply_async()
    sender = threading.Thread(target=lambda: note.ring("globex", word="thread"))
    sender.start()
    sender.join()
    note.ring(PUBLIC, word="public")

    assert sorted(_wait(9)) == sorted(
        [
            ("rung", "acme"),
            ("delayed", "globex"),
            *[("retried", "globex")] * 3,
            ("first", "acme"),
            ("second", "globex"),
            ("thread", "globex"),
            ("public", "public"),
        ]
    )


def test_t12_a_task_without_a_schema_does_not_run(worker: None) -> None:
    note.apply_async(kwargs={"word": "nowhere"})
    note.apply_async(kwargs={"word": "nobody's"}, **_in("nobody"))
    note.ring("acme", word="after")
    assert _wait(2, seconds=3) == [("after", "acme")]


def test_t12_what_the_clock_sends_names_its_schema() -> None:
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        assert entry["options"]["headers"] == {"schema": PUBLIC}, name
        assert app.tasks[entry["task"]].name == entry["task"]


def test_t13_a_company_whose_task_breaks_leaves_nothing_to_the_next(worker: None) -> None:
    for word, schema, breaks in (
        ("1", "acme", False),
        ("2", "globex", True),
        ("3", "acme", False),
        ("4", PUBLIC, True),
        ("5", "globex", False),
        ("6", "acme", True),
        ("7", PUBLIC, False),
    ):
        note.ring(schema, word=word, breaks=breaks)
    assert _wait(7) == [
        ("1", "acme"),
        ("2", "globex"),
        ("3", "acme"),
        ("4", "public"),
        ("5", "globex"),
        ("6", "acme"),
        ("7", "public"),
    ]


def test_t22_a_suspended_companys_tasks_do_not_run(worker: None, race_company: Company) -> None:
    connection.set_schema_to_public()
    operations.suspend(company=race_company, actor=None, at=AT)
    note.ring("acme", word="suspended")
    note.ring("globex", word="open")
    assert _wait(2, seconds=3) == [("open", "globex")]
    operations.resume(company=race_company, actor=None, at=AT)
    note.ring("acme", word="again")
    assert _wait(2) == [("open", "globex"), ("again", "acme")]


def test_long_runs_stand_behind_short_ones(worker: None) -> None:
    """Priorities come from CELERY_TASK_ROUTES, since those set on a task are going away."""
    assert app.amqp.router.route({}, tasks.send_due.name)["priority"] == 9
    assert app.amqp.router.route({}, tasks.ask_due.name)["priority"] == 9
    assert "priority" not in app.amqp.router.route({}, tasks.settle.name)
