"""The databases of one test run: a migrated template, and cheap copies of it.

A copy belongs to the process that keeps a connection to it; those that nobody keeps any more are dropped by the next run.
"""

import contextlib
import functools
import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

PREFIX = "test_mall"
FORMAT = 1  # raise it to have every template built anew
OPENED_AT = datetime(2025, 1, 1, tzinfo=UTC)

# What decides the tables, and what besides decides the rows that a new company has.
_TABLES = re.compile(r"(^|/)migrations/.*\.py$|^tenants/(template|models)\.py$|^requirements\.txt$")
_ROWS = re.compile(r"^(benefits|cms|reports|tenants)/.*\.py$|^(config/settings|tests/environment)\.py$")

_TOPS = ("benefits", "cms", "config", "reports", "tenants", "tests")

_MARK = "MALL_TESTS"  # what the run was started with, for the processes that it starts
_NAMES = ("DATABASE_URL", "BROKER_URL", "CACHE_URL", "MALL_STATE")
_marked: dict[str, Any] = json.loads(os.environ.get(_MARK, "{}"))
_given: dict[str, str] = _marked.get("given") or {name: os.environ.get(name, "") for name in _NAMES}


@contextlib.contextmanager
def _as_given() -> Iterator[None]:
    ours = {name: os.environ.get(name, "") for name in _NAMES}
    os.environ.update(_given)
    try:
        yield
    finally:
        os.environ.update(ours)


with _as_given():  # where the embedded services are is read when it is imported
    from config import services
    from config.places import BASE


def point() -> None:
    """Have everything that reads the environment from here on, other processes too, use what is ours alone."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    if _marked.get("worker") == worker:  # started by a test, which has pointed already
        return
    slot = int(re.sub(r"\D", "", worker) or 6) % 7
    real = _real()
    os.environ.update(
        {
            _MARK: json.dumps({"worker": worker, "given": _given}),
            "DATABASE_URL": database_url(f"{PREFIX}_none"),
            "BROKER_URL": _numbered(real.broker, 2 + 2 * slot),
            "CACHE_URL": _numbered(real.cache, 3 + 2 * slot),
            "MALL_STATE": str(BASE / "var" / "tests" / worker),
            "MALL_ENV": "development",
            "DATABASE_POOL": os.environ.get("DATABASE_POOL", "24"),  # races run twenty threads at once
            "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
        }
    )


@functools.cache
def _real() -> services.Urls:
    """The services that the run was given, or the embedded ones."""
    with _as_given():
        return services.urls()


def start_services() -> None:
    """Start the embedded database and broker where the environment that we were given names none."""
    with _as_given():
        services.ensure()


def database_url(name: str) -> str:
    """The address of another database on the server that the run was given."""
    scheme, host, _, query, fragment = urlsplit(_real().database)
    return urlunsplit((scheme, host, f"/{name}", query, fragment)).replace(
        f"{scheme}:/{name}", f"{scheme}:///{name}"
    )


@contextlib.contextmanager
def copy(template: str) -> Iterator[str]:
    """A database of one's own, made from `template` in about half a second; yields its name."""
    name = f"{PREFIX}_{secrets.token_hex(5)}"
    with _administration() as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        keeper = psycopg.connect(_conninfo(name), autocommit=True)
    try:
        yield name
    finally:
        keeper.close()
        with _administration() as admin:
            drop(admin, name)


def drop(admin: psycopg.Connection, name: str) -> None:
    """Drop a database with whoever is connected; the server's own cleaner, which we may not send away, leaves soon."""
    for patience in reversed(range(60)):
        try:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            return
        except psycopg.errors.InsufficientPrivilege:
            if not patience:
                raise
            time.sleep(0.5)


