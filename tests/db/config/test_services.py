"""The embedded database and broker: started once, reused, found again after a kill, stopped."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import psycopg
import pytest
import redis

from config import postgres, services, valkey
from config.places import Place, can_enter

pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A place of our own, as if the environment named no services."""
    for name in ("DATABASE_URL", "BROKER_URL", "CACHE_URL"):
        monkeypatch.delenv(name, raising=False)
    place = Place(tmp_path / "a checkout" / "var")
    place.state.parent.mkdir()
    yield place
    services.remove(place)


def test_their_life(place):
    # Two at once: one starts them, the other waits and finds them running.
    started: list[tuple[str, ...]] = []
    threads = [Thread(target=lambda: started.append(services.ensure(place))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(started) == [(), ("postgres", "valkey")]
    assert services.status(place) == {"postgres": "running", "valkey": "running"}

    urls = services.urls(place)
    with psycopg.connect(urls.database, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        connection.execute("CREATE TABLE kept (name text)")
        connection.execute("INSERT INTO kept VALUES ('员工')")
        [(trigrams, checksums)] = connection.execute(
            "SELECT show_trgm('员工福利'), current_setting('data_checksums')"
        ).fetchall()
        assert trigrams  # a locale that knows Chinese letters
        assert checksums == "on"
        [(is_superuser,)] = connection.execute(
            "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchall()
        assert not is_superuser
    redis.from_url(urls.cache).set("kept", "1")

    # Killed where they stand, they come back with everything that was committed.
    pg = postgres.server(place)
    os.kill(int((pg.data / "postmaster.pid").read_text().split("\n")[0]), signal.SIGKILL)
    for pid in valkey._pids(valkey.server(place)):
        os.kill(pid, signal.SIGKILL)
    assert services.ensure(place) == ("postgres", "valkey")
    with psycopg.connect(urls.database) as connection:
        assert connection.execute("SELECT name FROM kept").fetchall() == [("员工",)]
    assert redis.from_url(urls.cache).get("kept") == b"1"

    assert set(services.stop(place)) == {"postgres", "valkey"}
    assert services.stop(place) == ()

    # The number of the dead server now belongs to another process.
    pid_file = pg.data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{pg.data}\n")
    if pg.account:
        os.chown(pid_file, pg.account.uid, pg.account.gid)
    assert "postgres" in services.ensure(place)


def test_a_removed_folder_begins_anew(place):
    services.ensure(place)
    pg = postgres.server(place)
    old = int((pg.data / "postmaster.pid").read_text().split("\n")[0])
    shutil.rmtree(place.state)

    assert set(services.ensure(place)) == {"postgres", "valkey"}

    assert not Path(
        f"/proc/{old}/cwd"
    ).exists()  # in a minute it would have taken the new server's socket along
    assert services.status(place) == {"postgres": "running", "valkey": "running"}
    pg.socket.unlink()
    assert services.ensure(place) == ("postgres",)
    assert services.status(place) == {"postgres": "running", "valkey": "running"}


def test_what_the_environment_names_is_not_started(place, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/mall")
    monkeypatch.setenv("BROKER_URL", "amqp://broker.example")
    monkeypatch.setenv("CACHE_URL", "redis://cache.example/1")
    assert services.ensure(place) == ()
    assert services.urls(place).database == "postgresql://db.example/mall"
    assert not place.state.exists()


def test_a_long_path_gets_short_sockets(tmp_path):
    place = Place(tmp_path / ("d" * 90) / "var")
    place.state.parent.mkdir()
    for folder in (postgres.server(place).sockets, valkey.server(place).sockets):
        assert len(str(folder)) < 60
    assert postgres.server(place).sockets != valkey.server(place).sockets


def test_who_may_enter(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    owner = closed.stat()
    assert can_enter(closed, uid=owner.st_uid, gid=owner.st_gid)
    assert not can_enter(closed, uid=owner.st_uid + 1, gid=owner.st_gid + 1)
