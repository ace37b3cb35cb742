"""T14: a pooler that pools transactions is refused, one that pools sessions is not."""

import getpass
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections

from config.processes import free_port
from tenants import checks

PROGRAM = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"


@pytest.fixture
def pooled(request: pytest.FixtureRequest, db: None, tmp_path: Path, settings: object) -> Iterator[None]:
    """The connection of this process led through a pooler in the mode that the test names."""
    if not Path(PROGRAM).exists():
        pytest.skip("pgbouncer is not installed")
    real = connections["default"].settings_dict
    target = {
        "host": real["HOST"],
        "port": real["PORT"] or 5432,
        "dbname": real["NAME"],
        "user": real["USER"],
    }
    if real["PASSWORD"]:
        target["password"] = real["PASSWORD"]
    port = free_port()
    ini = tmp_path / "pgbouncer.ini"
    account = getpass.getuser()
    if os.geteuid() == 0:  # which it refuses to run as; the embedded server's owner may reach its socket
        account = Path(real["HOST"]).owner() if real["HOST"].startswith("/") else "nobody"
    ini.write_text(
        f"[databases]\npooled = {' '.join(f'{name}={value}' for name, value in target.items())}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"pool_mode = {request.param}\nuser = {account}\nignore_startup_parameters = extra_float_digits,options\n"
        "query_wait_timeout = 5\nserver_login_retry = 1\n"
    )
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    process = subprocess.Popen([PROGRAM, "-q", str(ini)], stdin=subprocess.DEVNULL)
    changed = {"HOST": "127.0.0.1", "PORT": str(port), "NAME": "pooled"}
    kept = {name: real[name] for name in changed}
    try:
        time.sleep(0.5)
        assert process.poll() is None
        real.update(changed)
        yield
    finally:
        real.update(kept)
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize(
    ("pooled", "is_refused"), [("session", False), ("transaction", True)], indirect=["pooled"]
)
def test_t14_only_a_pooler_of_transactions_is_refused(pooled: None, is_refused: bool) -> None:
    found = checks.pooler(databases=["default"])
    assert [one.id for one in found] == (["mall.E009"] if is_refused else [])


def test_t14_without_a_pooler_nothing_is_said(db: None) -> None:
    assert checks.pooler(databases=["default"]) == []