def template() -> str:
    """The name of the template for the code as it stands, built by the first process that asks.

    The half minute that migrations take is spent again only where they changed.
    """
    migrated, opened = empty_template(), f"{PREFIX}_template_{_digest(_TABLES, _ROWS)}"
    with _administration() as admin:
        _drop_forsaken(admin, but=[migrated, opened])
        if not _exists(admin, migrated):
            _build(admin, migrated, "template1", _migrate)
        if not _exists(admin, opened):
            _build(admin, opened, migrated, _open_companies)
    return opened


def empty_template() -> str:
    """The name of the template without companies; `template` builds it as well."""
    return f"{PREFIX}_migrated_{_digest(_TABLES)}"


def use(name: str) -> None:
    """Turn this process, and those it starts, to another database."""
    from django.db import connection

    connection.close()
    connection.close_pool()
    connection.settings_dict["NAME"] = name
    os.environ["DATABASE_URL"] = database_url(name)


def _build(admin: psycopg.Connection, name: str, source: str, fill: Callable[[], object]) -> None:
    unfinished = f"{PREFIX}_unfinished"
    drop(admin, unfinished)
    admin.execute(f"CREATE DATABASE {unfinished} TEMPLATE {source}")
    before = os.environ["DATABASE_URL"].partition("?")[0].rpartition("/")[2]
    use(unfinished)
    try:
        fill()
    finally:
        use(before)
    admin.execute(f"ALTER DATABASE {unfinished} RENAME TO {name}")


def _migrate() -> None:
    from django.core.management import call_command

    call_command("upgrade", verbosity=0)


def _open_companies() -> None:
    """Acme and Globex, with the same ids in both, so that a leak shows a wrong row rather than none."""
    from tenants import operations as tenants

    for schema, name in (("acme", "Acme"), ("globex", "Globex")):
        tenants.open_company(
            schema=schema,
            name=name,
            domain=f"{schema}.localhost",
            owner_email=f"owner@{schema}.example",
            actor=None,
            at=OPENED_AT,
        )


def _exists(admin: psycopg.Connection, name: str) -> bool:
    return admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _drop_forsaken(admin: psycopg.Connection, *, but: list[str]) -> None:
    rows = admin.execute(
        "SELECT datname FROM pg_database WHERE starts_with(datname, %s) AND datname <> ALL(%s)"
        " AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE pg_stat_activity.datname = pg_database.datname)",
        [f"{PREFIX}_", but],
    ).fetchall()
    for (name,) in rows:
        with contextlib.suppress(psycopg.errors.ObjectInUse):
            admin.execute(f"DROP DATABASE IF EXISTS {name}")


@contextlib.contextmanager
def _administration() -> Iterator[psycopg.Connection]:
    """A connection beside the test databases; one process at a time creates and drops them."""
    with psycopg.connect(_conninfo(), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext('test_mall'))")
        yield connection


def _conninfo(name: str = "") -> str:
    settings = conninfo_to_dict(_real().database)
    return make_conninfo(**{**settings, **({"dbname": name} if name else {})})


def _digest(*patterns: re.Pattern[str]) -> str:
    digest = hashlib.sha256(str(FORMAT).encode())
    for path in sorted(BASE.glob("*.txt")) + [
        file for top in _TOPS for file in sorted((BASE / top).rglob("*.py"))
    ]:
        name = str(path.relative_to(BASE))
        if any(pattern.search(name) for pattern in patterns):
            digest.update(f"{name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _numbered(url: str, number: int) -> str:
    """The same Redis, another of its numbered databases; other brokers have none and stay."""
    if re.search(r"(virtual_host|db)=\d+", url):
        return re.sub(r"(virtual_host|db)=\d+", rf"\g<1>={number}", url)
    parts = urlsplit(url)
    if parts.scheme in ("redis", "rediss"):
        return urlunsplit(parts._replace(path=f"/{number}"))
    return f"{url}?db={number}" if parts.scheme == "unix" else url


def state() -> Path:
    """The folder for files of this process's tests."""
    return Path(os.environ["MALL_STATE"])
