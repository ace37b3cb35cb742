"""The databases of one test run: a migrated template, and cheap copies of it.

A copy belongs to the process that keeps a connection to it; those that nobody keeps any more are dropped by the next run.
"""

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from config import services
from config.places import BASE

PREFIX = "test_mall"
FORMAT = 1  # raise it to have every template built anew
OPENED_AT = datetime(2025, 1, 1, tzinfo=UTC)

# What decides the rows and tables of the template.
_SHAPING = (
    "tenants",
    "benefits",
    "cms",
    "reports",
    "config/settings.py",
    "requirements.txt",
    "tests/environment.py",
)
_SHAPING_FILE = re.compile(
    r"(^|/)(migrations/.*|models|template|provision\w*|operations(/.*)?|settings|ledger)\.py$|\.txt$"
)

_given = {
    name: os.environ.get(name, "") for name in ("DATABASE_URL", "BROKER_URL", "CACHE_URL", "MALL_STATE")
}
_real = services.urls()


def point() -> None:
    """Have everything that reads the environment from here on, other processes too, use what is ours alone."""
    if os.environ.get("MALL_TESTS"):
        return
    worker = re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or "6"
    slot = int(worker) % 7
    os.environ.update(
        MALL_TESTS="1",
        DATABASE_URL=database_url(f"{PREFIX}_none"),
        BROKER_URL=_numbered(_real.broker, 2 + 2 * slot),
        CACHE_URL=_numbered(_real.cache, 3 + 2 * slot),
        MALL_STATE=str(BASE / "var" / "tests" / worker),
        LOG_LEVEL=os.environ.get("LOG_LEVEL", "WARNING"),
        MALL_ENV="development",
        DATABASE_POOL=os.environ.get("DATABASE_POOL", "24"),  # races run 20 threads at once
    )


def start_services() -> None:
    """Start the embedded database and broker where the environment that we were given names none."""
    ours = {name: os.environ.get(name, "") for name in _given}
    os.environ.update(_given)
    try:
        services.ensure()
    finally:
        os.environ.update(ours)


def database_url(name: str) -> str:
    """The address of another database on the server that the run was given."""
    scheme, host, _, query, fragment = urlsplit(_real.database)
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
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def template() -> str:
    """The name of the template for the code as it stands, built by the first process that asks."""
    name = f"{PREFIX}_template_{_digest()}"
    with _administration() as admin:
        _drop_forsaken(admin, but=name)
        if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return name
        unfinished = f"{PREFIX}_unfinished"
        admin.execute(f"DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {unfinished}")
        _fill(unfinished)
        admin.execute(f"ALTER DATABASE {unfinished} RENAME TO {name}")
    return name


def use(name: str) -> None:
    """Turn this process, and those it starts, to another database."""
    from django.db import connection

    connection.close()
    connection.close_pool()
    connection.settings_dict["NAME"] = name
    os.environ["DATABASE_URL"] = database_url(name)


def _fill(name: str) -> None:
    from django.core.management import call_command
    from django.db import connection

    from tenants import operations as tenants

    use(name)
    try:
        call_command("upgrade", verbosity=0)
        for schema in ("acme", "globex"):  # the same ids in both, so that a leak shows a wrong row, not none
            tenants.open_company(
                schema=schema,
                name={"acme": "Acme", "globex": "Globex"}[schema],
                domain=f"{schema}.localhost",
                owner_email=f"owner@{schema}.example",
                actor=None,
                at=OPENED_AT,
            )
    finally:
        connection.close()
        use(f"{PREFIX}_none")


def _drop_forsaken(admin: psycopg.Connection, *, but: str) -> None:
    rows = admin.execute(
        "SELECT datname FROM pg_database WHERE starts_with(datname, %s) AND datname <> %s"
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
    settings = conninfo_to_dict(_real.database)
    return make_conninfo(**{**settings, **({"dbname": name} if name else {})})


def _digest() -> str:
    digest = hashlib.sha256(f"{FORMAT} {_real.database}".encode())
    for top in _SHAPING:
        path = BASE / top
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            if _SHAPING_FILE.search(str(file.relative_to(BASE))) or not path.is_dir():
                digest.update(f"{file.relative_to(BASE)}\0".encode() + file.read_bytes())
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
