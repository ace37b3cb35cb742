"""Every address × every role. A view that declares nobody fails here, so that none is forgotten."""

import hashlib
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django_tenants.utils import schema_context

from tenants.access import ANYONE, BEFORE_SECOND_FACTOR, NOBODY, SIGNED_IN
from tenants.identity.roles import COMPANY_ROLES, PLATFORM_ROLES, SECOND_FACTOR_ROLES, Role
from tenants.models import Company
from tests.addresses import Address, addresses
from tests.people import client_of, somebody

COMPANY, PLATFORM = "config.urls", "config.urls_platform"
KNOWN = {*map(str, Role), ANYONE, SIGNED_IN, NOBODY}
HOSTS = {COMPANY: "acme.localhost", PLATFORM: settings.PLATFORM_DOMAIN}
LOGIN = "/accounts/login/"


def of(urlconf: str, *, library: bool) -> list[Address]:
    return [one for one in addresses(urlconf) if one.is_library == library]


@pytest.mark.parametrize("urlconf", [COMPANY, PLATFORM])
def test_every_address_says_who_may_use_it(urlconf: str) -> None:
    undeclared = [str(one) for one in addresses(urlconf) if not one.allowed]
    assert undeclared == [], "declare these with tenants.access.allow"
    assert not [str(one) for one in addresses(urlconf) if not one.allowed <= KNOWN]


def test_no_company_role_opens_a_page_of_the_platform_and_none_of_the_platform_a_company_s() -> None:
    assert not [str(one) for one in addresses(PLATFORM) if one.allowed & set(map(str, COMPANY_ROLES))]
    assert not [str(one) for one in addresses(COMPANY) if one.allowed & set(map(str, PLATFORM_ROLES))]


@pytest.fixture
def schema(request: pytest.FixtureRequest, db: None) -> Iterator[str]:
    yield request.param
    connection.set_schema_to_public()


def _cases() -> list[tuple[str, str, Role]]:
    company = [("acme", COMPANY, role) for role in COMPANY_ROLES]
    return company + [("public", PLATFORM, role) for role in PLATFORM_ROLES]


def _client(schema: str, *roles: Role, second_factor: bool = True) -> Client:
    host = settings.PLATFORM_DOMAIN if schema == "public" else f"{schema}.localhost"
    with schema_context(schema):
        user = somebody(*roles, second_factor=second_factor)
        client = client_of(user, host=host)
    client.raise_request_exception = False
    return client


def _is_sign_in(answer: object) -> bool:
    return answer.status_code == 302 and answer.headers["Location"].startswith(LOGIN)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("schema_name", "urlconf", "role"), _cases(), ids=str)
def test_a_role_opens_what_is_its_own_and_nothing_else(
    db: None, schema_name: str, urlconf: str, role: Role
) -> None:
    client = _client(schema_name, role)
    wrong = []
    for one in of(urlconf, library=False):
        mine = bool(one.allowed & {str(role), SIGNED_IN, ANYONE})
        status = client.get(one.path).status_code
        if (status >= 500) or (status == 403) is mine:
            wrong.append(f"{one} → {status}")
        if not mine and (posted := client.post(one.path).status_code) != 403:
            wrong.append(f"POST {one} → {posted}")
    assert wrong == []


def test_an_employee_opens_nothing_of_the_editor(db: None) -> None:
    client = _client("acme", Role.EMPLOYEE)
    closed = [
        one for one in of(COMPANY, library=True) if not one.allowed & {str(Role.EMPLOYEE), SIGNED_IN, ANYONE}
    ]
    assert len(closed) > 100, "the editor's addresses are among them"
    assert [str(one) for one in closed if client.get(one.path).status_code != 403] == []


