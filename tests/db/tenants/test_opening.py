"""A company opened from the template is what the migrations would have made, and nothing is left of one that failed."""

import os
import re
import subprocess
import threading
from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django_tenants.utils import schema_context

from benefits.funds.models import FundsAccount
from benefits.points.models import Account
from tenants import operations, template
from tenants.errors import CompanyExists, InvalidCreditCode, InvalidDomain, InvalidSchemaName
from tenants.identity.models import AuditEvent, User
from tenants.identity.roles import COMPANY_ROLES
from tenants.models import Company
from tests.races import at_once

AT = datetime(2026, 1, 5, tzinfo=UTC)


def dump(schema: str) -> list[str]:
    """The definition of a schema, line by line, under the name `it`."""
    settings = connection.settings_dict
    environment = os.environ | {
        name: str(settings[key] or "")
        for name, key in {
            "PGHOST": "HOST",
            "PGPORT": "PORT",
            "PGUSER": "USER",
            "PGPASSWORD": "PASSWORD",
        }.items()
    }
    done = subprocess.run(
        [
            template.pg_dump_path(),
            "--schema",
            schema,
            "--schema-only",
            "--no-owner",
            "--no-privileges",
            settings["NAME"],
        ],
        env={name: value for name, value in environment.items() if value},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = (line for line in done.stdout.splitlines() if not line.startswith(("--", "\\")) and line.strip())
    return sorted(_plain(re.sub(rf"\b{schema}\b", "it", line)) for line in lines)


def _plain(line: str) -> str:
    """Without the casts and brackets of a condition, which the server writes differently when it reads its own dump."""
    return (
        re.sub(r"[()]", "", re.sub(r"::[a-z]+( varying)?(\[\])?", "", line))
        if re.search("CHECK|WHERE", line)
        else line
    )


def test_open_company_and_migrate_make_the_same_schema(race_company: Company) -> None:
    connection.set_schema_to_public()
    operations.open_company(
        schema="replayed", name="Replayed", domain="replayed.localhost", actor=None, at=AT
    )
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA migrated")
    call_command("migrate_schemas", schema_name="migrated", verbosity=0)
    connection.set_schema_to_public()
    replayed, migrated = dump("replayed"), dump("migrated")
    assert len(replayed) > 500
    assert replayed == migrated


def test_a_company_is_complete_and_its_sequences_go_on(public: None) -> None:
    opened = operations.open_company(
        schema="initech",
        name="Initech",
        domain="Initech.localhost.",
        owner_email="ann@initech.example",
        actor=None,
        at=AT,
    )
    assert (opened.domain, opened.company.status) == ("initech.localhost", "open")
    assert FundsAccount.objects.get(company="initech").balance_fen == 0
    with schema_context("initech"):
        assert User.objects.get().roles == {"admin", "hr"}
        assert not User.objects.get().has_usable_password()
        assert Account.objects.exists()
        assert AuditEvent.objects.filter(action="company.opened").exists()
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM auth_group")
            assert {name for (name,) in cursor.fetchall()} >= {str(role) for role in COMPANY_ROLES}
        assert User.objects.create_user("next").pk == 2


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"schema": "acme"}, CompanyExists),
        ({"domain": "ACME.localhost"}, CompanyExists),
        ({"domain": "localhost"}, CompanyExists),
        ({"schema": "pg_x"}, InvalidSchemaName),
        ({"schema": "user"}, InvalidSchemaName),
        ({"schema": "x;drop"}, InvalidSchemaName),
        ({"schema": "fresh\n"}, InvalidSchemaName),
        ({"domain": "http://x"}, InvalidDomain),
        ({"domain": "x:8000"}, InvalidDomain),
        ({"domain": "-x.example"}, InvalidDomain),
        ({"domain": "x" * 64 + ".example"}, InvalidDomain),
        ({"domain": ""}, InvalidDomain),
        ({"credit_code": "91350100M000100Y44"}, InvalidCreditCode),
        ({"credit_code": "1"}, InvalidCreditCode),
    ],
)
def test_what_cannot_be_opened_leaves_nothing(
    public: None, changes: dict[str, str], error: type[Exception]
) -> None:
    before = Company.objects.count()
    with pytest.raises(error):
        operations.open_company(
            **{"schema": "fresh", "name": "X", "domain": "fresh.localhost", **changes}, actor=None, at=AT
        )
    assert Company.objects.count() == before
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'fresh'")
        assert cursor.fetchone() is None


def test_a_provisioner_that_fails_leaves_nothing(public: None, settings: object) -> None:
    settings.COMPANY_PROVISIONERS = ["tests.db.tenants.test_opening.fail"]  # type: ignore[attr-defined]
    with pytest.raises(ZeroDivisionError):
        operations.open_company(schema="fresh", name="X", domain="fresh.localhost", actor=None, at=AT)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'fresh'")
        assert cursor.fetchone() is None


def fail(*, company: Company, at: datetime) -> None:
    raise ZeroDivisionError


opening, looked = threading.Event(), threading.Event()


def wait(*, company: Company, at: datetime) -> None:
    opening.set()
    looked.wait(10)


def test_t25_a_company_is_reached_once_it_is_ready_and_not_before(
    race_company: Company, settings: object
) -> None:
    """What was asked too early is forgotten, so that the first visit after the opening succeeds."""
    from tests.db.tenants import test_opening as provisioner  # by the name under which the setting finds it

    settings.COMPANY_PROVISIONERS = [*settings.COMPANY_PROVISIONERS, "tests.db.tenants.test_opening.wait"]  # type: ignore[attr-defined]

    def visit() -> int:
        return Client(headers={"host": "newco.localhost"}).get("/accounts/login/").status_code

    def open_it() -> Company:
        connection.set_schema_to_public()
        return operations.open_company(
            schema="newco", name="New", domain="newco.localhost", actor=None, at=AT
        ).company

    def visit_meanwhile() -> list[int]:
        provisioner.opening.wait(20)
        try:
            return [visit(), visit()]
        finally:
            provisioner.looked.set()

    company, early = at_once(open_it, visit_meanwhile)

    assert early == [404, 404]
    assert company.is_open
    assert visit() == 200
