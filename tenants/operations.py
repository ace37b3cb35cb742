"""Companies: open, change, suspend, resume, close; and bring every schema to the current migrations."""

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypedDict, Unpack

from django.conf import settings
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader
from django.utils.module_loading import import_string

from tenants import audit, template
from tenants.db import after_commit, connection, transaction
from tenants.errors import CompanyExists, CompanyNotFound, IllegalTransition, InvalidSchemaName
from tenants.identity import operations as identity
from tenants.identity.models import User
from tenants.identity.roles import Role
from tenants.middleware import forget_domains
from tenants.models import Company, Domain
from tenants.validators import clean_colour, clean_credit_code, clean_domain, clean_schema_name

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Opened:
    """A company that is ready, and its first administrator, whose activation link is still unused."""

    company: Company
    domain: str
    owner: User


@transaction
def open_company(
    *,
    schema: str,
    name: str,
    domain: str,
    credit_code: str = "",
    owner_email: str = "",
    short_name: str = "",
    points_per_yuan: int = 1,
    actor: User | None,
    at: datetime,
) -> Opened:
    """Open a company: replay the template schema, provision every room, add the first administrator; or do nothing.

    Raises InvalidSchemaName, InvalidDomain, InvalidCreditCode, CompanyExists.
    """
    connection.set_schema_to_public()
    schema, domain = clean_schema_name(schema), clean_domain(domain)
    _refuse_taken(schema=schema, domain=domain)
    company = Company(
        schema_name=schema,
        name=name,
        short_name=short_name,
        credit_code=clean_credit_code(credit_code),
        points_per_yuan=points_per_yuan,
        opened_at=at,
    )
    company.save()
    Domain.objects.create(tenant=company, domain=domain, is_primary=True)
    template.replay(schema)
    try:
        for path in settings.COMPANY_PUBLIC_PROVISIONERS:
            import_string(path)(company=company, at=at)
        connection.set_tenant(company)
        for path in settings.COMPANY_PROVISIONERS:
            import_string(path)(company=company, at=at)
        owner = identity.add_user(
            username=owner_email or "owner",
            name="",
            email=owner_email,
            roles=[Role.ADMIN, Role.HR],
            actor=actor,
            at=at,
        )
        audit.record("company.opened", f"company:{schema}", actor=actor, at=at)
    finally:
        connection.set_schema_to_public()
    Company.objects.filter(pk=company.pk).update(status=Company.Status.OPEN)
    company.refresh_from_db()
    audit.record("company.opened", f"company:{schema}", actor=actor, at=at, domain=domain)
    after_commit(partial(forget_domains, company))  # somebody may have looked for it too early
    return Opened(company=company, domain=domain, owner=owner)


def _refuse_taken(*, schema: str, domain: str) -> None:
    if Company.objects.filter(schema_name=schema).exists():
        raise CompanyExists(value=schema)
    if domain == settings.PLATFORM_DOMAIN or Domain.objects.filter(domain=domain).exists():
        raise CompanyExists(value=domain)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema])
        if cursor.fetchone():
            raise CompanyExists(value=schema)
        cursor.execute("SELECT 1 FROM pg_get_keywords() WHERE word = %s AND catcode <> 'U'", [schema])
        if cursor.fetchone():
            raise InvalidSchemaName(schema=schema)


class Facts(TypedDict, total=False):
    """What may change of a company; its key and its status are no facts."""

    name: str
    short_name: str
    credit_code: str
    address: str
    phone: str
    bank_name: str
    bank_account: str
    brand_colour: str
    points_name: str
    points_per_yuan: int
    language: str
    daily_limit_fen: int
    others_allowed: bool
    leaver_policy: str
    leaver_grace_days: int
    expiry_policy: str
    refund_days: int


@transaction
def change_company(
    *, company: Company, actor: User | None, at: datetime, **facts: Unpack[Facts]
) -> list[str]:
    """Change what is known of a company, felt at once; returns the names of the facts that are new.

    Raises InvalidCreditCode, InvalidColour, ColourTooLight, and what the rooms object to (PointsRateFixed).
    """
    if unknown := set(facts) - set(Facts.__annotations__):
        raise TypeError(f"no facts of a company: {sorted(unknown)}")
    connection.set_schema_to_public()
    if "credit_code" in facts:
        facts["credit_code"] = clean_credit_code(facts["credit_code"])
    if "brand_colour" in facts:
        facts["brand_colour"] = clean_colour(facts["brand_colour"])
    before = Company.objects.select_for_update(no_key=True).get(pk=company.pk)
    changed = sorted(name for name, value in facts.items() if getattr(before, name) != value)
    if changed:
        _ask_rooms(before, changed)
        Company.objects.filter(pk=company.pk).update(**{name: facts.get(name) for name in changed})
        audit.record("company.changed", f"company:{company.schema_name}", actor=actor, at=at, changed=changed)
        after_commit(partial(forget_domains, company))
    company.refresh_from_db()
    return changed


def _ask_rooms(company: Company, changed: list[str]) -> None:
    connection.set_tenant(company)
    try:
        for path in settings.COMPANY_OBJECTIONS:
            import_string(path)(company=company, changed=changed)
    finally:
        connection.set_schema_to_public()


@transaction
def suspend(*, company: Company, actor: User | None, at: datetime) -> None:
    """Close the doors of a company without touching anything in it. Raises IllegalTransition."""
    _move(company, Company.Status.SUSPENDED, actor=actor, at=at)


@transaction
def resume(*, company: Company, actor: User | None, at: datetime) -> None:
    """Open the doors of a suspended company again. Raises IllegalTransition."""
    _move(company, Company.Status.OPEN, actor=actor, at=at)


def _move(company: Company, to: Company.Status, *, actor: User | None, at: datetime) -> None:
    sources = [status for status, targets in Company.FLOW.items() if to in targets and status != "opening"]
    moved = Company.objects.filter(pk=company.pk, status__in=sources).update(status=to)
    company.refresh_from_db()
    if not moved:
        raise IllegalTransition(status=company.get_status_display())
    audit.record(f"company.{to}", f"company:{company.schema_name}", actor=actor, at=at)
    after_commit(partial(forget_domains, company))


def find_company(schema: str) -> Company:
    """The company of a schema name, or CompanyNotFound."""
    connection.set_schema_to_public()
    try:
        return Company.objects.get(schema_name=schema)
    except Company.DoesNotExist:
        raise CompanyNotFound(schema=schema) from None


def upgrade(*, at: datetime) -> dict[str, str]:
    """Migrate the public schema, the template and every company one after another.

    A company that fails does not hold up the rest; returns {schema: error} for those that failed.
    """
    on_disk = set(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)
    if not template.is_current("public", on_disk):
        call_command("migrate_schemas", shared=True, verbosity=0)
    template.refresh(at=at, on_disk=on_disk)
    failed: dict[str, str] = {}
    for schema in Company.objects.values_list("schema_name", flat=True):
        if template.is_current(schema, on_disk):
            continue
        try:
            call_command("migrate_schemas", schema_name=schema, verbosity=0)
        except Exception as error:
            logger.exception("the migration of %s failed", schema)
            failed[schema] = str(error)
        finally:
            connection.set_schema_to_public()
    return failed