@pytest.mark.parametrize("urlconf", [COMPANY, PLATFORM])
def test_a_stranger_is_asked_to_sign_in(db: None, urlconf: str) -> None:
    client = Client(headers={"host": HOSTS[urlconf]}, raise_request_exception=False)
    wrong = []
    for one in addresses(urlconf):
        answer = client.get(one.path)
        if ANYONE in one.allowed:
            if answer.status_code >= 500 or _is_sign_in(answer) != (one.name == "mfa_authenticate"):
                wrong.append(f"{one} → {answer.status_code}")
        elif not _is_sign_in(answer):
            wrong.append(f"{one} → {answer.status_code}")
    assert wrong == []


@pytest.mark.parametrize(
    ("home", "urlconf"),
    [("globex", COMPANY), ("public", COMPANY), ("acme", PLATFORM)],
    ids=["globex", "public", "platform"],
)
def test_a_session_of_elsewhere_is_a_stranger(db: None, home: str, urlconf: str) -> None:
    roles = PLATFORM_ROLES if home == "public" else COMPANY_ROLES
    client = _client(home, *roles)
    foreign = client.cookies[settings.SESSION_COOKIE_NAME].value
    wrong = []
    for one in of(urlconf, library=False):
        if ANYONE in one.allowed:
            continue
        visitor = Client(headers={"host": HOSTS[urlconf]}, raise_request_exception=False)
        visitor.cookies[settings.SESSION_COOKIE_NAME] = foreign
        if not _is_sign_in(answer := visitor.get(one.path)):
            wrong.append(f"{one} → {answer.status_code}")
    assert wrong == []
    own = "/" if home == "public" else "/accounts/password/"
    assert client.get(own).status_code == 200, "the session at home is untouched"


@pytest.mark.parametrize(
    ("schema_name", "urlconf", "role"), [case for case in _cases() if case[2] in SECOND_FACTOR_ROLES], ids=str
)
def test_without_its_second_factor_a_role_gets_only_to_set_it_up(
    db: None, schema_name: str, urlconf: str, role: Role
) -> None:
    client = _client(schema_name, role, second_factor=False)
    wrong = []
    for one in of(urlconf, library=False):
        if (
            ANYONE in one.allowed
            or one.name in BEFORE_SECOND_FACTOR
            or not one.allowed & {str(role), SIGNED_IN}
        ):
            continue
        answer = client.get(one.path)
        if answer.status_code != 302 or answer.headers["Location"] != "/accounts/2fa/totp/activate/":
            wrong.append(f"{one} → {answer.status_code}")
    assert wrong == []


def test_a_suspended_company_answers_nobody(db: None) -> None:
    client = _client("acme", *COMPANY_ROLES)
    Company.objects.filter(schema_name="acme").update(status=Company.Status.SUSPENDED)
    statuses = {client.get(one.path).status_code for one in addresses(COMPANY)}
    assert statuses == {503}


@pytest.mark.parametrize(
    ("schema_name", "urlconf"), [("acme", COMPANY), ("public", PLATFORM)], ids=["company", "platform"]
)
def test_looking_changes_nothing(db: None, schema_name: str, urlconf: str) -> None:
    roles = PLATFORM_ROLES if schema_name == "public" else COMPANY_ROLES
    client = _client(schema_name, *roles)
    before = _digests("acme", "globex", "public")
    for one in of(urlconf, library=False):
        client.get(one.path)
        client.get(f"{one.path}?page=2&q=x")
    after = _digests("acme", "globex", "public")
    assert {table for table in before if before[table] != after[table]} == set()


def _digests(*schemas: str) -> dict[str, str]:
    """A digest of every table's rows. Sessions live by looking, and that somebody looked may be recorded."""
    connection.set_schema_to_public()
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY(%s) AND tablename <> ALL(%s)",
            [list(schemas), ["django_session", "identity_auditevent"]],
        )
        for schema, table in cursor.fetchall():
            cursor.execute(
                f'SELECT string_agg(t::text, chr(10) ORDER BY t::text) FROM "{schema}"."{table}" t'
            )
            found[f"{schema}.{table}"] = hashlib.sha256((cursor.fetchone()[0] or "").encode()).hexdigest()
    return found
